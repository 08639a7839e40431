"""Every block, every block of lines, and every first word of such lines: what opens it, what is missing or too much."""

from ipaddress import IPv4Address, IPv4Interface, IPv6Address
from typing import Any

import pytest

from pykeepalived.config.kinds import Names
from pykeepalived.config.kinds_lvs import NamedEntries
from pykeepalived.config.listing import ENTRY, Row, Sort, rows
from tests.support.keyword_frames import FRAMES, INDENT, Place, around, loaded, parent
from tests.support.keyword_samples import ONE_LINE
from tests.support.option_samples import entry_of

BLOCKS = [row for row in rows() if row.sort is Sort.BLOCK]
LINES = [
    row
    for row in rows()
    if row.sort is Sort.KEYWORD and row.keyword is not None and not row.negates
    if type(row.keyword.kind) not in ONE_LINE
]
SUBJECTS = [row for row in rows() if row.sort is Sort.SUBJECT]
NAMELESS = {
    **dict.fromkeys(("vrrp_script", "vrrp_track_process", "track_file", "vrrp_track_file", "bfd_instance"), 2),
    **dict.fromkeys(("vrrp_instance", "vrrp_sync_group", "track_group"), 5),
    **dict.fromkeys(("virtual_server", "virtual_server/real_server"), 2),
}
"""Blocks that need a word before their brace -> what the test mode exits with when it is missing."""


def block_place(row: Row, head: str, inside: tuple[str, ...] = ("{", "}")) -> Place:
    """A file with such a block, and without it."""
    opened = f"{INDENT}{row.name} {head}".rstrip() + (" {" if inside[:1] == ("{",) else "")
    above, count = around(parent(row.path), [opened, *inside[1:]], row.name)
    without, _ = around(parent(row.path), [], row.name)
    return Place("\n".join(above) + "\n", count + 1, "\n".join(without) + "\n")


def test_every_block_is_here() -> None:
    assert len(BLOCKS) == 28
    assert {row.path for row in BLOCKS} == set(FRAMES) - {""}
    assert len(LINES) == 25
    assert len(SUBJECTS) == 10


@pytest.mark.parametrize("row", BLOCKS, ids=lambda row: row.path)
def test_an_unknown_word_is_said_and_means_nothing(row: Row) -> None:
    lines, count = around(row.path, [f"{INDENT}no_such_word 7"], "")
    without, _ = around(row.path, [], "")
    where = Place("\n".join(lines) + "\n", count + 1, "\n".join(without) + "\n")
    found = loaded(where.text)
    (said,) = where.about(found)
    assert said.span is not None
    assert (said.message, said.span.column) == ("Unknown keyword 'no_such_word'", len(INDENT) + 1)
    assert found.exit_code == 5
    assert found.configuration == loaded(where.without).configuration


@pytest.mark.parametrize("row", BLOCKS, ids=lambda row: row.path)
def test_a_block_without_its_brace(row: Row) -> None:
    where = block_place(row, FRAMES[row.path].head, ())
    found = loaded(where.text)
    said = [each for each in where.about(found) if each.message.startswith("Missing '{'")]
    assert said
    assert said[0].span is not None
    assert said[0].span.column == len(INDENT) + 1
    assert said[0].hint
    assert found.exit_code == 5


@pytest.mark.parametrize("row", [row for row in BLOCKS if FRAMES[row.path].head], ids=lambda row: row.path)
def test_a_block_without_its_name(row: Row) -> None:
    where = block_place(row, "")
    found = loaded(where.text)
    said = where.about(found)
    assert said
    assert said[0].span is not None
    assert said[0].span.column == len(INDENT) + 1
    assert said[0].hint
    assert found.exit_code == NAMELESS[row.path]


