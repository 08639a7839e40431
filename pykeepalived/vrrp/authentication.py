"""Proof that adverts are genuine, as far as it takes memory: AH and auth_hmac, of one virtual router.

A password needs none; it is compared in the ladder (``wire.vrrp``). Nothing here knows a clock: the time of day is
told by the driver, as its distance from the monotonic clock.
"""

from pykeepalived.config.blocks.authentication import AuthHmac
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.errors import DecodeError
from pykeepalived.units import SECOND
from pykeepalived.wire import ah, hmac_trailer
from pykeepalived.wire.keyed_hash import keyed_hash, same
from pykeepalived.wire.vrrp import Packet, Reason, text

_SENDERS_KNOWN = 4


class WallClock:
    """The time of day, as told: how far it is ahead of the monotonic clock."""

    __slots__ = ("offset",)

    def __init__(self) -> None:
        self.offset = 0


class Ah:
    """auth_type AH. All routers of a VRID count one sequence: whoever accepts an advert goes on from its number, so
    that the adverts after a takeover are no replay to the others.

    Two that became MASTER at one moment give the same numbers. So the number that we gave last counts as new when it
    comes from another: had we heard it before, we would have given a greater one.
    """

    __slots__ = ("_given_by", "_key", "_multicast", "sequence")

    def __init__(self, instance: VrrpInstance) -> None:
        self.sequence = 0
        self._given_by = b""  # our address, if the latest number is our own
        self.configure(instance)

    def configure(self, instance: VrrpInstance) -> None:
        """Take the password; the sequence goes on."""
        self._key = ah.Key(instance.auth_pass)
        self._multicast = not instance.unicast

    @property
    def used_up(self) -> bool:
        """Nobody would accept a further number: whoever is MASTER next begins anew."""
        return self.sequence > ah.LAST_SEQUENCE

    def begin(self) -> None:
        """A router becomes MASTER."""
        if self.used_up:
            self.sequence = 0

    def next(self, source: bytes) -> int:
        """The number of the next advert, which we send from ``source``."""
        self._given_by = source
        self.sequence = min(self.sequence + 1, ah.GREATEST_SEQUENCE)
        return self.sequence

    def verify(self, packet: Packet, message: bytes, trailer: bytes, wall: int) -> str:  # noqa: ARG002 - as below
        """Raises DecodeError unless the advert is genuine and new."""
        sender = text(packet.source)
        proof = ah.read(packet.headers)
        if proof is None or not same(self._key.icv(packet.headers + message, multicast=self._multicast), proof.icv):
            raise DecodeError(
                Reason.PASSWORD,
                f"IPSEC-AH : invalid IPSEC HMAC-MD5 value from {sender}. Due to fields mutation or bad password !",
            )
        if proof.spi != packet.source:
            raise DecodeError(Reason.PASSWORD, f"IPSEC-AH : invalid IPSEC SPI value {text(proof.spi)} from {sender}")
        given_twice = proof.sequence == self.sequence and self._given_by not in {b"", packet.source}
        if proof.sequence <= self.sequence and not given_twice and not self.used_up:
            raise DecodeError(
                Reason.SEQUENCE,
                f"IPSEC-AH : sequence number {proof.sequence} from {sender} already processed. Packet dropped."
                f" Local({self.sequence})",
            )
        self.sequence, self._given_by = proof.sequence, b""
        return ""


