"""Whatever text stands in a file: reading it ends, every place lies in the file, and what is told can be shown."""

import resource
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pykeepalived.config.diagnostics import Diagnostic, Findings, Severity, Span, as_json, render
from pykeepalived.config.lexer import OPEN, WORDS
from pykeepalived.config.load import LoadOptions, load
from pykeepalived.config.preprocess import Preprocessor
from tests.config.machine import Machine
from tests.config.statements import MAIN, parsed, statements

LONGEST = 20.0
"""Seconds of the processor for one file: twice what it may take, on a machine shared with others."""
MOST_MEMORY = 200 * 1024
"""KiB above what the texts themselves take."""

PIECES = st.sampled_from(
    [
        *("k", "v w", " ", "\t", "{", "}", '"', "'", "\\", "#", "!", "@node1 ", "@^node1 ", "@x ", "\r", "\f", "\x1c"),
        *(
            "$A=",
            "$B=",
            "$A",
            "${A}",
            "${B}",
            "$A=\\",
            "${A",
            "${_ENV SITE}",
            "${_RANDOM 1 2}",
            "${_HASH}",
            "${_PWD 1}",
        ),
        *("~SEQ(A,1,2) ", "~SEQx(B, 9, 11) ", "~LST({A,B},{a,b},c) ", "~LST(A", "include ", "a.conf", "{a,b}.conf"),
        *("\u201c", "\u00a0", "\uff11", "é", "\udcff", "\x00", "\ufeff", "include_check +match", "*"),
    ]
)
LINES = st.lists(PIECES, max_size=8).map("".join)
TEXTS = st.lists(LINES, max_size=8).map("\n".join)
SOON = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
LONG = settings(SOON, max_examples=5000, derandomize=False)


def _holds(text: str, other: str) -> None:
    data, included = text.encode("utf-8", "surrogateescape"), other.encode("utf-8", "surrogateescape")
    files = {MAIN: data, "/etc/k/a.conf": included}
    found, said = parsed(data, {"a.conf": included.decode("latin-1")})
    for statement in found:
        assert (statement.kind == WORDS) is bool(statement.words)
        assert 0 <= statement.start <= statement.end <= len(statement.line.text)
        for word in [None, *range(len(statement.words))]:
            span = statement.span(word)
            _lies_in(span, files)
            assert all(len(line) < 700 for line in render(Diagnostic(Severity.ERROR, "m", span)).split("\n"))
    for diagnostic in said:
        if diagnostic.span is not None:
            _lies_in(diagnostic.span, files)
        assert all(line.isprintable() for line in render(diagnostic).split("\n"))
        assert as_json(diagnostic).keys() >= {"file", "line", "chain"}
    load(MAIN, Machine(files), LoadOptions())


def _lies_in(span: Span, files: dict[str, bytes]) -> None:
    assert span.file in files
    assert span.line >= 1
    assert span.column >= 1
    assert span.length >= 1
    assert span.column + span.length <= len(span.text) + 2
    if (origin := span.origin) is not None:
        for step in origin.steps:
            if step.place is not None:
                _lies_in(step.place, files)


@SOON
@given(TEXTS, TEXTS)
def test_any_text_is_read_and_every_place_lies_in_its_file(text: str, other: str) -> None:
    _holds(text, other)


@pytest.mark.long
@LONG
@given(TEXTS, TEXTS)
def test_any_text_is_read_and_every_place_lies_in_its_file_often(text: str, other: str) -> None:
    _holds(text, other)


@SOON
@given(st.binary(max_size=300))
def test_any_bytes_are_read(data: bytes) -> None:
    for diagnostic in load(MAIN, Machine({MAIN: data}), LoadOptions()).diagnostics:
        render(diagnostic).encode()


WORD = st.text(st.sampled_from("abc019.:/-_%"), min_size=1, max_size=6)
PLAIN = st.lists(st.lists(WORD, min_size=1, max_size=4), max_size=6)


@SOON
@given(PLAIN, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "  ", "\t\f"]), st.sampled_from(["", " # c", "!d"]))
def test_comments_blanks_and_line_ends_change_nothing(
    lines: list[list[str]], end: str, before: str, behind: str
) -> None:
    text = end.join(before + "\t ".join(words) + behind for words in lines)
    wanted = ["|".join(words) for words in lines if not words[0].startswith("include")]
    assert statements(text) == (wanted, [])


