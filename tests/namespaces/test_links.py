"""Virtual links and settings in the real kernel: what is made is what was asked for, and what is told of it."""

import errno
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pykeepalived.errors import KernelError
from pykeepalived.kernel.host import LinuxHost
from pykeepalived.kernel.links import LinuxVirtualLinks
from pykeepalived.kernel.ports import HostAddress, Interface, NewLink
from pykeepalived.kernel.sysctls import BorrowedSysctls, LinuxSysctls
from tests.namespaces.veth_pair import Namespace, veth_pair, why_not

pytestmark = [pytest.mark.root, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]

MAC = bytes.fromhex("00005e000133")


class Heard:
    """Remembers the links."""

    def interface_changed(self, old: Interface | None, new: Interface | None) -> None:
        """Nothing is done about it."""

    def address_added(self, address: HostAddress) -> None:
        """Likewise."""

    def address_removed(self, address: HostAddress) -> None:
        """Likewise."""


@pytest.fixture
def here() -> Iterator[tuple[Namespace, LinuxHost, LinuxVirtualLinks]]:
    with veth_pair() as (left, _):
        host, links = left.call(lambda: LinuxHost(Heard())), left.call(LinuxVirtualLinks)
        yield left, host, links
        links.close()
        host.close()


def known(host: LinuxHost, name: str) -> Interface:
    found = host.interface(name)
    assert found is not None
    return found


def test_a_macvlan_is_private_with_the_mtu_of_its_base(here: tuple[Namespace, LinuxHost, LinuxVirtualLinks]) -> None:
    namespace, host, links = here
    namespace.ip("link set eth0 mtu 1400")
    host.drain()
    base = known(host, "eth0")
    assert (base.kind, base.base) == ("veth", 0)  # what it stands on is in another namespace
    new = NewLink("vrrp.51", "macvlan", base.index, MAC, group=7)
    links.add(new)
    host.drain()
    made = known(host, "vrrp.51")
    assert (made.up, made.kind, made.mode, made.base, made.group) == (False, "macvlan", 1, base.index, 7)
    assert (made.mac, made.mtu) == (MAC, 1400)
    links.settle("vrrp.51", group=8, master=0, alias="pykeepalived: x=1", link_local=False)
    host.drain()
    made = known(host, "vrrp.51")
    assert (made.up, made.group, made.alias, made.master) == (True, 8, "pykeepalived: x=1", 0)
    (told,) = json.loads(namespace.ip("-j -d link show dev vrrp.51"))
    assert told["linkinfo"]["info_data"]["mode"] == "private"
    assert told["inet6_addr_gen_mode"] == "none"
    assert "inet6" not in namespace.ip("address show dev vrrp.51")
    with pytest.raises(KernelError) as refused:
        links.add(new)
    assert refused.value.errno == errno.EEXIST
    links.add(replace(new, name="vrrp.52"))
    with pytest.raises(KernelError, match=r"bring up vrrp\.52"):  # one MAC address on one base is one link
        links.settle("vrrp.52", group=0, master=0, alias="", link_local=True)
    links.remove("vrrp.51")
    links.remove("vrrp.51")
    host.drain()
    assert host.interface("vrrp.51") is None


def test_many_links_are_removed_together_and_no_other(here: tuple[Namespace, LinuxHost, LinuxVirtualLinks]) -> None:
    _, host, links = here
    base = known(host, "eth0").index
    for number in range(20):
        links.add(NewLink(f"vrrp.{number}", "macvlan", base, MAC[:5] + bytes((number,))))
    links.remove_together(["absent", *(f"vrrp.{number}" for number in range(19))], 0x70796B00)
    host.drain()
    assert {each.name for each in host.interfaces()} == {"lo", "eth0", "vrrp.19"}


def test_what_the_kernel_does_not_know_is_told_in_words(here: tuple[Namespace, LinuxHost, LinuxVirtualLinks]) -> None:
    links = here[2]
    with pytest.raises(KernelError, match=r"make macvlan x \(.+\)") as refused:
        links.add(NewLink("x", "macvlan", 99, MAC))
    assert refused.value.errno == errno.ENODEV
    with pytest.raises(KernelError):
        links.settle("absent", group=0, master=0, alias="", link_local=True)


def test_settings_are_written_and_given_back(here: tuple[Namespace, LinuxHost, LinuxVirtualLinks]) -> None:
    path = "ipv4/conf/eth0/arp_ignore"

    def borrow() -> None:
        sysctls = LinuxSysctls()
        borrowed = BorrowedSysctls(sysctls)
        before = sysctls.read(path)
        assert before == "0"
        assert borrowed.set(path, "1") == 0
        assert borrowed.set(path, "2") == 0
        assert (sysctls.read(path), borrowed.former(path)) == ("2", "0")
        assert borrowed.set("ipv4/conf/absent/arp_ignore", "1") == errno.ENOENT
        assert sysctls.write("ipv4/conf/absent/arp_ignore", "1") == errno.ENOENT
        assert sysctls.write(path, "nonsense") == errno.EINVAL
        borrowed.give_back("ipv4/conf/other/")
        assert sysctls.read(path) == "2"
        borrowed.give_back()
        assert sysctls.read(path) == "0"

    here[0].call(borrow)
