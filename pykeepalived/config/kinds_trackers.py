"""Kinds of value that only what is tracked has: a weight, times of BFD, the content of a file at the start."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pykeepalived.config.kinds import INT_MAX, NOTHING, Kind, Problem, Refused, Timer, decimal, number
from pykeepalived.records import record
from pykeepalived.units import MICROSECOND

TRACK_WEIGHT = 253
FILE_WEIGHT = 254


@record(frozen=True, slots=True)
class Weight:
    """What a result adds to the priority; ``reverse`` turns its sign."""

    value: int
    reverse: bool = False

    def __str__(self) -> str:
        """As in the file."""
        return f"{self.value} reverse" if self.reverse else str(self.value)


@record(frozen=True, slots=True)
class TrackerWeight(Kind):
    """The weight of a definition, with ``reverse`` behind it where it turns."""

    limit: int
    checked: bool = False
    """A missing number is reported and the keyword ignored; otherwise it is the end of the reading."""
    bounded: bool = False
    """A number beyond the limit becomes the limit, with an error; otherwise the default stands."""

    def read(self, words: Sequence[str]) -> Weight:
        """The number, and whether it turns."""
        if not words:
            problem = Problem.MISSING_PARAMETER if self.checked else Problem.LACKS_WORD
            raise Refused("needs a number", -1, self._hint(), problem)
        value = number(words[0])
        reverse = len(words) > 1 and words[1] == "reverse"
        if abs(value) > self.limit:
            raise self._beyond(words[0], value, reverse=reverse)
        if len(words) > 1 and not reverse:
            message = f"unknown option '{words[1]}' of a weight - ignored"
            raise Refused(message, 1, "write reverse, or nothing", kept=Weight(value))
        return Weight(value, reverse)

    def _beyond(self, word: str, value: int, *, reverse: bool) -> Refused:
        message = f"number '{word}' outside range [-{self.limit}, {self.limit}]"
        if not self.bounded:
            return Refused(message, 0, self._hint(), Problem.INVALID_NUMBER)
        bounded = self.limit if value > 0 else -self.limit
        message += f", {bounded} is used"
        return Refused(message, 0, self._hint(), Problem.INVALID_NUMBER, Weight(bounded, reverse))

    def _hint(self) -> str:
        return f"use a number from -{self.limit} to {self.limit}"

    def expected(self) -> str:
        """The bounds."""
        return f"-{self.limit}..{self.limit}"

    def write(self, value: Any) -> str:
        """The number, and ``reverse``."""
        return str(value)

    def arguments(self) -> str:
        """A number and perhaps a word."""
        return "INT [reverse]"


@record(frozen=True, slots=True)
class Milliseconds(Timer):
    """A length of time in milliseconds with a fraction, kept in nanoseconds."""

    places: int = 3
    unit: ClassVar[str] = "ms"

    def read(self, words: Sequence[str]) -> int:
        """The nanoseconds."""
        if not words:
            raise Refused("needs a time in milliseconds", -1, problem=Problem.LACKS_WORD)
        late: Refused | None = None
        try:
            value = decimal(words[0], self.places)
        except Refused as refused:
            if refused.kept is NOTHING:
                digits = words[0].lower().removesuffix("ms")
                fits = digits != words[0].lower() and digits.replace(".", "", 1).isdigit()
                refused.hint = f"write it without the unit: {digits}" if fits else "write milliseconds as digits: 50"
                raise
            late = refused
            value = refused.kept
        if not decimal(self.minimum, self.places) <= value <= decimal(self.maximum, self.places):
            raise Refused(
                f"number '{words[0]}' outside range [{self.minimum}, {self.maximum}]",
                hint=f"use a time from {self.minimum} to {self.maximum} milliseconds",
                problem=Problem.INVALID_NUMBER,
            )
        if late is not None:
            late.kept = value * MICROSECOND
            raise late
        return value * MICROSECOND

    def expected(self) -> str:
        """The bounds in milliseconds."""
        return f"{self.minimum}..{self.maximum} ms"

    def write(self, value: Any) -> str:
        """The milliseconds, exactly."""
        whole, rest = divmod(value, 1000 * MICROSECOND)
        return f"{whole}.{rest:06d}".rstrip("0").rstrip(".")

    def arguments(self) -> str:
        """A time."""
        return "MILLISECONDS"


@record(frozen=True, slots=True)
class InitialContent:
    """What a file is made with at the start, and whether one that is there is written anew."""

    value: int = 0
    overwrite: bool = False

    def __str__(self) -> str:
        """As in the file."""
        return f"{self.value} overwrite" if self.overwrite else str(self.value)


@record(frozen=True, slots=True)
class FileWeight(Kind):
    """What a file's number is multiplied with; ``reverse`` turns its sign, and with 0 what is a fault."""

    def read(self, words: Sequence[str]) -> Weight:
        """The number, and whether it turns."""
        if not words:
            raise Refused("needs a number", -1, problem=Problem.MISSING_PARAMETER)
        value = number(words[0])
        if not -INT_MAX <= value <= INT_MAX:
            message = f"number '{words[0]}' outside range [-{INT_MAX}, {INT_MAX}]"
            raise Refused(message, 0, "use a smaller number", Problem.INVALID_NUMBER)
        if len(words) > 1 and words[1] not in ("reverse", "noreverse"):
            message = f"unknown option '{words[1]}' - ignoring"
            raise Refused(message, 1, "write reverse, or nothing", kept=Weight(value))
        return Weight(value, len(words) > 1 and words[1] == "reverse")

    def write(self, value: Any) -> str:
        """The number, and ``reverse``."""
        return str(value)

    def expected(self) -> str:
        """The bounds."""
        return f"-{INT_MAX}..{INT_MAX}"

    def arguments(self) -> str:
        """A number and its sign."""
        return "INT [reverse|noreverse]"


