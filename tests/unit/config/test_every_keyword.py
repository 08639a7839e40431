"""Every keyword of every block: its values, what is no value of it, too few words and too many. From its kind."""

from typing import Any

import pytest

from pykeepalived.config.dump import dump
from pykeepalived.config.kinds import NOTHING, Command, Kind, Problem
from pykeepalived.config.listing import Row, Sort, rows
from pykeepalived.config.schema import Repeat
from tests.support.keyword_frames import Place, column, count, given, loaded, machine, place
from tests.support.keyword_samples import (
    NO_BAD,
    ONE_LINE,
    UNCOUNTED,
    Bad,
    Surplus,
    bad,
    good,
    kept_with_surplus,
    status_without_words,
    surplus,
)

ROWS = [row for row in rows() if row.sort is Sort.KEYWORD and not row.negates]
LINES = [row for row in ROWS if row.keyword is not None and type(row.keyword.kind) in ONE_LINE]
BLOCKS = [row for row in ROWS if row not in LINES]
NEGATED = [row for row in rows() if row.sort is Sort.KEYWORD and row.negates]
ACROSS: dict[str, dict[str, str]] = {
    "global_defs/vrrp_garp_master_repeat": {"0": "0 is set to 1"},
    "global_defs/vrrp_garp_master_refresh_repeat": {"0": "0 is set to 1"},
    "vrrp_instance/garp_master_repeat": {"0": "0 is set to 1"},
    "vrrp_instance/garp_master_refresh_repeat": {"0": "0 is set to 1"},
    "vrrp_instance/native_ipv6": {"": "native_ipv6 with IPv4 addresses"},
    "vrrp_instance/vrf": dict.fromkeys(("eth0", "eth1"), "vrf goes without an interface alone"),
    "vrrp_instance/use_ipvlan": dict.fromkeys(("", "ipvl0 private"), "an ipvlan of IPv4 needs an address"),
    "vrrp_instance/advert_int": dict.fromkeys(("0.01", "1.5", ".5"), "is out of range or rounded"),
    "vrrp_instance/unicast_src_ip": {"2001:DB8::9": "is not IPv4"},
    "vrrp_instance/mcast_src_ip": {"2001:DB8::9": "is not IPv4"},
    "vrrp_instance/mcast_dst_ip": {"ff02::12": "is not IPv4"},
    "vrrp_instance/linkbeat_use_polling": {"": "is deprecated"},
    "vrrp_instance/lvs_sync_daemon_interface": dict.fromkeys(("eth0", "eth1"), "is deprecated"),
    "vrrp_instance/auth_hmac/active_key": {"255": "is no key of the block"},
    "bfd_instance/source_ip": {"2001:DB8::9": "are not of the same family"},
    "virtual_server/quorum": {"4294967295": "exceeds total weight 1"},
    "virtual_server/hysteresis": dict.fromkeys(("4294967295", "+1", "001"), "is not below the quorum"),
    "virtual_server/ip_family": {"inet6": "ip_family contradicts the address"},
    **{
        f"virtual_server/real_server/{check}/bindto": {"2001:DB8::9": "are of different families"}
        for check in (
            *("SMTP_CHECK", "SMTP_CHECK/host", "TCP_CHECK", "PING_CHECK", "UDP_CHECK", "HTTP_GET", "SSL_GET"),
            "DNS_CHECK",
        )
    },
}
"""Words that are a value of their keyword, and yet another keyword, or the machine, has something against them."""
STILL_MEANS_SOMETHING = {
    "virtual_server/persistence_granularity": "a persistence that is not understood is one of 360 s all the same",
    "vrrp_instance/virtual_router_id": "without one the instance is left out, and an invalid one is said once",
}
"""Keywords whose refused line is not as if it were not there."""


def kind_of(row: Row) -> Kind:
    """The kind of a keyword."""
    assert row.keyword is not None
    return row.keyword.kind


def counted(where: Place) -> list[str]:
    """The mistakes said of the line, but for that of an old spelling."""
    said = where.about(loaded(where.text))
    return [each.message for each in said if each.problem not in (None, Problem.DEPRECATED)]


def values(row: Row) -> list[tuple[str, Any]]:
    """Words and what they read as."""
    return list(good(row.target or row.path, kind_of(row)))


def longest(row: Row) -> tuple[str, Any]:
    """The sample with the most words."""
    return max(values(row), key=lambda each: count(each[0]))


def at(row: Row, words: str, word: int) -> int:
    """The column of a word behind the keyword."""
    return column(row.name, words, word)


def test_every_keyword_is_here() -> None:
    assert len(ROWS) == 501
    assert len(LINES) == 476
    assert len(BLOCKS) == 25
    assert [row.path for row in NEGATED] == ["vrrp_instance/preempt", "vrrp_instance/no_accept"]
    assert [row.path for row in LINES if not values(row)] == []
    assert [row.path for row in LINES if not bad(kind_of(row)) and type(kind_of(row)) not in NO_BAD] == []
    assert sum(len(values(row)) for row in LINES) >= 1857
    assert sum(len(bad(kind_of(row))) for row in LINES) >= 2185


def test_lists_of_exceptions_name_keywords() -> None:
    paths = {row.path for row in LINES}
    assert set(ACROSS) <= paths
    assert set(STILL_MEANS_SOMETHING) <= paths


