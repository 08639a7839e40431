"""One virtual router: RFC 9568 6.4 as keepalived lives it. Told a fact and the time, it answers with orders.

It knows its instance's settings, its source address, its trackers' verdicts and its sync group, and nothing of sockets,
addresses of the host or other instances. Interval, skew and deadlines are integers of nanoseconds.

States and transitions are here. What an advert means is in ``watch`` (to a BACKUP) and ``contest`` (to a MASTER), what
we send in ``own_adverts``, priority and intervals in ``standing``, addresses in ``carried`` and ``announcing``.
"""

from dataclasses import replace

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.kinds import IP
from pykeepalived.units import MICROSECOND, seconds_text
from pykeepalived.vrrp import announcing, carried, causes, lines, preemption
from pykeepalived.vrrp.contest import Contest, Yields
from pykeepalived.vrrp.effects import (
    AnnounceSource,
    CancelAnnouncements,
    Effect,
    NotifyInstance,
    SendAdvert,
    Word,
)
from pykeepalived.vrrp.events import AddressRemoved
from pykeepalived.vrrp.group import SyncGroup
from pykeepalived.vrrp.lent_source import LentSource
from pykeepalived.vrrp.own_adverts import OwnAdverts
from pykeepalived.vrrp.reception import Reception
from pykeepalived.vrrp.refusals import Refusals
from pykeepalived.vrrp.rivals import Rivals
from pykeepalived.vrrp.standing import Standing
from pykeepalived.vrrp.states import Backup, Fault, Init, Master, State, Stop
from pykeepalived.vrrp.statistics import Statistics
from pykeepalived.vrrp.tracking import SOURCE, Tracked
from pykeepalived.vrrp.watch import Watch
from pykeepalived.wire.vrrp import Advert, Packet, text

NO_SOURCE = Tracked((SOURCE, ""))
_AT_START = "the weights of its trackers"


