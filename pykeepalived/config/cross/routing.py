"""Every route and rule of a file, in its order: those outside the instances, and those of each instance."""

from collections.abc import Iterator

from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.blocks.rules import RuleEntry
from pykeepalived.config.cross.context import Context
from pykeepalived.config.cross.lines import Place, groups_above
from pykeepalived.config.cross.routes import route
from pykeepalived.config.cross.rules import Preferences, rule
from pykeepalived.config.raw import Given, Raw

_BLOCKS = ("static_routes", "static_rules", "virtual_routes", "virtual_rules")


class Routing:
    """Routes and rules, resolved. Preferences are handed out in the order of the file, whoever owns the rule."""

    def __init__(self, root: Raw, context: Context) -> None:
        self._context = context
        self._preferences = Preferences()
        self._routes: dict[int, tuple[RouteEntry, ...]] = {}
        self._rules: dict[int, tuple[RuleEntry, ...]] = {}
        for raw, name, given in sorted(_given(root), key=lambda each: each[2].order):
            self._read(root, raw, name, given)

    def routes(self, raw: Raw) -> tuple[RouteEntry, ...]:
        """Those of an instance, or of the root."""
        return self._routes.get(id(raw), ())

    def rules(self, raw: Raw) -> tuple[RuleEntry, ...]:
        """Those of an instance, or of the root."""
        return self._rules.get(id(raw), ())

    def _read(self, root: Raw, raw: Raw, name: str, given: Given) -> None:
        kind = raw.table.keywords[name].kind
        static = raw is root
        groups = groups_above(root, given.order) if static else frozenset()
        place = Place("" if static else raw.name, groups, getattr(kind, "without", frozenset()))
        if name.endswith("routes"):
            lines = (route(entry, place, self._context) for entry in given.value)
            self._routes[id(raw)] = tuple(dict.fromkeys(each for each in lines if each is not None))
        else:
            rules = (rule(entry, place, self._context, self._preferences) for entry in given.value)
            self._rules[id(raw)] = tuple(dict.fromkeys(each for each in rules if each is not None))


def _given(root: Raw) -> Iterator[tuple[Raw, str, Given]]:
    for raw in (root, *root.named("vrrp_instance")):
        for name in _BLOCKS:
            if name in raw.given:
                yield raw, name, raw.given[name]
