"""Which interfaces count as up: what netlink or the linkbeat tells of each, as late as interface_up_down_delays wants.

A change that is to last some time first is taken back when the interface returns before then. Of an interface whose
link is polled the linkbeat alone decides, and at once.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pykeepalived.config.blocks.interfaces import InterfaceUpDownDelay, Method
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.configuration import Configuration
from pykeepalived.effects import Kind, Log
from pykeepalived.units import MICROSECOND
from pykeepalived.vrrp.effects import Effect
from pykeepalived.vrrp.events import InterfaceChanged
from pykeepalived.vrrp.tracking import INTERFACE, tracked_by

Polled = Mapping[str, Method]
"""Interfaces whose link is polled, and how; empty: the first way that works."""

_NO_DELAY = InterfaceUpDownDelay("")


@dataclass(frozen=True, slots=True)
class _Pending:
    """A change that does not count yet."""

    at: int
    up: bool


class LinkStates:
    """What is known of the interfaces by name. ``up`` is what counts."""

    def __init__(self) -> None:
        self.up: dict[str, bool] = {}
        self.deadline: int | None = None
        self._flags: dict[str, int] = {}
        self._told: dict[str, bool] = {}
        self._beats: dict[str, bool] = {}
        self._pending: dict[str, _Pending] = {}
        self._delays: dict[str, InterfaceUpDownDelay] = {}
        self._polled: Container[str] = ()

    def configure(self, delays: Iterable[InterfaceUpDownDelay], polled: Container[str]) -> None:
        """Have these delays, poll these interfaces. One that is polled no longer counts as netlink told last."""
        self._delays = {each.name: each for each in delays}
        self._polled = polled
        for name in [name for name in self._beats if name not in polled]:
            del self._beats[name]
            self._settle(name, self._told[name])

    def told(self, event: InterfaceChanged, now: int, effects: list[Effect]) -> bool:
        """Netlink told of an interface; whether that changes what counts."""
        name, up, flags = event.interface, event.up, event.flags
        if not event.present:
            return self._vanished(name)
        before, self._flags[name] = self._flags.get(name, 0), flags
        self._told[name] = up
        if name in self._polled:
            return self._settle(name, self._beats.get(name, up)) if name not in self.up else False
        delay = self._delays.get(name, _NO_DELAY)
        length = delay.up if up else delay.down
        if name not in self.up or not length or self.up[name] == up:
            return self._settle(name, up)
        if name not in self._pending:
            self._pending[name] = _Pending(now + length, up)
            self._plan()
            change = f"{name}: Adding flags change from {before:#x} to {flags:#x} delay by {length // MICROSECOND}"
            effects.append(Log(change, kind=Kind.TRACKER))
        return False

    def _vanished(self, name: str) -> bool:
        """It is down at once. Only what the file names is remembered: containers bring names by the thousand."""
        self._told.pop(name, None)
        self._flags.pop(name, None)
        self._beats.pop(name, None)
        changed = self._settle(name, up=False)
        if name not in self._delays and name not in self._polled:
            del self.up[name]
        return changed

    def beat(self, name: str, *, up: bool) -> bool:
        """The linkbeat found the link so; whether that changes what counts."""
        if name not in self._polled or name not in self._told:
            return False
        self._beats[name] = up
        return self._settle(name, up)

    def due(self, now: int) -> list[str]:
        """The interfaces that count otherwise from now on."""
        if self.deadline is None or now < self.deadline:
            return []
        reached = [name for name, pending in self._pending.items() if pending.at <= now]
        return [name for name in reached if self._settle(name, self._pending[name].up)]

    def has(self, name: str) -> bool:
        """Whether there is such an interface."""
        return name in self._told

    def fell(self, name: str) -> bool:
        """Whether it is down, as netlink told last; that may not count."""
        return not self._told.get(name, True)

    def reporter(self, name: str) -> str:
        """Who tells of an interface, as log lines have it."""
        return "Linkbeat" if name in self._beats else "Netlink"

    def _settle(self, name: str, up: bool) -> bool:
        """That is how it counts from now on."""
        if self._pending.pop(name, None) is not None:
            self._plan()
        changed = self.up.get(name, False) != up
        self.up[name] = up
        return changed

    def _plan(self) -> None:
        self.deadline = min((pending.at for pending in self._pending.values()), default=None)


def polled(configuration: Configuration) -> Polled:
    """Every interface that VRRP uses, or those of the instances that say so; and those of linkbeat_interfaces."""
    everywhere = configuration.global_defs.linkbeat_use_polling
    found: dict[str, Method] = {}
    for instance in configuration.vrrp_instance:
        if everywhere:
            found.update(dict.fromkeys(_used(instance), ""))
        elif instance.linkbeat_use_polling and instance.interface:
            found[instance.interface] = ""
    found.update({each.name: each.method for each in configuration.linkbeat_interfaces})
    return found


def _used(instance: VrrpInstance) -> Iterator[str]:
    """The interface of an instance, and those it follows."""
    if instance.interface:
        yield instance.interface
    yield from (name for kind, name in (each.tracker for each in tracked_by(instance, None)) if kind == INTERFACE)
