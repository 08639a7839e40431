"""Runs the tests marked `lab` inside a User-Mode-Linux guest, one guest for the tests of a file.

A test file that sets `pytestmark = pytest.mark.lab` (or `pytest.mark.lab(init="systemd", timeout=300)`) is collected
here as usual and run by a second pytest in the guest; each test then has the verdict it had there. Its functions and
fixtures are plain pytest and may do as they like: they are root on a machine of their own. What it prints is
shown here as any test's (`-rP` for those that pass).
LAB_DAEMON names another program with keepalived's options to test instead, for comparison.
"""

import os
from pathlib import Path
from typing import cast
from xml.etree import ElementTree as ET

import pytest

from tests.support import lab

IN_GUEST = "LAB_GUEST"
PASSED_ON = ("LAB_DAEMON", "LAB_KEEP", "KEEPALIVED_BIN", "PYKEEPALIVED_CORPUS")


class Verdict:
    """How one test went in the guest."""

    def __init__(self, case: ET.Element) -> None:
        told = next((child for child in case if child.tag in {"failure", "error", "skipped"}), None)
        self.kind = "passed" if told is None else told.tag
        self.message = "" if told is None else told.get("message", "")
        self.text = "" if told is None else told.text or ""
        self.printed = case.findtext("system-out", "").partition("\n")[2].strip("\n")  # under a heading


class GuestRun:
    """The tests of one file, run together in one guest when the first verdict is asked for."""

    def __init__(self, file: Path, marker: pytest.Mark) -> None:
        self.tests: list[str] = []
        self._file = file
        self._init = cast("lab.InitSystem", marker.kwargs.get("init", "plain"))
        self._timeout = float(marker.kwargs.get("timeout", 240))
        self._verdicts: dict[str, Verdict] | None = None
        self._output = ""

    def verdict(self, name: str) -> Verdict:
        """How a test went; a test that has none is an error of the guest."""
        reason = lab.missing(self._init)
        if reason is not None:
            pytest.skip(reason)
        if self._verdicts is None:
            self._verdicts = {}
            self._verdicts = self._run()
        if name not in self._verdicts:
            pytest.fail(f"no verdict from the guest\n{self._output[-8000:]}", pytrace=False)
        return self._verdicts[name]

    def _run(self) -> dict[str, Verdict]:
        command = ["cd", str(lab.CHECKOUT), "&&", '"$PYTHON"', "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += ["-o", "junit_logging=system-out", "--junitxml=/lab/verdicts.xml"]
        command += [f"'{self._file}::{name}'" for name in self.tests]
        environment = {IN_GUEST: "1", **{name: os.environ[name] for name in PASSED_ON if name in os.environ}}
        try:
            result = lab.run(
                " ".join(command), init=self._init, timeout=self._timeout, environment=environment, keep="verdicts.xml"
            )
        except lab.LabError as error:
            self._output = str(error)
            return {}
        self._output = result.output
        if result.kept is None:
            return {}
        cases = ET.fromstring(result.kept).iter("testcase")
        return {case.get("name", ""): Verdict(case) for case in cases}


class GuestTest(pytest.Item):
    """A test that runs in the guest; here it only waits for its verdict."""

    guest_run: GuestRun

    def runtest(self) -> None:
        """Take over the verdict."""
        verdict = self.guest_run.verdict(self.name)
        if verdict.printed:
            self.add_report_section("call", "stdout", f"{verdict.printed}\n")
        if verdict.kind == "skipped":
            pytest.skip(verdict.message)
        if verdict.kind != "passed":
            pytest.fail(f"in the guest: {verdict.message}\n{verdict.text}", pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it stands, for the report."""
        return self.path, 0, self.name


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put a GuestTest in the place of each test that asks for the lab."""
    if IN_GUEST in os.environ:
        return
    runs: dict[Path, GuestRun] = {}
    for index, item in enumerate(items):
        marker = item.get_closest_marker("lab")
        if marker is None or item.parent is None or Path(__file__).parent not in item.path.parents:
            continue
        run = runs.setdefault(item.path, GuestRun(item.path, marker))
        run.tests.append(item.name)
        test = GuestTest.from_parent(item.parent, name=item.name)
        test.own_markers = item.own_markers
        test.guest_run = run
        items[index] = test
