"""global_defs: every keyword against the table of the language, what one setting means for another, the machine."""

from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.diagnostics import Severity
from pykeepalived.config.difference import difference, lines
from pykeepalived.config.kinds import Entries, Flag, Names, Words
from pykeepalived.config.kinds_firewall import ChainNames, IpsetNames
from pykeepalived.config.kinds_global import (
    CpuList,
    Fifo,
    FifoKind,
    MailServer,
    MailServerKind,
    OneWord,
    ReceiveBuffers,
    ReceiveBuffersKind,
    Umask,
)
from pykeepalived.config.kinds_ipvs import LvsTimeouts, LvsTimeoutsKind, SyncDaemon, SyncDaemonKind
from pykeepalived.config.kinds_vrrp import ExtraGarp
from pykeepalived.config.schema import table_of
from pykeepalived.units import SECOND
from tests.config.machine import Machine
from tests.config.reading import COMMANDS, instance_text, messages, read, server_text, sound


def defs(text: str, machine: Machine | None = None) -> GlobalDefs:
    """The settings of a sound file with these lines in global_defs."""
    return sound(f"global_defs {{\n{text}\n}}", machine).configuration.global_defs


def mistakes(text: str) -> list[str]:
    """``line:column message`` of what counts; the lines begin at 2."""
    return messages(read(f"global_defs {{\n{text}\n}}"))


# --- values, and the words that read as them ---

