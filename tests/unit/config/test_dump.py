"""The resolved configuration as a file: what is written, what is left out, and in which order."""

import pytest

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.dump import dump
from pykeepalived.config.lexer import script_words
from pykeepalived.config.script_text import command_text
from tests.config.machine import Machine
from tests.config.reading import COMMANDS, instance_text, read, server_text

SECURE = "global_defs {\nenable_script_security\nscript_user root\n}\n"


def dumped(text: str) -> list[str]:
    """The lines of the resolved file, which must read back as it is."""
    machine = Machine(commands=COMMANDS)
    first = read(text, machine)
    written = dump(first.configuration, machine)
    assert read(written, machine).configuration == first.configuration
    return written.splitlines()


def test_what_is_as_it_would_be_anyway_is_left_out() -> None:
    assert dumped(instance_text("garp_master_delay 5\nadvert_int 1.0\nnopreempt\npreempt")) == [
        "",
        "global_defs {",
        "    router_id oracle",
        "}",
        "",
        "vrrp_instance VI_1 {",
        "    interface eth0",
        "    virtual_router_id 51",
        "    version 2",
        "    priority 100",
        "    state BACKUP",
        "    virtual_ipaddress {",
        "        10.0.0.1/32",
        "    }",
        "}",
    ]


def test_an_instance_says_what_it_has_from_global_defs_and_what_it_has_in_spite_of_it() -> None:
    settings = "global_defs {\nvrrp_garp_master_delay 7\nvrrp_garp_master_repeat 9\n}"
    lines = dumped(instance_text("garp_master_repeat 5", settings))
    inside = lines[lines.index("vrrp_instance VI_1 {") :]
    assert "    garp_master_delay 7" in inside
    assert "    garp_master_repeat 5" in inside


def test_scripts_name_who_runs_them_and_stand_before_their_use() -> None:
    text = "vrrp_script s {\nscript \"/opt/check.sh 'two words' x\"\nweight 10\n}\n"
    lines = dumped(SECURE + text + instance_text("track_script {\ns weight 0\n}\nnotify /usr/bin/notify nobody :adm"))
    assert "    script_user root" in lines
    assert "    script \"/opt/check.sh 'two words' x\"" in lines
    assert "    user root root" in lines
    assert "    notify /usr/bin/notify nobody :adm" in lines
    assert "        s weight 0 noreverse" in lines
    assert lines.index("vrrp_script s {") < lines.index("vrrp_instance VI_1 {")


def test_the_password_is_written() -> None:
    lines = dumped(instance_text('authentication {\nauth_type PASS\nauth_pass "a b#c"\n}'))
    assert lines[-5:] == ["    authentication {", "        auth_type PASS", '        auth_pass "a b#c"', "    }", "}"]


def test_checkers_have_what_they_inherited() -> None:
    lines = dumped(server_text("delay_loop 6.5\nalpha", "TCP_CHECK {\nconnect_timeout 3\n}\nalpha off"))
    real = lines[lines.index("    real_server 10.9.0.1 80 {") :]
    assert real == [
        "    real_server 10.9.0.1 80 {",
        "        alpha off",
        "        TCP_CHECK {",
        "            connect_ip 10.9.0.1",
        "            connect_port 80",
        "            connect_timeout 3",
        "            warmup 6.5",
        "            delay_loop 6.5",
        "        }",
        "    }",
        "}",
    ]


def test_many_values_of_one_keyword_stand_on_lines_of_their_own() -> None:
    codes = [" ".join(f"{code}-{code + 1}" for code in range(first, first + 200, 3)) for first in (100, 300)]
    given = "\n".join(f"status_code {each}" for each in codes)
    lines = dumped(server_text("", f"HTTP_GET {{\nurl {{\npath /\n{given}\n}}\n}}"))
    assert len([line for line in lines if line.split()[0:1] == ["status_code"]]) == 134
    assert max(map(len, lines)) < 100


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (("/bin/true",), "/bin/true"),
        (("/bin/a", "-x", "b=c"), '"/bin/a -x b=c"'),
        (("/bin/a", "two words"), "\"/bin/a 'two words'\""),
        (("/bin/a", ""), "\"/bin/a ''\""),
        (("/bin/a", "it's"), "\"/bin/a 'it\\047s'\""),
        (("/bin/a", '"$HOME"\\'), "\"/bin/a '\\042\\044HOME\\042\\134'\""),
        (("/bin/a", "#!{}\t"), "\"/bin/a '#!{}\\011'\""),
        (("/bin/sh", "-c", "< /dev/tcp/1/2"), '"< /dev/tcp/1/2"'),
    ],
)
def test_a_command_is_written_as_words_that_read_as_it(argv: tuple[str, ...], text: str) -> None:
    assert command_text(Script(argv)) == text
    words = script_words(text, escapes=False)
    assert words is not None
    inner = script_words(words[0], escapes=True)
    assert inner == list(argv) or argv[:2] == ("/bin/sh", "-c")
