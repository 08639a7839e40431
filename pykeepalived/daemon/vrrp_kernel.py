"""The kernel as the VRRP process needs it, in one place, so that a test can give another."""

from pathlib import Path
from typing import Protocol

from pykeepalived.kernel.ah_sockets import AhAdvertReceiver, AhAdvertSender
from pykeepalived.kernel.frames import FrameTemplates, LinuxAnnouncer
from pykeepalived.kernel.host import LinuxHost
from pykeepalived.kernel.ports import (
    AdvertReceiver,
    AdvertSender,
    Announcer,
    Host,
    HostListener,
    Interface,
    IPAddress,
)
from pykeepalived.kernel.vrrp_sockets import IPPROTO_VRRP, LinuxAdvertReceiver, LinuxAdvertSender
from pykeepalived.wire.ah import IPPROTO_AH


class VrrpKernel(Protocol):
    """Makes the ports. Each may raise KernelError."""

    def host(self, listener: HostListener) -> Host:
        """Interfaces and addresses."""

    def receiver(
        self,
        family: int,
        interface: Interface,
        group: IPAddress | None,
        unicast_source: IPAddress | None,
        protocol: int = IPPROTO_VRRP,
    ) -> AdvertReceiver:
        """A receive socket."""

    def sender(
        self, family: int, interface: Interface, *, multicast: bool, ttl: int | None, ah_password: bytes = b""
    ) -> AdvertSender:
        """A send socket."""

    def announcer(self, templates: FrameTemplates) -> Announcer:
        """Gratuitous ARP and unsolicited NA."""

    def forwards(self, interface: str) -> bool:
        """Whether the interface is a router's for IPv6."""


class LinuxVrrpKernel:
    """Linux."""

    @staticmethod
    def host(listener: HostListener) -> Host:
        """Interfaces and addresses by netlink."""
        return LinuxHost(listener)

    @staticmethod
    def receiver(
        family: int,
        interface: Interface,
        group: IPAddress | None,
        unicast_source: IPAddress | None,
        protocol: int = IPPROTO_VRRP,
    ) -> AdvertReceiver:
        """A raw socket."""
        if protocol == IPPROTO_AH:
            return AhAdvertReceiver(family, interface, group=group, unicast_source=unicast_source)
        return LinuxAdvertReceiver(family, interface, group=group, unicast_source=unicast_source)

    @staticmethod
    def sender(
        family: int, interface: Interface, *, multicast: bool, ttl: int | None, ah_password: bytes = b""
    ) -> AdvertSender:
        """A raw socket."""
        if ah_password:
            return AhAdvertSender(family, interface, multicast=multicast, ttl=ttl, password=ah_password)
        return LinuxAdvertSender(family, interface, multicast=multicast, ttl=ttl)

    @staticmethod
    def announcer(templates: FrameTemplates) -> Announcer:
        """Packet sockets."""
        return LinuxAnnouncer(templates)

    @staticmethod
    def forwards(interface: str) -> bool:
        """The interface's ``forwarding`` sysctl."""
        try:
            return Path(f"/proc/sys/net/ipv6/conf/{interface}/forwarding").read_text(encoding="ascii").strip() != "0"
        except OSError:
            return False
