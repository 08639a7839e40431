"""Checkers that probe over the network: their values, what they inherit, and what is wrong with them."""

from ipaddress import IPv4Address, IPv6Address

import pytest

from pykeepalived.config.blocks.checkers import (
    AnyChecker,
    CheckTiming,
    DnsCheck,
    PingCheck,
    SmtpCheck,
    Target,
    TcpCheck,
    UdpCheck,
)
from pykeepalived.config.kinds_lvs import HexPattern
from pykeepalived.units import MILLISECOND, SECOND
from tests.config.reading import messages, read, server, server_text

TARGET = Target(IPv4Address("10.9.0.1"), 80)


def check(name: str, lines: str = "", outer: str = "", real: str = "") -> AnyChecker:
    """A sound checker with these lines."""
    (found,) = server(outer, f"{real}\n{name} {{\n{lines}\n}}").real_server[0].checkers
    return found


def said(name: str, lines: str) -> list[str]:
    """What counts as wrong with a checker."""
    return [each.partition(" ")[2] for each in messages(read(server_text("", f"{name} {{\n{lines}\n}}")))]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("TCP_CHECK", TcpCheck(TARGET, CheckTiming())),
        ("PING_CHECK", PingCheck(TARGET, CheckTiming())),
        ("UDP_CHECK", UdpCheck(target=TARGET, timing=CheckTiming())),
        ("DNS_CHECK", DnsCheck(target=TARGET, timing=CheckTiming(3, 60 * SECOND))),
        ("SMTP_CHECK", SmtpCheck(target=TARGET, timing=CheckTiming())),
    ],
)
def test_the_least_checker_has_the_documented_defaults(name: str, wanted: AnyChecker) -> None:
    assert check(name) == wanted


@pytest.mark.parametrize("name", ["TCP_CHECK", "PING_CHECK", "UDP_CHECK", "DNS_CHECK", "SMTP_CHECK"])
def test_timing_and_target_are_those_of_the_nearest_block(name: str) -> None:
    timing = "retry 7\ndelay_before_retry 0.25\ndelay_loop 6\nwarmup 2\nalpha"
    wanted = CheckTiming(7, 250 * MILLISECOND, 6 * SECOND, 2 * SECOND, alpha=True)
    other = "retry 9\ndelay_before_retry 9\ndelay_loop 9\nwarmup 9\n"
    for found in (
        check(name, timing, other, other),
        check(name, "", timing),
        check(name, "", other, timing),
    ):
        assert isinstance(found, TcpCheck | PingCheck | UdpCheck | DnsCheck | SmtpCheck)
        assert found.timing == wanted
    lines = "connect_ip 10.1.1.1\nconnect_port 8443\nbindto 10.1.1.2\nbind_port 999\nbind_if eth1\nfwmark 5"
    found = check(name, lines, "connect_timeout 2")
    assert isinstance(found, TcpCheck | PingCheck | UdpCheck | DnsCheck | SmtpCheck)
    assert found.target == Target(IPv4Address("10.1.1.1"), 8443, IPv4Address("10.1.1.2"), 999, "eth1", 5, 2 * SECOND)


def test_delay_before_retry_of_a_dns_check_is_its_delay_loop() -> None:
    found = check("DNS_CHECK", "delay_loop 6")
    assert isinstance(found, DnsCheck)
    assert found.timing == CheckTiming(3, 6 * SECOND, 6 * SECOND, 6 * SECOND)


def test_a_retry_of_0_is_for_checkers_alone() -> None:
    found = check("TCP_CHECK", "retry 0")
    assert isinstance(found, TcpCheck)
    assert found.timing.retry == 0
    assert "outside range" in messages(read(server_text("retry 0")))[0]


def test_all_failures_are_logged_where_it_is_said() -> None:
    text = "global_defs {\nchecker_log_all_failures\n}\n" + server_text(
        "", "TCP_CHECK {\n}\nTCP_CHECK {\nlog_all_failures off\n}"
    )
    found = read(text).configuration.virtual_server[0].real_server[0].probes
    assert [each.timing.log_all_failures for each in found] == [True, False]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("connect_ip host", "invalid IP address 'host'"),
        ("connect_port 0", "port '0' outside range [1, 65535]"),
        ("connect_ip fe80::1", "the link-local target fe80::1 needs an interface"),
        ("bindto 2001:db8::1", "bindto 2001:db8::1 and the target 10.9.0.1 are of different families"),
        ("bind_if abcdefghijklmnop", "cannot be the name of an interface"),
        ("fwmark 4294967296", "outside range"),
    ],
)
def test_mistakes_of_a_target(lines: str, message: str) -> None:
    assert any(message in each for each in said("TCP_CHECK", lines))


def test_a_link_local_target_with_an_interface() -> None:
    found = check("TCP_CHECK", "connect_ip fe80::1\nbind_if eth0")
    assert isinstance(found, TcpCheck)
    assert (found.target.connect_ip, found.target.bind_if) == (IPv6Address("fe80::1"), "eth0")


def test_several_checkers_stand_in_the_order_of_the_file() -> None:
    found = server("", "TCP_CHECK {\n}\nPING_CHECK {\n}\nTCP_CHECK {\nconnect_port 81\n}").real_server[0]
    assert [type(each) for each in found.checkers] == [TcpCheck, PingCheck, TcpCheck]
    assert len(found.probes) == 3


# --- UDP_CHECK ---


