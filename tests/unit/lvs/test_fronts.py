"""What a virtual server serves: every form of a group's entries, and services that two want."""

from ipaddress import ip_address

import pytest

from pykeepalived.config.blocks.virtual_server import Service
from pykeepalived.config.blocks.virtual_server import VirtualServer as Block
from pykeepalived.config.blocks.virtual_server_group import GroupEntry, VirtualServerGroup
from pykeepalived.lvs.fronts import Front, entry_text, front_of, fronts
from pykeepalived.lvs.virtual_server import VirtualServer
from tests.config.reading import sound
from tests.support.pool import SERVICE, block, server

GROUP = Service("group", None, 0, 6, 0, 2, "g")


def group(*lines: str, name: str = "g") -> VirtualServerGroup:
    text = f"virtual_server_group {name} {{\n" + "\n".join(lines) + "\n}\n"
    (found,) = sound(text).configuration.virtual_server_group
    return found


def names(front: Front) -> list[str]:
    return [str(each) for each in front.services]


def of(name: str, *lines: str) -> tuple[Block, VirtualServerGroup]:
    service = Service("group", None, 0, 6, 0, 2, name)
    return block(server(11), service=service), group(*lines, name=name)


@pytest.mark.keyword("virtual_server_group.<entry>.IPADDR")
@pytest.mark.keyword("virtual_server_group.<entry>.RANGE")
@pytest.mark.keyword("virtual_server_group.<entry>.FULLRANGE")
@pytest.mark.keyword("virtual_server_group.<entry>.CIDR")
@pytest.mark.keyword("virtual_server_group.<entry>.fwmark")
@pytest.mark.parametrize(
    ("line", "services"),
    [
        ("10.9.0.1 80", ["[10.9.0.1]:tcp:80"]),
        ("10.9.0.1", ["[10.9.0.1]:tcp:0"]),
        ("10.9.0.3-5 80", ["[10.9.0.3]:tcp:80", "[10.9.0.4]:tcp:80", "[10.9.0.5]:tcp:80"]),
        ("10.9.0.255-10.9.1.1 80", ["[10.9.0.255]:tcp:80", "[10.9.1.0]:tcp:80", "[10.9.1.1]:tcp:80"]),
        ("10.9.0.64/31 80", ["[10.9.0.64]:tcp:80", "[10.9.0.65]:tcp:80"]),
        ("2001:db8::fffe-ffff 53", ["[2001:db8::fffe]:tcp:53", "[2001:db8::ffff]:tcp:53"]),
        ("fwmark 7", ["FWM 7"]),
    ],
)
def test_forms_of_entries(line: str, services: list[str]) -> None:
    assert names(front_of(GROUP, group(line))) == services


def test_a_mark_without_a_family_has_that_of_the_virtual_server() -> None:
    found = front_of(GROUP, group("fwmark 7", "fwmark 8 inet6", "2001:db8::1 80"))
    assert [each.family for each in found.services] == [2, 10, 10]
    assert found.services[0] == Service("fwmark", None, 0, 0, 7, 2)


def test_an_address_that_two_entries_name_is_served_once() -> None:
    assert names(front_of(GROUP, group("10.9.0.1-3 80", "10.9.0.3 80", "10.9.0.3 81")))[2:] == [
        "[10.9.0.3]:tcp:80",
        "[10.9.0.3]:tcp:81",
    ]


def test_what_cannot_be_served_is_left_out() -> None:
    huge = GroupEntry(ip_address("10.0.0.0"), ip_address("10.255.255.255"), 80, family=2)
    entries = (GroupEntry(fwmark=0), huge, GroupEntry(fwmark=7))
    assert names(front_of(GROUP, VirtualServerGroup("g", entries))) == ["FWM 7"]


def test_the_first_that_names_a_service_has_it() -> None:
    plain = block(server(11))
    one, first = of("one", "10.9.0.99-101 80")
    two, second = of("two", "10.9.0.99-102 80")
    found, clashes = fronts((plain, one, two), (first, second))
    assert plain.service not in found  # it serves itself
    assert names(found[one.service]) == ["[10.9.0.99]:tcp:80", "[10.9.0.101]:tcp:80"]
    assert names(found[two.service]) == ["[10.9.0.102]:tcp:80"]
    assert [str(clash) for clash in clashes] == [
        "VS [one]:0: [10.9.0.100]:tcp:80 belongs to VS [10.9.0.100]:tcp:80 already - served there alone",
        "VS [two]:0: [10.9.0.99]:tcp:80 and 1 more belongs to VS [one]:0 already - served there alone",
        "VS [two]:0: [10.9.0.100]:tcp:80 belongs to VS [10.9.0.100]:tcp:80 already - served there alone",
    ]


def test_without_groups_each_serves_itself() -> None:
    assert fronts((block(server(11)),), ()) == ({}, [])
    assert VirtualServer(block(server(11))).front == Front((SERVICE,))


def test_one_that_comes_after_a_group_may_not_even_serve_itself() -> None:
    plain = block(server(11))
    one, first = of("one", "10.9.0.99-101 80")
    found, _ = fronts((one, plain), (first,))
    assert (names(found[one.service])[1], names(found[plain.service])) == ("[10.9.0.100]:tcp:80", [])


def test_a_group_that_is_not_there_serves_nothing() -> None:
    assert front_of(GROUP) == Front(())


def test_entries_as_logs_have_them() -> None:
    entries = group("10.9.0.3-5 80", "10.9.0.1", "fwmark 7").entries
    assert [entry_text(each, 6) for each in entries] == ["[10.9.0.3]:tcp:80-10.9.0.5", "[10.9.0.1]:tcp:0", "FWM 7"]
