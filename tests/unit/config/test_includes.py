"""The six includes and their four checks, as keepalived counts them."""

import pytest

from pykeepalived.config.diagnostics import render
from pykeepalived.config.includes import MOST_PATHS
from pykeepalived.config.kinds import Problem
from tests.config.statements import parsed, sound, statements

FILES = {"a.conf": "fa", "b.conf": "fb", "s/c.conf": "fc\ninclude d.conf", "s/d.conf": "fd", "exec.sh": "fx"}
LETTERS = ("", "r", "m", "w", "b", "a")


@pytest.mark.parametrize(
    ("pattern", "failing"),
    [
        ("a.conf", ""),
        ("[ab].conf", ""),
        ("{a,b}.conf", ""),
        ("{a}.conf", ""),
        # a name that is absent
        ("no.conf", "mwa"),
        ("nodir/no.conf", "mwa"),
        # a wildcard that matches nothing
        ("no*.conf", "wa"),
        ("[xy].conf", "wa"),
        ("s/no*", "wa"),
        # the folder of a wildcard is absent, or is no folder
        ("nodir/*.conf", "mwa"),
        ("s/nodir/*.conf", "mwa"),
        ("a.conf/*.conf", "mwa"),
        ("nodir*/x.conf", "wa"),
        # an alternative that is absent
        ("{a,no}.conf", "ba"),
        ("{x,no}.conf", "ba"),
        ("{{a,b}.conf,x}", "ba"),
        ("{a,no}*.conf", ""),
        ("{x,no}*.conf", "wa"),
        ("{nodir/a,a}*.conf", ""),
        # what is there and cannot be used
        ("exec.sh", "rmwba"),
        ("s", "rmwba"),
        ("{a.conf,exec.sh}", "rmwba"),
    ],
)
def test_what_each_include_checks(pattern: str, failing: str) -> None:
    for letter in LETTERS:
        found, said = parsed(f"include{letter} {pattern}\nz", FILES, executable=("exec.sh",))
        failed = bool(letter) and letter in failing
        assert any(each.fatal for each in said) is failed, letter
        assert {each.problem for each in said} <= {Problem.INCLUDE_CHECK if failed else None}, letter
        assert found[-1].words == ["z"]
        if failed:
            assert any("the check '" in (each.hint or "") for each in said)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("include a.conf # c", ["fa"]),
        ("include\ta.conf \t", ["fa"]),
        ("  include a.conf", ["fa"]),
        ("include /etc/k/a.conf", ["fa"]),
        ("include ./a.conf", ["fa"]),
        ("include s/../a.conf", ["fa"]),
        ("include {b,a}.conf", ["fb", "fa"]),
        ("include ?.conf", ["fa", "fb"]),
        (r"include a\.conf", ["fa"]),
        ("include {s/c,a}.conf\ninclude a.conf", ["fc", "fd", "fa", "fa"]),
        ("include s/*.conf", ["fc", "fd", "fd"]),
        ("g { include a.conf\n}", ["g", "{", "fa", "}"]),
        ("g {\ninclude a.conf\n}", ["g", "{", "fa", "}"]),
        ("$F=a\ninclude ${F}.conf", ["fa"]),
        ("$F=include a.conf\n$F", ["fa"]),
        ("@node1 include a.conf\n@node2 include b.conf", ["fa"]),
        ("$F=\\\ninclude a.conf \\\nk\n$F", ["fa", "k"]),
        ("includea a.conf\r", ["fa"]),
        # no include: a keyword that nobody knows
        ("Include a.conf", ["Include|a.conf"]),
        ("includes a.conf", ["includes|a.conf"]),
        ("x include a.conf", ["x|include|a.conf"]),
        ("include", ["include"]),
        ("include ", ["include"]),
        ("\finclude a.conf", ["include|a.conf"]),
    ],
)
def test_where_includes_stand_and_what_they_name(line: str, shown: list[str]) -> None:
    assert sound(line, FILES) == shown


