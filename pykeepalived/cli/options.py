"""The daemon's command line: keepalived's letters and words.

One table says all of it: what the parser takes, what ``--help`` prints, and which options are taken but not heeded yet.
The parser is our own because of keepalived's habits: bundled letters (``-nlD``), a letter given twice, and options
whose value may be left out and otherwise hangs on the letter (``-t/tmp/log``).
"""

from collections.abc import Sequence
from enum import Enum

from pykeepalived import __version__
from pykeepalived.daemon.settings import DEFAULT_FILE, LOG_DAEMON, Settings
from pykeepalived.errors import PykeepalivedError
from pykeepalived.records import record

LANGUAGE_VERSION = "2.4.3"  # of keepalived, whose configuration language is followed

# --signum: the signals keepalived's operators send, by name
SIGNAL_NUMBERS = {"RELOAD": 1, "STOP": 15, "DATA": 10, "STATS": 12, "JSON": 36, "STATS_CLEAR": 63, "TDUMP": 64}


class UsageError(PykeepalivedError):
    """The command line cannot be understood."""


class Value(Enum):
    """Whether an option has a value."""

    NONE = 0
    REQUIRED = 1
    OPTIONAL = 2
    TWO = 3


@record(frozen=True, slots=True)
class Option:
    """One row of the table. A row without ``effective`` is taken and answered with one line."""

    letter: str
    word: str
    value: Value
    metavar: str
    text: str
    effective: bool = True
    ours: bool = False
    """Not keepalived's: no beginning of a word of keepalived's may mean it."""


def _flag(letter: str, word: str, text: str, *, effective: bool = True) -> Option:
    return Option(letter, word, Value.NONE, "", text, effective)


def _value(letter: str, word: str, metavar: str, text: str, *, effective: bool = True) -> Option:
    return Option(letter, word, Value.REQUIRED, metavar, text, effective)


def _ours(word: str, value: Value, metavar: str, text: str) -> Option:
    return Option("", word, value, metavar, text, ours=True)


def _maybe(letter: str, word: str, metavar: str, text: str, *, effective: bool = True) -> Option:
    return Option(letter, word, Value.OPTIONAL, metavar, text, effective)


SECTIONS: tuple[tuple[str, tuple[Option, ...]], ...] = (
    (
        "Configuration",
        (
            _value("f", "use-file", "FILE", f"read FILE instead of {DEFAULT_FILE}"),
            _maybe("t", "config-test", "FILE", "only check the configuration; report on standard error, or to FILE"),
            _value("i", "config-id", "ID", "lines marked @ID count; default: the host's name"),
            _flag("e", "all-config", "a configuration file that is missing is an error"),
        ),
    ),
    (
        "Questions about the configuration (nothing is started)",
        (
            _ours("explain", Value.REQUIRED, "PATH", "what a keyword is: vrrp_instance/advert_int, or advert_int"),
            _ours("list-keywords", Value.NONE, "", "every keyword by its path, and whether it works or is not-yet"),
            _ours("no-lint", Value.NONE, "", "with -t: mistakes alone, no advice"),
            _ours("peer", Value.REQUIRED, "FILE", "with -t: the file of another node, for the advice; may be repeated"),
            _ours("resolved", Value.NONE, "", "the file as this node gets it, complete; with its passwords"),
            _ours("diff", Value.TWO, "OLD NEW", "what a reload from OLD to NEW does; status 1 if anything"),
            _ours("format", Value.REQUIRED, "FORMAT", "text (default) or json: for these questions and for -t"),
        ),
    ),
    (
        "What runs",
        (
            _flag("n", "dont-fork", "stay in the foreground"),
            _flag("P", "vrrp", "only the VRRP process"),
            _flag("C", "check", "only the health checkers and IPVS"),
            _flag("", "all", "start every process, even without configuration for it"),
            _flag("R", "dont-respawn", "end when a process dies instead of starting it again"),
            _flag("V", "dont-release-vrrp", "leave virtual addresses in place when stopping"),
            _flag("I", "dont-release-ipvs", "leave the IPVS table in place when stopping"),
            _flag("X", "release-vips", "give virtual addresses up when stopping: done in any case"),
            _flag("", "ignore-sigint", "do not stop on Ctrl-C"),
        ),
    ),
    (
        "Log",
        (
            _flag("l", "log-console", "write the log to standard error (with -n)"),
            _flag("D", "log-detail", "more detail; twice for still more"),
            _flag("G", "no-syslog", "nothing to syslog or journal"),
            _value("S", "log-facility", "FACILITY", "0-7, local0-local7, user or daemon (default)"),
            _flag("d", "dump-conf", "write the configuration to the log as it was understood"),
            _flag("a", "address-monitoring", "log every address that comes or goes", effective=False),
            _maybe("g", "log-file", "FILE", "write the log to FILE", effective=False),
            _flag("", "flush-log-file", "flush the log file after each line", effective=False),
        ),
    ),
    (
        "Files",
        (
            _value("p", "pid", "FILE", "pid file of the daemon"),
            _value("r", "vrrp_pid", "FILE", "pid file of the VRRP process"),
            _value("c", "checkers_pid", "FILE", "pid file of the checkers"),
            _value("b", "bfd_pid", "FILE", "pid file of the BFD process", effective=False),
            _value("u", "umask", "MODE", "creation mask for files, octal"),
        ),
    ),
    (
        "Other",
        (
            _value("s", "namespace", "NAME", "run in this network namespace"),
            _value("", "signum", "NAME", "print a signal's number: RELOAD STOP DATA STATS JSON ..."),
            _flag("x", "snmp", "SNMP", effective=False),
            _value("A", "snmp-agent-socket", "SOCKET", "SNMP agent", effective=False),
            _flag("m", "core-dump", "core dumps", effective=False),
            _maybe("M", "core-dump-pattern", "PATTERN", "name of core dumps", effective=False),
            _maybe("", "perf", "MODE", "performance data", effective=False),
            _flag("", "no-mem-check", "no memory checks (there are none)", effective=False),
            _maybe("", "debug", "WHAT", "debugging output", effective=False),
            _flag("v", "version", "print the version"),
            _flag("h", "help", "print this"),
        ),
    ),
)

