"""The kernel as the VRRP process needs it, in one place, so that a test can give another."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from pykeepalived.kernel.ah_sockets import AhAdvertReceiver, AhAdvertSender
from pykeepalived.kernel.frames import FrameTemplates, LinuxAnnouncer
from pykeepalived.kernel.host import LinuxHost
from pykeepalived.kernel.linkbeat import LinuxLinkProber
from pykeepalived.kernel.links import LinuxVirtualLinks
from pykeepalived.kernel.netlink import Opener
from pykeepalived.kernel.nftables import LinuxPacketFilter
from pykeepalived.kernel.ports import (
    Advert,
    AdvertBundle,
    AdvertReceiver,
    AdvertSender,
    Announcer,
    Host,
    HostListener,
    Interface,
    IPAddress,
    IpvsDaemons,
    LinkProber,
    PacketFilter,
    Routing,
    RoutingListener,
    Sysctls,
    VirtualLinks,
)
from pykeepalived.kernel.repetitions import RepetitionFilters
from pykeepalived.kernel.routing import LinuxRouting
from pykeepalived.kernel.send_sockets import IPPROTO_VRRP, SendSockets
from pykeepalived.kernel.sysctls import LinuxSysctls
from pykeepalived.kernel.vrrp_sockets import LinuxAdvertBundle, LinuxAdvertReceiver, LinuxAdvertSender
from pykeepalived.wire.ah import IPPROTO_AH


class VrrpKernel(Protocol):
    """Makes the ports. Each may raise KernelError."""

    def host(self, listener: HostListener) -> Host:
        """Interfaces and addresses."""

    def routing(self, listener: RoutingListener, interface: Callable[[str], Interface | None]) -> Routing:
        """Routes and rules."""

    def receiver(
        self,
        family: int,
        interface: Interface | None,
        group: IPAddress | None,
        unicast_source: IPAddress | None,
        protocol: int = IPPROTO_VRRP,
    ) -> AdvertReceiver:
        """A receive socket; without interface, for whatever is sent to the source."""

    def sender(
        self, family: int, interface: Interface | None, *, multicast: bool, ttl: int | None, ah_password: bytes = b""
    ) -> AdvertSender:
        """A send socket."""

    def bundle(self, adverts: Sequence[Advert]) -> AdvertBundle:
        """Adverts that go out together."""

    def announcer(self, templates: FrameTemplates) -> Announcer:
        """Gratuitous ARP and unsolicited NA."""

    def packet_filter(self) -> PacketFilter:
        """Tables that drop packets."""

    def link_prober(self) -> LinkProber:
        """What asks drivers for links."""

    def forwards(self, interface: str) -> bool:
        """Whether the interface is a router's for IPv6."""

    def virtual_links(self) -> VirtualLinks:
        """Macvlans and ipvlans."""

    def sysctls(self) -> Sysctls:
        """The settings of links."""

    def ipvs(self, open_socket: Opener | None) -> IpvsDaemons:
        """IPVS, for its sync daemons, where that opens sockets."""


class LinuxVrrpKernel:
    """Linux. To be made before privileges are dropped, for as many receive sockets of these families."""

    def __init__(self, receivers: list[int]) -> None:
        self._filters = RepetitionFilters(receivers)
        self._send_sockets = SendSockets()

    @staticmethod
    def host(listener: HostListener) -> Host:
        """Interfaces and addresses by netlink."""
        return LinuxHost(listener)

    @staticmethod
    def routing(listener: RoutingListener, interface: Callable[[str], Interface | None]) -> Routing:
        """Routes and rules by netlink."""
        return LinuxRouting(listener, interface)

    def receiver(
        self,
        family: int,
        interface: Interface | None,
        group: IPAddress | None,
        unicast_source: IPAddress | None,
        protocol: int = IPPROTO_VRRP,
    ) -> AdvertReceiver:
        """A raw socket."""
        if protocol == IPPROTO_AH:
            return AhAdvertReceiver(family, interface, group=group, unicast_source=unicast_source)
        return LinuxAdvertReceiver(family, interface, group=group, unicast_source=unicast_source, filters=self._filters)

    def sender(
        self, family: int, interface: Interface | None, *, multicast: bool, ttl: int | None, ah_password: bytes = b""
    ) -> AdvertSender:
        """At a raw socket that others share."""
        sockets = self._send_sockets
        if ah_password:
            return AhAdvertSender(
                family, interface, multicast=multicast, ttl=ttl, password=ah_password, sockets=sockets
            )
        return LinuxAdvertSender(family, interface, multicast=multicast, ttl=ttl, sockets=sockets)

    @staticmethod
    def bundle(adverts: Sequence[Advert]) -> AdvertBundle:
        """Prepared for sendmmsg."""
        return LinuxAdvertBundle(adverts)

    @staticmethod
    def announcer(templates: FrameTemplates) -> Announcer:
        """Packet sockets."""
        return LinuxAnnouncer(templates)

    @staticmethod
    def packet_filter() -> PacketFilter:
        """nf_tables."""
        return LinuxPacketFilter()

    @staticmethod
    def link_prober() -> LinkProber:
        """By ioctl."""
        return LinuxLinkProber()

    @staticmethod
    def virtual_links() -> VirtualLinks:
        """By netlink."""
        return LinuxVirtualLinks()

    @staticmethod
    def sysctls() -> Sysctls:
        """Below /proc/sys/net."""
        return LinuxSysctls()

    @staticmethod
    def ipvs(open_socket: Opener | None) -> IpvsDaemons:
        """By netlink."""
        from pykeepalived.kernel.ipvs import LinuxIpvs  # noqa: PLC0415 - few VRRP processes have a sync daemon

        return LinuxIpvs(open_socket)

    @staticmethod
    def forwards(interface: str) -> bool:
        """The interface's ``forwarding`` sysctl."""
        try:
            return Path(f"/proc/sys/net/ipv6/conf/{interface}/forwarding").read_text(encoding="ascii").strip() != "0"
        except OSError:
            return False
