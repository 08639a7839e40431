"""Every scenario file is a test: its events must have exactly the effects it says, in that order."""

from pathlib import Path

import pytest

from tests.support.scenario import Scenario, play, read

_FILES = sorted((Path(__file__).parent / "vrrp").glob("*.txt"))


_CASES = [
    pytest.param(scenario, id=path.stem, marks=[pytest.mark.keyword(keyword) for keyword in scenario.keywords])
    for path, scenario in ((path, read(path)) for path in _FILES)
]


@pytest.mark.parametrize("scenario", _CASES)
def test_scenario(scenario: Scenario) -> None:
    assert scenario.title
    assert scenario.steps
    for step, effects in play(scenario):
        assert effects == step.effects, f"step {step.number}: {' '.join(step.event)}"


def test_there_are_many() -> None:
    assert len(_FILES) >= 25
