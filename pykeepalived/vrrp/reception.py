"""The receive ladder of one instance: which adverts count. The wire's half first, then what settings and peers say.

A kind of fault is logged once, until the instance enters or leaves MASTER or accepts another master.
"""

from collections.abc import Callable

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import DecodeError
from pykeepalived.units import MILLISECOND
from pykeepalived.vrrp.adverts import expected
from pykeepalived.vrrp.effects import Effect
from pykeepalived.vrrp.statistics import Statistics
from pykeepalived.wire.vrrp import OWNER, Advert, Packet, Reason, decode, text


class Reception:
    """Judges packets. Remembers the last faultless one, so that its repetition costs a comparison."""

    __slots__ = (
        "_addresses",
        "_clean",
        "_clean_data",
        "_clean_destination",
        "_clean_length",
        "_clean_source",
        "_clean_ttl",
        "_expected",
        "_instance",
        "_peers",
        "_statistics",
        "_told",
        "refused",
    )

    def __init__(self, instance: VrrpInstance, statistics: Statistics) -> None:
        self._statistics = statistics
        self._told: set[Reason] = set()
        self.refused = ""  # the latest fault of a packet since one was accepted
        self.configure(instance)

    def configure(self, instance: VrrpInstance) -> None:
        """Judge by these settings from now on."""
        self._instance = instance
        self._expected = expected(instance)
        self._addresses = {entry.address.packed: entry.address for entry in instance.virtual_ipaddress}
        self._peers = {peer.address.packed: peer for peer in instance.unicast_peer}
        self._clean: Advert | None = None
        self._clean_data = self._clean_source = self._clean_destination = b""
        self._clean_ttl = self._clean_length = 0

    def forget(self) -> None:
        """Say each kind of fault again when it comes again."""
        self._told.clear()
        self._clean_source = b""

    def knows_peer(self, source: bytes) -> bool:
        """Whether ``source`` is one of the unicast peers."""
        return source in self._peers

    def complain(self, reason: Reason, message: str, effects: list[Effect], level: Level = Level.INFO) -> None:
        """Count a fault, and log it if its kind was not logged yet."""
        self._statistics.count(reason)
        self.say_once(reason, message, effects, level)

    def say_once(self, reason: Reason, message: str, effects: list[Effect], level: Level = Level.INFO) -> None:
        """Log a kind of fault if it was not logged yet."""
        if reason not in self._told:
            self._told.add(reason)
            name = self._instance.name
            effects.append(Log(f"({name}) {message}", level, Kind.VRRP_PACKET, fields=(("VRRP_INSTANCE", name),)))

    def judge(self, packet: Packet, current_master: Callable[[], bytes | None], effects: list[Effect]) -> Advert | None:
        """The advert if it counts. ``current_master`` is the address of the master known as BACKUP, None as MASTER."""
        if (
            packet.data == self._clean_data
            and packet.source == self._clean_source
            and packet.ttl == self._clean_ttl
            and packet.destination == self._clean_destination
            and packet.length == self._clean_length
        ):
            self._statistics.advert_rcvd += 1
            self.refused = ""
            return self._clean
        try:
            advert = decode(packet, self._expected)
        except DecodeError as error:
            self.complain(Reason(error.reason), error.detail, effects)
            self.refused = error.detail
            return None
        if not self._meant_for_us(packet, effects):
            return None
        self._statistics.advert_rcvd += 1
        self._compare_interval(advert, packet, effects)
        clean = self._same_addresses(advert, packet, current_master, effects)
        if not self._from_a_peer(packet, effects):
            return None
        self.refused = ""
        if clean:
            self._clean, self._clean_data, self._clean_source = advert, packet.data, packet.source
            self._clean_ttl, self._clean_destination, self._clean_length = (
                packet.ttl,
                packet.destination,
                packet.length,
            )
        return advert

    def _meant_for_us(self, packet: Packet, effects: list[Effect]) -> bool:
        instance = self._instance
        multicast = packet.destination[0] >= 0xFF if len(packet.destination) == 16 else packet.destination[0] >> 4 == 14
        if multicast == instance.unicast:
            kind = "multicast" if multicast else "unicast"
            other = "unicast" if instance.unicast else "multicast"
            self.complain(
                Reason.CAST, f"{kind} advert from {text(packet.source)} received by a {other} instance", effects
            )
            return False
        if instance.owner_ignore_adverts and instance.priority == OWNER:
            self._statistics.count(Reason.OWNER_IGNORES)
            return False
        return True

    def _compare_interval(self, advert: Advert, packet: Packet, effects: list[Effect]) -> None:
        """Version 3 accepts another interval, and a BACKUP learns it."""
        mine = self._instance.advert_int
        if advert.advert_interval == mine:
            return
        self.say_once(
            Reason.LEARNT_INTERVAL,
            f"advertisement interval mismatch with {text(packet.source)} mine={mine // MILLISECOND} milli-sec"
            f" rcv'd={advert.advert_interval // MILLISECOND} milli-sec",
            effects,
        )

    def _same_addresses(
        self, advert: Advert, packet: Packet, current_master: Callable[[], bytes | None], effects: list[Effect]
    ) -> bool:
        if self._instance.skip_check_adv_addr and current_master() == packet.source:
            return True
        ours = len(self._instance.virtual_ipaddress)
        if len(advert.addresses) != ours:
            self.complain(Reason.COUNT, f"expected {ours} VIPs but received {len(advert.addresses)}", effects)
            return False
        received = set(advert.addresses)
        for packed, address in self._addresses.items():
            if packed not in received:
                self.complain(
                    Reason.ADDRESSES,
                    f"ip address associated with VRID {advert.vrid} not present in advert from"
                    f" {text(packet.source)}: {address}",
                    effects,
                )
                return False
        return True

    def _from_a_peer(self, packet: Packet, effects: list[Effect]) -> bool:
        if not self._instance.unicast:
            return True
        sender = text(packet.source)
        peer = self._peers.get(packet.source)
        if peer is None:
            if self._instance.check_unicast_src:
                self.complain(Reason.UNICAST_SOURCE, f"unicast source address {sender} not a unicast peer", effects)
                return False
            return True
        if (peer.min_ttl is not None and packet.ttl < peer.min_ttl) or (
            peer.max_ttl is not None and packet.ttl > peer.max_ttl
        ):
            self.complain(
                Reason.PEER_TTL, f"TTL/HL {packet.ttl} from {sender} outside its min_ttl and max_ttl", effects
            )
            return False
        return True
