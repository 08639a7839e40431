"""keepalived's data dumps as values: sections, and in them lines with what is indented below each.

A section begins at ``------< NAME >------``, at whatever indent. Nothing is known here of what the lines mean.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_HEADING = re.compile(r"( *)-+< (.*) >-+")


@dataclass(slots=True)
class Node:
    """One line, and the lines that stand deeper right after it."""

    text: str
    indent: int
    children: list["Node"] = field(default_factory=list)

    def texts(self) -> tuple[str, ...]:
        """The lines below it, those below them too, in their order."""
        return tuple(text for child in self.children for text in (child.text, *child.texts()))


@dataclass(slots=True)
class Section:
    """One section: its name and its outermost lines."""

    name: str
    nodes: list[Node] = field(default_factory=list)

    def lines(self) -> Iterator[Node]:
        """Every line, whatever its depth, in their order."""
        stack = list(reversed(self.nodes))
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))


def parse(text: str) -> list[Section]:
    """The sections of a dump, in their order."""
    sections: list[Section] = []
    above: list[Node] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        if heading := _HEADING.fullmatch(line):
            sections.append(Section(heading[2]))
            above = []
            continue
        if not sections:
            raise ValueError(f"a line before every section: {line!r}")
        node = Node(line.strip(), len(line) - len(line.lstrip(" ")))
        while above and above[-1].indent >= node.indent:
            above.pop()
        (above[-1].children if above else sections[-1].nodes).append(node)
        above.append(node)
    return sections


def nodes_of(sections: Iterable[Section], name: str) -> list[Node]:
    """The outermost lines of all sections of that name."""
    return [node for section in sections if section.name == name for node in section.nodes]
