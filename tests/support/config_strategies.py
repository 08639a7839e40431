"""Random configuration files, made from the tables: each kind of value has a strategy, blocks are walked.

What comes out is mostly sound and now and then wrong, as files are. ``texts()`` gives whole files.
"""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from pykeepalived.config import kinds
from pykeepalived.config.kinds_firewall import ChainNames, IpsetNames, TableName
from pykeepalived.config.kinds_global import (
    CpuList,
    FifoKind,
    MailServerKind,
    MulticastV6,
    ProcessName,
    RealTimePriority,
    ReceiveBuffersKind,
    Umask,
)
from pykeepalived.config.kinds_global import OneWord as OneWordOnly
from pykeepalived.config.kinds_ipvs import LvsTimeoutsKind, SyncDaemonKind
from pykeepalived.config.kinds_lvs import (
    Cut,
    DnsName,
    Granularity,
    HexBytes,
    HexReply,
    Method,
    NamedEntries,
    Offset,
    OneWord,
    Pattern,
    RegexOptions,
    StackSizes,
    StatusCodes,
)
from pykeepalived.config.kinds_routes import (
    AnyBase,
    Feature,
    Host,
    IpProtocol,
    Lockable,
    Mark,
    Named,
    Network,
    OnOff,
    Preference,
    Realms,
    RouteTime,
    Span,
)
from pykeepalived.config.kinds_trackers import FileWeight, InitFile, TrackerWeight
from pykeepalived.config.kinds_vrrp import ExtraGarpKind, HmacKeyKind, IpvlanArguments, VmacArguments
from pykeepalived.config.language import ROOT, TOP
from pykeepalived.config.schema import Block, Keyword, entry_table

Lines = st.SearchStrategy[list[str]]
Text = st.SearchStrategy[str]

V4 = st.sampled_from(["10.0.0.1", "10.0.0.2", "192.0.2.7", "203.0.113.255", "0.0.0.0", "255.255.255.255"])
V6 = st.sampled_from(["2001:db8::1", "2001:db8::2", "fe80::1", "::", "ff02::12"])
MULTICAST = st.sampled_from(["224.0.0.18", "239.1.2.3", "ff02::12", "ff05::9"])
INTERFACES = st.sampled_from(["eth0", "eth1", "eth0", "eth9"])
WORDS = st.sampled_from(
    [
        *("a", "VI_1", "S_1", "one", "two", "x-y.z", "12", "0", '"two words"', '"#hash !bang"', '"{brace}"', '""', "é"),
        *("back\\slash", "/var/run/x", "%z", "a=b", "'apostrophe'", '"$dollar"', "a$b", "x@y", "tab\\t"),
    ]
)
COMMANDS = st.sampled_from(
    [
        "/usr/bin/true",
        '"/opt/check.sh one two"',
        "\"/opt/check.sh 'two words' x\\x41 \\$HOME\"",
        "'/opt/check.sh \"quoted words\"'",
        '"/opt/check.sh # ! {}"',
        "\"/opt/check.sh ''\"",
        "/usr/bin/missing",
        '"</dev/tcp/10.0.0.1/80"',
    ]
)
ACCOUNTS = st.sampled_from(["", "", " root", " nobody", " nobody adm", " nobody :adm", " root :", " nouser"])


