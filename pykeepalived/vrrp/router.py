"""One virtual router: RFC 9568 6.4 as keepalived lives it. Told a fact and the time, it answers with orders.

It knows its instance's settings, its source address, its trackers' verdicts and its sync group, and nothing of sockets,
addresses of the host or other instances. Interval, skew and deadlines are integers of nanoseconds.
"""

from dataclasses import replace

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.kinds import IP
from pykeepalived.effects import Level
from pykeepalived.units import MICROSECOND, seconds_text
from pykeepalived.vrrp import announcing, carried, causes, disagreements, lines, preemption
from pykeepalived.vrrp.effects import (
    AddAddresses,
    AnnounceSource,
    CancelAnnouncements,
    Effect,
    NotifyInstance,
    RemoveAddresses,
    SendAdvert,
    Word,
)
from pykeepalived.vrrp.group import SyncGroup
from pykeepalived.vrrp.own_adverts import OwnAdverts
from pykeepalived.vrrp.owners import Rogue
from pykeepalived.vrrp.reception import Reception
from pykeepalived.vrrp.refusals import Refusals
from pykeepalived.vrrp.rivals import Rivals
from pykeepalived.vrrp.states import Backup, Duties, Fault, HeardMaster, Init, Master, State, Stop
from pykeepalived.vrrp.statistics import Statistics
from pykeepalived.vrrp.timers import expires_at, master_down_interval, shortest_wait, skew_time
from pykeepalived.vrrp.tracking import SOURCE, Tracked, effective_priority
from pykeepalived.wire.vrrp import OWNER, Advert, Packet, Reason, text

NO_SOURCE = Tracked((SOURCE, ""))
_AT_START = "the weights of its trackers"


