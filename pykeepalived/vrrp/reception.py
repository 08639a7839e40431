"""The receive ladder of one instance: which adverts count. The wire's half first, then what settings and peers say.

A kind of fault is logged once, until the instance enters or leaves MASTER or accepts another master.
"""

from collections.abc import Callable

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.effects import Level
from pykeepalived.errors import DecodeError
from pykeepalived.units import MILLISECOND
from pykeepalived.vrrp import lines, rivals
from pykeepalived.vrrp.adverts import expected
from pykeepalived.vrrp.authentication import Authentication, WallClock, authentication_of
from pykeepalived.vrrp.disagreements import advice
from pykeepalived.vrrp.effects import Effect
from pykeepalived.vrrp.statistics import Statistics
from pykeepalived.wire.vrrp import AUTH_AH, OWNER, Advert, Packet, Reason, decode, text

_FILES_DIFFER = frozenset(
    {
        Reason.VERSION,
        Reason.AUTH_TYPE,
        Reason.AUTH_TYPE_UNKNOWN,
        Reason.PASSWORD,
        Reason.HMAC_MISSING,
        Reason.HMAC_KEY,
        Reason.HMAC,
        Reason.INTERVAL,
        Reason.CHECKSUM,
        Reason.CAST,
        Reason.UNICAST_SOURCE,
    }
)
"""Who sends such adverts is MASTER by another file, and will not yield to us, nor we to it."""
_RESIGNS = b"\0"


