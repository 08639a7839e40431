"""What one reading leaves to the next: the virtual servers whose text need not be read again.

A block of ordinary lines, of which nothing was to be said and which asked for nothing but itself and global_defs, means
the same wherever the same text stands again. The next reading finds such blocks by their text, leaves them out, and
says where they belong (``Amendment``). Whatever is out of the ordinary ends in ``ReadWhole``: then all is read, so that
nobody can tell the difference.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.virtual_server import RealServer, Service, VirtualServer
from pykeepalived.config.configuration import Run, Woven, weave
from pykeepalived.config.raw import Raw
from pykeepalived.records import record

HEAD = "virtual_server "
_END = "\n}\n"
_FIRST = re.compile(r"\n([ \t]*)real_server ")
_MANY = 64
"""Real servers of a block, of which each may be kept by itself when another of them has changed."""


class ReadWhole(Exception):  # noqa: N818 - a verdict, not a fault
    """What was kept is of no use for this text."""


class KeptText(str):
    """Stands in a file's lines for blocks that follow each other as they did before."""

    __slots__ = ("blocks", "inside", "lines")

    blocks: range
    """Their places in the memory, or those of real servers in their virtual server."""
    inside: "Inside | None"
    """That virtual server, for real servers."""
    lines: int


class Inside:
    """A virtual server that is read again, but for real servers that stand as before."""

    __slots__ = ("facts", "head", "lengths", "place")

    def __init__(self, place: int, head: str, facts: "Facts", lengths: list[int]) -> None:
        self.place = place
        """In the memory."""
        self.head = head
        """Its first line."""
        self.facts = facts
        self.lengths = lengths
        """Lines of its other real servers, each of which must be a block and nothing else."""


Facts = tuple[Sequence[int], Sequence[int]]
"""Of the real servers of a block: their weights, and numbers that tell them apart."""


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
    facts: Sequence[tuple[int, Facts]] = ()
    """Of blocks with many real servers: their places here, and what is known of those."""


@record(frozen=True, slots=True)
class Reading:
    """What was read, and what of it may be kept."""

    settings: GlobalDefs
    servers: Sequence[tuple[int, VirtualServer, str | None]]
    """The order in the file, what came of the block, and its text if it may be kept."""
    runs: Sequence[tuple[int, range]] = ()
    """The order in the file, and the places in the memory."""
    memory: Memory = Memory()
    woven: Sequence[tuple[int, tuple[Inside, tuple[Run, ...]]]] = ()
    """The order of a block that has kept real servers, and where each of its servers comes from."""
    many: frozenset[int] = frozenset()
    """Orders of blocks of whose real servers each may be kept."""

    @property
    def amends(self) -> bool:
        """Whether anything was kept."""
        return bool(self.runs or self.woven)


