"""MISC_CHECK, FILE_CHECK and BFD_CHECK: what they follow must be there, and further up."""

import pytest

from pykeepalived.config.blocks.checkers import AnyChecker, BfdCheck, CheckTiming, FileCheck, MiscCheck
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.kinds_trackers import Weight
from pykeepalived.config.load import Loaded
from pykeepalived.units import SECOND
from tests.config.reading import messages, read, server_text, sound

SECURE = "global_defs {\nenable_script_security\nscript_user nobody nogroup\n}\n"
FILE = "track_file f {\nfile /tmp/f\n}\n"
BFD = "bfd_instance b {\nneighbor_ip 10.0.0.9\n}\n"


def text(name: str, lines: str, outer: str = "", real: str = "") -> str:
    return server_text(outer, f"{real}\n{name} {{\n{lines}\n}}")


def only(loaded: Loaded) -> AnyChecker:
    (found,) = loaded.configuration.virtual_server[0].real_server[0].checkers
    return found


def misc(lines: str, outer: str = "") -> MiscCheck:
    found = only(sound(SECURE + text("MISC_CHECK", f"misc_path /opt/check.sh\n{lines}", outer)))
    assert isinstance(found, MiscCheck)
    return found


def test_the_least_misc_check() -> None:
    assert misc("") == MiscCheck(
        misc_path=Script(("/opt/check.sh",), 65534, 65534), timing=CheckTiming(retry=0), timeout=60 * SECOND
    )


@pytest.mark.parametrize(
    ("lines", "outer", "given", "timeout"),
    [
        ("", "delay_loop 1.5", 0, 1_500_000_000),
        ("misc_timeout 0", "delay_loop 7", 0, 7 * SECOND),
        ("delay_loop 9", "delay_loop 7", 0, 7 * SECOND),  # the virtual server's, not its own
        ("misc_timeout 4294", "delay_loop 7", 4294 * SECOND, 4294 * SECOND),
    ],
)
def test_time_allowed_for_a_program(lines: str, outer: str, given: int, timeout: int) -> None:
    found = misc(lines, outer)
    assert (found.misc_timeout, found.timeout) == (given, timeout)


def test_a_misc_check_may_have_a_user_and_give_the_weight() -> None:
    found = misc("user root adm\nmisc_dynamic")
    assert found.misc_path == Script(("/opt/check.sh",), 0, 4)
    assert found.misc_dynamic


def test_the_command_is_one_word() -> None:
    quoted = only(sound(SECURE + text("MISC_CHECK", 'misc_path "/opt/check.sh -p 80"')))
    assert isinstance(quoted, MiscCheck)
    assert quoted.misc_path.argv == ("/opt/check.sh", "-p", "80")
    loaded = sound(SECURE + text("MISC_CHECK", "misc_path /opt/check.sh -p 80"))
    plain = only(loaded)
    assert isinstance(plain, MiscCheck)
    assert plain.misc_path.argv == ("/opt/check.sh",)
    assert "words after the command are ignored" in loaded.diagnostics[0].message


@pytest.mark.parametrize(
    ("lines", "message", "exit_code"),
    [
        ("", "MISC_CHECK has no misc_path", 5),
        ("misc_path", "misc_path needs a command", 5),
        ("misc_path /no/such", "Unable to find script '/no/such'", 0),
        ("misc_path /opt/check.sh\nuser nosuch", "Script user 'nosuch' does not exist", 5),
        ("misc_path /opt/check.sh\nuser nobody nosuch", "Script group 'nosuch' does not exist", 5),
    ],
)
def test_a_misc_check_without_a_program_it_may_run_is_dropped(lines: str, message: str, exit_code: int) -> None:
    loaded = read(SECURE + text("MISC_CHECK", lines))
    assert loaded.configuration.virtual_server[0].real_server[0].checkers == ()
    assert loaded.exit_code == exit_code
    (said,) = loaded.diagnostics
    assert message in said.message


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("user", "user needs a word after it"),
        ("misc_timeout 4295", "outside range [0, 4294]"),
        ("misc_timeout 1.5", "'1.5' has too many decimal places"),
        ("connect_ip 10.0.0.1", "Unknown keyword 'connect_ip'"),
    ],
)
def test_mistakes_of_a_misc_check_that_keep_it(lines: str, message: str) -> None:
    loaded = read(SECURE + text("MISC_CHECK", f"misc_path /opt/check.sh\n{lines}"))
    assert isinstance(only(loaded), MiscCheck)
    assert loaded.exit_code == 5
    assert any(message in each for each in messages(loaded)), messages(loaded)


