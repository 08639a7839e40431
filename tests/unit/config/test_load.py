"""The whole chain: files that are missing or broken, exit statuses, scripts, groups, the difference of two loads."""

import pickle
import subprocess
import sys
from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.diagnostics import Severity, render
from pykeepalived.config.difference import difference, lines, real_servers
from pykeepalived.config.kinds_global import Fifo
from pykeepalived.config.kinds_trackers import Weight
from pykeepalived.config.load import LoadOptions, load
from pykeepalived.config.surroundings import Account, NetworkInterface
from pykeepalived.units import MILLISECOND, SECOND
from tests.config.machine import Machine, element
from tests.config.reading import COMMANDS, PATH, instance_text, messages, read, server_text, sound

SECURE = "global_defs {\nenable_script_security\nscript_user root\n}\n"


def test_an_empty_file_is_sound() -> None:
    loaded = read("")
    assert (loaded.exit_code, loaded.fatal, loaded.diagnostics) == (0, False, ())
    assert loaded.configuration.global_defs.router_id == "oracle"


@pytest.mark.parametrize(("all_config", "exit_code"), [(False, 0), (True, 4)])
def test_a_missing_file(all_config: bool, exit_code: int) -> None:
    loaded = load("/no/such.conf", Machine(), LoadOptions(all_config=all_config))
    assert (loaded.exit_code, loaded.fatal) == (exit_code, True)
    assert loaded.diagnostics[0].message == "Config files missing '/no/such.conf'."


@pytest.mark.parametrize(
    ("text", "exit_code", "message"),
    [
        ("nosuch", 5, "Unknown keyword 'nosuch'"),
        ("}", 5, "Unexpected '}' - ignoring"),
        ("{ x }", 5, "Unexpected '{' - ignoring"),
        ("global_defs {", 5, "the block 'global_defs' is not closed"),
        ("global_defs {\nrouter_id\n}", 5, "router_id needs a word after it"),
        ("vrrp_script {\n}", 2, "*** Configuration line starting `vrrp_script` is missing a parameter"),
        ("track_file {\nfile /x\n}", 2, "*** Configuration line starting `track_file` is missing a parameter"),
        (instance_text("priority"), 2, "*** Configuration line starting `priority` is missing a parameter"),
        ("vrrp_instance {\n}", 5, "vrrp_instance needs exactly one name"),
        ("vrrp_instance A B {\n}", 5, "vrrp_instance needs exactly one name"),
        (instance_text("") * 2, 5, "vrrp_instance 'VI_1' is defined already on line 2"),
        ('global_defs {\nrouter_id "x\n}', 5, "Unterminated quote"),
        (instance_text("notify_master"), 5, "notify_master needs a command"),
    ],
)
def test_exit_statuses(text: str, exit_code: int, message: str) -> None:
    loaded = read(text)
    assert loaded.exit_code == exit_code
    assert any(message in each.message for each in loaded.diagnostics)
    assert loaded.fatal is (exit_code == 2)


def test_one_missing_brace_is_one_mistake() -> None:
    loaded = read("virtual_server 10.9.0.1 80 {\nreal_server 10.9.0.2 80 {\nTCP_CHECK {\n")
    assert sum("not closed" in each for each in messages(loaded)) == 1


def test_a_keyword_in_the_wrong_place_is_sent_home() -> None:
    loaded = read(instance_text("") + "priority 5\nvrrp_script s {\nvrrp_instance X {\n}\n}")
    hints = [each.hint for each in loaded.diagnostics if each.message.startswith("Unknown keyword")]
    assert hints[0] == "priority belongs in vrrp_instance"
    assert hints[1] is not None
    assert "is a } missing above?" in hints[1]


def test_diagnostics_come_in_the_files_order_and_none_twice() -> None:
    loaded = read(instance_text("priorty 1\nadvert_int 1.5\nnotify_stop\nadvert_int 1.5"))
    places = [(each.span.line, each.span.column) for each in loaded.diagnostics if each.span]
    assert places == sorted(places)
    assert len({(each.message, each.span) for each in loaded.diagnostics}) == len(loaded.diagnostics)


def test_a_configuration_pickles_small_and_equal() -> None:
    text = SECURE + "".join(
        server_text("", "TCP_CHECK {\n}").replace("10.9.0.100", f"10.9.{n}.100") for n in range(200)
    )
    configuration = sound(text).configuration
    data = pickle.dumps(configuration, pickle.HIGHEST_PROTOCOL)
    assert pickle.loads(data) == configuration
    assert len(data) < 200 * 400


