"""What a BACKUP makes of adverts that count: whom it takes for the MASTER, and how long it waits for the next one."""

from dataclasses import replace

from pykeepalived.effects import Level
from pykeepalived.vrrp import disagreements, lines, preemption
from pykeepalived.vrrp.effects import Effect
from pykeepalived.vrrp.reception import Reception
from pykeepalived.vrrp.rivals import Rivals
from pykeepalived.vrrp.standing import Standing
from pykeepalived.vrrp.states import Backup, HeardMaster
from pykeepalived.vrrp.statistics import Statistics
from pykeepalived.wire.vrrp import Advert, Reason, text


class Watch:
    """RFC 9568 6.4.2 for one instance. It decides for each advert what the state is after it."""

    __slots__ = ("_reception", "_rivals", "_standing", "_statistics")

    def __init__(self, standing: Standing, reception: Reception, rivals: Rivals, statistics: Statistics) -> None:
        self._standing = standing
        self._reception = reception
        self._rivals = rivals
        self._statistics = statistics

    def heard(self, state: Backup, advert: Advert, source: bytes, now: int, effects: list[Effect]) -> Backup:
        """The state after an advert: of a master that has ``resigned``, is ``lower``, or is to be followed."""
        if advert.priority == 0:
            return self._resigned(state, source, now, effects)
        instance, ours = self._standing.instance, self._standing.priority
        preempt_at = state.preempt_at
        if preempt_at is not None or advert.priority < ours:
            preempt_at = preemption.left_alone_until(instance, ours, advert.priority, preempt_at, now, effects)
        if advert.priority < ours and preemption.discards(instance, preempt_at, now):
            effects.append(lines.lower_discarded(instance.name, text(source), advert.priority))
            self._beside_master(state, source, now, effects)
            return replace(state, lower=HeardMaster(source, advert.priority, advert.advert_interval))
        master = state.master
        if (
            master is None
            or master.address != source
            or master.priority != advert.priority
            or master.advert_interval != advert.advert_interval
        ):
            self._beside_master(state, source, now, effects)
            master = self._learnt(master, advert, source, effects)
        return Backup(now + self._standing.down_interval(master.advert_interval), now, master, preempt_at)

    def _resigned(self, state: Backup, source: bytes, now: int, effects: list[Effect]) -> Backup:
        """Priority 0: only the skew is waited for."""
        instance = self._standing.instance
        self._statistics.pri_zero_rcvd += 1
        effects.append(lines.detail(instance.name, "Backup received priority 0 advertisement"))
        interval = state.interval(instance.advert_int)
        master = state.master or HeardMaster(source, 0, interval)
        down_at = now + self._standing.skew_time(interval)
        return replace(state, master_down_at=down_at, heard_at=now, master=master, resigned=True, frozen=0)

    def _beside_master(self, state: Backup, source: bytes, now: int, effects: list[Effect]) -> None:
        """The advert may be from another one than the master that is still heard."""
        master = state.master
        if master is None or master.address == source or now - state.heard_at > 2 * master.advert_interval:
            return
        self._statistics.count(Reason.TWO_MASTERS)
        self._rivals.heard(self._standing.instance, source, text(master.address), now, effects)

    def _learnt(self, known: HeardMaster | None, advert: Advert, source: bytes, effects: list[Effect]) -> HeardMaster:
        """Who is the master now, with its interval."""
        instance, sender = self._standing.instance, text(source)
        if known is None:
            effects.append(lines.detail(instance.name, f"master set to {sender}"))
        elif known.address != source:
            effects.append(lines.detail(instance.name, f"master changed from {text(known.address)} to {sender}"))
            self._reception.forget()
        if not preemption.never(instance) and (known is None or known.address != source):
            why = disagreements.out_of_reach(source, advert.priority, instance.priority, self._standing.tracked)
            if why:
                self._reception.say_once(Reason.OUT_OF_REACH, why, effects, Level.NOTICE)
        before = known.advert_interval if known else instance.advert_int
        # an interval of 0 would make every pause a failover: it is not learnt
        interval = advert.advert_interval or before
        if interval != before:
            effects.append(lines.interval_learnt(instance.name, before, interval))
        return HeardMaster(source, advert.priority, interval)
