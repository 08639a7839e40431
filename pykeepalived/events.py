"""Facts that more than one core is told. A core's own facts stand in its own ``events`` module."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; a deadline may be due. Early or late, a Tick is harmless."""


@dataclass(frozen=True, slots=True)
class ScriptExited:
    """A script that a core ordered has ended: by itself (``status``), by a signal, or because its time was over.

    One that could not be run at all has an ``obstacle``, and a shell's status for that. Where that says nothing of the
    script (the machine has no room, other scripts hang) there is neither a status nor a signal.
    """

    status: int | None
    signal: int | None = None
    timed_out: bool = False
    obstacle: str = ""