class Reception:
    """Judges packets. Remembers the last faultless one, so that its repetition costs a comparison."""

    __slots__ = (
        "_addresses",
        "_clean",
        "_clean_data",
        "_clean_destination",
        "_clean_length",
        "_clean_message",
        "_clean_source",
        "_clean_ttl",
        "_expected",
        "_instance",
        "_message",
        "_peers",
        "_statistics",
        "_told",
        "authentication",
        "clock",
        "old_checksum",
        "own_address",
        "refused",
    )

    def __init__(self, instance: VrrpInstance, statistics: Statistics) -> None:
        self._statistics = statistics
        self._told: set[Reason] = set()
        self.refused = ""  # the latest fault of a packet since one was accepted
        self.own_address = ""
        """Where our adverts come from while we are MASTER."""
        self.authentication: Authentication | None = None
        self.clock = WallClock()
        self.old_checksum = False
        """Whether unicast adverts have the checksum of old releases, as a peer's have."""
        self.configure(instance)

    def configure(self, instance: VrrpInstance) -> None:
        """Judge by these settings from now on."""
        self._instance = instance
        self._expected = expected(instance)
        self._addresses = {entry.address.packed: entry.address for entry in instance.virtual_ipaddress}
        self._peers = {peer.address.packed: peer for peer in instance.unicast_peer}
        self.authentication = authentication_of(instance, self.authentication)
        choice = instance.old_unicast_checksum
        self.old_checksum = choice == "old" or (choice == "" and self.old_checksum and instance.unicast)
        self._clean: Advert | None = None
        self._clean_message = self._message = b""  # in place of _clean_data where each advert is to be proved
        self._clean_data = self._clean_source = self._clean_destination = b""
        self._clean_ttl = self._clean_length = 0

    def forget(self) -> None:
        """Say each kind of fault again when it comes again."""
        self._told.clear()
        self._clean_source = b""

    def knows_peer(self, source: bytes) -> bool:
        """Whether ``source`` is one of the unicast peers."""
        return source in self._peers

    def complain(self, reason: Reason, message: str, packet: Packet, effects: list[Effect]) -> None:
        """Count a fault; log it, and what of the sender's file may be its cause, if its kind was not logged yet."""
        self._statistics.count(reason)
        if reason not in self._told:
            self.say_once(reason, message, effects)
            self._say_cause(reason, packet, effects)
        if self.own_address and reason in _FILES_DIFFER:
            self._say_two_masters(packet, effects)

    def _say_two_masters(self, packet: Packet, effects: list[Effect]) -> None:
        if Reason.TWO_MASTERS not in self._told and packet.data[2:3] != _RESIGNS:
            self._told.add(Reason.TWO_MASTERS)
            rivals.say_refused(self._instance, text(packet.source), self.own_address, effects)

    def say_once(self, reason: Reason, message: str, effects: list[Effect], level: Level = Level.INFO) -> None:
        """Log a kind of fault if it was not logged yet."""
        if reason not in self._told:
            self._told.add(reason)
            effects.append(lines.packet(self._instance.name, message, level))

    def _say_cause(self, reason: Reason, packet: Packet, effects: list[Effect]) -> None:
        if cause := advice(reason, packet, self._instance):
            effects.append(lines.packet(self._instance.name, f"cause: {cause}", Level.WARNING))

    def judge(
        self, packet: Packet, current_master: Callable[[], bytes | None], effects: list[Effect], now: int = 0
    ) -> Advert | None:
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
            if self.authentication is None:
                advert = decode(packet, self._expected)
            else:
                advert = self._proved(packet, self.authentication, effects, now)
        except DecodeError as error:
            self.complain(Reason(error.reason), error.detail, packet, effects)
            self.refused = error.detail
            return None
        if advert is self._clean:
            self._statistics.advert_rcvd += 1
        elif not self._approve(advert, packet, current_master, effects):
            return None
        self.refused = ""
        return advert

    def _proved(self, packet: Packet, authentication: Authentication, effects: list[Effect], now: int) -> Advert:
        """The advert of a packet that is proved to be genuine. A repetition costs the proof alone."""
        wall = now + self.clock.offset
        said = ""

        def verify(message: bytes, trailer: bytes) -> None:
            nonlocal said
            self._message = message
            said = authentication.verify(packet, message, trailer, wall)

        if self._clean is not None and self._repeats(packet):
            size = len(self._clean_message)
            verify(packet.data[:size], packet.data[size:])
            advert = self._clean
        else:
            advert = decode(packet, self._expected, verify)
        if said and Reason.CLOCK not in self._told:
            self.say_once(Reason.CLOCK, said, effects, Level.WARNING)
            self._say_cause(Reason.CLOCK, packet, effects)
        return advert

    def _repeats(self, packet: Packet) -> bool:
        """Whether it differs from the last faultless one in its proof alone."""
        return (
            packet.data.startswith(self._clean_message)
            and packet.source == self._clean_source
            and packet.ttl == self._clean_ttl
            and packet.destination == self._clean_destination
            and len(packet.data) == packet.length == self._clean_length
            and bool(packet.headers) == (self._expected.auth_type == AUTH_AH)
        )

    def _approve(
        self, advert: Advert, packet: Packet, current_master: Callable[[], bytes | None], effects: list[Effect]
    ) -> bool:
        """The second half of the ladder: what settings and peers say of a sound advert. A faultless one is kept."""
        if not self._meant_for_us(packet, effects):
            return False
        self._statistics.advert_rcvd += 1
        self._compare_interval(advert, packet, effects)
        clean = self._same_addresses(advert, packet, current_master, effects)
        if not self._from_a_peer(packet, effects):
            return False
        if advert.old_checksum and not self.old_checksum:
            self.old_checksum = True
            self.say_once(Reason.OLD_CHECKSUM, "Setting unicast VRRPv3 checksum to old version", effects)
        if clean:
            self._keep(advert, packet)
        return True

    def _keep(self, advert: Advert, packet: Packet) -> None:
        self._clean, self._clean_source, self._clean_ttl = advert, packet.source, packet.ttl
        self._clean_destination, self._clean_length = packet.destination, packet.length
        if self.authentication is None:
            self._clean_data = packet.data
        else:
            self._clean_message = self._message

    def _meant_for_us(self, packet: Packet, effects: list[Effect]) -> bool:
        instance = self._instance
        multicast = packet.destination[0] >= 0xFF if len(packet.destination) == 16 else packet.destination[0] >> 4 == 14
        if multicast == instance.unicast:
            kind = "multicast" if multicast else "unicast"
            other = "unicast" if instance.unicast else "multicast"
            self.complain(
                Reason.CAST, f"{kind} advert from {text(packet.source)} received by a {other} instance", packet, effects
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
        if Reason.LEARNT_INTERVAL in self._told:
            return
        self.say_once(
            Reason.LEARNT_INTERVAL,
            f"advertisement interval mismatch with {text(packet.source)} mine={mine // MILLISECOND} milli-sec"
            f" rcv'd={advert.advert_interval // MILLISECOND} milli-sec",
            effects,
        )
        self._say_cause(Reason.LEARNT_INTERVAL, packet, effects)

    def _same_addresses(
        self, advert: Advert, packet: Packet, current_master: Callable[[], bytes | None], effects: list[Effect]
    ) -> bool:
        if self._instance.skip_check_adv_addr and current_master() == packet.source:
            return True
        ours = len(self._instance.virtual_ipaddress)
        if len(advert.addresses) != ours:
            self.complain(Reason.COUNT, f"expected {ours} VIPs but received {len(advert.addresses)}", packet, effects)
            return False
        received = set(advert.addresses)
        for packed, address in self._addresses.items():
            if packed not in received:
                self.complain(
                    Reason.ADDRESSES,
                    f"ip address associated with VRID {advert.vrid} not present in advert from"
                    f" {text(packet.source)}: {address}",
                    packet,
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
                self.complain(
                    Reason.UNICAST_SOURCE, f"unicast source address {sender} not a unicast peer", packet, effects
                )
                return False
            return True
        if (peer.min_ttl is not None and packet.ttl < peer.min_ttl) or (
            peer.max_ttl is not None and packet.ttl > peer.max_ttl
        ):
            self.complain(
                Reason.PEER_TTL, f"TTL/HL {packet.ttl} from {sender} outside its min_ttl and max_ttl", packet, effects
            )
            return False
        return True
