"""The time between gratuitous messages (behaviour 1.7): at most one in an interval, on each lane.

A lane is what messages share the time on: a physical interface, or all interfaces of a garp_group; gratuitous ARP and
unsolicited NA have their own. As with keepalived an address waits on its lane once, however often it is asked for
meanwhile, so that a queue is never longer than there are addresses. Who came first goes first.
"""

import heapq
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import NamedTuple

from pykeepalived.config.blocks.garp_group import GarpGroup
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import IP

_WORDS = {4: "garp_interval", 6: "gna_interval"}


class Message(NamedTuple):
    """An address to announce: whose, and where."""

    instance: str
    interface: str
    address: IP


class Lane:
    """What has to be spaced: when the next message may go, and who waits."""

    __slots__ = ("free_at", "interval", "keyword", "queued", "waiting")

    def __init__(self, interval: int, keyword: str) -> None:
        self.interval = interval
        self.keyword = keyword
        self.free_at = 0
        self.waiting: OrderedDict[Message, None] = OrderedDict()
        self.queued = False  # in the heap


_NOTHING: dict[Message, Lane] = {}


class Pacing:
    """All lanes of a configuration. ``physical`` tells an interface's own name, or its base's when it is a VMAC."""

    def __init__(self, configuration: Configuration, physical: Callable[[str], str]) -> None:
        settings = configuration.global_defs
        self._everywhere = {4: settings.vrrp_garp_interval, 6: settings.vrrp_gna_interval}
        self._groups = {name: group for group in configuration.garp_group for name in group.interfaces}
        self.idle = not self._groups and not any(self._everywhere.values())
        """Nothing is spaced anywhere."""
        self._physical = physical
        self._lanes: dict[tuple[tuple[str, ...], int], Lane] = {}
        self._waiting: dict[str, dict[Message, Lane]] = {}  # by instance
        self._heap: list[tuple[int, int, Lane]] = []
        self._order = 0

    @property
    def deadline(self) -> int | None:
        """When the next message may go."""
        return self._heap[0][0] if self._heap else None

    def lane(self, interface: str, version: int) -> Lane | None:
        """The lane of an interface and an IP version, or None where nothing is spaced."""
        if self.idle:
            return None
        name = self._physical(interface)
        group = self._groups.get(name)
        interval = self._everywhere[version] if group is None else _interval(group, version)
        if not interval:
            return None
        key = ((name,) if group is None else group.interfaces, version)
        lane = self._lanes.get(key)
        if lane is None:
            keyword = f"vrrp_{_WORDS[version]}" if group is None else f"{_WORDS[version]} of the garp_group"
            lane = self._lanes[key] = Lane(interval, keyword)
        return lane

    def offer(self, message: Message, now: int) -> bool:
        """Whether a message may go at once; otherwise it waits."""
        lane = self.lane(message.interface, message.address.version)
        if lane is None:
            return True
        if not lane.waiting and now >= lane.free_at:
            lane.free_at = now + lane.interval
            return True
        lane.waiting[message] = None
        self._waiting.setdefault(message.instance, {})[message] = lane
        self._queue(lane)
        return False

    def behind(self, message: Message) -> Lane | None:
        """The lane on which a message still waits."""
        return self._waiting.get(message.instance, _NOTHING).get(message)

    def due(self, now: int) -> Message | None:
        """The next message that may go now; it no longer waits."""
        while self._heap and self._heap[0][0] <= now:
            lane = heapq.heappop(self._heap)[2]
            lane.queued = False
            if not lane.waiting:
                continue  # all were cancelled
            if now < lane.free_at:
                self._queue(lane)  # another message went meanwhile
                continue
            message, _ = lane.waiting.popitem(last=False)
            self._forget(message)
            lane.free_at = now + lane.interval
            if lane.waiting:
                self._queue(lane)
            return message
        return None

    def cancel(self, instance: str) -> None:
        """Nothing of an instance waits any longer."""
        for message, lane in self._waiting.pop(instance, _NOTHING).items():
            del lane.waiting[message]

    def inherit(self, former: "Pacing", names: Mapping[str, str], now: int) -> list[Message]:
        """After a reload: go on where ``former`` was, with new names. What may go at once is given back."""
        for (interfaces, version), lane in former._lanes.items():
            for interface in interfaces:
                if (mine := self.lane(interface, version)) is not None:
                    mine.free_at = max(mine.free_at, min(lane.free_at, now + mine.interval))
        waiting = [message for lane in former._lanes.values() for message in lane.waiting]
        renamed = [message._replace(instance=names.get(message.instance, message.instance)) for message in waiting]
        return [message for message in renamed if self.offer(message, now)]

    def _forget(self, message: Message) -> None:
        own = self._waiting[message.instance]
        del own[message]
        if not own:
            del self._waiting[message.instance]

    def _queue(self, lane: Lane) -> None:
        if not lane.queued:
            lane.queued = True
            self._order += 1
            heapq.heappush(self._heap, (lane.free_at, self._order, lane))


def _interval(group: GarpGroup, version: int) -> int:
    return group.garp_interval if version == 4 else group.gna_interval