@pytest.mark.parametrize("row", LINES, ids=lambda row: row.path)
def test_values_are_read_and_written(row: Row) -> None:
    against = ACROSS.get(row.path, {})
    for words, value in values(row):
        where = place(row, words)
        said = counted(where)
        if words in against:
            assert against[words] in said[0]
        else:
            assert said == [], words
        assert given(row, where.text) == value, words
        if not isinstance(kind_of(row), Command):
            written = kind_of(row).write(value)
            assert given(row, place(row, written).text) == value, written
    assert set(against) <= {words for words, _ in values(row)}


@pytest.mark.parametrize("row", [row for row in LINES if row.deprecated], ids=lambda row: row.path)
def test_an_old_spelling_is_said_with_the_new_one(row: Row) -> None:
    where = place(row, values(row)[0][0])
    (said,) = [each for each in where.about(loaded(where.text)) if each.message == f"'{row.name}' is deprecated"]
    assert said.span is not None
    assert said.span.column == at(row, "", -1)
    assert said.hint == f"write {row.target.rpartition('/')[2]}"


@pytest.mark.parametrize("row", [row for row in LINES if isinstance(kind_of(row), Command)], ids=lambda row: row.path)
def test_commands_are_written_and_read(row: Row) -> None:
    for words, _ in values(row):
        configuration = loaded(place(row, words).text).configuration
        assert loaded(dump(configuration, machine())).configuration == configuration, words


@pytest.mark.parametrize("row", NEGATED, ids=lambda row: row.path)
def test_a_keyword_that_takes_back(row: Row) -> None:
    for words in ("", "surplus"):
        where = place(row, words)
        assert counted(where) == []
        assert given(row, where.text) is False


@pytest.mark.parametrize("row", [row for row in LINES if bad(kind_of(row))], ids=lambda row: row.path)
def test_what_is_no_value_is_said_at_its_place(row: Row) -> None:
    for sample in bad(kind_of(row)):
        where = place(row, sample.words)
        _is_said(row, where, sample)
        if sample.kept is not NOTHING:
            assert given(row, where.text) == sample.kept, sample.words
        elif row.path not in STILL_MEANS_SOMETHING:
            assert loaded(where.text).configuration == loaded(where.without).configuration, sample.words


def _is_said(row: Row, where: Place, sample: Bad) -> None:
    found = loaded(where.text)
    said = where.about(found)
    wanted = at(row, sample.words, sample.at)
    ours = [each for each in said if each.span is not None and each.span.column == wanted]
    assert ours, (sample.words, [(each.span and each.span.column, each.message) for each in said])
    assert ours[0].hint, sample.words
    uncounted = loaded(where.without).exit_code if sample.kept is NOTHING else 0
    assert found.exit_code == (5 if sample.counts else uncounted), sample.words


@pytest.mark.parametrize("row", LINES, ids=lambda row: row.path)
def test_a_keyword_alone(row: Row) -> None:
    assert row.keyword is not None
    if any(not words for words, _ in values(row)):
        return  # read above
    where = place(row, "")
    found = loaded(where.text)
    said = [each for each in where.about(found) if each.problem is not Problem.DEPRECATED]
    assert said[0].span is not None
    assert said[0].span.column == at(row, "", -1)
    assert said[0].hint, said[0].message
    status = status_without_words(row.keyword)
    assert found.exit_code == (status or loaded(where.without).exit_code)
    assert found.fatal is (status == 2)
    assert given(row, where.text) is NOTHING
    if row.path not in STILL_MEANS_SOMETHING:
        assert found.configuration == loaded(where.without).configuration


@pytest.mark.parametrize("row", LINES, ids=lambda row: row.path)
def test_a_word_too_many(row: Row) -> None:
    words, value = longest(row)
    more = f"{words} surplus".strip()
    where = place(row, more)
    last = count(words)
    match surplus(kind_of(row)):
        case Surplus.IGNORED:
            assert counted(where) == counted(place(row, words))
            assert given(row, where.text) == value
        case Surplus.KEPT:
            _is_said(row, where, Bad(more, last, counts=type(kind_of(row)) not in UNCOUNTED))
            assert given(row, where.text) == kept_with_surplus(kind_of(row), value)
        case Surplus.REFUSED:
            _is_said(row, where, Bad(more, last, counts=type(kind_of(row)) not in UNCOUNTED))
            assert loaded(where.text).configuration == loaded(where.without).configuration
        case Surplus.TAKEN:
            assert given(row, where.text) == (*value, "surplus")


def test_a_second_use_says_where_the_first_is() -> None:
    found = 0
    for row in LINES:
        if row.keyword is None or row.keyword.repeat not in (Repeat.FIRST, Repeat.REPLACE):
            continue
        found += 1
        words = next(words for words, value in values(row) if value != row.keyword.default)
        where = place(row, f"{words}\n{row.name} {words}")
        line = where.line + 1
        said = [each for each in loaded(where.text).diagnostics if each.span is not None and each.span.line == line]
        assert any(each.hint and f"line {where.line}" in each.hint for each in said), row.path
    assert found >= 63


def test_keywords_have_words_for_people() -> None:
    for row in rows():
        if row.keyword is not None and not row.target:
            assert row.doc.endswith("."), row.path
            assert 10 < len(row.doc) < 140, row.path