@record(frozen=True, slots=True)
class InitFile(Kind):
    """``[INT] [overwrite]``, in either order. The bare keyword makes the file with 0."""

    needs: ClassVar[int] = 0

    def read(self, words: Sequence[str]) -> InitialContent:
        """The number and the word."""
        found = InitialContent()
        refused: Refused | None = None
        for index, word in enumerate(words):
            if word == "overwrite":
                found = replace(found, overwrite=True)
                continue
            try:
                found = replace(found, value=self._number(word, index))
            except Refused as each:
                refused = refused or each
                if each.kept is not NOTHING:
                    found = replace(found, value=each.kept)
        if refused is not None:
            refused.kept = found
            raise refused
        return found

    def _number(self, word: str, index: int) -> int:
        if not word.removeprefix("-")[:1].isdigit() and word != "-":
            raise Refused(f"unknown option '{word}' - ignored", index, "write a number, overwrite, or both")
        try:
            value = number(word)
        except Refused as refused:
            refused.word = index
            raise
        if not -INT_MAX - 1 <= value <= INT_MAX:
            hint = f"use a number from -{FILE_WEIGHT} to {FILE_WEIGHT}"
            raise Refused(f"number '{word}' outside integer range", index, hint, Problem.INVALID_NUMBER)
        if abs(value) > FILE_WEIGHT:
            hint = f"a value beyond -{FILE_WEIGHT} to {FILE_WEIGHT} cannot change a priority further"
            message = f"the value {word} is outside the sensible range [-{FILE_WEIGHT}, {FILE_WEIGHT}]"
            raise Refused(message, index, hint, kept=value)
        return value

    def expected(self) -> str:
        """The sensible numbers."""
        return f"-{FILE_WEIGHT}..{FILE_WEIGHT}"

    def write(self, value: Any) -> str:
        """The number, and ``overwrite``."""
        return str(value)

    def arguments(self) -> str:
        """Both may be left out."""
        return "[INT] [overwrite]"
