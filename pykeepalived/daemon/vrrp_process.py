"""The VRRP process: carries out what the virtual routers of this host order, and tells them what happens.

It decides nothing. Adverts go out at once; whatever takes time waits its turn (`vrrp_orders.py`).
"""

import time
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from typing import assert_never

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import AF_INET6
from pykeepalived.daemon import descriptors
from pykeepalived.daemon.advert_rounds import AdvertRounds
from pykeepalived.daemon.announcements import Announcements
from pykeepalived.daemon.child import ChildContext
from pykeepalived.daemon.file_trackers import FileTrackers
from pykeepalived.daemon.firewall import Firewall
from pykeepalived.daemon.interface_settings import InterfaceSettings
from pykeepalived.daemon.linkbeat import Linkbeat
from pykeepalived.daemon.process_trackers import ProcessTrackers
from pykeepalived.daemon.reactor import Alarm, Callback
from pykeepalived.daemon.script_trackers import ScriptTrackers
from pykeepalived.daemon.sync_daemon import InstanceSync, SyncDaemons
from pykeepalived.daemon.virtual_links import VirtualInterfaces
from pykeepalived.daemon.vrrp_host import LinkChanged, VrrpHost
from pykeepalived.daemon.vrrp_kernel import LinuxVrrpKernel, VrrpKernel
from pykeepalived.daemon.vrrp_orders import OrdersOverTime
from pykeepalived.daemon.vrrp_routing import VrrpRouting
from pykeepalived.daemon.vrrp_sockets import Port, ReceiveSockets
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.kernel.ports import MANY, Failure, ReceiveBuffer
from pykeepalived.notify.vrrp import fifo_line, group_orders, instance_orders
from pykeepalived.units import MILLISECOND, SECOND
from pykeepalived.vrrp.carried import addresses
from pykeepalived.vrrp.effects import (
    AddAddresses,
    AddRoutes,
    AddRules,
    Announce,
    AnnounceSource,
    BlockAddresses,
    CancelAnnouncements,
    Effect,
    NotifyGroup,
    NotifyInstance,
    RemoveAddresses,
    RemoveRoutes,
    RemoveRules,
    ReplaceRouters,
    SendAdvert,
    UnblockAddresses,
    Word,
)
from pykeepalived.vrrp.events import (
    AddressAdded,
    AdvertFailed,
    Event,
    SocketsChanged,
    TrackBfdChanged,
    TrackFileChanged,
    TrackProcessChanged,
)
from pykeepalived.vrrp.identity import ReceiverKey
from pykeepalived.vrrp.inbox import Inbox
from pykeepalived.vrrp.link_states import polled
from pykeepalived.vrrp.replacement import replace
from pykeepalived.vrrp.router import VirtualRouter
from pykeepalived.vrrp.routers import Routers
from pykeepalived.vrrp.tracking import BFD, FILE, PROCESS, SCRIPT, followed
from pykeepalived.vrrp.virtual_links import ReleaseBase, RemoveLink

_LINGER = SECOND  # for scripts, at the end
_BATCHES_A_TURN = 16
_MANY_DATAGRAMS = 16
_OPEN_AGAIN = SECOND
_SPARE_DESCRIPTORS = 256  # filters and ends of processes have 64 each
_DONE = Failure(0, 0)


class _Urgent(list[Effect]):
    """Orders as they are given: an advert goes out at once, before the core has even given the others."""

    def __init__(self, send: Callable[[SendAdvert], None]) -> None:
        super().__init__()
        self._send = send

    def append(self, effect: Effect, /) -> None:
        """Take an order."""
        if type(effect) is SendAdvert:
            self._send(effect)
        else:
            super().append(effect)


