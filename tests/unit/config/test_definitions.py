"""Definitions and references, row by row: what is one, what is replaced, and what the predefined ones give."""

import pytest

from pykeepalived.config.definitions import MOST_REPLACED
from pykeepalived.config.kinds import Problem
from tests.config.statements import parsed, sound, statements

NOT_REPLACED = "is not replaced here: a blank, a comma, ) or the end of the line must follow it"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("$A=k\n${A}1 x\n$A x", ["k1|x", "k|x"]),
        ("$A=k\n$A, $A) $A\tx", ["k,|k)|k|x"]),
        ("  \t$A= \t k  \nx${A}y", ["xky"]),
        ('$A="a b" c\n$A d', ["a b|c|d"]),
        ("$A=a b # c\nk $A", ["k|a|b"]),
        ("$A=\n${A}x\n$A\ny", ["x", "y"]),
        ("$_a1=k\n${_a1}", ["k"]),
        ("$A=k\n\"${A}\" '${A}'", ["k|'k'"]),
        # a definition is no statement, wherever it stands
        ("b { $A=c\n} $B=d\n$A $B", ["b", "{", "}", "c|d"]),
        # raw, and from its line on; the last one counts
        ("$A=a\n$B=${A}1\n$A=b\n$B\n$A=c\n$B", ["b1", "c1"]),
        # its own output is read again, also what began before
        ("$A=1\n$B1=k\nx${B${A}} ${B${A}}${B${A}}", ["xk|kk"]),
        ("$P=Q\n$Q=k\n$${P} x", ["k|x"]),
        # a definition may come of one
        ("$P=Q\n$${P}=k\n$Q", ["k"]),
        ("$P=$Q=k\n$P\n$Q", ["k"]),
        ("~SEQ(I,1,2) $X${I}=k${I}\n$X1 $X2", ["k1|k2"]),
        # what it becomes may be a sequence, an include, a comment
        ("$A=~SEQ(I,1,2) k${I}\n$A", ["k1", "k2"]),
        ("$B={\na ${B}\nb\n}", ["a", "{", "b", "}"]),
    ],
)
def test_definitions(text: str, shown: list[str]) -> None:
    assert sound(text) == shown


@pytest.mark.parametrize("text", ["$S =x", "$1=x", "\f$S=x", "$S x", "a$"])
def test_what_is_no_definition_is_a_keyword(text: str) -> None:
    assert sound(text) == [text.strip().replace(" ", "|")]


@pytest.mark.parametrize(
    ("text", "word"), [("$N.1", "$N.1"), ("$N-1", "$N-1"), ('"$N"', "$N"), ("'$N'", "'$N'"), ("$N{", "$N")]
)
def test_a_reference_without_braces_needs_its_end(text: str, word: str) -> None:
    shown, said = statements(f"$N=k\nx {text}")
    assert shown[0] == f"x|{word}"
    assert said == [f"? $N {NOT_REPLACED}"]
    # what nobody defined is a text like any other
    assert statements(f"x {text}")[1] == []


def test_what_is_not_defined_stays_as_typed_and_is_named_where_braces_show_what_was_meant() -> None:
    assert statements("x ${NO} $NO") == (["x|${NO}|$NO"], ["NO is not defined"])
    assert sound('x $NO "${NO}"') == ["x|$NO|${NO}"]
    _, said = parsed("$PRIORITY=1\nx ${PRIORTY}")
    assert said[0].hint == "did you mean ${PRIORITY}?"
    assert said[0].problem is Problem.UNEXPECTED_BOB


@pytest.mark.parametrize(
    ("text", "shown", "message"),
    [
        ("$N=k\n${N 1} {\n}", ["${N|1}", "{", "}"], "N takes no parameters"),
        ("$N=k\n${N } x", ["k|x"], "blank before the closing brace of ${N }"),
        ("a ${_HASH 1} {\n}", ["a|${_HASH|1}", "{", "}"], "wrong parameters for _HASH"),
    ],
)
def test_parameters_and_blanks_between_braces(text: str, shown: list[str], message: str) -> None:
    assert statements(text) == (shown, [message])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$_PWD", "/etc/k"),
        ("${_PWD}/x", "/etc/k/x"),
        ("$_INSTANCE", "node1"),
        ("x${_INSTANCE}", "xnode1"),
        ("${_RANDOM}", "16383"),
        ("$_RANDOM", "16383"),
        ("${_RANDOM 32765}", "32766"),
        ("${_RANDOM  5  5}", "5"),
        ("${_RANDOM 9999999999 9999999999}", "9999999999"),
        ("${_ENV SITE}", "lab"),
        ("x${_ENV NO_SUCH}y", "xy"),
        ("x${_ENV HASH}y z", "xa"),
        ("${_ENV WORDS}", "two|words"),
        ("${_ENV LINES}", "two|lines"),
        ('"${_ENV WORDS}"', "two  words"),
        ("x${_HASH}y z", "x"),
        ("x${_BANG}y z", "x"),
        ('"x${_HASH}y"', "x#y"),
        ('"x${_BANG}y" z', "x!y|z"),
    ],
)
def test_predefined(text: str, value: str) -> None:
    assert sound(f"k {text}") == [f"k|{value}"]


