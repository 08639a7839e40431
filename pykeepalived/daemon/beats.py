"""Deadlines of checks are met at the next of these beats: checks that are due about together share a wake-up, which
costs as much as a check.
"""

from pykeepalived.units import MILLISECOND

BEAT = 8 * MILLISECOND


def on_beat(instant: int) -> int:
    """The first beat that is not before it."""
    return -(-instant // BEAT) * BEAT
