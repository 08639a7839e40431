"""Lines into statements: conditions, definitions, sequences, lists, includes."""

import pytest

from pykeepalived.config.diagnostics import Findings
from pykeepalived.config.preprocess import MOST_BRACES, MOST_MADE, Preprocessor
from tests.config.machine import Machine
from tests.config.statements import MAIN, sound, statements


@pytest.mark.parametrize(
    "text",
    [
        'vrrp_script a { script "/bin/true" }',
        'vrrp_script a {\n    script "/bin/true" }',
        'vrrp_script a\n{\n  script "/bin/true"\n}',
        'vrrp_script a {\r\n  script "/bin/true"\r\n}\r\n',
        '# c\n\nvrrp_script a { # why\n ! c\n script "/bin/true" # c\n}',
    ],
)
def test_braces_stand_anywhere(text: str) -> None:
    assert sound(text) == ["vrrp_script|a", "{", "script|/bin/true", "}"]


def test_a_brace_alone_on_an_indented_line_has_no_words() -> None:
    assert sound("a\n    {\n  b\n    }") == ["a", "{", "b", "}"]


def test_definitions() -> None:
    text = "$NET=10.8\n$BASE=${NET}.3\na ${BASE}.7/24\n$NET=10.9\nb ${BASE} $NET"
    assert sound(text) == ["a|10.8.3.7/24", "b|10.9.3|10.9"]


def test_an_unknown_reference_is_named_and_torn_by_nothing() -> None:
    shown, said = statements("$NET=1\na ${NETT} {\n}")
    assert shown == ["a|${NETT}", "{", "}"]
    assert said == ["NETT is not defined"]
    assert statements('a "${NETT}"') == (["a|${NETT}"], [])


def test_a_definition_that_contains_itself_ends() -> None:
    shown, said = statements("$A=${A}\na ${A}\nb")
    assert shown == ["b"]
    assert said == ["the definition of A never ends (does it refer to itself?), the line is ignored"]


def test_a_line_that_grows_too_long_is_dropped() -> None:
    shown, said = statements("$A=" + "x" * 600 + "\na ${A}${A}\nb ${A}")
    assert shown == ["b|" + "x" * 600]
    assert said == ["with its definitions replaced the line is longer than 1023 bytes and is ignored"]


def test_multi_line_definitions() -> None:
    text = "$SRV= \\\n    real_server 10.8.0.$N 80 { \\\n   weight ${W} \\\n  }\n$N=4\n$W=2\n$SRV\nx\n"
    assert sound(text) == ["real_server|10.8.0.4|80", "{", "weight|2", "}", "x"]
    joined = "$A=\\\nb c \\\nd\nx $A\n"
    assert sound(joined) == ["x|b|c", "d"]


@pytest.mark.parametrize("line", ["", "   ", "\t\r"])
def test_an_empty_line_ends_a_multi_line_definition(line: str) -> None:
    assert sound(f"$A=\\\nb \\\n{line}\nc\n$A") == ["c", "b"]


@pytest.mark.parametrize("line", ["# comment", "#b \\", "  ! b", "#"])
def test_a_comment_between_the_lines_of_a_definition_does_not_end_it(line: str) -> None:
    shown, said = statements(f"$A=\\\nb \\\n{line}\nc \\\nd\n$A")
    assert shown == ["b", "c", "d"]
    assert said == ["a comment between the lines of the definition of A: keepalived 2.4 may end it here"]


def test_a_backslash_at_the_end_of_a_comment_continues_a_definition() -> None:
    assert sound("$A= # x \\\nb # y \\\nc ! z\\\nd \\ # e \\\nf\n$A\ng # h \\\ni") == [
        *("b", "c", "d", "f"),
        *("g", "i"),
    ]


def test_a_multi_line_definition_that_contains_itself_ends() -> None:
    _, said = statements("$A=\\\nx \\\n$A\n$A\n")
    assert set(said) == {"definitions are nested too deeply, the line is ignored"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${_PWD}", "/etc/k"),
        ("${_INSTANCE}", "node1"),
        ("${_ENV SITE}", "lab"),
        ("${_RANDOM 5 9}", "7"),
        ("${_RANDOM}", "16383"),
        ('"${_HASH}${_BANG}"', "#!"),
    ],
)
def test_predefined(text: str, value: str) -> None:
    assert sound(f"a {text}") == [f"a|{value}"]


def test_an_unset_variable_is_empty() -> None:
    assert sound("a x${_ENV NO_SUCH}y") == ["a|xy"]


@pytest.mark.parametrize("text", ["${_ENV}", "${_ENV A B}", "${_RANDOM x}", "${_PWD 1}"])
def test_wrong_parameters(text: str) -> None:
    shown, said = statements(f"a {text}")
    assert shown
    assert len(said) == 1
    assert said[0].startswith("wrong parameters for _")


