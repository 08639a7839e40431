"""Addresses as they may be written: no names, short forms, leading zeros or zones; as strict as ``ipaddress`` is."""

import random
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from pykeepalived.config import kinds
from pykeepalived.config.kinds import IP, Refused

GOOD = {
    "0.0.0.0": IPv4Address(0),
    "10.9.0.100": IPv4Address("10.9.0.100"),
    "255.255.255.255": IPv4Address(2**32 - 1),
    "::": IPv6Address(0),
    "fe80::1": IPv6Address("fe80::1"),
    "::ffff:10.0.0.1": IPv6Address("::ffff:10.0.0.1"),
}
BAD = (
    *(
        "",
        "10",
        "10.9",
        "10.9.0",
        "10.9.0.1.2",
        "10.9.0.1.",
        ".10.9.0.1",
        "10..0.1",
        "167772161",
        "0x0a.0.0.1",
        "localhost",
    ),
    *(
        "010.0.0.1",
        "10.0.0.00",
        "10.0.0.256",
        "10.0.0.1000",
        "10.0.0.+1",
        "10.0.0.-1",
        " 10.0.0.1",
        "10.0.0.1 ",
        "10.0.0.1\n",
    ),
    *(
        "10.0.0.\u0661",
        "10.0.0.1\x00",
        "10.0.0.\udcff",
        "1\u0660.0.0.1",
        "10.0.0.1e0",
        "fe80::1%eth0",
        "fe80:::1",
        ":",
        "1::2::3",
    ),
)


@pytest.mark.parametrize("text", GOOD)
def test_an_address(text: str) -> None:
    assert kinds.ip_address(text) == GOOD[text]


@pytest.mark.parametrize("text", BAD)
def test_no_address(text: str) -> None:
    with pytest.raises(Refused, match="invalid IP address"):
        kinds.ip_address(text)


def _read(text: str) -> IP | None:
    try:
        return kinds.ip_address(text)
    except Refused:
        return None


def _judged(text: str) -> IP | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def test_any_text_is_judged_as_the_library_does() -> None:
    dice = random.Random(4)
    parts = (
        "0",
        "1",
        "9",
        "10",
        "99",
        "255",
        "256",
        "1000",
        "00",
        "01",
        "",
        " 1",
        "1 ",
        "+1",
        "-1",
        "0x1",
        "\u0661",
        "\u00b2",
    )
    good = 0
    for _ in range(20_000):
        text = ".".join(dice.choice(parts[: dice.choice((6, len(parts)))]) for _ in range(dice.choice((3, 4, 4, 4, 5))))
        assert _read(text) == _judged(text), repr(text)
        good += _read(text) is not None
    assert good > 1000
