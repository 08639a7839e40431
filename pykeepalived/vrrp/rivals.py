"""Two MASTERs on one link, told from a handover: an alarm with the other's address, and a word when it is over.

While one MASTER yields to another both are heard for an advert or two. Whoever goes on longer does not hear the other,
or refuses what it hears.
"""

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.effects import Level
from pykeepalived.units import SECOND
from pykeepalived.vrrp import lines
from pykeepalived.vrrp.effects import Effect
from pykeepalived.wire.vrrp import text

_A_HANDOVER = 3  # adverts of the other MASTER, as long as ours went out between
_AGAIN = 60 * SECOND
_ADVICE = "compare version, authentication, interface and firewall of both, and whether the link carries multicast"


class Rivals:
    """What one virtual router knows of MASTERs that should not be."""

    __slots__ = ("_address", "_heard", "_heard_at", "_told_at")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """We are no longer MASTER."""
        self._address = b""
        self._heard = 0
        self._heard_at = 0
        self._told_at: int | None = None

    def heard(self, instance: VrrpInstance, other: bytes, before: str, now: int, effects: list[Effect]) -> None:
        """``other`` is MASTER as well as whoever ``before`` names (ourselves, or the one heard until now)."""
        if now - self._heard_at > _patience(instance):
            self._heard, self._told_at = 0, None
        self._address, self._heard_at = other, now
        self._heard += 1
        if self._heard <= _A_HANDOVER or (self._told_at is not None and now - self._told_at < _AGAIN):
            return
        self._told_at = now
        words = f"two MASTERs on the link: {text(other)} beside {before} - {_ADVICE}"
        effects.append(lines.packet(instance.name, words, Level.ALERT))

    def over_at(self, instance: VrrpInstance) -> int | None:
        """When it is over, unless the other is heard again; None when nothing was said."""
        return None if self._told_at is None else self._heard_at + _patience(instance)

    def over(self, instance: VrrpInstance, effects: list[Effect]) -> None:
        """The other MASTER is heard no more."""
        if self._told_at is not None:
            words = f"{text(self._address)} is no longer MASTER beside others"
            effects.append(lines.packet(instance.name, words, Level.NOTICE))
        self._heard, self._told_at = 0, None


def say_refused(instance: VrrpInstance, other: str, own: str, effects: list[Effect]) -> None:
    """We are MASTER, and refuse the adverts of another one."""
    words = f"two MASTERs on the link: {other} beside {own} (this host), as long as its adverts are refused"
    effects.append(lines.packet(instance.name, words, Level.ALERT))


def _patience(instance: VrrpInstance) -> int:
    return (instance.down_timer_adverts + 1) * instance.advert_int
