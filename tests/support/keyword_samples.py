"""What may stand behind a keyword and what it means, and what may not: by the kind of its value, and fixed.

Values are worked out here, not by the kinds: a kind that reads wrongly is found out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from pykeepalived.config import kinds, kinds_lvs
from pykeepalived.config.kinds import NOTHING, Kind
from pykeepalived.config.kinds_firewall import CHAINS, SETS, ChainNames, IpsetNames, TableName
from pykeepalived.config.kinds_global import (
    CpuList,
    Fifo,
    FifoKind,
    MailServer,
    MailServerKind,
    MulticastV6,
    OneWord,
    ProcessName,
    RealTimeLimit,
    RealTimePriority,
    ReceiveBuffers,
    ReceiveBuffersKind,
    Umask,
)
from pykeepalived.config.kinds_ipvs import LvsTimeouts, LvsTimeoutsKind, SyncDaemon, SyncDaemonKind
from pykeepalived.config.kinds_lvs import HexPattern, LvsMethod
from pykeepalived.config.kinds_trackers import FileWeight, InitFile, InitialContent, Milliseconds, TrackerWeight, Weight
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
from pykeepalived.config.raw import CommandGiven
from pykeepalived.config.schema import Keyword
from pykeepalived.units import SECOND

Good = tuple[str, Any]
"""The words, and the value they read as."""


@dataclass(frozen=True, slots=True)
class Bad:
    """Words that are refused."""

    words: str
    at: int = 0
    """The word that is at fault; -1 is the keyword."""
    kept: Any = NOTHING
    """The value that stands all the same."""
    counts: bool = True
    """Whether the exit status tells of it."""


WORDS: Sequence[Good] = (("a", "a"), ('"two words"', "two words"), ("x-y.z", "x-y.z"), ('"#1 {!}"', "#1 {!}"))
_ADDRESSES: Sequence[Good] = (
    ("10.0.0.9", IPv4Address("10.0.0.9")),
    ("255.255.255.255", IPv4Address("255.255.255.255")),
    ("10.0.0.9/24", IPv4Address("10.0.0.9")),
)
_SIX: Sequence[Good] = (("2001:DB8::9", IPv6Address("2001:db8::9")),)
_NO_ADDRESS = (
    Bad("10.0.0"),
    Bad("10.0.0.256"),
    Bad("010.0.0.1"),
    Bad("localhost"),
    Bad("fe80::1%eth0"),
    Bad("1::2::3"),
)
_NO_NUMBER = ("12x", "0x10", "1.5", "++1", "-")


# --- what is right ---


def _integer(kind: kinds.Integer) -> list[Good]:
    found: list[Good] = [(str(kind.minimum), kind.minimum), (str(kind.maximum), kind.maximum)]
    least = max(kind.minimum, 1)
    found += [(f"+{least}", least), (f"00{least}", least)]
    return [*found, ("", kind.bare)] if kind.bare is not None else found


def _seconds(text: str, unit: int = SECOND) -> int:
    return int(Decimal(text) * unit)


def _timer(kind: kinds.Timer) -> list[Good]:
    unit = SECOND if not isinstance(kind, Milliseconds) else SECOND // 1000
    least = kind.minimum
    if kind.zero_is and not Decimal(least):
        least = format(Decimal(1).scaleb(-kind.places), "f")
    texts = [least, kind.maximum]
    if kind.places and Decimal(kind.maximum) > 2:
        texts += ["1.5"] if Decimal(kind.minimum) <= Decimal("1.5") else [f"{kind.minimum}.5"]
    if Decimal(kind.minimum) < 1 and kind.places:
        texts.append(".5")
    return [(text, _seconds(text, unit)) for text in texts]


def _choice(kind: kinds.Choice) -> list[Good]:
    found: list[Good] = [(word, word) for word in kind.words]
    if kind.fold:
        found += [(word.swapcase(), word) for word in kind.words]
    return [*found, ("", kind.bare)] if kind.bare is not None else found


def _word(kind: kinds.Word) -> list[Good]:
    found = [*WORDS, ("", kind.bare)] if kind.bare is not None else [*WORDS]
    return [*found, ("abcdefghijklmnopq", "abcdefghijklmnopq"[: kind.longest])] if kind.longest else found


def _address(kind: kinds.Address) -> list[Good]:
    if kind.multicast:
        four: list[Good] = [("224.0.0.18", IPv4Address("224.0.0.18")), ("239.1.2.3", IPv4Address("239.1.2.3"))]
        return four if kind.family else [*four, ("ff02::12", IPv6Address("ff02::12"))]
    return [*_ADDRESSES, *_SIX] if not kind.family else [*_ADDRESSES]


def _weight(kind: TrackerWeight) -> list[Good]:
    limit = kind.limit
    return [
        (str(limit), Weight(limit)),
        (f"-{limit}", Weight(-limit)),
        ("7 reverse", Weight(7, reverse=True)),
        ("0", Weight(0)),
    ]


def _command(kind: kinds.Command) -> list[Good]:
    found: list[Good] = [
        ("/usr/bin/true", CommandGiven(("/usr/bin/true",))),
        ('"/opt/check.sh one two"', CommandGiven(("/opt/check.sh", "one", "two"))),
        ("\"/opt/check.sh 'one two' ''\"", CommandGiven(("/opt/check.sh", "one two", ""))),
    ]
    if kind.user:
        found += [
            ("/usr/bin/true root", CommandGiven(("/usr/bin/true",), "root")),
            ("/usr/bin/true root adm", CommandGiven(("/usr/bin/true",), "root", "adm")),
        ]
    return [*found, ("", None)] if kind.optional else found


_TUNNELS: Sequence[Good] = (
    ("NAT", LvsMethod("NAT")),
    ("DR", LvsMethod("DR")),
    ("TUN", LvsMethod("TUN")),
    ("TUN type ipip nocsum", LvsMethod("TUN")),
    ("TUN type gue port 65535 remcsum", LvsMethod("TUN", "gue", 65535, "remcsum")),
    ("TUN type gre csum", LvsMethod("TUN", "gre", 0, "csum")),
)
_HEX_KEY = "ab" * 32
_GOOD: dict[type[Kind], Callable[[Any], Sequence[Good]]] = {
    kinds.Integer: _integer,
    OneNumber: _integer,
    RealTimeLimit: lambda _: (("2", 2), ("1", 2), ("4294967295", 4294967295)),
    kinds.Timer: _timer,
    Milliseconds: _timer,
    kinds.Flag: lambda _: (("", True),),
    kinds.Boolean: lambda _: (
        *(("", True), ("on", True), ("true", True), ("yes", True)),
        *(("off", False), ("false", False), ("no", False)),
    ),
    Switch: lambda _: tuple((word, True) for word in ("", "on", "true", "yes", "off", "false", "no")),
    kinds.Choice: _choice,
    kinds.Word: _word,
    kinds.Words: lambda _: (("a", ("a",)), ('a "b c" d', ("a", "b c", "d"))),
    kinds.Interface: lambda _: (("eth0", "eth0"), ("eth1", "eth1")),
    kinds.Address: _address,
    kinds.Port: lambda _: (("1", 1), ("65535", 65535), ("+80", 80)),
    kinds.Endpoint: lambda _: (
        ("10.0.0.9", (IPv4Address("10.0.0.9"), 0)),
        ("10.0.0.9 0", (IPv4Address("10.0.0.9"), 0)),
        ("10.0.0.9 65535", (IPv4Address("10.0.0.9"), 65535)),
    ),
    kinds.Hex: lambda kind: (("0f" * kind.length, b"\x0f" * kind.length), ("AB" * kind.length, b"\xab" * kind.length)),
    kinds.Password: lambda _: (("12345678", b"12345678"), ('"a b#"', b"a b#"), ("é", b"\xc3\xa9")),
    kinds.Command: _command,
    ProcessName: lambda _: (("abc", "abc"), ("abcdefghijklmno", "abcdefghijklmno")),
    OneWord: lambda _: WORDS,
    kinds_lvs.OneWord: lambda kind: (*WORDS, ("a" * kind.longest, "a" * kind.longest)) if kind.longest else WORDS,
    kinds_lvs.Cut: lambda kind: (("sip", "sip"), ("a" * kind.longest, "a" * kind.longest)),
    RealTimePriority: lambda _: (("1", 1), ("99", 99)),
    CpuList: lambda _: (("0", (0,)), ("3 1 1", (1, 3))),
    MailServerKind: lambda _: (
        ("10.0.0.9", MailServer("10.0.0.9", 25)),
        ("10.0.0.9 1", MailServer("10.0.0.9", 1)),
        ("2001:DB8::9 65535", MailServer("2001:db8::9", 65535)),
        ("localhost", MailServer("localhost", 25)),
    ),
    MulticastV6: lambda _: (("ff02::12", IPv6Address("ff02::12")), ("FF12::1", IPv6Address("ff12::1"))),
    ReceiveBuffersKind: lambda _: (
        ("MTU", ReceiveBuffers("MTU")),
        ("advert", ReceiveBuffers("ADVERT")),
        ("4294967295", ReceiveBuffers(size=4294967295)),
    ),
    FifoKind: lambda _: (
        ("/run/x", Fifo("/run/x")),
        ("/run/x root", Fifo("/run/x", "root")),
        ("/run/x root adm", Fifo("/run/x", "root", "adm")),
    ),
    Umask: lambda _: (
        *(("0177", 0o177), ("0777", 0o777), ("0x1ff", 0o777), ("127", 0o177), ("0", 0)),
        *(("IRWXU|IXGRP|IROTH", 0o714), ("IWUSR", 0o200)),
    ),
    ChainNames: lambda _: (
        *(("", CHAINS), ("IN", ("IN",)), ("IN OUT", ("IN", "OUT"))),
        *((f"{'a' * 27} {'b' * 27}", ("a" * 27, "b" * 27)),),
    ),
    IpsetNames: lambda _: (
        *(("", ()), ("keepalived", SETS), ("a b c d e f", ("a", "b", "c", "d", "e", "f"))),
        *(("k", ("k", "k6", "k_if6", "k_igmp", "k_mld", "k_nd")),),
    ),
    TableName: lambda kind: (("", kind.standard), ('""', kind.standard), ("t", "t"), ("a" * 255, "a" * 255)),
    LvsTimeoutsKind: lambda _: (
        ("tcp 1", LvsTimeouts(SECOND)),
        ("udp 2678400 tcpfin 3 tcp 0", LvsTimeouts(0, 3 * SECOND, 2678400 * SECOND)),
    ),
    SyncDaemonKind: lambda _: (
        ("eth0", SyncDaemon("eth0")),
        ("eth0 VI_1", SyncDaemon("eth0", "VI_1")),
        (
            "eth0 inst VI_1 id 255 maxlen 65507 port 65535 ttl 255 group 224.0.0.81",
            SyncDaemon("eth0", "VI_1", 255, 65507, 65535, 255, IPv4Address("224.0.0.81")),
        ),
    ),
    TrackerWeight: _weight,
    InitFile: lambda _: (
        *(("", InitialContent()), ("overwrite", InitialContent(overwrite=True))),
        *(("-254 overwrite", InitialContent(-254, overwrite=True)), ("254", InitialContent(254))),
    ),
    VmacArguments: lambda _: (
        *(("", Vmac()), ("vrrp.7", Vmac("vrrp.7")), ("name group", Vmac("group"))),
        ("v 02:00:00:aa:bb:cc netlink_notify_msg", Vmac("v", bytes.fromhex("020000aabbcc"), netlink_notify_msg=True)),
    ),
    IpvlanArguments: lambda _: (
        *(("", Ipvlan()), ("ipvl0 private", Ipvlan("ipvl0", type="private"))),
        ("v 10.9.9.9/24 vepa", Ipvlan("v", IPv4Address("10.9.9.9"), 24, "vepa")),
    ),
    ExtraGarpKind: lambda kind: (
        (str(kind.minimum), ExtraGarp(kind.minimum * SECOND)),
        ("all 86400", ExtraGarp(86400 * SECOND, everywhere=True)),
        ("86400 all", ExtraGarp(86400 * SECOND, everywhere=True)),
    ),
    HmacKeyKind: lambda _: (
        (f"255 {'k' * 64}", HmacKey(255, b"k" * 64)),
        (f"7 {'k' * 32}", HmacKey(7, b"k" * 32)),
        (f"1 hex:{_HEX_KEY}", HmacKey(1, b"\xab" * 32)),
    ),
    kinds_lvs.Method: lambda _: _TUNNELS,
    kinds_lvs.Granularity: lambda _: (
        ("255.255.255.0", IPv4Address("255.255.255.0")),
        ("0.0.0.0", IPv4Address("0.0.0.0")),
    ),
    kinds_lvs.HexBytes: lambda _: (("00ff", b"\x00\xff"), ("61 6 0A", b"a\x06\n"), ("a", b"\n")),
    kinds_lvs.HexReply: lambda _: (
        ("", HexPattern()),
        ("61xX x2", HexPattern(b"\x61\x00\x02", b"\xff\x00\x0f")),
    ),
    kinds_lvs.StatusCodes: lambda _: (
        ("100", ((100, 100),)),
        ("599", ((599, 599),)),
        ("200-299 404", ((200, 299), (404, 404))),
        ("204-204", ((204, 204),)),
    ),
    kinds_lvs.Pattern: lambda _: (('"a.*b"', "a.*b"), ('"it is"', "it is"), ("'it'", "it"), ('"\\\\d\\n"', "\\d\n")),
    kinds_lvs.RegexOptions: lambda _: (
        ("", ()),
        *((each, (each,)) for each in kinds_lvs.REGEX_OPTIONS),
        ("dotall ucp", ("dotall", "ucp")),
    ),
    kinds_lvs.Offset: lambda _: (("0", 0), (str(2**64 - 1), 2**64 - 1)),
    kinds_lvs.StackSizes: lambda _: (("1 1", (1, 1)), ("5 9", (5, 9))),
    FileWeight: lambda _: (
        *(("2147483647", Weight(2147483647)), ("-2147483647", Weight(-2147483647))),
        *(("5 reverse", Weight(5, reverse=True)), ("0 reverse", Weight(0, reverse=True)), ("5 noreverse", Weight(5))),
    ),
    kinds_lvs.DnsName: lambda _: (
        *((".", "."), ("example.com", "example.com"), ("a.b.", "a.b.")),
        *((each, each) for each in ("a" * 63, f"{'a.' * 126}b")),
    ),
}


_ACCOUNTS: Sequence[Good] = (
    ("root", ("root",)),
    ("nobody adm", ("nobody", "adm")),
    ("nobody :adm", ("nobody", ":adm")),
)
_OF: dict[str, Sequence[Good]] = {
    "global_defs/script_user": _ACCOUNTS,
    "vrrp_script/user": _ACCOUNTS,
    "virtual_server/real_server/MISC_CHECK/user": _ACCOUNTS,
    "global_defs/include_check": (("", ()), ("read", ("read",)), ("+read -match", ("+read", "-match"))),
    "virtual_server/real_server/FILE_CHECK/track_file": (("f", "f"), ('"f"', "f")),
    "virtual_server/real_server/BFD_CHECK/name": (("b", "b"),),
    "net_namespace": (("blue", "blue"),),
}
"""Where the words must name something that is there: path -> words and value."""


def good(path: str, kind: Kind) -> Sequence[Good]:
    """Words that are a value of that keyword; none for a block of lines."""
    return _OF[path] if path in _OF else _GOOD[type(kind)](kind) if type(kind) in _GOOD else ()


# --- what is wrong ---


def _no_integer(kind: kinds.Integer) -> list[Bad]:
    return [Bad(text) for text in (str(kind.minimum - 1), str(kind.maximum + 1), *_NO_NUMBER)]


def _no_timer(kind: kinds.Timer) -> list[Bad]:
    unit = SECOND if not isinstance(kind, Milliseconds) else SECOND // 1000
    step = Decimal(1).scaleb(-kind.places)
    found = [Bad(format(Decimal(kind.maximum) + step, "f"))]
    if Decimal(kind.minimum):
        found.append(Bad(format(Decimal(kind.minimum) - step, "f")))
    if kind.zero_is:
        found.append(Bad("0", kept=_seconds(kind.zero_is)))
    found += [Bad(text) for text in ("-1", "10s", "1e3", "1.2.3", ".", "x")]
    fine = f"{1 + int(Decimal(kind.minimum))}.{'0' * kind.places}"
    if Decimal(fine) < Decimal(kind.maximum):
        rounded = _seconds(fine, unit)
        found += [Bad(f"{fine}1", kept=rounded), Bad(f"{fine}5", kept=rounded + _seconds(format(step, "f"), unit))]
    return found


def _no_choice(kind: kinds.Choice) -> list[Bad]:
    found = [Bad("no_such_word"), Bad(f"{kind.words[0]}x"), Bad('""')]
    cased = kind.words[0].swapcase()
    return found if kind.fold or cased == kind.words[0] else [*found, Bad(cased)]


def _no_address(kind: kinds.Address) -> list[Bad]:
    found = [*_NO_ADDRESS]
    if kind.multicast:
        found += [Bad("10.0.0.1"), Bad("223.255.255.255"), Bad("240.0.0.0")]
    return [*found, Bad("ff02::12")] if kind.family == kinds.AF_INET else found


def _no_weight(kind: TrackerWeight) -> list[Bad]:
    limit = kind.limit
    bounded = (Weight(limit), Weight(-limit)) if kind.bounded else (NOTHING, NOTHING)
    return [
        Bad(str(limit + 1), kept=bounded[0]),
        Bad(str(-limit - 1), kept=bounded[1]),
        Bad("7 backwards", 1, kept=Weight(7)),
        *map(Bad, _NO_NUMBER[:3]),
    ]


_EXTRA = "02:00:00:aa:bb:cc"
_BAD: dict[type[Kind], Callable[[Any], Sequence[Bad]]] = {
    kinds.Integer: _no_integer,
    OneNumber: lambda kind: (*_no_integer(kind), Bad("1 2", 1)),
    RealTimeLimit: _no_integer,
    kinds.Timer: _no_timer,
    Milliseconds: _no_timer,
    kinds.Boolean: lambda _: tuple(map(Bad, ("1", "0", "TRUE", "Off", "enable"))),
    Switch: lambda _: tuple(map(Bad, ("1", "TRUE", "enable"))),
    kinds.Choice: _no_choice,
    kinds.Interface: lambda _: (Bad("sixteen_letters_"), Bad('""')),
    kinds.Address: _no_address,
    kinds.Port: lambda _: tuple(map(Bad, ("0", "65536", "-1", *_NO_NUMBER[:3]))),
    kinds.Endpoint: lambda _: (*_NO_ADDRESS, Bad("10.0.0.9 65536", 1), Bad("10.0.0.9 x", 1), Bad("10.0.0.9 -1", 1)),
    kinds.Hex: lambda kind: (Bad("0f" * kind.length + "0"), Bad("0f" * (kind.length - 1)), Bad("0g" * kind.length)),
    kinds.Password: lambda _: (Bad("123456789", kept=b"12345678"), Bad('"a b c d e"', kept=b"a b c d ")),
    kinds.Command: lambda _: (Bad('""'), Bad('" "')),
    ProcessName: lambda _: (Bad("abcdefghijklmnop", kept="abcdefghijklmno"),),
    OneWord: lambda kind: (*([Bad("a b", 1)] if kind.alone else []), *([Bad('""')] if kind.filled else [])),
    kinds_lvs.OneWord: lambda kind: (Bad("a b", 1), *([Bad("a" * (kind.longest + 1))] if kind.longest else [])),
    kinds_lvs.Cut: lambda kind: (Bad("a" * kind.longest + "b", kept="a" * kind.longest),),
    RealTimePriority: lambda _: (Bad("0", kept=1), Bad("100", kept=99), *map(Bad, _NO_NUMBER)),
    CpuList: lambda _: (Bad("1 x", 1, kept=()), Bad("1024", kept=()), Bad("0 -1", 1, kept=())),
    MailServerKind: lambda _: (Bad("10.0.0.9 0", 1), Bad("10.0.0.9 65536", 1), Bad("10.0.0.9/24"), Bad("a_b,c")),
    MulticastV6: lambda _: (
        *(Bad("2001:db8::1"), Bad("224.0.0.18"), Bad("x")),
        Bad("ff05::9", kept=IPv6Address("ff05::9")),
    ),
    ReceiveBuffersKind: lambda _: (
        *(Bad("4294967296"), Bad("x"), Bad("-1")),
        *(Bad("MTU 5", 1, kept=ReceiveBuffers(size=5)), Bad("ADVERT mtu", 1, kept=ReceiveBuffers("MTU"))),
    ),
    Umask: lambda _: (Bad("01000"), Bad("0x200"), Bad("08"), Bad("IRUSR|x"), Bad("0 1", 1), Bad("-1")),
    ChainNames: lambda _: (Bad("a" * 28), Bad("IN IN", 1), Bad(f"IN {'b' * 28}", 1), Bad('""')),
    IpsetNames: lambda _: (Bad("a" * 31), Bad("a a", 1), Bad('""'), Bad(f"a b {'c' * 31}", 2)),
    TableName: lambda _: (Bad("a" * 256),),
    LvsTimeoutsKind: lambda _: (
        *(Bad("tcp 2678401", 1, kept=LvsTimeouts()), Bad("tcp x", 1, kept=LvsTimeouts())),
        Bad("udp 5 sctp 7", 2, kept=LvsTimeouts(0, 0, 5 * SECOND)),
    ),
    SyncDaemonKind: lambda _: (
        Bad("eth0 VI_1 id 256", 3, kept=SyncDaemon("eth0", "VI_1")),
        Bad("eth0 inst VI_1 maxlen 65508", 4, kept=SyncDaemon("eth0", "VI_1")),
        Bad("eth0 inst VI_1 ttl 0", 4, kept=SyncDaemon("eth0", "VI_1")),
        Bad("eth0 inst VI_1 group 10.0.0.1", 4, kept=SyncDaemon("eth0", "VI_1")),
        Bad("sixteen_letters_"),
    ),
    TrackerWeight: _no_weight,
    InitFile: lambda _: (
        *(Bad("x", kept=InitialContent()), Bad("12x", kept=InitialContent())),
        *(Bad("255", kept=InitialContent(255)), Bad("overwrite 2147483648", 1, kept=InitialContent(overwrite=True))),
    ),
    VmacArguments: lambda _: (
        *(Bad("v w", 1, kept=Vmac("v")), Bad("v 01:00:00:aa:bb:cc", 1, kept=Vmac("v"))),
        *(Bad("v 02:00:00:aa", 1, kept=Vmac("v")), Bad(f"{_EXTRA} {_EXTRA}", 1, kept=Vmac("", b"\2\0\0\xaa\xbb\xcc"))),
    ),
    IpvlanArguments: lambda _: (
        *(Bad("v w", 1, kept=Ipvlan("v")), Bad("v 10.9.9.9/33", 1, kept=Ipvlan("v"))),
        Bad("v private vepa", 2, kept=Ipvlan("v", type="private")),
    ),
    ExtraGarpKind: lambda kind: (
        *(Bad("86401"), Bad("all 86401", 1), Bad(str(kind.minimum - 1)), Bad("x"), Bad("all", -1)),
    ),
    HmacKeyKind: lambda _: (
        *(Bad(f"0 {'k' * 32}"), Bad(f"256 {'k' * 32}"), Bad(f"x {'k' * 32}")),
        *(Bad(f"7 {'k' * 31}", 1), Bad(f"7 {'k' * 65}", 1), Bad("7 hex:zz", 1), Bad("7 file:relative", 1)),
    ),
    kinds_lvs.Method: lambda _: (
        *(Bad("nat"), Bad("x"), Bad("TUN type gue port 65536", 4), Bad("TUN type gue port 0", 4)),
        *(Bad("TUN type x", 2, kept=LvsMethod("TUN")), Bad("TUN csum", 1, kept=LvsMethod("TUN"))),
        *(Bad("TUN type gue", 1), Bad("TUN port 5", 1, kept=LvsMethod("TUN"))),
        *(Bad("TUN other", 1, kept=LvsMethod("TUN")), Bad("NAT type gre", 1, kept=LvsMethod("NAT"), counts=False)),
    ),
    kinds_lvs.Granularity: lambda _: (Bad("0"), Bad("129"), Bad("255.255.255"), Bad("x")),
    kinds_lvs.HexBytes: lambda _: (Bad("zz"), Bad("61 0x", 1), Bad('""')),
    kinds_lvs.HexReply: lambda _: (Bad("zz"), Bad("61 q", 1)),
    kinds_lvs.StatusCodes: lambda _: (
        *(Bad("99"), Bad("600"), Bad("299-200"), Bad("x"), Bad("200 600", 1, kept=((200, 200),))),
    ),
    kinds_lvs.Pattern: lambda _: (Bad("a b", 1, counts=False),),
    kinds_lvs.RegexOptions: lambda _: (
        *(Bad("x", kept=(), counts=False), Bad("dotall CASELESS", 1, kept=("dotall",), counts=False)),
    ),
    kinds_lvs.Offset: lambda _: tuple(Bad(text, counts=False) for text in ("-1", "x", str(2**64))),
    kinds_lvs.StackSizes: lambda _: (Bad("9 5", counts=False), Bad("0 5", counts=False), Bad("5 x", 1, counts=False)),
    FileWeight: lambda _: (*(Bad("2147483648"), Bad("-2147483648"), Bad("x"), Bad("5 backwards", 1, kept=Weight(5))),),
    kinds_lvs.DnsName: lambda _: (Bad("a..b"), Bad("a" * 64), Bad(f"{'a.' * 126}bb")),
}


def bad(kind: Kind) -> Sequence[Bad]:
    """Words that are refused, or brought into their bounds with an error."""
    return _BAD[type(kind)](kind) if type(kind) in _BAD else ()


NO_BAD: frozenset[type[Kind]] = frozenset(
    {kinds.Flag, kinds.Word, kinds.Words, kinds.Names, kinds.Entries, kinds_lvs.NamedEntries, FifoKind}
)
"""Kinds that refuse no word: anything is a value, or nothing is looked at."""


class Surplus(Enum):
    """What becomes of a word behind those that are wanted."""

    IGNORED = "ignored"
    KEPT = "kept"  # it is said, and the value stands
    REFUSED = "refused"  # it is said, and the line is as if it were not there
    TAKEN = "taken"  # it is part of the value


_SURPLUS: dict[type[Kind], Surplus] = {
    **dict.fromkeys(
        (
            *(kinds.Integer, RealTimeLimit, kinds.Timer, Milliseconds, kinds.Flag, kinds.Boolean, Switch, kinds.Choice),
            *(kinds.Word, kinds.Interface, kinds.Address, kinds.Port, kinds.Endpoint, kinds.Hex, kinds.Password),
            *(kinds.Command, ProcessName, RealTimePriority, MailServerKind, MulticastV6, FifoKind, ChainNames),
            *(IpsetNames, TableName, ExtraGarpKind, HmacKeyKind, kinds_lvs.Cut, kinds_lvs.Granularity),
            *(kinds_lvs.DnsName, FileWeight, TrackerWeight),
        ),
        Surplus.IGNORED,
    ),
    **dict.fromkeys(
        (
            *(InitFile, VmacArguments, IpvlanArguments, kinds_lvs.Method, kinds_lvs.StatusCodes),
            *(kinds_lvs.RegexOptions, LvsTimeoutsKind, SyncDaemonKind, ReceiveBuffersKind),
        ),
        Surplus.KEPT,
    ),
    **dict.fromkeys(
        (
            *(OneWord, kinds_lvs.OneWord, OneNumber, Umask, CpuList, kinds_lvs.HexBytes, kinds_lvs.HexReply),
            *(kinds_lvs.Pattern, kinds_lvs.Offset, kinds_lvs.StackSizes),
        ),
        Surplus.REFUSED,
    ),
    kinds.Words: Surplus.TAKEN,
}
UNCOUNTED: frozenset[type[Kind]] = frozenset(
    {kinds_lvs.Pattern, kinds_lvs.RegexOptions, kinds_lvs.Offset, kinds_lvs.StackSizes}
)
"""Kinds of PCRE2's: keepalived tells of their mistakes and counts none."""


