"""What a process leaves to the one in its place, however it died."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pykeepalived.daemon.keepsake import Keepsake


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    with (tmp_path / "kept").open("w+b") as file:
        yield file.fileno()


def test_facts_outlive_each_process_and_end_with_the_file(descriptor: int) -> None:
    Keepsake(descriptor).keep("began", True)
    second = Keepsake(descriptor)
    second.keep("marks", [1000, [["a\nb", 1]]])
    second.keep("marks", [7])
    third = Keepsake(descriptor)
    assert (third.get("began"), third.get("marks"), third.get("none")) == (True, [7], None)
    os.ftruncate(descriptor, 0)
    assert Keepsake(descriptor).get("began") is None


@pytest.mark.parametrize("after", ["", "y" * 20, "z" * 90])
def test_of_one_that_died_while_it_wrote_the_short_facts_are_known(descriptor: int, after: str) -> None:
    """The table is not emptied at the start of the next one because of a long list that was being written."""
    keepsake = Keepsake(descriptor)
    keepsake.keep("services", "x" * 50)
    keepsake.keep("began", True)
    before = os.pread(descriptor, 4096, 0)
    keepsake.keep("services", after)
    whole = os.pread(descriptor, 4096, 0)
    for length in range(len(whole) + 1):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, before, 0)
        os.pwrite(descriptor, whole[:length], 0)  # and it was not cut any more
        found = Keepsake(descriptor)
        assert found.get("began") is True, length
        assert found.get("services") in {None, "x" * 50, after}, length
