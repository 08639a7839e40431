"""VMAC, ipvlan, intervals and keys: what the words mean, what is refused and where, and that all can be written."""

from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from pykeepalived.config.kinds import NOTHING, Choice, Kind, Problem, Refused
from pykeepalived.config.kinds_vrrp import (
    ExtraGarp,
    ExtraGarpKind,
    HmacKey,
    HmacKeyKind,
    Ipvlan,
    IpvlanArguments,
    OneNumber,
    Switch,
    Vmac,
    VmacArguments,
)
from pykeepalived.config.lexer import split_words
from pykeepalived.units import SECOND

MAC = bytes.fromhex("020000000001")
ADDRESS = IPv4Address("10.0.0.9")
KEY = bytes(range(32))

SOUND: list[tuple[Kind, str, Any]] = [
    (VmacArguments(), "", Vmac()),
    (VmacArguments(), "vrrp.51", Vmac("vrrp.51")),
    (VmacArguments(), "name vrrp.51", Vmac("vrrp.51")),
    (VmacArguments(), "name group", Vmac("group")),
    (VmacArguments(), "02:00:00:00:00:01", Vmac(mac=MAC)),
    (VmacArguments(), "2:0:0:0:0:1 v", Vmac("v", MAC)),
    (VmacArguments(), "02:00:00:00:00", Vmac(mac=MAC[:5])),
    (VmacArguments(), "02:00:00:00:00:", Vmac(mac=MAC[:5])),
    (VmacArguments(), "netlink_notify_msg", Vmac(netlink_notify_msg=True)),
    (VmacArguments(), "v netlink_notify_msg group 7", Vmac("v", netlink_notify_msg=True, group="7")),
    (VmacArguments(), 'group "my group" v', Vmac("v", group="my group")),
    (IpvlanArguments(), "", Ipvlan()),
    (IpvlanArguments(), "v", Ipvlan("v")),
    (IpvlanArguments(), "v 10.0.0.9/24", Ipvlan("v", ADDRESS, 24)),
    (IpvlanArguments(), "10.0.0.9", Ipvlan("", ADDRESS, 32)),
    (IpvlanArguments(), "fe80::9/64 vepa", Ipvlan("", IPv6Address("fe80::9"), 64, "vepa")),
    (IpvlanArguments(), "bridge v", Ipvlan("v")),
    (IpvlanArguments(), "name private", Ipvlan("private")),
    (IpvlanArguments(), "private group g", Ipvlan(type="private", group="g")),
    (ExtraGarpKind(), "5", ExtraGarp(5 * SECOND)),
    (ExtraGarpKind(), "all 86400", ExtraGarp(86400 * SECOND, everywhere=True)),
    (ExtraGarpKind(), "5 all", ExtraGarp(5 * SECOND, everywhere=True)),
    (ExtraGarpKind(), "0", ExtraGarp()),
    (Switch(), "", True),
    (Switch(), "off", True),
    (OneNumber(0, 9), "9", 9),
    (Choice(("never",), bare="old"), "", "old"),
    (Choice(("never",), bare="old"), "never", "never"),
    (HmacKeyKind(), "1 " + "k" * 32, HmacKey(1, b"k" * 32)),
    (HmacKeyKind(), "255 hex:" + KEY.hex(), HmacKey(255, KEY)),
    (HmacKeyKind(), "7 hex:" + " ".join(f"{byte:x}" for byte in KEY), HmacKey(7, KEY)),
    (HmacKeyKind(), "7 file:/etc/key", HmacKey(7, file="/etc/key")),
]


@pytest.mark.parametrize(("kind", "text", "value"), SOUND)
def test_words_have_their_value_and_the_value_has_words(kind: Kind, text: str, value: Any) -> None:
    assert kind.read(split_words(text)) == value
    assert kind.read(split_words(kind.write(value))) == value


