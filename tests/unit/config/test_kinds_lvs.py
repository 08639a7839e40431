"""Kinds of virtual servers: what is written of a value reads as that value, in a file."""

from ipaddress import IPv4Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pykeepalived.config.blocks.checkers import HttpGet
from pykeepalived.config.kinds import Kind
from pykeepalived.config.kinds_lvs import (
    REGEX_OPTIONS,
    DnsName,
    Granularity,
    HexBytes,
    HexPattern,
    HexReply,
    LvsMethod,
    Method,
    Offset,
    Pattern,
    RegexOptions,
    StackSizes,
    StatusCodes,
)
from pykeepalived.config.kinds_trackers import FileWeight, Weight
from pykeepalived.config.lexer import split_words
from tests.config.reading import server


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Method(), LvsMethod(), "NAT"),
        (Method(), LvsMethod("TUN"), "TUN"),
        (Method(), LvsMethod("TUN", "gue", 6080, "remcsum"), "TUN type gue port 6080 remcsum"),
        (Method(), LvsMethod("TUN", "gre", 0, "csum"), "TUN type gre csum"),
        (Granularity(), IPv4Address("255.255.0.0"), "255.255.0.0"),
        (Granularity(), 64, "64"),
        (HexBytes(), b"\x00\xff", "00ff"),
        (HexReply(), HexPattern(b"\x10\x0f", b"\xf0\x0f"), "1xxf"),
        (HexReply(), HexPattern(), ""),
        (StatusCodes(), ((200, 200), (300, 302)), "200 300-302"),
        (RegexOptions(), REGEX_OPTIONS, " ".join(REGEX_OPTIONS)),
        (Offset(), 2**64 - 1, "18446744073709551615"),
        (StackSizes(), (5, 10), "5 10"),
        (FileWeight(), Weight(-7), "-7"),
        (FileWeight(), Weight(0, reverse=True), "0 reverse"),
        (DnsName(), "example.org.", "example.org."),
    ],
)
def test_what_is_written_reads_as_the_same(kind: Kind, value: Any, text: str) -> None:
    assert kind.write(value) == text
    assert kind.read(split_words(text)) == value
    assert kind.arguments()


@given(st.text(st.characters(codec="utf-8", exclude_characters="\ufeff"), max_size=40))
def test_any_regex_is_written_so_that_it_comes_back(text: str) -> None:
    regex = "\\Q" + text.replace("\\E", "")  # any text is a pattern behind this
    written = Pattern().write(regex)
    (found,) = server("", f"HTTP_GET {{\nurl {{\npath /\nregex {written}\n}}\n}}").real_server[0].probes
    assert isinstance(found, HttpGet)
    assert found.url[0].regex == regex