class Finder:
    """Finds what was kept in the text of files."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._known = {text: place for place, text in enumerate(memory.texts)}
        self._facts = dict(memory.facts)
        self._heads = {memory.texts[place].partition("\n")[0]: place for place in self._facts}

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
                inner = self._inside(part[at:]) if self._heads else None
                if inner is None:
                    unread.append(part + "\n}")
                    continue
                if lines:
                    found.append(_kept(range(first, after), lines))
                    lines = 0
                if at:
                    unread.append(part[: at - 1])
                if unread:
                    found += "\n".join(unread).split("\n")
                    unread.clear()
                found += [*inner, "}"]
                continue
            if at or unread or place != after or not lines or memory.places[place] != memory.places[place - 1] + 1:
                if lines:
                    found.append(_kept(range(first, after), lines))
                if at:
                    unread.append(part[: at - 1])
                if unread:
                    found += "\n".join(unread).split("\n")
                    unread.clear()
                first, lines = place, 0
            after = place + 1
            lines += memory.lines[place]
        if lines:
            found.append(_kept(range(first, after), lines))
        if rest:
            unread.append(rest.removesuffix("\n"))
        return found + "\n".join(unread).split("\n") if unread else found

    def _inside(self, text: str) -> list[str] | None:
        """The lines of a block that is not known, with KeptText for real servers that are; None if none can be."""
        head = text.partition("\n")[0]
        place = self._heads.get(head)
        if place is None:
            return None
        before, now = _cut(self._memory.texts[place]), _cut(text)
        if before is None or now is None or before.frame != now.frame or before.indent != now.indent:
            return None
        del self._heads[head]
        known = {piece: index for index, piece in enumerate(before.servers)}
        inside = Inside(place, head, self._facts[place], [])
        closing = f"\n{now.indent}}}"
        found: list[str] = []
        first = after = lines = 0
        for is_server, piece in now.pieces:
            index = known.pop(piece, None) if is_server else None
            if lines and index != after:
                found.append(_kept(range(first, after), lines, inside))
                lines = 0
            if index is None:
                unread = (piece + closing if is_server else piece).split("\n")
                if is_server:
                    inside.lengths.append(len(unread))
                found += unread
                continue
            if not lines:
                first = index
            after = index + 1
            lines += piece.count("\n") + 2
        if lines:
            found.append(_kept(range(first, after), lines, inside))
        return found


@record(frozen=True, slots=True)
class _Cut:
    """The text of a virtual server in pieces: real servers without their closing braces, and what is around them."""

    indent: str
    pieces: Sequence[tuple[bool, str]]
    """Whether it is a real server, and the text."""

    @property
    def servers(self) -> list[str]:
        """The real servers."""
        return [piece for is_server, piece in self.pieces if is_server]

    @property
    def frame(self) -> list[str]:
        """What is around them."""
        return [piece for is_server, piece in self.pieces if not is_server]


def _cut(text: str) -> _Cut | None:
    first = _FIRST.search(text)
    if first is None:
        return None
    indent = first[1]
    head = f"{indent}real_server "
    parts = (text + "\n").split(f"\n{indent}}}\n")
    rest = parts.pop()
    pieces: list[tuple[bool, str]] = []
    for part in parts:
        at = 0 if part.startswith(head) else part.rfind("\n" + head) + 1
        if not at and not part.startswith(head):
            pieces.append((False, f"{part}\n{indent}}}"))
            continue
        if at:
            pieces.append((False, part[: at - 1]))
        pieces.append((True, part[at:]))
    if rest:
        pieces.append((False, rest.removesuffix("\n")))
    return _Cut(indent, pieces)


def _kept(blocks: range, lines: int, inside: Inside | None = None) -> KeptText:
    kept = KeptText()
    kept.blocks = blocks
    kept.lines = lines
    kept.inside = inside
    return kept


def text_of(lines: Sequence[str], memory: Memory | None) -> str | None:
    """The text by which these lines of a block, braces and all, are found again; None when they cannot be."""
    if lines[-1] != "}" or not lines[0].startswith(HEAD):
        return None
    if memory is None:
        return "\n".join(lines[:-1])
    whole: list[str] = []
    for line in lines[:-1]:
        if not isinstance(line, KeptText):
            whole.append(line)
            continue
        assert line.inside is not None  # noqa: S101 - within a block there are no others
        before = _cut(memory.texts[line.inside.place])
        assert before is not None  # noqa: S101 - it was cut when they were found
        closing = f"\n{before.indent}}}"
        whole += [piece + closing for piece in before.servers[line.blocks.start : line.blocks.stop]]
    return "\n".join(whole)


def reading(
    settings: GlobalDefs,
    resolved: Sequence[tuple[Raw, VirtualServer, bool]],
    texts: Mapping[int, str],
    runs: Sequence[tuple[int, range]],
    memory: Memory | None,
) -> Reading:
    """What a reading may leave to the next. Raises ReadWhole when what it took from the one before does not hold.

    ``resolved``: what came of each block, and whether it asked for nothing outside itself.
    """
    servers = [(raw.order, server, texts.get(raw.order) if alone else None) for raw, server, alone in resolved]
    many = frozenset(
        raw.order
        for raw, server, alone in resolved
        if alone and raw.order in texts and _each_may_be_kept(raw, server, texts[raw.order])
    )
    if memory is None:
        return Reading(settings, servers, many=many)
    if settings != memory.settings:
        raise ReadWhole
    if servers:
        kept = {memory.services[place] for _, blocks in runs for place in blocks}
        if not kept.isdisjoint(_number(server.service) for _, server, _ in servers if server.service.kind == "address"):
            raise ReadWhole  # defined twice: which of the two is the first?
    woven = [(raw.order, _weave(raw, server)) for raw, server, _ in resolved if raw.kept]
    return Reading(settings, servers, runs, memory, woven, many)


def _each_may_be_kept(raw: Raw, server: VirtualServer, text: str) -> bool:
    """Whether the block has many real servers, each a piece of the text, and nothing of it depends on all of them."""
    if raw.kept or len(server.real_server) < _MANY or server.service.kind != "address" or "lvs_method" not in raw.given:
        return bool(raw.kept)
    cut = _cut(text)
    return cut is not None and [piece.count("\n") + 2 for piece in cut.servers] == _lengths(raw)


def _lengths(raw: Raw) -> list[int]:
    return [each.lines for each in raw.named("real_server")]


def _weave(raw: Raw, server: VirtualServer) -> tuple[Inside, tuple[Run, ...]]:
    """Where its real servers come from. Raises ReadWhole when those kept may mean something else here."""
    inside = raw.kept[0][1].inside
    assert inside is not None  # noqa: S101 - the interpreter takes no other
    new = list(raw.named("real_server"))
    if (
        raw.head.line.text != inside.head
        or any(kept.inside is not inside for _, kept in raw.kept)
        or _lengths(raw) != inside.lengths
        or len(new) != len(server.real_server)
    ):
        raise ReadWhole
    numbers = {inside.facts[1][index] for _, kept in raw.kept for index in kept.blocks}
    if not numbers.isdisjoint(_server_number(each) for each in server.real_server):
        raise ReadWhole  # there twice
    runs: list[Run] = []
    entries: list[tuple[int, range | None]] = [(each.order, None) for each in new]
    for _, blocks in sorted([*entries, *((order, kept.blocks) for order, kept in raw.kept)], key=lambda each: each[0]):
        runs.append(Run(None, 1) if blocks is None else Run(blocks.start, len(blocks)))
    return inside, tuple(runs)


def kept_weight(raw: Raw) -> int:
    """The weight of the real servers of the block that were kept."""
    weights = (kept.inside.facts[0][index] for _, kept in raw.kept if kept.inside is not None for index in kept.blocks)
    return sum(weights)


def leave(
    read: Reading, running: Sequence[VirtualServer]
) -> tuple[Memory, tuple[Run, ...], tuple[Woven, ...], list[str]]:
    """What the next reading may keep, where virtual and real servers come from, and the schedulers of those kept.

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
    facts: list[tuple[int, Facts]] = []
    woven_before = dict(read.woven)
    woven: list[Woven] = []
    count = taken = told = 0

    def new(until: int) -> None:
        nonlocal count, taken
        if until > taken:
            count += until - taken
            taken = until

    def tell_new() -> None:
        nonlocal told
        if taken > told:
            runs.append(Run(None, taken - told))
            told = taken

    entries: list[tuple[int, Any]] = [(order, (server, text)) for order, server, text in read.servers]
    if read.runs:
        entries = sorted([*entries, *read.runs], key=lambda entry: entry[0])
    for order, entry in entries:
        if isinstance(entry, range):
            kept = slice(entry.start, entry.stop)
            shift = len(texts) - entry.start
            facts += [(place + shift, each) for place, each in before.facts if place in entry]
            tell_new()
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
        if order in woven_before:
            inside, runs_inside = woven_before[order]
            woven.append(Woven(place, before.places[inside.place], runs_inside))
        if text is None or server.service.kind != "address" or server.persistence_engine is not None:
            continue
        if order in read.many:
            facts.append((len(texts), _facts(server, woven_before.get(order))))
        texts.append(text)
        lines.append(text.count("\n") + 2)
        places.append(count - 1)
        services.append(_number(server.service))
        schedulers.append(server.lvs_sched)
    tell_new()
    memory = Memory(read.settings, count, texts, lines, places, services, schedulers, facts)
    return memory, tuple(runs), tuple(woven), used


def _facts(server: VirtualServer, woven: tuple[Inside, tuple[Run, ...]] | None) -> Facts:
    weights = [each.weight for each in server.real_server]
    numbers = [_server_number(each) for each in server.real_server]
    if woven is None:
        return weights, numbers
    inside, runs = woven
    return tuple(weave(runs, before, new) for before, new in zip(inside.facts, (weights, numbers), strict=True))  # type: ignore[return-value]


def _server_number(server: RealServer) -> int:
    """Tells real servers of a family apart."""
    return (int(server.address) << 8 | server.address.version) << 16 | server.port


def _number(service: Service) -> int:
    """Tells services with addresses apart."""
    address = service.address
    assert address is not None  # noqa: S101 - only such are asked about
    return (int(address) << 8 | service.family) << 24 | service.port << 8 | service.protocol
