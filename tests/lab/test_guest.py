"""The lab itself: a guest gives its output and exit code, writes nothing to this machine, and ends in time."""

from pathlib import Path

import pytest

from tests.support import lab


@pytest.fixture(autouse=True)
def _needs_guest() -> None:
    reason = lab.missing()
    if reason is not None:
        pytest.skip(reason)


def test_a_job_gives_its_output_and_its_exit_code() -> None:
    result = lab.run('echo "as $(id -u) on $(uname -r)"; exit 7')

    assert result.exit_code == 7
    assert result.output.startswith("as 0 on ")


def test_nothing_is_written_to_this_machine(tmp_path: Path) -> None:
    here = tmp_path / "file"
    here.write_text("before\n", encoding="utf-8")

    result = lab.run(f"cat {here}; echo after > {here}; cat {here}; touch /usr/lab-was-here && echo touched")

    assert result.output.split() == ["before", "after", "touched"]
    assert here.read_text(encoding="utf-8") == "before\n"
    assert not Path("/usr/lab-was-here").exists()


def test_a_guest_that_does_not_end_is_ended() -> None:
    with pytest.raises(lab.LabError, match="was ended after its time") as caught:
        lab.run("echo waiting; sleep 100", timeout=8)

    assert "waiting" in str(caught.value)