def test_predefined_ones_can_be_overridden() -> None:
    assert sound("$_PWD=k\n${_PWD} $_PWD") == ["k|k"]
    assert sound("$N=1\nk ${_ENV NESTED}") == ["k|1x"]


def test_the_directory_is_that_of_the_file_being_read() -> None:
    files = {"s/a.conf": "a $_PWD\ninclude t/b.conf\na $_PWD", "s/t/b.conf": "b $_PWD"}
    assert sound("include s/a.conf\nm $_PWD", files) == ["a|/etc/k/s", "b|/etc/k/s/t", "a|/etc/k/s", "m|/etc/k"]


@pytest.mark.parametrize(
    "text",
    [
        *("${_ENV}", "$_ENV", "${_ENV A B}", "${_ENV A-B}", "${_RANDOM x}", "${_RANDOM -1 1}", "${_RANDOM 1 2 3}"),
        *("${_RANDOM 0x5 6}", "${_RANDOM 5 5 }", "${_RANDOM\t5}", "${_PWD 1}", "${_INSTANCE x}", "${_BANG x}"),
    ],
)
def test_wrong_parameters_are_said_and_tear_nothing(text: str) -> None:
    shown, said = statements(f"k {text} {{\n}}")
    assert [each for each in said if "wrong parameters for _" in each or "is greater" in each]
    assert shown[-2:] == ["{", "}"]
    assert shown[0].startswith("k|$")


def test_more_is_not_replaced_than_can_be_read() -> None:
    count = MOST_REPLACED // 200
    _, said = parsed("$A=b\n" + ("k " + "${A}" * 200 + "\n") * (count + 5))
    assert [each.message for each in said if each.fatal] == [
        f"more than {MOST_REPLACED} references are to be replaced, nothing more is read"
    ]


# --- several lines ---


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("$A= \\\n b c \\\n d\n$A", ["b|c", "d"]),
        ("$A=b \\\n c\n$A", ["b", "c"]),
        ("$A=b\\\nc\n$A", ["b", "c"]),
        ("$A=\\\n b \\\n c\nx $A", ["x|b", "c"]),
        ("$A=\\\nb \\\nc\nx${A}", ["xb", "c"]),
        ("$A= \\ # c\n b \\ # d\n c # e\n$A", ["b", "c"]),
        ("$A= \\\n \\\n b\n$A", ["b"]),
        ("$A= \\\n b \\\n", []),
        ("$A=\\\na \\\nb\n$B=\\\nc \\\n$A \\\nd\n$B", ["c", "a", "b", "d"]),
        ("$A=\\\na${N} \\\nb\n$N=4\n$A", ["a4", "b"]),
        ("$A=\\\nb \\\nc\n$A=d\n$A", ["d"]),
        ("$A=\\\n@node1 b \\\n@node2 c \\\nd\n$A", ["b", "d"]),
        ("$A=\\\nb \\\nc\n@node1 $A\n@node2 $A\nd", ["b", "c", "d"]),
        ("$A=\\\n~SEQ(I,1,2) b${I} \\\nc\n$A", ["b1", "b2", "c"]),
        ("$A=\\\nb${I} \\\nc${I}\n~SEQ(I,1,2) $A", ["b1", "c1", "b2", "c2"]),
        ("$A=\\\n$X=5 \\\nk${X}\n$A\nl${X}", ["k5", "l5"]),
        ("$A=\\\ng { \\\nfoo \\\n}\n$A", ["g", "{", "foo", "}"]),
        ("$A=\\\nfoo \\\nbar\ng { $A\n}", ["g", "{", "foo", "bar", "}"]),
        ("@node1 $A=\\\n b \\\n c\n$A", ["b", "c"]),
    ],
)
def test_definitions_of_several_lines(text: str, shown: list[str]) -> None:
    assert sound(text) == shown


@pytest.mark.parametrize("reference", ["$A y", "${A}y", "$A {"])
def test_a_definition_of_several_lines_is_the_last_of_its_line(reference: str) -> None:
    shown, said = statements(f"$A=\\\nb \\\nc\nx {reference}\nz")
    assert shown[0].startswith(("x|$A", "x|${A}"))
    assert said == ["? the definition A has several lines and can only be the last of a line"]
    assert shown[-1] == "z"
    assert statements("$A=\\\nb \\\nc\nx $A $A")[0] == ["x|$A|b", "c"]


def test_a_definition_goes_on_in_the_file_that_includes() -> None:
    assert sound("include x.conf\nb\n$A", {"x.conf": "$A=\\\nk \\\n"}) == ["k", "b"]
