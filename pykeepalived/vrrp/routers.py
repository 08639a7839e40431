"""All virtual routers of a host, with their groups: what the driver, and the simulated link, speak to.

Here facts about interfaces, addresses and trackers are turned into what they mean for each instance. An event costs
what it concerns: a packet is looked up by its VRID, a tick belongs to one instance, a tracker knows its followers.
"""

from collections.abc import Iterable, KeysView, Sequence

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import IP
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.events import Tick
from pykeepalived.units import SECOND, seconds_text
from pykeepalived.vrrp import carried, causes, lines, statics
from pykeepalived.vrrp.authentication import WallClock
from pykeepalived.vrrp.concerned import Concerned, Place
from pykeepalived.vrrp.effects import Effect, NotifyGroup, ReplaceRouters, Word
from pykeepalived.vrrp.events import (
    AddressAdded,
    AddressesFailed,
    AddressRemoved,
    AdvertFailed,
    AdvertReceived,
    Event,
    InterfaceChanged,
    LinkbeatChanged,
    RoutingFailed,
    RoutingRemoved,
    SocketsChanged,
    StaticTried,
    TrackBfdChanged,
    TrackFileChanged,
    TrackProcessChanged,
    TrackScriptChanged,
)
from pykeepalived.vrrp.group import SyncGroup
from pykeepalived.vrrp.identity import ReceiverKey
from pykeepalived.vrrp.inbox import Inbox
from pykeepalived.vrrp.link_states import LinkStates, polled
from pykeepalived.vrrp.refusals import address_duplicate, address_refused, routing_refused
from pykeepalived.vrrp.router import NO_SOURCE, VirtualRouter
from pykeepalived.vrrp.sources import HostAddresses
from pykeepalived.vrrp.states import Master
from pykeepalived.vrrp.tracking import (
    BFD,
    FILE,
    INTERFACE,
    NO_PEERS,
    PROCESS,
    SCRIPT,
    SOCKETS,
    STATIC,
    UNTOLD,
    State,
    Tracked,
    Tracker,
    tracked_by,
)
from pykeepalived.wire.vrrp import OWNER, Packet

_MANY = 8
_UNKNOWN_QUIET = 60 * SECOND
_PHASES = 8  # adverts of many instances go out in so many groups an interval: one waking for each group


