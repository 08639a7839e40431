"""The host's routes and rules for the virtual routers. There is no socket before the first order.

It tells what somebody else removed, after what is known of interfaces: a route that went with its interface is no
loss of its own.
"""

from collections.abc import Callable, Iterator, Sequence

from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.daemon.child import ChildContext
from pykeepalived.daemon.news import News
from pykeepalived.daemon.vrrp_host import VrrpHost
from pykeepalived.daemon.vrrp_kernel import VrrpKernel
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import KernelError
from pykeepalived.kernel.ports import Failure, Routing
from pykeepalived.units import SECOND
from pykeepalived.vrrp.effects import AddRoutes, AddRules, RemoveRoutes, RemoveRules
from pykeepalived.vrrp.events import Event, RoutingRemoved

RoutingOrder = AddRoutes | RemoveRoutes | AddRules | RemoveRules


class VrrpRouting:
    """The way to change routes and rules, and the listener of those that vanish."""

    def __init__(
        self, kernel: VrrpKernel, context: ChildContext, host: VrrpHost, tell: Callable[[Event], None]
    ) -> None:
        self._kernel = kernel
        self._context = context
        self._host = host
        self._tell = tell
        self._routing: Routing | None = None
        self._news = News(context, "routes and rules", self._read)
        self._unheard = False  # as was said
        self._watch_again = context.reactor.alarm(self._watch)

    def carry_out(self, order: RoutingOrder) -> Iterator[tuple[RouteEntry | RuleEntry, Failure]]:
        """Add or remove; what the kernel refused, and how."""
        entries: Sequence[RouteEntry | RuleEntry] = order.entries
        try:
            failures = self._order(self._open(), order)
        except KernelError as error:  # no answer at all
            failures = [Failure(index, error.errno) for index in range(len(entries))]
        return iter([(entries[failure.index], failure) for failure in failures])

    def close(self) -> None:
        """Listen no longer."""
        self._news.end()
        self._watch_again.set(None)
        if self._routing is not None:
            self._context.reactor.unwatch(self._routing.fileno())
            self._routing.close()
            self._routing = None

    @staticmethod
    def _order(routing: Routing, order: RoutingOrder) -> list[Failure]:
        match order:
            case AddRoutes(_, routes, replace):
                return routing.add_routes(routes, replace=replace)
            case RemoveRoutes(_, routes):
                return routing.remove_routes(routes)
            case AddRules(_, rules):
                return routing.add_rules(rules)
            case RemoveRules(_, rules):
                return routing.remove_rules(rules)

    def _open(self) -> Routing:
        if self._routing is None:
            self._routing = self._kernel.routing(self, self._host.interface)
            self._watch()
        return self._routing

    def _watch(self) -> None:
        """Hear of removals. Where that cannot be yet, orders are given all the same."""
        if self._routing is None:
            return
        try:
            self._context.reactor.watch(self._routing.fileno(), self._news.read)
        except OSError as error:
            if not self._unheard:
                text = f"Routes and rules that others remove are not noticed yet: {error.strerror}"
                self._context.journal.log(Log(text, Level.WARNING, Kind.PROCESS))
            self._unheard = True
            self._watch_again.set(self._context.reactor.now() + SECOND)

    def _read(self) -> None:
        self._host.drain()
        if self._routing is not None:
            self._routing.drain()

    # --- RoutingListener ----------------------------------------------------------------------------------------

    def route_removed(self, entry: RouteEntry) -> None:
        """A route of ours has vanished."""
        self._tell(RoutingRemoved(entry))

    def rule_removed(self, entry: RuleEntry) -> None:
        """A rule of ours has vanished."""
        self._tell(RoutingRemoved(entry))
