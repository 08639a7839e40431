"""How a mistake in an expansion is told: the text it became, where it was written, what used, repeated, included it."""

import pickle

import pytest

from pykeepalived.config.diagnostics import Diagnostic, Findings, Severity, as_json, render
from pykeepalived.config.kinds import Problem
from pykeepalived.config.lexer import Statement
from tests.config.statements import parsed


def told(statement: Statement, word: int | None = 0) -> list[str]:
    """The whole of a diagnostic on one word, without its first line."""
    found = Diagnostic(Severity.ERROR, "m", statement.span(word), "h")
    return render(found).split("\n")


def last(text: str, word: int | None = 0, **files: str) -> list[str]:
    """The same for the last statement of a text."""
    found, _ = parsed(text, {f"{name}.conf": content for name, content in files.items()})
    return told(found[-1], word)


def test_a_line_that_was_typed_where_it_stands_has_no_way() -> None:
    assert last("a\n  b c  # d", 1) == [
        "/etc/k/main.conf:2:5: error: m",
        "    2 | b c  # d",
        "      |   ^",
        "  hint: h",
    ]
    assert last("@node1 a b", 1)[3:] == ["  hint: h"]


def test_a_reference_shows_what_it_became_and_where_that_was_written() -> None:
    assert last("$SRV=real 10.8.0.4 80\n\n  $SRV", 1) == [
        "/etc/k/main.conf:3:3: error: m",
        "    3 | $SRV",
        "      | ^~~~",
        "  in the expansion: real 10.8.0.4 80",
        "                         ^~~~~~~~",
        "  hint: h",
        "  expanded from $SRV, written at /etc/k/main.conf:1:6",
        "    1 | $SRV=real 10.8.0.4 80",
        "      |      ^~~~~~~~~~~~~~~~",
    ]


def test_only_what_a_word_is_made_of_is_told() -> None:
    text = "$A=1\n$B=2\nk${A}x l${B}y"
    assert [line for line in last(text, 0) if "expanded" in line] == [
        "  expanded from ${A}, written at /etc/k/main.conf:1:4"
    ]
    assert [line for line in last(text, 1) if "expanded" in line] == [
        "  expanded from ${B}, written at /etc/k/main.conf:2:4"
    ]
    assert len([line for line in last(text, None) if "expanded" in line]) == 2
    assert last(text, 1)[1:5] == [
        "    3 | k${A}x l${B}y",
        "      |        ^~~~~~",
        "  in the expansion: k1x l2y",
        "                        ^~~",
    ]


def test_references_in_references_are_told_outermost_first() -> None:
    shown = last("$NET=10.8\n$BASE=${NET}.3\nvip ${BASE}.7", 1)
    assert [line for line in shown if "expanded" in line] == [
        "  expanded from ${BASE}, written at /etc/k/main.conf:2:7",
        "  expanded from ${NET}, written at /etc/k/main.conf:1:6",
    ]


def test_an_empty_value_is_told_where_it_would_stand() -> None:
    assert "  expanded from ${_ENV NO_SUCH}" in last("priority ${_ENV NO_SUCH}", None)
    assert "  expanded from ${_RANDOM 3 5}" in last("priority ${_RANDOM 3 5}", 1)
    assert "  expanded from ${_ENV NO_SUCH}" in last("priority ${_ENV NO_SUCH} # c", 0)
    assert not any("expanded" in line for line in last("a${_ENV NO_SUCH} priority 5", 2))


def test_a_line_of_a_definition_stands_where_it_was_written_and_tells_who_uses_it() -> None:
    text = "$CHK=\\\n  check ${PORT} \\\n  end\n$SRV=\\\nreal { \\\n ${CHK} \\\n}\n$PORT=80\n$SRV"
    found, _ = parsed(text)
    (check,) = [each for each in found if each.words[:1] == ["check"]]
    assert told(check, 1) == [
        "/etc/k/main.conf:2:9: error: m",
        "    2 | check ${PORT} \\",
        "      |       ^~~~~~~",
        "  in the expansion: check 80",
        "                          ^~",
        "  hint: h",
        "  expanded from ${PORT}, written at /etc/k/main.conf:8:7",
        "    8 | $PORT=80",
        "      |       ^~",
        "  part of the definition of CHK, used at /etc/k/main.conf:6:2",
        "    6 | ${CHK} \\",
        "      | ^~~~~~",
        "  part of the definition of SRV, used at /etc/k/main.conf:9:1",
        "    9 | $SRV",
        "      | ^~~~",
    ]


