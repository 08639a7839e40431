"""--list-keywords and --explain: what an operator sees."""

import json

import pytest

from pykeepalived.cli.main import main
from pykeepalived.config.listing import rows


def out(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    """What the command prints."""
    assert main(arguments) == status
    return capsys.readouterr().out


def test_every_keyword_is_a_path_a_tab_and_a_status(capsys: pytest.CaptureFixture[str]) -> None:
    lines = out(capsys, "--list-keywords").splitlines()
    assert "vrrp_instance/advert_int\tworks" in lines
    assert "bfd_instance/neighbor_ip\tnot-yet" in lines
    assert len(lines) == len(rows())
    assert {line.partition("\t")[2] for line in lines} == {"works", "not-yet"}


def test_the_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = {row["path"]: row for row in json.loads(out(capsys, "--list-keywords", "--format", "json"))}
    assert len(found) == len(rows())
    assert found["vrrp_instance/garp_master_delay"] == {
        "path": "vrrp_instance/garp_master_delay",
        "sort": "keyword",
        "status": "works",
        "arguments": "SECONDS",
        "doc": found["vrrp_instance/garp_master_delay"]["doc"],
        "default": "5",
        "values": "0..4294 s",
        "unit": "seconds",
        "inherits": "global_defs/vrrp_garp_master_delay",
        "repeated": "",
        "process": found["vrrp_instance/garp_master_delay"]["process"],
        "since": "",
        "deprecated": False,
        "target": None,
    }


def test_a_path_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    lines = out(capsys, "--explain", "vrrp_instance/garp_master_delay").splitlines()
    assert lines[:2] == ["vrrp_instance/garp_master_delay", "    garp_master_delay SECONDS"]
    assert "    default    5 s" in lines
    assert "    values     0..4294 s" in lines
    assert "    inherits   the value of global_defs/vrrp_garp_master_delay, where this is not given" in lines
    assert "    status     works" in lines


def test_a_bare_name_is_explained_wherever_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    lines = out(capsys, "--explain", "notify_priority_changes").splitlines()
    assert "vrrp_instance/notify_priority_changes" in lines
    assert "vrrp_sync_group/notify_priority_changes" in lines


def test_places_of_the_same_meaning_are_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    text = out(capsys, "--explain", "connect_port")
    assert "virtual_server/real_server/TCP_CHECK/connect_port\n" in text
    assert "virtual_server/real_server/HTTP_GET/connect_port\n" in text
    assert text.count("connect_port PORT") < len([row for row in rows() if row.name == "connect_port"])


def test_a_block_shows_what_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    lines = out(capsys, "--explain", "HTTP_GET/url").splitlines()
    assert any(line.split()[:2] == ["path", "STRING"] for line in lines)
    lines = out(capsys, "--explain", "vrrp_instance/virtual_ipaddress").splitlines()
    assert any(line.split()[:2] == ["dev", "IFNAME"] for line in lines)
    assert max(map(len, lines)) <= 100


def test_other_spellings_say_what_they_spell(capsys: pytest.CaptureFixture[str]) -> None:
    text = out(capsys, "--explain", "lvs_flush_onstop")
    assert "    deprecated write lvs_flush_on_stop\n" in text
    assert "    takes back vrrp_instance/nopreempt\n" in out(capsys, "--explain", "preempt")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("advertint", "no keyword 'advertint': did you mean advert_int?"),
        ("vrrp_instance/advertint", "no keyword 'vrrp_instance/advertint': did you mean vrrp_instance/advert_int?"),
        ("vrrp_instance/xx", "no keyword 'vrrp_instance/xx': --explain vrrp_instance shows what it holds"),
        ("xx", "no keyword 'xx': --list-keywords shows all of them"),
    ],
)
def test_what_is_not_known_is_said_with_a_remedy(asked: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--explain", asked]) == 1
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"pykeepalived: {said}\n")


def test_every_path_can_be_explained(capsys: pytest.CaptureFixture[str]) -> None:
    for row in rows():
        text = out(capsys, "--explain", row.path)
        assert text.startswith(f"{row.path}\n")
        assert "status" in text


def test_a_rule_of_the_advice_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert out(capsys, "--explain", "weight-cut") == (
        "weight-cut\n    advice of -t: An effective priority stays within 1 to 254: what weights add beyond is lost.\n"
    )
