"""HTTP requests as keepalived's bytes, and a reader of responses that trusts nobody."""

import hashlib

import pytest

from pykeepalived.errors import DecodeError
from pykeepalived.wire.http import HEADER_LIMIT, Reason, Response, ResponseReader, request


def read(*pieces: bytes) -> Response:
    reader = ResponseReader(digest=True)
    for piece in pieces:
        reader.feed(piece)
    return reader.finish()


def md5(body: bytes) -> bytes:
    return hashlib.md5(body, usedforsecurity=False).digest()


def test_request_of_http_1_0_is_keepalived_s_observed_bytes() -> None:
    assert request("/x", "127.0.0.11:80", "1.0") == (
        b"GET /x HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 127.0.0.11:80\r\n\r\n"
    )


@pytest.mark.parametrize(("protocol", "version"), [("1.0C", b"1.0"), ("1.1", b"1.1")])
def test_request_that_asks_to_close(protocol: str, version: bytes) -> None:
    assert request("/", "www.x.org", protocol) == (
        b"GET / HTTP/" + version + b"\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: www.x.org\r\n\r\n"
    )


def test_whole_response_at_once() -> None:
    response = read(b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nhello")
    assert response == Response(200, md5(b"hello"), 5, None, 5)


def test_any_cut_reads_the_same() -> None:
    whole = b"HTTP/1.0 404 Not Found\r\nContent-Length: 4\r\nX: y\r\n\r\nbodyEXTRA"
    expected = Response(404, md5(b"body"), 4, 4, 9)
    for cut in range(1, len(whole)):
        assert read(whole[:cut], whole[cut:]) == expected
    assert read(*(bytes([octet]) for octet in whole)) == expected


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\n", b"\n\r\n"])
def test_a_header_ends_in_no_other_way(end: bytes) -> None:
    with pytest.raises(DecodeError):
        read(b"HTTP/1.0 204 No Content" + end + b"x")


@pytest.mark.parametrize(
    ("header", "length"),
    [
        (b"Content-Length: 3", 3),
        (b"Content-Length:\t3", 3),
        (b"Content-Length: +3", 3),
        (b"Content-Length: 3 ", 6),
        (b"Content-Length : 3", 6),
        (b"X: \0\r\nContent-Length: 3", 6),
        (b"Content-Length:3", 3),
        (b"content-length: 3", 6),  # matched by case, as keepalived does
        (b"X-Content-Length: 3", 3),
        (b"Content-Length: 3x", 6),
        (b"Content-Length: -3", 6),
        (b"Content-Length: " + b"9" * 40, 6),
        (b"Content-Length: 99", 6),
        (b"Content-Length: 0", 0),
    ],
)
def test_body_is_digested_up_to_its_content_length(header: bytes, length: int) -> None:
    response = read(b"HTTP/1.0 200 OK\r\n" + header + b"\r\n\r\nabcdef")
    assert (response.digest, response.length, response.received) == (md5(b"abcdef"[:length]), length, 6)


def test_content_length_in_the_body_is_body() -> None:
    assert read(b"HTTP/1.0 200 OK\r\n\r\n\nContent-Length: 1\r\n").length == 20


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"HTTP/1.0 200", 0),
        (b"HTTP/1.0 200 ", 200),
        (b"HTTP/1.0 200OK", 0),
        (b"HTTP/1.0 0200 OK", 0),
        (b"HTTP/1.0 +200 OK", 0),
        (b"HTTP/1.0\0 200 OK", 200),
        (b"HTTP/1.0 200 OK", 200),
        (b"HTTP/1.0  200 OK", 0),
        (b"HTTP/1.0 20 x", 0),
        (b"HTTP/1.0", 0),
        (b"", 0),
        (b"ICY 200 OK", 200),
        (b"HTTP/1.0 " + b"2" * 30, 0),
        (b"HTTP/1.0 \xff\xfe", 0),
    ],
)
def test_status_is_three_digits_after_the_first_space_and_before_another(line: bytes, status: int) -> None:
    assert read(line + b"\r\nA: 200\r\n\r\n").status == status


@pytest.mark.parametrize("pieces", [(), (b"HTTP/1.0 200 OK\r\n",), (b"HTTP/1.0 200 OK\r\nA: b\r\n",)])
def test_no_whole_header_is_no_data(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(DecodeError) as refused:
        read(*pieces)
    assert refused.value.reason is Reason.EMPTY


def feed_for_ever(reader: ResponseReader) -> None:
    for _ in range(HEADER_LIMIT):
        reader.feed(b"y" * 100)


def test_endless_header_is_refused_and_not_kept() -> None:
    reader = ResponseReader()
    reader.feed(b"HTTP/1.0 200 OK\r\nX: ")
    with pytest.raises(DecodeError) as refused:
        feed_for_ever(reader)
    assert refused.value.reason is Reason.HEADER_TOO_LONG
    assert len(reader._head) == 0


def test_header_of_the_greatest_length_is_read() -> None:
    start, end = b"HTTP/1.0 200 OK\r\nX: ", b"\r\n\r\n"
    filler = b"y" * (HEADER_LIMIT - len(start) - len(end))
    assert read(start + filler + end).status == 200
    with pytest.raises(DecodeError):
        read(start + filler + b"y" + end)


def test_body_is_not_hashed_when_nobody_asks() -> None:
    reader = ResponseReader()
    reader.feed(b"HTTP/1.0 200 OK\r\n\r\nabc")
    assert reader.finish() == Response(200, None, 3, None, 3)
