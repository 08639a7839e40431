"""Lines of static_rules and virtual_rules: what they mean, what is wrong with them and what is said about it."""

from ipaddress import IPv4Interface, IPv6Interface
from typing import Any

import pytest

from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.config.difference import difference, lines
from pykeepalived.config.kinds import AF_INET6, UINT_MAX
from tests.config.reading import instance, instance_text, messages, read, sound

FOUR = IPv4Interface("10.0.0.0/24")
SIX = IPv6Interface("2001:db8::/64")


def made(**values: Any) -> RuleEntry:
    return RuleEntry(**{"preference": 5, **values})


def table(**values: Any) -> RuleEntry:
    return made(**{"table": 1, **values})


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("table 1 preference 5", table()),
        ("lookup 0x1 priority 05", table()),
        ("order 0x5 table main", table(table=254)),
        ("table dmz preference 5", table(table=300)),
        ("from 10.0.0.0/24 table 1 preference 5", table(source=FOUR)),
        ("from any to 2001:db8::/64 table 1 preference 5", table(to=SIX, family=AF_INET6)),
        ("from default6 table 1 preference 5", table(family=AF_INET6)),
        ("from ::/0 table 1 preference 5", table(family=AF_INET6)),
        ("to all from 0.0.0.0/0 table 1 preference 5", table()),
        ("table 1 preference 5 inet6", table(family=AF_INET6)),
        ("table 1 preference 5 inet", table()),
        ("not from 10.0.0.0/24 table 1 preference 5", table(inverted=True, source=FOUR)),
        ("table 1 preference 5 tos AF11", table(tos=0x28)),
        ("table 1 preference 5 dsfield 4", table(tos=4)),
        ("table 1 preference 5 fwmark 16", table(fwmark=(16, UINT_MAX))),
        ("table 1 preference 5 fwmark 0x10/0xf0", table(fwmark=(16, 0xF0))),
        ("table 1 preference 5 iif eth0 oif eth1", table(iif="eth0", oif="eth1")),
        ("table 1 preference 5 dev lo", table(iif="lo")),
        ("table 1 preference 5 tunnel-id 18446744073709551615", table(tunnel_id=(1 << 64) - 1)),
        ("table 1 preference 5 uidrange 0-4294967295", table(uidrange=(0, UINT_MAX))),
        (
            "table 1 preference 5 ipproto tcp sport 10-20 dport 0-65535",
            table(ipproto=6, sport=(10, 20), dport=(0, 65535)),
        ),
        ("table 1 preference 5 ipproto sctp", table(ipproto=132)),
        ("table 1 preference 5 ipproto 127", table(ipproto=127)),
        ("table 1 preference 5 realms cosmos/paid", table(realms=7)),
        ("table 1 preference 5 realms 1/2", table(realms=1 << 16 | 2)),
        ("table 1 preference 5 sup_pl 0 sup_group uplinks", table(suppress_prefixlength=0, suppress_ifgroup=3)),
        ("l3mdev preference 5 sup_pl 3", made(l3mdev=True, suppress_prefixlength=3)),
        ("goto 6 preference 5", made(goto=6)),
        ("type goto 6 preference 5", made(goto=6)),
        ("6 preference 5", made(action="blackhole")),
        ("type 0x7 preference 5", made(action="unreachable")),
        ("type nop preference 5", made(action="nop")),
        ("blackhole preference 5", made(action="blackhole")),
        ("from 2001:db8::/64 unreachable preference 5", made(action="unreachable", source=SIX, family=AF_INET6)),
        ("type prohibit preference 5", made(action="prohibit")),
        ("table 1 preference 5 protocol 18", table()),
        ("table 1 preference 5 protocol 5 no_track", table(protocol=5, no_track=True)),
        ("table 1 preference 5 no_track", table(protocol=0, no_track=True)),
        ("table 1 preference 0", table(preference=0)),
    ],
)
def test_what_a_line_means(line: str, wanted: RuleEntry) -> None:
    assert sound(f"static_rules {{\n{line}\n}}\n").configuration.static_rules == (wanted,)


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("from 10.0.0.0/24 preference 5", "a rule needs an action", "add lookup TABLE"),
        ("table 1 blackhole preference 5", "blackhole is a second action, beside table", "a rule for each"),
        ("l3mdev table 1 preference 5", "table is a second action, beside l3mdev", "a rule for each"),
        ("table 0 preference 5", "table: number '0' outside range [1, 4294967295]", "from 1 to"),
        ("table unspec preference 5", "table: there is no 'unspec' in rt_tables", ""),
        ("table dmx preference 5", "table: there is no 'dmx' in rt_tables", "did you mean dmz?"),
        ("table 4294967296 preference 5", "table: number '4294967296' outside range", "from 1 to"),
        ("from table 100", "from: invalid IP address 'table'", ""),
        ("to 192.168.100./24 table 1 preference 5", "to: invalid IP address '192.168.100.'", "write four numbers"),
        ("from 10.0.0.0/24 to 2001:db8::/64 table 1", "to is IPv6, and from is IPv4", "of one family"),
        ("from 2001:db8::/64 to any table 1 preference 5", "'any' cannot stand behind from", "write ::/0, or move it"),
        ("from 10.0.0.0/24 table 1 preference 5 inet6", "inet6 is IPv6, and from is IPv4", "of one family"),
        ("10.0.0.0/24 table 1 preference 5", "'10.0.0.0/24' is no option of a rule", "write from 10.0.0.0/24"),
        ("tabel 1 preference 5", "'tabel' is no option of a rule", "did you mean table?"),
        ("table 1 preference 5 ip_proto tcp", "'ip_proto' is no option of a rule", "write ipproto"),
        ("nat 10.0.0.1 preference 5", "'nat' is no option of a rule", "no such rules any more"),
        ("type table 1 preference 5", "type table is no action", "tables go without it"),
        ("blackhole preference 5 realms 1", "realms goes with a table, not with blackhole", "remove it"),
        ("goto 9 preference 5 sup_pl 1", "suppress_prefixlength goes with a table, not with goto", "remove it"),
        ("from 2001:db8::/64 table 1 preference 5 realms 1", "realms goes with IPv4 alone", "remove realms"),
        ("goto 9", "goto needs a preference", "less than 9"),
        ("goto 5 preference 5", "goto 5 from preference 5", "less than 5"),
        ("goto 0x10 preference 5", "goto: invalid number '0x10'", "in decimal"),
        ("table 1 preference 08", "preference: invalid number '08'", "octal"),
        ("table 1 preference 4294967296", "preference: number '4294967296' outside range", "from 0 to"),
        ("table 1 preference 5 fwmark 1x", "fwmark: invalid mark '1x'", "MARK/MASK"),
        ("table 1 preference 5 sport 10", "sport: '10' is no range", "10-10"),
        ("table 1 preference 5 uidrange 5", "uidrange: '5' is no range", "5-5"),
        ("table 1 preference 5 ipproto 132", "ipproto: number '132' outside range [0, 127]", "write its name"),
        ("table 1 preference 5 ipproto tpc", "ipproto: there is no protocol 'tpc'", "/etc/protocols"),
        ("table 1 preference 5 sup_group office", "sup_group: there is no 'office' in group", "/etc/iproute2/group"),
        ("table 1 preference 5 sup_pl -1", "sup_pl: number '-1' outside range", ""),
    ],
)
def test_a_line_that_is_wrong_is_left_out_and_counts(line: str, message: str, hint: str) -> None:
    loaded = read(f"static_rules {{\n{line}\n}}\n")
    assert [message in each.message for each in loaded.diagnostics] == [True], messages(loaded)
    assert loaded.diagnostics[0].message.endswith(" - the rule is ignored")
    assert hint in (loaded.diagnostics[0].hint or "")
    assert (loaded.exit_code, loaded.fatal) == (5, False)
    assert loaded.configuration.static_rules == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("inet6 foo table 1 preference 5", "keepalived skips 'foo' behind inet6"),
        ("table 1 preference 5 uidrange 5-1", "uidrange: '5-1' is no range of these numbers"),
        ("table 1 preference 5 uidrange 0-4294967296", "uidrange: '0-4294967296' is no range"),
        ("table 1 preference 5 sport 10-20x", "sport: '10-20x' is no range"),
        ("table 1 preference 5 sport 0-65536", "sport: '0-65536' is no range"),
        ("table 1 preference 5 fwmark 1/", "fwmark: the mark '1/' lacks a number, keepalived takes it for 0"),
        ("table -1 preference 5", "keepalived takes it for 4294967295"),
    ],
)
def test_what_keepalived_takes_for_something_else_is_left_out_and_does_not_count(line: str, message: str) -> None:
    loaded = read(f"static_rules {{\n{line}\n}}\n")
    assert [message in each.message for each in loaded.diagnostics] == [True]
    assert loaded.diagnostics[0].message.endswith(" - the rule is ignored")
    assert (loaded.exit_code, loaded.configuration.static_rules) == (0, ())


