"""What became of an exception that left a callback: one line with its place, and silence for its repetitions."""

from pykeepalived.daemon.child import Journal
from pykeepalived.effects import Kind, Level, Log

_PLACES = 6  # the innermost calls that are worth telling
_KNOWN = 64  # different faults remembered


class Faults:
    """A reactor's ``on_error``: the first time a fault is told whole, then at 10, 100, 1000 … occurrences."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._seen: dict[str, int] = {}

    def __call__(self, error: BaseException) -> None:
        """Tell of ``error``."""
        text = describe(error)
        if text not in self._seen and len(self._seen) >= _KNOWN:
            self._seen.clear()
        count = self._seen[text] = self._seen.get(text, 0) + 1
        if count == 1:
            self._journal.log(Log(f"Program error: {text}", Level.CRIT, Kind.PROCESS))
        elif str(count).strip("0") == "1":
            self._journal.log(Log(f"Program error, {count} times now: {text}", Level.CRIT, Kind.PROCESS))


def describe(error: BaseException) -> str:
    """An exception on one line: what, and the innermost places, latest first."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rpartition('pykeepalived/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    where = " < ".join(reversed(places[-_PLACES:]))
    return f"{type(error).__name__}: {error} (at {where})" if where else f"{type(error).__name__}: {error}"
