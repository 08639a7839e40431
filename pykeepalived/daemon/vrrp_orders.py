"""Orders of the VRRP core that take time: addresses, routes, rules, the firewall, announcements, scripts, FIFO lines.

They wait in one queue, in the core's order, and take a bounded share of each turn, so that a thousand addresses do not
delay the next advert.
"""

import dataclasses
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, assert_never

from pykeepalived.daemon.announcements import Announcements
from pykeepalived.daemon.child import ChildContext
from pykeepalived.daemon.firewall import Firewall
from pykeepalived.daemon.virtual_links import VirtualInterfaces
from pykeepalived.daemon.vrrp_host import VrrpHost
from pykeepalived.daemon.vrrp_routing import VrrpRouting
from pykeepalived.effects import RunScript, WriteFifo
from pykeepalived.events import ScriptExited
from pykeepalived.kernel.ports import BATCH, Failure
from pykeepalived.units import MILLISECOND
from pykeepalived.vrrp.carried import Carried
from pykeepalived.vrrp.effects import (
    AddAddresses,
    AddRoutes,
    AddRules,
    Announce,
    AnnounceSource,
    BlockAddresses,
    CancelAnnouncements,
    RemoveAddresses,
    RemoveRoutes,
    RemoveRules,
    UnblockAddresses,
)
from pykeepalived.vrrp.events import AddressesFailed, Event, RoutingFailed, StaticTried
from pykeepalived.vrrp.statics import NOBODY
from pykeepalived.vrrp.virtual_links import ReleaseBase, RemoveLink

_DONE = Failure(0, 0)
_LONG = 10 * MILLISECOND  # a turn has more to do
_FEW = 4  # addresses in the first order to a kernel that may be busy

_Objects = AddAddresses | RemoveAddresses | AddRoutes | RemoveRoutes | AddRules | RemoveRules
_Blocks = BlockAddresses | UnblockAddresses
Slow = (
    _Objects
    | _Blocks
    | Announce
    | AnnounceSource
    | CancelAnnouncements
    | RunScript
    | WriteFifo
    | RemoveLink
    | ReleaseBase
)


class OrdersOverTime:
    """``told`` is given the facts that come of them; ``between`` runs a later turn's share."""

    def __init__(
        self,
        context: ChildContext,
        host: VrrpHost,
        routing: VrrpRouting,
        firewall: Firewall,
        links: VirtualInterfaces,
        announcements: Announcements,
        told: Callable[[Event], None],
        interface_of: Callable[[str], str],
        between: Callable[[Callable[[], None]], None],
        script_ended: Callable[[], None],
    ) -> None:
        self._context = context
        self._host = host
        self._routing = routing
        self._firewall = firewall
        self._links = links
        self._announcements = announcements
        self._told = told
        self._interface_of = interface_of
        self._between = between
        self._tell_end = script_ended
        self._slow: deque[Slow] = deque()
        self._cancelled: Counter[str] = Counter()  # how often what waits calls announcements off, by instance
        self._share = BATCH
        self._spent = 0  # of this turn's time
        self._at_once = _FEW
        self._turning = False
        self._scripts_left = 0

    @property
    def waiting(self) -> bool:
        """Whether something is still to be done."""
        return bool(self._slow)

    @property
    def all_done(self) -> bool:
        """Whether everything is done, and all scripts have ended."""
        return not self._slow and self._scripts_left <= 0

    def give(self, order: Slow) -> None:
        """Carry out an order, in its turn."""
        if isinstance(order, CancelAnnouncements):
            self._cancelled[order.instance] += 1
        self._slow.append(order)
        self._work()

    def _work(self) -> None:
        """Carry out what waits, within this turn's share. A fault of ours costs one order, not those behind it."""
        begun = self._context.reactor.now()
        try:
            while self._slow and self._share > 0:
                self._carry_out(self._slow.popleft())
                now = self._context.reactor.now()
                self._spent, begun = self._spent + now - begun, now
                if self._spent >= _LONG:
                    self._share = 0  # others hold the kernel up: adverts first
        finally:
            if not self._turning and (self._slow or self._share < BATCH):
                self._turning = True
                self._context.reactor.soon(self._next_turn)

    def _carry_out(self, order: Slow) -> None:
        match order:
            case AddAddresses() | RemoveAddresses() | AddRoutes() | RemoveRoutes() | AddRules() | RemoveRules():
                self._change(order)
            case BlockAddresses() | UnblockAddresses():
                self._block(order)
            case Announce(name, entries, rounds):
                if not self._cancelled[name]:  # else somebody else has announced them by now
                    self._announcements.burst(name, entries, rounds)
            case AnnounceSource(name, address):
                self._share -= 1
                self._announcements.once(name, self._interface_of(name), address)
            case CancelAnnouncements(name):
                self._cancelled[name] -= 1
                self._announcements.cancel(name)
            case RunScript(script, arguments):
                self._share -= 1
                self._scripts_left += 1
                self._context.scripts.run(script, arguments, on_exit=self._script_ended)
            case WriteFifo(line):
                self._context.fifo(line)
            case RemoveLink() | ReleaseBase():
                self._share = 0  # the kernel takes its time
                self._links.carry_out((order,))
            case _:
                assert_never(order)

    def _change(self, order: _Objects) -> None:
        """Add or remove what of it fits into this turn's share, few at first; the rest waits in front."""
        entries: Any = order.entries
        size = min(self._share, self._at_once)
        if len(entries) > size:
            self._slow.appendleft(dataclasses.replace(order, entries=entries[size:]))
            order = dataclasses.replace(order, entries=entries[:size])
            self._at_once = min(2 * self._at_once, BATCH)
        self._share -= len(order.entries)
        adding = isinstance(order, AddAddresses | AddRoutes | AddRules)
        refused: dict[Carried, Failure] = {}
        failed: list[Event] = []
        if isinstance(order, RemoveAddresses):
            self._announcements.forget(order.entries)
        if isinstance(order, AddAddresses | RemoveAddresses):
            for address, code in self._host.change(order.entries, adding=adding):
                refused[address] = Failure(0, code)
                failed.append(AddressesFailed(order.instance, address, code, adding))
        else:
            for entry, failure in self._routing.carry_out(order):
                refused[entry] = failure
                failed.append(RoutingFailed(order.instance, entry, failure.errno, adding, failure.words))
        if adding and order.instance == NOBODY:
            told = [(each, refused.get(each, _DONE)) for each in order.entries]
            failed = [StaticTried(each, failure.errno, failure.words) for each, failure in told]
        for event in failed:
            self._told(event)

    def _block(self, order: _Blocks) -> None:
        part, rest = order.entries[: self._share], order.entries[self._share :]
        self._share -= len(part)
        if isinstance(order, BlockAddresses):
            self._firewall.block(part, by_name=order.by_name)
        else:
            self._firewall.unblock(part)
        if rest:
            self._slow.appendleft(dataclasses.replace(order, entries=rest))

    def _next_turn(self) -> None:
        self._turning = False
        self._share = BATCH
        if self._spent >= _LONG or not self._slow:
            self._at_once = _FEW
        self._spent = 0
        self._between(self._work)

    def _script_ended(self, event: ScriptExited) -> None:
        del event
        self._scripts_left -= 1
        self._tell_end()
