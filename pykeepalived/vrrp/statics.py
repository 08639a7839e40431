"""Static addresses, routes and rules: there whatever the states are, and put back when somebody removes them.

The core of them: it is told facts and gives orders like the virtual routers, under a name that no instance has.
"""

from collections.abc import Iterable, Mapping

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds_routes import SCOPES
from pykeepalived.effects import Log
from pykeepalived.vrrp.carried import NOTHING, Carried
from pykeepalived.vrrp.effects import (
    AddAddresses,
    AddRoutes,
    AddRules,
    Effect,
    RemoveAddresses,
    RemoveRoutes,
    RemoveRules,
)
from pykeepalived.vrrp.events import StaticTried
from pykeepalived.vrrp.refusals import static_refused
from pykeepalived.vrrp.route_changes import route_change
from pykeepalived.vrrp.tracking import INTERFACE, STATIC, Tracked, Tracker

NOBODY = ""
"""The instance that orders for static objects name."""
_SCOPE_NAMES = {number: name for name, number in SCOPES.items()}
_Place = tuple[str | None, object, int]


class Statics:
    """The static objects of a host. ``up`` is what is known of the interfaces, by name."""

    def __init__(self, configuration: Configuration, up: Mapping[str, bool]) -> None:
        self._up = up
        self._on = False
        self._missing: dict[Carried, int] = {}
        """What the kernel refused, with its errno; 0 while its interface is down."""
        self._configuration = configuration
        self.take(configuration)

    # --- orders -------------------------------------------------------------------------------------------------

    def take(self, configuration: Configuration) -> None:
        """Have these from now on."""
        self._configuration = configuration
        self._addresses: dict[_Place, AddressEntry] = {_place(entry): entry for entry in configuration.static_ipaddress}
        self._routing = frozenset((*configuration.static_routes, *configuration.static_rules))
        self._missing = {entry: code for entry, code in self._missing.items() if entry in self}
        self._followed: dict[str, dict[Tracked, None]] = {}
        for group in configuration.track_group:
            for entry in everything(configuration):
                if entry.track_group == group.name:
                    for name in group.group:
                        followed = self._followed.setdefault(name, {})
                        followed[Tracked((STATIC, describe(entry)))] = None
                        if (link := interface_of(entry)) is not None:
                            followed[Tracked((INTERFACE, link))] = None

    def start(self, effects: list[Effect]) -> None:
        """Set them: addresses, routes, rules."""
        self._on = True
        _add(everything(self._configuration), effects)

    def stop(self, effects: list[Effect], *, release: bool) -> None:
        """Remove them; nothing is put back from now on."""
        self._on = False
        if release:
            _remove(everything(self._configuration), effects)

    def replace(self, configuration: Configuration, effects: list[Effect], keep: frozenset[Carried] = NOTHING) -> None:
        """Take others, by difference. What is in ``keep`` belongs to a virtual router now."""
        before = self._configuration
        self.take(configuration)
        if not self._on:
            return
        routes = route_change(before.static_routes, configuration.static_routes, keep)
        wanted, known = frozenset(everything(configuration)), frozenset(everything(before))
        gone = [entry for entry in everything(before) if entry not in wanted and entry not in keep]
        _remove([entry for entry in gone if not isinstance(entry, RouteEntry)] + [*routes.removed], effects)
        if routes.replaced:
            effects.append(AddRoutes(NOBODY, routes.replaced, replace=True))
        new = [entry for entry in everything(configuration) if entry not in known]
        _add([entry for entry in new if not isinstance(entry, RouteEntry)] + [*routes.added], effects)

    # --- facts --------------------------------------------------------------------------------------------------

    def removed(self, entry: Carried, effects: list[Effect]) -> None:
        """Somebody removed it."""
        if not self._on or entry not in self or entry.no_track:
            return
        link = interface_of(entry)
        if link is not None and not self._up.get(link, False):
            self._missing.setdefault(entry, 0)  # it comes back with its interface
            return
        effects.append(Log(f"Restoring deleted static {describe(entry)}"))
        _add([entry], effects)

    def address_at(self, interface: str, address: object, prefix_length: int) -> AddressEntry | None:
        """The static address that stands there."""
        return self._addresses.get((interface, address, prefix_length))

    def interface_up(self, name: str, effects: list[Effect]) -> None:
        """An interface has come (back): with it the kernel has forgotten routes, and some addresses."""
        if not self._on:
            return
        ours = [
            entry
            for entry in everything(self._configuration)
            if (interface_of(entry) == name and (not entry.no_track or entry in self._missing))
            or (isinstance(entry, RouteEntry) and entry.dev is None)  # it may have been a way through that interface
        ]
        if ours:
            effects.append(Log(f"Interface {name} is up: restoring its static addresses, routes and rules"))
            _add(ours, effects)

    def address_added(self, interface: str, effects: list[Effect]) -> None:
        """An address may be what a route waits for."""
        if self._on and self._missing:
            _add([entry for entry in self._missing if interface_of(entry) in (interface, None)], effects)

    def tried(self, event: StaticTried, effects: list[Effect]) -> tuple[Tracker, bool] | None:
        """What became of an order to add; a tracker whose state has changed by it."""
        entry, errno = event.entry, event.errno
        if entry not in self:
            return None
        if errno == 0:
            return None if self._missing.pop(entry, None) is None else ((STATIC, describe(entry)), True)
        known = self._missing.get(entry)
        self._missing[entry] = errno
        if known != errno:
            effects.append(static_refused(describe(entry), event))
        return None if known else ((STATIC, describe(entry)), False)

    # --- what instances follow ----------------------------------------------------------------------------------

    def followed_by(self, name: str) -> Iterable[Tracked]:
        """What the instance follows as a member of a track_group."""
        return self._followed.get(name, ())

    def is_there(self, description: str) -> bool:
        """Whether the static object is there, as far as is known."""
        return not any(describe(entry) == description for entry in self._missing)

    def __contains__(self, entry: Carried) -> bool:
        """Whether it is one of the static objects."""
        return (
            self._addresses.get(_place(entry)) == entry if isinstance(entry, AddressEntry) else entry in self._routing
        )


