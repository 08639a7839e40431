"""Which virtual links are wanted, their names, and what is done when one appears or vanishes."""

from dataclasses import replace

import pytest

from pykeepalived.config.configuration import Configuration
from pykeepalived.units import SECOND
from pykeepalived.vrrp.announcing import on_further_links
from pykeepalived.vrrp.effects import AddAddresses, Announce, RemoveAddresses
from pykeepalived.vrrp.events import AddressAdded, AddressRemoved, InterfaceChanged
from pykeepalived.vrrp.lent_source import source_on_own_link
from pykeepalived.vrrp.routers import Routers
from pykeepalived.vrrp.tracking import INTERFACE, SOCKETS
from pykeepalived.vrrp.virtual_links import (
    LinkEvent,
    LinkGone,
    LinkMade,
    LinkOrder,
    LinkRefused,
    MakeLink,
    ReleaseBase,
    RemoveLink,
    SeenLink,
    SettleLink,
    Taken,
    VirtualLinks,
)
from tests.config.reading import sound

START = 1000 * SECOND
MAC4, MAC6 = bytes.fromhex("00005e000133"), bytes.fromhex("00005e000233")


def instance(lines: str, *, name: str = "VI_1", vrid: int = 51, addresses: str = "10.0.0.100") -> str:
    return (
        f"vrrp_instance {name} {{\ninterface eth0\nvirtual_router_id {vrid}\n{lines}\n"
        f"virtual_ipaddress {{\n{addresses}\n}}\n}}\n"
    )


def configuration(*texts: str) -> Configuration:
    return sound("\n".join(texts)).configuration


class Host:
    """A host with links, on which orders are carried out."""

    def __init__(self, *seen: SeenLink) -> None:
        self.core = VirtualLinks()
        self.now = START
        for link in (SeenLink("lo", loopback=True), SeenLink("eth0"), SeenLink("eth1"), *seen):
            assert self.core.handle(link, self.now) == []

    def take(self, *texts: str) -> Taken:
        taken = self.core.take(configuration(*texts), self.now)
        self.carry_out(taken.before)
        return taken

    def carry_out(self, orders: list[LinkOrder]) -> None:
        for order in orders:
            if isinstance(order, MakeLink):
                self.tell(made(order))

    def tell(self, event: LinkEvent) -> list[LinkOrder]:
        return self.core.handle(event, self.now)


def made(order: MakeLink) -> SeenLink:
    link = order.link
    return SeenLink(link.name, link.kind, link.base, link.mac, link.kind == "macvlan", order.group, order.vrf)


def names(orders: list[LinkOrder]) -> list[tuple[str, str]]:
    return [(type(order).__name__, order.link.name) for order in orders if isinstance(order, (MakeLink, SettleLink))]


def texts(orders: list[LinkOrder]) -> list[str]:
    return [order.message for order in orders if hasattr(order, "message")]


@pytest.mark.keyword("vrrp_instance.use_vmac")
def test_an_instance_runs_on_its_vmac_and_keeps_its_base() -> None:
    taken = Host().take(instance("use_vmac"))
    (order,) = taken.before
    assert isinstance(order, MakeLink)
    assert (order.link.name, order.link.base, order.link.mac, order.link.ipv6) == ("vrrp.51", "eth0", MAC4, False)
    (found,) = taken.configuration.vrrp_instance
    assert (found.interface, found.own_link, found.exchange_interface) == ("eth0", "vrrp.51", "vrrp.51")
    assert found.source_interface == "eth0"
    assert [entry.dev for entry in found.virtual_ipaddress] == ["vrrp.51"]
    routers = Routers(taken.configuration)
    assert [tracked.tracker for tracked in routers.routers["VI_1"].standing.tracked] == [
        (INTERFACE, "eth0"),
        (INTERFACE, "vrrp.51"),
        (SOCKETS, "VI_1"),
    ]
    assert [key.interface for key in routers.inboxes] == ["vrrp.51"]


def test_without_virtual_links_nothing_is_changed() -> None:
    loaded = configuration(instance(""))
    taken = VirtualLinks().take(loaded, START)
    assert taken == Taken(loaded, [], [])
    assert taken.configuration is loaded


@pytest.mark.keyword("vrrp_instance.vmac_xmit_base")
@pytest.mark.parametrize("lines", ["use_vmac\nvmac_xmit_base", "use_vmac\nvmac_xmit_base\nunicast_peer {\n10.0.0.2\n}"])
def test_adverts_may_use_the_base(lines: str) -> None:
    (found,) = Host().take(instance(lines)).configuration.vrrp_instance
    assert (found.exchange_interface, found.virtual_ipaddress[0].dev) == ("eth0", "vrrp.51")