@pytest.mark.parametrize("pattern", ['"a.conf"', "a.conf b.conf", "a.conf }", "{a.conf", "!a.conf x", "~/a.conf"])
def test_the_rest_of_the_line_is_the_name(pattern: str) -> None:
    shown, said = statements(f"include {pattern}\nz", FILES)
    if pattern[0] == "!":
        assert (shown, said) == (["include", "z"], [])
    else:
        assert (shown, said) == (["z"], [f"? include: there is no file '{pattern}'"])


CHECK = "global_defs {\ninclude_check %s\n}\n"


@pytest.mark.parametrize(
    ("words", "name", "wildcard", "message"),
    [
        ("match", True, False, ""),
        ("+match", True, False, ""),
        ("-match", False, False, ""),
        ("read", False, False, ""),
        ("wildcard_match", False, True, ""),
        ("brace_match", False, False, ""),
        ("", True, True, ""),
        ("+match +wildcard_match", True, True, ""),
        ("match -match", False, False, ""),
        ("match read", True, False, "Duplicate include_check 'read' specified - ignoring"),
        ("+match wildcard_match", True, False, "Duplicate include_check 'wildcard_match' specified - ignoring"),
        ("match +foo", True, False, "Unknown include_check type 'foo' - ignoring"),
        ("readable", False, False, "Unknown include_check type 'readable' - ignoring"),
        ("on", False, False, "Unknown include_check type 'on' - ignoring"),
        ("+", False, False, "Unknown include_check type '' - ignoring"),
    ],
)
def test_include_check(words: str, name: bool, wildcard: bool, message: str) -> None:
    for pattern, failed in (("no.conf", name), ("no*.conf", wildcard)):
        _, said = parsed(f"{CHECK % words}include {pattern}")
        assert any(each.fatal for each in said) is failed
        assert [each.message for each in said if each.problem is Problem.GENERAL_ERROR] == (
            [message] if message else []
        )


def test_a_word_of_include_check_is_shown_at_its_place() -> None:
    _, said = parsed(CHECK % "+match readable")
    assert render(said[0]).split("\n") == [
        "/etc/k/main.conf:2:22: error: Duplicate include_check 'readable' specified - ignoring",
        "    2 | include_check +match readable",
        "      |                      ^~~~~~~~",
        "  hint: write +readable or -readable: only the first word may be without a sign",
    ]


def test_include_check_is_saved_and_restored_with_the_file() -> None:
    strict = CHECK % "match"
    lax = CHECK % "-match"
    assert not any(each.fatal for each in parsed("include i.conf\ninclude no.conf", {"i.conf": strict})[1])
    assert any(each.fatal for each in parsed("include i.conf", {"i.conf": f"{strict}include no.conf"})[1])
    assert any(each.fatal for each in parsed(f"{strict}include i.conf", {"i.conf": "include no.conf"})[1])
    assert any(each.fatal for each in parsed(f"{strict}include i.conf\ninclude no.conf", {"i.conf": lax})[1])


@pytest.mark.parametrize("pattern", ["no.conf", "no*.conf", "{a,no}.conf", "exec.sh"])
def test_all_checks_on_request_and_nothing_takes_them_back(pattern: str) -> None:
    text = f"{CHECK % '-match -read -wildcard_match -brace_match'}include {pattern}"
    _, said = parsed(text, FILES, all_config=True, executable=("exec.sh",))
    assert any(each.fatal for each in said)
    assert not any(each.fatal for each in parsed("include a.conf", FILES, all_config=True)[1])


def test_files_of_a_directory_that_include_all_of_it_end() -> None:
    files = {f"d/{n}.conf": "include *.conf" for n in range(12)}
    _, said = parsed("include d/*.conf", files)
    assert [each.message for each in said if each.fatal] == [
        f"more than {MOST_PATHS} files are included, nothing more is read"
    ]
    # one level of it is what people do, and ends by itself
    found, said = parsed("include d/*.conf", {f"d/{n}.conf": f"k{n}" for n in range(1000)})
    assert (len(found), said) == (1000, ())


def test_many_alternatives_are_bounded() -> None:
    _, said = parsed(("include " + "{a,b}" * 100 + "\n") * 20)
    assert any("nothing more is read" in each.message for each in said)