def everything(configuration: Configuration) -> tuple[Carried, ...]:
    """All static objects, in the order in which they are set."""
    return (*configuration.static_ipaddress, *configuration.static_routes, *configuration.static_rules)


def describe(entry: Carried) -> str:
    """A static object in a line of the log."""
    if isinstance(entry, AddressEntry):
        return f"address {entry} dev {entry.dev} scope {_SCOPE_NAMES.get(entry.scope, entry.scope)}"
    return f"{'route' if isinstance(entry, RouteEntry) else 'rule'} {entry}"


def interface_of(entry: Carried) -> str | None:
    """The interface that it needs."""
    return entry.iif if isinstance(entry, RuleEntry) else entry.dev


def _place(entry: AddressEntry) -> _Place:
    return (entry.dev, entry.address, entry.prefix_length)


def _add(entries: Iterable[Carried], effects: list[Effect]) -> None:
    addresses, routes, rules = _sorted(entries)
    if addresses:
        effects.append(AddAddresses(NOBODY, addresses))
    if routes:
        effects.append(AddRoutes(NOBODY, routes))
    if rules:
        effects.append(AddRules(NOBODY, rules))


def _remove(entries: Iterable[Carried], effects: list[Effect]) -> None:
    addresses, routes, rules = _sorted(entries)
    if rules:
        effects.append(RemoveRules(NOBODY, rules))
    if routes:
        effects.append(RemoveRoutes(NOBODY, routes))
    if addresses:
        effects.append(RemoveAddresses(NOBODY, addresses))


def _sorted(
    entries: Iterable[Carried],
) -> tuple[tuple[AddressEntry, ...], tuple[RouteEntry, ...], tuple[RuleEntry, ...]]:
    known = tuple(entries)
    return (
        tuple(entry for entry in known if isinstance(entry, AddressEntry)),
        tuple(entry for entry in known if isinstance(entry, RouteEntry)),
        tuple(entry for entry in known if isinstance(entry, RuleEntry)),
    )
