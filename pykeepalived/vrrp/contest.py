"""What a MASTER makes of adverts that count: they come from another MASTER, and one of the two has to yield."""

from dataclasses import dataclass, replace

from pykeepalived.effects import Level
from pykeepalived.vrrp import lines
from pykeepalived.vrrp.effects import Effect
from pykeepalived.vrrp.own_adverts import OwnAdverts
from pykeepalived.vrrp.owners import Rogue
from pykeepalived.vrrp.reception import Reception
from pykeepalived.vrrp.rivals import Rivals
from pykeepalived.vrrp.standing import Standing
from pykeepalived.vrrp.states import Backup, HeardMaster, Master
from pykeepalived.vrrp.statistics import Statistics
from pykeepalived.wire.vrrp import OWNER, Advert, Reason, text


@dataclass(frozen=True, slots=True)
class Stays:
    """We stay MASTER. ``others_yield``: the other one must yield, and what it told the link is to be put right."""

    state: Master
    others_yield: bool = False


@dataclass(frozen=True, slots=True)
class Yields:
    """The other one is MASTER from now on."""

    state: Backup
    cause: str


class Contest:
    """RFC 9568 6.4.3 for one instance: what an advert means for who is MASTER."""

    __slots__ = ("_adverts", "_reception", "_rivals", "_standing", "_statistics")

    def __init__(
        self,
        standing: Standing,
        adverts: OwnAdverts,
        reception: Reception,
        rivals: Rivals,
        statistics: Statistics,
    ) -> None:
        self._standing = standing
        self._adverts = adverts
        self._reception = reception
        self._rivals = rivals
        self._statistics = statistics

    def heard(self, state: Master, advert: Advert, source: bytes, now: int, effects: list[Effect]) -> Stays | Yields:
        """Compare priorities, then addresses."""
        instance, theirs, own = self._standing.instance, advert.priority, self._adverts.source
        if theirs == 0:
            self._statistics.pri_zero_rcvd += 1
            effects.append(lines.detail(instance.name, "Master received priority 0 message"))
            return Stays(self._answered(state, now, effects))
        if theirs == OWNER == self._standing.priority:
            self._two_owners(state, source, now, effects)
        ours = self._standing.priority
        if theirs < ours or (theirs == ours and source < own):
            return Stays(self._lower(state, advert, source, now, effects), others_yield=True)
        if theirs == ours and source == own:
            message = "WARNING - equal priority advert received from remote host with our IP address."
            self._reception.say_once(Reason.OWN_ADDRESS, message, effects, Level.WARNING)
            return Stays(state)
        if instance.higher_prio_send_advert:
            self._adverts.send(effects)
        sender = text(source)
        effects.append(lines.higher_heard(instance.name, sender, theirs, ours))
        if theirs > ours:
            cause = f"advert from {sender} with higher priority {theirs}, ours is {ours}"
        else:
            cause = f"advert from {sender} with our priority {theirs} and a higher address than {text(own)}"
        master = HeardMaster(source, theirs, advert.advert_interval or instance.advert_int)
        return Yields(Backup(now + self._standing.down_interval(master.advert_interval), now, master), cause)

    def _answered(self, state: Master, now: int, effects: list[Effect]) -> Master:
        """An advert at once, out of turn."""
        self._adverts.send(effects)
        return replace(state, advert_at=self._adverts.due_after(now))

    def _two_owners(self, state: Master, source: bytes, now: int, effects: list[Effect]) -> None:
        """Two hosts own the addresses. One that should yield and does not makes us yield."""
        instance, sender, rogue = self._standing.instance, text(source), state.duties.rogue
        message = f"CONFIGURATION ERROR: local instance and {sender} are both configured as address owner"
        self._reception.say_once(Reason.TWO_OWNERS, f"{message}, please resolve", effects, Level.ERROR)
        if source < self._adverts.source and rogue is not None and rogue.goes_on(now):
            effects.append(lines.still_owner(instance.name, sender))
            self._standing.give_up_ownership()
            self._adverts.change()

    def _lower(self, state: Master, advert: Advert, source: bytes, now: int, effects: list[Effect]) -> Master:
        """The other one must yield: tell it."""
        instance, ours = self._standing.instance, self._standing.priority
        answer = not instance.lower_prio_no_advert
        effects.append(lines.lower_heard(instance.name, text(source), advert.priority, ours, answered=answer))
        if answer:
            state = self._answered(state, now, effects)
        self._statistics.count(Reason.TWO_MASTERS)
        self._rivals.heard(instance, source, f"{text(self._adverts.source)} (this host)", now, effects)
        duties = replace(state.duties, rival_over_at=self._rivals.over_at(instance))
        if advert.priority == OWNER:
            if duties.rogue is None:
                duties = replace(duties, rogue=Rogue(max(instance.advert_int, advert.advert_interval)))
            elif answer:
                duties = replace(duties, rogue=duties.rogue.heard_us(now))
        return state.planned(duties)
