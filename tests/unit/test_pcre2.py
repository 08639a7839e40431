"""Searches with PCRE2: what is found in pieces, what the options mean, and that nothing takes long."""

import time

import pytest

from pykeepalived import pcre2
from pykeepalived.config.kinds_lvs import REGEX_OPTIONS
from pykeepalived.pcre2 import BUDGET, KEPT_MAX, OPTIONS, PatternError, Search, compiled
from pykeepalived.units import SECOND


def search(pattern: str, *pieces: bytes, options: str = "", least: int = 0, most: int | None = None) -> Search:
    found = Search(compiled(pattern, tuple(options.split())), least, most)
    for piece in pieces:
        found.feed(piece)
    return found


def test_every_option_of_the_language_is_known() -> None:
    assert set(OPTIONS) == set(REGEX_OPTIONS)
    assert len(set(OPTIONS.values())) == len(OPTIONS)


@pytest.mark.parametrize("name", REGEX_OPTIONS)
def test_every_option_compiles(name: str) -> None:
    assert search("beta", b"alpha beta", options=name).found


@pytest.mark.parametrize(
    ("pattern", "options", "data"),
    [
        ("BETA", "caseless", b"beta"),
        ("^b", "multiline", b"a\nb"),
        ("a.b", "dotall", b"a\nb"),
        ("a b", "extended", b"ab"),
        ("[]a]", "", b"]"),
        ("sm.rg", "utf", "smörg".encode()),
        (r"sm\wrg", "utf ucp", "smörg".encode()),
        ("x", "utf", b"\xff\xfex"),
        ("(?<n>a)(?<n>b)", "dupnames", b"ab"),
        (r"(a)|b\1c", "match_unset_backref", b"bc"),
        (r"\u0041", "alt_bsux", b"A"),
    ],
)
def test_options_mean_what_they_mean_in_pcre2(pattern: str, options: str, data: bytes) -> None:
    assert search(pattern, data, options=options).found


@pytest.mark.parametrize(
    ("pattern", "options", "data"),
    [
        ("BETA", "", b"beta"),
        ("^b", "", b"a\nb"),
        ("a.b", "", b"a\nb"),
        ("a b", "", b"ab"),
        ("sm.rg", "", "smörg".encode()),
        ("42", "firstline", b"a\n42x"),
        (r"a(?=b)\Kb", "firstline", b"\nab"),
        (r"(a)|b\1c", "", b"bc"),
    ],
)
def test_and_nothing_is_found_without_them(pattern: str, options: str, data: bytes) -> None:
    assert not search(pattern, data, options=options).found


@pytest.mark.parametrize(
    ("pattern", "options", "error", "offset"),
    [
        ("a(b", "", "missing closing parenthesis", 3),
        (r"a\Cb", "never_backslash_c", r"using \C is disabled by the application", 3),
        ("(*UTF)a", "never_utf", "using UTF is disabled by the application", 6),
        ("a\udcff", "utf", "UTF-8 error", 1),
    ],
)
def test_a_pattern_that_is_none_is_refused(pattern: str, options: str, error: str, offset: int) -> None:
    with pytest.raises(PatternError) as refused:
        compiled(pattern, tuple(options.split()))
    assert error in refused.value.reason
    assert refused.value.offset == offset


WHOLE = "alpha beta sm\u00f6rg\u00e5s gamma\nline two: 42\nomega ".encode()


@pytest.mark.parametrize(
    ("pattern", "options"),
    [
        ("beta", ""),
        ("a b.*?g", ""),
        ("(?<=alpha )beta", ""),
        ("^line", "multiline"),
        ("gamma$", "multiline"),
        (r"\bomega\b", ""),
        ("sm.rg.s", "utf"),
        (r"(?<=r)\w\w\w g", "utf ucp"),
        (r"\A\w+ beta", ""),
        ("gamma", "firstline"),
    ],
)
def test_pieces_make_no_difference(pattern: str, options: str) -> None:
    for size in (1, 2, 3, 7, 1000):
        pieces = [WHOLE[at : at + size] for at in range(0, len(WHOLE), size)]
        assert search(pattern, *pieces, options=options).found, size


