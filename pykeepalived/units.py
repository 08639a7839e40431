"""Time as integers of nanoseconds: instants on the monotonic clock, and lengths."""

MICROSECOND = 1_000
MILLISECOND = 1_000_000
CENTISECOND = 10_000_000
SECOND = 1_000_000_000


def seconds_text(length: int) -> str:
    """A length for people: ``3.41 s``, ``250 ms``, ``12 us``."""
    if abs(length) >= SECOND:
        return f"{length / SECOND:.3g} s" if abs(length) < 100 * SECOND else f"{length // SECOND} s"
    if abs(length) >= MILLISECOND:
        return f"{length / MILLISECOND:.3g} ms"
    return f"{length // MICROSECOND} us"