def test_parts_hold_what_their_process_needs() -> None:
    text = SECURE + instance_text("notify /usr/bin/notify") + server_text("quorum_up /usr/bin/true")
    configuration = sound(text).configuration
    assert configuration.scripts() == {Script(("/usr/bin/notify",)), Script(("/usr/bin/true",))}
    assert configuration.vrrp_part().scripts() == {Script(("/usr/bin/notify",))}
    assert configuration.checker_part().scripts() == {Script(("/usr/bin/true",))}
    assert configuration.checker_part().vrrp_instance == ()


def test_the_running_processes_need_no_parser() -> None:
    code = (
        "import sys, pykeepalived.config.configuration, pykeepalived.config.difference, "
        "pykeepalived.config.diagnostics\n"
        "print([m for m in ('pyparsing', 'pykeepalived.config.interpret', 'scapy', 'asyncio') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- scripts ---


def commanded(machine: Machine, text: str, globals_: str = "enable_script_security\nscript_user root") -> Configuration:
    machine.files[PATH] = (f"global_defs {{\n{globals_}\n}}\n" + instance_text(text)).encode()
    return load(PATH, machine, LoadOptions()).configuration


@pytest.mark.parametrize(
    ("line", "script"),
    [
        ("/usr/bin/true", Script(("/usr/bin/true",))),
        ("true", Script(("/usr/bin/true",))),
        ("\"/usr/bin/notify a 'b c'\"", Script(("/usr/bin/notify", "a", "b c"))),
        ("/usr/bin/true nobody", Script(("/usr/bin/true",), 65534, 65534)),
        ("/usr/bin/true nobody adm", Script(("/usr/bin/true",), 65534, 4)),
        ("/usr/bin/true nobody :adm", Script(("/usr/bin/true",), 65534, 4, (65534,))),
        ("/usr/bin/true nobody :", Script(("/usr/bin/true",), 65534, 65534, (65534,))),
        ('"</dev/tcp/127.0.0.1/80"', Script(("/bin/sh", "-c", "</dev/tcp/127.0.0.1/80"))),
        ("/usr/bin/missing", None),
        ("/usr/bin/true nosuch", None),
        ("/usr/bin/true nobody nosuch", None),
    ],
)
def test_commands(line: str, script: Script | None) -> None:
    found = commanded(Machine(commands=COMMANDS), f"notify {line}").vrrp_instance[0].notify
    assert found == script


def test_script_users() -> None:
    machine = Machine(commands=COMMANDS)
    assert commanded(machine, "notify true", "script_user nobody adm").vrrp_instance[0].notify == Script(
        ("/usr/bin/true",), 65534, 4
    )
    machine.users["keepalived_script"] = Account("keepalived_script", 500, 501, (501, 4))
    assert commanded(machine, "notify true", "enable_script_security").vrrp_instance[0].notify == Script(
        ("/usr/bin/true",), 500, 501
    )
    found = commanded(machine, "notify true", "set_supplementary_groups").vrrp_instance[0].notify
    assert found == Script(("/usr/bin/true",), 500, 501, (501, 4))


@pytest.mark.parametrize(
    ("weak", "remedy"),
    [
        (element("/usr/bin/true", mode=0o757), "chmod o-w /usr/bin/true"),
        (element("/usr/bin/true", mode=0o775, gid=4), "chmod g-w /usr/bin/true"),
        (element("/usr/bin/true", uid=1000), "chown root /usr/bin/true"),
        (element("/usr", mode=0o777, kind="directory"), "chmod o-w /usr"),
    ],
)
def test_a_script_that_others_could_change_is_not_run_by_root(weak: object, remedy: str) -> None:
    machine = Machine(commands=COMMANDS)
    assert hasattr(weak, "path")
    if weak.path == "/usr":
        machine.folders["/usr"] = weak  # type: ignore[assignment]
    else:
        machine.commands["/usr/bin/true"] = weak  # type: ignore[assignment]
    loaded = read(SECURE + instance_text("notify true"), machine)
    assert loaded.configuration.vrrp_instance[0].notify is None
    assert loaded.exit_code == 0
    (found,) = loaded.diagnostics
    assert found.message == "Unsafe permissions found for script 'true' - disabling."
    assert found.hint is not None
    assert found.hint.endswith(remedy)
    assert "mode 0" in found.hint
    # another user may run it, and root where security is not asked for
    assert read(SECURE + instance_text("notify true nobody"), machine).configuration.vrrp_instance[0].notify
    insecure = read(instance_text("notify true"), machine)
    assert insecure.configuration.vrrp_instance[0].notify
    assert insecure.exit_code == 6


def test_a_sticky_directory_is_safe() -> None:
    machine = Machine(commands=("/tmp/x/s.sh",))
    machine.folders["/tmp"] = element("/tmp", mode=0o1777, kind="directory")
    assert sound(SECURE + instance_text("notify /tmp/x/s.sh"), machine).configuration.vrrp_instance[0].notify


def test_root_scripts_without_security_are_a_violation() -> None:
    loaded = read(instance_text("notify true"))
    assert loaded.exit_code == 6
    assert not loaded.fatal
    assert loaded.diagnostics[0].message.startswith("SECURITY VIOLATION")
    assert loaded.configuration.vrrp_instance[0].notify == Script(("/usr/bin/true",))
    assert read(instance_text("notify /no/such")).exit_code == 0
    # where an interface is missing keepalived looks no further
    assert read(instance_text("notify true").replace("eth0", "eth7")).exit_code == 5


def test_vrrp_scripts() -> None:
    text = SECURE + 'vrrp_script s {\nscript "/opt/check.sh -q"\n%s\n}\n' + instance_text("track_script {\ns\n}")
    (found,) = sound(text % "").configuration.vrrp_script
    assert (found.interval, found.timeout, found.rise, found.fall) == (SECOND, SECOND, 1, 1)
    assert found.weight == Weight(0)
    (found,) = sound(
        text % "interval 0.25\nweight -7 reverse\nrise 3\nfall 2\ninit_fail\nuser nobody"
    ).configuration.vrrp_script
    assert (found.interval, found.timeout) == (250 * MILLISECOND, 250 * MILLISECOND)
    assert (found.rise, found.fall, found.init_fail) == (3, 2, True)
    assert found.weight == Weight(-7, reverse=True)
    assert found.script == Script(("/opt/check.sh", "-q"), 65534, 65534)
    (found,) = sound(text % "interval 5\ntimeout 3").configuration.vrrp_script
    assert found.timeout == 3 * SECOND


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("", "No script set for vrrp_script s - removing"),
        ('script "/no/such"', "Unable to find script '/no/such' - disabling"),
        ('script "/opt/check.sh"\nuser nosuch', "Script user 'nosuch' does not exist"),
        ('script "/opt/check.sh"\nweight 300', "number '300' outside range [-253, 253], 253 is used"),
        ('script "/opt/check.sh"\ninterval 0', "0 is not a possible time, 1 s is used"),
        ('script "/opt/check.sh"\ninterval 2.0005', "too many decimal places"),
    ],
)
def test_bad_vrrp_scripts(block: str, message: str) -> None:
    loaded = read(SECURE + f"vrrp_script s {{\n{block}\n}}\n" + instance_text("track_script {\ns\n}"))
    assert any(message in each for each in messages(loaded))