def surplus(kind: Kind) -> Surplus:
    """What becomes of one word more."""
    if isinstance(kind, OneWord) and not kind.alone:
        return Surplus.IGNORED
    return _SURPLUS[type(kind)]


def kept_with_surplus(kind: Kind, value: Any) -> Any:
    """What stands where one word more is said and the value is kept."""
    return LvsMethod(value.forward) if isinstance(kind, kinds_lvs.Method) else value


ONE_LINE = frozenset(_SURPLUS)
"""Kinds of a keyword on one line; the others open a block."""
GOES_ON: frozenset[type[Kind]] = frozenset(
    {
        *(LvsTimeoutsKind, SyncDaemonKind, kinds_lvs.HexBytes, FileWeight, kinds.Command),
        *(ExtraGarpKind, kinds_lvs.OneWord, OneNumber),
    }
)
"""Kinds whose missing word is a mistake among others: exit status 5. Otherwise it is the end of the reading: 2."""
NOT_SAID: frozenset[type[Kind]] = frozenset(
    {kinds_lvs.StatusCodes, kinds_lvs.Pattern, kinds_lvs.Offset, kinds_lvs.StackSizes}
)
"""Kinds whose missing word keepalived does not count: exit status 0."""


def status_without_words(spec: Keyword) -> int:
    """What the test mode exits with when the keyword, which cannot, stands alone."""
    kind = spec.kind
    if type(kind) in NOT_SAID:
        return 0
    return 5 if type(kind) in GOES_ON or spec.checked or getattr(kind, "checked", False) else 2
