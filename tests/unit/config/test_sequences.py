"""~SEQ, ~SEQx and ~LST, form by form, as keepalived takes them or refuses them."""

import pytest

from pykeepalived.config.preprocess import MOST_MADE
from tests.config.statements import sound, statements


def turns(text: str) -> str:
    """The values of the sequence, in one text."""
    shown = sound(f"$K=2\n{text} k ${{I}}\nz")
    assert shown[-1] == "z"
    return " ".join(each.removeprefix("k|") for each in shown[:-1])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("~SEQ(I, 3)", "1 2 3"),
        ("~SEQ(I, -2)", "-1 -2"),
        ("~SEQ(I, 0)", "1 0"),
        ("~SEQ(I,1)", "1"),
        ("~SEQ(I, 5, 3)", "5 4 3"),
        ("~SEQ(I, -1, -3)", "-1 -2 -3"),
        ("~SEQ(I,-3, -1)", "-3 -2 -1"),
        ("~SEQ(I, 1, 2, 6)", "1 3 5"),
        ("~SEQ(I,3,-1,1)", "3 2 1"),
        ("~SEQ(I,1,1,1)", "1"),
        ("~SEQ(I,5,-2,0)", "5 3 1"),
        ("~SEQ(I,010)", "1 2 3 4 5 6 7 8"),
        ("~SEQ(I,0x10, 0x12)", "16 17 18"),
        ("~SEQ(I,0X2)", "1 2"),
        ("~SEQ(I,-0x2)", "-1 -2"),
        ("~SEQ(I,+2)", "1 2"),
        ("~SEQ( I ,\t1 , 2 )", "1 2"),
        ("~SEQ (I,1,2)", "1 2"),
        ("  ~SEQ(I,1,2)", "1 2"),
        ("~SEQ(I,$K)", "1 2"),
        ("~SEQ(I,$K,3)", "2 3"),
        ("~SEQ(I,${K},1${K})", "2 3 4 5 6 7 8 9 10 11 12"),
        ("~SEQ(I," + " " * 100 + "$K)", "1 2"),
        ("~SEQ(I,99999999999,99999999999)", "99999999999"),
        ("~SEQx(I, 9, 12)", "9 a b c"),
        ("~SEQx(I,0x9,3,0x12)", "9 c f 12"),
        ("~SEQx(I,3,-1,1)", "3 2 1"),
        ("~SEQx(I,0,0)", "0"),
        ("~LST(I,a)", "a"),
        ("~LST(I, a, b)", "a b"),
        ("~LST (I,a,b)", "a b"),
        ("~LST(I  ,a)", "a"),
        ("~LST({I},{a},{b})", "a b"),
        ("~LST(I,{a},{b})", "a b"),
        ("~LST(I,-1,a;b,a.b/24)", "-1 a;b a.b/24"),
        ("~LST(I,$K,l)", "2 l"),
        ("~LST(I," + "a" * 100 + ")", "a" * 100),
    ],
)
def test_sequences_and_lists(text: str, values: str) -> None:
    assert turns(text) == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("~LST({I,J},{a,b},{c,d})", "a-b c-d"),
        ("~LST({I,J},{a},{c,d})", "a- c-d"),
        ("~LST({I,J},a,b)", "a- b-"),
        ("~LST({I,J},{,b},{a,})", "-b a-"),
        ("~LST({I,J}, { a , b })", "a-b"),
        ("~LST({I,J},{})", "-"),
        ("~LST({I,J},{a,b},)", "a-b -"),
        ("~LST({ I , J },{a,b})", "a-b"),
        ("~LST({I,J},{1,2}) ~SEQ(I,$J)", "1-2 2-2"),
    ],
)
def test_lists_of_sets(text: str, values: str) -> None:
    assert [each.removeprefix("k") for each in sound(f"{text} k${{I}}-${{J}}")] == values.split()