class VirtualRouter:
    """The state machine of one vrrp_instance."""

    __slots__ = (
        "_contest",
        "_lent",
        "_repeatable",
        "_repeated_wait",
        "_watch",
        "adverts",
        "deadline",
        "faults",
        "group",
        "instance",
        "interface_up",
        "kept",
        "lacking",
        "last_transition_at",
        "listens_at",
        "reception",
        "refusals",
        "rivals",
        "source_address",
        "standing",
        "state",
        "statistics",
        "unknown",
    )

    def __init__(self, instance: VrrpInstance) -> None:
        self.instance = instance
        self.standing = Standing(instance)
        self.statistics = Statistics()
        self.reception = Reception(instance, self.statistics)
        self.rivals = Rivals()
        self.adverts = OwnAdverts(self.standing, self.reception, self.statistics)
        self._watch = Watch(self.standing, self.reception, self.rivals, self.statistics)
        self._contest = Contest(self.standing, self.adverts, self.reception, self.rivals, self.statistics)
        self.state: State = Init()
        self.deadline: int | None = None
        self.group: SyncGroup | None = None
        self.interface_up = False
        self.source_address: IP | None = None
        self.faults: dict[Tracked, str] = {}
        self.unknown: set[Tracked] = set()  # trackers whose failure would be a fault, and that have not reported yet
        self.refusals = Refusals(instance.name)
        self.last_transition_at = 0
        self.listens_at = 0  # adverts before then are ignored (vrrp_startup_delay)
        self.kept: frozenset[carried.Carried] = carried.NOTHING  # static objects: there whatever the state is
        self.lacking: dict[carried.Carried, int] = {}  # what the kernel refused to add for a MASTER, with errno
        self._lent = LentSource()
        self._repeatable: Backup | None = None  # in this state, the advert accepted last may simply be accepted again
        self._repeated_wait = 0  # master_down_interval after that advert

    @property
    def name(self) -> str:
        """The instance's name."""
        return self.instance.name

    @property
    def priority(self) -> int:
        """The effective priority, that adverts carry."""
        return self.standing.priority

    @property
    def source(self) -> bytes:
        """The address that adverts are sent from, empty where there is none."""
        return self.adverts.source

    @property
    def companions(self) -> "tuple[VirtualRouter, ...]":
        """Whoever changes state together with it, itself included."""
        return (self,) if self.group is None else tuple(self.group.members)

    # --- hot paths ----------------------------------------------------------------------------------------------

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
        advert = self.adverts.ready
        if advert is None:
            if self.adverts.used_up:
                return None
            advert = self.adverts.next()
        # from the due time, so that nothing drifts
        state.advert_at = advert_at = advert_at + advert_int
        self.deadline = advert_at if duties_at is None or advert_at < duties_at else duties_at
        self.statistics.advert_sent += 1
        return advert

    def repeats(self, due_at: int) -> bool:
        """Whether what is due then is a MASTER's advert that was ordered before, and nothing else."""
        state = self.state
        return (
            type(state) is Master
            and state.advert_at == due_at
            and (state.duties_at is None or state.duties_at > due_at)
            and state.duties.rogue is None
            and self.adverts.ready is not None
        )

    def sent_meanwhile(self, count: int) -> None:
        """So many adverts have gone out, each in time, as the one before. It may have left MASTER since then."""
        self.statistics.advert_sent += count
        state = self.state
        if type(state) is Master:
            state.advert_at += count * self.instance.advert_int
            self.deadline = state.deadline

    @property
    def duty_at(self) -> int | None:
        """When a MASTER has something to do beside its adverts."""
        return self.state.duties_at if type(self.state) is Master else None

    # --- start and stop -----------------------------------------------------------------------------------------

    @property
    def held(self) -> bool:
        """Not started yet: nothing is said or done."""
        return isinstance(self.state, Init) and self.state.master_at is None

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
        down_at = now + (
            self.standing.shortest_wait() if sooner else self.standing.down_interval(self.instance.advert_int)
        )
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

    # --- trackers, and what others removed ----------------------------------------------------------------------

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
        self.standing.weigh(tracked, contribution)
        self.reweigh(cause, effects)

    def reweigh(self, cause: str, effects: list[Effect]) -> None:
        """Work the effective priority out again; say so and shift the running timer when it has changed."""
        priority = self.standing.worked_out()
        if priority == self.priority:
            return
        state, before = self.state, self.priority
        if isinstance(state, Backup):
            interval = state.interval(self.instance.advert_int)
            old = self.standing.down_interval(interval)
            self._set_priority(priority)
            self._enter(
                replace(state, master_down_at=state.master_down_at + self.standing.down_interval(interval) - old)
            )
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

    def lacks(self, entry: carried.Carried, errno: int) -> bool:
        """The kernel refused to add something. Whether that is to be said: once for a MASTER, which tries it again."""
        if not isinstance(self.state, Master):
            return True
        known, self.lacking[entry] = self.lacking.get(entry), errno
        return known != errno

    def try_again(self, interface: str, effects: list[Effect]) -> None:
        """An interface has a new address, so that the kernel may take what it refused before."""
        if self.lacking and isinstance(self.state, Master):
            carried.try_again(self.instance, interface, self.lacking, effects)

    def _lost(self, what: str, now: int, effects: list[Effect]) -> None:
        wait = self.standing.skew_time(self.instance.advert_int)
        self._give_way(Backup(now + wait, now, gave_up=True), f"somebody removed {what}", now, effects)

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
        self.adverts.begin()
        self.adverts.send(effects)

    def _take_over(self, cause: str, now: int, effects: list[Effect]) -> None:
        was, instance = self.state, self.instance
        duties = announcing.planned(instance, now)
        self._transition(Master(self.adverts.due_after(now)).planned(duties), cause, now, effects)
        if isinstance(was, Backup) and was.master and was.master.advert_interval != instance.advert_int:
            effects.append(lines.interval_own(self.name, was.master.advert_interval, instance.advert_int))
        self.statistics.become_master += 1
        self.reception.forget()
        carried.take(instance, effects)
        announcing.announce(instance, instance.garp_master_repeat, effects)
        self._notify(Word.MASTER, effects)

    def leave_master(self, cause: str, now: int, effects: list[Effect], *, zero: bool = False) -> None:
        """To BACKUP, with the sync group; ``zero`` tells the others that we give up."""
        self._become_backup(self._full_wait(now, gave_up=zero), cause, now, effects)

    def _give_way(self, backup: Backup, cause: str, now: int, effects: list[Effect]) -> None:
        """A MASTER goes to BACKUP, and its sync group with it."""
        self._become_backup(backup, cause, now, effects)
        if self.group is not None:
            self.group.follow_to_backup(self, now, effects, zero=backup.gave_up)

    def _become_backup(self, backup: Backup, cause: str, now: int, effects: list[Effect]) -> None:
        """Behaviour 1.6."""
        self._transition(backup, cause, now, effects)
        if backup.gave_up:
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
        self._transition(self._full_wait(max(now, self.listens_at)), cause, now, effects)
        self._notify(Word.BACKUP, effects)
        if self.instance.unicast and self.source_address is not None:
            effects.append(AnnounceSource(self.name, self.source_address))

    def rewatch(self, now: int) -> None:
        """BACKUP with a full timer, silently: the group went on without it having been MASTER."""
        state = self.state
        if isinstance(state, Backup) and state.wants_master:
            down_at = now + self.standing.down_interval(state.interval(self.instance.advert_int))
            self._enter(replace(state, wants_master=False, master_down_at=down_at))

    # --- reload -------------------------------------------------------------------------------------------------

    def hold(self) -> None:
        """A reload before an owner was to be MASTER: whether it still is to be one is decided anew."""
        if isinstance(self.state, Init):
            self._enter(Init())

    def configure(self, instance: VrrpInstance, now: int) -> None:
        """Take new settings, keep the state. A changed interval moves the running timer by the difference."""
        state = self.state
        old = self.standing.down_interval(state.interval(self.instance.advert_int)) if isinstance(state, Backup) else 0
        former, self.instance = self.instance, instance
        self.standing.configure(instance)
        self.refusals.name = instance.name
        self.reception.configure(instance)
        self.adverts.change()
        if isinstance(state, Backup):
            if instance.version == 2 and state.master is not None:
                state = replace(state, master=replace(state.master, advert_interval=instance.advert_int))
            change = self.standing.down_interval(state.interval(instance.advert_int)) - old
            self._enter(replace(state, master_down_at=state.master_down_at + change))
        elif isinstance(state, Master):
            duties = announcing.replanned(state.duties, former, instance, now)
            self._enter(Master(min(state.advert_at, self.adverts.due_after(now)), duties, duties.next_at))

    def confirm(self, now: int, effects: list[Effect]) -> None:
        """A MASTER's advert beside a reload."""
        if isinstance(self.state, Master):
            self.adverts.send(effects)
            self._enter(replace(self.state, advert_at=self.adverts.due_after(now)))

    def announce_later(self, now: int) -> None:
        """New addresses get their second burst as well."""
        delay = self.instance.garp_master_delay
        if isinstance(self.state, Master) and delay and self.instance.garp_master_repeat:
            self._enter(self.state.planned(replace(self.state.duties, announce_at=now + delay)))

    # --- the source of adverts ----------------------------------------------------------------------------------

    def set_source(self, address: IP | None) -> None:
        """Send from this address from now on."""
        self.source_address = address
        self.adverts.change(b"" if address is None else address.packed)

    def lend_source(self, effects: list[Effect], *, anew: bool = False) -> None:
        """The own link has the source address, if it needs it; ``anew`` when the link may have lost it."""
        self._lent.lend(self.instance, self.source_address, effects, up=self.interface_up, anew=anew)

    def source_removed(self, event: AddressRemoved, effects: list[Effect]) -> None:
        """Somebody deleted an address: if it is what the own link was lent, the kernel would refuse our adverts."""
        if self._lent.is_at(event.interface, event.address, event.prefix_length) and not isinstance(self.state, Stop):
            self.lend_source(effects, anew=True)

    @property
    def foreseen_advert(self) -> SendAdvert | None:
        """What a BACKUP would send as MASTER, where that is known before."""
        return self.adverts.foreseen() if type(self.state) is Backup else None

    # --- adverts heard ------------------------------------------------------------------------------------------

    def advert(self, packet: Packet, now: int) -> list[Effect]:
        """A packet for this virtual router came in. Ignored while in INIT, FAULT and STOP."""
        state = self.state
        kind = type(state)
        effects: list[Effect] = []
        if kind is not Backup and kind is not Master:
            return effects
        advert = self.reception.judge(packet, self._known_master, effects, now)
        if effects:
            self.adverts.change()  # a peer may want another checksum
        if advert is None:
            self._repeatable = None  # this packet must not pass for the one accepted last
            return effects
        if isinstance(state, Backup):
            self._heard_as_backup(state, advert, packet.source, now, effects)
        elif isinstance(state, Master):
            self._heard_as_master(state, advert, packet.source, now, effects)
        return effects

    def hears_from(self, source: bytes) -> int:
        """How likely a packet from ``source`` is meant for this one of several with its VRID: 2, 1 or 0."""
        if self._known_master() == source:
            return 2
        return int(self.reception.knows_peer(source))

    def _known_master(self) -> bytes | None:
        return self.state.master.address if isinstance(self.state, Backup) and self.state.master else None

    def _heard_as_backup(self, state: Backup, advert: Advert, source: bytes, now: int, effects: list[Effect]) -> None:
        state = self._watch.heard(state, advert, source, now, effects)
        self._enter(state)
        if state.resigned or state.lower is not None:  # nobody to follow
            return
        if state.preempt_at is None and self.reception.authentication is None:  # else no packet may be accepted twice
            self._repeatable, self._repeated_wait = state, state.master_down_at - now
        if self.group is not None and self.group.mixed:
            self.group.follow_to_backup(self, now, effects)

    def _heard_as_master(self, state: Master, advert: Advert, source: bytes, now: int, effects: list[Effect]) -> None:
        outcome = self._contest.heard(state, advert, source, now, effects)
        if isinstance(outcome, Yields):
            self._give_way(outcome.state, outcome.cause, now, effects)
            return
        self._enter(outcome.state)
        if outcome.others_yield:
            self._take_back(now, effects)
            for member in self.companions:
                if member is not self:
                    member._take_back(now, effects)
            self._notify(Word.MASTER_RX_LOWER_PRI, effects)

    def _take_back(self, now: int, effects: list[Effect]) -> None:
        """A MASTER takes the hosts on the link back from another one."""
        if isinstance(self.state, Master):
            duties = announcing.take_back(self.instance, self.state.duties, now, effects)
            self._enter(self.state.planned(duties))

    # --- deadlines ----------------------------------------------------------------------------------------------

    def tick(self, now: int, effects: list[Effect] | None = None) -> list[Effect]:
        """Time has passed. Harmless when nothing is due. The orders are added to ``effects``, where they are given."""
        state = self.state
        effects = [] if effects is None else effects
        if self.deadline is None or now < self.deadline:
            return effects
        if isinstance(state, Master):
            if now >= state.advert_at:
                if self.adverts.used_up:  # only another MASTER may begin anew, so we give up
                    self._give_way(self._full_wait(now), "the sequence numbers of AH are used up", now, effects)
                    return effects
                self.adverts.send(effects)
                # after a stall from now, so that no burst follows
                in_time = state.advert_at + self.instance.advert_int
                state = replace(state, advert_at=in_time if in_time > now else self.adverts.due_after(now))
                if (rogue := state.duties.rogue) is not None:
                    state = state.planned(replace(state.duties, rogue=rogue.heard_us(now)))
                self._enter(state)
            if state.duties_at is not None and now >= state.duties_at:
                self._do_duties(state, now, effects)
        elif isinstance(state, Backup):
            self._master_is_down(state, now, effects)
        elif isinstance(state, Init):
            self._owner_starts(now, effects)
        return effects

    def _master_is_down(self, state: Backup, now: int, effects: list[Effect]) -> None:
        interval = state.interval(self.instance.advert_int)
        late = now - state.master_down_at
        if late > interval and not state.frozen:
            # what was sent while nobody could listen is lost: the silence is not the master's
            down_at = now + interval + self.standing.skew_time(interval)
            self._enter(replace(state, master_down_at=down_at, frozen=late))
            return
        if self.group is not None and not self.group.lets_become_master(self):
            effects.append(lines.detail(self.name, "Receive advertisement timeout"))
            self._enter(replace(state, wants_master=True, master_down_at=now + self.standing.down_interval(interval)))
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
        self._enter(state.planned(duties))

    def expire(self, now: int, effects: list[Effect]) -> None:
        """timer_expired_backup: a MASTER that stood still until a peer may have taken over yields."""
        state, instance = self.state, self.instance
        if not isinstance(state, Master) or not instance.timer_expired_backup or not preemption.never(instance):
            return
        if now <= self.standing.expires_at(state.advert_at):
            return
        late = now - state.advert_at
        effects.append(lines.expired(self.name, late))
        cause = f"our advert is {seconds_text(late)} late: a peer may be MASTER meanwhile (timer_expired_backup)"
        self._give_way(self._full_wait(now), cause, now, effects)

    # --- small things -------------------------------------------------------------------------------------------

    def _enter(self, state: State) -> None:
        self.state = state
        self.deadline = state.deadline

    def _full_wait(self, now: int, *, gave_up: bool = False) -> Backup:
        """Watching, with no master known."""
        return Backup(now + self.standing.down_interval(self.instance.advert_int), now, gave_up=gave_up)

    def _transition(self, state: State, cause: str, now: int, effects: list[Effect], suffix: str = "") -> None:
        """Enter another state: keepalived's line, and ours with the cause."""
        words = f"Entering {state.name} STATE{suffix}"
        effects.append(lines.transition(self.name, words, self.state.name, state.name, cause))
        effects.append(lines.why(self.name, cause))
        self._enter(state)
        self.reception.own_address = text(self.source) if isinstance(state, Master) else ""
        self.last_transition_at = now

    def _set_priority(self, priority: int) -> None:
        self.standing.take(priority)
        self._repeatable = None
        self.adverts.change()

    def _restore_priority(self) -> None:
        """An owner that yielded to another one is an owner again."""
        if self.standing.yields:
            self.standing.yields = False
            self._set_priority(self.standing.worked_out())

    def _resign(self, effects: list[Effect]) -> bool:
        """An advert of priority 0, where one can go out."""
        can = bool(self.source) and self.interface_up
        if can:
            self.adverts.resign(effects)
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
        self.rivals.forget()
        self.lacking.clear()
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