class Routers:
    """The VRRP core of a host. Facts that come before ``start`` are remembered; nothing is done."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.routers: dict[str, VirtualRouter] = {}
        self.groups: dict[str, SyncGroup] = {}
        self._concerned = Concerned(())
        self.inboxes: dict[ReceiverKey, Inbox] = {}
        self._delayed_until: int | None = None
        self._started = False
        self._start_at = 0
        self._links = LinkStates()
        self._addresses = HostAddresses()
        self._without_ipv4: set[str] = set()
        """Interfaces that have lost their last IPv4 address: the kernel drops IPv4 routes with it, and tells nobody."""
        self._told: dict[Tracker, State] = {}
        self.clock = WallClock()
        self.signed = False  # somebody has auth_hmac, and needs the clock
        self.statics = statics.Statics(configuration, self._links.up)
        self._stalled_at = 0
        self._short_told = False
        self._unknown_quiet: dict[tuple[ReceiverKey, int], int] = {}  # no line about a VRID before then
        self.take(configuration, {instance: VirtualRouter(instance) for instance in configuration.vrrp_instance})

    # --- the driver's way in ------------------------------------------------------------------------------------

    def handle(self, event: Event, now: int) -> list[Effect]:
        """Any event."""
        effects: list[Effect] = []
        match event:
            case AdvertReceived(receiver, packet):
                return self.advert(receiver, packet, now)
            case Tick():
                return self.tick_all(now)
            case InterfaceChanged():
                self._interface_changed(event, now, effects)
            case LinkbeatChanged(name, up):
                if self._links.beat(name, up=up):
                    self._link_counts(name, now, effects)
            case AddressAdded():
                self._address_added(event, now, effects)
            case AddressRemoved():
                self._address_removed(event, now, effects)
            case TrackScriptChanged(name, up, cause):
                self._tracker_told((SCRIPT, name), up, cause, now, effects)
            case TrackFileChanged(name, number):
                self._tracker_told((FILE, name), number, "", now, effects)
            case TrackProcessChanged(name, up, cause):
                self._tracker_told((PROCESS, name), up, cause, now, effects)
            case TrackBfdChanged(name, up):
                self._tracker_told((BFD, name), up, "", now, effects)
            case SocketsChanged(name, up, cause):
                self._tracker_told((SOCKETS, name), up, cause, now, effects)
            case AdvertFailed(name, errno, destination):
                if (router := self.routers.get(name)) is not None:
                    effects += router.refusals.tell(destination, errno)
            case AddressesFailed(name, entry, errno, adding):
                if not adding or self._lacks(name, entry, errno):
                    effects.append(address_refused(name, entry, errno, adding=adding))
                if not adding:
                    self._address_stays(entry, now, effects)
            case RoutingRemoved(entry):
                self._routing_removed(entry, now, effects)
            case RoutingFailed(name, entry, errno, adding):
                if not adding or self._lacks(name, entry, errno):
                    effects.append(routing_refused(event))
            case StaticTried():
                self._static_tried(event, now, effects)
        return effects

    def carry(self, address: IP) -> bool:
        """Whether it is a virtual address of an instance: nothing is decided when one appears."""
        return address in self._concerned.addresses

    def advert(self, receiver: ReceiverKey, packet: Packet, now: int) -> list[Effect]:
        """A packet came in at ``receiver``."""
        inbox = self.inboxes.get(receiver)
        return [] if inbox is None else self.deliver(inbox, receiver, packet, now)

    def deliver(
        self, inbox: Inbox, receiver: ReceiverKey, packet: Packet, now: int, heard: object = None
    ) -> list[Effect]:
        """A packet came in at ``receiver``, which serves ``inbox``. Without effects no deadline has moved nearer.

        ``heard`` is the packet as it came, where the driver looks it up by itself.
        """
        if now < self._start_at:
            return []
        if heard is None:
            heard = packet
            known = inbox.accepted.get(heard)
            if known is not None and known.heard_again(now):
                return []
        data = packet.data
        if len(data) < 2:
            if self._short_told:
                return []
            self._short_told = True
            return [Log(f"VRRP packet too short, length {len(data)}", kind=Kind.VRRP_PACKET)]
        candidates = inbox.get(data[1])
        if candidates is None:
            return self._unknown(receiver, data[1], now) if self.configuration.global_defs.log_unknown_vrids else []
        router = candidates[0] if len(candidates) == 1 else _addressee(candidates, packet.source)
        deadline = router.deadline
        if deadline is not None and now - deadline > router.instance.advert_int:
            return [*self._stalled(router, deadline, now), *router.advert(packet, now)]
        before = router.state
        effects = router.advert(packet, now)
        if heard not in inbox.accepted and len(candidates) == 1 and router.state is not before and router.repeatable:
            inbox.remember(heard, router)
        return effects

    def _unknown(self, receiver: ReceiverKey, vrid: int, now: int) -> list[Effect]:
        """Nobody here has this VRID. Said once a minute for each: a flood of packets is no flood of lines."""
        if now < self._unknown_quiet.get((receiver, vrid), now):
            return []
        self._unknown_quiet[receiver, vrid] = now + _UNKNOWN_QUIET
        message = f"Unknown VRID({vrid}) received on interface({receiver.interface}). ignoring..."
        return [Log(message, kind=Kind.VRRP_PACKET)]

    def tick(self, router: VirtualRouter, now: int, effects: list[Effect] | None = None) -> list[Effect]:
        """One router's deadline was reached. The orders are added to ``effects``, where they are given."""
        effects = [] if effects is None else effects
        deadline = router.deadline
        if deadline is not None and now - deadline > router.instance.advert_int:
            effects += self._stalled(router, deadline, now)
        return router.tick(now, effects)

    def _stalled(self, router: VirtualRouter, deadline: int, now: int) -> list[Effect]:
        """Nobody looked at a deadline for longer than an interval."""
        effects = self.frozen(router, deadline, now)
        router.expire(now, effects)
        return effects

    def frozen(self, router: VirtualRouter, deadline: int, now: int) -> list[Effect]:
        """Nobody looked at a deadline for this long. Said once for a stall, not once for a router."""
        if deadline <= self._stalled_at:
            return []
        self._stalled_at = now
        late = seconds_text(now - deadline)
        message = f"This process was frozen for {late}: in that time nothing was sent and nobody was judged"
        return [Log(message, Level.WARNING, Kind.STALL, fields=lines.fields(router.name))]

    @property
    def deadline(self) -> int | None:
        """The end of the startup delay, or a delayed change of an interface: what belongs to no instance."""
        deadlines = (self._delayed_until, self._links.deadline)
        return min((at for at in deadlines if at is not None), default=None)

    def tick_self(self, now: int) -> list[Effect]:
        """The startup delay may be over, an interface may have been down for long enough."""
        effects: list[Effect] = []
        if self._delayed_until is not None and now >= self._delayed_until:
            self._delayed_until = None
            effects.append(Log("Delayed start completed"))
        for name in self._links.due(now):
            self._link_counts(name, now, effects)
        return effects

    def tick_all(self, now: int) -> list[Effect]:
        """Whatever is due: for those who keep no deadline for each router."""
        effects = self.tick_self(now)
        for router in self.routers.values():
            if router.deadline is not None and router.deadline <= now:
                effects += self.tick(router, now)
        return effects

    def next_deadline(self) -> int | None:
        """The earliest of all deadlines."""
        deadlines = [router.deadline for router in self.routers.values() if router.deadline is not None]
        if self.deadline is not None:
            deadlines.append(self.deadline)
        return min(deadlines, default=None)

    def learn(self, tracker: Tracker, state: State) -> None:
        """A tracker's state, to count from the start or the reload that follows."""
        self._told[tracker] = state

    def start(self, now: int) -> list[Effect]:
        """Interfaces and addresses are known: begin."""
        self._started = True
        effects: list[Effect] = [
            ReplaceRouters((), self.configuration.vrrp_instance, self.configuration.vrrp_sync_group),
        ]
        global_defs = self.configuration.global_defs
        # the monotonic clock counts from the boot
        delay = max(global_defs.vrrp_startup_delay, global_defs.vrrp_delay_after_boot - now)
        if delay > 0 and self.routers:
            effects.append(Log(f"Delaying startup for {delay / SECOND:g} seconds"))
            self._start_at = self._delayed_until = now + delay
            for router in self.routers.values():
                router.listens_at = self._start_at
        for name in self._concerned.on_interface:
            if not self._links.has(name):
                line = f"Configuration specifies interface {name} which doesn't currently exist - will use if created"
                effects.append(Log(line, kind=Kind.TRACKER))
        self.statics.start(effects)
        for router in self.routers.values():
            self.assess(router)
            carried.give_back(router.instance, effects, static=router.kept)
            router.lend_source(effects)
        self.begin(now, effects)
        return effects

    def clear(self) -> list[Effect]:
        """Take away what may have been left of all instances. Nothing begins."""
        effects: list[Effect] = []
        for router in self.routers.values():
            carried.give_back(router.instance, effects, static=router.kept)
        return effects

    def stop(self, now: int, *, release: bool = True) -> list[Effect]:
        """Leave in good order."""
        effects: list[Effect] = []
        for router in self.routers.values():
            router.stop(Word.STOP, "the daemon stops", now, effects, release=release)
        effects += [NotifyGroup(group.name, Word.STOP) for group in self.groups.values()]
        self.statics.stop(effects, release=release)
        return effects

    @property
    def virtual_places(self) -> KeysView[Place]:
        """Interface, address and prefix length of every address that some instance holds as MASTER."""
        return self._concerned.places.keys()

    # --- building, also for a reload ----------------------------------------------------------------------------

    def take(self, configuration: Configuration, routers: dict[VrrpInstance, VirtualRouter]) -> None:
        """Have these settings, with this router for each instance. Groups keep what their scripts were told."""
        self.configuration = configuration
        self.routers = {instance.name: routers[instance] for instance in configuration.vrrp_instance}
        words = {name: group.word for name, group in self.groups.items()}
        self.groups = {}
        for router in self.routers.values():
            router.group = None
        for config in configuration.vrrp_sync_group:
            members = [self.routers[name] for name in config.group if name in self.routers]
            if not members:
                continue
            group = self.groups[config.name] = SyncGroup(config, members)
            group.word = words.get(config.name)
            for member in members:
                member.group = group
        for script in configuration.vrrp_script:
            if script.init_fail:
                self._told.setdefault((SCRIPT, script.name), False)
        self._links.configure(configuration.interface_up_down_delays, polled(configuration))
        self._prepare()
        self._told = {tracker: state for tracker, state in self._told.items() if tracker in self._concerned.followers}

    def _prepare(self) -> None:
        """Each router has what it needs of the others, and is found."""
        self._unknown_quiet.clear()
        many = len(self.routers) > _MANY
        static = frozenset(statics.everything(self.configuration))
        for router in self.routers.values():
            instance = router.instance
            router.adverts.phase = instance.advert_int // _PHASES if many else 0
            router.reception.clock = self.clock
            router.listens_at = self._start_at
            router.kept = static
            own = tracked_by(instance, router.group.config if router.group else None)
            others = (*self.statics.followed_by(instance.name), Tracked((SOCKETS, instance.name)))
            router.standing.tracked = tuple(dict.fromkeys((*own, *others)))
        self._concerned = Concerned(self.routers.values())
        self.inboxes = self._concerned.inboxes
        self.signed = any(router.instance.auth_hmac is not None for router in self.routers.values())

    def assess(self, router: VirtualRouter) -> None:
        """Work out silently what is known about a router's faults, weights and source."""
        router.faults.clear()
        router.standing.contributions.clear()
        router.unknown.clear()
        router.interface_up = self._can_send(router.instance)
        if router.instance.lacks_peers:
            router.faults[NO_PEERS] = "no unicast peer is left (unicast_fault_no_peer)"
        for tracked in router.standing.tracked:
            state = self._state_of(tracked.tracker)
            if tracked.faulty(state):
                router.faults[tracked] = causes.fault_text(tracked, state, causes.tracker_text(tracked.tracker, state))
            elif contribution := tracked.contribution(state):
                router.standing.contributions[tracked] = contribution
            elif state is None and not tracked.weight:
                router.unknown.add(tracked)
        source = self.source_for(router.instance)
        if source is None:
            router.faults[NO_SOURCE] = causes.no_source_text(router.instance)
        if source != router.source_address:
            router.set_source(source)
        if router.held:
            router.standing.take(router.standing.worked_out())

    def begin(self, now: int, effects: list[Effect], *, waited: bool = False) -> None:
        """Start whoever waits for nothing any more, such as a script's first result (``waited``); a sync group starts
        as a whole.
        """
        at = max(now, self._start_at)
        for group in self.groups.values():
            waiting = [member for member in group.members if member.held]
            if waiting and not any(member.unknown for member in waiting):
                if len(waiting) == len(group.members):
                    group.begin(at, effects, waited=waited)
                else:
                    for member in waiting:
                        group.join(member, at, effects)
        for router in self.routers.values():
            if router.group is None and router.held and not router.unknown:
                if router.faults:
                    router.start_faulty(next(iter(router.faults.values())), at, effects)
                else:
                    router.start(at, effects, owner=router.instance.priority == OWNER, waited=waited)

    def source_for(self, instance: VrrpInstance) -> IP | None:
        """The address that adverts come from."""
        return self._addresses.source_for(instance, self._concerned.addresses)

    def leave(self, entries: Iterable[AddressEntry]) -> None:
        """These are about to be removed: until the kernel has told what became of them nothing is sent from them."""
        self._addresses.leave(entries)

    # --- facts --------------------------------------------------------------------------------------------------

    def _can_send(self, instance: VrrpInstance) -> bool:
        """Whether adverts can go out: without an interface the routes decide where."""
        name = instance.exchange_interface
        return not name or self._links.up.get(name, False)

    def _state_of(self, tracker: Tracker) -> State:
        kind, name = tracker
        if kind == STATIC:
            return self.statics.is_there(name)
        return self._links.up.get(name, False) if kind == INTERFACE else self._told.get(tracker, UNTOLD[kind])

    def _interface_changed(self, event: InterfaceChanged, now: int, effects: list[Effect]) -> None:
        name = event.interface
        if self._started and event.present and not self._links.has(name) and self._concerned.uses(name):
            effects.append(Log(f"Interface {name} added", detail=True))
        returns = event.up and self._links.fell(name)
        changed = self._links.told(event, now, effects)
        if not event.present:
            self._addresses.vanished(name)
            self._without_ipv4.discard(name)
        if not self._started:
            return
        if changed:
            self._link_counts(name, now, effects)
        elif returns and self._links.up[name]:
            self._take_again(name, effects)
        if not event.present:
            self._look_for_sources(self._concerned.senders_from(name), now, effects)
            if self._concerned.uses(name):
                now_called = f"Interface name has changed from {name} to {event.renamed}"
                effects.append(Log(now_called if event.renamed else f"Interface {name} deleted", kind=Kind.TRACKER))

    def _link_counts(self, name: str, now: int, effects: list[Effect]) -> None:
        """An interface counts as up, or as down, from now on."""
        up = self._links.up.get(name, False)
        routers = self._concerned.on_interface.get(name, ())
        if self._concerned.uses(name):
            line = f"{self._links.reporter(name)} reports {name} {'up' if up else 'down'}"
            effects.append(Log(line, kind=Kind.TRACKER))
        for router in routers:
            router.interface_up = self._can_send(router.instance)
            if name == router.instance.own_link:
                router.lend_source(effects, anew=True)
        self._tracker_changed((INTERFACE, name), up, causes.tracker_text((INTERFACE, name), up), now, effects)
        if up:
            self._take_again(name, effects)

    def _take_again(self, interface: str, effects: list[Effect]) -> None:
        """An interface is up again: of what was on it, or went through it, something may be gone."""
        self.statics.interface_up(interface, effects)
        for router in self._concerned.carriers_on(interface):
            if isinstance(router.state, Master):
                carried.take_again(router.instance, interface, effects)

    def _address_added(self, event: AddressAdded, now: int, effects: list[Effect]) -> None:
        name = event.interface
        new, duplicate = self._addresses.added(event)
        ours = name in self._concerned.on_interface or event.address in self._concerned.addresses
        if new and self._is_the_only_source(event):
            effects.append(Log(f"Assigned address {event.address} for interface {name}", detail=True))
        if duplicate and ours:
            effects.append(address_duplicate(name, event.address))
        if self._started and event.address not in self._concerned.addresses:
            self.statics.address_added(name, effects)
            for router in self._concerned.carriers_on(name):
                router.try_again(name, effects)
            if event.address.version == 4 and name in self._without_ipv4:
                self._without_ipv4.discard(name)
                self.statics.routes_forgotten(name, effects)
                for router in self.routers.values():
                    if isinstance(router.state, Master):
                        carried.routes_forgotten(router.instance, name, effects)
            self._look_for_sources(self._concerned.senders_from(name), now, effects)

    def _address_removed(self, event: AddressRemoved, now: int, effects: list[Effect]) -> None:
        self._addresses.removed(event)
        if event.address.version == 4 and not self._addresses.has_ipv4(event.interface):
            self._without_ipv4.add(event.interface)
        if not self._started:
            return
        if self._is_the_only_source(event):
            effects.append(Log(f"Deassigned address {event.address} from interface {event.interface}", detail=True))
        for router, entry in self._concerned.places.get((event.interface, event.address, event.prefix_length), ()):
            if isinstance(router.state, Master) and not entry.no_track and not event.ours:
                router.address_lost(entry, now, effects)
        for router in self._concerned.on_interface.get(event.interface, ()):
            router.source_removed(event, effects)
        if (static := self.statics.address_at(event.interface, event.address, event.prefix_length)) is not None:
            self.statics.removed(static, effects)
        if event.address not in self._concerned.addresses:
            self._look_for_sources(self._concerned.senders_from(event.interface), now, effects)

    def _address_stays(self, entry: AddressEntry, now: int, effects: list[Effect]) -> None:
        self._addresses.leave((entry,), leaving=False)
        if self._started and entry.address not in self._concerned.addresses:
            self._look_for_sources(self._concerned.senders_from(entry.dev or ""), now, effects)

    def _lacks(self, name: str, entry: carried.Carried, errno: int) -> bool:
        """Something could not be added; whether that is to be said."""
        router = self.routers.get(name)
        return router is None or router.lacks(entry, errno)

    def _is_the_only_source(self, event: AddressAdded | AddressRemoved) -> bool:
        """Whether instances on its interface can, or could, send from that address alone."""
        return event.interface in self._concerned.on_interface and self._addresses.is_the_only_source(
            event.interface, event.address, event.prefix_length, self._concerned.addresses
        )

    def _routing_removed(self, entry: RouteEntry | RuleEntry, now: int, effects: list[Effect]) -> None:
        for router in self._concerned.routing.get(entry, ()):
            if isinstance(router.state, Master) and not entry.no_track:
                router.routing_lost(entry, now, effects)
        self.statics.removed(entry, effects)

    def _static_tried(self, event: StaticTried, now: int, effects: list[Effect]) -> None:
        changed = self.statics.tried(event, effects)
        if changed is not None:
            tracker, up = changed
            self._tracker_changed(tracker, up, causes.tracker_text(tracker, up), now, effects)

    def _look_for_sources(self, routers: Sequence[VirtualRouter], now: int, effects: list[Effect]) -> None:
        for router in routers:
            source = self.source_for(router.instance)
            if source == router.source_address:
                continue
            router.set_source(source)
            router.lend_source(effects)
            if source is None:
                router.fault(NO_SOURCE, causes.no_source_text(router.instance), now, effects)
            else:
                where = f" on {router.instance.source_interface}" if router.instance.source_interface else ""
                router.clear(NO_SOURCE, f"address {source}{where} can be sent from", now, effects)

    def _tracker_told(self, tracker: Tracker, state: State, cause: str, now: int, effects: list[Effect]) -> None:
        self.learn(tracker, state)
        if self._started:
            self._tracker_changed(tracker, state, cause or causes.tracker_text(tracker, state), now, effects)

    def _tracker_changed(self, tracker: Tracker, state: State, cause: str, now: int, effects: list[Effect]) -> None:
        reported = False
        for router, tracked in self._concerned.followers.get(tracker, ()):
            if tracked in router.unknown:
                router.unknown.discard(tracked)
                reported = True
            line = causes.tracker_line(router.name, tracked, state, was_faulty=tracked in router.faults)
            if line is not None:
                effects.append(line)
            if tracked.faulty(state):
                router.fault(tracked, causes.fault_text(tracked, state, cause), now, effects)
                continue
            if tracked.weight:
                router.weigh(tracked, tracked.contribution(state), cause, effects)
            router.clear(tracked, cause, now, effects)
        if reported:
            self.begin(now, effects, waited=True)


def _addressee(candidates: Iterable[VirtualRouter], source: bytes) -> VirtualRouter:
    """Unicast instances may share a VRID: by the last known sender, then by the lists of peers."""
    return max(candidates, key=lambda router: router.hears_from(source))
