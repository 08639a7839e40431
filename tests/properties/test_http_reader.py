"""Any bytes, in any pieces, are read or refused; and pieces make no difference."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from pykeepalived.errors import DecodeError
from pykeepalived.wire.http import HEADER_LIMIT, Response, ResponseReader

PARTS = st.sampled_from(
    [
        b"HTTP/1.0 200 OK",
        b"HTTP/1.1 ",
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"Content-Length: ",
        b"Content-Length:",
        b"7",
        b"99999999999999999999",
        b"-1",
        b"\0\xff",
        b"body",
        b"x" * 5000,
    ]
)
LIKE_HTTP = st.lists(PARTS, max_size=30).map(b"".join)
ANYTHING = st.one_of(st.binary(max_size=2000), LIKE_HTTP)


def outcome(pieces: list[bytes]) -> Response | str:
    reader = ResponseReader(digest=True)
    try:
        for piece in pieces:
            reader.feed(piece)
            assert len(reader._head) <= HEADER_LIMIT
        return reader.finish()
    except DecodeError as error:
        return error.reason


@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=ANYTHING, cuts=st.lists(st.integers(0, 2000), max_size=8))
def test_pieces_make_no_difference(data: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    pieces = [data[start:end] for start, end in itertools.pairwise(places)]
    assert outcome(pieces) == outcome([data])


@settings(max_examples=50, deadline=None, derandomize=True)
@given(data=st.binary(min_size=1, max_size=64))
def test_flood_is_bounded(data: bytes) -> None:
    reader = ResponseReader(digest=True)
    flood = data * (2 * HEADER_LIMIT // len(data) + 1)
    try:
        reader.feed(flood)
    except DecodeError:
        assert len(reader._head) == 0
    else:
        assert reader._in_body
        assert len(reader._head) == 0
