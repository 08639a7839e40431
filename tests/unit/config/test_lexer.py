"""Comments, quotes, braces, words, and their places."""

import pytest

from pykeepalived.config.lexer import (
    WORDS,
    Line,
    Statement,
    find_brace,
    script_words,
    split_words,
    strip_comment,
    word_places,
)


def line(text: str) -> Line:
    return Line("k.conf", 7, text, text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("priority 100 # why", "priority 100 "),
        ("priority 100 ! why", "priority 100 "),
        ("router_id lab#1", "router_id lab"),
        ('router_id "lab#1"', 'router_id "lab#1"'),
        ("router_id 'lab#1'", "router_id 'lab"),
        (r"router_id a\#b # c", "router_id a#b "),
        (r"router_id a\!b", "router_id a!b"),
        (r'script "\"#x"', r'script "\"#x"'),
        (r"a \\ b", r"a \\ b"),
        (r"\#a # b", "#a "),
        (r"\!a b!c", "!a b"),
        (r"a\\#b", r"a\\"),
        (r"a\"b#c", r"a\"b"),
        (r'"a\#b"', r'"a\#b"'),
        (r'"a\"#b"', r'"a\"#b"'),
        ('"a""#"b#c', '"a""#"b'),
        (r"a\#\!b\#c!d", "a#!b#c"),
        ("#", ""),
        ("!", ""),
    ],
)
def test_comments_begin_anywhere_but_in_quotes_and_behind_a_backslash(text: str, left: str) -> None:
    stripped, unterminated = strip_comment(line(text))
    assert stripped.text == left
    assert not unterminated


def test_a_quote_left_open_is_told_and_keeps_its_comment() -> None:
    stripped, unterminated = strip_comment(line('router_id "lab #1'))
    assert unterminated
    assert stripped.text == 'router_id "lab #1'


def test_columns_survive_a_removed_backslash() -> None:
    stripped, _ = strip_comment(line(r"a\#b cd"))
    statement = Statement(WORDS, split_words(stripped.text), stripped, 0, len(stripped.text))
    assert statement.words == ["a#b", "cd"]
    assert (statement.span(1).column, statement.span(1).length) == (6, 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a b\tc\fd\ve", ["a", "b", "c", "d", "e"]),
        ('x"y z"w', ["x", "y z", "w"]),
        ('a "" b', ["a", "", "b"]),
        ("'a b'", ["'a", "b'"]),
        ('a b "c d', ["a", "b"]),
        ("a\u00a0b c", ["a\u00a0b", "c"]),
        ("a\x1cb c", ["a\x1cb", "c"]),
        ('"" b', ["", "b"]),
        ('"a""b"', ["a", "b"]),
        ("it's", ["it's"]),
        (r"a\"b c", ["a\\"]),
    ],
)
def test_ordinary_words(text: str, words: list[str]) -> None:
    assert split_words(text) == words
    assert len(word_places(text)) == len(words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("notify \"/opt/n.sh 'two words'\" nobody", ["notify", "/opt/n.sh 'two words'", "nobody"]),
        ('ab" c "d', ["ab c d"]),
        ("'a b'", ["a b"]),
        (r"a\ b", [r"a\ b"]),
        ('"open', None),
        ("lone\\", None),
        ("", []),
    ],
)
def test_script_words_join_pieces_and_keep_backslashes(text: str, words: list[str] | None) -> None:
    assert script_words(text, escapes=False) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (r"/opt/n.sh 'two words' \x41", ["/opt/n.sh", "two words", "A"]),
        (r"\101\n\q\cA\e", ["A\nq\x01e"]),
        (r"\E\7", ["\x1b\x07"]),
        (r'"a \" b"', ['a " b']),
        (r"\xzz", ["xzz"]),
        (r"\a\b\E\f\n\r\t\v", ["\a\b\x1b\f\n\r\t\v"]),
        (r"\7 \12 \101 \1011", ["\x07", "\n", "A", "A1"]),
        (r"\x4 \x41 \x4142 \x41b", ["\x04", "A", "B", "\x1b"]),
        (r"\cA\cZ", ["\x01\x1a"]),
        (r"\q\'\\", ["q'\\"]),
        (r"a\ b", ["a b"]),
        (r"'a\'b'", ["a'b"]),
        ("\"\" ''", ["", ""]),
        ("a\\", None),
        ("'open", None),
        ("plain words", ["plain", "words"]),
    ],
)
def test_script_words_with_escapes(text: str, words: list[str]) -> None:
    assert script_words(text, escapes=True) == words


@pytest.mark.parametrize(
    ("text", "at"),
    [("a { b", 2), ('"{" {', 4), ("${NAME} {", 8), ("no brace", -1), ('"open {', -1), (r'"x \" { y', 6), ("}", 0)],
)
def test_braces_outside_quotes(text: str, at: int) -> None:
    assert find_brace(text, 0) == at