@SOON
@given(PLAIN)
def test_a_definition_of_several_lines_is_the_same_as_its_lines(lines: list[list[str]]) -> None:
    body = "".join(f" {' '.join(words)} \\\n" for words in lines)
    assert statements(f"$D= \\\n{body} end\n$D") == statements("\n".join(map(" ".join, lines)) + "\nend")


@SOON
@given(st.lists(WORD, min_size=1, max_size=5))
def test_a_list_is_the_same_as_its_lines(values: list[str]) -> None:
    listed = statements(f"~LST(V, {', '.join(values)}) k ${{V}} x")
    assert listed == statements("\n".join(f"k {value} x" for value in values))


@SOON
@given(st.lists(WORD, min_size=1, max_size=5), st.integers(0, 4))
def test_a_reference_is_the_same_as_its_value(words: list[str], at: int) -> None:
    at %= len(words)
    replaced = [*words[:at], "${V}", *words[at + 1 :]]
    assert statements(f"$V={words[at]}\nk {' '.join(replaced)}") == statements(f"k {' '.join(words)}")


# --- what somebody might write to wear the program out ---


def _chain(definition: Callable[[int], str], use: str) -> str:
    return "$A0=xx\n" + "".join(definition(n) for n in range(1, 38)) + use


BOMBS: dict[str, str | bytes] = {
    "a chain of definitions": _chain(lambda n: f"$A{n}=${{A{n - 1}}}${{A{n - 1}}}\n", "k ${A37}\n" * 500),
    "a definition of itself": "$A=x${A}\n" + "k ${A}\n" * 500,
    "a chain of several lines": _chain(lambda n: f"$A{n}=\\\n@x $A{n - 1} \\\n$A{n - 1} \\\n$A{n - 1}\n", "$A37"),
    "a thousand million values": "~SEQ(A,0,1000000000) k ${A}",
    "sequences in sequences": "~SEQ(A,1,1000) ~SEQ(B,1,1000) ~SEQ(C,1,1000) k",
    "fifty megabytes of lines": b"vrrp_instance a {\n" * (50 * 1024 * 1024 // 18),
    "fifty megabytes of nothing": b"\n" * (50 * 1024 * 1024),
    "fifty megabytes of NUL": b"\x00" * (50 * 1024 * 1024),
    "a line of ten megabytes": b"x" * (10 * 1024 * 1024),
    "a line of seven megabytes": b"x " * (7 * 512 * 1024),
    "nothing but quotes": ('"' * 1001 + "\n") * 1000,
    "nothing but braces": ("{}" * 500 + "\n") * 1000,
    "nothing but escapes": ("\\#" * 500 + "\n") * 500,
    "nothing but references": "$A=b\n" + ("k " + "${A}" * 200 + "\n") * 3000,
    "one mistake in a hundred thousand turns": "$A= \\\n  k \u201c${B}\u201d \\\n  x\n~SEQ(I, 1, 40000) $A\n",
    "alternatives": ("include " + "{a,b}" * 150 + "\n") * 100,
}


def _read(name: str) -> tuple[float, int, int]:
    """Seconds of the processor, braces, and mistakes that were told."""
    findings = Findings()
    preprocessor = Preprocessor(Machine({MAIN: BOMBS[name]}), findings, "x")
    started = time.process_time()
    opened = sum(each.kind == OPEN for each in preprocessor.statements(MAIN))
    return time.process_time() - started, opened, len(findings.all())


@pytest.mark.parametrize("name", BOMBS)
def test_nothing_takes_long(name: str) -> None:
    seconds, opened, told = _read(name)
    assert seconds < LONGEST
    assert opened <= 200_000
    assert bool(told) is (name != "nothing but escapes")


def test_nothing_takes_much_memory() -> None:
    done = subprocess.run([sys.executable, "-m", __name__], capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert before > 50 * 1024  # the largest file itself was there
    assert after - before < MOST_MEMORY


if __name__ == "__main__":
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for bomb in BOMBS:
        _read(bomb)
    print(largest, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