def test_text_before_a_definition_of_several_lines_is_read_with_its_first() -> None:
    found, _ = parsed("$A=\\\nb \\\nc\nx y $A")
    assert [each.words for each in found] == [["x", "y", "b"], ["c"]]
    assert found[0].span(2).line == 2
    assert found[0].span(2).column == 1
    assert told(found[0], 1)[-3:] == [
        "  part of the definition of A, used at /etc/k/main.conf:4:5",
        "    4 | x y $A",
        "      |     ^~",
    ]


def test_a_repetition_tells_its_values() -> None:
    found, _ = parsed("~SEQ(I, 1, 3) ~LST({A,B}, {x,y}, {z}) k ${I}${A}${B}")
    assert told(found[3], 1) == [
        "/etc/k/main.conf:1:41: error: m",
        "    1 | ~SEQ(I, 1, 3) ~LST({A,B}, {x,y}, {z}) k ${I}${A}${B}",
        "      |                                         ^~~~~~~~~~~~",
        "  in the expansion: k 2z",
        "                      ^~",
        "  hint: h",
        "  with I = 2, A = z, B = ",
    ]
    # the values are told of a word that holds none of them, too: the mistake may be one of the values' number
    assert told(found[0], 0)[-1] == "  with I = 1, A = x, B = y"


def test_the_last_value_of_a_repetition_is_a_definition_like_others() -> None:
    assert last("~SEQ(I, 1, 3) k\nv ${I}", 1)[6:] == [
        "  expanded from ${I}, written at /etc/k/main.conf:1:1",
        "    1 | ~SEQ(I, 1, 3) k",
        "      | ^~~~~~~~~~~~~~~",
    ]


def test_a_repeated_definition_tells_the_values_and_the_place() -> None:
    assert last("$S=\\\nreal $N \\\nend\n~SEQ(N, 4, 5) $S")[-4:] == [
        "  part of the definition of S, used at /etc/k/main.conf:4:15",
        "    4 | ~SEQ(N, 4, 5) $S",
        "      |               ^~",
        "  with N = 5",
    ]


def test_includes_are_a_chain() -> None:
    shown = last("include a.conf", a="\ninclude b.conf", b="\n\nbad")
    assert shown == [
        "/etc/k/b.conf:3:1: error: m",
        "    3 | bad",
        "      | ^~~",
        "  hint: h",
        "  included from /etc/k/a.conf:2",
        "  included from /etc/k/main.conf:1",
    ]


def test_what_is_wrong_with_a_file_tells_who_included_it() -> None:
    _, said = parsed("include a.conf", {"a.conf": 'x\x00\n"y\n' + "z" * 2000})
    assert len(said) == 3
    for each in said:
        assert render(each).split("\n")[-1] == "  included from /etc/k/main.conf:1"


def test_the_chain_is_bounded() -> None:
    text = "$A0=x\n" + "".join(f"$A{n}=${{A{n - 1}}}\n" for n in range(1, 30)) + "${A29}"
    shown = last(text)
    assert len([line for line in shown if "expanded from" in line]) == 5
    assert shown[-1] == "  and 7 steps more"
    long = last("$A=" + "y " * 400 + "word\n$A", 400)
    assert all(len(line) <= 200 for line in long)
    assert [line for line in long if line.endswith("word")]


def test_a_mistake_in_each_turn_of_a_repetition_is_one_mistake() -> None:
    _, said = parsed("~SEQ(I, 1, 9) k ${NO_SUCH}")
    assert [each.message for each in said] == ["NO_SUCH is not defined"]
    assert render(said[0]).split("\n")[-1] == "  with I = 1"


