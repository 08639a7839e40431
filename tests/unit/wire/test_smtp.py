"""Lines of an SMTP server, whatever it sends."""

import random

import pytest

from pykeepalived.errors import DecodeError
from pykeepalived.wire.smtp import LINE_LIMIT, QUIT, LineReader, Reason, answers, helo


def test_commands() -> None:
    assert helo("probe.example") == b"HELO probe.example\r\n"
    assert QUIT == b"QUIT\r\n"


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_a_line_in_any_pieces(end: bytes) -> None:
    whole = b"220 mail.example" + end
    for cut in range(len(whole)):
        reader = LineReader()
        assert reader.feed(whole[:cut]) is None
        assert reader.feed(whole[cut:] + b"554 more\r\n") == b"220 mail.example"


def test_a_line_has_a_bound() -> None:
    assert LineReader().feed(b"220 " + b"x" * (LINE_LIMIT - 6) + b"\r\n") is not None
    for data in (b"220 " + b"x" * (LINE_LIMIT - 5) + b"\r\n", b"x" * LINE_LIMIT, b"x" * 1_000_000):
        reader = LineReader()
        with pytest.raises(DecodeError) as refused:
            reader.feed(data)
        assert refused.value.reason is Reason.LINE_TOO_LONG
        assert reader._held == b""


@pytest.mark.parametrize(
    ("line", "good"),
    [
        (b"220 mail", True),
        (b"220 ", True),
        (b"220", False),
        (b"220-mail", False),
        (b"2200 mail", False),
        (b" 220 mail", False),
        (b"554 no", False),
        (b"220 mail\0x", False),
        (b"", False),
    ],
)
def test_the_last_line_of_an_answer(line: bytes, good: bool) -> None:
    assert answers(line, b"220") is good


def test_any_bytes_are_a_line_or_refused() -> None:
    draw = random.Random(7)
    for _ in range(2000):
        reader = LineReader()
        try:
            for _ in range(20):
                line = reader.feed(draw.randbytes(draw.randrange(60)))
                assert len(reader._held) <= 2 * LINE_LIMIT
                if line is not None:
                    assert b"\n" not in line
                    break
        except DecodeError:
            pass
