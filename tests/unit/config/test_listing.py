"""The list of the language: column 1 of keywords.tsv, both ways."""

import csv
from pathlib import Path

import pytest

from pykeepalived.config import listing
from pykeepalived.config.listing import Sort, find, nearest, rows

CONFIG = Path(listing.__file__).parent
TABLE = Path(__file__).parents[2] / "config" / "keywords.tsv"


def _wanted() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_every_path_is_listed() -> None:
    wanted = [row["path"] for row in _wanted()]
    assert len(wanted) == len(set(wanted)) == 782
    assert sorted(set(wanted) - {row.path for row in rows()}) == []


def test_nothing_else_is_listed_and_nothing_twice() -> None:
    paths = [row.path for row in rows()]
    assert sorted(set(paths) - {row["path"] for row in _wanted()}) == []
    assert len(paths) == len(set(paths))
    assert len(paths) == 782


def test_other_spellings_name_what_they_spell() -> None:
    by_path = {row.path: row for row in rows()}
    alias = by_path["global_defs/lvs_process_name"]
    assert (alias.target, alias.deprecated) == ("global_defs/checker_process_name", True)
    other = by_path["virtual_server/lb_algo"]
    assert (other.target, other.deprecated) == ("virtual_server/lvs_sched", False)
    old = by_path["global_defs/lvs_flush_onstop"]
    assert (old.target, old.deprecated, old.arguments) == ("global_defs/lvs_flush_on_stop", True, "[VS]")
    back = by_path["vrrp_instance/preempt"]
    assert (back.target, back.negates) == ("vrrp_instance/nopreempt", True)
    assert all(row.target in by_path for row in rows() if row.target)


def test_options_of_entries_are_those_of_their_block() -> None:
    by_path = {row.path: row for row in rows()}
    assert by_path["vrrp_instance/virtual_ipaddress/<entry>/IPADDR"].sort is Sort.SUBJECT
    assert by_path["vrrp_instance/virtual_ipaddress/<entry>/dev"].sort is Sort.OPTION
    assert "vrrp_instance/virtual_ipaddress/<entry>/track_group" not in by_path
    assert "vrrp_instance/track_script/<entry>/reverse" not in by_path
    assert by_path["vrrp_instance/virtual_ipaddress/<entry>/-nodad"].name == "-nodad"


def test_what_is_in_a_block_without_effect_has_none() -> None:
    by_path = {row.path: row for row in rows()}
    assert by_path["vrrp_instance/advert_int"].status == "works"
    inside = [row for path, row in by_path.items() if path.startswith("bfd_instance/")]
    assert {row.status for row in inside} == {"not-yet"}


def test_everything_has_a_sentence() -> None:
    for row in rows():
        assert row.doc.endswith("."), row.path


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("vrrp_instance/advert_int", "vrrp_instance/advert_int"),
        ("advert_int", "vrrp_instance/advert_int"),
        ("/vrrp_instance/advert_int/", "vrrp_instance/advert_int"),
        ("HTTP_GET/url", "virtual_server/real_server/HTTP_GET/url"),
        ("http_get", "virtual_server/real_server/HTTP_GET"),
        ("virtual_server", "virtual_server"),
        ("_ENV", "${_ENV}"),
        ("~SEQ", "~SEQ("),
        ("${_PWD}", "${_PWD}"),
    ],
)
def test_a_path_or_a_bare_name_is_found(asked: str, path: str) -> None:
    assert find(asked)[0].path == path


def test_a_bare_name_is_found_everywhere() -> None:
    found = [row.path for row in find("virtualhost")]
    assert found[0] == "virtual_server/virtualhost"
    assert "virtual_server/real_server/HTTP_GET/url/virtualhost" in found
    assert len(found) >= 3


def test_what_is_not_found_has_a_near_one() -> None:
    assert find("advertint") == ()
    assert nearest("advertint") == ["advert_int"]
    assert nearest("vrrp_instance/advert_intt") == ["vrrp_instance/advert_int"]
    assert nearest("vrrp_instances/advert_int") == ["vrrp_instance/advert_int"]
    assert find("") == ()
