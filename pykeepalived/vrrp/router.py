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
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.units import MICROSECOND, MILLISECOND, seconds_text
from pykeepalived.vrrp import announcing, carried, causes, disagreements
from pykeepalived.vrrp.authentication import Ah
from pykeepalived.vrrp.effects import (
    AddAddresses,
    Announce,
    AnnounceSource,
    CancelAnnouncements,
    Effect,
    NotifyInstance,
    RemoveAddresses,
    SendAdvert,
    Word,
)
from pykeepalived.vrrp.group import SyncGroup
from pykeepalived.vrrp.reception import Reception
from pykeepalived.vrrp.refusals import Refusals
from pykeepalived.vrrp.rivals import Rivals
from pykeepalived.vrrp.states import Backup, Duties, Fault, HeardMaster, Init, Master, Rogue, State, Stop
from pykeepalived.vrrp.statistics import Statistics
from pykeepalived.vrrp.timers import master_down_interval, skew_time
from pykeepalived.vrrp.tracking import SOURCE, Tracked, effective_priority
from pykeepalived.wire.vrrp import OWNER, Advert, Packet, Reason, text

NO_SOURCE = Tracked((SOURCE, ""))
_OWN_ADVERTS_FOR_A_ROGUE = 2
_AT_START = "the weights of its trackers"