@pytest.mark.parametrize("word", ["protocol static", "protocol 256", "protocol 5"])
def test_a_rule_that_is_tracked_has_the_protocol_of_keepalived(word: str) -> None:
    loaded = read(f"static_rules {{\ntable 1 preference 5 {word}\n}}\n")
    assert ["protocol" in each for each in messages(loaded)] == [True]
    assert loaded.configuration.static_rules == (table(),)


def test_preferences_are_handed_out_downwards_for_each_family_in_the_order_of_the_file() -> None:
    rules = "virtual_rules {\nfrom 10.0.0.1 table 1\nfrom 2001:db8::1 table 1\nfrom 10.0.0.2 table 2 preference 7\n}"
    text = instance_text(rules) + "static_rules {\nblackhole\nfrom 2001:db8::2 nop\nfrom any table 0\nprohibit\n}\n"
    loaded = read(text)
    (found,) = loaded.configuration.vrrp_instance
    assert [each.preference for each in found.virtual_rules] == [16384, 16384, 7]
    assert [each.preference for each in loaded.configuration.static_rules] == [16383, 16383, 16382]
    wanted = "Rule has no preference specified - setting to 16383. This is probably not what you want."
    assert sum(wanted in each for each in messages(loaded)) == 2
    assert loaded.exit_code == 5


