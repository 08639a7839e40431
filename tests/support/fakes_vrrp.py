"""Fakes at the ports of the VRRP process: a kernel, a journal, scripts, and a reactor whose clock the test moves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.interfaces import Method
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.daemon.child import ChildContext, ChildOptions
from pykeepalived.daemon.reactor import Alarm, Callback, Reactor
from pykeepalived.effects import Log
from pykeepalived.errors import KernelError
from pykeepalived.events import ScriptExited
from pykeepalived.kernel.frames import FrameTemplates
from pykeepalived.kernel.netlink import Opener
from pykeepalived.kernel.ports import (
    MANY,
    Advert,
    Datagram,
    Failure,
    Heard,
    HostAddress,
    HostListener,
    Interface,
    IPAddress,
    NewLink,
    ReceiveBuffer,
    RoutingListener,
)
from pykeepalived.wire.vrrp import Expected
from tests.support.fakes_firewall import FakePacketFilter
from tests.support.fakes_lvs import FakeSyncDaemons


@dataclass(slots=True)
class FakeJournal:
    """Keeps lines."""

    lines: list[Log] = field(default_factory=list)
    trace: list[tuple[str, ...]] | None = None

    def log(self, line: Log) -> None:
        self.lines.append(line)
        if self.trace is not None and not line.detail:
            self.trace.append(("log", line.message))

    def texts(self) -> list[str]:
        return [line.message for line in self.lines]


@dataclass(slots=True)
class FakeScripts:
    """Keeps what was to be run; a test ends the runs."""

    ran: list[tuple[Script, tuple[str, ...], int | None]] = field(default_factory=list)
    exits: list[Callable[[ScriptExited], None] | None] = field(default_factory=list)
    trace: list[tuple[str, ...]] | None = None

    def run(
        self,
        script: Script,
        arguments: tuple[str, ...] = (),
        *,
        timeout: int | None = None,
        on_exit: Callable[[ScriptExited], None] | None = None,
    ) -> int:
        self.ran.append((script, arguments, timeout))
        self.exits.append(on_exit)
        if self.trace is not None:
            self.trace.append(("script", *script.argv, *arguments))
        return len(self.ran)

    def cut_short(self, number: int) -> None:
        raise AssertionError(f"nobody cuts {number} short")

    def end(self, index: int, status: int = 0) -> None:
        callback = self.exits[index]
        assert callback is not None
        callback(ScriptExited(status))


class FakeReactor:
    """Time stands until ``run_to``; then alarms ring in their order, with ``soon`` between."""

    def __init__(self) -> None:
        self.time = 1_000_000_000_000
        self.watched: dict[int, Callback] = {}
        self.alarms: list[tuple[int, int, Alarm]] = []
        self._soon: list[Callback] = []
        self._order = 0
        self.turns = 0

    def now(self) -> int:
        return self.time

    def watch(self, fd: int, readable: Callback | None = None, writable: Callback | None = None) -> None:
        del writable
        assert readable is not None
        self.watched[fd] = readable

    def unwatch(self, fd: int) -> None:
        self.watched.pop(fd, None)

    def alarm(self, callback: Callback, deadline: Callable[[], int | None] | None = None) -> Alarm:
        return Alarm(cast("Reactor", self), callback, deadline)

    def set_pace(self, pace: int, *, punctual: bool) -> None:
        assert punctual
        self.pace = pace

    def soon(self, callback: Callback) -> None:
        self._soon.append(callback)

    def report(self, fault: Exception) -> None:
        def tell() -> None:
            raise fault

        self.soon(tell)

    def _queue(self, due_at: int, alarm: Alarm) -> None:
        self._order += 1
        self.alarms.append((due_at, self._order, alarm))

    def turn(self) -> None:
        """What one turn of the real one does, after the sockets."""
        self.turns += 1
        callbacks, self._soon = self._soon, []
        faults: list[Exception] = []
        for callback in callbacks:
            try:
                callback()
            except Exception as error:  # noqa: BLE001 - as the real one, which tells it and goes on
                faults.append(error)
        if faults:
            raise faults[0]
        while self.alarms and min(self.alarms)[0] <= self.time:
            entry = min(self.alarms)
            self.alarms.remove(entry)
            if entry[2]._stands(entry[0]):
                entry[2]._ring()

    def run_to(self, when: int) -> None:
        """Let time pass, turn by turn."""
        while True:
            self.turn()
            if self._soon:
                continue
            due = min(self.alarms)[0] if self.alarms else when + 1
            if due > when:
                break
            self.time = max(self.time, due)
        self.time = max(self.time, when)

    def run_for(self, length: int) -> None:
        self.run_to(self.time + length)


@dataclass(slots=True)
class FakeRepetition:
    """Packets that the kernel takes in."""

    heard: Heard
    at: int = 0
    counted: int = 0
    ended: bool = False

    def latest(self) -> int:
        return self.at

    def count(self) -> int:
        found, self.counted = self.counted, 0
        return found


@dataclass(slots=True)
class FakeReceiver:
    """A queue of datagrams."""

    fd: int
    interface: Interface | None
    group: IPAddress | None
    unicast_source: IPAddress | None
    queue: list[Datagram] = field(default_factory=list)
    protocol: int = 112
    vrids: frozenset[int] | None = None
    size: int = 0
    guarded: dict[int, Expected | None] | None = None
    closed: bool = False
    taken: dict[int, FakeRepetition] = field(default_factory=dict)

    def fileno(self) -> int:
        return self.fd

    def receive_many(self) -> list[Heard]:
        many, self.queue = list[Heard](self.queue[:MANY]), self.queue[MANY:]
        return many

    def datagram(self, heard: Heard) -> Datagram | None:
        assert isinstance(heard, Datagram)
        return heard

    def listen_for(self, vrids: frozenset[int]) -> None:
        self.vrids = vrids
        self.guarded = None

    def take_in(self, vrid: int, heard: Heard) -> FakeRepetition | None:
        self.hand_up(vrid)
        self.taken[vrid] = FakeRepetition(heard)
        return self.taken[vrid]

    def hand_up(self, vrid: int) -> None:
        if vrid in self.taken:
            self.taken.pop(vrid).ended = True

    def arrive(self, datagram: Datagram, now: int) -> bool:
        """A datagram comes in; whether something is to be read now."""
        taken = self.taken.get(datagram.data[1]) if len(datagram.data) > 1 else None
        if taken is not None and taken.heard == datagram:
            taken.at, taken.counted = now, taken.counted + 1
        else:
            self.queue.append(datagram)
        return bool(self.queue)

    def guard(self, wanted: Mapping[int, Expected | None]) -> None:
        self.guarded = dict(wanted)

    def hold(self, size: int) -> None:
        self.size = size

    def close(self) -> None:
        self.closed = True
        for vrid in list(self.taken):
            self.hand_up(vrid)


@dataclass(slots=True)
class FakeSender:
    """Keeps what was sent."""

    kernel: "FakeKernel"
    interface: Interface | None
    multicast: bool
    ttl: int | None
    ah_password: bytes = b""
    closed: bool = False

    def send(self, source: bytes, destination: bytes, pdu: bytes) -> int:
        assert not self.closed
        self.kernel.sent.append((source, destination, pdu))
        message = pdu[24:] if self.ah_password else pdu
        self.kernel.trace.append(("advert", str(message[1]), str(message[2])))
        return self.kernel.send_errno

    def close(self) -> None:
        self.closed = True


class FakeBundle:
    """Adverts that go out together."""

    def __init__(self, adverts: Sequence[Advert]) -> None:
        self.adverts = adverts

    def send(self) -> list[tuple[int, int]]:
        codes = [sender.send(source, destination, pdu) for sender, source, destination, pdu in self.adverts]
        return [(place, code) for place, code in enumerate(codes) if code]


class FakeRouting:
    """Routes and rules, in the order in which they came."""

    def __init__(self, kernel: "FakeKernel", listener: RoutingListener) -> None:
        self.kernel = kernel
        self.listener = listener
        self.held: dict[RouteEntry | RuleEntry, None] = {}
        self.gone: list[RouteEntry | RuleEntry] = []
        self.closed = False

    @staticmethod
    def fileno() -> int:
        return 51

    def take(self, text: str) -> None:
        """Somebody removes a route or a rule."""
        entry = next(each for each in self.held if str(each) == text)
        del self.held[entry]
        self.gone.append(entry)

    def drain(self) -> None:
        if self.kernel.silent:
            raise KernelError("list (the table kept changing)", self.kernel.silent)
        gone, self.gone = self.gone, []
        for entry in gone:
            if isinstance(entry, RouteEntry):
                self.listener.route_removed(entry)
            else:
                self.listener.rule_removed(entry)

    def add_routes(self, entries: Sequence[RouteEntry], *, replace: bool = False) -> list[Failure]:
        return self._add("replace-route" if replace else "add-route", entries)

    def remove_routes(self, entries: Sequence[RouteEntry]) -> list[Failure]:
        return self._remove("remove-route", entries)

    def add_rules(self, entries: Sequence[RuleEntry]) -> list[Failure]:
        return self._add("add-rule", entries)

    def remove_rules(self, entries: Sequence[RuleEntry]) -> list[Failure]:
        return self._remove("remove-rule", entries)

    def close(self) -> None:
        self.closed = True

    def _add(self, word: str, entries: Sequence[RouteEntry | RuleEntry]) -> list[Failure]:
        self.kernel.batches.append(len(entries))
        failures = []
        for index, entry in enumerate(entries):
            if errno := self.kernel.refuse.get(str(entry), 0):
                failures.append(Failure(index, errno, "said the kernel"))
                continue
            self.kernel.trace.append((word, str(entry)))
            self.held[entry] = None
        return failures

    def _remove(self, word: str, entries: Sequence[RouteEntry | RuleEntry]) -> list[Failure]:
        self.kernel.batches.append(len(entries))
        for entry in entries:
            self.kernel.trace.append((word, str(entry)))
            self.held.pop(entry, None)
        return []


class FakeKernel:
    """A host with links and addresses, and all that the VRRP process asks of a kernel. ``trace`` is what was done."""

    def __init__(self, *links: str) -> None:
        self.trace: list[tuple[str, ...]] = []
        self.links: dict[str, Interface] = {}
        self.held: dict[tuple[str, str, int], HostAddress] = {}
        self.listener: HostListener | None = None
        self.pending: list[Callable[[], None]] = []
        self.receivers: list[FakeReceiver] = []
        self.senders: list[FakeSender] = []
        self.sent: list[tuple[bytes, bytes, bytes]] = []
        self.bundles: list[FakeBundle] = []
        self.frames: list[tuple[str, str]] = []
        self.sync = FakeSyncDaemons()
        self.batches: list[int] = []
        self.send_errno = 0
        self.silent = 0  # the errno for which it tells nothing
        self.drains = 0
        self.refuse: dict[str, int] = {}
        self.refuse_sockets = 0
        self.closed = False
        self.routes: FakeRouting | None = None
        self.filter = FakePacketFilter(self.trace)
        self.receive_buffers = ReceiveBuffer(), ReceiveBuffer()
        self.beats: dict[tuple[str, Method], bool] = {}
        self.settings = FakeSysctls()
        self.link_local: dict[str, bool] = {}
        self.refuse_links: dict[str, int] = {}
        for index, name in enumerate(links, 1):
            self.links[name] = make_link(name, index)

    # what a test does to it

    def give(self, link: str, address: IPAddress, prefix_length: int) -> None:
        """Somebody adds an address."""
        held = HostAddress(self.links[link].index, address, prefix_length, 0, tentative=False, secondary=False)
        self.held[link, str(address), prefix_length] = held
        self._later(lambda listener: listener.address_added(held))

    def take(self, link: str, address: str, prefix_length: int) -> None:
        """Somebody removes an address."""
        held = self.held.pop((link, address, prefix_length))
        self._later(lambda listener: listener.address_removed(held))

    def set_link(self, name: str, *, up: bool) -> None:
        """A link goes up or down."""
        old = self.links[name]
        new = self.links[name] = make_link(name, old.index, up=up)
        self._later(lambda listener: listener.interface_changed(old, new))

    def remove_link(self, name: str) -> None:
        """A link vanishes."""
        old = self.links.pop(name)
        self._later(lambda listener: listener.interface_changed(old, None))

    def put_link(self, new: Interface) -> None:
        """A link appears, or is something else now."""
        old = self.links.get(new.name)
        self.links[new.name] = new
        self._later(lambda listener: listener.interface_changed(old, new))

    def rename_link(self, name: str, new_name: str) -> None:
        """A link gets another name, and keeps its addresses."""
        old = self.links.pop(name)
        new = self.links[new_name] = make_link(new_name, old.index)
        for place, held in list(self.held.items()):
            if place[0] == name:
                del self.held[place]
                self.held[new_name, *place[1:]] = held
        self._later(lambda listener: listener.interface_changed(old, new))

    def add_link(self, name: str, index: int) -> None:
        """A link appears."""
        new = self.links[name] = make_link(name, index)
        self._later(lambda listener: listener.interface_changed(None, new))

    def _later(self, tell: Callable[[HostListener], None]) -> None:
        listener = self.listener
        if listener is not None:
            self.pending.append(lambda: tell(listener))

    # VrrpKernel

    def host(self, listener: HostListener) -> "FakeKernel":
        self.listener = listener
        return self

    def routing(self, listener: RoutingListener, interface: Callable[[str], Interface | None]) -> FakeRouting:
        del interface
        self.routes = FakeRouting(self, listener)
        return self.routes

    def receiver(
        self,
        family: int,
        interface: Interface | None,
        group: IPAddress | None,
        unicast_source: IPAddress | None,
        protocol: int = 112,
    ) -> FakeReceiver:
        del family
        if self.refuse_sockets:
            raise KernelError("listen", self.refuse_sockets)
        receiver = FakeReceiver(100 + len(self.receivers), interface, group, unicast_source, protocol=protocol)
        self.receivers.append(receiver)
        return receiver

    def sender(
        self, family: int, interface: Interface | None, *, multicast: bool, ttl: int | None, ah_password: bytes = b""
    ) -> FakeSender:
        del family
        if self.refuse_sockets:
            raise KernelError("send", self.refuse_sockets)
        sender = FakeSender(self, interface, multicast, ttl, ah_password)
        self.senders.append(sender)
        return sender

    def bundle(self, adverts: Sequence[Advert]) -> FakeBundle:
        self.bundles.append(FakeBundle(adverts))
        return self.bundles[-1]

    def announcer(self, templates: FrameTemplates) -> "FakeKernel":
        del templates
        return self

    def packet_filter(self) -> FakePacketFilter:
        return self.filter

    def virtual_links(self) -> "FakeVirtualLinks":
        return FakeVirtualLinks(self)

    def sysctls(self) -> "FakeSysctls":
        return self.settings

    def ipvs(self, open_socket: Opener | None) -> FakeSyncDaemons:
        assert open_socket is None
        return self.sync

    @staticmethod
    def forwards(interface: str) -> bool:
        return interface == "eth1"

    def link_prober(self) -> "FakeKernel":
        return self

    # LinkProber

    def link(self, name: str, method: Method) -> bool | None:
        return self.beats.get((name, method))

    # Host

    @staticmethod
    def fileno() -> int:
        return 50

    def drain(self) -> None:
        self.drains += 1
        if self.silent:
            raise KernelError("list (the table kept changing)", self.silent)
        while self.pending:
            self.pending.pop(0)()

    def set_receive_buffers(self, orders: ReceiveBuffer, monitor: ReceiveBuffer) -> None:
        self.receive_buffers = orders, monitor

    def interfaces(self) -> Sequence[Interface]:
        return tuple(self.links.values())

    def addresses(self, interface: int) -> Sequence[HostAddress]:
        return tuple(held for held in self.held.values() if held.interface == interface)

    def add_addresses(self, entries: Sequence[AddressEntry]) -> list[Failure]:
        self.batches.append(len(entries))
        failures = []
        for index, entry in enumerate(entries):
            errno = self.refuse.get(str(entry.address), 0)
            if errno or entry.dev not in self.links:
                failures.append(Failure(index, errno or 19))
                continue
            self.trace.append(("add", str(entry.address)))
            if (entry.dev, str(entry.address), entry.prefix_length) not in self.held:
                self.give(entry.dev, entry.address, entry.prefix_length)
        return failures

    def remove_addresses(self, entries: Sequence[AddressEntry]) -> list[Failure]:
        self.batches.append(len(entries))
        for entry in entries:
            self.trace.append(("remove", str(entry.address)))
            place = (entry.dev or "", str(entry.address), entry.prefix_length)
            if place in self.held:
                self.take(*place)
        return []

    # Announcer

    def announce(self, interface: Interface, address: IPAddress, *, router: bool) -> int:
        self.frames.append((interface.name, str(address)))
        self.trace.append(("announce", str(address), *(("router",) if router else ())))
        return 0

    def close(self) -> None:
        self.closed = True


@dataclass(slots=True)
class FakeSysctls:
    """Settings; one that is not there yet is 0."""

    values: dict[str, str] = field(default_factory=dict)
    errno: int = 0
    trace: list[tuple[str, ...]] = field(default_factory=list)

    def read(self, path: str) -> str | None:
        return self.values.get(path, "0")

    def write(self, path: str, value: str) -> int:
        if not self.errno:
            self.values[path] = value
            self.trace.append(("set", path))
        return self.errno


@dataclass(slots=True)
class FakeVirtualLinks:
    """Links on the links of a FakeKernel."""

    kernel: FakeKernel

    def add(self, link: NewLink) -> None:
        if code := self.kernel.refuse_links.get(link.name, 0):
            raise KernelError(f"make {link.kind} {link.name}", code)
        self.kernel.trace.append(("make link", link.name))
        mode = int(link.kind == "macvlan")
        index = 1 + max(each.index for each in self.kernel.links.values())
        made = replace(make_link(link.name, index, up=False), kind=link.kind, mode=mode, mac=link.mac, base=link.base)
        self.kernel.put_link(replace(made, group=link.group))

    def settle(self, name: str, *, group: int, master: int, alias: str, link_local: bool) -> None:
        self.kernel.link_local[name] = link_local
        self.kernel.settings.trace.append(("settle", name))
        self.kernel.put_link(replace(self.kernel.links[name], up=True, group=group, master=master, alias=alias))

    def remove(self, name: str) -> None:
        self.kernel.trace.append(("remove link", name))
        for place in [place for place in self.kernel.held if place[0] == name]:
            self.kernel.take(*place)
        if name in self.kernel.links:
            self.kernel.remove_link(name)

    def remove_together(self, names: Sequence[str], group: int) -> None:
        assert group not in {each.group for each in self.kernel.links.values()}
        self.kernel.trace.append(("remove together", *names))

    def close(self) -> None:
        """Nothing is open."""


def make_link(name: str, index: int, *, up: bool = True) -> Interface:
    """A link as the kernel describes it."""
    mac = bytes((2, 0, 0, 0, 0, index))
    return Interface(index, name, up=up, mac=mac, mtu=1500, arp=True, multicast=True, loopback=False)


class Bench:
    """A context of fakes with one trace of everything done, in order."""

    def __init__(self, *links: str, options: ChildOptions | None = None) -> None:
        self.kernel = FakeKernel(*links)
        self.journal = FakeJournal(trace=self.kernel.trace)
        self.scripts = FakeScripts(trace=self.kernel.trace)
        self.reactor = FakeReactor()
        self.readies: list[int] = []
        self.context = ChildContext(
            reactor=cast("Reactor", self.reactor),
            journal=self.journal,
            scripts=self.scripts,
            options=options or ChildOptions(),
            frames=cast("Any", None),
            ready=lambda: self.readies.append(self.reactor.time),
            fifo=lambda line: self.kernel.trace.append(("fifo", line)),
        )

    def hear(self, datagram: Datagram, receiver: int = 0) -> None:
        """A packet comes in."""
        socket = self.kernel.receivers[receiver]
        if socket.arrive(datagram, self.reactor.time):
            self.reactor.watched[socket.fd]()

    def told(self) -> None:
        """The kernel's news are read."""
        self.reactor.watched[self.kernel.fileno()]()

    def cut(self) -> list[tuple[str, ...]]:
        """What was done since the last time."""
        trace = list(self.kernel.trace)
        self.kernel.trace.clear()
        return trace