def _time(kind: kinds.Timer) -> Text:
    unit = 10**kind.places
    low, high = (kinds.decimal(bound, kind.places) for bound in (kind.minimum, kind.maximum))
    near = st.sampled_from([low, high, *(each for each in (unit, 2 * unit, 5 * unit // 2) if low <= each <= high)])
    every = st.one_of(near, st.integers(low, high))
    return every.map(lambda value: f"{value // unit}.{value % unit:0{kind.places}d}".rstrip("0").rstrip("."))


def _integer(kind: kinds.Integer) -> Text:
    usual = [each for each in (kind.minimum, kind.maximum, 0, 1, 2, 3, 7, 100) if kind.minimum <= each <= kind.maximum]
    every = st.one_of(st.sampled_from(usual), st.integers(kind.minimum, kind.maximum)).map(str)
    return every if kind.bare is None else st.one_of(every, st.just(""))


def _choice(kind: kinds.Choice) -> Text:
    return st.sampled_from([*kind.words, *([""] if kind.bare is not None else [])])


def _address(kind: kinds.Address) -> Text:
    if kind.multicast:
        return MULTICAST
    return {kinds.AF_INET: V4, kinds.AF_INET6: V6}.get(kind.family, st.one_of(V4, V6))


def _several(one: Text, least: int = 1, most: int = 4) -> Text:
    return st.lists(one, min_size=least, max_size=most).map(" ".join)


RANGES = st.tuples(st.integers(100, 599), st.integers(0, 50)).map(
    lambda pair: f"{pair[0]}-{min(599, pair[0] + pair[1])}" if pair[1] else str(pair[0])
)
PORTS = st.sampled_from(["1", "80", "65535"])
OF_KIND: dict[type, Callable[[Any], Text]] = {
    kinds.Flag: lambda _: st.just(""),
    kinds.Boolean: lambda _: st.sampled_from(["", "on", "off", "yes", "no"]),
    kinds.Integer: _integer,
    kinds.Timer: _time,
    kinds.Word: lambda kind: WORDS if kind.bare is None else st.one_of(WORDS, st.just("")),
    kinds.Words: lambda kind: _several(WORDS, kind.least, 3),
    kinds.Interface: lambda _: INTERFACES,
    kinds.Choice: _choice,
    kinds.Address: _address,
    kinds.Port: lambda _: PORTS,
    kinds.Endpoint: lambda _: st.tuples(st.one_of(V4, V6), st.one_of(PORTS, st.just(""))).map(" ".join),
    kinds.Hex: lambda kind: st.binary(min_size=kind.length, max_size=kind.length).map(bytes.hex),
    kinds.Password: lambda _: st.sampled_from(["secret", "12345678", '"a b#c!"', "é", "'x'"]),
    Named: lambda _: st.sampled_from(["7", "255", "dmz", "static", "EF", "0x10", "nosuch"]),
    Realms: lambda _: st.sampled_from(["3", "1/2", "paid/9", "cosmos", "x/y"]),
    AnyBase: lambda _: st.sampled_from(["7", "0x1f", "017", "20000", "x"]),
    Mark: lambda _: st.sampled_from(["5", "0x10/0xff", "1/2/3"]),
    Span: lambda _: st.sampled_from(["5-9", "7-7", "9-5"]),
    Host: lambda _: st.one_of(V4, V6, st.sampled_from(["inet 10.0.0.9", "inet6 fe80::9"])),
    Network: lambda _: st.sampled_from(["10.0.0.0/8", "default", "2001:db8::/32", "10.0.0.1"]),
    Lockable: lambda _: st.sampled_from(["7", "lock 1400", "300ms", "lock 2s", "cubic"]),
    RouteTime: lambda _: st.sampled_from(["300", "300ms", "2s"]),
    Preference: lambda _: st.sampled_from(["low", "medium", "high", "77"]),
    OnOff: lambda _: st.sampled_from(["enabled", "disabled"]),
    Feature: lambda _: st.just("ecn"),
    IpProtocol: lambda _: st.sampled_from(["tcp", "6", "nosuch"]),
    RealTimePriority: lambda _: st.sampled_from(["1", "50", "99", "200"]),
    OneWord: lambda _: WORDS,
    OneWordOnly: lambda _: WORDS,
    Cut: lambda _: WORDS,
    StatusCodes: lambda _: _several(RANGES, 1, 40),
    Method: lambda _: st.sampled_from(["NAT", "DR", "TUN", "TUN type gue port 99 csum", "TUN type gre", "nat"]),
    Granularity: lambda _: st.sampled_from(["255.255.255.0", "64", "0.0.0.0"]),
    HexBytes: lambda _: st.sampled_from(["00ff", "61 62 0a", "zz"]),
    HexReply: lambda _: st.sampled_from(["", "61x2", "6X 62", "q"]),
    Pattern: lambda _: st.sampled_from(['"a.*b"', "'it''s'", '"\\\\d\\n \\x22 #"', "two words"]),
    RegexOptions: lambda _: _several(st.sampled_from(["caseless", "multiline", "dotall", "nosuch"])),
    Offset: lambda _: st.sampled_from(["0", "77", "-1"]),
    StackSizes: lambda _: st.sampled_from(["1 9", "9 1", "5 5"]),
    FileWeight: lambda _: st.sampled_from(["7", "-3 reverse", "0", "9 noreverse"]),
    DnsName: lambda _: st.sampled_from([".", "example.com", "a..b", "example.com."]),
    VmacArguments: lambda _: _several(
        st.sampled_from(["vrrp.1", "name x", "02:00:00:aa:bb:cc", "02:00:00:aa:bb", "netlink_notify_msg", "group 7"]), 0
    ),
    IpvlanArguments: lambda _: _several(
        st.sampled_from(["ipvl0", "name bridge", "10.9.9.9/24", "2001:db8::99/64", "vepa", "private", "group g"]), 0
    ),
    ExtraGarpKind: lambda _: st.sampled_from(["5", "all 7", "7 all", "0"]),
    HmacKeyKind: lambda _: st.tuples(
        st.sampled_from(["1", "2", "255"]),
        st.sampled_from([f"hex:{'ab' * 32}", "file:/etc/key", '"' + "k# !" * 8 + '"', "short"]),
    ).map(" ".join),
    LvsTimeoutsKind: lambda _: st.sampled_from(["tcp 900", "tcp 5 tcpfin 6 udp 7", "udp 0", "udp"]),
    SyncDaemonKind: lambda _: st.sampled_from(
        ["eth0", "eth0 inst VI_1 id 7", "eth1 VI_2 9", "eth0 id 3 maxlen 1400 port 99 ttl 3 group 224.0.0.99"]
    ),
    TableName: lambda _: st.sampled_from(["", "mine", '"a b"']),
    ChainNames: lambda _: st.sampled_from(["", "IN", "IN OUT", "IN IN"]),
    IpsetNames: lambda _: st.sampled_from(["", "a", "a b c", "a b c d e f"]),
    ReceiveBuffersKind: lambda _: st.sampled_from(["MTU", "ADVERT", "65536", "MTU 4096", "mtu"]),
    CpuList: lambda _: st.sampled_from(["0", "0 1", "7777"]),
    MailServerKind: lambda _: st.sampled_from(["10.0.0.25", "10.0.0.25 587", "mail.example.com 25"]),
    FifoKind: lambda _: st.sampled_from(["/run/f", "/run/g nobody", "/run/f nobody adm", "f", "/run/h nouser"]),
    Umask: lambda _: st.sampled_from(["022", "0x1f", "IRWXG|IRWXO", "9999"]),
    MulticastV6: lambda _: st.sampled_from(["ff02::12", "ff02::77", "ff05::9"]),
    ProcessName: lambda _: st.sampled_from(["name", "sixteencharacters", '"a b"']),
    TrackerWeight: lambda kind: st.tuples(
        st.integers(-kind.limit - 1, kind.limit + 1).map(str), st.sampled_from(["", " reverse"])
    ).map("".join),
    InitFile: lambda _: st.sampled_from(["", "7", "-3 overwrite", "overwrite", "overwrite 9"]),
    kinds.Command: lambda kind: st.tuples(COMMANDS, ACCOUNTS).map("".join) if kind.user else COMMANDS,
}
"""Kind -> the words after the keyword."""
SUBJECTS: dict[str, Text] = {
    "address": st.tuples(st.one_of(V4, V6), st.sampled_from(["", "/24", "/32", "/64", "/128", "/0"])).map("".join),
    "unicast_peer": st.one_of(V4, V6),
    "track_interface": INTERFACES,
    "linkbeat_interfaces": st.sampled_from(["eth0", "eth1 MII", "eth1 wrong"]),
    "interface_up_down_delays": st.sampled_from(["eth0 1", "eth1 1 0.5", "eth1 0 3"]),
    "virtual_server_group": st.sampled_from(
        [
            *("10.9.1.1", "10.9.1.1 80", "10.9.1.1-9 80", "10.9.1.1-10.9.1.7", "10.9.1.0/29", "2001:db8::1 80"),
            *("wrong", "fwmark 7", "fwmark 8 inet6"),
        ]
    ),
    "route": st.sampled_from(
        ["10.1.0.0/24", "default", "any", "2001:db8::/64", "blackhole 10.9.0.0/24", "to 10.0.0.0/8", "10.0.0.7", "x"]
    ),
    "rule": st.sampled_from(["from 10.0.0.0/8", "to 2001:db8::/64", "not from 10.0.0.1", "from all iif eth0"]),
    "track_script": st.sampled_from(["S_1", "S_2", "nosuch"]),
    "track_file": st.sampled_from(["track_file_1", "nosuch"]),
    "track_process": st.sampled_from(["vrrp_track_process_1", "nosuch"]),
    "track_bfd": st.sampled_from(["bfd_instance_1", "nosuch"]),
}
"""Grammar -> the first words of an entry."""
OPTIONS: dict[tuple[str, str], Text] = {
    ("route", "encap"): st.sampled_from(["mpls 7/8", "ip id 7 dst 10.0.0.1", "ip6 dst 2001:db8::1 hoplimit 3", "x"]),
    ("route", "nexthop"): st.sampled_from(["via 10.0.0.1 weight 3", "dev eth1", "via 10.0.0.1 dev eth1 onlink"]),
    ("route", "dev"): INTERFACES,
    ("route", "or"): V4,
    ("rule", "type"): st.sampled_from(["nop", "goto 20000"]),
    ("rule", "track_group"): st.sampled_from(["track_group_1", "nosuch"]),
    ("route", "track_group"): st.sampled_from(["track_group_1", "nosuch"]),
    ("address", "track_group"): st.sampled_from(["track_group_1", "nosuch"]),
    ("address", "scope"): st.sampled_from(["link", "global", "7", "nosuch"]),
    ("address", "label"): st.sampled_from(["eth0:1", '"l b"']),
    ("address", "broadcast"): st.sampled_from(["+", "-", "10.0.0.255"]),
    ("address", "preferred_lft"): st.sampled_from(["0", "forever", "77"]),
}
"""Where the kind does not tell what an option of an entry may be."""
VALUES: dict[str, Text] = {
    "script_user": st.sampled_from(["root", "nobody", "nobody adm", "root :adm", "nouser"]),
    "user": st.sampled_from(["root", "nobody", "nobody :adm"]),
    "include_check": st.just(""),
    "net_namespace": st.sampled_from(["blue"]),
}
"""Keywords whose kind does not tell what they may be."""
HEADS: dict[str, Text] = {
    "real_server": st.tuples(
        st.sampled_from(["10.9.0.1", "10.9.0.2", "2001:db8::9"]), st.sampled_from([" 80", ""])
    ).map("".join),
}
"""Block -> the words before its brace; by default a name."""
LEAST: dict[str, list[str]] = {
    "vrrp_script": ['script "/opt/check.sh"'],
    "url": ["path /"],
    "MISC_CHECK": ["misc_path /usr/bin/true"],
    "FILE_CHECK": ["track_file track_file_1"],
    "BFD_CHECK": ["name bfd_instance_1"],
    "track_file": ["file /var/run/number"],
    "vrrp_track_process": ["process haproxy"],
    "bfd_instance": ["neighbor_ip 10.0.0.9"],
    "auth_hmac": [f"key 7 hex:{'cd' * 32}"],
}
"""Block -> what it cannot do without."""


def words_of(name: str, spec: Keyword) -> Text:
    """The words after a keyword."""
    if name in VALUES:
        return VALUES[name]
    for cls in type(spec.kind).__mro__:
        if cls in OF_KIND:
            return OF_KIND[cls](spec.kind)
    return _several(WORDS, 0, 3)


def _keyword(name: str, spec: Keyword) -> Lines:
    kind = spec.kind
    if isinstance(kind, kinds.Names):
        names = ["eth0", "eth1"] if "interfaces" in name else ["VI_1", "VI_2", "nosuch"]
        members = st.lists(st.sampled_from(names), max_size=3)
        return members.map(lambda names: [f"{name} {{", *names, "}"])
    if isinstance(kind, kinds.Entries):
        heads = st.sampled_from(["V_1", "V_2"] if isinstance(kind, NamedEntries) else [""])
        lines = st.lists(_entry(kind), max_size=4)
        return st.tuples(heads, lines).map(lambda pair: [f"{name} {pair[0]} {{", *pair[1], "}"])
    spelled = [name, *spec.aliases]
    text = st.tuples(st.sampled_from(spelled), words_of(name, spec)).map(lambda pair: [f"{pair[0]} {pair[1]}"])
    return st.one_of(text, st.just([spec.negated])) if spec.negated else text


def _entry(kind: kinds.Entries) -> Text:
    table = entry_table(kind.grammar)
    if kind.plain:
        return SUBJECTS[kind.grammar]
    subject = SUBJECTS.get(kind.grammar, WORDS)
    options = [_option(kind.grammar, name, spec) for name, spec in table.keywords.items() if name not in kind.without]
    more = st.lists(st.one_of(options), max_size=3).map(" ".join) if options else st.just("")
    return st.tuples(subject, more).map(" ".join)


def _option(grammar: str, name: str, spec: Keyword) -> Text:
    words = OPTIONS[grammar, name] if (grammar, name) in OPTIONS else words_of(name, spec)
    text = words.map(lambda words: f"{name} {words}".rstrip())
    return st.one_of(text, st.just(spec.negated)) if spec.negated else text


def _lines(table: Block, most: int) -> Lines:
    """Lines for the inside of a block: any of its keywords and blocks."""
    every = [_keyword(name, spec) for name, spec in table.keywords.items()]
    every += [_block(each, 4) for each in table.blocks.values()]
    if not every:
        return st.just([])
    some = st.lists(st.one_of(every), max_size=most)
    least = LEAST.get(table.name, [])
    return some.map(lambda parts: [*least, *(line for part in parts for line in part)])


def _block(table: Block, most: int, name: str = "") -> Lines:
    heading = HEADS.get(table.name, st.just(name))
    return st.tuples(heading, _lines(table, most)).map(
        lambda pair: [f"{table.name} {pair[0]}".rstrip() + " {", *pair[1], "}"]
    )


def _instance(number: int) -> Lines:
    six = st.booleans()
    least = six.map(
        lambda six: [
            f"interface eth{number % 2}",
            f"virtual_router_id {number}",
            *(["virtual_ipaddress {", f"2001:db8::{number}/64" if six else f"10.1.0.{number}/24", "}"]),
        ]
    )
    inside = st.tuples(least, _lines(TOP["vrrp_instance"], 8)).map(lambda pair: [*pair[0], *pair[1]])
    return inside.map(lambda lines: [f"vrrp_instance VI_{number} {{", *lines, "}"])


def _virtual_server(head: str, real: str) -> Lines:
    """A server that is left with one real server at least, whatever else is wrong with it."""
    least = ["protocol TCP", "lvs_sched rr", "lvs_method NAT", f"real_server {real} 80 {{", "}"]
    return _lines(TOP["virtual_server"], 8).map(lambda lines: [f"virtual_server {head} {{", *least, *lines, "}"])


SERVERS = (("10.9.0.100 80", "10.9.0.7"), ("10.9.0.101", "10.9.0.7"), ("2001:db8::5 443", "2001:db8::7"))
MARKS = (("fwmark 7", "10.9.0.7"), ("group V_1", "10.9.0.7"))
NAMED = {"vrrp_script": ("S_1", "S_2"), "vrrp_sync_group": ("G_1", "G_2")}


def texts() -> Text:
    """Whole files: a few blocks of each kind, or none, in an order that defines before it uses."""
    parts: list[Lines] = [_lines(ROOT, 3), st.one_of(st.just([]), _block(TOP["global_defs"], 8))]
    secure = st.sampled_from([[], ["global_defs {", "enable_script_security", "script_user root", "}"]])
    parts.append(secure)
    rest = [table for name, table in TOP.items() if name == table.name]
    for table in rest:
        if table.name in ("global_defs", "vrrp_instance", "vrrp_sync_group", "virtual_server"):
            continue
        names = NAMED.get(table.name, (f"{table.name}_1",))
        parts += [st.one_of(st.just([]), _block(table, 6, name)) for name in names]
    parts += [st.one_of(st.just([]), _instance(number)) for number in (1, 2)]
    parts += [st.one_of(st.just([]), _block(TOP["vrrp_sync_group"], 4, name)) for name in NAMED["vrrp_sync_group"]]
    parts += [st.one_of(st.just([]), _virtual_server(*each)) for each in (*SERVERS, *MARKS)]
    return st.tuples(*parts).map(lambda parts: "\n".join(line for part in parts for line in part) + "\n")