@pytest.mark.keyword("vrrp_instance.use_vmac", "global_defs.vmac_prefix", "global_defs.vmac_addr_prefix")
def test_names() -> None:
    """As keepalived chose them for the same file."""
    taken = Host().take(
        instance("use_vmac"),
        instance("use_vmac", name="VI_6", addresses="fe80::51"),
        instance(
            "use_vmac vm4\nuse_vmac_addr\nvirtual_ipaddress_excluded {\nfd00::9/64\nfd00::a/64 dev eth1\n}",
            name="VI_2",
            vrid=52,
            addresses="10.0.0.101\n10.1.0.101 dev eth1",
        ),
        instance(
            "", name="VI_3", vrid=53, addresses="10.0.0.110 use_vmac\n10.1.0.110 dev eth1 use_vmac\n10.1.0.2 dev eth1"
        ),
    )
    assert [name for _, name in names(taken.before)] == [
        *("vrrp.51", "vrrp6.51"),
        *("vm4", "vrrp.52", "vrrp6.52", "vrrp1.52"),
        *("vrrp.53", "vrrp1.53"),
    ]
    third, fourth = taken.configuration.vrrp_instance[2:]
    assert [entry.dev for entry in third.virtual_ipaddress] == ["vm4", "vrrp.52"]
    assert [entry.dev for entry in third.virtual_ipaddress_excluded] == ["vrrp6.52", "vrrp1.52"]
    assert [entry.dev for entry in fourth.virtual_ipaddress] == ["vrrp.53", "vrrp1.53", "eth1"]
    assert (fourth.own_link, fourth.exchange_interface) == ("", "eth0")
    taken = Host().take(
        "global_defs {\nvmac_prefix a-long-prefix-\nvmac_addr_prefix ad\n}",
        instance("use_vmac\nuse_vmac_addr", addresses="10.0.0.1\n10.0.0.2 dev eth1"),
    )
    assert [name for _, name in names(taken.before)] == ["a-long-prefi.51", "ad.51"]


@pytest.mark.keyword("vrrp_instance.use_vmac_addr", "vrrp_instance.virtual_ipaddress.use_vmac")
def test_addresses_of_the_other_family_stay_on_the_base_unless_they_have_a_vmac_too() -> None:
    excluded = "virtual_ipaddress_excluded {\nfd00::9/64\nfd00::a/64 use_vmac\nfd00::b/128 dev lo use_vmac\n}"
    (found,) = Host().take(instance(f"use_vmac\n{excluded}")).configuration.vrrp_instance
    assert [entry.dev for entry in found.virtual_ipaddress_excluded] == ["eth0", "vrrp6.51", "lo"]


def test_one_mac_address_on_one_base_is_one_link() -> None:
    one = instance("use_vmac\nvmac_xmit_base\nunicast_peer {\n10.0.0.2\n}")
    other = instance("use_vmac\nvmac_xmit_base\nunicast_peer {\n10.0.0.3\n}", name="VI_2", addresses="10.0.0.101")
    taken = Host().take(one, other)
    assert names(taken.before) == [("MakeLink", "vrrp.51")]
    assert {each.own_link for each in taken.configuration.vrrp_instance} == {"vrrp.51"}


def test_a_matching_link_is_found_and_others_of_its_name_are_left_alone_or_replaced() -> None:
    host = Host(
        SeenLink("old", "macvlan", "eth0", MAC4, private=True),
        SeenLink("vrrp.52", "macvlan", "eth0", bytes(6), private=True),
        SeenLink("vm53", "macvlan", "eth0", bytes(6), private=True),
        SeenLink("vrrp.54", "veth"),
    )
    orders = host.take(
        instance("use_vmac"),
        instance("use_vmac", name="VI_2", vrid=52),
        instance("use_vmac vm53", name="VI_3", vrid=53),
        instance("use_vmac", name="VI_4", vrid=54),
    ).before
    assert names(orders) == [
        *(("SettleLink", "old"), ("MakeLink", "vrrp1.52")),
        *(("MakeLink", "vm53"), ("MakeLink", "vrrp1.54")),
    ]
    assert texts(orders) == [
        "(VI_1) Found matching interface old",
        "(VI_3) VMAC vm53 already exists but is incompatible. It will be deleted/updated",
    ]
    assert [order.link.name for order in orders if isinstance(order, RemoveLink)] == ["vm53"]


def test_a_deleted_link_is_made_again_but_not_in_a_hurry() -> None:
    host = Host()
    host.take(instance("use_vmac"))
    host.now += 2 * SECOND
    orders = host.tell(LinkGone("vrrp.51"))
    assert texts(orders) == []  # the instance that runs on it tells
    assert names(orders) == [("MakeLink", "vrrp.51")]
    host.carry_out(orders)
    host.now += 1
    assert names(host.tell(LinkGone("vrrp.51"))) == []
    assert host.core.next_deadline() == host.now - 1 + SECOND
    host.now += SECOND
    assert names(host.core.tick(host.now)) == [("MakeLink", "vrrp.51")]
    assert host.core.next_deadline() is None


