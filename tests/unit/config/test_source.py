"""What a file may look like: line ends, long lines, NUL bytes, encodings, and characters that look like others."""

import pytest

from pykeepalived.config.diagnostics import Findings, Severity
from pykeepalived.config.kinds import Problem
from pykeepalived.config.source import LARGEST, LONGEST, MOST_LINES, TooMuch, lines
from tests.config.statements import parsed, sound, statements


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a b\r\nc {\r\n}\r\n", ["a|b", "c", "{", "}"]),
        ("a\r\r\n", ["a"]),
        ("a\rb", ["a|b"]),
        ("a", ["a"]),
        ("a\n\n\n", ["a"]),
        ("", []),
        ("\f\n\v\n \t\n", []),
        ("a\fb\n\vc\td", ["a|b", "c|d"]),
        ("$A=1\r\nk $A\r\n", ["k|1"]),
        ("$A=\\\r\nb \\\r\nc\r\n$A\r\n", ["b", "c"]),
        ("@node1 a\r\n", ["a"]),
    ],
)
def test_line_ends_and_blanks(text: str, shown: list[str]) -> None:
    assert sound(text) == shown


@pytest.mark.parametrize("text", ["a \\", "a\tb \\", "a b\t\\"])
def test_a_line_is_not_continued(text: str) -> None:
    shown, said = statements(f"{text}\nc")
    assert [shown[0].replace("|", " "), shown[1]] == [text.replace("\t", " ").replace(" \\", "\\"), "c"]
    assert said == [
        "? the line is not continued: only those of a $NAME= definition are; the backslash is part of the word"
    ]
    # behind the backslash nothing may stand, and a word between quotes has its end
    assert sound("a \\ ") == ["a|\\"]
    assert statements('"a" \\')[0] == ["a|\\"]
    assert statements("\\")[0] == ["\\"]


def test_the_longest_line() -> None:
    just = "k" + "x" * (LONGEST - 1)
    assert sound(f"{just}\n") == [just]
    two_bytes = "k" + "é" * (LONGEST // 2 - 1)
    assert sound(two_bytes) == [two_bytes]
    for line in (just + "x", "k" + "é" * (LONGEST // 2)):
        shown, said = statements(f"{line}\nz")
        assert shown == ["z"]
        assert said == [f"line too long: {len(line)} characters, the line is ignored"]


@pytest.mark.parametrize(("behind", "counts"), [("", False), ("# c", False), ("k", True), (" k", True)])
def test_of_a_long_comment_the_class_is_keepalived_s_and_the_meaning_that_of_a_comment(
    behind: str, counts: bool
) -> None:
    shown, said = statements("#" + "x" * LONGEST + behind + "\nz")
    assert shown == ["z"]
    assert len(said) == 1
    assert said[0].startswith("? line too long") is not counts


def test_a_line_with_a_nul_byte_is_dropped_alone() -> None:
    _, said = parsed(b"a\n  b\0c\nd")
    assert [(each.message, each.span and (each.span.line, each.span.column)) for each in said] == [
        ("the line holds a NUL byte and is ignored", (2, 4))
    ]
    assert statements(b"a\n  b\0c\nd")[0] == ["a", "d"]
    assert statements(b"# a\0b\nd")[0] == ["d"]


def test_a_byte_order_mark_is_said_and_skipped() -> None:
    found, said = parsed(b"\xef\xbb\xbfa b\nc")
    assert [each.words for each in found] == [["a", "b"], ["c"]]
    assert [each.problem for each in said] == [Problem.UNKNOWN_KEYWORD]
    assert found[0].span(1).column == 3


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_recognised_and_said_once(codec: str) -> None:
    text = "vrrp_instance A {\n  priority 100\n}\n" * 50
    found, said = parsed(text.encode(codec))
    assert found == []
    assert [each.message for each in said] == ["the file is in UTF-16, of which no line can be read"]
    assert said[0].fatal
    assert said[0].problem is Problem.GENERAL_ERROR


def test_bytes_that_are_no_text_are_kept_in_their_word() -> None:
    assert sound(b"a \xe9\xff b") == ["a|\udce9\udcff|b"]


@pytest.mark.parametrize("data", [b"x" * (LARGEST + 1), b"\n" * (MOST_LINES + 1)])
def test_what_is_no_configuration_is_refused_whole(data: bytes) -> None:
    with pytest.raises(TooMuch) as refused:
        lines("k.conf", data, Findings())
    assert refused.value.diagnostic.fatal
    found, said = parsed(data)
    assert found == []
    assert len(said) == 1
    assert said[0].problem is Problem.GENERAL_ERROR
    assert lines("k.conf", b"\n" * 1000, Findings()) == [""] * 1000


# --- characters ---


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("a “b”", 3, '“ (U+201C LEFT DOUBLE QUOTATION MARK) stands here, and is no plain "', 'type a plain "'),
        ("a b”", 4, '” (U+201D RIGHT DOUBLE QUOTATION MARK) stands here, and is no plain "', 'type a plain "'),
        ("a \u2018b", 3, "\u2018 (U+2018 LEFT SINGLE QUOTATION MARK) stands here, and is no plain '", "type a plain '"),
        (
            "a b\u2019",
            4,
            "\u2019 (U+2019 RIGHT SINGLE QUOTATION MARK) stands here, and is no plain '",
            "type a plain '",
        ),
        (
            "a\u00a0b",
            2,
            "U+00A0 NO-BREAK SPACE stands here, and is no blank: it is part of the word",
            "type a plain blank",
        ),
        ("a\u200bb", 2, "U+200B ZERO WIDTH SPACE stands here, and is no visible character", "remove it"),
        ("a \uff11\uff10", 3, "\uff11 (U+FF11 FULLWIDTH DIGIT ONE) stands here, and is no plain 1", "type a plain 1"),
        ("a 10.0.0.1\u201320", 11, "\u2013 (U+2013 EN DASH) stands here, and is no plain -", "type a plain -"),
        (
            "a \uff5b",
            3,
            "\uff5b (U+FF5B FULLWIDTH LEFT CURLY BRACKET) stands here, and is no plain {",
            "type a plain {",
        ),
        (b"a\xa0b", 2, "the byte A0, of a file that is not UTF-8, stands here, and is no blank", "type a plain blank"),
        (b"a \x93b\x94", 3, "the byte 93, of a file that is not UTF-8, stands here, and is no plain", 'type a plain "'),
        ('a "b\u00a0c"', 5, "U+00A0 NO-BREAK SPACE stands here, and is no blank", "type a plain blank"),
    ],
)
def test_a_character_that_looks_like_another_is_named(text: str | bytes, column: int, message: str, hint: str) -> None:
    _, said = parsed(text)
    assert len(said) == 1
    assert said[0].message.startswith(message)
    assert said[0].hint is not None
    assert said[0].hint.startswith(hint)
    assert said[0].span is not None
    assert said[0].span.column == column
    assert said[0].severity is Severity.WARNING
    # keepalived does not mind: the class is that of what comes of it
    assert said[0].problem is None


@pytest.mark.parametrize("text", ["a é", 'a "“b” \u2013 \uff12" c', "# “b”", "x # “b”", "router_id 東京 # “b”"])
def test_text_and_comments_are_no_mistake(text: str) -> None:
    assert parsed(text)[1] == ()
