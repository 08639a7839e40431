"""Results become a belief."""

import pytest

from pykeepalived.checkers.belief import Belief, Verdict
from pykeepalived.config.blocks.checkers import CheckTiming

AS_BEFORE, RETRY, UP, DOWN = Verdict.AS_BEFORE, Verdict.RETRY, Verdict.UP, Verdict.DOWN


@pytest.mark.parametrize(
    ("timing", "results", "verdicts"),
    [
        # the very first failure is believed at once, whatever retry is
        (CheckTiming(retry=5), "-", [DOWN]),
        (CheckTiming(retry=5, alpha=True), "-", [DOWN]),
        (CheckTiming(), "++", [UP, AS_BEFORE]),
        (CheckTiming(alpha=True), "++", [UP, AS_BEFORE]),
        # a living server has its retries, in a row
        (CheckTiming(retry=2), "+---", [UP, RETRY, RETRY, DOWN]),
        (CheckTiming(retry=2), "+--+--", [UP, RETRY, RETRY, AS_BEFORE, RETRY, RETRY]),
        (CheckTiming(retry=0), "+-", [UP, DOWN]),
        # a dead one has a single try, and one success suffices
        (CheckTiming(retry=2), "---+", [DOWN, AS_BEFORE, AS_BEFORE, UP]),
        (CheckTiming(retry=1), "-+--", [DOWN, UP, RETRY, DOWN]),
    ],
)
def test_verdicts(timing: CheckTiming, results: str, verdicts: list[Verdict]) -> None:
    belief = Belief(timing)
    assert [belief.passed() if result == "+" else belief.failed() for result in results] == verdicts
    assert belief.up is (verdicts[-1] is not DOWN)


def test_alpha_starts_down_and_others_up() -> None:
    assert Belief(CheckTiming()).up
    assert not Belief(CheckTiming(alpha=True)).up