@pytest.mark.parametrize(
    ("pattern", "options"), [(r"\Abeta", ""), ("^beta", ""), ("^two", "multiline"), ("42", "firstline")]
)
def test_a_piece_does_not_begin_the_response(pattern: str, options: str) -> None:
    for size in (1, 6, 7, 1000):
        pieces = [WHOLE[at : at + size] for at in range(0, len(WHOLE), size)]
        assert not search(pattern, *pieces, options=options).found, size


@pytest.mark.parametrize("pattern", ["beta$", r"beta\z", "bet.*", "beta ?"])
def test_what_might_go_on_is_no_match(pattern: str) -> None:
    """As in keepalived, which asks for no match at the end of the response."""
    assert not search(pattern, b"alpha beta").found
    assert search("beta", b"alpha beta").found


@pytest.mark.parametrize("pieces", [(b"alpha beta x",), (b"alp", b"ha b", b"eta x")])
def test_offsets_are_of_the_response(pieces: tuple[bytes, ...]) -> None:
    assert [search("beta", *pieces, least=least).found for least in (5, 6, 7, 90)] == [True, True, False, False]
    assert [search("beta", *pieces, most=most).found for most in (0, 5, 6, 90)] == [False, False, True, True]


def test_a_search_that_is_over_keeps_nothing() -> None:
    found = search("beta", b"beta", b"x" * 100_000)
    assert (found.over, found._kept) == (True, b"")
    assert search("beta", b"x" * 100_000, most=5).over


HARD = [
    ("(a+)+$", [b"a" * 40 + b"!x"], ""),
    (r"(?:a|a)*\d", [(b"a" * 15 + b" ") * 20_000], ""),
    (r"(?:a|a)*\d", [b"a" * 15 + b" "] * 20_000, ""),
    (r"\w+@", [b"a" * 1_000_000 + b" x"], ""),
    (r"(\w|\s)+z", [b"a" * 9000 + b"zx"], ""),
    ("a*a*a*b", [b"a" * 60_000 + b" "], ""),
    ("(?:a?){40}a{40}", [b"a" * 39 + b" "], ""),
    ("(.*)*x", [b"y" * 60_000 + b"\n"], "dotall"),
]


@pytest.mark.parametrize(("pattern", "pieces", "options"), HARD)
def test_no_pattern_takes_long(pattern: str, pieces: list[bytes], options: str) -> None:
    began = time.thread_time_ns()
    found = search(pattern, *pieces, options=options)
    assert not found.found
    assert time.thread_time_ns() - began < BUDGET + 2 * SECOND


def test_what_might_go_on_is_kept_up_to_a_bound() -> None:
    found = search("ab*c", b"a", b"b" * KEPT_MAX, b"b" * 10, b"c")
    assert "too large" in found.trouble
    assert search("ab*c", b"a", b"b" * (KEPT_MAX - 10), b"c").found


def test_without_the_compiler_of_machine_code_it_is_slower_and_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcre2._library(), "jit_compile", lambda *_: -45)
    pattern = pcre2.Pattern(b"be(t+)a", ())
    found = Search(pattern)
    found.feed(b"alpha bet")
    found.feed(b"ta gamma")
    assert found.found
    hard = Search(pcre2.Pattern(b"(a+)+$", ()))
    hard.feed(b"a" * 40 + b"!x")
    assert hard.trouble


def test_stacks_are_those_of_the_largest() -> None:
    compiled("a", (), (1000, 2000))
    compiled("b", (), (500, 1_000_000))
    start, most = pcre2._library()._stack
    assert (start >= 1000, most >= 1_000_000) == (True, True)