@pytest.mark.parametrize("row", BLOCKS, ids=lambda row: row.path)
def test_words_too_many_before_the_brace_change_nothing(row: Row) -> None:
    frame = FRAMES[row.path]
    least = [line for lines in frame.least.values() for line in lines]
    sound = block_place(row, frame.head, ("{", *least, "}"))
    more = block_place(row, f"{frame.head} surplus".strip(), ("{", *least, "}"))
    found = loaded(more.text)
    said = [each for each in more.about(found) if each not in sound.about(loaded(sound.text))]
    assert all(each.hint for each in said)
    assert found.configuration in (loaded(sound.text).configuration, loaded(sound.without).configuration)


# --- blocks of lines ---


@pytest.mark.parametrize("row", LINES, ids=lambda row: row.path)
def test_a_block_of_lines_may_be_empty(row: Row) -> None:
    head = "v" if row.keyword is not None and isinstance(row.keyword.kind, NamedEntries) else ""
    found = loaded(block_place(row, head).text)
    where = block_place(row, head)
    assert [each.message for each in where.about(found) if each.problem] == EMPTY.get(row.path, [])
    assert set(EMPTY) <= {each.path for each in LINES}


EMPTY = {
    "virtual_server_group": ["virtual_server_group v has no entries - removing"],
    "global_defs/notification_email": ["notification_email is empty"],
    "track_group/group": ["track group t has an empty group block"],
    "vrrp_sync_group/group": ["sync group g has an empty group block"],
    "garp_group/interfaces": ["empty garp_group interfaces block"],
    "vrrp_instance/unicast_peer": ["(VI_1) unicast is configured without a peer - falling back to multicast"],
}
"""Blocks of lines that are complained of when they are empty."""


@pytest.mark.parametrize("row", LINES, ids=lambda row: row.path)
def test_words_before_the_brace_of_a_block_of_lines(row: Row) -> None:
    named = row.keyword is not None and isinstance(row.keyword.kind, NamedEntries)
    where = block_place(row, "" if named else "surplus")
    found = loaded(where.text)
    said = [each for each in where.about(found) if named or "extra parameters" in each.message]
    assert said
    assert said[0].span is not None
    assert said[0].hint
    assert said[0].span.column == len(INDENT) + 1 + (0 if named else len(row.name) + 1)
    assert found.exit_code == (2 if named else 5)


@pytest.mark.parametrize("row", LINES, ids=lambda row: row.path)
def test_a_block_of_lines_without_its_brace(row: Row) -> None:
    named = row.keyword is not None and isinstance(row.keyword.kind, NamedEntries)
    where = block_place(row, "v" if named else "", ("", "}"))
    found = loaded(where.text)
    said = [each for each in where.about(found) if "'{'" in each.message]
    assert said
    assert said[0].span is not None
    assert said[0].span.column == len(INDENT) + 1
    assert said[0].hint


@pytest.mark.parametrize("row", LINES, ids=lambda row: row.path)
def test_names_stand_any_number_on_a_line(row: Row) -> None:
    if row.keyword is None or not isinstance(row.keyword.kind, Names):
        return
    two = block_place(row, "", ("{", '"VI_1" x', "y", "}"))
    three = block_place(row, "", ("{", "VI_1", "x y", "}"))
    assert loaded(two.text).configuration == loaded(three.text).configuration


# --- first words of lines ---