def test_what_the_kernel_refuses_is_said_once_and_tried_again() -> None:
    host = Host()
    host.core.take(configuration(instance("use_vmac")), host.now)
    (said,) = host.tell(LinkRefused("vrrp.51", "Unknown device type"))
    assert "(VI_1): Unable to create VMAC interface vrrp.51: Unknown device type" in texts([said])[0]
    host.now += 5 * SECOND
    assert names(host.core.tick(host.now)) == [("MakeLink", "vrrp.51")]
    assert host.tell(LinkRefused("vrrp.51", "Unknown device type")) == []


def test_a_link_that_cannot_be_brought_up_is_not_made_in_a_hurry() -> None:
    """The kernel tells that it came and went: that is our own doing."""
    host = Host()
    (order,) = host.core.take(configuration(instance("use_vmac")), host.now).before
    assert isinstance(order, MakeLink)
    host.tell(LinkRefused("vrrp.51", "Device or resource busy"))
    assert host.tell(made(order)) == host.tell(LinkGone("vrrp.51")) == []
    assert host.core.next_deadline() == host.now + 5 * SECOND
    assert host.tell(LinkMade("vrrp.51")) == []
    assert host.core.next_deadline() is None


def test_a_link_of_another_kind_is_not_removed() -> None:
    host = Host()
    host.take(instance("use_vmac"))
    orders = host.tell(SeenLink("vrrp.51", "dummy"))
    assert texts(orders) == ["(VI_1) vrrp.51 is no macvlan any more: somebody took its name"]
    assert len(orders) == 1


def test_a_base_that_comes_and_goes() -> None:
    host = Host()
    host.take(instance("use_vmac"))
    host.tell(LinkGone("eth0"))
    host.now += 2 * SECOND
    assert names(host.tell(LinkGone("vrrp.51"))) == []
    assert names(host.tell(SeenLink("eth0", group=7))) == [("MakeLink", "vrrp.51")]


@pytest.mark.keyword("vrrp_instance.use_vmac")
def test_group_and_vrf_are_those_of_the_base() -> None:
    host = Host(SeenLink("eth0", group=7, vrf="red"))
    (order,) = host.take(instance("use_vmac")).before
    assert isinstance(order, MakeLink)
    assert (order.group, order.vrf) == (7, "red")
    assert host.tell(SeenLink("eth0", group=7, vrf="")) == [SettleLink(order.link, 7, "")]
    host = Host(SeenLink("eth0", group=7))
    (order,) = host.take(instance("use_vmac group 9")).before
    assert isinstance(order, MakeLink)
    assert order.group == 9


def test_a_link_that_somebody_changed_is_replaced() -> None:
    host = Host()
    host.take(instance("use_vmac"))
    host.now += 2 * SECOND
    orders = host.tell(SeenLink("vrrp.51", "macvlan", "eth0", bytes(6), private=True))
    assert [order.link.name for order in orders if isinstance(order, RemoveLink)] == ["vrrp.51"]
    assert names(host.tell(LinkGone("vrrp.51"))) == [("MakeLink", "vrrp.51")]


def test_a_reload_touches_no_link_of_an_instance_that_stays() -> None:
    host = Host()
    host.take(instance("use_vmac"), instance("use_vmac", name="VI_2", vrid=52))
    taken = host.take(
        instance("use_vmac", name="VI_0", vrid=53), instance("use_vmac\npriority 90", vrid=52, name="VI_2")
    )
    assert names(taken.before) == [("MakeLink", "vrrp.53")]
    assert [order.link.name for order in taken.after if isinstance(order, RemoveLink)] == ["vrrp.51"]
    taken = host.take(instance("", name="VI_0", vrid=53))
    assert taken.before == []
    assert taken.after[-1] == ReleaseBase("eth0")
    assert host.core.standing == ()


def test_a_standing_link_keeps_its_name() -> None:
    host = Host()
    host.take(instance("use_vmac one"))
    taken = host.take(instance("use_vmac two"))
    assert taken.configuration.vrrp_instance[0].own_link == "one"
    assert texts(taken.before) == ["(VI_1) macvlan keeps its name one, it is two after a restart"]


def test_with_and_without_vmac_is_not_the_same_router() -> None:
    bare, vmac, other = (configuration(instance(lines)).vrrp_instance[0] for lines in ("", "use_vmac", "use_vmac x"))
    assert bare.identity != vmac.identity
    assert vmac.identity == other.identity


