"""modprobe: found by its own folders, told one name, not waited for without end."""

import time
from pathlib import Path

import pytest

from pykeepalived.kernel.modules import load_module
from pykeepalived.units import MILLISECOND, SECOND
from tests.support.descriptors import descriptors_left


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def program(folder: Path, text: str) -> None:
    path = folder / "modprobe"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_the_name_is_one_word_of_its_own(folder: Path) -> None:
    program(folder, f'echo "$# $*" > {folder}/told')
    assert load_module("ip_vs", folders=(str(folder),))
    assert (folder / "told").read_text() == "3 -q -- ip_vs\n"


@pytest.mark.parametrize("name", ["", "-r", "ip_vs x=1", "../x", "a;b"])
def test_what_is_no_name_is_not_tried(folder: Path, name: str) -> None:
    program(folder, f"touch {folder}/told" if name != "-r" else "exit 1")
    assert not load_module(name, folders=(str(folder),))
    assert not (folder / "told").exists()


def test_a_refusal_is_false(folder: Path) -> None:
    program(folder, "exit 1")
    assert not load_module("ip_vs", folders=(str(folder),))


def test_a_host_without_modprobe(folder: Path) -> None:
    assert not load_module("ip_vs", folders=(str(folder),))


def test_one_that_hangs_is_given_up(folder: Path) -> None:
    program(folder, "exec sleep 20")
    started = time.monotonic_ns()
    assert not load_module("ip_vs", folders=(str(folder), "/bin"), patience=100 * MILLISECOND)
    assert time.monotonic_ns() - started < 5 * SECOND


def test_without_a_descriptor_to_wait_with_it_is_given_up(folder: Path) -> None:
    """A process that is to start, or a reload, does not fail with it."""
    program(folder, "exec sleep 20")
    with descriptors_left(0):
        assert not load_module("ip_vs", folders=(str(folder), "/bin"))