def test_random_bounds_the_wrong_way_round() -> None:
    assert statements("a ${_RANDOM 9 5}") == (["a|9"], ["9 is greater than 5"])


def test_conditions() -> None:
    text = "@node1 a\n@node2 b\n@^node1 c\n@^node2 d\n@node1\n@Node1 e\nx { @node1 y }"
    assert sound(text) == ["a", "d", "x", "{", "y", "}"]


def test_one_condition_a_line() -> None:
    assert sound("@node1 @node1 x") == ["@node1|x"]


def test_a_condition_drops_a_multi_line_definition_whole() -> None:
    shown, said = statements("@node2 $A=\\\nb \\\nc\nd")
    assert shown == ["d"]
    assert len(said) == 1


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        ("(I, 3)", "1 2 3"),
        ("(I, -2)", "-1 -2"),
        ("(I, 0)", "1 0"),
        ("(I, 5, 3)", "5 4 3"),
        ("(I, 1, 2, 6)", "1 3 5"),
        ("x(I, 0x9, 3, 0x12)", "9 c f 12"),
    ],
)
def test_sequences(arguments: str, values: str) -> None:
    assert sound(f"~SEQ{arguments} v ${{I}}") == [f"v|{value}" for value in values.split()]


def test_sequences_and_lists_nest() -> None:
    assert sound("~SEQ(A,1,2) ~LST(B, x, y) v $A ${B}") == ["v|1|x", "v|1|y", "v|2|x", "v|2|y"]
    assert sound("~LST({A,B}, {1,2},{3}) v ${A}-${B}") == ["v|1-2", "v|3-"]
    assert sound("$N=2\n~SEQ(A,$N) v ${A}\nw $A") == ["v|1", "v|2", "w|2"]


@pytest.mark.parametrize(
    "text", ["~SEQ(A,1,0,3) x", "~SEQ(A,1,-1,3) x", "~SEQx(A,-3) x", "~SEQ() x", "~LST(A,{1,2}) x"]
)
def test_sequences_that_cannot_be(text: str) -> None:
    shown, said = statements(f"{text}\ny")
    assert shown == ["y"]
    assert len(said) == 1


def test_a_sequence_without_end_is_bounded() -> None:
    shown, said = statements("~SEQ(A,1,999999999) x")
    assert len(shown) < MOST_MADE
    assert said == [f"more than {MOST_MADE} lines come of definitions and sequences, nothing more is read"]


# --- includes ---


def test_includes_resolve_beside_their_file() -> None:
    files = {"/etc/k/d/a.conf": "a\ninclude b.conf\na ${_PWD}", "/etc/k/d/b.conf": "b", "/etc/k/z.conf": "z"}
    assert sound("include d/a.conf\ninclude z.conf # c\nend ${_PWD}", files) == [
        "a",
        "b",
        "a|/etc/k/d",
        "z",
        "end|/etc/k",
    ]


def test_includes_with_wildcards_and_braces_keep_their_order() -> None:
    files = {f"/etc/k/{name}.conf": name for name in ("c", "a", "b")}
    assert sound("include ?.conf\nx { include {c,b}.conf\n}", files) == ["a", "b", "c", "x", "{", "c", "b", "}"]


def test_definitions_go_through_includes() -> None:
    assert sound("$A=1\ninclude a.conf\nx $A", {"/etc/k/a.conf": "$A=2"}) == ["x|2"]


def test_loops_are_found() -> None:
    shown, said = statements("a\ninclude b.conf", {"/etc/k/b.conf": "b\ninclude main.conf"})
    assert shown == ["a", "b"]
    assert said == [f"'{MAIN}' includes itself; it is not read again"]


def test_no_nesting_is_too_deep_to_survive() -> None:
    sequences = "".join(f"~SEQ(V{n}, 1) " for n in range(45))
    files = {f"/etc/k/{n}.conf": f"~SEQ(A, 1) ~SEQ(B, 1) include {n + 1}.conf\n{sequences} x" for n in range(60)}
    shown, said = statements("include 0.conf\nend", files)
    assert shown == ["end"]
    assert any("nested" in each for each in said)
    chain = {f"/etc/k/{n}.conf": f"include {n + 1}.conf\nf{n}" for n in range(30)}
    shown, _ = statements("include 0.conf", chain)
    assert shown == [f"f{n}" for n in reversed(range(30))]


@pytest.mark.parametrize(
    ("letter", "pattern", "failed"),
    [
        ("", "no.conf", False),
        ("r", "no.conf", False),
        ("m", "no.conf", True),
        ("m", "no*.conf", False),
        ("w", "no*.conf", True),
        ("w", "no.conf", True),
        ("b", "{a,no}.conf", True),
        ("b", "{a,a}.conf", False),
        ("a", "no.conf", True),
        ("r", "exec.conf", True),
        ("", "exec.conf", False),
    ],
)
def test_checks_of_includes(letter: str, pattern: str, failed: bool) -> None:
    machine = Machine({MAIN: f"include{letter} {pattern}\nx", "/etc/k/a.conf": "a", "/etc/k/exec.conf": "e"})
    machine.executable.add("/etc/k/exec.conf")
    findings = Findings()
    assert [each.words for each in Preprocessor(machine, findings, "x").statements(MAIN)][-1] == ["x"]
    assert any(each.fatal for each in findings.all()) is failed


