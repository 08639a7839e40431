"""The sockets of the VRRP process: a port for each instance, a receive socket for all that share one."""

import time
from collections.abc import Callable, Iterator, Mapping
from errno import EIO, ENODEV
from functools import partial
from os import strerror

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.kinds import AF_INET
from pykeepalived.daemon.advert_rounds import Round
from pykeepalived.daemon.child import Journal
from pykeepalived.daemon.reactor import Alarm, Reactor
from pykeepalived.daemon.vrrp_kernel import VrrpKernel
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import KernelError
from pykeepalived.kernel.ports import Advert, AdvertReceiver, AdvertSender, Heard, Interface, Repetition
from pykeepalived.vrrp.adverts import expected, messages, signs
from pykeepalived.vrrp.authentication import Stamps
from pykeepalived.vrrp.effects import SendAdvert
from pykeepalived.vrrp.floods import GUARD, MOST_A_SECOND, FloodWatch
from pykeepalived.vrrp.identity import ReceiverKey, receiver_of
from pykeepalived.vrrp.inbox import Inbox
from pykeepalived.vrrp.receive_buffers import receive_buffer
from pykeepalived.vrrp.router import VirtualRouter


class Port:
    """Where one instance sends from, with its advert as encoded last, and its alarm."""

    __slots__ = (
        *("_counted", "_hears", "_round", "alarm", "instance", "messages", "order", "refused"),
        *("repetition", "router", "sender", "stamps", "trouble"),
    )

    alarm: Alarm

    def __init__(self, instance: VrrpInstance, router: VirtualRouter) -> None:
        self.instance = instance
        self.router = router
        self.sender: AdvertSender | None = None
        self.trouble = ENODEV  # why there is no sender
        self.order: SendAdvert | None = None
        self.messages: tuple[tuple[bytes, bytes], ...] = ()
        self.stamps = Stamps()
        self.refused: dict[bytes, int] = {}
        self._round: Round | None = None  # what advertises for it
        self._counted = 0  # the adverts of that, as far as they are known here
        self.repetition: Repetition | None = None  # what the kernel takes in of adverts for a BACKUP
        self._hears: AdvertReceiver | None = None  # where it does

    def deadline(self) -> int | None:
        """When the instance next has something to do, for which its own alarm is wanted."""
        self.catch_up()
        return self.router.deadline if self._round is None else None

    def catch_up(self) -> None:
        """Learn which adverts the kernel has taken in, and which were sent for it."""
        if self._round is not None and (count := self._round.sent - self._counted):
            self._counted += count
            self.router.sent_meanwhile(count)
        repetition = self.repetition
        # the place of one that has ended may be another socket's by now
        if repetition is not None and not repetition.ended and (at := repetition.latest()):
            self.router.heard_meanwhile(at, repetition.count())

    def judged(self, receiver: AdvertReceiver, heard: Heard, *, accepted: bool) -> None:
        """A packet was judged. If its like may simply be accepted, the kernel takes them in from now on."""
        if not self.router.repeatable:
            self._judge_each()
        elif accepted:
            self.repetition = receiver.take_in(self.instance.virtual_router_id, heard)
            self._hears = receiver

    def _judge_each(self) -> None:
        """The next advert must be judged, whether it is equal or not."""
        if self._hears is not None and self.repetition is not None and not self.repetition.ended:
            self._hears.hand_up(self.instance.virtual_router_id)
        self.repetition = self._hears = None

    def encode(self, order: SendAdvert) -> None:
        """Make the messages of an advert. They are kept for its repetitions, unless a signature makes each another."""
        self.leave_round()  # it says something else
        instance, settings = self.instance, self.instance.auth_hmac
        sequence, self.order = order.sequence, order
        if settings is not None and signs(instance):
            sequence, self.order = self.stamps.next(settings, time.time_ns()), None
        self.messages = messages(
            instance, order.priority, order.source, sequence=sequence, old_checksum=order.old_checksum
        )

    def repeats(self, due_at: int) -> bool:
        """Whether all that is due then is to send once more what was sent before, with no trouble."""
        return (
            self.router.repeats(due_at)
            and self.order is self.router.adverts.ready
            and self.sender is not None
            and not self.refused
        )

    @property
    def in_round(self) -> bool:
        """Whether something advertises for it."""
        return self._round is not None

    def adverts(self) -> Iterator[Advert]:
        """What is sent each time."""
        if self.order is not None and self.sender is not None:
            for destination, message in self.messages:
                yield Advert(self.sender, self.order.source, destination, message)

    def enter(self, round_: Round) -> None:
        """Let a round advertise."""
        self._round, self._counted = round_, round_.sent
        round_.join(self, self.router.duty_at)

    def leave_round(self) -> None:
        """Advertise by itself."""
        if self._round is not None:
            self.catch_up()
            self._round.leave(self)
            self._round = None

    def arm(self) -> None:
        """See that the alarm rings in time, and that a BACKUP has at hand what it then sends."""
        if self._round is not None:
            self.catch_up()
            if self.repeats(self._round.due_at):
                self._round.ends_by(self.router.duty_at)
                return
            self.leave_round()
        if self.repetition is not None and (self.repetition.ended or not self.router.repeatable):
            self._judge_each()
        order = self.router.foreseen_advert
        if order is not None and order is not self.order:
            self.encode(order)
        self.alarm.exact = order is not None
        self.alarm.set(self.router.deadline)

    def configure(self, instance: VrrpInstance, router: VirtualRouter) -> bool:
        """New settings; whether they need another sender. The former one is then closed."""
        self._judge_each()
        self.leave_round()
        same = _sender_settings(self.instance) == _sender_settings(instance)
        self.instance, self.router, self.order = instance, router, None
        if not same:
            self.close_sender()
        return not same

    def open_sender(self, kernel: VrrpKernel, interface: Interface | None, journal: Journal) -> None:
        """Open the send socket, if the link is there."""
        if interface is None and self.instance.exchange_interface:
            self.trouble = ENODEV
            return
        family, _, multicast, ttl, password = _sender_settings(self.instance)
        try:
            self.sender = kernel.sender(family, interface, multicast=multicast, ttl=ttl, ah_password=password)
        except KernelError as error:
            if self.trouble != error.errno:
                _say(journal, f"({self.instance.name}) cannot {error.order}", error)
            self.trouble = error.errno

    def trouble_of(self, deaf: Mapping[ReceiverKey, KernelError]) -> str:
        """Why it cannot send or hear, other than for want of its interface; ``deaf`` are sockets that could not
        be opened.
        """
        if self.sender is not None and not deaf:
            return ""
        if (error := deaf.get(receiver_of(self.instance))) is not None:
            return str(error)
        return (
            f"cannot send adverts: {strerror(self.trouble)}" if self.sender is None and self.trouble != ENODEV else ""
        )

    def close_sender(self) -> None:
        """Close the send socket."""
        self.leave_round()
        if self.sender is not None:
            self.sender.close()
            self.sender = None
        self.refused.clear()

    def close(self) -> None:
        """Send no more, ring no more."""
        self._judge_each()
        self.close_sender()
        self.alarm.set(None)
        del self.alarm  # each knows the other: nobody collects cycles here


