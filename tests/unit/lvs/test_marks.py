"""Which mark a virtual server of a group has, and to which packets it is given."""

from ipaddress import ip_address

import pytest

from pykeepalived.config.blocks.virtual_server import Service, VirtualServer
from pykeepalived.config.blocks.virtual_server_group import GroupEntry, VirtualServerGroup
from pykeepalived.config.kinds import AF_INET, AF_INET6
from pykeepalived.lvs.fronts import fronts
from pykeepalived.lvs.marks import mark_services, markings, marks

BOTH = frozenset({AF_INET, AF_INET6})
MARK = GroupEntry(fwmark=7)


def entry(first: str, last: str = "", port: int = 80) -> GroupEntry:
    address = ip_address(first)
    return GroupEntry(address, ip_address(last or first), port, family=AF_INET if address.version == 4 else AF_INET6)


def group(name: str, *entries: GroupEntry) -> VirtualServerGroup:
    return VirtualServerGroup(name, entries)


def server(name: str, protocol: int = 6, family: int = AF_INET) -> VirtualServer:
    return VirtualServer(service=Service("group", None, 0, protocol, 0, family, name))


def marked(servers: list[VirtualServer], groups: list[VirtualServerGroup], first: int = 1000) -> list[int]:
    return list(marks(servers, groups, first, BOTH, {}).values())


WEB, DNS = group("web", entry("10.0.0.1"), entry("10.0.0.5", "10.0.0.9")), group("dns", entry("10.0.0.1", port=53))


def test_marks_are_counted_in_the_order_of_the_file() -> None:
    assert marked([server("dns", 17), server("web"), server("web", 17)], [WEB, DNS]) == [1000, 1001, 1002]


def test_marks_of_the_file_are_not_given_away() -> None:
    theirs = VirtualServer(service=Service("fwmark", None, 0, 0, 1000, AF_INET))
    other = group("other", GroupEntry(fwmark=1001))
    assert marked([theirs, server("other", 0), server("web")], [WEB, other]) == [1002]


def test_a_group_that_names_a_mark_stays_as_it_is() -> None:
    assert marked([server("mixed"), server("gone")], [group("mixed", entry("10.0.0.1"), MARK)]) == []


def test_without_a_packet_filter_for_its_family_a_group_is_served_by_its_addresses() -> None:
    both = group("both", entry("10.0.0.1"), entry("fd00::1"))
    assert marks([server("both"), server("web")], [both, WEB], 1000, frozenset({AF_INET}), {}) == {
        server("web").service: 1000
    }


def test_a_mark_is_kept_at_a_reload() -> None:
    former = marks([server("dns", 17), server("web")], [WEB, DNS], 1000, BOTH, {})
    now = marks([server("web"), server("web", 17)], [WEB, DNS], 1000, BOTH, former)
    assert now == {server("web").service: 1001, server("web", 17).service: 1000}
    assert marks([server("web")], [WEB], 2000, BOTH, former) == {server("web").service: 2000}


def test_when_marks_are_used_up_addresses_are_served() -> None:
    assert marked([server("web"), server("dns", 17)], [WEB, DNS], 0xFFFFFFFF) == [0xFFFFFFFF]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([("10.0.0.1", "10.0.0.9")], [("10.0.0.1", "10.0.0.9", 1)]),
        ([("10.0.0.1", "10.0.0.9"), ("10.0.0.5", "10.0.0.12")], [
            ("10.0.0.1", "10.0.0.9", 1), ("10.0.0.10", "10.0.0.12", 2)]),
        ([("10.0.0.5", "10.0.0.6"), ("10.0.0.1", "10.0.0.9")], [
            ("10.0.0.1", "10.0.0.4", 2), ("10.0.0.5", "10.0.0.6", 1), ("10.0.0.7", "10.0.0.9", 2)]),
        ([("10.0.0.5", "10.0.0.5"), ("10.0.0.5", "10.0.0.5")], [("10.0.0.5", "10.0.0.5", 1)]),
    ],
)  # fmt: skip
def test_an_address_has_one_owner(lines: list[tuple[str, str]], found: list[tuple[str, str, int]]) -> None:
    groups = [group(str(number), entry(*line)) for number, line in enumerate(lines, 1)]
    by_service = {server(each.name).service: int(each.name) for each in groups}
    rows = sorted(markings(by_service, groups))
    assert [(str(ip_address(row.first)), str(ip_address(row.last)), row.mark) for row in rows] == found


def test_protocols_and_ports_do_not_meet() -> None:
    groups = [group("a", entry("10.0.0.1"), entry("10.0.0.1", port=0)), group("b", entry("10.0.0.1", port=81))]
    by_service = {server("a").service: 1, server("a", 17).service: 2, server("b").service: 3}
    assert len(markings(by_service, groups)) == 5


def test_a_marked_group_is_one_service_for_each_family() -> None:
    both = group("both", entry("10.0.0.1", "10.0.0.200"), entry("fd00::1"))
    services = mark_services(server("both").service, both, 1000)
    assert [(each.fwmark, each.family) for each in services] == [(1000, AF_INET), (1000, AF_INET6)]
    found, clashes = fronts([server("both")], [both], {server("both").service: 1000})
    assert found[server("both").service].services == services
    assert clashes == []
