"""virtual_server_group: every form of a line, what is dropped, and virtual servers of groups."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from pykeepalived.config.blocks.virtual_server import IPPROTO_TCP, IPPROTO_UDP, Service
from pykeepalived.config.blocks.virtual_server_group import GroupEntry, VirtualServerGroup
from pykeepalived.config.difference import difference, lines
from pykeepalived.config.kinds import AF_INET, AF_INET6
from pykeepalived.config.load import Loaded
from tests.config.reading import messages, read, server_text, sound


def group(*lines: str, name: str = "g") -> str:
    return f"virtual_server_group {name} {{\n" + "\n".join(lines) + "\n}\n"


def of_group(lines: str = "", real: str = "10.9.0.1 80", *, protocol: bool = True) -> str:
    text = server_text(lines).replace("10.9.0.100 80", "group g").replace("10.9.0.1 80", real)
    return text if protocol else text.replace("protocol TCP\n", "")


def entries(*lines: str) -> tuple[GroupEntry, ...]:
    (found,) = sound(group(*lines)).configuration.virtual_server_group
    return found.entries


@pytest.mark.parametrize(
    ("line", "first", "last", "port", "count"),
    [
        ("192.0.2.10", "192.0.2.10", "192.0.2.10", 0, 1),
        ("192.0.2.10 80", "192.0.2.10", "192.0.2.10", 80, 1),
        ("192.0.2.10 0", "192.0.2.10", "192.0.2.10", 0, 1),
        ("192.0.2.10 000", "192.0.2.10", "192.0.2.10", 0, 1),
        ("192.0.2.20-29 80", "192.0.2.20", "192.0.2.29", 80, 10),
        ("192.0.2.20-255", "192.0.2.20", "192.0.2.255", 0, 236),
        ("192.0.2.1-05", "192.0.2.1", "192.0.2.5", 0, 5),
        ("2001:db8::10-1f 80", "2001:db8::10", "2001:db8::1f", 80, 16),
        ("2001:db8::10-ffff", "2001:db8::10", "2001:db8::ffff", 0, 65520),
        ("2001:db8::1-10", "2001:db8::1", "2001:db8::10", 0, 16),
        ("192.0.2.250-192.0.3.5 80", "192.0.2.250", "192.0.3.5", 80, 12),
        ("192.0.2.9-192.0.2.9", "192.0.2.9", "192.0.2.9", 0, 1),
        ("2001:db8::1-2001:db8::1:0 53", "2001:db8::1", "2001:db8::1:0", 53, 65536),
        ("192.0.2.64/28 443", "192.0.2.64", "192.0.2.79", 443, 16),
        ("192.0.2.1/32", "192.0.2.1", "192.0.2.1", 0, 1),
        ("2001:db8::/112", "2001:db8::", "2001:db8::ffff", 0, 65536),
        ("2001:db8::1/128 80", "2001:db8::1", "2001:db8::1", 80, 1),
    ],
)
def test_addresses(line: str, first: str, last: str, port: int, count: int) -> None:
    (found,) = entries(line)
    family = AF_INET6 if ":" in first else AF_INET
    assert found == GroupEntry(ip_address(first), ip_address(last), port, family=family)
    assert found.count == count
    # and the line that is written of it reads as the same
    assert entries(found.entry_text()) == (found,)


@pytest.mark.parametrize(
    ("line", "mark", "family"),
    [("fwmark 7", 7, 0), ("fwmark 7 inet", 7, AF_INET), ("fwmark 4294967295 inet6", 4294967295, AF_INET6)],
)
def test_marks(line: str, mark: int, family: int) -> None:
    assert entries(line) == (GroupEntry(fwmark=mark, family=family),)
    assert entries(line)[0].entry_text() == line


def test_what_cannot_be_served_is_said_and_the_rest_is_served() -> None:
    lines = ("fwmark 0 inet", "2001:db8::/64", "10.0.0.0-10.1.255.254", "10.2.0.1", "10.2.0.2", "fwmark 7 inet")
    loaded = read(group(*lines))
    (found,) = loaded.configuration.virtual_server_group
    assert [entry.entry_text() for entry in found.entries][1] == "2001:db8::-2001:db8::ffff:ffff:ffff:ffff"
    assert found.are_served() == [False, False, True, True, False, False]
    assert messages(loaded) == []  # none counts as a mistake, as with keepalived
    many = f"2001:db8::-2001:db8::ffff:ffff:ffff:ffff makes {2**64}"
    assert [each.message for each in loaded.diagnostics] == [
        "virtual_server_group g: fwmark 0 is no mark - not served",
        *(
            f"virtual_server_group g: {entry} services of the kernel, a group has at most 131072 - not served"
            for entry in (many, "10.2.0.2 makes 1", "fwmark 7 inet makes 1")
        ),
    ]


BAD = [
    ("10.0.0.9-5", "does not end after it begins"),
    ("10.0.0.9-9 80", "does not end after it begins"),
    ("10.0.0.9-300", "300 is too large"),
    ("10.0.0.9-10x", "'10x' is no last part"),
    ("10.0.0.9-ff", "'ff' is no last part"),
    ("10.0.0.9-", "nothing after the -"),
    ("10.0.0.9-10.0.0.5", "ends before it begins"),
    ("10.0.0.9-2001:db8::1", "from one family to the other"),
    ("2001:db8::1-10.0.0.1", "from one family to the other"),
    ("2001:db8::1-1ffff", "1ffff is too large"),
    ("2001:db8::f-1", "does not end after it begins"),
    ("2001:db8::5-zz", "'zz' is no last part"),
    ("10.0.0.65/28", "write 10.0.0.64/28"),
    ("10.0.0.0/33", "the length is not from 1 to 32"),
    ("10.0.0.0/0", "the length is not from 1 to 32"),
    ("2001:db8::1/129", "the length is not from 1 to 128"),
    ("10.0.0.1/", "no length of a prefix"),
    ("10.0.0.1/255.255.255.0", "no length of a prefix"),
    ("10.0.0.1-5/28", "'5/28' is no last part"),
    ("-5", "begins with no address"),
    ("www.example.net 80", "invalid IP address 'www.example.net'"),
    ("10.0.0.1 x", "invalid number 'x'"),
    ("10.0.0.1 65536", "outside range [1, 65535]"),
    ("10.0.0.1-5 12x", "invalid number '12x'"),
    ("fe80::1%lo 80", "invalid IP address"),
    ("fwmark x", "invalid number 'x'"),
    ("fwmark -1", "outside range [0, 4294967295]"),
    ("fwmark 7 ipv4", "unknown family 'ipv4'"),
]


@pytest.mark.parametrize(("line", "message"), BAD)
def test_a_bad_line_is_dropped_alone(line: str, message: str) -> None:
    loaded = read(group("10.0.0.1 80", line, "10.0.0.2 80"))
    (found,) = loaded.configuration.virtual_server_group
    assert [str(entry.first) for entry in found.entries] == ["10.0.0.1", "10.0.0.2"]
    (diagnostic,) = loaded.diagnostics
    assert message in diagnostic.message + (diagnostic.hint or "")
    assert diagnostic.hint
    assert diagnostic.span is not None
    assert diagnostic.span.line == 3
    assert loaded.exit_code == 5


def test_a_mark_without_a_number_ends_the_reading() -> None:
    assert read(group("fwmark")).exit_code == 2
    assert read("virtual_server_group {\n10.0.0.1\n}").exit_code == 2


def test_a_group_without_lines_is_removed() -> None:
    loaded = read(group())
    assert loaded.configuration.virtual_server_group == ()
    assert messages(loaded) == ["1:1 virtual_server_group g has no entries - removing"]


def test_families_may_differ_while_a_mark_says_its_own() -> None:
    assert len(entries("10.0.0.1", "2001:db8::1", "fwmark 7 inet")) == 3
    assert len(entries("10.0.0.1", "fwmark 7")) == 2
    loaded = read(group("10.0.0.1", "2001:db8::1", "fwmark 7"))
    assert loaded.configuration.virtual_server_group == ()
    assert "without a family - removing" in messages(loaded)[0]


def test_of_two_groups_of_a_name_the_first_is_used() -> None:
    loaded = sound(group("10.0.0.1") + group("10.0.0.2") + group("10.0.0.3", name="h"))
    assert [each.name for each in loaded.configuration.virtual_server_group] == ["g", "h"]
    assert loaded.configuration.virtual_server_group[0] == VirtualServerGroup(
        "g", (GroupEntry(IPv4Address("10.0.0.1"), IPv4Address("10.0.0.1"), family=AF_INET),)
    )
    assert "is defined twice" in loaded.diagnostics[0].message


def test_words_that_are_too_many_are_said() -> None:
    loaded = read(group("10.0.0.1 80 90").replace("group g", "group g h"))
    assert messages(loaded) == ["1:24 virtual_server_group g: words after the name are ignored"]
    assert any(each.message == "'90' is ignored" for each in loaded.diagnostics)


def test_a_line_of_a_group_without_braces_is_no_address() -> None:
    loaded = read("virtual_server_group g\n10.0.0.1 80\n" + server_text(""))
    assert loaded.exit_code == 5
    assert len(loaded.configuration.virtual_server) == 1


# --- virtual servers of groups ---


def only(loaded: Loaded) -> Service:
    (found,) = loaded.configuration.virtual_server
    return found.service


def test_a_virtual_server_of_a_group() -> None:
    loaded = sound(of_group() + group("10.0.0.1 80", "10.0.0.9-12 80"))
    assert only(loaded) == Service("group", None, 0, IPPROTO_TCP, 0, AF_INET, "g")
    assert str(only(loaded)) == "[g]:0"
    assert loaded.configuration.virtual_server[0].head_text() == "group g"


def test_observed_numbers_of_virtual_servers_of_a_group() -> None:
    """Each has that of its place among those of its group; one without servers counts, one of another family not."""
    entries = group("10.0.0.1 80")
    empty = "virtual_server group g {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\n}\n"
    loaded = read(entries + of_group() + of_group(protocol=False) + group("10.0.0.1 80", name="h"))
    assert [str(each.service) for each in loaded.configuration.virtual_server] == ["[g]:0", "[g]:1"]
    (said,) = messages(loaded)
    assert said.endswith("Virtual server [g]:1: no protocol set - setting to UDP")
    loaded = read(entries + empty + of_group())
    assert str(only(loaded)) == "[g]:1"
    (said,) = messages(loaded)
    assert said.endswith("Virtual server [g]:0 has no real servers - ignoring")
    assert str(only(read(entries + of_group("", "2001:db8::9 80") + of_group()))) == "[g]:0"
    again = read(entries + of_group() + of_group() + of_group(protocol=False))
    assert [str(each.service) for each in again.configuration.virtual_server] == ["[g]:0", "[g]:2"]


def test_a_group_that_does_not_exist_is_said_and_does_not_count() -> None:
    loaded = read(of_group() + group("10.0.0.1", name="gg"))
    assert loaded.configuration.virtual_server == ()
    assert loaded.exit_code == 0
    (said,) = loaded.diagnostics
    assert "group g does not exist" in said.message
    assert said.hint == "did you mean gg?"


def test_a_group_that_was_removed_is_no_group() -> None:
    loaded = read(of_group() + group())
    assert loaded.configuration.virtual_server == ()
    assert any("group g was removed" in each.message for each in loaded.diagnostics)


@pytest.mark.parametrize(
    ("lines", "keywords", "given", "protocol", "counts"),
    [
        (("10.0.0.1 80",), "", True, IPPROTO_TCP, []),
        (("10.0.0.1 80",), "", False, IPPROTO_UDP, ["no protocol set"]),
        (("fwmark 7",), "", False, 0, []),
        (("fwmark 7",), "", True, 0, ["a fwmark has no protocol"]),
        (("10.0.0.1 80", "fwmark 7"), "", True, IPPROTO_TCP, []),
        (("10.0.0.1",), "", True, IPPROTO_TCP, ["zero port"]),
        (("10.0.0.1",), "persistence_timeout 9", True, IPPROTO_TCP, []),
        (("10.0.0.1 80", "10.0.0.2"), "", True, IPPROTO_TCP, ["zero port"]),
        (("10.0.0.1 80",), "ha_suspend", True, IPPROTO_TCP, []),
        (("fwmark 7",), "ha_suspend", False, 0, ["ha_suspend is not for marks"]),
        (("10.0.0.1 80",), "ops", True, IPPROTO_TCP, ["ops on a service that is not UDP"]),
        (("10.0.0.1 80",), "lvs_method DR", True, IPPROTO_TCP, []),
        (("10.0.0.1 81", "10.0.0.2 80"), "lvs_method DR", True, IPPROTO_TCP, ["don't match"]),
        (("10.0.0.1 81",), "lvs_method NAT", True, IPPROTO_TCP, []),
    ],
)
def test_rules_of_groups(lines: tuple[str, ...], keywords: str, given: bool, protocol: int, counts: list[str]) -> None:
    loaded = read(group(*lines) + of_group(keywords, protocol=given))
    assert only(loaded).protocol == protocol
    assert len(messages(loaded)) == len(counts)
    assert all(what in said for what, said in zip(counts, messages(loaded), strict=True))


@pytest.mark.parametrize(
    ("lines", "real", "keywords", "kept"),
    [
        (("10.0.0.1 80",), "10.9.0.1 80", "", 1),
        (("10.0.0.1 80",), "2001:db8::9 80", "", 0),
        (("10.0.0.1 80",), "2001:db8::9 80", "lvs_method TUN", 1),
        (("10.0.0.1 80", "2001:db8::1 80"), "10.9.0.1 80", "", 0),
        (("10.0.0.1 80", "2001:db8::1 80"), "10.9.0.1 80", "lvs_method TUN", 1),
        (("10.0.0.1 80", "fwmark 7 inet6"), "10.9.0.1 80", "", 0),
        (("10.0.0.1 80", "fwmark 7 inet"), "10.9.0.1 80", "", 1),
    ],
)
def test_a_group_of_another_family_than_its_servers_is_ignored(
    lines: tuple[str, ...], real: str, keywords: str, kept: int
) -> None:
    loaded = sound(group(*lines) + of_group(keywords, real))
    assert len(loaded.configuration.virtual_server) == kept
    assert bool(loaded.diagnostics) == (not kept)


@pytest.mark.parametrize(
    ("ports", "method", "port"),
    [(("80", "80"), "DR", 80), (("80", "81"), "DR", 0), (("", ""), "TUN", 0), (("80", "81"), "NAT", 80)],
)
def test_a_port_that_cannot_be_changed_is_that_of_each_address(ports: tuple[str, str], method: str, port: int) -> None:
    lines = f"lvs_method {method}\npersistence_timeout 9"
    loaded = read(group(f"10.0.0.1 {ports[0]}", f"10.0.0.2 {ports[1]}") + of_group(lines))
    (real,) = loaded.configuration.virtual_server[0].real_server
    assert real.port == port
    assert bool(messages(loaded)) == (port == 0)


def test_a_group_of_ipv6() -> None:
    loaded = sound(group("2001:db8::1 80") + of_group("", "2001:db8::9 80"))
    assert only(loaded).family == AF_INET6
    assert loaded.configuration.virtual_server[0].real_server[0].address == IPv6Address("2001:db8::9")


def test_what_a_reload_does_with_groups_and_certificates() -> None:
    old = read(group("10.0.0.1 80", "10.0.0.2 80") + group("10.0.0.9", name="h") + "SSL {\npassword a\nca /a\n}")
    new = read(group("10.0.0.2 80", "10.0.0.3-9 80") + group("fwmark 7", name="i") + "SSL {\npassword b\nca /a\n}")
    found = difference(old.configuration, new.configuration)
    assert lines(found) == [
        "virtual_server_group h: removed",
        "virtual_server_group g: 10.0.0.1 80: removed; 10.0.0.3-10.0.0.9 80: added",
        "virtual_server_group i: added",
        "SSL: password",
    ]
    assert lines(difference(read("").configuration, read("SSL {\n}").configuration)) == ["SSL: added"]
    assert not difference(old.configuration, old.configuration)
