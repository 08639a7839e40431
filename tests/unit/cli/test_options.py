"""The command line: keepalived's letters, its bundling, and what is said of mistakes."""

from dataclasses import replace

import pytest

from pykeepalived.cli.options import SECTIONS, UsageError, help_text, parse, version_text
from pykeepalived.daemon.settings import Settings


def test_nothing_given_is_all_defaults() -> None:
    assert parse([]) == Settings()


def test_bundled_letters_and_the_last_ones_value() -> None:
    settings = parse(["-nlDf", "/x.conf"])
    assert (settings.dont_fork, settings.log_console, settings.log_detail) == (True, True, 1)
    assert settings.use_file == "/x.conf"


@pytest.mark.parametrize(
    "arguments", [["-f", "/x"], ["-f/x"], ["--use-file", "/x"], ["--use-file=/x"], ["--use=/x"], ["-nf/x"]]
)
def test_a_value_may_stand_apart_or_hang_on(arguments: list[str]) -> None:
    assert parse(arguments).use_file == "/x"


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        (["-t"], None),
        (["-t/tmp/log"], "/tmp/log"),
        (["-t=/tmp/log"], "/tmp/log"),
        (["--config-test"], None),
        (["--config-test=/tmp/log"], "/tmp/log"),
        (["-t", "-n"], None),  # an optional value is never the next word
    ],
)
def test_the_value_of_config_test_is_optional(arguments: list[str], file: str | None) -> None:
    settings = parse(arguments)
    assert settings.config_test
    assert settings.config_test_file == file


@pytest.mark.parametrize(
    ("arguments", "detail"), [([], 0), (["-D"], 1), (["-D", "-D"], 2), (["-DD"], 2), (["--log-detail", "-D"], 2)]
)
def test_detail_is_counted(arguments: list[str], detail: int) -> None:
    assert parse(arguments).log_detail == detail


@pytest.mark.parametrize(
    ("arguments", "vrrp", "check"),
    [([], True, True), (["-P"], True, False), (["-C"], False, True), (["-P", "-C"], False, False)],
)
def test_only_one_process_and_both_together_switch_both_off(arguments: list[str], vrrp: bool, check: bool) -> None:
    settings = parse(arguments)
    assert (settings.vrrp, settings.check) == (vrrp, check)


@pytest.mark.parametrize(
    ("word", "facility"), [("daemon", 3), ("user", 1), ("0", 16), ("7", 23), ("local0", 16), ("local7", 23)]
)
def test_facilities(word: str, facility: int) -> None:
    assert parse(["-S", word]).log_facility == facility


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-Z"], "unknown option '-Z'"),
        (["-nZ"], "unknown option '-Z'"),
        (["--zzz"], "unknown option '--zzz'"),
        (["--log"], "could be any of"),
        (["-f"], "option '-f' needs a value"),
        (["--pid"], "option '--pid' needs a value"),
        (["--vrrp=1"], "option '--vrrp' has no value"),
        (["file"], "unexpected argument 'file'"),
        (["-"], "unexpected argument '-'"),
        (["--", "x"], "unexpected argument 'x'"),
        (["-S", "local8"], "unknown log facility 'local8'"),
        (["-u", "9"], "umask '9'"),
        (["-u", "7777"], "umask '7777'"),
    ],
)
def test_mistakes_are_named(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(arguments)


def test_umask_is_octal() -> None:
    assert parse(["-u", "022"]).umask == 0o022


def test_options_without_effect_are_taken_and_listed_once() -> None:
    assert parse(["-x", "-x", "-m", "-n"]).not_effective == ("--snmp", "--core-dump")


def test_every_option_is_taken_by_letter_and_word() -> None:
    taken = 0
    for _, options in SECTIONS:
        for option in options:
            value = {"log-facility": "daemon", "umask": "022"}.get(option.word, "value")
            words = [f"--{option.word}={value}" if option.metavar else f"--{option.word}"]
            if option.word in ("diff", "format"):
                continue  # two values; certain values
            if option.letter:
                words.append(f"-{option.letter}{value}" if option.metavar else f"-{option.letter}")
            understood = {replace(parse([word]), command_line=()) for word in words}
            assert len(understood) == 1
            taken += len(words)
    assert taken > 60


def test_letters_and_words_are_unique() -> None:
    options = [option for _, each in SECTIONS for option in each]
    letters = [option.letter for option in options if option.letter]
    assert len(set(letters)) == len(letters)
    assert len({option.word for option in options}) == len(options)


def test_help_names_every_option_and_fits_a_terminal() -> None:
    text = help_text()
    for _, options in SECTIONS:
        for option in options:
            assert f"--{option.word}" in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_version_says_whose_language_it_reads() -> None:
    assert "keepalived 2.4.3" in version_text()


def test_our_own_words_take_no_beginning_from_keepalived() -> None:
    assert parse(["--f"]).not_effective == ("--flush-log-file",)
    assert parse(["--resol"]).resolved
    assert parse(["--di", "/a", "/b"]).diff == ("/a", "/b")


@pytest.mark.parametrize("arguments", [["--diff", "/a", "/b"], ["--diff=/a", "/b"], ["-n", "--diff", "/a", "/b", "-e"]])
def test_diff_has_two_values(arguments: list[str]) -> None:
    assert parse(arguments).diff == ("/a", "/b")


@pytest.mark.parametrize("arguments", [["--diff"], ["--diff", "/a"], ["--diff=/a"]])
def test_diff_with_fewer_is_refused(arguments: list[str]) -> None:
    with pytest.raises(UsageError, match="option '--diff' needs two values: OLD NEW"):
        parse(arguments)


def test_the_format_is_text_or_json() -> None:
    assert parse([]).output == "text"
    assert parse(["--format", "json"]).output == "json"
    with pytest.raises(UsageError, match="unknown format 'xml': use text or json"):
        parse(["--format=xml"])