@pytest.mark.parametrize(
    ("words", "payload"),
    [
        ("0a0B", b"\x0a\x0b"),
        ("A1 2 bc", b"\xa1\x02\xbc"),
        ("123", b"\x12\x03"),
        ('"0a 0b"', b"\x0a\x0b"),
        ("a b c", b"\x0a\x0b\x0c"),
    ],
)
def test_payloads(words: str, payload: bytes) -> None:
    found = check("UDP_CHECK", f"payload {words}")
    assert isinstance(found, UdpCheck)
    assert found.payload == payload


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        ("", HexPattern()),
        ("0102", HexPattern(b"\x01\x02", b"\xff\xff")),
        ("0x", HexPattern(b"\x00", b"\xf0")),
        ("xxX1 f", HexPattern(b"\x00\x01\x0f", b"\x00\x0f\xff")),
    ],
)
def test_replies(words: str, pattern: HexPattern) -> None:
    found = check("UDP_CHECK", f"require_reply {words}")
    assert isinstance(found, UdpCheck)
    assert found.require_reply == pattern


def test_no_reply_is_wanted_unless_it_is_said() -> None:
    found = check("UDP_CHECK")
    assert isinstance(found, UdpCheck)
    assert (found.require_reply, found.min_reply_length, found.max_reply_length) == (None, 0, 255)


@pytest.mark.parametrize(
    ("data", "matches"),
    [(b"\x12\x34\x56", True), (b"\x12\x3f", True), (b"\x12", True), (b"", True), (b"\x13\x34", False)],
)
def test_a_pattern_is_what_an_answer_begins_with(data: bytes, matches: bool) -> None:
    assert HexPattern(b"\x12\x30", b"\xff\xf0").matches(data) == matches


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("payload", "payload needs hexadecimal digits"),
        ("payload 0x12", "'x' is no hexadecimal digit"),
        ("payload zz", "'z' is no hexadecimal digit"),
        ('payload ""', "there are no hexadecimal digits in it"),
        ("require_reply zz", "'z' is no hexadecimal digit"),
        ("min_reply_length 65536", "outside range [0, 65535]"),
        ("min_reply_length 256", "min_reply_length 256 is above max_reply_length 255"),
        ("max_reply_length 5\nmin_reply_length 6", "min_reply_length 6 is above max_reply_length 5"),
    ],
)
def test_mistakes_of_a_udp_check(lines: str, message: str) -> None:
    assert any(message in each for each in said("UDP_CHECK", lines)), said("UDP_CHECK", lines)


# --- DNS_CHECK ---


@pytest.mark.parametrize("word", ["A", "ns", "CNAME", "soa", "Mx", "TXT", "aaaa", "RRSIG", "DNSKEY"])
def test_types_of_records(word: str) -> None:
    found = check("DNS_CHECK", f"type {word}")
    assert isinstance(found, DnsCheck)
    assert found.type == word.upper()


@pytest.mark.parametrize("name", [".", "example.org", "example.org.", "a" * 63 + ".org", '""'])
def test_names_that_can_be_asked_for(name: str) -> None:
    found = check("DNS_CHECK", f"name {name}")
    assert isinstance(found, DnsCheck)
    assert found.name == (name if name != '""' else ".")


@pytest.mark.parametrize(
    ("lines", "message", "name"),
    [
        ("name a..b", "'a..b' has an empty label", "."),
        ("name .a", "'.a' has an empty label", "."),
        ("name a\nname b", "name is set already, the first stands", "a"),
        (f"name {'a' * 64}.org", "is too long", "."),
        (f"name {'a.' * 127}a", "is too long", "."),
        ("type PTR", "unknown value 'PTR'", "."),
    ],
)
def test_mistakes_of_a_dns_check(lines: str, message: str, name: str) -> None:
    loaded = read(server_text("", f"DNS_CHECK {{\n{lines}\n}}"))
    (found,) = loaded.configuration.virtual_server[0].real_server[0].checkers
    assert isinstance(found, DnsCheck)
    assert (found.name, found.type) == (name, "SOA")
    assert any(message in each for each in messages(loaded)), messages(loaded)


# --- SMTP_CHECK ---


def test_an_smtp_check_takes_its_hosts_in() -> None:
    lines = "connect_port 26\nhost {\nconnect_port 25\nretry 4\n}\nhelo_name me.example\nretry 5"
    loaded = read(server_text("", f"SMTP_CHECK {{\n{lines}\n}}"))
    (found,) = loaded.configuration.virtual_server[0].real_server[0].checkers
    assert isinstance(found, SmtpCheck)
    assert (found.target.connect_port, found.timing.retry, found.helo_name) == (25, 5, "me.example")
    assert loaded.exit_code == 0
    assert [each.message for each in loaded.diagnostics] == [
        "host is deprecated: its options are those of the SMTP_CHECK around it"
    ]


def test_of_several_hosts_the_last_counts() -> None:
    found = read(
        server_text("", "SMTP_CHECK {\nhost {\nconnect_port 25\n}\nhost {\nconnect_port 26\n}\n}")
    ).configuration.virtual_server[0]
    (smtp,) = found.real_server[0].checkers
    assert isinstance(smtp, SmtpCheck)
    assert smtp.target.connect_port == 26


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("helo_name", "helo_name needs a word"),
        ("helo_name a\nhelo_name b", "helo_name is set already, this one replaces it"),
        ("host {\nhelo_name x\n}", "Unknown keyword 'helo_name'"),
        ("host {\nconnect_ip x\n}", "invalid IP address 'x'"),
    ],
)
def test_mistakes_of_an_smtp_check(lines: str, message: str) -> None:
    assert any(message in each for each in said("SMTP_CHECK", lines)), said("SMTP_CHECK", lines)
