"""Stories played to keepalived 2.2.7 and to us: the same frames, FIFO lines, notify calls, log lines and addresses.

What may differ stands in `differences.py` with its reason, and must still be met.
"""

from concurrent.futures import ThreadPoolExecutor
from difflib import unified_diff
from threading import Lock

import pytest

from tests.interop.differences import BY_CHANCE, DIFFERENCES, STREAMS, Difference, resolved, stream_left_out
from tests.interop.stage import MAKES
from tests.interop.stories import STORIES
from tests.interop.story import Story
from tests.interop.told import tell
from tests.support.effective import lacking

pytestmark = [pytest.mark.root, pytest.mark.interop]

QUICK = frozenset(
    {
        "whole life of v3-ipv4-multicast-0.4s",
        "a lower master of IPv6 is preempted",
        "a script with negative weight subtracts while it fails",
        "a lost address resigns for all",
        "every notify script",
    }
)
AT_LEAST = 100

_met: set[Difference] = set()
_left_out: set[tuple[str, str]] = set()
_played: set[str] = set()
_lock = Lock()


def _cases() -> list[object]:
    return [
        pytest.param(story, id=story.name, marks=() if story.title in QUICK else (pytest.mark.long,))
        for story in STORIES
    ]


@pytest.mark.concurrent
@pytest.mark.parametrize("story", _cases())
def test_both_tell_the_same(story: Story) -> None:
    """Every stream, line by line; a stream that only one of them has differs as well."""
    if missing := lacking(story.needs):
        pytest.skip(f"{', '.join(missing)}: not effective yet")
    with ThreadPoolExecutor(2) as pool:
        theirs, ours = (pool.submit(tell, story, MAKES[make]()) for make in ("keepalived", "ours"))
        told = theirs.result(), ours.result()
    met: set[Difference] = set()
    their_streams, our_streams = resolved(story, told[0], met, ours=False), resolved(story, told[1], met, ours=True)
    with _lock:
        _met.update(met)
        _played.add(story.name)
    assert their_streams["FIFO"], "nothing happened"
    report = []
    for name in sorted(their_streams.keys() | our_streams.keys()):
        lines = their_streams.get(name, []), our_streams.get(name, [])
        if left_out := stream_left_out(story, name):
            if lines[0] != lines[1]:
                with _lock:
                    _left_out.add(left_out)
            continue
        if difference := list(unified_diff(*lines, "keepalived", "ours", lineterm="", n=2)):
            report += [f"== {name}", *difference]
    assert not report, "\n".join([story.title, *report])


def test_there_are_many_stories_and_no_two_of_a_name() -> None:
    names = {story.name for story in STORIES}
    assert len(names) == len(STORIES) >= AT_LEAST
    assert {story.title for story in STORIES} >= QUICK


@pytest.mark.long
def test_every_difference_is_met() -> None:
    """A difference that no story shows is gone, or was never there: take it off the list."""
    if _played != {story.name for story in STORIES if not lacking(story.needs)}:
        pytest.skip("only some of the stories were played")
    stale = [each for each in DIFFERENCES if each not in _met and not each.chance]
    assert stale == []
    assert STREAMS.keys() - _left_out - BY_CHANCE == set()