@pytest.mark.parametrize(
    ("kind", "text", "word", "message", "kept"),
    [
        (VmacArguments(), "v w", 1, "the name of the VMAC is v already, 'w' is ignored", Vmac("v")),
        (VmacArguments(), "1234567890123456", 0, "'1234567890123456' cannot be the name", Vmac()),
        (VmacArguments(), "a/b", 0, "'a/b' cannot be the name", Vmac()),
        (VmacArguments(), "name", 0, "'' cannot be the name", Vmac()),
        (VmacArguments(), "v group", 1, "group needs a name or a number", Vmac("v")),
        (VmacArguments(), "v 02:00:00:00:00:0g", 1, "invalid MAC address '02:00:00:00:00:0g'", Vmac("v")),
        (VmacArguments(), "02:00:00:00", 0, "invalid MAC address", Vmac()),
        (VmacArguments(), "02:00:00:00:00:00:00", 0, "invalid MAC address", Vmac()),
        (VmacArguments(), "01:00:00:00:00:00", 0, "is multicast", Vmac()),
        (VmacArguments(), "00:00:5e:00:01:33", 0, "is one of the RFC's", Vmac()),
        (VmacArguments(), "00:00:5e:00:02", 0, "is one of the RFC's", Vmac()),
        (VmacArguments(), "2:0:0:0:0:1 2:0:0:0:0:2", 1, "a second MAC address", Vmac(mac=MAC)),
        (IpvlanArguments(), "v w", 1, "the name of the ipvlan is v already", Ipvlan("v")),
        (IpvlanArguments(), "private vepa", 1, "the type of the ipvlan is private already", Ipvlan(type="private")),
        (IpvlanArguments(), "10.0.0.9 10.0.0.8", 1, "a second address", Ipvlan("", ADDRESS, 32)),
        (IpvlanArguments(), "v 10.0.0.9/33", 1, "invalid prefix length of '10.0.0.9/33'", Ipvlan("v")),
        (IpvlanArguments(), "v 10.0.0.9/x", 1, "invalid number 'x'", Ipvlan("v")),
        (IpvlanArguments(), "10.0.0.300", 0, "invalid IP address '10.0.0.300'", Ipvlan()),
        (ExtraGarpKind(), "", -1, "needs a time in seconds", NOTHING),
        (ExtraGarpKind(), "all", -1, "needs a time in seconds", NOTHING),
        (ExtraGarpKind(), "all 86401", 1, "number '86401' outside range [0, 86400]", NOTHING),
        (ExtraGarpKind(), "some 5", 0, "invalid number 'some'", NOTHING),
        (ExtraGarpKind(1), "0", 0, "number '0' outside range [1, 86400]", NOTHING),
        (Switch(), "maybe", 0, "'maybe' is not a boolean", NOTHING),
        (OneNumber(0, 9), "", -1, "takes exactly one number", NOTHING),
        (OneNumber(0, 9), "1 2", 1, "takes exactly one number", NOTHING),
        (OneNumber(0, 9), "10", 0, "number '10' outside range [0, 9]", NOTHING),
        (HmacKeyKind(), "0 " + "k" * 32, 0, "the number of a key: number '0' outside range [1, 255]", NOTHING),
        (HmacKeyKind(), "1 " + "k" * 31, 1, "a key has 32 to 64 bytes, this has 31", NOTHING),
        (HmacKeyKind(), "1 " + "k" * 65, 1, "a key has 32 to 64 bytes, this has 65", NOTHING),
        (HmacKeyKind(), "1 hex:" + "ab" * 31, 1, "a key has 32 to 64 bytes, this has 31", NOTHING),
        (HmacKeyKind(), "1 hex:" + "zz" * 32, 1, "something that is no hexadecimal digit", NOTHING),
        (HmacKeyKind(), "1 file:key", 1, "'key' is no absolute path", NOTHING),
    ],
)
def test_what_is_wrong_is_said_at_its_word(kind: Kind, text: str, word: int, message: str, kept: Any) -> None:
    with pytest.raises(Refused) as raised:
        kind.read(split_words(text))
    assert message in raised.value.message
    assert (raised.value.word, raised.value.kept) == (word, kept)
    assert raised.value.hint


def test_a_key_lacks_a_word() -> None:
    for text in ("", "1"):
        with pytest.raises(Refused) as raised:
            HmacKeyKind().read(split_words(text))
        assert raised.value.problem is Problem.LACKS_WORD


def test_two_lines_of_use_vmac_complete_each_other() -> None:
    kind = VmacArguments()
    assert kind.merged(Vmac("v"), Vmac(mac=MAC)) == Vmac("v", MAC)
    assert kind.merged(Vmac("v"), Vmac()) == Vmac("v")
    with pytest.raises(Refused) as raised:
        kind.merged(Vmac("v"), Vmac("w", group="3"))
    assert raised.value.kept == Vmac("v", group="3")


def test_a_key_shows_its_number_alone() -> None:
    key = HmacKey(3, b"secret" * 6)
    assert str(key) == "3 ********"
    assert "secret" not in repr(key)


def test_every_mistake_of_a_line_is_told() -> None:
    with pytest.raises(Refused) as raised:
        VmacArguments().read(["a/b", "01:00:00:00:00:00", "v", "w"])
    assert raised.value.kept == Vmac("v")
    assert [each.word for each in (raised.value, *raised.value.also)] == [0, 1, 3]
