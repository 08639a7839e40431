"""Whole files beside what must come of them: NAME.conf and NAME.json. A new case is no code.

The JSON holds the exit status, whether a start is refused, every diagnostic as shown, what is not effective yet, and
values by their path. What a case includes stands in the folder NAME.d. ``python -m tests.config.test_cases NAME``
prints what comes of a file now, to be read and kept.
"""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pykeepalived.config.diagnostics import render
from pykeepalived.config.load import LoadOptions, load
from tests.config.machine import Machine

CASES = Path(__file__).parent / "cases"
COMMANDS = ("/usr/bin/true", "/usr/bin/notify", "/opt/check.sh")


def outcome(name: str) -> dict[str, Any]:
    """What comes of a case, in the form of its JSON."""
    path = f"/k/{name}.conf"
    files = {path: (CASES / f"{name}.conf").read_bytes()}
    for each in (CASES / f"{name}.d").glob("**/*.*"):
        files[f"/k/{each.relative_to(CASES)}"] = each.read_bytes()
    machine = Machine(files, commands=COMMANDS, variables={"SITE": "lab", "RANK": "120"})
    loaded = load(path, machine, LoadOptions())
    return {
        "exit": loaded.exit_code,
        "fatal": loaded.fatal,
        "diagnostics": [render(each).split("\n") for each in loaded.diagnostics],
        "not_effective": list(loaded.not_effective),
        "values": plain(loaded.configuration),
    }


def plain(value: Any) -> Any:
    """Values as JSON has them; what is at its default stays out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            each.name: plain(getattr(value, each.name))
            for each in dataclasses.fields(value)
            if getattr(value, each.name) != each.default
        }
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return str(value)


@pytest.mark.parametrize("name", sorted(path.stem for path in CASES.glob("*.conf")))
def test_case(name: str) -> None:
    wanted = json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))
    assert outcome(name) == wanted


def test_there_are_cases() -> None:
    assert len(list(CASES.glob("*.conf"))) >= 9


if __name__ == "__main__":
    print(json.dumps(outcome(sys.argv[1]), indent=2, ensure_ascii=False))