@pytest.mark.parametrize(
    ("text", "count"), [("~LST(I,)", 1), ("~LST(I,a,,b)", 3), ("~LST(I,,a)", 2), ("~LST(I,a,)", 2)]
)
def test_empty_values_count(text: str, count: int) -> None:
    assert len(sound(f"{text} k${{I}}")) == count


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("~SEQ(I,1,0,3)", "a step of 0 never leads from 1 to 3"),
        ("~SEQ(I,1,-1,3)", "a step of -1 never leads from 1 to 3"),
        ("~SEQ(I,3,1,1)", "a step of 1 never leads from 3 to 1"),
        ("~SEQx(I,-2)", "~SEQx has no negative numbers"),
        ("~SEQx(I,-1,1)", "~SEQx has no negative numbers"),
        ("~SEQx(I,1,-1,-1)", "~SEQx has no negative numbers"),
        ("~SEQ(I,x)", "'x' is no number of a sequence"),
        ("~SEQ(I,1x)", "'1x' is no number of a sequence"),
        ("~SEQ(I,1.5)", "'1.5' is no number of a sequence"),
        ("~SEQ(I,--1)", "'--1' is no number of a sequence"),
        ("~SEQ(I,3,,4)", "'' is no number of a sequence"),
        ("~SEQ(I,)", "'' is no number of a sequence"),
        ("~SEQ(I,08)", "'08' is no octal number"),
        ("~SEQ(I,1,9223372036854775807,9223372036854775807)", "'9223372036854775807' is no number of a sequence"),
        ("~SEQ()", "malformed sequence"),
        ("~SEQ(I)", "malformed sequence"),
        ("~SEQ(I 3)", "malformed sequence"),
        ("~SEQ(1,2)", "malformed sequence"),
        ("~SEQ(I,1,2,3,4)", "malformed sequence"),
        ("~SEQ(I,1,2", "malformed sequence"),
        ("~LST({I,J},{a,b,c})", "3 values for 2 names"),
        ("~LST(I,{a,b})", "2 values for 1 name,"),
        ('~LST(I,"a b",c)', "the value '\"a b\"' of a list holds a blank"),
        ("~LST({I,J},{a b,c})", "the value 'a b' of a list holds a blank"),
        ("~LST({I,J)", "malformed sequence"),
        ("~LST({I,J},{a,b)", "malformed sequence"),
        ("~LST({I J},{a,b})", "malformed list"),
        ("~LST({I,J},{a,b}{c,d})", "malformed list"),
        ("~LST(I,{a}b,c)", "malformed list"),
        ("~LST(1,a)", "malformed list"),
        ("~LST({},{a})", "malformed list"),
        ("~LST()", "malformed list"),
        ("~LST(I,(a),b)", "malformed sequence"),
    ],
)
def test_what_cannot_be_drops_its_line_alone(text: str, message: str) -> None:
    shown, said = statements(f"{text} k\nz")
    assert shown == ["z"]
    assert len(said) == 1
    assert said[0].startswith(message)


@pytest.mark.parametrize("text", ["~ k", "~foo k", "~seq(I,1,2) k", "~SEQy(I,1,2) k"])
def test_what_only_begins_like_one(text: str) -> None:
    shown, said = statements(text)
    assert shown == [text.replace(" ", "|")] or said == ["malformed sequence, the line is ignored"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("~SEQ(I,1,2)\nz", ["z"]),
        ("~SEQ(I,1,2) k\nx${I}", ["k", "k", "x2"]),
        ("g { ~SEQ(I,1,2) k${I}\n}", ["g", "{", "k1", "k2", "}"]),
        ("g { ~SEQ(I,1,2) k${I} }", ["g", "{", "k1", "}", "k2", "}"]),
        ("~SEQ(I,1,2) g { k${I} }", ["g", "{", "k1", "}", "g", "{", "k2", "}"]),
        ("~SEQ(A,1,2) ~LST(B, x, y) k${A}${B}", ["k1x", "k1y", "k2x", "k2y"]),
        ("~SEQ(A,1,2) ~SEQ(B,1,$A) k${A}${B}", ["k11", "k21", "k22"]),
        ("~SEQ(A,1,2) @node1 k$A\n~SEQ(A,1,2) @node2 l$A", ["k1", "k2"]),
        ("@node1 ~SEQ(A,1,2) k$A\n@node2 ~SEQ(A,1,2) l$A", ["k1", "k2"]),
        ("x ~SEQ(I,1,2)", ["x|~SEQ(I,1,2)"]),
    ],
)
def test_where_they_stand(text: str, shown: list[str]) -> None:
    assert [each.replace("k$A", "k") for each in statements(text)[0]] == shown


def test_includes_may_be_repeated() -> None:
    assert sound("~SEQ(I,1,2) include x${I}.conf", {"x1.conf": "a", "x2.conf": "b"}) == ["a", "b"]


def test_more_is_not_made_than_can_be_read() -> None:
    count = MOST_MADE // 100 - 200
    assert len(sound(f"~SEQ(A,1,{count}) ~SEQ(B,1,99) k")) == count * 99
    for text in ("~SEQ(A,0,1000000000) k", f"~SEQ(A,1,{count}) ~SEQ(B,1,400) k", "~SEQ(A,1,999) " * 3 + "k"):
        shown, said = statements(text)
        assert said == [f"more than {MOST_MADE} lines come of definitions and sequences, nothing more is read"]
        assert len(shown) < MOST_MADE // 50