def test_words_after_a_command_are_lost_and_said() -> None:
    loaded = read(SECURE + "vrrp_script s {\nscript /opt/check.sh -q\n}\n" + instance_text("track_script {\ns\n}"))
    assert loaded.exit_code == 0
    assert loaded.configuration.vrrp_script[0].script.argv == ("/opt/check.sh",)
    assert loaded.diagnostics[0].hint == 'quote the command with its arguments: script "/opt/check.sh -q"'


def test_an_unused_script_is_said() -> None:
    loaded = sound(SECURE + "vrrp_script s {\nscript /opt/check.sh\n}\n")
    assert [each.message for each in loaded.diagnostics] == ["Warning - script s is not used"]


# --- groups ---

PAIR = instance_text("track_interface {\neth1 weight 5\n}") + instance_text("").replace("VI_1", "VI_2").replace(
    "51", "52"
)


def test_sync_groups() -> None:
    text = instance_text("") + instance_text("").replace("VI_1", "VI_2").replace("51", "52")
    loaded = sound(f"vrrp_sync_group G {{\ngroup {{\nVI_1 VI_2\n}}\ntrack_interface {{\neth1\n}}\n}}{text}")
    (group,) = loaded.configuration.vrrp_sync_group
    assert group.group == ("VI_1", "VI_2")
    assert [each.name for each in group.track_interface] == ["eth1"]


def test_members_lose_their_weights() -> None:
    loaded = read(PAIR + "vrrp_sync_group G {\ngroup {\nVI_1\nVI_2\n}\n}")
    assert [each.weight for each in loaded.configuration.vrrp_instance[0].track_interface] == [0]
    assert "tracked interface eth1 has a weight in sync group G" in messages(loaded)[0]
    loaded = sound(PAIR + "vrrp_sync_group G {\nsync_group_tracking_weight\ngroup {\nVI_1\nVI_2\n}\n}")
    assert [each.weight for each in loaded.configuration.vrrp_instance[0].track_interface] == [5]
    reverse = PAIR.replace("weight 5", "weight 0 reverse")
    assert reverse != PAIR
    (found,) = (
        sound(reverse + "vrrp_sync_group G {\ngroup {\nVI_1\nVI_2\n}\n}").configuration.vrrp_instance[0].track_interface
    )
    assert found.reverse  # what has no weight has nothing to lose


