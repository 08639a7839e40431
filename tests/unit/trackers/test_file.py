"""What the text of a tracked file says: C's strtol with base 0, as keepalived 2.2.7 was seen to read it."""

import pytest

from pykeepalived.trackers.file import number


@pytest.mark.keyword("track_file.file")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"50", 50),
        (b"-50\n", -50),
        (b"+7", 7),
        (b" \t\r\n\v\f33 ", 33),
        (b"0x10", 16),
        (b"0X1f", 31),
        (b"-0x10", -16),
        (b"010", 8),
        (b"0", 0),
        (b"08", 0),
        (b"0xg", 0),
        (b"12abc", 12),
        (b"1.9", 1),
        (b"6\n7\n", 6),
        (b"abc", 0),
        (b"", 0),
        (b"- 5", 0),
        (b"--5", 0),
        (b"\xff\x00", 0),
        (b"\xb2", 0),
        (b"2147483647", 2147483647),
        (b"-2147483648", -2147483648),
        (b"2147483648", None),
        (b"-99999999999999999999", None),
        (b"0x" + b"f" * 100, None),
    ],
)
def test_number(text: bytes, value: int | None) -> None:
    assert number(text) == value
