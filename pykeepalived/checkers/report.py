"""What a check remembers of itself, and when it counts as overdue. The words are made when somebody asks."""

from dataclasses import dataclass

from pykeepalived.units import SECOND

NOT_YET = "not run yet"

_LEAST_GRACE = 5 * SECOND
_MOST_GRACE = 60 * SECOND


@dataclass(frozen=True, slots=True)
class CheckReport:
    """One check as it stands. Instants are monotonic; ``last_run_at`` and ``duration`` are of the last that ended."""

    check: str  # TCP_CHECK
    real_server: str
    virtual_server: str
    up: bool
    result: str  # of the last run, in words
    last_run_at: int | None = None
    duration: int = 0
    running_since: int | None = None
    due_at: int | None = None  # the next run, or the running one's end; None: it is told, not asked


def grace(delay_loop: int) -> int:
    """How late a check may be before that is an alarm: far more than its timing says."""
    return min(max(delay_loop, _LEAST_GRACE), _MOST_GRACE)