@pytest.mark.parametrize(
    ("groups", "left", "message"),
    [
        ("vrrp_sync_group G {\ngroup {\nVI_1\nVI_9\n}\n}", 1, "Virtual router VI_9 specified in sync group G doesn't"),
        ("vrrp_sync_group G {\ngroup {\nVI_9\n}\n}", 0, "Sync group G, no matching virtual router found"),
        ("vrrp_sync_group G {\n}", 0, "Sync group G, no matching virtual router found"),
        ("vrrp_sync_group G {\ngroup {\nVI_2\n}\n}", 1, "Sync group G has only 1 virtual router(s)"),
        (
            "vrrp_sync_group G {\ngroup {\nVI_2\n}\n}\nvrrp_sync_group H {\ngroup {\nVI_2\n}\n}",
            1,
            "Virtual router VI_2 specified in sync group H is already in sync group G",
        ),
        ("vrrp_sync_group G {\ngroup {\nVI_2\n}\ngroup {\nVI_1\n}\n}", 1, "group is set already"),
    ],
)
def test_bad_groups(groups: str, left: int, message: str) -> None:
    loaded = read(PAIR + groups)
    assert len(loaded.configuration.vrrp_sync_group) == left
    assert any(message in each for each in messages(loaded))
    assert not loaded.fatal


# --- global_defs ---


def test_blocks_of_global_defs_merge() -> None:
    text = (
        "global_defs {\nrouter_id a\nvrrp_version 3\n}\nglobal_defs {\nrouter_id b\n}\nchild_wait_time 9\nuse_pid_dir"
    )
    found = sound(text).configuration.global_defs
    assert (found.router_id, found.vrrp_version, found.child_wait_time, found.use_pid_dir) == ("b", 3, 9 * SECOND, True)


def test_fifos_and_their_owners() -> None:
    fifos = "notify_fifo /run/a nobody\nvrrp_notify_fifo /run/a\nlvs_notify_fifo /run/b\nnotify_fifo_script true"
    text = f"{SECURE}global_defs {{\n{fifos}\n}}"
    found = read(text).configuration.global_defs
    assert found.notify_fifo == Fifo("/run/a", "nobody", owner=(65534, 65534))
    assert (found.vrrp_notify_fifo, found.lvs_notify_fifo) == (None, Fifo("/run/b", owner=(0, 0)))
    assert found.notify_fifo_script == Script(("/usr/bin/true",))


def test_a_fifo_without_an_owner_is_made_that_of_the_script_user() -> None:
    lines = "script_user nobody\nlvs_notify_fifo /run/b\nnotify_fifo /run/c root"
    found = sound(f"global_defs {{\n{lines}\n}}").configuration.global_defs
    assert found.lvs_notify_fifo == Fifo("/run/b", owner=(65534, 65534))
    assert found.notify_fifo == Fifo("/run/c", "root", owner=(0, 0))
    assert sound("global_defs {\nnotify_fifo /run/a\n}").configuration.global_defs.notify_fifo == Fifo("/run/a")


def test_settings_that_are_read_and_have_no_effect_are_said() -> None:
    loaded = sound("global_defs {\nstate_dump_file /tmp/a\ndata_use_instance\n}")
    assert [each.split(" (")[0] for each in loaded.not_effective] == [
        "global_defs/state_dump_file",
        "global_defs/data_use_instance",
    ]
    assert sound("global_defs {\nrouter_id a\n}").not_effective == ()


@pytest.mark.parametrize(
    ("text", "value"), [("0177", 0o177), ("0x1f", 31), ("18", 18), ("IXUSR|IRWXG", 0o170), ("9999", None), ("IX", None)]
)
def test_umask(text: str, value: int | None) -> None:
    loaded = read(f"global_defs {{\numask {text}\n}}")
    assert loaded.configuration.global_defs.umask == value
    assert bool(messages(loaded)) is (value is None)