def test_include_check_holds_to_the_end_of_its_file() -> None:
    files = {"/etc/k/a.conf": "global_defs {\ninclude_check +match\n}\ninclude no1.conf"}
    _, said = statements("include a.conf\ninclude no2.conf", files)
    assert said == ["include: there is no file 'no1.conf'", "? include: there is no file 'no2.conf'"]


def test_every_include_is_checked_on_request() -> None:
    _, said = statements("include no.conf", all_config=True)
    assert said == ["include: there is no file 'no.conf'"]


# --- lines that cannot be ---


def test_long_lines_nul_bytes_and_a_byte_order_mark() -> None:
    shown, said = statements(b"\xef\xbb\xbfa\n" + b"b " + b"x" * 1100 + b" priority 1\nc\x00d\ne " + b"y" * 1000)
    assert shown == ["a", "e|" + "y" * 1000]
    assert [each.split()[0:3] for each in said] == [
        ["the", "file", "begins"],
        ["line", "too", "long:"],
        ["the", "line", "holds"],
    ]


def test_bytes_that_are_no_text_are_kept() -> None:
    assert sound(b"a \xff\xfe") == ["a|\udcff\udcfe"]


@pytest.mark.parametrize(
    ("text", "shown", "message"),
    [
        ('k "a b', ["k"], "Unterminated quote"),
        ('"a b', [], "Unterminated quote"),
        ('k "a # b\nz', ["k", "z"], "Unterminated quote"),
        (r"k \"a", ["k|\\"], "Unmatched quote"),
        (r"k a\"b", ["k|a\\"], "Unmatched quote"),
        (r'k "/x \" y"', ["k|/x \\|y"], "Unmatched quote"),
        ('# it"s', [], ""),
        ("k it's", ["k|it's"], ""),
        (r'k "/x \"a\" y"', ["k|/x \\|a\\| y"], ""),
        ('@node2 k "a', [], "Unterminated quote"),
        ('$A=\\\nk "a \\\nz\n$A', ["k", "z"], "Unterminated quote"),
    ],
)
def test_quotes_are_pairs_on_their_line(text: str, shown: list[str], message: str) -> None:
    assert statements(text) == (shown, [message] if message else [])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("g { r a } b { c }\nd", ["g", "{", "r|a", "}", "b", "{", "c", "}", "d"]),
        ("g{r a}b", ["g", "{", "r|a", "}", "b"]),
        ('g { r "{" }', ["g", "{", "r|{", "}"]),
        ("'{ a'\n}", ["'", "{", "a'", "}"]),
        (r'"x \" { y"', ["x \\", "{", "y"]),
        ("{}", ["{", "}"]),
        ("}{", ["}", "{"]),
        ("a { @node1 b\n@node2 { c }", ["a", "{", "b"]),
        ("g\n@node1 {\nf\n@node1 }", ["g", "{", "f", "}"]),
        # a condition knows no blocks
        ("@node2 a {\nb\n}", ["b", "}"]),
        ("g { @node2 f }\nb", ["g", "{", "b"]),
    ],
)
def test_braces_are_lines_of_their_own(text: str, shown: list[str]) -> None:
    found, said = statements(text)
    assert found == shown
    assert said == (["Unmatched quote"] if '"x' in text else [])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@node1\ta", ["a"]),
        ("  \t@node1 a", ["a"]),
        ("@ a\n@^ b", ["b"]),
        ("@^\n@^node2\n@node1\n@node1  ", []),
        ("@node a\n@node12 b\n@Node1 c", []),
        ("@node1 @node1 x", ["@node1|x"]),
        ("@node2 @node1 x", []),
        ("@node1 # a\nb", ["b"]),
        ("@^ node1 a", ["node1|a"]),
        ('"@node2" a', ["@node2|a"]),
        # what is no condition: another blank, or text that a reference became
        ("@node1\fa", []),
        ("\f@node1 a", ["@node1|a"]),
        ("$I=node1\n@$I a\n@${I} b", []),
        ("$C=@node1 k\n$C", ["@node1|k"]),
        ("@node1 $A=k\n@node2 $A=l\n$A", ["k"]),
        ("@node1 ~SEQ(I,1,2) k${I}", ["k1", "k2"]),
    ],
)
def test_conditions_in_all_their_forms(text: str, shown: list[str]) -> None:
    assert sound(text) == shown


def test_braces_without_end_are_bounded() -> None:
    _, said = statements(("}{" * 500 + "\n") * 700)
    assert said == [f"more than {MOST_BRACES} braces, nothing more is read"]