class VirtualRouter:
    """The state machine of one vrrp_instance."""

    __slots__ = (
        "_adverts",
        "_lent",
        "_repeatable",
        "_repeated_wait",
        "contributions",
        "deadline",
        "faults",
        "group",
        "instance",
        "interface_up",
        "kept",
        "last_transition_at",
        "listens_at",
        "phase",
        "priority",
        "reception",
        "reduced",
        "refusals",
        "rivals",
        "source_address",
        "state",
        "statistics",
        "tracked",
        "unknown",
    )

    def __init__(self, instance: VrrpInstance) -> None:
        self.instance = instance
        self.statistics = Statistics()
        self.reception = Reception(instance, self.statistics)
        self.state: State = Init()
        self.deadline: int | None = None
        self.group: SyncGroup | None = None
        self.interface_up = False
        self.source_address: IP | None = None
        self.tracked: tuple[Tracked, ...] = ()
        self.faults: dict[Tracked, str] = {}
        self.contributions: dict[Tracked, int] = {}
        self.unknown: set[Tracked] = set()  # trackers whose failure would be a fault, and that have not reported yet
        self.priority = instance.priority
        self.reduced = False  # an owner that yields to another one
        self.refusals = Refusals(instance.name)
        self.rivals = Rivals()
        self.last_transition_at = 0
        self.listens_at = 0  # adverts before then are ignored (vrrp_startup_delay)
        self.kept: frozenset[carried.Carried] = carried.NOTHING  # static objects: there whatever the state is
        self._lent: AddressEntry | None = None
        self._adverts = OwnAdverts(instance.name, self.reception, self.statistics)
        self._repeatable: Backup | None = None  # in this state, the advert accepted last may simply be accepted again
        self._repeated_wait = 0  # master_down_interval after that advert
        self.phase = 0  # adverts go out at multiples of this; 0: at any time

    @property
    def name(self) -> str:
        """The instance's name."""
        return self.instance.name

    @property
    def source(self) -> bytes:
        """The address that adverts are sent from, empty where there is none."""
        return self._adverts.source

    @property
    def companions(self) -> "tuple[VirtualRouter, ...]":
        """Whoever changes state together with it, itself included."""
        return (self,) if self.group is None else tuple(self.group.members)

    @property
    def entries(self) -> tuple[AddressEntry, ...]:
        """Every address that the MASTER holds."""
        return self.instance.virtual_ipaddress + self.instance.virtual_ipaddress_excluded

    # --- what is told -------------------------------------------------------------------------------------------

    def advert(self, packet: Packet, now: int) -> list[Effect]:
        """A packet for this virtual router came in. Ignored while in INIT, FAULT and STOP."""
        state = self.state
        kind = type(state)
        effects: list[Effect] = []
        if kind is not Backup and kind is not Master:
            return effects
        advert = self.reception.judge(packet, self._known_master, effects, now)
        if effects:
            self._adverts.change()  # a peer may want another checksum
        if advert is None:
            self._repeatable = None  # this packet must not pass for the one accepted last
            return effects
        if isinstance(state, Backup):
            self._heard_as_backup(state, advert, packet.source, now, effects)
        elif isinstance(state, Master):
            self._heard_as_master(state, advert, packet.source, now, effects)
        return effects

    @property
    def repeatable(self) -> bool:
        """Whether the packet accepted just now may come again and again, with nothing to judge."""
        return self.state is self._repeatable and not (self.group is not None and self.group.mixed)

    def heard_again(self, now: int) -> bool:
        """The hot path of a BACKUP: a packet that is equal to the one accepted last. Whether it has been dealt with."""
        state = self._repeatable
        if state is None or state is not self.state or now >= state.master_down_at:
            return False
        if self.group is not None and self.group.mixed:
            return False
        self.statistics.advert_rcvd += 1
        state.heard_at = now
        state.master_down_at = self.deadline = now + self._repeated_wait
        return True

    def heard_meanwhile(self, at: int, count: int) -> None:
        """The kernel has taken in so many packets that are equal to the one accepted last, the latest at ``at``."""
        state = self._repeatable
        if state is None or state is not self.state:
            return
        self.statistics.advert_rcvd += count
        if at > state.heard_at:
            state.heard_at = at
            state.master_down_at = self.deadline = at + self._repeated_wait

    def due_advert(self, now: int) -> SendAdvert | None:
        """The hot path of a MASTER: its advert, when it is due in time and there is nothing else to do."""
        state = self.state
        if type(state) is not Master:
            return None
        advert_at, duties_at, advert_int = state.advert_at, state.duties_at, self.instance.advert_int
        if not advert_at <= now < advert_at + advert_int:
            return None
        if state.duties.rogue is not None or (duties_at is not None and duties_at <= now):
            return None
        advert = self._adverts.ready
        if advert is None:
            if self._adverts.used_up:
                return None
            advert = self._adverts.next(self.priority)
        # from the due time, so that nothing drifts
        state.advert_at = advert_at = advert_at + advert_int
        self.deadline = advert_at if duties_at is None or advert_at < duties_at else duties_at
        self.statistics.advert_sent += 1
        return advert

    @property
    def foreseen_advert(self) -> SendAdvert | None:
        """What a BACKUP would send as MASTER, where that is known before."""
        return self._adverts.foreseen(self.priority) if type(self.state) is Backup else None

    def tick(self, now: int, effects: list[Effect] | None = None) -> list[Effect]:
        """Time has passed. Harmless when nothing is due. The orders are added to ``effects``, where they are given."""
        state = self.state
        effects = [] if effects is None else effects
        if self.deadline is None or now < self.deadline:
            return effects
        if isinstance(state, Master):
            if now >= state.advert_at:
                if self._adverts.used_up:  # only another MASTER may begin anew, so we give up
                    self._give_way("the sequence numbers of AH are used up", now, effects)
                    return effects
                self._adverts.send(self.priority, effects)
                # after a stall from now, so that no burst follows
                in_time = state.advert_at + self.instance.advert_int
                state = replace(state, advert_at=in_time if in_time > now else self._advert_after(now))
                duties = state.duties
                if duties.rogue is not None:
                    duties = replace(duties, rogue=duties.rogue.heard_us(now))
                state = self._plan(state, duties)
            if state.duties_at is not None and now >= state.duties_at:
                self._do_duties(state, now, effects)
        elif isinstance(state, Backup):
            self._master_is_down(state, now, effects)
        elif isinstance(state, Init):
            self._owner_starts(now, effects)
        return effects

    def start(
        self, now: int, effects: list[Effect], *, owner: bool = False, sooner: bool = False, waited: bool = False
    ) -> None:
        """Begin at ``now``. ``owner``: MASTER at once. ``sooner``: a group's member that wants to be MASTER.
        ``waited``: not before a script's first result.
        """
        if owner:
            self._enter(Init(master_at=now + MICROSECOND))
            return
        self._say_priority(self.instance.priority, _AT_START, effects)
        down_at = now + (shortest_wait(self.instance) if sooner else self.down_interval(self.instance.advert_int))
        cause = f"started with priority {self.priority}"
        self._transition(Backup(down_at, now), cause, now, effects, "" if waited else " (init)")
        self._notify(Word.BACKUP, effects)

    def start_faulty(self, cause: str, now: int, effects: list[Effect]) -> None:
        """Begin in FAULT."""
        self._say_priority(self.instance.priority, _AT_START, effects)
        for tracked in self.faults:
            self._say_fault(tracked, effects)
        self._transition(Fault(), cause, now, effects, " (init)")
        self._notify(Word.FAULT, effects)

    def fault(self, tracked: Tracked, cause: str, now: int, effects: list[Effect]) -> None:
        """A reason not to take part has come up."""
        new = tracked not in self.faults
        self.faults[tracked] = cause
        if not new or isinstance(self.state, (Fault, Stop)) or self.held:
            return
        if tracked is NO_SOURCE:
            self._say_fault(tracked, effects)
        self.enter_fault(cause, now, effects)
        if self.group is not None:
            self.group.follow_to_fault(self, now, effects)

    def clear(self, tracked: Tracked, cause: str, now: int, effects: list[Effect]) -> None:
        """A reason not to take part has gone."""
        if self.faults.pop(tracked, None) is None:
            return
        self.settle_fault(cause, now, effects)

    def settle_fault(self, cause: str, now: int, effects: list[Effect]) -> None:
        """Leave FAULT if nothing, in the whole group, holds us there. Who comes to MASTERs by a reload comes alone."""
        if not isinstance(self.state, Fault) or any(member.faults for member in self.companions):
            return
        self.leave_fault(cause, now, effects)
        if self.group is not None and not any(isinstance(member.state, Master) for member in self.group.members):
            self.group.follow_to_backup(self, now, effects)

    def weigh(self, tracked: Tracked, contribution: int, cause: str, effects: list[Effect]) -> None:
        """A tracker's share of the priority has changed."""
        if contribution:
            self.contributions[tracked] = contribution
        else:
            self.contributions.pop(tracked, None)
        self.reweigh(cause, effects)

    def reweigh(self, cause: str, effects: list[Effect]) -> None:
        """Work the effective priority out again; say so and shift the running timer when it has changed."""
        priority = effective_priority(self.instance.priority, sum(self.contributions.values()))
        if self.reduced:
            priority = OWNER - 1
        if priority == self.priority:
            return
        state, before = self.state, self.priority
        if isinstance(state, Backup):
            interval = self._interval_of_master(state)
            old = self.down_interval(interval)
            self._set_priority(priority)
            self._enter(replace(state, master_down_at=state.master_down_at + self.down_interval(interval) - old))
        else:
            self._set_priority(priority)
        if self.held:
            return
        self._say_priority(before, cause, effects)

    def address_lost(self, entry: AddressEntry, now: int, effects: list[Effect]) -> None:
        """Somebody deleted an address that we hold as MASTER: give up, and ask for it again after the skew time."""
        effects.append(lines.address_removed(self.name, entry))
        self._lost(f"address {entry} from {entry.dev}", now, effects)

    def routing_lost(self, entry: RouteEntry | RuleEntry, now: int, effects: list[Effect]) -> None:
        """Somebody deleted a route or a rule that we have as MASTER: as with an address."""
        self._lost(f"{'route' if isinstance(entry, RouteEntry) else 'rule'} {entry}", now, effects)

    def _lost(self, what: str, now: int, effects: list[Effect]) -> None:
        wait = self._skew(self.instance.advert_int)
        self._give_way(f"somebody removed {what}", now, effects, down_interval=wait, zero=True)

    def stop(
        self,
        word: Word,
        cause: str,
        now: int,
        effects: list[Effect],
        *,
        release: bool = True,
        keep: frozenset[carried.Carried] = carried.NOTHING,
    ) -> None:
        """Leave for good. A MASTER says so on the wire; the others say nothing. What is in ``keep`` stays."""
        was = self.state
        if isinstance(was, Master):
            words = f"leaving MASTER STATE: {cause}"
            effects.append(lines.transition(self.name, words, was.name, Stop.name, cause))
            self._send_zero(effects)
            self._give_back(effects, release=release, keep=keep)
        self._enter(Stop())
        self.reception.own_address = ""
        self.last_transition_at = now
        if not isinstance(was, Stop):
            self._notify(word, effects)

    # --- transitions, also ordered by the sync group ------------------------------------------------------------

    def become_master(self, cause: str, now: int, effects: list[Effect], *, timed_out: bool = False) -> None:
        """Behaviour 1.5: advert, line, addresses, announcements, notification."""
        self._claim(effects, timed_out=timed_out)
        self._take_over(cause, now, effects)

    def _claim(self, effects: list[Effect], *, timed_out: bool) -> None:
        """The first advert of a MASTER: nothing that can wait comes before it."""
        if timed_out:
            effects.append(lines.detail(self.name, "Receive advertisement timeout"))
        self._restore_priority()
        self._adverts.begin()
        self._adverts.send(self.priority, effects)

    def _take_over(self, cause: str, now: int, effects: list[Effect]) -> None:
        was, instance = self.state, self.instance
        duties = announcing.planned(instance, now)
        self._transition(Master(self._advert_after(now), duties, duties.next_at), cause, now, effects)
        if isinstance(was, Backup) and was.master and was.master.advert_interval != instance.advert_int:
            effects.append(lines.interval_own(self.name, was.master.advert_interval, instance.advert_int))
        self.statistics.become_master += 1
        self.reception.forget()
        carried.take(instance, effects)
        announcing.announce(instance, instance.garp_master_repeat, effects)
        self._notify(Word.MASTER, effects)

    def _give_way(
        self,
        cause: str,
        now: int,
        effects: list[Effect],
        *,
        master: HeardMaster | None = None,
        down_interval: int | None = None,
        zero: bool = False,
    ) -> None:
        """A MASTER goes to BACKUP, and its sync group with it."""
        self.leave_master(cause, now, effects, master=master, down_interval=down_interval, zero=zero)
        if self.group is not None:
            self.group.follow_to_backup(self, now, effects, zero=zero)

    def leave_master(
        self,
        cause: str,
        now: int,
        effects: list[Effect],
        *,
        master: HeardMaster | None = None,
        down_interval: int | None = None,
        zero: bool = False,
    ) -> None:
        """Behaviour 1.6, to BACKUP; ``master`` is who takes over, ``zero`` tells the others that we give up."""
        if down_interval is None:
            down_interval = self.down_interval(master.advert_interval if master else self.instance.advert_int)
        self._transition(Backup(now + down_interval, now, master, gave_up=zero), cause, now, effects)
        if zero:
            self._send_zero(effects)
        self._give_back(effects)
        self._notify(Word.BACKUP, effects)

    def enter_fault(self, cause: str, now: int, effects: list[Effect], *, follows: bool = False) -> None:
        """Stop taking part. As keepalived does, resign twice (the transition, the addresses), and say it once; who
        follows a sync group resigns once, and silently.
        """
        was = self.state
        if self.held:
            return
        self._transition(Fault(), cause, now, effects)
        if isinstance(was, Master):
            if not follows:
                self._resign(effects)
                self._send_zero(effects)
            else:
                self.statistics.pri_zero_sent += self._resign(effects)
            self._give_back(effects)
        self._notify(Word.FAULT, effects)

    def leave_fault(self, cause: str, now: int, effects: list[Effect]) -> None:
        """Take part again, as BACKUP, whatever the priority."""
        self._restore_priority()
        since = max(now, self.listens_at)
        self._transition(Backup(since + self.down_interval(self.instance.advert_int), since), cause, now, effects)
        self._notify(Word.BACKUP, effects)
        if self.instance.unicast and self.source_address is not None:
            effects.append(AnnounceSource(self.name, self.source_address))

    def rewatch(self, now: int) -> None:
        """BACKUP with a full timer, silently: the group went on without it having been MASTER."""
        state = self.state
        if isinstance(state, Backup) and state.wants_master:
            down_at = now + self.down_interval(self._interval_of_master(state))
            self._enter(replace(state, wants_master=False, master_down_at=down_at))

    # --- reload -------------------------------------------------------------------------------------------------

    def hold(self) -> None:
        """A reload before an owner was to be MASTER: whether it still is to be one is decided anew."""
        if isinstance(self.state, Init):
            self._enter(Init())

    def configure(self, instance: VrrpInstance, now: int) -> None:
        """Take new settings, keep the state. A changed interval moves the running timer by the difference."""
        state = self.state
        learnt = state.master.advert_interval if isinstance(state, Backup) and state.master else None
        old = self.down_interval(learnt or self.instance.advert_int)
        former, self.instance = self.instance, instance
        self.reduced = self.reduced and instance.priority == OWNER
        self.refusals.name = instance.name
        self.reception.configure(instance)
        self._adverts.change(name=instance.name)
        if isinstance(state, Backup):
            if instance.version == 2 and state.master is not None:
                state = replace(state, master=replace(state.master, advert_interval=instance.advert_int))
                learnt = instance.advert_int
            change = self.down_interval(learnt or instance.advert_int) - old
            self._enter(replace(state, master_down_at=state.master_down_at + change))
        elif isinstance(state, Master):
            duties = announcing.replanned(state.duties, former, instance, now)
            self._enter(Master(min(state.advert_at, self._advert_after(now)), duties, duties.next_at))

    def confirm(self, now: int, effects: list[Effect]) -> None:
        """A MASTER's advert beside a reload."""
        if isinstance(self.state, Master):
            self._adverts.send(self.priority, effects)
            self._enter(replace(self.state, advert_at=self._advert_after(now)))

    def announce_later(self, now: int) -> None:
        """New addresses get their second burst as well."""
        delay = self.instance.garp_master_delay
        if isinstance(self.state, Master) and delay and self.instance.garp_master_repeat:
            self._plan(self.state, replace(self.state.duties, announce_at=now + delay))

    def hears_from(self, source: bytes) -> int:
        """How likely a packet from ``source`` is meant for this one of several with its VRID: 2, 1 or 0."""
        if self._known_master() == source:
            return 2
        return int(self.reception.knows_peer(source))

    def set_source(self, address: IP | None) -> None:
        """Send from this address from now on."""
        self.source_address = address
        self._adverts.change(source=b"" if address is None else address.packed)

    def lend_source(self, effects: list[Effect], *, anew: bool = False) -> None:
        """The own link has the source address, if it needs it; ``anew`` when the link may have lost it."""
        wanted = carried.source_on_own_link(self.instance, self.source_address)
        if wanted == self._lent and not anew:
            return
        if self._lent is not None and self._lent != wanted:
            effects.append(RemoveAddresses(self.name, (self._lent,)))
        if wanted is not None and self.interface_up:
            effects.append(AddAddresses(self.name, (wanted,)))
        self._lent = wanted

    @property
    def held(self) -> bool:
        """Not started yet: nothing is said or done."""
        return isinstance(self.state, Init) and self.state.master_at is None

    # --- adverts heard ------------------------------------------------------------------------------------------

    def _known_master(self) -> bytes | None:
        return self.state.master.address if isinstance(self.state, Backup) and self.state.master else None

    def _heard_as_backup(self, state: Backup, advert: Advert, source: bytes, now: int, effects: list[Effect]) -> None:
        if advert.priority == 0:
            self._master_resigns(state, source, now, effects)
            return
        instance = self.instance
        preempt_at = preemption.left_alone_until(
            instance, self.priority, advert.priority, state.preempt_at, now, effects
        )
        if preemption.discards(instance, self.priority, advert.priority, preempt_at, now):
            effects.append(lines.lower_discarded(self.name, text(source), advert.priority))
            self._enter(replace(state, lower=HeardMaster(source, advert.priority, advert.advert_interval)))
            self._heard_besides(state, source, now, effects)
            return
        known = state.master
        if (
            known is None
            or known.address != source
            or known.priority != advert.priority
            or known.advert_interval != advert.advert_interval
        ):
            self._heard_besides(state, source, now, effects)
            known = self._learn(known, advert, source, effects)
        wait = self.down_interval(known.advert_interval)
        state = Backup(now + wait, now, known, preempt_at)
        self._enter(state)
        if preempt_at is None and self.reception.authentication is None:  # else no packet may be accepted twice
            self._repeatable, self._repeated_wait = state, wait
        if self.group is not None and self.group.mixed:
            self.group.follow_to_backup(self, now, effects)

    def _master_resigns(self, state: Backup, source: bytes, now: int, effects: list[Effect]) -> None:
        self.statistics.pri_zero_rcvd += 1
        effects.append(lines.detail(self.name, "Backup received priority 0 advertisement"))
        interval = self._interval_of_master(state)
        master = state.master or HeardMaster(source, 0, interval)
        down_at = now + self._skew(interval)
        self._enter(replace(state, master_down_at=down_at, heard_at=now, master=master, resigned=True, frozen=0))

    def _heard_besides(self, state: Backup, source: bytes, now: int, effects: list[Effect]) -> None:
        """An advert from another one than the master that is still heard."""
        master = state.master
        if master is None or master.address == source or now - state.heard_at > 2 * master.advert_interval:
            return
        self.statistics.count(Reason.TWO_MASTERS)
        self.rivals.heard(self.instance, source, text(master.address), now, effects)

    def _learn(self, known: HeardMaster | None, advert: Advert, source: bytes, effects: list[Effect]) -> HeardMaster:
        name, sender = self.name, text(source)
        if known is None:
            effects.append(lines.detail(name, f"master set to {sender}"))
        elif known.address != source:
            effects.append(lines.detail(name, f"master changed from {text(known.address)} to {sender}"))
            self.reception.forget()
        if not preemption.never(self.instance) and (known is None or known.address != source):
            why = disagreements.out_of_reach(source, advert.priority, self.instance.priority, self.tracked)
            if why:
                self.reception.say_once(Reason.OUT_OF_REACH, why, effects, Level.NOTICE)
        before = known.advert_interval if known else self.instance.advert_int
        # an interval of 0 would make every pause a failover: it is not learnt
        interval = advert.advert_interval or before
        if interval != before:
            effects.append(lines.interval_learnt(name, before, interval))
        return HeardMaster(source, advert.priority, interval)

    def _heard_as_master(self, state: Master, advert: Advert, source: bytes, now: int, effects: list[Effect]) -> None:
        sender, theirs = text(source), advert.priority
        if theirs == 0:
            self.statistics.pri_zero_rcvd += 1
            effects.append(lines.detail(self.name, "Master received priority 0 message"))
            self._adverts.send(self.priority, effects)
            self._enter(replace(state, advert_at=self._advert_after(now)))
            return
        if theirs == OWNER == self.priority:
            self._heard_owner(state, source, now, effects)
        ours = self.priority
        if theirs < ours or (theirs == ours and source < self.source):
            self._heard_lower(state, advert, source, now, effects)
            return
        if theirs == ours and source == self.source:
            message = "WARNING - equal priority advert received from remote host with our IP address."
            self.reception.say_once(Reason.OWN_ADDRESS, message, effects, Level.WARNING)
            return
        if self.instance.higher_prio_send_advert:
            self._adverts.send(self.priority, effects)
        effects.append(lines.higher_heard(self.name, sender, theirs, ours))
        if theirs > ours:
            cause = f"advert from {sender} with higher priority {theirs}, ours is {ours}"
        else:
            cause = f"advert from {sender} with our priority {theirs} and a higher address than {text(self.source)}"
        master = HeardMaster(source, theirs, advert.advert_interval or self.instance.advert_int)
        self._give_way(cause, now, effects, master=master)

    def _heard_owner(self, state: Master, source: bytes, now: int, effects: list[Effect]) -> None:
        """Two hosts own the addresses. One that should yield and does not makes us yield."""
        sender, rogue = text(source), state.duties.rogue
        message = f"CONFIGURATION ERROR: local instance and {sender} are both configured as address owner"
        self.reception.say_once(Reason.TWO_OWNERS, f"{message}, please resolve", effects, Level.ERROR)
        if source < self.source and rogue is not None and rogue.goes_on(now):
            effects.append(lines.still_owner(self.name, sender))
            self.reduced = True
            self._set_priority(OWNER - 1)

    def _heard_lower(self, state: Master, advert: Advert, source: bytes, now: int, effects: list[Effect]) -> None:
        """Another MASTER that must yield: tell it, and take the hosts on the link back from it."""
        instance = self.instance
        answer = not instance.lower_prio_no_advert
        effects.append(lines.lower_heard(self.name, text(source), advert.priority, self.priority, answered=answer))
        if answer:
            self._adverts.send(self.priority, effects)
            state = replace(state, advert_at=self._advert_after(now))
        self.statistics.count(Reason.TWO_MASTERS)
        self.rivals.heard(instance, source, f"{text(self.source)} (this host)", now, effects)
        duties = replace(state.duties, rival_over_at=self.rivals.over_at(instance))
        if advert.priority == OWNER:
            if duties.rogue is None:
                duties = replace(duties, rogue=Rogue(max(instance.advert_int, advert.advert_interval)))
            elif answer:
                duties = replace(duties, rogue=duties.rogue.heard_us(now))
        self._plan(state, duties)
        self._take_back(now, effects)
        for member in self.companions:
            if member is not self:
                member._take_back(now, effects)
        self._notify(Word.MASTER_RX_LOWER_PRI, effects)

    def _take_back(self, now: int, effects: list[Effect]) -> None:
        """A burst now, and one after garp_lower_prio_delay."""
        state, instance = self.state, self.instance
        if not isinstance(state, Master) or not instance.garp_lower_prio_repeat:
            return
        announcing.announce(instance, instance.garp_lower_prio_repeat, effects)
        if instance.garp_lower_prio_delay:
            self._plan(state, replace(state.duties, lower_prio_announce_at=now + instance.garp_lower_prio_delay))

    # --- deadlines ----------------------------------------------------------------------------------------------

    def _master_is_down(self, state: Backup, now: int, effects: list[Effect]) -> None:
        interval = self._interval_of_master(state)
        late = now - state.master_down_at
        if late > interval and not state.frozen:
            # what was sent while nobody could listen is lost: the silence is not the master's
            down_at = now + interval + self._skew(interval)
            self._enter(replace(state, master_down_at=down_at, frozen=late))
            return
        if self.group is not None and not self.group.lets_become_master(self):
            effects.append(lines.detail(self.name, "Receive advertisement timeout"))
            self._enter(replace(state, wants_master=True, master_down_at=now + self.down_interval(interval)))
            return
        refused = self.reception.refused
        self._claim(effects, timed_out=True)
        self._take_over(causes.silence(state, self.instance, self.priority, refused, now), now, effects)
        if self.group is not None:
            self.group.follow_to_master(self, now, effects)

    def _owner_starts(self, now: int, effects: list[Effect]) -> None:
        self.become_master("started as owner of the addresses (priority 255)", now, effects, timed_out=True)
        if self.group is not None:
            self.group.follow_to_master(self, now, effects)

    def _do_duties(self, state: Master, now: int, effects: list[Effect]) -> None:
        duties = announcing.announce_due(self.instance, state.duties, now, effects)
        if duties.rival_over_at is not None and now >= duties.rival_over_at:
            self.rivals.over(self.instance, effects)
            duties = replace(duties, rival_over_at=None)
        if duties.rogue is not None and duties.rogue.gone(now):
            duties = replace(duties, rogue=None)
        self._plan(state, duties)

    def expire(self, now: int, effects: list[Effect]) -> None:
        """timer_expired_backup: a MASTER that stood still until a peer may have taken over yields."""
        state, instance = self.state, self.instance
        if not isinstance(state, Master) or not instance.timer_expired_backup or not preemption.never(instance):
            return
        if now <= expires_at(instance, state.advert_at):
            return
        late = now - state.advert_at
        effects.append(lines.expired(self.name, late))
        cause = f"our advert is {seconds_text(late)} late: a peer may be MASTER meanwhile (timer_expired_backup)"
        self._give_way(cause, now, effects)

    # --- intervals ----------------------------------------------------------------------------------------------

    def down_interval(self, advert_interval: int) -> int:
        """master_down_interval for a master's interval."""
        instance = self.instance
        return master_down_interval(instance.version, self._skew_priority, advert_interval, instance.down_timer_adverts)

    def _skew(self, advert_interval: int) -> int:
        return skew_time(self.instance.version, self._skew_priority, advert_interval)

    @property
    def _skew_priority(self) -> int:
        """An owner that has yielded to another one is as quick as ever."""
        return OWNER if self.instance.priority == OWNER else self.priority

    def _interval_of_master(self, state: Backup) -> int:
        return state.master.advert_interval if state.master else self.instance.advert_int

    def _advert_after(self, now: int) -> int:
        """When the next advert is due: an interval later, or a little before, together with others'."""
        at = now + self.instance.advert_int
        return at - at % self.phase if self.phase else at

    # --- small things -------------------------------------------------------------------------------------------

    def _enter(self, state: State) -> None:
        self.state = state
        self.deadline = state.deadline

    def _plan(self, state: Master, duties: Duties) -> Master:
        planned = Master(state.advert_at, duties, duties.next_at)
        self._enter(planned)
        return planned

    def _transition(self, state: State, cause: str, now: int, effects: list[Effect], suffix: str = "") -> None:
        """Enter another state: keepalived's line, and ours with the cause."""
        words = f"Entering {state.name} STATE{suffix}"
        effects.append(lines.transition(self.name, words, self.state.name, state.name, cause))
        effects.append(lines.why(self.name, cause))
        self._enter(state)
        self.reception.own_address = text(self.source) if isinstance(state, Master) else ""
        self.last_transition_at = now

    def _set_priority(self, priority: int) -> None:
        self.priority = priority
        self._repeatable = None
        self._adverts.change()

    def _restore_priority(self) -> None:
        """An owner that yielded to another one is an owner again."""
        if self.reduced:
            self.reduced = False
            self._set_priority(effective_priority(self.instance.priority, sum(self.contributions.values())))

    def _resign(self, effects: list[Effect]) -> bool:
        """An advert of priority 0, where one can go out."""
        can = bool(self.source) and self.interface_up
        if can:
            self._adverts.resign(effects)
        return can

    def _send_zero(self, effects: list[Effect]) -> None:
        """Tell the others that we give up, and say so even where it cannot reach them."""
        self.statistics.pri_zero_sent += self._resign(effects)
        effects.append(lines.detail(self.name, "sent 0 priority"))

    def _give_back(
        self, effects: list[Effect], *, release: bool = True, keep: frozenset[carried.Carried] = carried.NOTHING
    ) -> None:
        self.statistics.release_master += 1
        self.reception.forget()
        self.rivals = Rivals()
        effects.append(CancelAnnouncements(self.name))
        if release:
            carried.give_back(self.instance, effects, keep, self.kept)

    def _notify(self, word: Word, effects: list[Effect]) -> None:
        effects.append(NotifyInstance(self.name, word, self.priority))

    def _say_fault(self, tracked: Tracked, effects: list[Effect]) -> None:
        effects.append(causes.fault_line(self.instance, tracked, self.faults[tracked]))

    def _say_priority(self, before: int, cause: str, effects: list[Effect]) -> None:
        if self.priority == before:
            return
        effects.append(lines.priority(self.name, before, self.priority, self.state.name, cause))
        effects.append(lines.why(self.name, cause))
        if self.instance.notify_priority_changes:
            master = isinstance(self.state, Master)
            self._notify(Word.MASTER_PRIORITY if master else Word.BACKUP_PRIORITY, effects)