class Hmac:
    """auth_hmac. What was heard last is remembered for each peer, or, of a group, for the four latest senders."""

    __slots__ = ("_heard", "_keys", "_monotonic", "_peers", "_required", "_window")

    def __init__(self, instance: VrrpInstance, settings: AuthHmac) -> None:
        self._heard: dict[bytes, int] = {}
        self.configure(instance, settings)

    def configure(self, instance: VrrpInstance, settings: AuthHmac) -> None:
        """Take the keys and rules; what was heard stays known."""
        self._keys = {key.id: keyed_hash("sha256", key.secret) for key in settings.key}
        self._required = settings.mode == "enforce"
        self._monotonic = settings.anti_replay == "monotonic"
        self._window = settings.time_window // SECOND
        self._peers = frozenset(peer.address.packed for peer in instance.unicast_peer)

    def verify(self, packet: Packet, message: bytes, trailer: bytes, wall: int) -> str:
        """Raises DecodeError unless the advert is genuine and new. Gives what is to be said of the sender's clock."""
        source = packet.source
        sender = text(source)
        if not trailer:
            if self._required:
                raise DecodeError(Reason.HMAC_MISSING, f"received no auth_hmac trailer from {sender}, expecting one!")
            return ""
        if self._peers and source not in self._peers:
            raise DecodeError(Reason.UNICAST_SOURCE, f"unicast source address {sender} not a unicast peer")
        said = hmac_trailer.read(trailer)
        if said is None:
            raise DecodeError(Reason.HMAC_MALFORMED, f"received a malformed auth_hmac trailer from {sender}!")
        clock = hmac_trailer.sequence_at(wall)
        ahead = 0 if self._monotonic else hmac_trailer.seconds_ahead(said.sequence, clock)
        if abs(ahead) > self._window:
            raise DecodeError(Reason.HMAC_STALE, f"received a stale advert from {sender}, {_apart(ahead)}")
        key = self._keys.get(said.key)
        if key is None:
            raise DecodeError(Reason.HMAC_KEY, f"received an advert signed with unknown key {said.key} from {sender}!")
        if not same(hmac_trailer.mac(key, message, source, said.head), said.mac):
            raise DecodeError(Reason.HMAC, f"received an invalid HMAC of key {said.key} from {sender}!")
        self._note(source, said.sequence, clock, sender)
        return f"the clock of {sender} is {_apart(ahead)}" if abs(ahead) * 2 > self._window else ""

    def _note(self, source: bytes, sequence: int, clock: int, sender: str) -> None:
        """Remember what was heard last; raises DecodeError when it was heard already."""
        heard = self._heard
        last = heard.get(source)
        if last is not None and hmac_trailer.ahead(sequence, last) <= 0 and not self._beyond(last, clock):
            raise DecodeError(Reason.HMAC_REPLAY, f"received a replayed advert from {sender}!")
        heard.pop(source, None)
        heard[source] = sequence
        if not self._peers and len(heard) > _SENDERS_KNOWN:
            del heard[next(iter(heard))]

    def _beyond(self, sequence: int, clock: int) -> bool:
        """Whether a number is from a time of day that was taken back since: an advert of now could never follow it."""
        return not self._monotonic and hmac_trailer.seconds_ahead(sequence, clock) > self._window


class Stamps:
    """The numbers of the adverts that one instance signs: the time of day, and always more than the last one."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: int | None = None

    def next(self, settings: AuthHmac, wall: int) -> int:
        """The number of an advert that is sent now."""
        clock, last = hmac_trailer.sequence_at(wall), self._last
        if last is None or hmac_trailer.ahead(clock, last) > 0:
            number = clock
        elif (
            settings.anti_replay == "time" and hmac_trailer.seconds_ahead(last, clock) > settings.time_window // SECOND
        ):
            number = clock  # the clock was set back: what is ahead of it is stale to the others
        else:
            number = hmac_trailer.following(last)
        self._last = number
        return number


Authentication = Ah | Hmac


def authentication_of(instance: VrrpInstance, former: Authentication | None) -> Authentication | None:
    """What an instance needs. What ``former`` knows of sequences is kept where the kind is the same."""
    if instance.auth_hmac is not None:
        if isinstance(former, Hmac):
            former.configure(instance, instance.auth_hmac)
            return former
        return Hmac(instance, instance.auth_hmac)
    if instance.auth_type != "AH":
        return None
    if isinstance(former, Ah):
        former.configure(instance)
        return former
    return Ah(instance)


def _apart(seconds: int) -> str:
    """``12 s ahead of ours``."""
    return f"{abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} ours"
