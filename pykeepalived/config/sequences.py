"""~SEQ, ~SEQx and ~LST: a line repeated over numbers or listed values; and the braces of an include's pattern."""

import re
from collections.abc import Callable, Iterator, Sequence

from pykeepalived.config.lexer import Line
from pykeepalived.records import record

_SEQUENCE = re.compile(r"[ \t]*~SEQ(x?)[ \t]*\(([^)]*)\)(.*)$", re.DOTALL)
_LIST = re.compile(r"[ \t]*~LST[ \t]*\(((?:[^(){}]|\{[^{}]*\})*)\)(.*)$", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)")
_ITEM = re.compile(r"[ \t]*(?:\{([^{}]*)\}[ \t]*|([^,{}]*))(,|$)")
MOST_DIGITS = 18
MOST_ALTERNATIVES = 1000


class Malformed(Exception):  # noqa: N818 - a mistake in the text, not in the program
    """A sequence that cannot be read."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Numbers(Sequence[tuple[str, ...]]):
    """The values of ~SEQ, made when asked for."""

    def __init__(self, start: int, step: int, end: int, *, hexadecimal: bool) -> None:
        self._range = range(start, end + (1 if step > 0 else -1), step)
        self._format = "x" if hexadecimal else "d"

    def __len__(self) -> int:
        return len(self._range)

    def __getitem__(self, index: int | slice) -> tuple[str, ...]:  # type: ignore[override]
        assert isinstance(index, int)  # noqa: S101 - never sliced
        return (format(self._range[index], self._format),)

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        for value in self._range:
            yield (format(value, self._format),)


@record(frozen=True, slots=True)
class Repetition:
    """The names, their values in turn, and the text repeated."""

    names: tuple[str, ...]
    values: Sequence[tuple[str, ...]]
    rest: Line


def read(line: Line, replace: Callable[[str], str]) -> Repetition | None:
    """The repetition at the start of a line; None when there is none; Malformed when it cannot be read."""
    found = _SEQUENCE.match(line.text)
    if found is not None:
        name, values = _numbers(replace(found.group(2)), hexadecimal=bool(found.group(1)))
        return Repetition((name,), values, line.cut(found.start(3), len(line.text)))
    found = _LIST.match(line.text)
    if found is not None:
        names, listed = _listed(found.group(1))
        return Repetition(names, listed, line.cut(found.start(2), len(line.text)))
    if line.text.lstrip().startswith(("~SEQ", "~LST")):
        raise Malformed("malformed sequence, the line is ignored", "write ~SEQ(NAME, 1, 5) or ~LST(NAME, a, b)")
    return None


def _integer(text: str) -> int:
    """An integer with the base of C: 0x, leading 0 or decimal."""
    found = _NUMBER.fullmatch(text)
    if found is None or len(text) > MOST_DIGITS:
        raise Malformed(f"'{text}' is no number of a sequence", "write ~SEQ(NAME, START, STEP, END) with whole numbers")
    digits = found.group(2)
    try:
        value = int(digits, 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" else 10)
    except ValueError:
        raise Malformed(f"'{text}' is no octal number", "leave out the leading 0") from None
    return -value if found.group(1) == "-" else value


def _numbers(text: str, *, hexadecimal: bool) -> tuple[str, Numbers]:
    parts = [part.strip() for part in text.split(",")]
    if not 2 <= len(parts) <= 4 or _NAME.fullmatch(parts[0]) is None:
        raise Malformed("malformed sequence, the line is ignored", "write ~SEQ(NAME, START, STEP, END)")
    values = [_integer(part) for part in parts[1:]]
    end = values[-1]
    start = values[0] if len(values) > 1 else (1 if end >= 0 else -1)
    step = values[1] if len(values) == 3 else (1 if end >= start else -1)
    if step == 0 or (end - start) * step < 0:
        hint = "turn its sign" if step else "leave the step out, or write another"
        raise Malformed(f"a step of {step} never leads from {start} to {end}, the line is ignored", hint)
    if hexadecimal and min(start, end) < 0:
        raise Malformed("~SEQx has no negative numbers, the line is ignored", "use ~SEQ")
    return parts[0], Numbers(start, step, end, hexadecimal=hexadecimal)


def _listed(text: str) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    items: list[tuple[str, ...]] = []
    at = 0
    more = True
    while more:
        found = _ITEM.match(text, at)
        if found is None:
            raise Malformed("malformed list, the line is ignored", "write ~LST({A, B}, {1, 2}, {3, 4})")
        grouped, single, comma = found.groups()
        items.append(tuple(p.strip() for p in grouped.split(",")) if grouped is not None else (single.strip(),))
        at = found.end()
        more = bool(comma)
    names, values = items[0], items[1:]
    if any(_NAME.fullmatch(name) is None for name in names):
        raise Malformed("malformed list, the line is ignored", "write ~LST(NAME, a, b)")
    for value in values:
        if len(value) > len(names):
            raise Malformed(
                f"{len(value)} values for {len(names)} name{'s' * (len(names) > 1)}, the line is ignored",
                "give each set as many values as there are names",
            )
        for each in value:
            if len(each.split()) > 1:
                raise Malformed(
                    f"the value '{each}' of a list holds a blank, the line is ignored",
                    "quotes do not help here; define it: $NAME=two words, and list the names",
                )
    return names, [value + ("",) * (len(names) - len(value)) for value in values]


def braces(pattern: str) -> list[str]:
    """The alternatives of ``a{b,c}d``, in order. A lone ``{`` stays as it is."""
    done: list[str] = []
    waiting = [pattern]
    while waiting:
        text = waiting.pop()
        place = _pair(text)
        if place is None or len(done) + len(waiting) > MOST_ALTERNATIVES:
            done.append(text)
            continue
        start, end = place
        waiting += [text[:start] + part + text[end + 1 :] for part in reversed(_parts(text[start + 1 : end]))]
    return done


def _pair(text: str) -> tuple[int, int] | None:
    start = text.find("{")
    if start < 0:
        return None
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return start, at
    return None


def _parts(text: str) -> list[str]:
    parts = [""]
    depth = 0
    for character in text:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
