"""virtual_server_group blocks as values: what each line names, and what cannot stand together."""

from collections.abc import Iterator

from pykeepalived.config.blocks.virtual_server import FAMILIES
from pykeepalived.config.blocks.virtual_server_group import MOST_SERVICES, GroupEntry, VirtualServerGroup
from pykeepalived.config.cross.addresses import family_of
from pykeepalived.config.cross.context import Context
from pykeepalived.config.kinds import AF_INET, AF_INET6, IP, UINT_MAX, Problem, Refused, ip_address, number, port
from pykeepalived.config.lexer import Statement
from pykeepalived.config.raw import NamedLines, Raw


def resolve(root: Raw, context: Context) -> dict[str, VirtualServerGroup | None]:
    """The groups by name; None for one that was removed."""
    found: dict[str, VirtualServerGroup | None] = {}
    given = root.given.get("virtual_server_group")
    for lines in given.value if given is not None else ():
        group = _group(lines, context)
        if found.get(lines.name) is None:
            found[lines.name] = group
    return found


def _group(lines: NamedLines, context: Context) -> VirtualServerGroup | None:
    if len(lines.statement.words) > 2:
        message = f"virtual_server_group {lines.name}: words after the name are ignored"
        context.error(message, lines.span(2), "put addresses between the braces, each on a line")
    read = list(_entries(lines, context))
    if not read:
        message = f"virtual_server_group {lines.name} has no entries - removing"
        context.error(message, lines.span(0), "add a line: ADDRESS PORT, or fwmark N")
        return None
    group = VirtualServerGroup(lines.name, tuple(entry for entry, _ in read))
    families = {entry.family for entry in group.entries}
    if families == {AF_INET, AF_INET6, 0}:
        message = f"virtual_server_group {lines.name} has IPv4, IPv6 and a fwmark without a family - removing"
        context.error(message, lines.span(1), "write the family behind the mark: fwmark N inet, or inet6")
        return None
    _tell_unserved(group, [line for _, line in read], context)
    return group


def _tell_unserved(group: VirtualServerGroup, lines: list[Statement], context: Context) -> None:
    for entry, line, served in zip(group.entries, lines, group.are_served(), strict=True):
        if served:
            continue
        if entry.fwmark == 0:
            hint = f"use a number from 1 to {UINT_MAX}"
            context.warning(f"virtual_server_group {group.name}: fwmark 0 is no mark - not served", line.span(1), hint)
        else:
            what = f"{entry.entry_text()} makes {entry.count} services of the kernel"
            message = f"virtual_server_group {group.name}: {what}, a group has at most {MOST_SERVICES} - not served"
            context.warning(message, line.span(0), "mark the packets by the firewall, and write fwmark N here")


def _entries(lines: NamedLines, context: Context) -> Iterator[tuple[GroupEntry, Statement]]:
    for line in lines.lines:
        try:
            yield (_fwmark(line, context) if line.words[0] == "fwmark" else _addresses(line, context)), line
        except Refused as refused:
            lacks = refused.problem is Problem.LACKS_WORD
            message = f"virtual_server_group {lines.name}: {refused.message} - skipping"
            if lacks:
                message = "*** Configuration line starting `fwmark` is missing a parameter"
            context.error(
                message, line.span(refused.word), refused.hint, refused.problem or Problem.GENERAL_ERROR, fatal=lacks
            )


def _fwmark(line: Statement, context: Context) -> GroupEntry:
    words = line.words
    if len(words) < 2:
        raise Refused("fwmark needs a number", 0, "write fwmark N", Problem.LACKS_WORD)
    try:
        mark = number(words[1])
    except Refused as refused:
        refused.word = 1
        raise
    if not 0 <= mark <= UINT_MAX:
        hint = f"use a number from 0 to {UINT_MAX}"
        raise Refused(f"fwmark '{words[1]}' outside range [0, {UINT_MAX}]", 1, hint, Problem.INVALID_NUMBER)
    family = 0
    if len(words) > 2:
        if words[2] not in FAMILIES:
            raise Refused(f"fwmark {mark}: unknown family '{words[2]}'", 2, "write inet, or inet6")
        family = FAMILIES[words[2]]
    _surplus(line, 3, context)
    return GroupEntry(fwmark=mark, family=family)


def _addresses(line: Statement, context: Context) -> GroupEntry:
    words = line.words
    text = words[0]
    first: IP
    last: IP
    if "-" in text or "/" in text:
        from pykeepalived.config.grammar import ranges  # noqa: PLC0415 - a plain address can do without pyparsing

        first, last = ranges.read(text)
    else:
        first = last = ip_address(text)
    number_of = 0
    if len(words) > 1:
        try:
            number_of = port(words[1], none=True)
        except Refused as refused:
            refused.word = 1
            raise
    _surplus(line, 2, context)
    return GroupEntry(first, last, number_of, family=family_of(first))


def _surplus(line: Statement, most: int, context: Context) -> None:
    if len(line.words) > most:
        context.warning(f"'{line.words[most]}' is ignored", line.span(most), "remove it")