_BY_WORD = {option.word: option for _, options in SECTIONS for option in options}
_BY_LETTER = {option.letter: option for _, options in SECTIONS for option in options if option.letter}

_FACILITIES = {"user": 1, "daemon": LOG_DAEMON} | {f"{word}{n}": 16 + n for n in range(8) for word in ("", "local")}


def parse(arguments: Sequence[str]) -> Settings:
    """The wishes in ``arguments`` (without the program's name); raises UsageError."""
    given = _split(list(arguments))
    words = [option.word for option, _ in given]
    values = {option.word: found[0] if found else None for option, found in given}
    both = {option.word: (found[0], found[1]) for option, found in given if len(found) == 2}
    return Settings(
        use_file=values.get("use-file") or DEFAULT_FILE,
        config_test="config-test" in values,
        config_test_file=values.get("config-test"),
        config_id=values.get("config-id"),
        all_config="all-config" in values,
        dont_fork="dont-fork" in values,
        # -P and -C are "only this one"; both together switch both off
        vrrp="check" not in values,
        check="vrrp" not in values,
        all="all" in values,
        dont_respawn="dont-respawn" in values,
        dont_release_vrrp="dont-release-vrrp" in values,
        dont_release_ipvs="dont-release-ipvs" in values,
        ignore_sigint="ignore-sigint" in values,
        log_console="log-console" in values,
        log_detail=words.count("log-detail"),
        dump_conf="dump-conf" in values,
        no_syslog="no-syslog" in values,
        log_facility=_facility(values.get("log-facility")),
        pid=values.get("pid"),
        vrrp_pid=values.get("vrrp_pid"),
        checkers_pid=values.get("checkers_pid"),
        umask=_umask(values.get("umask")),
        namespace=values.get("namespace"),
        signum=values.get("signum"),
        explain=values.get("explain"),
        list_keywords="list-keywords" in values,
        no_lint="no-lint" in values,
        peer=tuple(value[0] for option, value in given if option.word == "peer"),
        resolved="resolved" in values,
        diff=both.get("diff"),
        output=_format(values.get("format")),
        version="version" in values,
        help="help" in values,
        not_effective=tuple(dict.fromkeys(f"--{option.word}" for option, _ in given if not option.effective)),
        command_line=tuple(arguments),
    )


Given = tuple[Option, tuple[str, ...]]
"""An option and its values."""


