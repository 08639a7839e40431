"""Stories of virtual servers, played to keepalived 2.2.7 and to us: the same table, log, FIFO lines and notify calls.

What may differ stands in `tests/lab/table_differences.py` with its reason, and must still be met.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.lab.side_by_side import Play, play
from tests.lab.table_differences import Comparison, report, stale
from tests.lab.table_stories import STORIES, TableStory, tell
from tests.support import keepalived
from tests.support.effective import lacking
from tests.support.lab_network import run

pytestmark = [pytest.mark.lab(timeout=1800), pytest.mark.long]

AT_ONCE = 4

_comparison = Comparison()


@pytest.fixture(scope="module")
def plays(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Play]]]:
    """All the stories that were asked for, some at once: they are mostly waiting."""
    run("modprobe", "nf_tables")
    cases = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    asked = [params["story"] for params in cases if "story" in params]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {story.name: pool.submit(played, story) for story in asked if not lacking(story.needs)}
        pool.shutdown(cancel_futures=True)


def played(story: TableStory) -> Play:
    """One story, told by both."""
    with play(story.serving, story.interfaces, story.options, apart=story.apart) as stage:
        try:
            tell(story, stage)
        finally:
            stage.save(story.name)
    return stage


@pytest.mark.parametrize("story", [pytest.param(story, id=story.name) for story in STORIES])
def test_both_hold_and_tell_the_same(story: TableStory, plays: dict[str, "Future[Play]"]) -> None:
    if missing := keepalived.why_not():
        pytest.skip(missing)
    if missing_keywords := lacking(story.needs):
        pytest.skip(f"{', '.join(missing_keywords)}: not effective yet")
    stage = plays[story.name].result()
    assert any("family" in line for line in stage.streams["table after the start"]["keepalived"]), "nothing happened"
    if lines := report(story.name, stage.streams, _comparison):
        pytest.fail("\n".join([*lines, *stage.both_logs()]), pytrace=False)


def test_there_are_many_stories_and_no_two_of_a_name() -> None:
    names = {story.name for story in STORIES}
    assert len(names) == len(STORIES) >= 30


def test_every_difference_is_met() -> None:
    if _comparison.played != {story.name for story in STORIES}:
        pytest.skip("only some of the stories were played")
    assert stale(_comparison) == []