def test_root_runs_no_program_without_script_security_unsaid() -> None:
    loaded = read(text("MISC_CHECK", "misc_path /opt/check.sh\nuser root"))
    assert loaded.exit_code == 6
    assert any("SECURITY VIOLATION" in each for each in messages(loaded))


@pytest.mark.parametrize(
    ("lines", "weight"),
    [
        ("", Weight(1)),
        ("weight 5", Weight(5)),
        ("weight 5 reverse", Weight(5, reverse=True)),
        ("weight 5 noreverse", Weight(5)),
        ("weight -2147483647", Weight(-2147483647)),
        ("weight 0", Weight(0)),
        ("weight 0 reverse", Weight(0, reverse=True)),
    ],
)
def test_file_checks(lines: str, weight: Weight) -> None:
    assert only(sound(FILE + text("FILE_CHECK", f"track_file f\n{lines}"))) == FileCheck(track_file="f", weight=weight)


@pytest.mark.parametrize(
    ("lines", "message", "kept"),
    [
        ("", "FILE_CHECK has no track_file", False),
        ("track_file g", "track_file g not found", False),
        ("track_file f\nweight", "weight needs a number", True),
        ("track_file f\nweight x", "invalid number 'x'", True),
        ("track_file f\nweight 2147483648", "outside range [-2147483647, 2147483647]", True),
        ("track_file f\nweight 5 zz", "unknown option 'zz'", True),
        ("track_file f\nalpha", "Unknown keyword 'alpha'", True),
    ],
)
def test_mistakes_of_a_file_check(lines: str, message: str, kept: bool) -> None:
    loaded = read(FILE + text("FILE_CHECK", lines))
    assert loaded.exit_code == 5
    assert len(messages(loaded)) == 1
    assert message in messages(loaded)[0]
    assert bool(loaded.configuration.virtual_server[0].real_server[0].checkers) == kept


@pytest.mark.parametrize(
    ("lines", "outer", "alpha"),
    [("", "", False), ("alpha", "", True), ("", "alpha", True), ("alpha off", "alpha", False)],
)
def test_bfd_checks(lines: str, outer: str, alpha: bool) -> None:
    assert only(sound(BFD + text("BFD_CHECK", f"name b\n{lines}", outer))) == BfdCheck(name="b", alpha=alpha)


@pytest.mark.parametrize(
    ("lines", "message", "kept"),
    [
        ("", "BFD_CHECK has no name", False),
        ("name", "name needs exactly one word", False),
        ("name b c", "needs exactly one word", False),
        ("name c", "bfd_instance c not found", False),
        (f"name {'a' * 32}", "is too long", False),
        ("name b\nname b", "name is set already, the first stands", True),
        ("name b\nretry 4", "Unknown keyword 'retry'", True),
    ],
)
def test_mistakes_of_a_bfd_check(lines: str, message: str, kept: bool) -> None:
    loaded = read(BFD + text("BFD_CHECK", lines))
    assert loaded.exit_code == 5
    assert len(messages(loaded)) == 1
    assert message in messages(loaded)[0]
    assert bool(loaded.configuration.virtual_server[0].real_server[0].checkers) == kept


@pytest.mark.parametrize(
    ("block", "checker"), [(FILE, text("FILE_CHECK", "track_file f")), (BFD, text("BFD_CHECK", "name b"))]
)
def test_what_is_followed_must_stand_further_up(block: str, checker: str) -> None:
    loaded = read(checker + block)
    assert loaded.exit_code == 5
    assert loaded.configuration.virtual_server[0].real_server[0].checkers == ()
    (hint,) = [each.hint for each in loaded.diagnostics if each.problem]
    assert hint is not None
    assert "move it above the virtual_server" in hint