@pytest.mark.keyword("vrrp_instance.use_ipvlan")
def test_ipvlan() -> None:
    host = Host()
    taken = host.take(
        instance("use_ipvlan 10.0.0.9/24 private"),
        instance("use_ipvlan ip6", name="VI_6", addresses="fe80::51"),
    )
    first, second = (order.link for order in taken.before if isinstance(order, MakeLink))
    assert (first.kind, first.name, first.flags, first.ipv6) == ("ipvlan", "vrrp.51", 1, False)
    assert (second.name, second.flags, second.addresses_made) == ("ip6", 0, True)
    one, two = taken.configuration.vrrp_instance
    assert (one.source_interface, one.exchange_interface) == ("vrrp.51", "vrrp.51")
    assert one.virtual_ipaddress[0].dev == "eth0"
    lent = source_on_own_link(one, one.source)
    assert lent is not None
    assert (str(lent), lent.dev) == ("10.0.0.9/24", "vrrp.51")
    assert source_on_own_link(two, two.virtual_ipaddress[0].address) is None


def test_an_ipv6_vmac_has_the_source_of_its_base() -> None:
    taken = Host().take(instance("use_vmac", addresses="fe80::51"))
    routers = Routers(taken.configuration)
    source = configuration(instance("", addresses="fe80::1")).vrrp_instance[0].virtual_ipaddress[0].address
    for event in (
        InterfaceChanged("eth0", up=True),
        InterfaceChanged("vrrp.51", up=True),
        AddressAdded("eth0", source, 64),
    ):
        assert not any(isinstance(order, AddAddresses) for order in routers.handle(event, START))
    (lent,) = [order for order in routers.start(START) if isinstance(order, AddAddresses)]
    (entry,) = lent.entries
    assert (str(entry), entry.dev, entry.nodad, entry.preferred_lft) == ("fe80::1/64", "vrrp.51", True, 0)
    routers.handle(InterfaceChanged("vrrp.51", up=False, present=False), START)
    assert AddAddresses("VI_1", (entry,)) in routers.handle(InterfaceChanged("vrrp.51", up=True), START)
    taken_away = AddressRemoved("vrrp.51", entry.address, 64)
    given = AddAddresses("VI_1", (entry,))
    assert given in routers.handle(taken_away, START), "the kernel would refuse our adverts"
    assert given not in routers.handle(AddressRemoved("vrrp.51", entry.address, 128), START)
    routers.handle(InterfaceChanged("vrrp.51", up=False), START)
    assert given not in routers.handle(taken_away, START)
    routers.handle(InterfaceChanged("vrrp.51", up=True), START)
    other = replace(
        entry, address=configuration(instance("", addresses="fe80::2")).vrrp_instance[0].virtual_ipaddress[0].address
    )
    router = routers.routers["VI_1"]
    router.set_source(other.address)
    effects: list[object] = []
    router.lend_source(effects)  # type: ignore[arg-type]  # a list of whatever it orders
    assert effects == [RemoveAddresses("VI_1", (entry,)), AddAddresses("VI_1", (other,))]


@pytest.mark.keyword("vrrp_instance.garp_extra_if", "global_defs.vrrp_garp_extra_if")
@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ("use_vmac\nuse_vmac_addr\ngarp_extra_if 2", ["vrrp1.51"]),
        ("use_vmac\ngarp_extra_if 2", []),
        ("use_vmac\ngarp_extra_if all 2", ["eth1"]),
        ("use_vmac\nuse_vmac_addr\nvmac_xmit_base\ngarp_extra_if 2", ["vrrp.51", "vrrp1.51"]),
    ],
)
def test_addresses_on_further_links_are_announced_now_and_then(lines: str, wanted: list[str]) -> None:
    taken = Host().take(instance(f"priority 255\n{lines}", addresses="10.0.0.100\n10.1.0.100 dev eth1"))
    (found,) = taken.configuration.vrrp_instance
    assert [entry.dev for entry in on_further_links(found)] == wanted
    routers = Routers(taken.configuration)
    for name in ("eth0", "eth1", "vrrp.51", "vrrp1.51"):
        routers.handle(InterfaceChanged(name, up=True), START)
    source = configuration(instance("", addresses="10.0.0.1")).vrrp_instance[0].virtual_ipaddress[0].address
    routers.handle(AddressAdded("eth0", source, 24), START)
    routers.start(START)
    routers.tick_all(START + 1000)
    told = [
        [entry.dev for entry in order.entries]
        for second in (1, 2, 3, 4)
        for order in routers.tick_all(START + 1000 + second * SECOND)
        if isinstance(order, Announce)
    ]
    assert told == [wanted] * 2 if wanted else told == []
