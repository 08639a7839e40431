"""Whatever stands in the file, reading it ends, soon, with a configuration and diagnostics that can be shown."""

import pickle
import resource
import time
from pathlib import Path

import pytest

from pykeepalived.config.diagnostics import render
from pykeepalived.config.load import LoadOptions, load
from tests.config.machine import Machine
from tests.config.mutations import mutations

CASES = Path(__file__).parents[1] / "config" / "cases"
LONGEST = 30.0
"""Seconds for one text, on a machine shared with others; a sequence of a hundred million values is among them."""
MOST_MEMORY = 300 * 1024
"""KiB of the whole test process."""


def _survive(count: int, seed: int) -> None:
    texts = [path.read_text(encoding="utf-8", errors="surrogateescape") for path in sorted(CASES.glob("*.conf"))]
    assert len(texts) >= 8
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seen = set()
    for text in mutations(texts, seed, count):
        machine = Machine({"/k.conf": text.encode("utf-8", "surrogateescape")}, commands=("/usr/bin/true",))
        started = time.monotonic()
        loaded = load("/k.conf", machine, LoadOptions())
        assert time.monotonic() - started < LONGEST, text
        seen.add(loaded.exit_code)
        for diagnostic in loaded.diagnostics:
            shown = render(diagnostic)
            assert all(line.isprintable() for line in shown.split("\n")), text
            shown.encode()
        assert pickle.loads(pickle.dumps(loaded.configuration)) == loaded.configuration
    assert seen >= {2, 5, 6}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_MEMORY


def test_mutated_files_are_read_or_refused() -> None:
    _survive(300, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("seed", [2])
def test_ten_thousand_mutated_files(seed: int) -> None:
    _survive(10_000, seed)


@pytest.mark.parametrize("byte", range(0, 256, 5))
def test_any_byte_anywhere(byte: int) -> None:
    text = (CASES / "director.conf").read_bytes()
    for place in range(0, len(text), 97):
        broken = text[:place] + bytes([byte]) + text[place + 1 :]
        for diagnostic in load("/k.conf", Machine({"/k.conf": broken}), LoadOptions()).diagnostics:
            assert render(diagnostic)
