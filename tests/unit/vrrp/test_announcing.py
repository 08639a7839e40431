"""What a MASTER announces after the first burst: refreshes, further interfaces, and what a reload changes of them."""

from dataclasses import replace as changed
from ipaddress import IPv4Address

import pytest

from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds_vrrp import ExtraGarp
from pykeepalived.units import SECOND
from pykeepalived.vrrp.announcing import on_further_links
from pykeepalived.vrrp.effects import Announce
from pykeepalived.vrrp.events import AddressAdded, InterfaceChanged
from pykeepalived.vrrp.replacement import replace
from pykeepalived.vrrp.routers import Routers
from tests.support.scenario import make_configuration

NOW = 1_000_000_000_000
PLACES = "10.0.0.100/24,10.1.0.100/24@eth1,10.1.0.101/24@eth1"
LINE = (
    "instance VI_1 priority=255 garp_master_repeat=1 garp_master_delay=0"
    f" virtual_ipaddress={PLACES} virtual_ipaddress_excluded=10.2.0.100/24@eth2,10.1.0.102/24@eth1"
)


def configured(extra: ExtraGarp, **options: object) -> Configuration:
    made = make_configuration(LINE)
    (instance,) = made.vrrp_instance
    return changed(made, vrrp_instance=(changed(instance, garp_extra_if=extra, **options),))  # type: ignore[arg-type]


def master(configuration: Configuration) -> Routers:
    host = Routers(configuration)
    for name in ("eth0", "eth1", "eth2"):
        host.handle(InterfaceChanged(name, up=True), NOW)
    host.handle(AddressAdded("eth0", IPv4Address("10.0.0.1"), 24), NOW)
    host.start(NOW)
    host.tick_all(NOW + 1000)
    return host


def announced(host: Routers, start: int, end: int) -> list[tuple[int, list[str]]]:
    """In seconds after NOW, every quarter of one looked at."""
    found = []
    for quarter in range(start * 4, end * 4):
        effects = host.tick_all(NOW + 1000 + quarter * SECOND // 4)
        entries = [effect.entries for effect in effects if isinstance(effect, Announce)]
        found += [(quarter // 4, [str(entry.address) for entry in each]) for each in entries]
    return found


@pytest.mark.keyword("global_defs.vrrp_garp_extra_if")
@pytest.mark.keyword("vrrp_instance.garp_extra_if")
def test_one_address_on_each_further_interface_every_interval() -> None:
    host = master(configured(ExtraGarp(2 * SECOND, everywhere=True)))
    assert announced(host, 1, 7) == [(at, ["10.1.0.100", "10.2.0.100"]) for at in (2, 4, 6)]


def test_without_all_only_vmacs_are_meant() -> None:
    configuration = configured(ExtraGarp(SECOND))
    (instance,) = configuration.vrrp_instance
    assert announced(master(configuration), 1, 4) == []
    first, second, third = instance.virtual_ipaddress
    instance = changed(instance, virtual_ipaddress=(first, second, changed(third, use_vmac=True)))
    assert [str(entry.address) for entry in on_further_links(instance)] == ["10.1.0.101"]


def test_a_reload_begins_and_ends_what_comes_again_and_again() -> None:
    host = master(configured(ExtraGarp()))
    assert announced(host, 1, 3) == []
    both = configured(ExtraGarp(2 * SECOND, everywhere=True), garp_master_refresh=SECOND)
    replace(host, both, NOW + 1000 + 3 * SECOND)
    every = ["10.0.0.100", "10.1.0.100", "10.1.0.101", "10.2.0.100", "10.1.0.102"]
    extra = ["10.1.0.100", "10.2.0.100"]
    assert announced(host, 3, 6) == [(4, every), (5, every), (5, extra)]
    replace(host, both, NOW + 1000 + 6 * SECOND)
    assert announced(host, 6, 8) == [(6, every), (7, every), (7, extra)], "unchanged: as before"
    replace(host, configured(ExtraGarp()), NOW + 1000 + 8 * SECOND)
    assert announced(host, 8, 12) == []


def test_a_stall_is_followed_by_one_announcement() -> None:
    host = master(configured(ExtraGarp(SECOND, everywhere=True)))
    announced(host, 0, 2)
    late = NOW + 10 * SECOND + SECOND // 3
    counts = [sum(isinstance(effect, Announce) for effect in host.tick_all(late + more)) for more in (0, 1, SECOND)]
    assert counts == [1, 0, 1]