def test_colour_changes_no_text_of_the_chain() -> None:
    found, _ = parsed("$A=b c\n$A")
    diagnostic = Diagnostic(Severity.ERROR, "m", found[0].span(1), "h")
    coloured = render(diagnostic, colour=True)
    plain = coloured.replace("\x1b[0m", "")
    for code in ("1;31", "1;32"):
        plain = plain.replace(f"\x1b[{code}m", "")
    assert coloured != plain == render(diagnostic)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (r"a\#b cd", [(1, 4), (6, 2)]),
        ("$A=1\nk${A} $A x", [(1, 5), (7, 2), (10, 1)]),
        ("@node1 k {x", [(11, 1)]),
        ("~SEQ(I,1) k${I}y z", [(11, 6), (18, 1)]),
        ("$A=1\n$B=${A}${A}\nk${B}l m", [(1, 6), (8, 1)]),
    ],
)
def test_columns_are_the_files(text: str, columns: list[tuple[int, int]]) -> None:
    found, _ = parsed(text)
    spans = [found[-1].span(word) for word in range(len(found[-1].words))]
    assert [(each.column, each.length) for each in spans] == columns


# --- for programs ---


def test_json_of_a_place_in_an_expansion() -> None:
    found, _ = parsed("include a.conf", {"a.conf": "$W=bad word\nx $W"})
    shown = as_json(
        Diagnostic(Severity.ERROR, "no \x1b", found[0].span(1), "try\n", Problem.INVALID_NUMBER, fatal=True)
    )
    assert shown == {
        "severity": "error",
        "message": "no \\x1b",
        "file": "/etc/k/a.conf",
        "line": 2,
        "column": 3,
        "end_column": 5,
        "text": "x $W",
        "hint": "try ",
        "class": "invalid_number",
        "fatal": True,
        "rule": None,
        "expanded": "x bad word",
        "chain": [
            {
                "kind": "definition",
                "message": "expanded from $W",
                "file": "/etc/k/a.conf",
                "line": 1,
                "column": 4,
                "end_column": 12,
                "text": "$W=bad word",
            },
            {
                "kind": "include",
                "message": "included",
                "file": "/etc/k/main.conf",
                "line": 1,
                "column": 9,
                "end_column": 15,
                "text": "include a.conf",
            },
        ],
    }


def test_json_without_a_place_has_the_same_keys() -> None:
    shown = as_json(Diagnostic(Severity.NOTE, "m"))
    assert shown["file"] is shown["line"] is shown["class"] is shown["expanded"] is None
    assert shown["chain"] == []
    with_place = as_json(Diagnostic(Severity.NOTE, "m", parsed("x")[0][0].span(0)))
    assert with_place.keys() == shown.keys()


def test_a_place_can_be_handed_to_another_process() -> None:
    found, _ = parsed("include a.conf", {"a.conf": "$W=bad word\nx $W"})
    diagnostic = Diagnostic(Severity.ERROR, "m", found[0].span(1))
    assert render(pickle.loads(pickle.dumps(diagnostic))) == render(diagnostic)


@pytest.mark.parametrize(
    "text",
    [
        "$A=s3cret\nauth_pass $A x",
        "$A=s3cret\n$B=\\\nx \\\nauth_pass $A\n$B",
        "~LST({A,B}, {s3cret,1}) auth_pass ${A}",
        "~LST({A,B}, {s3cret,1}) password ${A} ${B}",
        "$B=\\\nx \\\nauth_pass $A\n~LST(A, s3cret) $B",
        "$A=auth_pass s3cret\n$A",
    ],
)
def test_no_secret_is_shown_on_the_way(text: str) -> None:
    found, _ = parsed(text)
    findings = Findings()
    for word in (0, 1, None):
        findings.add(Diagnostic(Severity.ERROR, f"m{word}", found[-1].span(word)))
    assert len(findings.all()) == 3
    for each in findings.all():
        way = render(each).split("\n", 3)[3:]
        assert "s3cret" not in "".join(way)
        assert "s3cret" not in str(as_json(each)["chain"]) + str(as_json(each)["expanded"])


def test_the_value_of_a_name_that_sounds_secret_is_not_shown() -> None:
    assert last("~LST({N,PASS}, {1,s3cret}) k $N")[-1] == "  with N = 1, PASS = *"