VALUES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "IPADDR": [
        ("10.0.0.7", {"address": IPv4Address("10.0.0.7")}),
        ("255.255.255.255", {"address": IPv4Address("255.255.255.255")}),
    ],
    "DEST": [
        ("10.1.0.0/24", {"destination": IPv4Interface("10.1.0.0/24"), "type": 1}),
        ("default", {"destination": IPv4Interface("0.0.0.0/0"), "type": 1}),
        ("blackhole 10.1.0.0/24", {"destination": IPv4Interface("10.1.0.0/24"), "type": 6}),
        ("to 10.1.0.1", {"destination": IPv4Interface("10.1.0.1/32"), "type": 1}),
    ],
    "RANGE": [
        ("10.9.1.1-255 80", {"first": IPv4Address("10.9.1.1"), "last": IPv4Address("10.9.1.255"), "port": 80}),
        ("2001:db8::1-ffff", {"first": IPv6Address("2001:db8::1"), "last": IPv6Address("2001:db8::ffff"), "port": 0}),
    ],
    "FULLRANGE": [
        ("10.9.1.1-10.9.2.1", {"first": IPv4Address("10.9.1.1"), "last": IPv4Address("10.9.2.1"), "port": 0}),
        ("10.9.1.1-10.9.1.1 65535", {"first": IPv4Address("10.9.1.1"), "last": IPv4Address("10.9.1.1"), "port": 65535}),
    ],
    "CIDR": [
        ("10.9.0.0/30 1", {"first": IPv4Address("10.9.0.0"), "last": IPv4Address("10.9.0.3"), "port": 1}),
        ("10.9.0.1/32", {"first": IPv4Address("10.9.0.1"), "last": IPv4Address("10.9.0.1")}),
    ],
}
GROUP = "virtual_server_group"
OF_GROUP: list[tuple[str, dict[str, Any]]] = [
    ("10.9.1.1", {"first": IPv4Address("10.9.1.1"), "last": IPv4Address("10.9.1.1"), "port": 0}),
    ("10.9.1.1 65535", {"first": IPv4Address("10.9.1.1"), "port": 65535}),
]
WITH_LENGTH: list[tuple[str, dict[str, Any]]] = [
    ("10.0.0.7/0", {"prefix_length": 0}),
    ("10.0.0.7/32", {"prefix_length": 32}),
    ("10.0.0.7", {"prefix_length": 32}),
]
WRONG = {
    "IPADDR": ("10.0.0.256", "nosuch", "10.0.0", "1::2::3"),
    "DEST": ("10.0.0.256", "nosuch", "unicats 10.0.0.0/8"),
    "RANGE": ("10.9.1.1-256", "10.9.1.9-1", "10.9.1.1-x", "2001:db8::1-10000", "10.9.1.1-9 65536"),
    "FULLRANGE": ("10.9.2.1-10.9.1.1", "10.9.1.1-2001:db8::1", "10.9.1.1-10.9.1.300"),
    "CIDR": ("10.9.0.0/33", "10.9.0.0/0", "10.9.0.1/24", "2001:db8::/129", "10.9.0.0/x"),
}


def subject_place(row: Row, line: str) -> Place:
    """A file with such a line, and without it."""
    owner, _, _ = row.path.partition(f"/{ENTRY}/")
    name = owner.rpartition("/")[2]
    texts = []
    for lines in ([INDENT + line], []):
        content, count = around(parent(owner), [f"{name} {'v' if name == GROUP else ''} {{", *lines, "}"], name)
        texts.append("\n".join(content) + "\n")
    return Place(texts[0], count + 2, texts[1])


def subject_values(row: Row) -> list[tuple[str, dict[str, Any]]]:
    """Lines, and fields of what they mean."""
    if row.name != "IPADDR":
        return VALUES[row.name]
    if row.path.startswith(GROUP):
        return OF_GROUP
    return VALUES["IPADDR"] + ([] if "unicast_peer" in row.path else WITH_LENGTH)


@pytest.mark.parametrize("row", SUBJECTS, ids=lambda row: row.path)
def test_first_words_of_a_line(row: Row) -> None:
    for line, fields in subject_values(row):
        where = subject_place(row, line)
        found = loaded(where.text)
        assert [each.message for each in where.about(found) if each.problem] == [], line
        entry = entry_of(row, found.configuration)
        assert {name: getattr(entry, name) for name in fields} == fields, line


@pytest.mark.parametrize("row", SUBJECTS, ids=lambda row: row.path)
def test_first_words_that_are_none(row: Row) -> None:
    for line in WRONG[row.name]:
        where = subject_place(row, line)
        found = loaded(where.text)
        said = where.about(found)
        assert said, line
        assert said[0].hint, (line, said[0].message)
        assert found.exit_code == 5, line
        assert found.configuration == loaded(where.without).configuration, line
