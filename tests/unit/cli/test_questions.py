"""--resolved, --diff and -t as JSON: what is printed, and the status."""

import json
from pathlib import Path

import pytest

from pykeepalived.cli.main import main

SOUND = "global_defs {\n    router_id here\n    vrrp_garp_master_delay 7.0\n}\n"
MARKED = "global_defs {\n@one    router_id one\n@two    router_id two\n}\n"
SERVER = """virtual_server 10.9.0.100 80 {
    protocol TCP
    lvs_sched rr
    lvs_method NAT
    real_server 10.9.0.1 80 {
        weight %d
    }
}
"""


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    return tmp_path / "keepalived.conf"


def test_resolved_is_a_file_that_resolves_to_itself(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("$W=3\n" + SERVER.replace("%d", "$W"))
    assert main(["--resolved", "-f", str(file)]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0] == f"# {file} as this node gets it"
    assert "        weight 3" in lines
    file.write_text(captured.out)
    assert main(["--resolved", "-f", str(file)]) == 0
    assert capsys.readouterr() == captured


def test_resolved_tells_mistakes_and_exits_as_the_test_mode(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("no_such\n" + SOUND.replace("7.0", "7"))
    assert main(["--resolved", "-f", str(file)]) == 5
    captured = capsys.readouterr()
    assert "Unknown keyword 'no_such'" in captured.err
    assert "    vrrp_garp_master_delay 7\n" in captured.out


def test_resolved_as_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(SERVER % 4)
    assert main(["--resolved", "--format=json", "-f", str(file)]) == 0
    found = json.loads(capsys.readouterr().out)
    (server,) = found["virtual_server"]
    assert server["service"]["address"] == "10.9.0.100"
    assert server["real_server"][0]["weight"] == 4
    assert found["global_defs"]["child_wait_time"] == 5


@pytest.mark.parametrize(("node", "router_id"), [("one", "one"), ("two", "two")])
def test_resolved_is_of_the_node_that_is_named(
    node: str, router_id: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(MARKED)
    assert main(["--resolved", "-i", node, "-f", str(file)]) == 0
    assert f"    router_id {router_id}\n" in capsys.readouterr().out


def test_all_config_holds_for_resolved_too(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("include /nonexistent/file.conf\n")
    assert main(["--resolved", "-f", str(file)]) == 0
    assert main(["--resolved", "-e", "-f", str(file)]) == 6
    assert "/nonexistent/file.conf" in capsys.readouterr().err


def test_diff_says_object_by_object_what_a_reload_does(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new.conf"
    file.write_text(SERVER % 4)
    new.write_text(SERVER % 6 + (SERVER % 1).replace("10.9.0.100", "10.9.0.101"))
    assert main(["--diff", str(file), str(new)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "virtual_server [10.9.0.100]:tcp:80: real_server 10.9.0.1 80: weight 4 -> 6",
        "virtual_server [10.9.0.101]:tcp:80: added",
    ]
    assert main(["--diff", str(file), str(new), "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "old": str(file),
        "new": str(new),
        "same": False,
        "changes": [
            {
                "object": "virtual_server [10.9.0.100]:tcp:80",
                "change": "changed",
                "keywords": "real_server 10.9.0.1 80: weight 4 -> 6",
            },
            {"object": "virtual_server [10.9.0.101]:tcp:80", "change": "added", "keywords": None},
        ],
    }


def test_two_files_that_mean_the_same_have_no_difference(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new.conf"
    file.write_text(SERVER % 4)
    new.write_text("$W=4\n! the same in other words\n" + SERVER.replace("%d", "$W").replace("lvs_sched", "lb_algo"))
    assert main(["--diff", str(file), str(new)]) == 0
    assert capsys.readouterr().out == "no difference: a reload would change nothing\n"


def test_a_file_that_cannot_be_used_has_no_difference(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(SERVER % 4)
    assert main(["--diff", str(file), str(tmp_path / "none")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        f"error: Config files missing '{tmp_path}/none'.",
        f"error: {tmp_path}/none cannot be used: a start or a reload with it is refused",
    ]


def test_mistakes_of_both_files_are_told(tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = tmp_path / "new.conf"
    file.write_text(SERVER % 4 + "old_mistake\n")
    new.write_text(SERVER % 4 + "new_mistake\n")
    assert main(["--diff", str(file), str(new)]) == 0
    error = capsys.readouterr().err
    assert f"{file}:9:1: error: Unknown keyword 'old_mistake'" in error
    assert f"{new}:9:1: error: Unknown keyword 'new_mistake'" in error


def test_the_verdict_as_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("no_such 1\n")
    assert main(["-t", "--format", "json", "-f", str(file)]) == 5
    captured = capsys.readouterr()
    assert captured.err == ""
    found = json.loads(captured.out)
    assert (found["file"], found["status"], found["not_effective"]) == (str(file), 5, [])
    (finding,) = found["diagnostics"]
    assert finding["message"] == "Unknown keyword 'no_such'"
    assert (finding["severity"], finding["line"], finding["column"]) == ("error", 1, 1)
    assert finding["class"] == "unknown_keyword"


def test_the_verdict_as_json_goes_to_the_file_that_is_named(tmp_path: Path, file: Path) -> None:
    file.write_text(SOUND.replace("7.0", "7"))
    assert main([f"-t={tmp_path}/report", "--format", "json", "-f", str(file)]) == 0
    assert json.loads((tmp_path / "report").read_text())["status"] == 0


def test_a_reading_that_breaks_off_is_json_too(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks_off(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("pykeepalived.cli.config_file.load_configuration", breaks_off)
    assert main(["-t", "--format", "json", "-f", str(file)]) == 204
    found = json.loads(capsys.readouterr().out)
    assert (found["file"], found["status"]) == (str(file), 204)
    assert found["diagnostics"][0]["message"] == "the configuration needs more memory than there is"
    assert main(["--resolved", "-f", str(file)]) == 204
    assert main(["--diff", str(file), str(file)]) == 2