class ReceiveSockets:
    """All receive sockets, watched on the reactor."""

    def __init__(
        self,
        kernel: VrrpKernel,
        reactor: Reactor,
        journal: Journal,
        interface: Callable[[str], Interface | None],
        readable: Callable[[ReceiverKey, Inbox], None],
    ) -> None:
        self._kernel = kernel
        self._reactor = reactor
        self._journal = journal
        self._interface = interface
        self._readable = readable
        self._receivers: dict[ReceiverKey, AdvertReceiver] = {}
        self._vrids: dict[ReceiverKey, frozenset[int] | None] = {}  # None: every one
        self._sizes: dict[ReceiverKey, int] = {}
        self._watches: dict[ReceiverKey, FloodWatch] = {}
        self._guards: dict[ReceiverKey, Alarm] = {}
        self.troubles: dict[ReceiverKey, KernelError] = {}
        """Why those that could not be opened, on an interface that is there, are not."""

    def receiver(self, key: ReceiverKey) -> AdvertReceiver:
        """A socket."""
        return self._receivers[key]

    def replace(self, inboxes: dict[ReceiverKey, Inbox], settings: GlobalDefs) -> None:
        """Serve these; close what nobody needs any more."""
        every_vrid = settings.log_unknown_vrids
        for key in [key for key in self._receivers if key not in inboxes]:
            self._close(key)
        self.troubles = {key: trouble for key, trouble in self.troubles.items() if key in inboxes}
        for key, inbox in inboxes.items():
            if every_vrid and self._vrids.get(key) is not None:
                self._close(key)  # a new socket has no filter
            self._serve(key, inbox, settings)

    def complete(self, inboxes: dict[ReceiverKey, Inbox], settings: GlobalDefs) -> None:
        """Open what is missing of these; the others, which may be guarded, are left alone."""
        for key, inbox in inboxes.items():
            if key not in self._receivers:
                self._serve(key, inbox, settings)

    def _serve(self, key: ReceiverKey, inbox: Inbox, settings: GlobalDefs) -> None:
        vrids = None if settings.log_unknown_vrids else frozenset(inbox)
        receiver = self._receivers.get(key) or self._open(key, inbox)
        if receiver is None:
            return
        guard = self._guards.pop(key, None)
        if guard is not None:
            guard.set(None)  # the settings may be others now
            self._watches.pop(key, None)
        if vrids is not None and (guard is not None or self._vrids.get(key) != vrids):
            self._filter(receiver, vrids)
        self._vrids[key] = vrids
        self._size(key, receiver, inbox, settings)
        self._watch(key, receiver, inbox)

    def _size(self, key: ReceiverKey, receiver: AdvertReceiver, inbox: Inbox, settings: GlobalDefs) -> None:
        """The receive buffer that the file asks for, or one that outlasts a stall."""
        interface = self._interface(key.interface)
        instances = [router.instance for routers in inbox.values() for router in routers]
        size = receive_buffer(instances, settings, interface.mtu if interface is not None else 0)
        if self._sizes.get(key) != size:
            self._sizes[key] = size
            receiver.hold(size)

    def read_many(self, key: ReceiverKey, inbox: Inbox) -> None:
        """Many packets came in at once. Where too many of them are wrong the kernel drops such ones for a while."""
        vrids = self._vrids.get(key)
        if vrids is None:
            return  # every VRID is to be heard and said
        watch = self._watches.setdefault(key, FloodWatch())
        now = self._reactor.now()
        if not watch.due(now):
            return
        routers = [router for many in inbox.values() for router in many]
        if any(router.instance.auth_type == "AH" for router in routers):
            return  # their messages begin elsewhere
        if not watch.look(sum(sum(router.statistics.errors.values()) for router in routers), now):
            return
        wanted = {vrid: expected(many[0].instance) if len(many) == 1 else None for vrid, many in inbox.items()}
        try:
            self._receivers[key].guard(wanted)
        except KernelError as error:
            _say(self._journal, f"Cannot {error.order}", error)
            return
        if watch.news(now):
            message = (
                f"More than {MOST_A_SECOND} wrong VRRP packets a second on {key.interface}: for as long as they come,"
                f" the kernel drops most of them uncounted (see who sends them: tcpdump -n -i {key.interface} vrrp)"
            )
            self._journal.log(Log(message, Level.WARNING, Kind.VRRP_PACKET))
        alarm = self._guards[key] = self._reactor.alarm(partial(self._unguard, key))
        alarm.set(now + GUARD)

    def _unguard(self, key: ReceiverKey) -> None:
        self._guards.pop(key, None)
        receiver, vrids = self._receivers.get(key), self._vrids.get(key)
        if receiver is not None and vrids is not None:
            self._filter(receiver, vrids)

    def forget(self, interface: str) -> None:
        """Close the sockets of a link that was replaced."""
        for key in [key for key in self._receivers if key.interface == interface]:
            self._close(key)

    def close(self) -> None:
        """Close all."""
        for key in list(self._receivers):
            self._close(key)

    def _open(self, key: ReceiverKey, inbox: Inbox) -> AdvertReceiver | None:
        former = self.troubles.pop(key, None)
        interface = self._interface(key.interface)
        if interface is None and key.interface:
            return None
        try:
            receiver = self._kernel.receiver(key.family, interface, key.group, key.unicast_source, key.protocol)
            self._watch(key, receiver, inbox)
        except KernelError as error:
            self.troubles[key] = error
            if former is None or former.errno != error.errno:
                _say(self._journal, f"Cannot {error.order}", error)
            return None
        self._receivers[key] = receiver
        family = "IPv4" if key.family == AF_INET else "IPv6"
        cast = ", unicast, address" if key.group is None else "multicast, address"
        # senders are of the instances: no second descriptor belongs to this socket
        index = interface.index if interface is not None else 0
        self._journal.log(
            Log(
                f"VRRP sockpool: [ifindex({index:3}), family({family}), proto({key.protocol}),"
                f" fd({receiver.fileno()},-1) {cast}({key.group or key.unicast_source or 'any'})]"
            )
        )
        return receiver

    def _watch(self, key: ReceiverKey, receiver: AdvertReceiver, inbox: Inbox) -> None:
        try:
            self._reactor.watch(receiver.fileno(), partial(self._readable, key, inbox))
        except OSError as error:  # only the first time: nobody would read there
            receiver.close()
            raise KernelError("watch a socket for VRRP", error.errno or EIO) from error

    def _filter(self, receiver: AdvertReceiver, vrids: frozenset[int]) -> None:
        try:
            receiver.listen_for(vrids)
        except KernelError as error:
            _say(self._journal, f"Cannot {error.order}", error)

    def _close(self, key: ReceiverKey) -> None:
        receiver = self._receivers.pop(key)
        self._vrids.pop(key, None)
        self._sizes.pop(key, None)
        self._watches.pop(key, None)
        if (guard := self._guards.pop(key, None)) is not None:
            guard.set(None)
        self._reactor.unwatch(receiver.fileno())
        receiver.close()


def _sender_settings(instance: VrrpInstance) -> tuple[int, str, bool, int | None, bytes]:
    ttl = instance.unicast_ttl if instance.unicast else None
    password = instance.auth_pass if instance.auth_type == "AH" else b""
    return instance.family, instance.exchange_interface, not instance.unicast, ttl, password


def _say(journal: Journal, what: str, error: KernelError) -> None:
    journal.log(Log(f"{what}: {strerror(error.errno)}", Level.ERROR, Kind.VRRP_PACKET))