VALUES: list[tuple[str, Any]] = [
    ("router_id a", "a"),
    ("process_name abc", "abc"),
    ("notification_email_from me@here", "me@here"),
    ("smtp_server 10.0.0.1", MailServer("10.0.0.1", 25)),
    ("smtp_server localhost 587", MailServer("localhost", 587)),
    ("smtp_server 2001:DB8::1 2525", MailServer("2001:db8::1", 2525)),
    ("smtp_helo_name h", "h"),
    ("smtp_connect_timeout 7", 7 * SECOND),
    ("smtp_alert off", False),
    ("startup_script_timeout 1000", 1000 * SECOND),
    ("max_auto_priority", 99),
    ("max_auto_priority -1", -1),
    ("min_auto_priority_delay 10000000", 10_000_000),
    ("umask IWGRP | IWOTH", 0o022),
    ("umask IRWXU|IRWXG|IRWXO", 0o777),
    ("umask 0X1f", 0o37),
    ("vrrp_priority -20", -20),
    ("checker_rt_priority 99", 99),
    ("bfd_cpu_affinity 3 0 0", (0, 3)),
    ("vrrp_rlimit_rttime 1", 2),
    ("bfd_rlimit_rttime 4294967295", 4294967295),
    ("vrrp_iptables", ("INPUT", "OUTPUT")),
    ("vrrp_iptables IN", ("IN",)),
    ("vrrp_iptables IN OUT", ("IN", "OUT")),
    ("vrrp_ipsets", ()),
    ("vrrp_ipsets s", ("s", "s6", "s_if6", "s_igmp", "s_mld", "s_nd")),
    ("vrrp_ipsets a b c", ("a", "b", "c", "a_igmp", "a_mld", "a_nd")),
    ("vrrp_ipsets a b6", ("a", "b6", "b_if6", "a_igmp", "a_mld", "a_nd")),
    ("nftables", "keepalived"),
    ("nftables table", "table"),
    ('nftables ""', "keepalived"),
    ("nftables_priority -2147483648", -2147483648),
    ("nftables_ipvs", "keepalived_ipvs"),
    ("nftables_ipvs_start_fwmark 4294967295", 4294967295),
    ("lvs_timeouts tcp 900 udp 2678400", LvsTimeouts(tcp=900 * SECOND, udp=2678400 * SECOND)),
    ("lvs_timeouts tcp 1 tcp 2", LvsTimeouts(tcp=2 * SECOND)),
    ("lvs_timeouts tcp 1 udp 5\nlvs_timeouts tcp 2 tcpfin 3", LvsTimeouts(2 * SECOND, 3 * SECOND, 5 * SECOND)),
    ("lvs_flush_on_stop", "all"),
    ("lvs_flush_on_stop VS", "VS"),
    ("lvs_flush_onstop VS", "VS"),
    ("vrrp_mcast_group4 239.1.1.1", IPv4Address("239.1.1.1")),
    ("vrrp_mcast_group6 ff02::99", IPv6Address("ff02::99")),
    ("vrrp_garp_extra_if 86400", ExtraGarp(86400 * SECOND)),
    ("vrrp_garp_extra_if all 1", ExtraGarp(SECOND, everywhere=True)),
    ("vrrp_garp_interval 0.000001", 1000),
    ("vrrp_netlink_cmd_rcv_bufs 4294967295", 4294967295),
    ("vrrp_netlink_cmd_rcv_bufs_force", True),
    ("vrrp_rx_bufs_policy mtu", ReceiveBuffers("MTU")),
    ("vrrp_rx_bufs_policy Advert", ReceiveBuffers("ADVERT")),
    ("vrrp_rx_bufs_policy 5000", ReceiveBuffers(size=5000)),
    ("vrrp_rx_bufs_policy 5000 6000", ReceiveBuffers(size=5000)),
    ("vmac_prefix v", "v"),
    ("random_seed 0", 0),
    ("reload_check_config", "/dev/null"),
    ("reload_check_config /run/log", "/run/log"),
    ("reload_time_file /run/time", "/run/time"),
    ("reload_file", ""),
    ("reload_file /run/x", "/run/x"),
    ("config_save_dir /run/x more", "/run/x"),
    ("tmp_config_directory /run/x", "/run/x"),
    ("json_version 2", 2),
    ("iproute_usr_dir /usr/share/iproute2", "/usr/share/iproute2"),
    ("state_dump_file /run/dumps/", "/run/dumps/"),
    ("snmp_socket tcp:10.0.0.1:705", "tcp:10.0.0.1:705"),
    ("snmp_rs_stats_update_interval 0.001", SECOND // 1000),
    ("dbus_service_name a.b", "a.b"),
    ("dynamic_interfaces", ""),
    ("dynamic_interfaces allow_if_changes", "allow_if_changes"),
    ("default_interface br0", "br0"),
    ("v3_checksum_as_v2 off", True),
    ("vrrp_check_unicast_src no", True),
    ("vrrp_strict off", False),
    ("notify_fifo /run/a nobody adm", Fifo("/run/a", "nobody", "adm", (65534, 4))),
    ("script_user nobody :adm", ("nobody", ":adm")),
    ("lvs_sync_daemon eth0 id 0", SyncDaemon("eth0", syncid=0)),
    ("lvs_sync_daemon eth0 VI id 5", SyncDaemon("eth0", "VI", 5)),
    (
        "lvs_sync_daemon eth0 inst VI maxlen 65507 port 1 ttl 255 group ff02::81 id 255",
        SyncDaemon("eth0", "VI", 255, 65507, 1, 255, IPv6Address("ff02::81")),
    ),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_values(text: str, value: Any) -> None:
    name = text.split(maxsplit=1)[0]
    name = table_of(GlobalDefs).alias.get(name, name)
    assert getattr(defs(text), name) == value


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_a_value_is_written_as_words_that_read_as_it(text: str, value: Any) -> None:
    name = text.split(maxsplit=1)[0]
    name = table_of(GlobalDefs).alias.get(name, name)
    written = table_of(GlobalDefs).keywords[name].kind.write(value)
    assert getattr(defs(f"{name} {written}"), name) == value


READ_ALL = (
    MailServerKind,
    ReceiveBuffersKind,
    CpuList,
    LvsTimeoutsKind,
    SyncDaemonKind,
    Umask,
    OneWord,
    FifoKind,
    Words,
    IpsetNames,
    ChainNames,
)
"""Kinds that look at every word of the line."""


def test_words_too_many_are_passed_over() -> None:
    plain = [
        (text, value)
        for text, value in VALUES
        if (spec := table_of(GlobalDefs).keywords.get(text.split(" ", 1)[0])) is not None
        and (not isinstance(spec.kind, READ_ALL) or text.startswith("config_save_dir"))
        and (len(text.split()) > 1 or isinstance(spec.kind, Flag))
    ]
    assert len(plain) >= 38
    for text, value in plain:
        assert getattr(defs(f"{text} surplus"), text.split(" ", 1)[0]) == value, text


def test_every_kind_has_a_value_above_or_is_plain() -> None:
    shown = {text.split()[0] for text, _ in VALUES}
    kinds = {type(table_of(GlobalDefs).keywords[name].kind) for name in shown if name in table_of(GlobalDefs).keywords}
    everything = {type(spec.kind) for spec in table_of(GlobalDefs).keywords.values() if not spec.kind.raw}
    assert everything - kinds <= {Flag, Names, Entries}
    assert len(everything) > 20


# --- mistakes ---


@pytest.mark.parametrize(
    ("text", "place", "value"),
    [
        ("process_name abcdefghijklmnopq", "2:14 process_name: process name", "abcdefghijklmno"),
        ("smtp_connect_timeout 0", "2:22 smtp_connect_timeout: 0 is not a possible time, 1 s is used", SECOND),
        ("smtp_server 10.0.0.1 70000", "2:22 smtp_server: number", None),
        ("smtp_server 10.0.0.1/24", "2:13 smtp_server: '10.0.0.1/24' is neither", None),
        ("smtp_server **", "2:13 smtp_server: '**' is neither", None),
        ("vrrp_rt_priority 0", "2:18 vrrp_rt_priority: number '0' outside range [1, 99], 1 is used", 1),
        ("vrrp_rt_priority 100", "2:18 vrrp_rt_priority: number '100' outside range [1, 99], 99 is used", 99),
        ("vrrp_cpu_affinity 0 x", "2:21 vrrp_cpu_affinity: invalid number 'x'", ()),
        ("vrrp_cpu_affinity 0 4", "2:21 vrrp_cpu_affinity: there is no CPU 4", ()),
        ("vrrp_mcast_group6 ff05::12", "2:19 vrrp_mcast_group6: ff05::12 is not a link-local", IPv6Address("ff05::12")),
        ("vrrp_iptables A A", "2:17 vrrp_iptables: 'A' stands twice", ()),
        (f"vrrp_iptables {'a' * 28}", "2:15 vrrp_iptables: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaa' cannot", ()),
        (f"nftables {'a' * 256}", "2:10 nftables: 'a", None),
        ("nftables a\nnftables b", "3:1 nftables is set already", "a"),
        ("vrrp_rx_bufs_policy MTU ADVERT", "2:25 vrrp_rx_bufs_policy: MTU and ADVERT", ReceiveBuffers("MTU")),
        ("vrrp_rx_bufs_policy ADVERT MTU", "2:28 vrrp_rx_bufs_policy: MTU and ADVERT", ReceiveBuffers("MTU")),
        ("vrrp_rx_bufs_policy 5 MTU", "2:23 vrrp_rx_bufs_policy: a size is set", ReceiveBuffers(size=5)),
        ("vrrp_rx_bufs_policy MTU 5", "2:25 vrrp_rx_bufs_policy: a size is set", ReceiveBuffers(size=5)),
        ("vrrp_rx_bufs_policy 5\nvrrp_rx_bufs_policy MTU", "3:21 vrrp_rx_bufs_policy: a size", ReceiveBuffers(size=5)),
        ("vrrp_rx_bufs_policy large", "2:21 vrrp_rx_bufs_policy: invalid number", ReceiveBuffers()),
        ("umask 1 2", "2:9 umask: takes one number", None),
        ("umask IWGRP|IWOTHX", "2:7 umask: unknown bit 'IWOTHX'", None),
        ("umask S_IWGRP", "2:7 umask: unknown bit 'S_IWGRP'", None),
        ("umask -1", "2:7 umask: unknown bit '-1'", None),
        ("umask 08", "2:7 umask: invalid value '08'", None),
        ("snmp_socket a b", "2:15 snmp_socket: takes one word", None),
        ('state_dump_file ""', "2:17 state_dump_file: the word is empty", None),
        ("notification_email {\n}", "2:1 notification_email is empty", ()),
        ("vrrp_garp_extra_if all 0", "2:24 vrrp_garp_extra_if: number '0' outside range [1, 86400]", ExtraGarp()),
        ("lvs_timeouts foo 5", "2:14 lvs_timeouts: unknown option 'foo'", LvsTimeouts()),
        ("lvs_timeouts tcp 5 udp", "2:20 lvs_timeouts: udp has no value", LvsTimeouts(5 * SECOND)),
        ("lvs_timeouts tcp 2678401 udp 5", "2:18 lvs_timeouts: number", LvsTimeouts(udp=5 * SECOND)),
        ("lvs_sync_daemon eth0 VI 5", "2:25 lvs_sync_daemon: the syncid 5 without", SyncDaemon("eth0", "VI", 5)),
        ("lvs_sync_daemon eth0 VI x", "2:25 lvs_sync_daemon: invalid number", SyncDaemon("eth0", "VI", 0)),
        ("lvs_sync_daemon eth0 id 256", "2:25 lvs_sync_daemon: number '256'", SyncDaemon("eth0", syncid=0)),
        ("lvs_sync_daemon eth0 ttl", "2:22 lvs_sync_daemon: ttl has no value", SyncDaemon("eth0", syncid=0)),
        ("lvs_sync_daemon eth0 port 5 VI", "2:29 lvs_sync_daemon: unknown option", SyncDaemon("eth0", None, 0, port=5)),
        (
            "lvs_sync_daemon eth0 group 10.0.0.1",
            "2:28 lvs_sync_daemon: '10.0.0.1' is not",
            SyncDaemon("eth0", syncid=0),
        ),
        ("lvs_sync_daemon eth0 V inst W", "2:29 lvs_sync_daemon: the instance is V", SyncDaemon("eth0", "V", 0)),
        ("lvs_sync_daemon eth0\nlvs_sync_daemon eth1", "3:1 lvs_sync_daemon is set", SyncDaemon("eth0", syncid=0)),
        (
            "vrrp_vmac_garp_intvl all 5",
            "2:1 'vrrp_vmac_garp_intvl' is deprecated",
            ExtraGarp(5 * SECOND, everywhere=True),
        ),
        ("vmac_prefix a\nvmac_prefix b", "3:1 vmac_prefix is set already", "a"),
        ("lvs_flush_on_stop all", "2:19 lvs_flush_on_stop: unknown value 'all'", ""),
    ],
)
def test_mistakes_and_what_stands_all_the_same(text: str, place: str, value: Any) -> None:
    loaded = read(f"global_defs {{\n{text}\n}}")
    (found,) = messages(loaded)
    assert found.startswith(place)
    assert all(each.hint for each in loaded.diagnostics)
    assert loaded.exit_code == 5
    assert not loaded.fatal
    name = text.split(maxsplit=1)[0]
    assert getattr(loaded.configuration.global_defs, table_of(GlobalDefs).alias.get(name, name)) == value


def test_all_mistakes_of_one_line_are_told() -> None:
    assert [each.split(" ")[0] for each in mistakes("lvs_sync_daemon eth0 maxlen 0 port 0 wrong group x")] == [
        "2:29",
        "2:36",
        "2:38",
        "2:50",
    ]


CHECKED = (
    "default_interface",
    "script_user",
    "notify_fifo",
    "vrrp_notify_fifo",
    "lvs_notify_fifo",
    "snmp_socket",
    "dbus_service_name",
    "notification_email_from",
    "startup_script",
    "startup_script_timeout",
    "shutdown_script_timeout",
    "min_auto_priority_delay",
    "vrrp_priority",
    "checker_rt_priority",
    "bfd_cpu_affinity",
    "vrrp_garp_extra_if",
    "lvs_timeouts",
    "lvs_sync_daemon",
    "router_id",
    "vrrp_netlink_cmd_rcv_bufs",
    "vrrp_rx_bufs_policy",
    "vrrp_rx_bufs_multiplier",
    "reload_time_file",
    "tmp_config_directory",
)
ENDS = (
    "process_name",
    "umask",
    "smtp_connect_timeout",
    "vmac_prefix",
    "random_seed",
    "vrrp_rlimit_rttime",
    "vrrp_garp_interval",
    "nftables_priority",
    "smtp_server",
    "vrrp_mcast_group4",
    "vrrp_version",
    "config_save_dir",
)


@pytest.mark.parametrize(("name", "fatal"), [*((name, False) for name in CHECKED), *((name, True) for name in ENDS)])
def test_a_missing_word_is_said_and_for_some_the_end(name: str, fatal: bool) -> None:
    loaded = read(f"global_defs {{\n{name}\n}}")
    assert len(messages(loaded)) == 1
    assert (loaded.exit_code, loaded.fatal) == ((2, True) if fatal else (5, False))


def test_the_second_name_of_the_sync_daemon_is_the_end_as_well() -> None:
    loaded = read("global_defs {\nlvs_sync_daemon eth0 inst\n}")
    assert (loaded.exit_code, loaded.fatal) == (2, True)


@pytest.mark.parametrize(
    "text", ["lvs_process_name x", "enable_snmp_keepalived", "lvs_flush_onstop", "bfd_rlimit_rtime 5"]
)
def test_some_former_names_are_said_and_do_not_count(text: str) -> None:
    loaded = sound(f"global_defs {{\n{text}\n}}")
    assert loaded.exit_code == 0
    assert f"'{text.split(maxsplit=1)[0]}' is deprecated" in loaded.diagnostics[0].message


# --- what one setting means for another ---


def test_defaults_that_are_the_machines() -> None:
    for found in (defs(""), sound("").configuration.global_defs):
        assert (found.router_id, found.smtp_helo_name, found.notification_email_from) == ("oracle", "", "")
    found = defs("smtp_server 10.0.0.1\nsmtp_helo_name")
    assert (found.smtp_helo_name, found.notification_email_from) == ("oracle", "root@oracle")
    found = defs("smtp_server 10.0.0.1\nsmtp_helo_name h\nnotification_email_from me@here")
    assert (found.smtp_helo_name, found.notification_email_from) == ("h", "me@here")
    assert sound("").configuration == sound("global_defs {\n}").configuration


def test_mail_goes_to_all_words_of_all_blocks() -> None:
    text = 'notification_email {\na@b c@d\n}\nnotification_email {\n"Ops Team <o@t>" # on call\n}'
    assert defs(text).notification_email == ("a@b", "c@d", "Ops Team <o@t>")


@pytest.mark.parametrize(
    ("text", "vrrp", "checker"),
    [
        ("", False, None),
        ("smtp_alert", True, True),
        ("smtp_alert off", False, False),
        ("smtp_alert\nsmtp_alert_vrrp no\nsmtp_alert_checker no", False, False),
        ("smtp_alert_checker", False, True),
    ],
)
def test_alerts_inherit(text: str, vrrp: bool, checker: bool | None) -> None:
    found = defs(text)
    assert (found.smtp_alert_vrrp, found.smtp_alert_checker) == (vrrp, checker)


def test_a_mail_server_that_cannot_be_looked_up_is_said_and_kept() -> None:
    loaded = read("global_defs {\nsmtp_server mail.example\n}")
    assert messages(loaded) == ["2:13 Invalid smtp server mail.example: the name has no address"]
    assert loaded.exit_code == 5
    assert [each.severity for each in loaded.diagnostics] == [Severity.WARNING]  # errors refuse a reload
    assert loaded.configuration.global_defs.smtp_server == MailServer("mail.example")
    machine = Machine()
    machine.hosts.add("mail.example")
    assert defs("smtp_server mail.example", machine).smtp_server == MailServer("mail.example")


def test_prefixes_and_mibs_and_lower_priorities_inherit() -> None:
    found = defs("vmac_prefix v\nenable_snmp_rfc\nvrrp_garp_master_delay 9\nvrrp_garp_master_repeat 8")
    assert (found.vmac_prefix, found.vmac_addr_prefix) == ("v", "v")
    assert (found.enable_snmp_rfcv2, found.enable_snmp_rfcv3, found.enable_snmp_vrrp) == (True, True, False)
    assert (found.vrrp_garp_lower_prio_delay, found.vrrp_garp_lower_prio_repeat) == (9 * SECOND, 8)
    assert defs("vmac_prefix v\nvmac_addr_prefix w").vmac_addr_prefix == "w"


def test_nftables_sets_back_what_stands_above_it() -> None:
    loaded = sound("global_defs {\nnftables_priority 7\nnftables\nnftables_ipvs\nnftables_ipvs_start_fwmark 9\n}")
    found = loaded.configuration.global_defs
    assert (found.nftables_priority, found.nftables_ipvs_start_fwmark) == (-1, 9)
    assert "nftables_priority is set back to -1 by nftables" in [each.message for each in loaded.diagnostics]
    assert defs("nftables\nnftables_priority 7").nftables_priority == 7


def test_cpus_are_the_machines() -> None:
    machine = Machine()
    machine.processors = 64
    assert defs("vrrp_cpu_affinity 63", machine).vrrp_cpu_affinity == (63,)


@pytest.mark.parametrize(
    ("given", "syncid"), [("", 0), ("VI_1", 51), ("VI_1 id 7", 7), ("id 0", 0), ("no_such_instance", 0)]
)
def test_the_syncid_is_the_instances_vrid(given: str, syncid: int) -> None:
    text = f"global_defs {{\nlvs_sync_daemon eth0 {given}\n}}\n" + instance_text("")
    daemon = sound(text).configuration.global_defs.lvs_sync_daemon
    assert daemon is not None
    assert daemon.syncid == syncid


def test_fifos_of_an_owner_that_does_not_exist_are_not_used_and_do_not_count() -> None:
    loaded = sound("global_defs {\nnotify_fifo /run/a nosuch\nvrrp_notify_fifo /run/b nobody nosuch\n}")
    found = loaded.configuration.global_defs
    assert (found.notify_fifo, found.vrrp_notify_fifo) == (None, None)
    assert len(loaded.diagnostics) == 2


# --- scripts ---


@pytest.mark.parametrize(
    ("text", "exit_code"),
    [
        ("startup_script /usr/bin/true", 6),
        ("startup_script /usr/bin/true nobody", 0),
        ("startup_script /no/such", 0),
        ("shutdown_script /usr/bin/true nosuch", 5),
        ("enable_script_security", 0),
        ("enable_script_security\nshutdown_script /usr/bin/true", 5),
        ("enable_script_security\nshutdown_script /usr/bin/true root", 0),
        ("notify_fifo_script /usr/bin/true", 0),
    ],
)
def test_verdicts_about_scripts(text: str, exit_code: int) -> None:
    assert read(f"global_defs {{\n{text}\n}}").exit_code == exit_code


def test_a_reader_counts_where_a_process_starts_it() -> None:
    for name, instance, server in (("notify", 6, 6), ("vrrp_notify", 6, 0), ("lvs_notify", 0, 6)):
        text = f"global_defs {{\n{name}_fifo /run/a\n{name}_fifo_script /usr/bin/true\n}}\n"
        assert read(text + instance_text("")).exit_code == instance, name
        assert read(text + server_text("")).exit_code == server, name


def test_scripts_around_the_daemons_life_are_commands() -> None:
    found = defs("enable_script_security\nscript_user nobody\nstartup_script '/usr/bin/true a'")
    assert found.startup_script == Script(("/usr/bin/true", "a"), 65534, 65534)
    assert (found.script_uid, found.script_gid, found.shutdown_script) == (65534, 65534, None)
    machine = Machine(commands=COMMANDS)
    loaded = read("global_defs {\nstartup_script /usr/bin/true nobody\nstartup_script /usr/bin/notify\n}", machine)
    assert messages(loaded) == ["3:1 startup_script is set already, the first stands"]


# --- outside every block ---


def test_keywords_outside_every_block() -> None:
    text = "net_namespace_ipvs\nnamespace_with_ipsets\ninstance x\nlinkbeat_use_polling\nchild_wait_time 4294967295"
    found = sound(text).configuration.global_defs
    assert (found.net_namespace_ipvs, found.namespace_with_ipsets, found.linkbeat_use_polling) == ("", True, True)
    assert (found.instance, found.child_wait_time) == ("x", 4294967295 * SECOND)


@pytest.mark.parametrize(
    ("text", "exit_code", "message"),
    [
        ("net_namespace", 5, "net_namespace needs a word after it"),
        ("instance", 5, "instance needs a word after it"),
        ("instance a\ninstance b", 5, "instance is set already, the first stands"),
        ("child_wait_time", 2, "*** Configuration line starting `child_wait_time` is missing a parameter"),
    ],
)
def test_mistakes_outside_every_block(text: str, exit_code: int, message: str) -> None:
    loaded = read(text)
    assert [each.split(" ", 1)[1] for each in messages(loaded)] == [message]
    assert loaded.exit_code == exit_code


def test_what_has_no_effect_yet_is_said_by_its_path() -> None:
    text = "namespace_with_ipsets\nglobal_defs {\nsmtp_alert\nbfd_no_swap\nrouter_id a\nvrrp_strict\n}\n"
    assert [each.split(" (")[0] for each in sound(text).not_effective] == [
        "global_defs/smtp_alert",
        "global_defs/bfd_no_swap",
    ]


def test_a_reload_names_what_changed() -> None:
    old, new = (sound(f"global_defs {{\n{text}\n}}").configuration for text in ("json_version 1", "json_version 2"))
    assert lines(difference(old, new)) == ["global_defs: json_version 1 -> 2"]


def test_a_sync_daemon_of_no_instance_is_said() -> None:
    """Keepalived accepts it, and so does -t; there is no daemon then."""
    text = "global_defs {\nlvs_sync_daemon eth0 VI_2\n}\n" + instance_text("")
    loaded = read(text)
    assert messages(loaded) == []
    (told,) = [each for each in loaded.diagnostics if "lvs_sync_daemon" in each.message]
    assert told.message == "lvs_sync_daemon: there is no vrrp_instance VI_2 - no sync daemon is started"
    assert "VI_1" in (told.hint or "")