def _split(arguments: list[str]) -> list[Given]:
    given: list[Given] = []
    while arguments:
        argument = arguments.pop(0)
        if argument == "--":
            if arguments:
                raise UsageError(f"unexpected argument '{arguments[0]}'")
        elif argument.startswith("--"):
            given.append(_word(argument[2:], arguments))
        elif argument.startswith("-") and argument != "-":
            given.extend(_letters(argument[1:], arguments))
        else:
            raise UsageError(f"unexpected argument '{argument}'")
    return given


def _word(text: str, rest: list[str]) -> Given:
    name, equals, value = text.partition("=")
    option = _by_word(name)
    found = [value] if equals else []
    if option.value is Value.NONE:
        if equals:
            raise UsageError(f"option '--{option.word}' has no value")
        return option, ()
    if option.value is Value.OPTIONAL:
        return option, tuple(found)
    wanted = 2 if option.value is Value.TWO else 1
    while len(found) < wanted:
        if not rest:
            needs = f"two values: {option.metavar}" if wanted == 2 else "a value"
            raise UsageError(f"option '--{option.word}' needs {needs}")
        found.append(rest.pop(0))
    return option, tuple(found)


def _by_word(name: str) -> Option:
    """By its whole word, or by a beginning that only one option has; keepalived's words come before ours."""
    if name in _BY_WORD:
        return _BY_WORD[name]
    fitting = [option for word, option in _BY_WORD.items() if name and word.startswith(name)]
    fitting = [option for option in fitting if not option.ours] or fitting
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"option '--{name}' could be any of {', '.join('--' + option.word for option in fitting)}")
    raise UsageError(f"unknown option '--{name}'")


def _letters(text: str, rest: list[str]) -> list[Given]:
    given: list[Given] = []
    while text:
        letter, text = text[0], text[1:]
        option = _BY_LETTER.get(letter)
        if option is None:
            raise UsageError(f"unknown option '-{letter}'")
        if option.value is Value.NONE:
            given.append((option, ()))
            continue
        if text:  # the rest of the word is the value; `-t=FILE` is as good as `-tFILE`
            given.append((option, (text.removeprefix("=") if option.value is Value.OPTIONAL else text,)))
        elif option.value is Value.OPTIONAL:
            given.append((option, ()))
        elif rest:
            given.append((option, (rest.pop(0),)))
        else:
            raise UsageError(f"option '-{letter}' needs a value")
        break
    return given


def _format(text: str | None) -> str:
    if text not in (None, "text", "json"):
        raise UsageError(f"unknown format '{text}': use text or json")
    return text or "text"


def _facility(text: str | None) -> int:
    if text is None:
        return LOG_DAEMON
    if text not in _FACILITIES:
        raise UsageError(f"unknown log facility '{text}': use 0-7, local0-local7, user or daemon")
    return _FACILITIES[text]


def _umask(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        mask = int(text, 8)
    except ValueError:
        mask = -1
    if not 0 <= mask <= 0o777:
        raise UsageError(f"umask '{text}' is no octal number from 0 to 0777")
    return mask


def version_text() -> str:
    """What ``--version`` prints."""
    return f"pykeepalived {__version__} (configuration language of keepalived {LANGUAGE_VERSION})"


def help_text() -> str:
    """What ``--help`` prints."""
    lines = ["Usage: pykeepalived [OPTION]...", "", "VRRP, health checks and IPVS from one keepalived.conf.", ""]
    for title, options in SECTIONS:
        lines.append(f"{title}:")
        lines.extend(_help_line(option) for option in options if option.effective)
        lines.append("")
    accepted = [f"--{option.word}" for _, options in SECTIONS for option in options if not option.effective]
    lines.append("Taken but without effect yet:")
    line = " "
    for word in accepted:
        if len(line) + len(word) > 98:
            lines.append(line)
            line = " "
        line += f" {word}"
    lines.extend([line, "", "Signals: HUP reloads, TERM stops in good order."])
    return "\n".join(lines)


def _help_line(option: Option) -> str:
    letter = f"-{option.letter}, " if option.letter else "    "
    return f"  {letter}{'--' + option.word + value_text(option):<26} {option.text}"


def value_text(option: Option) -> str:
    """What follows the word: ``=FILE``."""
    return {
        Value.NONE: "",
        Value.REQUIRED: f"={option.metavar}",
        Value.OPTIONAL: f"[={option.metavar}]",
        Value.TWO: f" {option.metavar}",
    }[option.value]
