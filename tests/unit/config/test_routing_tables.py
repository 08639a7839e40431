"""Every option of routes and rules: known by the name that keywords.tsv has, explained, bounded and written back."""

import csv
from pathlib import Path

import pytest

from pykeepalived.config.kinds import Integer, Interface, Kind
from pykeepalived.config.kinds_routes import (
    AnyBase,
    IpProtocol,
    Labels,
    Locator,
    Lockable,
    Mark,
    Named,
    Network,
    Preference,
    Realms,
    RouteTime,
    Span,
)
from pykeepalived.config.schema import Keyword, entry_table
from tests.config.reading import read, sound

TSV = Path(__file__).parents[2] / "config" / "keywords.tsv"
BLOCKS = {
    "static_routes": ("route", 49),
    "vrrp_instance/virtual_routes": ("route", 48),
    "static_rules": ("rule", 36),
    "vrrp_instance/virtual_rules": ("rule", 35),
}
FRAMES = {
    "route": "static_routes {{\n10.1.0.0/24 dev eth0 {}\n}}\n",
    "route of IPv6": "static_routes {{\n2001:db8::/64 dev eth0 {}\n}}\n",
    "rule": "static_rules {{\npreference 0 table 1 {}\n}}\n",
}
ENTRIES = ("route", "rule", "nexthop", "encap_ip", "encap_ip6")


@pytest.mark.parametrize("block", BLOCKS)
def test_every_option_is_known_by_its_name(block: str) -> None:
    with TSV.open(encoding="utf-8", newline="") as file:
        rows = [row["path"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    wanted = {path.removeprefix(f"{block}/<entry>/") for path in rows if path.startswith(f"{block}/<entry>/")}
    grammar, count = BLOCKS[block]
    assert len(wanted) == count
    assert sorted(wanted - {*entry_table(grammar).words()}) == (["DEST"] if grammar == "route" else [])


@pytest.mark.parametrize("grammar", ENTRIES)
def test_every_option_is_explained(grammar: str) -> None:
    keywords = entry_table(grammar).keywords
    assert len(keywords) >= 6
    for name, spec in keywords.items():
        assert spec.doc.endswith("."), name
        assert 10 < len(spec.doc) < 140, name
        assert bool(spec.arguments or spec.kind.arguments()) == bool(spec.kind.needs), name


def _numbers() -> list[tuple[str, str, int, int]]:
    """Frame, option, and the bounds of options that are numbers."""
    found = []
    for grammar in ("route", "rule"):
        for name, spec in entry_table(grammar).keywords.items():
            kind: Kind = spec.kind.inner if isinstance(spec.kind, Lockable) else spec.kind
            if isinstance(kind, Integer | Named):
                bounds = kind.minimum, kind.maximum
            elif isinstance(kind, AnyBase):
                bounds = 0, kind.maximum
            else:
                continue
            if name not in ("table", "goto", "preference") or grammar == "route":
                found.append((f"{grammar} of IPv6" if name == "expires" else grammar, name, *bounds))
    return found


def test_there_are_enough_numbers() -> None:
    assert len(_numbers()) >= 22


@pytest.mark.parametrize(("frame", "name", "least", "most"), _numbers())
def test_a_number_keeps_its_bounds(frame: str, name: str, least: int, most: int) -> None:
    tail = " no_track" if name == "protocol" else ""
    for value in (least, most):
        loaded = sound(FRAMES[frame].format(f"{name} {value}{tail}"))
        assert len(loaded.configuration.static_routes + loaded.configuration.static_rules) == 1
        assert loaded.diagnostics == ()
    for value in (least - 1, most + 1):
        said = read(FRAMES[frame].format(f"{name} {value}{tail}")).diagnostics
        assert [f"number '{value}' outside range [{least}, {most}]" in each.message for each in said] == [True]
        assert said[0].hint


WRITTEN: list[tuple[Kind, list[str]]] = [
    (Named("rt_tables", 255), ["0", "255"]),
    (AnyBase(), ["0", "4294967295"]),
    (Realms(), ["7", "1/0", "255/255"]),
    (IpProtocol(), ["0", "127", "sctp"]),
    (Network(), ["10.0.0.0/8", "10.0.0.1/32", "::/0"]),
    (Lockable(Integer(0, 9)), ["5", "lock 5"]),
    (RouteTime(8), ["1600", "960000"]),
    (Preference(), ["low", "medium", "high", "2"]),
    (Span(65535), ["0-0", "0-65535"]),
    (Mark(), ["0x10", "0x10/0xf0"]),
    (Labels(), ["1", "1/1048575"]),
    (Locator(), ["2001:db8:0:1"]),
]


@pytest.mark.parametrize(("kind", "texts"), WRITTEN, ids=lambda each: type(each).__name__)
def test_what_is_read_is_written_alike(kind: Kind, texts: list[str]) -> None:
    for text in texts:
        value = kind.read(text.split())
        assert kind.write(value) == text
    assert kind.arguments()


def test_a_name_of_an_interface_stands_for_itself() -> None:
    spec: Keyword = entry_table("route").keywords["dev"]
    assert isinstance(spec.kind, Interface)
    (found,) = sound('static_routes {\n10.1.0.0/24 dev "eth0"\n}\n').configuration.static_routes
    assert found.entry_text() == "10.1.0.0/24 dev eth0"