class VrrpService:
    """The service of the VRRP process."""

    def __init__(self, context: ChildContext, part: Configuration, kernel: VrrpKernel | None = None) -> None:
        self._context = context
        self._reactor = context.reactor
        self._journal = context.journal
        self._routers = Routers(part)
        self._kernel = LinuxVrrpKernel([key.family for key in self._routers.inboxes]) if kernel is None else kernel
        self._takes_over = bool(context.keepsake.get("began"))  # from one that died
        self._ports: dict[str, Port] = {}
        self._rounds = AdvertRounds(self._reactor, self._kernel.bundle, self._refused)
        self._groups = {group.name: group for group in part.vrrp_sync_group}
        self._clock = self._reactor.alarm(self._clock_rang)
        self._facts: deque[Event | LinkChanged] = deque()
        self._busy = False
        self._hearing = False
        self._finished: Callback | None = None
        self._stopping = False
        self._open_again: Alarm = self._reactor.alarm(self._try_sockets)
        self._socketless: frozenset[str] = frozenset()  # instances that lack one
        self._sessions: frozenset[str] = frozenset()  # of BFD, that somebody follows
        self._status_owed = False
        self._linger: Alarm = self._reactor.alarm(self._end)
        open_ipvs = partial(self._kernel.ipvs, context.ipvs_socket)
        self._sync = InstanceSync(SyncDaemons(open_ipvs, self._reactor, self._journal))

    # --- the frame's three wishes -------------------------------------------------------------------------------

    def start(self) -> None:
        """Learn the host's state, open what is needed, begin."""
        say = self._journal.log
        say(Log("Registering Kernel netlink reflector"))
        say(Log("Registering Kernel netlink command channel"))
        self._host = VrrpHost(self._kernel, self._context, self._facts.append, self._hear, self._link_appeared)
        self._routing = VrrpRouting(self._kernel, self._context, self._host, self._told)
        self._firewall = Firewall(self._kernel.packet_filter(), self._reactor, self._journal, self._host.interface)
        self._firewall.start(self._routers.configuration)
        self._links = VirtualInterfaces(self._kernel, self._reactor, self._journal, self._firewall.relay_only)
        self._links.begin(self._host.interfaces())
        self._context.keepsake.keep("began", True)  # from now on one that dies may leave something
        part, _ = self._take_links(self._routers.configuration)
        if part is not self._routers.configuration:
            self._routers = Routers(part)
        say(Log("Registering gratuitous ARP shared channel"))
        if any(instance.family == AF_INET6 for instance in part.vrrp_instance):
            say(Log("Registering gratuitous NDISC shared channel"))
        self._settings = InterfaceSettings(self._kernel.sysctls(), self._journal)
        self._settings.start(part)
        self._host.set_receive_buffers(*_receive_buffers(part.global_defs))
        self._announcements = Announcements(
            part,
            self._kernel.announcer(self._context.frames),
            self._reactor,
            self._journal,
            self._host.interface,
            self._host.physical,
            self._kernel.forwards,
            detail=bool(self._context.options.log_detail),
        )
        self._orders = OrdersOverTime(
            self._context,
            self._host,
            self._routing,
            self._firewall,
            self._links,
            self._announcements,
            self._facts.append,
            self._interface_of,
            self._between_orders,
            self._end_if_done,
        )
        self._receivers = ReceiveSockets(
            self._kernel, self._reactor, self._journal, self._host.interface, self._readable
        )
        self._busy = True  # facts wait until all are known
        self._host.virtual = self._routers.virtual_places
        self._host.tell_all()
        self._linkbeat = Linkbeat(self._kernel.link_prober, self._reactor, self._journal, self._told)
        self._linkbeat.replace(polled(part))
        self._busy = False
        now = self._reactor.now()
        while self._facts:
            self._heed(self._facts.popleft(), now)
        self._trackers = ScriptTrackers(self._context, self._believed)
        self._files = FileTrackers(self._reactor, self._journal, self._file_says, takes_over=self._takes_over)
        self._processes = ProcessTrackers(
            self._reactor, self._journal, self._quorum_changed, self._context.process_events
        )
        if self._context.to_leave:
            self._clear(part)
            return
        self._learn(part)
        self._sync.configure(part, master=self._is_master)
        self._carry_out(self._routers.start(now))
        self._firewall.clear_leftovers(part)
        self._settle_all()
        self._reactor.watch(self._host.fileno(), self._host.drain)
        self._trackers.replace(part.vrrp_script, followed(part, SCRIPT))
        self._context.ready()

    def _clear(self, part: Configuration) -> None:
        """Take away what one that died has left; the stop follows. Nothing begins, and no advert goes out: others have
        taken over, or will, and priority 0 from somebody who was no MASTER would make a BACKUP take over from one.
        """
        self._sync.configure(part, master=self._is_master)
        self._carry_out(self._routers.clear())
        self._firewall.clear_leftovers(part)

    def reload(self, part: Configuration) -> None:
        """Apply a new configuration by difference."""
        try:
            self._apply(part)
        finally:
            self._settle_all()

    def _apply(self, part: Configuration) -> None:
        part, at_last = self._take_links(part)
        self._learn(part)
        self._catch_up()
        effects = replace(self._routers, part, self._reactor.now())
        self._host.virtual = self._routers.virtual_places
        self._firewall.configure(part)
        self._carry_out(effects)
        for order in at_last:
            self._orders.give(order)
        self._sync.configure(part, master=self._is_master)
        self._trackers.replace(part.vrrp_script, followed(part, SCRIPT))
        self._linkbeat.replace(polled(part))
        self._settings.replace(part)
        self._host.set_receive_buffers(*_receive_buffers(part.global_defs))
        self._owe_status()
        if part.global_defs.fifo_write_vrrp_states_on_reload:
            for router in self._routers.routers.values():
                if router.state.name in Word.__members__:
                    line = fifo_line("INSTANCE", router.name, Word[router.state.name], router.priority)
                    self._context.fifo(line)

    def stop(self, finished: Callback) -> None:
        """Leave in good order, then call ``finished``; scripts get a second."""
        self._finished = finished
        self._stopping = True
        self._trackers.stop()
        self._files.stop()
        self._processes.stop()
        self._linkbeat.close()
        try:
            self._carry_out(self._routers.stop(self._reactor.now(), release=self._releases))
        finally:
            self._settle_all()
        self._linger.set(self._reactor.now() + _LINGER)
        self._end_if_done()

    def _take_links(self, part: Configuration) -> tuple[Configuration, list[RemoveLink | ReleaseBase]]:
        """The configuration with its virtual links, which are there then; what is to be removed when it is applied."""
        self._host.drain()
        taken = self._links.take(part)
        self._host.drain()
        return taken

    # --- facts --------------------------------------------------------------------------------------------------

    def _told(self, event: Event) -> None:
        """A fact; it waits while orders are being carried out, so that orders keep their order."""
        self._facts.append(event)
        self._hear()

    def _hear(self) -> None:
        """Tell the core what waits, unless it is being done already."""
        if self._busy or self._hearing or not self._facts:
            return
        self._hearing = True
        decided = False
        try:
            while self._facts:
                fact = self._facts.popleft()
                if isinstance(fact, AddressAdded) and self._routers.carry(fact.address):  # noted, and nothing decided
                    self._carry_out(self._routers.handle(fact, self._reactor.now()))
                    continue
                decided = True
                try:
                    self._heed(fact, self._reactor.now())
                except Exception as error:  # noqa: BLE001 - a fault of ours at one must not cost the others
                    self._reactor.report(error)
        finally:
            self._hearing = False
            if decided:
                self._settle_all()

    def _catch_up(self) -> None:
        """Learn of all adverts that the kernel has taken in, before anything is decided."""
        for port in self._ports.values():
            port.catch_up()

    def _heed(self, fact: Event | LinkChanged, now: int) -> None:
        """The virtual links are seen to after everybody knows what has become of one."""
        self._catch_up()
        if isinstance(fact, LinkChanged):
            self._links.changed(fact.old, fact.new)
        else:
            self._carry_out(self._routers.handle(fact, now))

    def _readable(self, receiver: ReceiverKey, inbox: Inbox) -> None:
        """Adverts have come in at a socket."""
        socket = self._receivers.receiver(receiver)
        accepted = inbox.accepted
        now = self._reactor.now()
        if self._routers.signed:
            self._routers.clock.offset = time.time_ns() - now
        for _ in range(_BATCHES_A_TURN):
            waiting = socket.receive_many()
            for heard in waiting:
                known = accepted.get(heard)
                if known is not None and known.heard_again(now):
                    continue
                packet = socket.datagram(heard)
                if packet is None:
                    continue
                ports = [self._ports[router.name] for router in inbox.get(packet.data[1], ())]
                for port in ports:
                    port.catch_up()
                states = [port.router.state for port in ports]
                effects: list[Effect] | None = None
                try:
                    effects = self._routers.deliver(inbox, receiver, packet, now, heard)
                    if effects:
                        self._carry_out(effects)
                        now = self._reactor.now()
                finally:
                    for port in ports:
                        if effects != [] or port.in_round:
                            self._settle(port.router)
                if len(ports) == 1:
                    ports[0].judged(socket, heard, accepted=ports[0].router.state is not states[0])
            if len(waiting) < MANY:
                break
        if len(waiting) < _MANY_DATAGRAMS:
            return
        self._receivers.read_many(receiver, inbox)

    def _deadline(self, port: Port) -> int | None:
        """When an instance next has something to do. The master's adverts may have kept it from being due long ago."""
        router = port.router
        before = router.deadline
        deadline = port.deadline()
        if before is not None and deadline is not None and deadline != before:
            now = self._reactor.now()
            if now - before > router.instance.advert_int:
                self._carry_out(self._routers.frozen(router, before, now))
        return deadline

    def _due(self, port: Port) -> None:
        """An instance's deadline was reached."""
        router = port.router
        now = self._reactor.now()
        try:
            order = router.due_advert(now)
            if order is not None:
                self._transmit(port, order)
                if not router.adverts.phase or not self._rounds.join(port):
                    port.alarm.set(router.deadline)
                if self._facts:
                    self._hear()
                return
            for each in router.companions:
                self._ports[each.name].catch_up()
            try:
                self._carry_out(self._routers.tick(router, now, _Urgent(self._send)))
            finally:
                self._settle(router)
            if self._facts:
                self._hear()
        except Exception:
            port.alarm.set(now + router.instance.advert_int)  # a fault of ours must not silence an instance for good
            raise

    def _refused(self, adverts: list[tuple[Port, bytes, int]]) -> None:
        """The kernel did not take adverts of a round."""
        for port, destination, code in adverts:
            self._sent(port, destination, code)
            port.arm()
        self._hear()

    def _clock_rang(self) -> None:
        self._catch_up()
        try:
            self._carry_out(self._routers.tick_self(self._reactor.now()))
        finally:
            self._settle_all()

    def _learn(self, part: Configuration) -> None:
        """Follow the files and processes that ``part`` does; as they are now they count from the start or reload on."""
        names = {kind: followed(part, kind) for kind in (FILE, PROCESS, BFD)}
        files = self._files.replace(each for each in part.track_file if each.name in names[FILE])
        for name, number in files.items():
            self._routers.learn((FILE, name), number)
        processes = (each for each in part.vrrp_track_process if each.name in names[PROCESS])
        for name, up in self._processes.replace(processes, part.global_defs).items():
            self._routers.learn((PROCESS, name), up)
        for name in sorted(names[BFD] - self._sessions):
            text = f"track_bfd {name}: there is no BFD process yet, the session counts as down"
            self._journal.log(Log(text, Level.WARNING, Kind.TRACKER))
        self._sessions = names[BFD]

    def _believed(self, event: Event) -> None:
        if not self._stopping:
            self._told(event)

    def _file_says(self, name: str, number: int) -> None:
        self._believed(TrackFileChanged(name, number))

    def _quorum_changed(self, name: str, up: bool, cause: str) -> None:
        self._believed(TrackProcessChanged(name, up, cause))

    def bfd_changed(self, name: str, *, up: bool) -> None:
        """The BFD process says that a session is up, or down."""
        self._believed(TrackBfdChanged(name, up))

    def _link_appeared(self, name: str) -> None:
        """A link came (back) with a new index: sockets on it are opened again."""
        self._linkbeat.forget(name)
        self._settings.appeared(name)
        self._receivers.forget(name)
        for port in self._ports.values():
            if port.instance.exchange_interface == name:
                port.close_sender()
        self._open_sockets()

    def _open_sockets(self) -> None:
        """Open what is missing. An instance that cannot send, or hears nobody, takes no part until it can."""
        self._receivers.complete(self._routers.inboxes, self._routers.configuration.global_defs)
        missing = {}
        for name, port in self._ports.items():
            if port.sender is None:
                self._open_sender(port)
                if port.sender is not None:
                    self._facts.append(AdvertFailed(name, 0))
            if trouble := port.trouble_of(self._receivers.troubles):
                missing[name] = trouble
        for name, trouble in missing.items():
            if name not in self._socketless:
                self._facts.append(SocketsChanged(name, up=False, cause=trouble))
        for name in self._socketless:
            if name in self._ports and name not in missing:
                self._facts.append(SocketsChanged(name, up=True, cause="adverts can be sent and heard"))
        self._socketless = frozenset(missing)
        again = missing or self._receivers.troubles
        self._open_again.set(self._reactor.now() + _OPEN_AGAIN if again else None)

    def _try_sockets(self) -> None:
        self._open_sockets()
        self._hear()

    # --- orders -------------------------------------------------------------------------------------------------

    def _carry_out(self, effects: list[Effect]) -> None:
        if not effects:
            return
        self._busy = True
        for effect in effects:
            try:
                self._order(effect)
            except Exception as error:  # noqa: BLE001 - a fault of ours at one must not cost the others
                self._reactor.report(error)
        self._busy = False
        self._hear()

    def _order(self, effect: Effect) -> None:
        match effect:
            case SendAdvert():
                self._send(effect)
            case Log():
                self._journal.log(effect)
            case NotifyInstance(name, word, priority):
                self._owe_status()
                if name == self._sync.instance:
                    self._sync.entered(word)
                for order in instance_orders(self._instance(name), word, priority):
                    self._orders.give(order)
            case NotifyGroup(name, word):
                for order in group_orders(self._groups[name], word):
                    self._orders.give(order)
            case ReplaceRouters():
                self._replace_ports(effect)
            case BlockAddresses() | UnblockAddresses() | Announce() | AnnounceSource() | CancelAnnouncements():
                self._orders.give(effect)
            case AddAddresses() | RemoveAddresses() | AddRoutes() | RemoveRoutes() | AddRules() | RemoveRules():
                self._orders.give(effect)
            case _:
                assert_never(effect)

    def _instance(self, name: str) -> VrrpInstance:
        port = self._ports.get(name)  # without, when it comes only to leave
        return self._routers.routers[name].instance if port is None else port.instance

    def _is_master(self, name: str) -> bool:
        router = self._routers.routers.get(name)
        return router is not None and router.state.name == Word.MASTER

    def _owe_status(self) -> None:
        """States have changed: say so once, when this turn's work is done."""
        if not self._status_owed:
            self._status_owed = True
            self._reactor.soon(self._tell_status)

    def _tell_status(self) -> None:
        """A phrase for ``systemctl status``."""
        self._status_owed = False
        count = Counter(router.state.name for router in self._routers.routers.values())
        self._context.status(
            "VRRP: " + (", ".join(f"{count[name]} {name}" for name in sorted(count)) or "no instances")
        )

    def _send(self, order: SendAdvert) -> None:
        """An advert, at once."""
        self._transmit(self._ports[order.instance], order)

    def _transmit(self, port: Port, order: SendAdvert) -> None:
        """The hot path: an unchanged advert is sent as it was encoded the first time."""
        if order is not port.order:
            port.encode(order)
        sender = port.sender
        if sender is None:
            self._facts.append(AdvertFailed(order.instance, port.trouble))
            return
        send, source = sender.send, order.source
        for destination, message in port.messages:
            code = send(source, destination, message)
            if code or port.refused:
                self._sent(port, destination, code)

    def _sent(self, port: Port, destination: bytes, code: int) -> None:
        """An advert was refused, or one is sent after a refusal."""
        if port.refused.get(destination, 0) != code:
            port.refused[destination] = code
            self._facts.append(AdvertFailed(port.instance.name, code, destination))
            if not any(port.refused.values()):
                port.refused.clear()

    def _between_orders(self, work: Callable[[], None]) -> None:
        """A further share of what waits is carried out; facts that come of it are told after it."""
        if self._stopping:
            self._context.leaving()
        self._busy = True
        try:
            work()
        finally:
            self._busy = False
            self._hear()
            self._end_if_done()

    def _interface_of(self, name: str) -> str:
        port = self._ports.get(name)
        return "" if port is None else port.instance.interface

    # --- ports --------------------------------------------------------------------------------------------------

    def _replace_ports(self, order: ReplaceRouters) -> None:
        instances = [*(instance for _, instance in order.kept), *order.added]
        announced = {entry.dev for instance in instances for entry in addresses(instance)}
        sockets = len(self._routers.inboxes) + len(instances) + len(announced)
        descriptors.allow(sockets + _SPARE_DESCRIPTORS)
        former, self._ports = self._ports, {}
        for name, instance in order.kept:
            port = former.pop(name)
            reopen = port.configure(instance, self._routers.routers[instance.name])
            self._ports[instance.name] = port
            if reopen:
                self._open_sender(port)
        for port in former.values():
            port.close()
        for instance in order.added:
            self._add_port(instance)
        names = {name: instance.name for name, instance in order.kept}
        self._announcements.configure(self._routers.configuration, names)
        self._groups = {group.name: group for group in order.groups}
        self._receivers.replace(self._routers.inboxes, self._routers.configuration.global_defs)
        self._open_sockets()
        self._reactor.set_pace(_pace([port.instance.advert_int for port in self._ports.values()]), punctual=True)

    def _add_port(self, instance: VrrpInstance) -> None:
        port = Port(instance, self._routers.routers[instance.name])
        port.alarm = self._reactor.alarm(partial(self._due, port), partial(self._deadline, port))
        self._ports[instance.name] = port
        self._open_sender(port)

    def _open_sender(self, port: Port) -> None:
        port.open_sender(self._kernel, self._host.interface(port.instance.exchange_interface), self._journal)

    def _settle(self, router: VirtualRouter) -> None:
        """Arm the alarms of whoever may have changed with ``router``."""
        for each in router.companions:
            port = self._ports.get(each.name)
            if port is not None and port.router is each:
                port.arm()

    def _settle_all(self) -> None:
        for port in self._ports.values():
            port.arm()
        self._clock.set(self._routers.deadline)

    # --- the end ------------------------------------------------------------------------------------------------

    @property
    def _releases(self) -> bool:
        return self._context.to_leave or not self._context.options.dont_release_vrrp

    def _end_if_done(self) -> None:
        if self._stopping and self._orders.all_done:
            self._end()

    def _end(self) -> None:
        """Everything is given back."""
        if self._finished is None:
            return
        if self._orders.waiting:  # addresses first, whatever the time
            self._linger.set(self._reactor.now() + _LINGER)
            return
        finished, self._finished = self._finished, None
        self._context.leaving()  # the kernel takes its time with links
        self._linger.set(None)
        ports, self._ports = self._ports, {}
        for port in ports.values():
            port.close()
        self._open_again.set(None)
        self._receivers.close()
        self._announcements.close()
        self._settings.give_back()
        self._routing.close()
        self._links.stop(release=self._releases)
        self._firewall.close()
        self._sync.close()
        self._reactor.unwatch(self._host.fileno())
        finished()


def _receive_buffers(settings: GlobalDefs) -> tuple[ReceiveBuffer, ReceiveBuffer]:
    """Of the netlink socket for orders, and of the one that listens."""
    return (
        ReceiveBuffer(settings.vrrp_netlink_cmd_rcv_bufs, settings.vrrp_netlink_cmd_rcv_bufs_force),
        ReceiveBuffer(settings.vrrp_netlink_monitor_rcv_bufs, settings.vrrp_netlink_monitor_rcv_bufs_force),
    )


def _pace(advert_intervals: list[int]) -> int:
    """How long adverts may wait to be read together: the more instances there are, up to an eighth of an interval."""
    shortest = min(advert_intervals, default=SECOND)
    return max(MILLISECOND // 2, min(shortest * len(advert_intervals) // 2048, shortest // 8, 100 * MILLISECOND // 8))