def test_interfaces_of_a_network_namespace() -> None:
    machine = Machine(commands=COMMANDS)
    text = "net_namespace blue\n" + instance_text("").replace("eth0", "blue0")
    missing = read(text, machine)
    assert missing.fatal
    assert missing.exit_code == 0  # as keepalived, which ends before it counts
    assert "ip netns add blue" in render(missing.diagnostics[0])
    machine.namespaces["blue"] = {"blue0": NetworkInterface("blue0")}
    assert sound(text, machine).configuration.global_defs.net_namespace == "blue"


# --- difference ---


def test_the_difference_is_by_identity() -> None:
    text = instance_text("") + instance_text("").replace("VI_1", "VI_2").replace("51", "52") + server_text("")
    old = sound(text).configuration
    assert not difference(old, old)
    new = sound(text.replace("VI_1", "renamed").replace("virtual_router_id 52", "virtual_router_id 53")).configuration
    found = difference(old, new)
    assert found
    assert [(a.name, b.name) for a, b in found.vrrp_instance.changed] == [("VI_1", "renamed")]
    assert [each.virtual_router_id for each in found.vrrp_instance.added] == [53]
    assert [each.virtual_router_id for each in found.vrrp_instance.removed] == [52]
    assert not found.virtual_server
    assert not found.global_defs


def test_the_difference_of_real_servers() -> None:
    (old,) = sound(server_text("")).configuration.virtual_server
    heavier = replace(old.real_server[0], weight=9)
    other = replace(old.real_server[0], address=IPv4Address("10.9.0.2"))
    found = real_servers(old, replace(old, real_server=(heavier, other)))
    assert found.changed == ((old.real_server[0], heavier),)
    assert found.added == (other,)
    assert found.removed == ()
    assert all(each.severity is not Severity.ERROR for each in sound(server_text("")).diagnostics)


def test_the_difference_in_words() -> None:
    text = instance_text("priority 100") + server_text("")
    old = sound(text).configuration
    assert lines(difference(old, old)) == []
    (instance,), (server,) = old.vrrp_instance, old.virtual_server
    real = server.real_server[0]
    changed = replace(
        old,
        global_defs=replace(old.global_defs, router_id="other"),
        vrrp_instance=(
            replace(instance, priority=150, advert_int=SECOND // 2, nopreempt=True, auth_pass=b"secret"),
            replace(instance, name="VI_9", virtual_router_id=9),
        ),
        virtual_server=(replace(server, quorum=2, real_server=(replace(real, port=81),)),),
    )
    said = lines(difference(old, changed))
    assert said == [
        f"global_defs: router_id {old.global_defs.router_id} -> other",
        "vrrp_instance VI_1: priority 100 -> 150, advert_int 1 -> 0.5, auth_pass, nopreempt off -> on",
        "vrrp_instance VI_9: added",
        (
            f"virtual_server {server.service}: real_server {real.address} {real.port}: removed;"
            f" real_server {real.address} 81: added; quorum 1 -> 2"
        ),
    ]
    assert lines(difference(changed, replace(changed, vrrp_instance=(), virtual_server=())))[0] == (
        "vrrp_instance VI_1: removed"
    )


@pytest.mark.parametrize(
    ("word", "password", "warned"),
    [
        (r"ab\#cd", b"ab", True),
        (r"ab\!cd", b"ab", True),
        ('"ab#cd"', b"ab#cd", False),
        ("abcd # it \\# is", b"abcd", False),
    ],
)
def test_an_escaped_comment_sign_counts_in_global_defs_alone(word: str, password: bytes, warned: bool) -> None:
    """As keepalived reads it: a password must be the same on both nodes of a mixed pair."""
    global_defs = "global_defs {\nrouter_id a\\#b\n}"
    loaded = sound(instance_text(f"authentication {{\nauth_type PASS\nauth_pass {word}\n}}", global_defs))
    assert loaded.configuration.global_defs.router_id == "a#b"
    assert loaded.configuration.vrrp_instance[0].auth_pass == password
    assert loaded.exit_code == 0
    assert any("a comment begins here" in each.message for each in loaded.diagnostics) == warned


@pytest.mark.parametrize(
    ("head", "exit_code", "first"),
    [
        (r"vrrp_instance V\#1", 5, "1:17 Missing '{' at beginning of configuration block: vrrp_instance"),
        (r"vrrp_instance V\!", 5, "1:17 Missing '{' at beginning of configuration block: vrrp_instance"),
        ('vrrp_instance "V#1"', 0, None),
    ],
)
def test_an_escaped_comment_sign_in_a_head_costs_keepalived_the_block(
    head: str, exit_code: int, first: str | None
) -> None:
    loaded = read(instance_text("").lstrip().replace("vrrp_instance VI_1", head))
    assert messages(loaded)[:1] == ([first] if first else [])
    assert loaded.exit_code == exit_code
