"""The kernel as the VRRP process needs it, in one place, so that a test can give another."""

from pathlib import Path
from typing import Protocol

from pykeepalived.kernel.frames import FrameTemplates, LinuxAnnouncer
from pykeepalived.kernel.host import LinuxHost
from pykeepalived.kernel.links import LinuxVirtualLinks
from pykeepalived.kernel.nftables import LinuxPacketFilter
from pykeepalived.kernel.ports import (
    AdvertReceiver,
    AdvertSender,
    Announcer,
    Host,
    HostListener,
    Interface,
    IPAddress,
    PacketFilter,
    Sysctls,
    VirtualLinks,
)
from pykeepalived.kernel.sysctls import LinuxSysctls
from pykeepalived.kernel.vrrp_sockets import LinuxAdvertReceiver, LinuxAdvertSender


class VrrpKernel(Protocol):
    """Makes the ports. Each may raise KernelError."""

    def host(self, listener: HostListener) -> Host:
        """Interfaces and addresses."""

    def receiver(
        self, family: int, interface: Interface | None, group: IPAddress | None, unicast_source: IPAddress | None
    ) -> AdvertReceiver:
        """A receive socket; without interface, for whatever is sent to the source."""

    def sender(self, family: int, interface: Interface | None, *, multicast: bool, ttl: int | None) -> AdvertSender:
        """A send socket."""

    def announcer(self, templates: FrameTemplates) -> Announcer:
        """Gratuitous ARP and unsolicited NA."""

    def packet_filter(self) -> PacketFilter:
        """Tables that drop packets."""

    def forwards(self, interface: str) -> bool:
        """Whether the interface is a router's for IPv6."""

    def virtual_links(self) -> VirtualLinks:
        """Macvlans and ipvlans."""

    def sysctls(self) -> Sysctls:
        """The settings of links."""


class LinuxVrrpKernel:
    """Linux."""

    @staticmethod
    def host(listener: HostListener) -> Host:
        """Interfaces and addresses by netlink."""
        return LinuxHost(listener)

    @staticmethod
    def receiver(
        family: int, interface: Interface | None, group: IPAddress | None, unicast_source: IPAddress | None
    ) -> AdvertReceiver:
        """A raw socket."""
        return LinuxAdvertReceiver(family, interface, group=group, unicast_source=unicast_source)

    @staticmethod
    def sender(family: int, interface: Interface | None, *, multicast: bool, ttl: int | None) -> AdvertSender:
        """A raw socket."""
        return LinuxAdvertSender(family, interface, multicast=multicast, ttl=ttl)

    @staticmethod
    def announcer(templates: FrameTemplates) -> Announcer:
        """Packet sockets."""
        return LinuxAnnouncer(templates)

    @staticmethod
    def packet_filter() -> PacketFilter:
        """nf_tables."""
        return LinuxPacketFilter()

    @staticmethod
    def virtual_links() -> VirtualLinks:
        """By netlink."""
        return LinuxVirtualLinks()

    @staticmethod
    def sysctls() -> Sysctls:
        """Below /proc/sys/net."""
        return LinuxSysctls()

    @staticmethod
    def forwards(interface: str) -> bool:
        """The interface's ``forwarding`` sysctl."""
        try:
            return Path(f"/proc/sys/net/ipv6/conf/{interface}/forwarding").read_text(encoding="ascii").strip() != "0"
        except OSError:
            return False