@pytest.mark.parametrize("line", ["table 1 iif", "goto", "type goto", "type", "from"])
def test_a_value_that_is_lacking_ends_everything(line: str) -> None:
    loaded = read(f"static_rules {{\n{line}\n}}\n")
    word = line.rsplit(maxsplit=1)[-1]
    assert [each.message.partition(" after keyword ")[2] for each in loaded.diagnostics] == [f"`{word}`"]
    assert (loaded.exit_code, loaded.fatal) == (2, True)


@pytest.mark.parametrize("word", ["iif", "oif"])
def test_an_interface_that_is_missing_is_fatal_unless_it_may_come(word: str) -> None:
    text = f"static_rules {{\ntable 1 preference 5 {word} eth9\n}}\n"
    loaded = read(text)
    assert messages(loaded) == ["2:22 WARNING - interface eth9 for a rule doesn't exist"]
    assert (loaded.exit_code, loaded.fatal, loaded.configuration.static_rules) == (5, True, ())
    assert sound("global_defs {\ndynamic_interfaces\n}\n" + text).configuration.static_rules == (
        table(**{word: "eth9"}),
    )


def test_rules_of_an_instance_may_not_name_a_track_group() -> None:
    found = instance("virtual_rules {\nfrom 10.0.0.0/24 table 1 preference 5\n}")
    assert found.virtual_rules == (table(source=FOUR),)
    loaded = read(instance_text("virtual_rules {\ntable 1 preference 5 iif eth0 track_group g\n}"))
    assert ["(VI_1) 'track_group' is no option of a rule" in each.message for each in loaded.diagnostics] == [True]
    assert loaded.diagnostics[0].hint == "track_group is for static_rules alone"


def test_a_reload_says_which_rules_and_routes_come_and_go() -> None:
    old = sound("static_rules {\ntable 1 preference 5\n}\nstatic_routes {\n10.1.0.0/24 dev eth0\n}\n").configuration
    new = sound("static_rules {\ntable 1 preference 6\n}\nstatic_routes {\n10.1.0.0/24 dev eth0\n}\n").configuration
    found = difference(old, new)
    assert lines(found) == ["static_rules preference 5 table 1: removed", "static_rules preference 6 table 1: added"]
    assert not difference(old, old)


def test_a_track_group_must_be_defined_above_and_needs_an_interface() -> None:
    group = "track_group g {\ngroup {\nVI_1\n}\n}\n" + instance_text("")
    lines = "static_rules {\ntable 1 preference 5 %s\n}\n"
    loaded = sound(group + lines % "iif eth0 track_group g")
    assert loaded.configuration.static_rules == (table(iif="eth0", track_group="g"),)
    for words, said, wanted in (
        ("iif eth0 track_group h", "track_group h not found - ignored", table(iif="eth0")),
        ("oif eth0 track_group g", "a rule with a track_group needs iif - ignored", table(oif="eth0")),
    ):
        loaded = read(group + lines % words)
        assert [each.message for each in loaded.diagnostics] == [said]
        assert (loaded.exit_code, loaded.configuration.static_rules) == (5, (wanted,))
