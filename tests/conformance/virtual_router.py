"""One virtual router without a network, for the tests of what an RFC demands: a packet or a time in, orders out."""

from dataclasses import replace
from ipaddress import ip_address, ip_interface

from pykeepalived.effects import Log
from pykeepalived.errors import DecodeError
from pykeepalived.events import Tick
from pykeepalived.vrrp.adverts import expected, messages
from pykeepalived.vrrp.effects import Effect, SendAdvert
from pykeepalived.vrrp.events import AddressAdded, AdvertReceived, InterfaceChanged
from pykeepalived.vrrp.identity import receiver_of
from pykeepalived.vrrp.routers import Routers
from pykeepalived.wire.checksum import checksum
from pykeepalived.wire.vrrp import Advert, decode, pseudo_header
from tests.support.link import Received
from tests.support.scenario import make_configuration, make_instance

START = 1_000_000_000_000
OWN = {4: "10.0.0.20/24", 6: "fe80::20/64"}
OTHER = {4: "10.0.0.30", 6: "fe80::30"}
LOWER = {4: "10.0.0.2", 6: "fe80::2"}


class Bench:
    """A virtual router that has started, with the address of OWN."""

    def __init__(self, options: str) -> None:
        self.host = Routers(make_configuration(f"instance VI_1 {options}"))
        (self.router,) = self.host.routers.values()
        self.instance = self.router.instance
        self.family = 4 if self.instance.mcast_group.version == 4 else 6
        where = ip_interface(OWN[self.family])
        self.host.handle(InterfaceChanged("eth0", up=True), START)
        self.host.handle(AddressAdded("eth0", where.ip, where.network.prefixlen), START)
        self.host.start(START)

    @property
    def state(self) -> str:
        """Its state by name."""
        return self.router.state.name

    @property
    def waits(self) -> int:
        """How long after the start something is due."""
        assert self.router.deadline is not None
        return self.router.deadline - START

    def packet(self, priority: int, source: str = "", **options: str) -> Received:
        """An advert of another host with the same settings, unless ``options`` say otherwise."""
        sender = ip_address(source or OTHER[self.family]).packed
        settings = {
            "priority": str(priority),
            "version": str(self.instance.version),
            "virtual_ipaddress": ",".join(str(each) for each in self.instance.virtual_ipaddress),
        }
        instance = make_instance("other", **settings | options)
        ((destination, data),) = messages(instance, priority, sender)
        return Received(sender, destination, 255, data, len(data))

    def hears(self, packet: Received, after: int = 0) -> list[Effect]:
        """The packet comes in, so long after the start."""
        return self.host.handle(AdvertReceived(receiver_of(self.instance), packet), START + after)

    def passes(self, after: int) -> list[Effect]:
        """Nothing happens until so long after the start."""
        return self.host.handle(Tick(), START + after)

    def master(self) -> int:
        """Nobody is heard: it becomes MASTER; when."""
        after = self.waits
        self.passes(after)
        assert self.state == "MASTER"
        return after

    def refusal(self, packet: Received) -> str:
        """Why the packet is refused; empty when it is accepted."""
        try:
            decode(packet, expected(self.instance))
        except DecodeError as error:
            return str(error.reason)
        return ""

    def advert(self, priority: int = 100) -> Advert:
        """What it would send, read by another router with the same settings."""
        return decode(self.packet(priority), expected(self.instance))


def changed(packet: Received, at: int, value: int, *, summed: bool = True) -> Received:
    """One byte is another one; the checksum is made right again (IPv6: the kernel's business)."""
    data = bytearray(packet.data)
    data[at] = value
    if summed and len(packet.source) == 4:
        data[6:8] = bytes(2)
        head = pseudo_header(packet.source, packet.destination, len(data)) if data[0] >> 4 == 3 else b""
        data[6:8] = checksum(head + bytes(data)).to_bytes(2, "big")
    return replace(packet, data=bytes(data))


def adverts(effects: list[Effect]) -> list[int]:
    """The priorities of the adverts that are sent."""
    return [effect.priority for effect in effects if isinstance(effect, SendAdvert)]


def lines(effects: list[Effect]) -> list[str]:
    """What is logged without -D, but for the lines with causes."""
    told = [effect.message for effect in effects if isinstance(effect, Log) and not effect.detail]
    return [line for line in told if " cause: " not in line]
