"""What one reading leaves to the next: the virtual servers whose text need not be read again.

A block of ordinary lines, of which nothing was to be said and which asked for nothing but itself and global_defs, means
the same wherever the same text stands again. The next reading finds such blocks by their text, leaves them out, and
says where they belong (``Amendment``). Whatever is out of the ordinary ends in ``ReadWhole``: then all is read, so that
nobody can tell the difference.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.virtual_server import Service, VirtualServer
from pykeepalived.config.configuration import Run
from pykeepalived.config.raw import Raw
from pykeepalived.records import record

HEAD = "virtual_server "
_END = "\n}\n"


class ReadWhole(Exception):  # noqa: N818 - a verdict, not a fault
    """What was kept is of no use for this text."""


class KeptText(str):
    """Stands in a file's lines for blocks that follow each other as they did before."""

    __slots__ = ("blocks", "lines")

    blocks: range
    """Their places in the memory."""
    lines: int


@record(frozen=True, slots=True)
class Memory:
    """The blocks that may be kept, in the order of the configuration; equal places tell of one block."""

    settings: GlobalDefs = GlobalDefs()
    count: int = 0
    """How many virtual servers the configuration has, kept or not."""
    texts: Sequence[str] = ()
    """Without the closing brace and what is behind it."""
    lines: Sequence[int] = ()
    """How many there are, closing brace and all."""
    places: Sequence[int] = ()
    """Which of the configuration's virtual servers it is."""
    services: Sequence[int] = ()
    schedulers: Sequence[str] = ()


@record(frozen=True, slots=True)
class Reading:
    """What was read, and what of it may be kept."""

    settings: GlobalDefs
    servers: Sequence[tuple[int, VirtualServer, str | None]]
    """The order in the file, what came of the block, and its text if it may be kept."""
    runs: Sequence[tuple[int, range]] = ()
    """The order in the file, and the places in the memory."""
    memory: Memory = Memory()


class Finder:
    """Finds what was kept in the text of files."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._known = {text: place for place, text in enumerate(memory.texts)}

    def lines(self, text: str) -> list[str]:
        """The lines of a text, one KeptText in place of each run of blocks that are known. Each is found once."""
        known, memory = self._known, self._memory
        parts = text.split(_END)
        rest = parts.pop()
        found: list[str] = []
        unread: list[str] = []
        first = after = lines = 0
        for part in parts:
            at = 0 if part.startswith(HEAD) else part.rfind("\n" + HEAD) + 1
            place = known.pop(part[at:] if at else part, None)
            if place is None:
                unread.append(part + "\n}")
                continue
            if at or unread or place != after or not lines or memory.places[place] != memory.places[place - 1] + 1:
                if lines:
                    found.append(_kept(first, after, lines))
                if at:
                    unread.append(part[: at - 1])
                if unread:
                    found += "\n".join(unread).split("\n")
                    unread.clear()
                first, lines = place, 0
            after = place + 1
            lines += memory.lines[place]
        if lines:
            found.append(_kept(first, after, lines))
        if rest:
            unread.append(rest.removesuffix("\n"))
        return found + "\n".join(unread).split("\n") if unread else found


def _kept(first: int, after: int, lines: int) -> KeptText:
    kept = KeptText()
    kept.blocks = range(first, after)
    kept.lines = lines
    return kept


def text_of(lines: Sequence[str]) -> str | None:
    """The text by which these lines of a block, braces and all, are found again; None when they cannot be."""
    if lines[-1] != "}" or not lines[0].startswith(HEAD):
        return None
    return "\n".join(lines[:-1])


def reading(
    settings: GlobalDefs,
    resolved: Iterable[tuple[Raw, VirtualServer, bool]],
    texts: dict[int, str],
    runs: Sequence[tuple[int, range]],
    memory: Memory | None,
) -> Reading:
    """What a reading may leave to the next. Raises ReadWhole when what it took from the one before does not hold.

    ``resolved``: what came of each block, and whether it asked for nothing outside itself.
    """
    servers = [(raw.order, server, texts.get(raw.order) if alone else None) for raw, server, alone in resolved]
    if memory is None:
        return Reading(settings, servers)
    if settings != memory.settings:
        raise ReadWhole
    if servers:
        kept = {memory.services[place] for _, blocks in runs for place in blocks}
        if not kept.isdisjoint(_number(server.service) for _, server, _ in servers if server.service.kind == "address"):
            raise ReadWhole  # defined twice: which of the two is the first?
    return Reading(settings, servers, runs, memory)


def leave(read: Reading, running: Sequence[VirtualServer]) -> tuple[Memory, tuple[Run, ...], list[str]]:
    """What the next reading may keep, where all virtual servers come from, and the schedulers of those kept.

    ``running`` are the virtual servers that were read and are run: the same objects, or others of the same service.
    """
    position = {id(server): place for place, server in enumerate(running)}
    replaced: dict[Service, int] | None = None
    before = read.memory
    texts: list[str] = []
    lines: list[int] = []
    places: list[int] = []
    services: list[int] = []
    schedulers: list[str] = []
    runs: list[Run] = []
    used: list[str] = []
    count = taken = 0

    def new(until: int) -> None:
        nonlocal count, taken
        if until > taken:
            runs.append(Run(None, until - taken))
            count += until - taken
            taken = until

    entries: list[tuple[int, Any]] = [(order, (server, text)) for order, server, text in read.servers]
    if read.runs:
        entries = sorted([*entries, *read.runs], key=lambda entry: entry[0])
    for _, entry in entries:
        if isinstance(entry, range):
            kept = slice(entry.start, entry.stop)
            runs.append(Run(before.places[entry.start], len(entry)))
            texts += before.texts[kept]
            lines += before.lines[kept]
            services += before.services[kept]
            schedulers += before.schedulers[kept]
            used += before.schedulers[kept]
            places += range(count, count + len(entry))
            count += len(entry)
            continue
        server, text = entry
        place = position.get(id(server))
        if place is None:
            replaced = replaced or {each.service: place for place, each in enumerate(running)}
            place = replaced.get(server.service)
            text = None
        if place is None:
            continue
        new(place + 1)
        if text is None or server.service.kind != "address":
            continue
        texts.append(text)
        lines.append(text.count("\n") + 2)
        places.append(count - 1)
        services.append(_number(server.service))
        schedulers.append(server.lvs_sched)
    return Memory(read.settings, count, texts, lines, places, services, schedulers), tuple(runs), used


def _number(service: Service) -> int:
    """Tells services with addresses apart."""
    address = service.address
    assert address is not None  # noqa: S101 - only such are asked about
    return (int(address) << 8 | service.family) << 24 | service.port << 8 | service.protocol