def test_a_file_check_has_the_weight_of_its_file() -> None:
    weighed = FILE.replace("}", "weight 7 reverse\n}")
    assert only(sound(weighed + text("FILE_CHECK", "track_file f"))) == FileCheck(
        track_file="f", weight=Weight(7, reverse=True)
    )
    assert only(sound(weighed + text("FILE_CHECK", "track_file f\nweight 2"))) == FileCheck(
        track_file="f", weight=Weight(2)
    )


@pytest.mark.parametrize(
    ("block", "checker"),
    [
        ("track_file f {\n}\n", text("FILE_CHECK", "track_file f")),
        ("bfd_instance b {\n}\n", text("BFD_CHECK", "name b")),
    ],
)
def test_what_is_defined_and_not_usable_is_said_once(block: str, checker: str) -> None:
    loaded = read(block + checker)
    assert loaded.configuration.virtual_server[0].real_server[0].checkers == ()
    assert len(messages(loaded)) == 1
    assert len(loaded.diagnostics) == 2


@pytest.mark.parametrize(("words", "kept"), [("vrrp", 0), ("checker", 1), ("vrrp\nchecker", 1), ("", 1)])
def test_a_session_must_be_for_checkers(words: str, kept: int) -> None:
    loaded = read(BFD.replace("}", f"{words}\n}}") + text("BFD_CHECK", "name b"))
    assert len(loaded.configuration.virtual_server[0].real_server[0].checkers) == kept
    assert bool(messages(loaded)) == (not kept)


def test_an_alpha_server_is_kept_out_by_a_program_that_cannot_be_run() -> None:
    """Its neighbours: one without alpha, and one whose program is there."""
    blocks = [
        "real_server 10.0.0.1 80 {\nMISC_CHECK {\nmisc_path /no/such\nalpha\n}\n}",
        "real_server 10.0.0.2 80 {\nMISC_CHECK {\nmisc_path /no/such\n}\n}",
        "real_server 10.0.0.3 80 {\nalpha\nMISC_CHECK {\nmisc_path /opt/check.sh\n}\n}",
        "real_server 10.0.0.4 80 {\nalpha\nMISC_CHECK {\nmisc_path /no/such\nalpha off\n}\n}",
    ]
    loaded = read(SECURE + "virtual_server 10.0.0.100 80 {\nprotocol TCP\n" + "\n".join(blocks) + "\n}\n")
    servers = loaded.configuration.virtual_server[0].real_server
    assert [server.untested for server in servers] == [("MISC_CHECK",), (), (), ()]


def test_what_is_wrong_with_many_programs_is_said_once_and_of_whom() -> None:
    check = "MISC_CHECK {\nmisc_path /no/such\n}"
    servers = "\n".join(
        f"real_server 10.0.0.{number} 80 {{\nnotify_down /opt/notify-{number}.sh\n{check}\n}}" for number in range(1, 6)
    )
    text = f"global_defs {{\nscript_user nosuch\n}}\nvirtual_server 10.0.0.100 80 {{\nprotocol TCP\n{servers}\n}}\n"
    loaded = read(text)
    said = [each for each in loaded.diagnostics if "no user" in each.message]
    assert [each.message for each in said] == ["script '/no/such' has no user to run as - disabling"]
    assert said[0].hint == (
        "misc_path of real server 10.0.0.1 80 of VS [10.0.0.100]:tcp:80, and 9 more: mend the line script_user nosuch"
    )
    loaded = read(SECURE + text.partition("}\n")[2])
    said = [each for each in loaded.diagnostics if "/no/such" in each.message]
    assert [each.message for each in said] == ["Unable to find script '/no/such' - disabling"]
    assert (said[0].hint or "").startswith(
        "misc_path of real server 10.0.0.1 80 of VS [10.0.0.100]:tcp:80, and 4 more: "
    )