class VirtualRouter:
    """The state machine of one vrrp_instance."""

    __slots__ = (
        "_advert",
        "_down_interval",
        "_down_key",
        "_lent",
        "_repeatable",
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
        "source",
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
        self.source = b""
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
        self._advert: SendAdvert | None = None
        self._down_key = -1
        self._down_interval = 0
        self._repeatable: Backup | None = None  # in this state, the advert accepted last may simply be accepted again
        self.phase = 0  # adverts go out at multiples of this; 0: at any time

    @property
    def name(self) -> str:
        """The instance's name."""
        return self.instance.name

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
            self._advert = None  # a peer may want another checksum
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
        state.master_down_at = self.deadline = now + self._down_interval
        return True

    def heard_meanwhile(self, at: int, count: int) -> None:
        """The kernel has taken in so many packets that are equal to the one accepted last, the latest at ``at``."""
        state = self._repeatable
        if state is None or state is not self.state:
            return
        self.statistics.advert_rcvd += count
        if at > state.heard_at:
            state.heard_at = at
            state.master_down_at = self.deadline = at + self._down_interval

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
        if self._advert is None and self.reception.used_up:
            return None
        # from the due time, so that nothing drifts
        state.advert_at = advert_at = advert_at + advert_int
        self.deadline = advert_at if duties_at is None or advert_at < duties_at else duties_at
        self.statistics.advert_sent += 1
        return self._own_advert()

    def tick(self, now: int, effects: list[Effect] | None = None) -> list[Effect]:
        """Time has passed. Harmless when nothing is due. The orders are added to ``effects``, where they are given."""
        state = self.state
        effects = [] if effects is None else effects
        if self.deadline is None or now < self.deadline:
            return effects
        if isinstance(state, Master):
            if now >= state.advert_at:
                if self._advert is None and self._used_up(now, effects):
                    return effects
                self._send(effects)
                # after a stall from now, so that no burst follows
                in_time = state.advert_at + self.instance.advert_int
                state = replace(state, advert_at=in_time if in_time > now else self._advert_after(now))
                if state.duties.rogue is not None:
                    state = self._rogue_heard_us(state, state.duties.rogue, now)
                self._enter(state)
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
        down_at = now + (self._sooner() if sooner else self.down_interval(self.instance.advert_int))
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
            interval = state.master.advert_interval if state.master else self.instance.advert_int
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
        self._detail(f"Netlink reflector reports IP {entry.address} removed from {entry.dev}", effects)
        self._lost(f"address {entry} from {entry.dev}", now, effects)

    def routing_lost(self, entry: RouteEntry | RuleEntry, now: int, effects: list[Effect]) -> None:
        """Somebody deleted a route or a rule that we have as MASTER: as with an address."""
        self._lost(f"{'route' if isinstance(entry, RouteEntry) else 'rule'} {entry}", now, effects)

    def _lost(self, what: str, now: int, effects: list[Effect]) -> None:
        cause = f"somebody removed {what}"
        self.leave_master(cause, now, effects, down_interval=self._skew(self.instance.advert_int), zero=True)
        if self.group is not None:
            self.group.follow_to_backup(self, now, effects, zero=True)

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
            fields = self._fields(Stop.name, cause)
            message = f"({self.name}) leaving MASTER STATE: {cause}"
            effects.append(Log(message, kind=Kind.VRRP_TRANSITION, fields=fields))
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
            self._detail(f"({self.name}) Receive advertisement timeout", effects)
        self._restore_priority()
        self.reception.begin()
        self._send(effects)

    def _take_over(self, cause: str, now: int, effects: list[Effect]) -> None:
        was, instance = self.state, self.instance
        duties = announcing.planned(instance, now)
        self._transition(Master(self._advert_after(now), duties, duties.next_at), cause, now, effects)
        if isinstance(was, Backup) and was.master and was.master.advert_interval != instance.advert_int:
            learnt, own = was.master.advert_interval // MILLISECOND, instance.advert_int // MILLISECOND
            message = f"({self.name}) changing advert interval from {learnt}ms to locally configured {own}ms"
            self._detail(message, effects)
        self.statistics.become_master += 1
        self.reception.forget()
        carried.take(instance, effects)
        self._announce(instance.garp_master_repeat, effects)
        self._notify(Word.MASTER, effects)

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
            interval = state.master.advert_interval if state.master else self.instance.advert_int
            self._enter(replace(state, wants_master=False, master_down_at=now + self.down_interval(interval)))

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
        self._advert = None
        self._down_key = -1
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
            self._send(effects)
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
        self.source = b"" if address is None else address.packed
        self._advert = None

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
            self.statistics.pri_zero_rcvd += 1
            self._detail(f"({self.name}) Backup received priority 0 advertisement", effects)
            interval = state.master.advert_interval if state.master else self.instance.advert_int
            master = state.master or HeardMaster(source, 0, interval)
            self._enter(
                replace(
                    state,
                    master_down_at=now + self._skew(interval),
                    heard_at=now,
                    master=master,
                    resigned=True,
                    frozen=0,
                )
            )
            return
        instance, preempt_at = self.instance, state.preempt_at
        if advert.priority >= self.priority or self._nopreempt():
            if preempt_at is not None:
                self._detail(f"({self.name}) stop preempt delay", effects)
                preempt_at = None
        elif preempt_at is None and self._preempt_delay():
            preempt_at = now + instance.preempt_delay
            seconds = causes.seconds_and_microseconds(instance.preempt_delay)
            self._detail(f"({self.name}) start preempt delay ({seconds})", effects)
        elif preempt_at is None or now >= preempt_at:
            sender = text(source)
            message = f"({self.name}) received lower priority ({advert.priority}) advert from {sender} - discarding"
            effects.append(Log(message, kind=Kind.VRRP_PACKET, fields=(("VRRP_INSTANCE", self.name),)))
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
        state = Backup(now + self.down_interval(known.advert_interval), now, known, preempt_at)
        self._enter(state)
        if preempt_at is None and not self._authenticates:
            self._repeatable = state
        if self.group is not None and self.group.mixed:
            self.group.follow_to_backup(self, now, effects)

    def _heard_besides(self, state: Backup, source: bytes, now: int, effects: list[Effect]) -> None:
        """An advert from another one than the master that is still heard."""
        master = state.master
        if master is None or master.address == source or now - state.heard_at > 2 * master.advert_interval:
            return
        self.statistics.count(Reason.TWO_MASTERS)
        self.rivals.heard(self.instance, source, text(master.address), now, effects)

    def _learn(self, known: HeardMaster | None, advert: Advert, source: bytes, effects: list[Effect]) -> HeardMaster:
        sender = text(source)
        if known is None:
            self._detail(f"({self.name}) master set to {sender}", effects)
        elif known.address != source:
            self._detail(f"({self.name}) master changed from {text(known.address)} to {sender}", effects)
            self.reception.forget()
        if not self._nopreempt() and (known is None or known.address != source):
            why = disagreements.out_of_reach(source, advert.priority, self.instance.priority, self.tracked)
            if why:
                self.reception.say_once(Reason.OUT_OF_REACH, why, effects, Level.NOTICE)
        before = known.advert_interval if known else self.instance.advert_int
        # an interval of 0 would make every pause a failover: it is not learnt
        interval = advert.advert_interval or before
        if interval != before:
            old, new = before // MILLISECOND, interval // MILLISECOND
            self._detail(f"({self.name}) advertisement interval updated from {old}ms to {new}ms by master", effects)
        return HeardMaster(source, advert.priority, interval)

    def _heard_as_master(self, state: Master, advert: Advert, source: bytes, now: int, effects: list[Effect]) -> None:
        sender = text(source)
        name, ours, priority = self.name, self.priority, advert.priority
        if priority == 0:
            self.statistics.pri_zero_rcvd += 1
            self._detail(f"({name}) Master received priority 0 message", effects)
            self._send(effects)
            self._enter(replace(state, advert_at=self._advert_after(now)))
            return
        if priority == OWNER == ours:
            message = f"CONFIGURATION ERROR: local instance and {sender} are both configured as address owner"
            self.reception.say_once(Reason.TWO_OWNERS, f"{message}, please resolve", effects, Level.ERROR)
            rogue = state.duties.rogue
            if source < self.source and rogue is not None and rogue.until is not None and now < rogue.until:
                message = f"({name}) {sender} is still advertising as address owner, please resolve"
                effects.append(Log(f"{message} - reducing our priority", Level.ERROR, Kind.VRRP_PACKET))
                self.reduced = True
                ours = OWNER - 1
                self._set_priority(ours)
        if priority < ours or (priority == ours and source < self.source):
            self._heard_lower(state, advert, source, now, effects)
            return
        if priority == ours and source == self.source:
            message = "WARNING - equal priority advert received from remote host with our IP address."
            self.reception.say_once(Reason.OWN_ADDRESS, message, effects, Level.WARNING)
            return
        if self.instance.higher_prio_send_advert:
            self._send(effects)
        if priority > ours:
            message = f"({name}) Master received advert from {sender} with higher priority {priority}, ours {ours}"
            cause = f"advert from {sender} with higher priority {priority}, ours is {ours}"
        else:
            message = (
                f"({name}) Master received advert from {sender} with same priority {priority}"
                " but higher IP address than ours"
            )
            cause = f"advert from {sender} with our priority {priority} and a higher address than {text(self.source)}"
        effects.append(Log(message, kind=Kind.VRRP_PACKET, fields=(("VRRP_INSTANCE", name),)))
        master = HeardMaster(source, priority, advert.advert_interval or self.instance.advert_int)
        self.leave_master(cause, now, effects, master=master)
        if self.group is not None:
            self.group.follow_to_backup(self, now, effects)

    def _heard_lower(self, state: Master, advert: Advert, source: bytes, now: int, effects: list[Effect]) -> None:
        """Another MASTER that must yield: tell it, and take the hosts on the link back from it."""
        instance = self.instance
        answer = not instance.lower_prio_no_advert
        message = (
            f"({self.name}) Received advert from {text(source)} with lower priority {advert.priority},"
            f" ours {self.priority}{', forcing new election' if answer else ''}"
        )
        effects.append(Log(message, kind=Kind.VRRP_PACKET, fields=(("VRRP_INSTANCE", self.name),)))
        if answer:
            self._send(effects)
            state = replace(state, advert_at=self._advert_after(now))
        self.statistics.count(Reason.TWO_MASTERS)
        self.rivals.heard(instance, source, f"{text(self.source)} (this host)", now, effects)
        duties = replace(state.duties, rival_over_at=self.rivals.over_at(instance))
        state = Master(state.advert_at, duties, duties.next_at)
        rogue = duties.rogue
        if advert.priority == OWNER:
            if rogue is None:
                interval = max(instance.advert_int, advert.advert_interval)
                rogue = Rogue(_OWN_ADVERTS_FOR_A_ROGUE, interval)
                state = replace(state, duties=replace(state.duties, rogue=rogue))
            elif answer:
                state = self._rogue_heard_us(state, rogue, now)
        self._enter(state)
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
        self._announce(instance.garp_lower_prio_repeat, effects)
        if instance.garp_lower_prio_delay:
            self._plan(state, replace(state.duties, lower_prio_announce_at=now + instance.garp_lower_prio_delay))

    @staticmethod
    def _rogue_heard_us(state: Master, rogue: Rogue, now: int) -> Master:
        """One more advert of ours went out; after enough of them the rogue is on trial."""
        if rogue.until is not None:
            return state
        left = rogue.adverts_left - 1
        until = now + rogue.advert_interval * 12 // 10 if left <= 0 else None
        duties = replace(state.duties, rogue=Rogue(left, rogue.advert_interval, until))
        return Master(state.advert_at, duties, duties.next_at)

    # --- deadlines ----------------------------------------------------------------------------------------------

    def _master_is_down(self, state: Backup, now: int, effects: list[Effect]) -> None:
        interval = state.master.advert_interval if state.master else self.instance.advert_int
        late = now - state.master_down_at
        if late > interval and not state.frozen:
            # what was sent while nobody could listen is lost: the silence is not the master's
            down_at = now + interval + self._skew(interval)
            self._enter(replace(state, master_down_at=down_at, frozen=late))
            return
        if self.group is not None and not self.group.lets_become_master(self):
            self._detail(f"({self.name}) Receive advertisement timeout", effects)
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
        instance, duties = self.instance, state.duties
        if duties.announce_at is not None and now >= duties.announce_at:
            self._announce(instance.garp_master_repeat, effects)
            duties = replace(duties, announce_at=None)
        if duties.refresh_at is not None and now >= duties.refresh_at:
            self._announce(instance.garp_master_refresh_repeat, effects)
            refresh_at = announcing.again(duties.refresh_at, instance.garp_master_refresh, now)
            duties = replace(duties, refresh_at=refresh_at)
        if duties.extra_at is not None and now >= duties.extra_at:
            if further := announcing.on_further_links(instance):
                effects.append(Announce(self.name, further, 1))
            extra_at = announcing.again(duties.extra_at, instance.garp_extra_if.interval, now)
            duties = replace(duties, extra_at=extra_at)
        if duties.lower_prio_announce_at is not None and now >= duties.lower_prio_announce_at:
            self._announce(instance.garp_lower_prio_repeat, effects)
            duties = replace(duties, lower_prio_announce_at=None)
        if duties.rival_over_at is not None and now >= duties.rival_over_at:
            self.rivals.over(instance, effects)
            duties = replace(duties, rival_over_at=None)
        if duties.rogue is not None and duties.rogue.until is not None and now >= duties.rogue.until:
            duties = replace(duties, rogue=None)  # it has gone
        self._plan(state, duties)

    def _plan(self, state: Master, duties: Duties) -> None:
        self._enter(Master(state.advert_at, duties, duties.next_at))

    def _used_up(self, now: int, effects: list[Effect]) -> bool:
        """Whether that was the last number AH has. Only another MASTER may begin anew, so we give up."""
        if not self.reception.used_up:
            return False
        self.leave_master("the sequence numbers of AH are used up", now, effects)
        if self.group is not None:
            self.group.follow_to_backup(self, now, effects)
        return True

    def expire(self, now: int, effects: list[Effect]) -> None:
        """timer_expired_backup: a MASTER that stood still until a peer may have taken over yields."""
        state, instance = self.state, self.instance
        if not isinstance(state, Master) or not instance.timer_expired_backup or not self._nopreempt():
            return
        advert_int = instance.advert_int
        skew = skew_time(instance.version, instance.timer_expired_backup, advert_int)
        if now <= state.advert_at + 2 * advert_int + skew:  # 3 intervals and the skew after the last advert
            return
        late = now - state.advert_at
        seconds = causes.seconds_and_microseconds(late)
        message = f"VRRP thread timer expired {seconds} seconds ago"
        effects.append(Log(message, kind=Kind.STALL, fields=(("VRRP_INSTANCE", self.name),)))
        cause = f"our advert is {seconds_text(late)} late: a peer may be MASTER meanwhile (timer_expired_backup)"
        self.leave_master(cause, now, effects)
        if self.group is not None:
            self.group.follow_to_backup(self, now, effects)

    # --- small things -------------------------------------------------------------------------------------------

    def down_interval(self, advert_interval: int) -> int:
        """master_down_interval for a master's interval."""
        if advert_interval != self._down_key:
            instance = self.instance
            self._down_key = advert_interval
            self._down_interval = master_down_interval(
                instance.version, self._skew_priority(), advert_interval, instance.down_timer_adverts
            )
        return self._down_interval

    def _advert_after(self, now: int) -> int:
        """When the next advert is due: an interval later, or a little before, together with others'."""
        at = now + self.instance.advert_int
        return at - at % self.phase if self.phase else at

    @property
    def _authenticates(self) -> bool:
        """Whether no packet may be accepted twice."""
        return self.instance.auth_type == "AH" or self.instance.auth_hmac is not None

    def _skew(self, advert_interval: int) -> int:
        return skew_time(self.instance.version, self._skew_priority(), advert_interval)

    def _sooner(self) -> int:
        """advert_int and the shortest skew there is."""
        return self.instance.advert_int + skew_time(self.instance.version, OWNER, self.instance.advert_int)

    def _skew_priority(self) -> int:
        return OWNER if self.instance.priority == OWNER else self.priority

    def _nopreempt(self) -> bool:
        instance = self.instance
        return instance.nopreempt and instance.state != "MASTER" and instance.priority != OWNER

    def _preempt_delay(self) -> bool:
        instance = self.instance
        return instance.preempt_delay > 0 and instance.state != "MASTER"

    def _set_priority(self, priority: int) -> None:
        self.priority = priority
        self._advert = self._repeatable = None
        self._down_key = -1

    def _restore_priority(self) -> None:
        """An owner that yielded to another one is an owner again."""
        if self.reduced:
            self.reduced = False
            self._set_priority(effective_priority(self.instance.priority, sum(self.contributions.values())))

    def _enter(self, state: State) -> None:
        self.state = state
        self.deadline = state.deadline

    def _own_advert(self) -> SendAdvert:
        if self._advert is None:
            advert = self._made(self.priority)
            if advert.sequence:
                return advert  # the next one has another number
            self._advert = advert
        return self._advert

    @property
    def foreseen_advert(self) -> SendAdvert | None:
        """What a BACKUP would send as MASTER, where that is known before."""
        if type(self.state) is Backup and self.source and not self._authenticates:
            return self._own_advert()
        return None

    def _made(self, priority: int) -> SendAdvert:
        """An order to send an advert, with its number where AH wants one."""
        reception = self.reception
        sequence = reception.authentication.next(self.source) if isinstance(reception.authentication, Ah) else 0
        return SendAdvert(self.name, priority, self.source, sequence, reception.old_checksum)

    def _send(self, effects: list[Effect]) -> None:
        self.statistics.advert_sent += 1
        effects.append(self._own_advert())

    def _resign(self, effects: list[Effect]) -> bool:
        """An advert of priority 0, where one can go out."""
        can = bool(self.source) and self.interface_up
        if can:
            self.statistics.advert_sent += 1
            effects.append(self._made(0))
        return can

    def _send_zero(self, effects: list[Effect]) -> None:
        """Tell the others that we give up, and say so even where it cannot reach them."""
        self.statistics.pri_zero_sent += self._resign(effects)
        self._detail(f"({self.name}) sent 0 priority", effects)

    def _give_back(
        self, effects: list[Effect], *, release: bool = True, keep: frozenset[carried.Carried] = carried.NOTHING
    ) -> None:
        self.statistics.release_master += 1
        self.reception.forget()
        self.rivals = Rivals()
        effects.append(CancelAnnouncements(self.name))
        if release:
            carried.give_back(self.instance, effects, keep, self.kept)

    def _announce(self, rounds: int, effects: list[Effect]) -> None:
        if rounds and self.entries:
            effects.append(Announce(self.name, self.entries, rounds))

    def _notify(self, word: Word, effects: list[Effect]) -> None:
        effects.append(NotifyInstance(self.name, word, self.priority))

    def _detail(self, message: str, effects: list[Effect]) -> None:
        effects.append(Log(message, detail=True, fields=(("VRRP_INSTANCE", self.name),)))

    def _fields(self, state: str, cause: str) -> tuple[tuple[str, str], ...]:
        return (
            ("VRRP_INSTANCE", self.name),
            ("VRRP_STATE", state),
            ("VRRP_PREVIOUS_STATE", self.state.name),
            ("CAUSE", cause),
        )

    def _transition(self, state: State, cause: str, now: int, effects: list[Effect], suffix: str = "") -> None:
        """Enter another state: keepalived's line, and ours with the cause."""
        message = f"({self.name}) Entering {state.name} STATE{suffix}"
        effects.append(Log(message, kind=Kind.VRRP_TRANSITION, fields=self._fields(state.name, cause)))
        self._say_cause(cause, effects)
        self._enter(state)
        self.reception.own_address = text(self.source) if isinstance(state, Master) else ""
        self.last_transition_at = now

    def _say_fault(self, tracked: Tracked, effects: list[Effect]) -> None:
        message = causes.fault_line(self.instance, tracked, self.faults[tracked])
        effects.append(Log(message, kind=Kind.TRACKER, fields=(("VRRP_INSTANCE", self.name),)))

    def _say_priority(self, before: int, cause: str, effects: list[Effect]) -> None:
        if self.priority == before:
            return
        fields = (("VRRP_INSTANCE", self.name), ("VRRP_STATE", self.state.name), ("CAUSE", cause))
        message = f"({self.name}) Changing effective priority from {before} to {self.priority}"
        effects.append(Log(message, kind=Kind.VRRP_PRIORITY, fields=fields))
        self._say_cause(cause, effects)
        if self.instance.notify_priority_changes:
            master = isinstance(self.state, Master)
            self._notify(Word.MASTER_PRIORITY if master else Word.BACKUP_PRIORITY, effects)

    def _say_cause(self, cause: str, effects: list[Effect]) -> None:
        effects.append(Log(f"({self.name}) cause: {cause}", fields=(("VRRP_INSTANCE", self.name),)))
