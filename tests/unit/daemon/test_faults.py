"""Exceptions that left a callback."""

from pykeepalived.daemon.faults import Faults, describe
from pykeepalived.effects import Level, Log


class Notes:
    """A journal that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[Log] = []

    def log(self, line: Log) -> None:
        self.lines.append(line)


def fault(text: str) -> ValueError:
    try:
        raise ValueError(text)  # noqa: TRY301 - it shall have a trace
    except ValueError as error:
        return error


def test_the_place_is_told_innermost_first() -> None:
    assert "ValueError: x (at " in describe(fault("x"))
    assert describe(fault("x")).endswith("fault)")


def test_repetitions_are_told_at_powers_of_ten() -> None:
    notes = Notes()
    faults = Faults(notes)
    for _ in range(1000):
        faults(fault("same"))
    faults(fault("other"))
    assert len(notes.lines) == 5
    assert "1000 times now" in notes.lines[3].message
    assert {line.level for line in notes.lines} == {Level.CRIT}


def test_different_faults_without_end_take_bounded_memory() -> None:
    faults = Faults(Notes())
    for number in range(1000):
        faults(fault(str(number)))
    assert len(faults._seen) <= 64
