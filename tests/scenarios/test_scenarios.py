"""Every scenario file is a test: its events must have exactly the effects it says, in that order."""

from pathlib import Path

import pytest

from tests.support.scenario import play, read

_FILES = sorted((Path(__file__).parent / "vrrp").glob("*.txt"))


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
def test_scenario(path: Path) -> None:
    scenario = read(path)
    assert scenario.title
    assert scenario.steps
    for step, effects in play(scenario):
        assert effects == step.effects, f"{path.name}, step {step.number}: {' '.join(step.event)}"


def test_there_are_many() -> None:
    assert len(_FILES) >= 25
