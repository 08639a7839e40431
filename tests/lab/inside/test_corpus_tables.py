"""Files of the corpus, played to keepalived 2.2.7 and to us: the kernel's table, the log's events, the FIFO's lines.

Each is started with checks that are never due, reloaded with a second file and stopped; then started with checks that
are judged within seconds, reloaded with the same file changed, and stopped. After each the kernel must hold the same.
What may differ stands in `tests/lab/table_differences.py` with its reason, and must still be met.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.lab import corpus
from tests.lab.corpus import Entry
from tests.lab.side_by_side import Play, play
from tests.lab.table_differences import Comparison, report, stale
from tests.support import keepalived

pytestmark = [
    pytest.mark.lab(timeout=2400),
    pytest.mark.skipif(not corpus.FOLDER, reason="PYKEEPALIVED_CORPUS is not set: no corpus of configuration files"),
]

QUICK = frozenset({"0307"})
AT_ONCE = 3  # a guest has little memory
WHOLE = ("-D",)
"""With the VRRP process, which runs the sync daemon of an instance."""
CHECKERS = ("-D", "-C")
UNJUDGED = ("after the start", "after the reload", "after the stop")
MOST_PLAYS = 6

_comparison = Comparison()


def _cases() -> list[object]:
    return [
        pytest.param(entry, id=entry.name, marks=() if entry.name in QUICK else (pytest.mark.long,))
        for entry in corpus.entries()
    ]


@pytest.fixture(scope="module")
def plays(request: pytest.FixtureRequest) -> Iterator[dict[Entry, Future[Play]]]:
    """All the plays that were asked for, some at once: they are mostly waiting."""
    cases = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    asked = [params["entry"] for params in cases if "entry" in params]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {entry: pool.submit(played, entry) for entry in asked}
        pool.shutdown(cancel_futures=True)


def played(entry: Entry) -> Play:
    """Both lives of a file; again when of hundreds of keepalived's checks one was due too early, by its chance."""
    for _ in range(MOST_PLAYS):
        stage = _play(entry)
        if not stage.verdicts(*UNJUDGED):
            break
    return stage


def _play(entry: Entry) -> Play:
    names = tuple(sorted({*corpus.interfaces(entry.name), *corpus.interfaces(entry.second)}))
    text, second = corpus.text(entry.name), corpus.text(entry.second)
    options = WHOLE if "lvs_sync_daemon" in text + second else CHECKERS
    with play(corpus.serving(text, names), names, options) as stage:
        start, reload, stop = UNJUDGED
        stage.start(start, corpus.unjudged(text))
        stage.reload(reload, corpus.unjudged(second))
        stage.stop(stop)
        stage.start("once judged", corpus.judged(text), judged=True)
        stage.reload("after the change", corpus.derived(corpus.at_rest(text), names))
        stage.stop("at the end")
        stage.save(entry.name)
    return stage


@pytest.mark.parametrize("entry", _cases())
def test_the_kernel_holds_the_same(entry: Entry, plays: dict[Entry, "Future[Play]"]) -> None:
    if missing := keepalived.why_not():
        pytest.skip(missing)
    stage = plays[entry].result()
    assert any(stage.streams["table after the start"]["keepalived"]), "nothing was there to be compared"
    if lines := report(entry.name, stage.streams, _comparison):
        pytest.fail("\n".join([*lines, *stage.both_logs()]), pytrace=False)


def test_there_are_sixty_files_and_no_two_alike() -> None:
    names = {entry.name for entry in corpus.entries()}
    assert len(names) == len(corpus.entries()) >= 60
    assert names >= QUICK


@pytest.mark.long
def test_every_difference_is_met() -> None:
    if _comparison.played != {entry.name for entry in corpus.entries()}:
        pytest.skip("only some of the files were played")
    assert stale(_comparison) == []
