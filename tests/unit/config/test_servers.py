"""Virtual servers: services, methods, inheritance down to the checkers, quorum, persistence."""

from ipaddress import IPv4Address, IPv6Address

import pytest

from pykeepalived.config.blocks.checkers import CheckTiming, HttpGet, HttpUrl, Target, TcpCheck
from pykeepalived.config.blocks.virtual_server import (
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    LvsMethod,
    RealServer,
    Service,
    SorryServer,
)
from pykeepalived.config.diagnostics import Severity
from pykeepalived.config.kinds import AF_INET, AF_INET6
from pykeepalived.units import MILLISECOND, SECOND
from tests.config.reading import messages, read, server, server_text, sound


def said(text: str) -> list[str]:
    return [each.partition(" ")[2] for each in messages(read(text))]


def test_the_least_server_has_the_documented_defaults() -> None:
    found = server("")
    assert found.service == Service("address", IPv4Address("10.9.0.100"), 80, IPPROTO_TCP, 0, AF_INET)
    assert str(found.service) == "[10.9.0.100]:tcp:80"
    assert found.real_server == (RealServer(address=IPv4Address("10.9.0.1"), port=80),)
    assert found.real_server_text(found.real_server[0]) == "[10.9.0.1]:tcp:80"
    assert (found.quorum, found.hysteresis, found.persistence_timeout, found.alpha) == (1, 0, None, False)


@pytest.mark.parametrize(("word", "number"), [("TCP", IPPROTO_TCP), ("udp", IPPROTO_UDP), ("Sctp", IPPROTO_SCTP)])
def test_protocols(word: str, number: int) -> None:
    assert server(f"protocol {word}").service.protocol == number


def test_what_is_missing_is_said_and_set() -> None:
    text = "virtual_server 10.9.0.100 80 {\nreal_server 10.9.0.1 80 {\n}\n}"
    loaded = read(text)
    (found,) = loaded.configuration.virtual_server
    assert (found.lvs_sched, found.service.protocol, found.real_server[0].lvs_method.forward) == (
        "wlc",
        IPPROTO_UDP,
        "NAT",
    )
    assert len(messages(loaded)) == 3
    assert not loaded.fatal


@pytest.mark.parametrize(
    ("words", "method"),
    [
        ("NAT", LvsMethod("NAT")),
        ("DR", LvsMethod("DR")),
        ("TUN", LvsMethod("TUN")),
        ("TUN type gue port 6080", LvsMethod("TUN", "gue", 6080)),
        ("TUN type gue port 6080 remcsum", LvsMethod("TUN", "gue", 6080, "remcsum")),
        ("TUN type gre csum", LvsMethod("TUN", "gre", 0, "csum")),
    ],
)
@pytest.mark.parametrize("keyword", ["lvs_method", "lb_kind"])
def test_methods(keyword: str, words: str, method: LvsMethod) -> None:
    assert server(f"{keyword} {words}").real_server[0].lvs_method == method


@pytest.mark.parametrize(
    "words",
    [
        "dr",
        "FULLNAT",
        "TUN type gue",
        "TUN port 5",
        "TUN type ipip csum",
        "TUN type gre remcsum",
        "TUN x",
        "TUN type gue port ³",
    ],
)
def test_bad_methods(words: str) -> None:
    loaded = read(server_text(f"lvs_method {words}"))
    assert loaded.exit_code == 5
    assert loaded.diagnostics[0].hint


def test_tunnel_options_of_another_method_are_said_and_do_not_count() -> None:
    loaded = read(server_text("lvs_method DR type gue port 5"))
    assert loaded.exit_code == 0
    assert loaded.configuration.virtual_server[0].lvs_method == LvsMethod("DR")
    assert "DR has no tunnel" in loaded.diagnostics[0].message


def test_a_gue_tunnel_without_a_port_is_no_other_tunnel() -> None:
    (found,) = read(server_text("lvs_method TUN type gue")).configuration.virtual_server
    assert found.lvs_method == LvsMethod("NAT")
    (found,) = read(server_text("lvs_method TUN type gre remcsum")).configuration.virtual_server
    assert found.lvs_method == LvsMethod("TUN", "gre")


def test_a_real_server_has_its_own_method() -> None:
    assert server("lvs_method DR", "lvs_method TUN").real_server[0].lvs_method.forward == "TUN"


@pytest.mark.parametrize(
    ("head", "service"),
    [
        ("fwmark 7", "FWM 7"),
        ("10.9.0.100 443", "[10.9.0.100]:udp:443"),
        ("2001:db8::1 53", "[2001:db8::1]:udp:53"),
        ("10.9.0.100/24 53", "[10.9.0.100]:udp:53"),
    ],
)
def test_services(head: str, service: str) -> None:
    real = "2001:db8::2" if ":" in head else "10.9.0.1"
    text = f"virtual_server {head} {{\nlvs_sched rr\nlvs_method NAT\nprotocol UDP\nreal_server {real} 53 {{\n}}\n}}"
    text = text.replace("protocol UDP\n", "") if "fwmark" in head else text
    (found,) = sound(text).configuration.virtual_server
    assert str(found.service) == service
    assert found.family == (AF_INET6 if ":" in head else AF_INET)


@pytest.mark.parametrize(
    ("head", "exit_code"),
    [
        ("", 2),
        ("fwmark", 2),
        ("group", 2),
        ("fwmark x", 5),
        ("fwmark 0", 5),
        ("fwmark 4294967296", 5),
        ("10.9.0 80", 5),
        ("10.9.0.1 65536", 5),
        ("www.example.net 80", 5),
    ],
)
def test_bad_services(head: str, exit_code: int) -> None:
    loaded = read(server_text("").replace("10.9.0.100 80", head))
    assert loaded.exit_code == exit_code
    assert loaded.configuration.virtual_server == ()


@pytest.mark.parametrize(
    ("method", "port", "used", "counts"),
    [
        ("NAT", "8080", 8080, 0),
        ("NAT", "", 80, 0),
        ("DR", "8080", 80, 1),
        ("DR", "", 80, 0),
        ("TUN", "81", 80, 1),
        ("DR", "80", 80, 0),
    ],
)
def test_ports_of_real_servers(method: str, port: str, used: int, counts: int) -> None:
    text = server_text(f"lvs_method {method}").replace("10.9.0.1 80", f"10.9.0.1 {port}")
    loaded = read(text)
    assert loaded.configuration.virtual_server[0].real_server[0].port == used
    assert len(messages(loaded)) == counts


def test_families_differ_with_a_tunnel_alone() -> None:
    text = server_text("lvs_method %s").replace("real_server 10.9.0.1", "real_server 2001:db8::2")
    assert sound(text % "TUN").configuration.virtual_server[0].real_server[0].address == IPv6Address("2001:db8::2")
    found = said(text % "DR")
    assert "is of the other family" in found[1]
    assert "has no real servers" in found[0]


def test_duplicates() -> None:
    twice = server_text("") + server_text("weight 5")
    loaded = read(twice)
    assert loaded.exit_code == 0
    assert [each.real_server[0].weight for each in loaded.configuration.virtual_server] == [1]
    text = server_text("").replace("real_server 10", "real_server 10.9.0.1 80 {\nweight 9\n}\nreal_server 10")
    loaded = read(text)
    assert [each.weight for each in loaded.configuration.virtual_server[0].real_server] == [9]
    assert loaded.exit_code == 5


TIMING = "retry 7\ndelay_before_retry 0.25\ndelay_loop 6\nwarmup 2\nconnect_timeout 1.5\nalpha"
RESOLVED = CheckTiming(7, 250 * MILLISECOND, 6 * SECOND, 2 * SECOND, alpha=True)


@pytest.mark.parametrize("place", ["virtual_server", "real_server", "checker"])
@pytest.mark.parametrize("checker", ["TCP_CHECK {\n%s\n}", "HTTP_GET {\nurl {\npath /\n}\n%s\n}"])
def test_timing_comes_from_the_nearest_block(place: str, checker: str) -> None:
    outer = "retry 99\ndelay_loop 99\nwarmup 99\nconnect_timeout 99\ndelay_before_retry 99\n"
    match place:
        case "virtual_server":
            found = server(TIMING, checker % "")
        case "real_server":
            found = server(outer, f"{TIMING}\n{checker % ''}")
        case _:
            found = server(outer, f"{outer}\n{checker % TIMING}")
    (check,) = found.real_server[0].probes
    assert check.timing == RESOLVED
    assert check.target == Target(IPv4Address("10.9.0.1"), 80, connect_timeout=1500 * MILLISECOND)


def test_timing_defaults_differ_by_kind() -> None:
    found = server("delay_loop 6", "TCP_CHECK {\n}\nHTTP_GET {\nurl {\npath /\n}\n}")
    tcp, http = found.real_server[0].probes
    assert tcp == TcpCheck(
        Target(IPv4Address("10.9.0.1"), 80), CheckTiming(1, SECOND, 6 * SECOND, 6 * SECOND, alpha=False)
    )
    assert http.timing.delay_before_retry == 3 * SECOND


def test_targets() -> None:
    lines = "connect_ip 10.1.1.1\nconnect_port 8443\nbindto 10.1.1.2\nbind_port 999\nbind_if eth1\nfwmark 5"
    (check,) = server("", f"TCP_CHECK {{\n{lines}\n}}").real_server[0].probes
    assert check.target == Target(IPv4Address("10.1.1.1"), 8443, IPv4Address("10.1.1.2"), 999, "eth1", 5, 5 * SECOND)
    assert "different families" in said(server_text("", "TCP_CHECK {\nbindto fe80::1\n}"))[0]


def test_http_get() -> None:
    digest = "9b3a0c85a887a256d6939da88aabd8cd"
    lines = f"""
        virtualhost shop.example
        http_protocol 1.0c
        fast_recovery
        url {{
            path /a
            digest {digest}
        }}
        url {{
            path "/b c"
            status_code 200 204
            status_code 300-302
            virtualhost other.example
        }}
    """
    (check,) = server("", f"HTTP_GET {{{lines}}}").real_server[0].probes
    assert isinstance(check, HttpGet)
    assert (check.http_protocol, check.fast_recovery) == ("1.0C", True)
    assert check.url == (
        HttpUrl(path="/a", digest=bytes.fromhex(digest), virtualhost="shop.example"),
        HttpUrl(path="/b c", status_code=((200, 200), (204, 204), (300, 302)), virtualhost="other.example"),
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "HTTP_GET has no url"),
        ("url {\n}", "url without a path"),
        ("url {\npath /\ndigest 123\n}", "'123' is not 32 hexadecimal digits"),
        ("url {\npath /\nstatus_code 99\n}", "'99' outside range [100, 599]"),
        ("url {\npath /\nstatus_code 300-200\n}", "'300-200' outside range"),
        ("url {\npath /a\npath /b\n}", "path is set already, this one replaces it"),
        ("url {\npath /\n}\nnb_get_retry 3", "'nb_get_retry' is deprecated"),
    ],
)
def test_bad_http_checks(lines: str, message: str) -> None:
    assert any(message in each for each in said(server_text("", f"HTTP_GET {{\n{lines}\n}}")))


def test_a_checker_without_braces_is_empty_and_eats_nothing() -> None:
    loaded = read(server_text("", "TCP_CHECK") + server_text("").replace("10.9.0.100", "10.9.0.101"))
    assert len(loaded.configuration.virtual_server) == 2
    assert isinstance(loaded.configuration.virtual_server[0].real_server[0].probes[0], TcpCheck)
    assert len(messages(loaded)) == 1


@pytest.mark.parametrize(
    ("lines", "quorum", "hysteresis", "counts"),
    [
        ("quorum 3", 3, 0, 0),
        ("quorum 4", 3, 0, 1),
        ("quorum 3\nhysteresis 2", 3, 2, 0),
        ("quorum 3\nhysteresis 3", 3, 2, 1),
        ("quorum 0", 1, 0, 1),
        ("hysteresis 1", 1, 0, 1),
    ],
)
def test_quorum(lines: str, quorum: int, hysteresis: int, counts: int) -> None:
    loaded = read(server_text(lines, "weight 3"))
    (found,) = loaded.configuration.virtual_server
    assert (found.quorum, found.hysteresis, len(messages(loaded))) == (quorum, hysteresis, counts)


@pytest.mark.parametrize(("hysteresis", "told"), [(0, False), (1, True)])
def test_a_quorum_that_is_never_gained_is_told(hysteresis: int, *, told: bool) -> None:
    """Once lost it stays so though all servers are up, and it is not there at the start either."""
    loaded = read(server_text(f"quorum 3\nhysteresis {hysteresis}", "weight 3"))
    line = "Virtual server [10.9.0.100]:tcp:80: quorum 3 with hysteresis 1 is gained at 4, all its real servers"
    assert any(each.message.startswith(line) for each in loaded.diagnostics) is told
    assert messages(loaded) == []


@pytest.mark.parametrize("lines", ["", "quorum 3", "quorum 3\nhysteresis 2"])
def test_servers_that_are_drained_are_no_reason_to_refuse_a_reload(lines: str) -> None:
    """Errors are; the test mode counts it all the same, as keepalived's does."""
    for weight in (0, 1):
        loaded = read(server_text(lines, f"weight {weight}"))
        assert Severity.ERROR not in {each.severity for each in loaded.diagnostics}
        assert bool(messages(loaded)) is (weight == 0 or bool(lines))


@pytest.mark.parametrize("hysteresis", [0, 5])
def test_a_quorum_is_at_least_1_and_its_hysteresis_does_not_wrap(hysteresis: int) -> None:
    loaded = read(server_text(f"hysteresis {hysteresis}", "weight 0"))
    (found,) = loaded.configuration.virtual_server
    assert (found.quorum, found.hysteresis) == (1, 0)
    assert "exceeds total weight 0" in messages(loaded)[0]


@pytest.mark.parametrize(
    ("lines", "timeout", "granularity"),
    [
        ("", None, None),
        ("persistence_timeout", 360, None),
        ("persistence_timeout 50", 50, None),
        ("persistence_granularity 255.255.255.0", 360, IPv4Address("255.255.255.0")),
        ("persistence_timeout 9\npersistence_granularity 255.0.0.0", 9, IPv4Address("255.0.0.0")),
    ],
)
def test_persistence(lines: str, timeout: int | None, granularity: IPv4Address | None) -> None:
    found = server(lines)
    assert (found.persistence_timeout, found.persistence_granularity) == (timeout, granularity)


@pytest.mark.parametrize(
    ("head", "real", "value", "used", "exit_code"),
    [
        ("10.9.0.100 80", "10.9.0.1", "24", None, 0),  # no mask: 0.0.0.24 to keepalived
        ("10.9.0.100 80", "10.9.0.1", "300.0.0.0", None, 5),
        ("2001:db8::1 80", "2001:db8::2", "64", 64, 0),
        ("2001:db8::1 80", "2001:db8::2", "255.255.0.0", None, 5),
        ("2001:db8::1 80", "2001:db8::2", "129", None, 5),
        ("fwmark 7", "2001:db8::2", "64", 64, 0),
    ],
)
def test_granularity_is_of_the_services_family(
    head: str, real: str, value: str, used: int | None, exit_code: int
) -> None:
    text = (
        server_text(f"persistence_granularity {value}").replace("10.9.0.100 80", head).replace("10.9.0.1 ", f"{real} ")
    )
    loaded = read(text.replace("protocol TCP\n", "") if "fwmark" in head else text)
    (found,) = loaded.configuration.virtual_server
    assert found.persistence_granularity == used
    assert found.persistence_timeout == 360
    assert loaded.exit_code == exit_code
    assert used or loaded.diagnostics


def test_a_service_without_a_port_is_persistent() -> None:
    loaded = read(server_text("").replace("100 80", "100"))
    assert loaded.configuration.virtual_server[0].persistence_timeout == 360
    assert len(messages(loaded)) == 1
    # the kernel takes no such service without persistence, so 0 cannot be meant
    loaded = read(server_text("persistence_timeout 0").replace("100 80", "100"))
    assert loaded.configuration.virtual_server[0].persistence_timeout == 360


@pytest.mark.parametrize(
    ("lines", "flags", "counts"),
    [
        ("lvs_sched sh\nsh-port\nsh-fallback", (True, True, False), 0),
        ("lvs_sched mh\nmh-port", (False, True, False), 0),
        ("sh-port\nlvs_sched sh", (False, False, False), 1),
        ("lvs_sched rr\nmh-fallback", (False, False, False), 1),
        ("lvs_sched mh\nsh-port", (False, True, False), 0),
        ("lvs_sched mh\nhashed", (False, False, False), 0),
        ("flag-1\nflag-3", (True, False, True), 0),
        ("hashed", (False, False, False), 1),
    ],
)
def test_flags_of_schedulers(lines: str, flags: tuple[bool, bool, bool], counts: int) -> None:
    loaded = read(server_text(lines))
    (found,) = loaded.configuration.virtual_server
    assert (found.sched_1, found.sched_2, found.sched_3) == flags
    assert len(messages(loaded)) == counts


def test_one_packet_scheduling_is_for_udp() -> None:
    assert server("protocol UDP\nops").ops
    assert "ops on a service that is not UDP" in said(server_text("ops"))[0]


def test_sorry_servers() -> None:
    found = server("lvs_method DR\nsorry_server 10.9.0.9 80\nsorry_server_inhibit\nsorry_server_lvs_method NAT")
    assert found.sorry_server == SorryServer(
        address=IPv4Address("10.9.0.9"), port=80, lvs_method=LvsMethod("NAT"), inhibit=True
    )
    assert "before sorry_server" in said(server_text("sorry_server_inhibit\nsorry_server 10.9.0.9 80"))[0]
    assert "without sorry_server" in said(server_text("sorry_server_inhibit"))[0]


def test_servers_inherit() -> None:
    found = server("weight 5\ninhibit_on_failure\nalpha").real_server[0]
    assert (found.weight, found.inhibit_on_failure, found.alpha) == (5, True, True)
    found = server("weight 5\ninhibit_on_failure\nalpha", "weight 2\ninhibit_on_failure off\nalpha off").real_server[0]
    assert (found.weight, found.inhibit_on_failure, found.alpha) == (2, False, False)


@pytest.mark.parametrize("lines", ["", "sorry_server 10.9.0.9 80"])
def test_a_server_without_real_servers_is_dropped(lines: str) -> None:
    loaded = read(f"virtual_server 10.9.0.1 80 {{\nprotocol TCP\nlvs_sched rr\nlvs_method NAT\n{lines}\n}}")
    assert loaded.configuration.virtual_server == ()
    assert loaded.exit_code == 5


def test_a_misspelt_block_leaks_nothing_into_the_block_around_it() -> None:
    loaded = read(server_text("real_sever 10.9.0.7 80 {\nweight 9\nquorum 7\nTCP_CHECK {\n}\n}"))
    (found,) = loaded.configuration.virtual_server
    assert found.quorum == 1
    assert found.real_server == (RealServer(address=IPv4Address("10.9.0.1"), port=80),)
    (only,) = loaded.diagnostics
    assert only.hint == "did you mean real_server? Its block is skipped."


def test_thresholds_that_the_kernel_does_not_take() -> None:
    for words in ("lthreshold 2", "uthreshold 1\nlthreshold 2"):
        (only,) = read(server_text("", words)).diagnostics
        assert only.message.endswith("lthreshold is above uthreshold - the kernel does not take the server")


def test_what_is_read_and_not_effective_yet() -> None:
    found = server(
        "persistence_engine sip\nha_suspend\nsmtp_alert\nsnmp_name web",
        "smtp_alert off\nsnmp_name one\nuthreshold 9\nlthreshold 5",
    )
    assert (found.persistence_engine, found.ha_suspend, found.smtp_alert, found.snmp_name) == ("sip", True, True, "web")
    (real,) = found.real_server
    assert (real.smtp_alert, real.snmp_name, real.uthreshold, real.lthreshold) == (False, "one", 9, 5)
    plain = server("")
    assert (plain.persistence_engine, plain.ha_suspend, plain.smtp_alert, plain.snmp_name) == (None, False, False, None)
    assert plain.real_server[0].smtp_alert  # unlike elsewhere
    assert plain.delay_loop == 60 * SECOND


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("persistence_engine abcdefghijklmnopq", "'abcdefghijklmnopq' is too long, truncating"),
        ("snmp_name", "needs exactly one word"),
        ("snmp_name a b", "needs exactly one word"),
        ("virtualhost", "needs a word"),
        ("virtualhost a\nvirtualhost b", "virtualhost is set already, this one replaces it"),
        ("ip_family inet6", "ip_family contradicts the address"),
        ("sorry_server 2001:db8::9 80", "sorry server 2001:db8::9 is of the other family"),
        ("sorry_server_lvs_method DR\nsorry_server 10.9.0.9", "sorry_server_lvs_method before sorry_server"),
        ("lvs_method DR\nsorry_server 10.9.0.9 81", "ports of service and sorry server don't match"),
    ],
)
def test_mistakes_of_a_server(lines: str, message: str) -> None:
    loaded = read(server_text(lines))
    assert loaded.exit_code == 5
    assert any(message in each for each in messages(loaded)), messages(loaded)
    assert len(loaded.configuration.virtual_server) == 1


def test_a_long_name_of_an_engine_is_cut() -> None:
    (found,) = read(server_text("persistence_engine abcdefghijklmnopq")).configuration.virtual_server
    assert found.persistence_engine == "abcdefghijklmnop"


def mark(lines: str, reals: str = "real_server 10.9.0.1 {\n}") -> str:
    return f"virtual_server fwmark 7 {{\nlvs_sched rr\n{lines}\n{reals}\n}}"


def test_a_mark_has_neither_protocol_nor_port_nor_address() -> None:
    assert "a fwmark has no protocol" in said(mark("lvs_method NAT\nprotocol TCP"))[0]
    assert "ha_suspend is not for marks" in said(mark("lvs_method NAT\nha_suspend"))[0]
    loaded = read(mark("lvs_method DR", "real_server 10.9.0.1 80 {\n}"))
    assert "a fwmark has no port - resetting to 0" in messages(loaded)[0]
    assert loaded.configuration.virtual_server[0].real_server[0].port == 0


@pytest.mark.parametrize(
    ("lines", "reals", "family", "kept"),
    [
        ("", ("10.9.0.1", "2001:db8::1"), AF_INET, 1),
        ("", ("2001:db8::1", "10.9.0.1"), AF_INET6, 1),
        ("ip_family inet6", ("10.9.0.1", "2001:db8::1"), AF_INET6, 1),
        ("persistence_granularity 64", ("10.9.0.1", "2001:db8::1"), AF_INET6, 1),
        ("persistence_granularity 255.0.0.0", ("2001:db8::1", "10.9.0.1"), AF_INET, 1),
        ("", ("10.9.0.1", "10.9.0.2"), AF_INET, 2),
    ],
)
def test_the_first_word_about_a_marks_family_counts(lines: str, reals: tuple[str, ...], family: int, kept: int) -> None:
    blocks = "\n".join(f"real_server {real} {{\n}}" for real in reals)
    loaded = read(mark(f"lvs_method NAT\n{lines}", blocks))
    (found,) = loaded.configuration.virtual_server
    assert found.family == family
    assert len(found.real_server) == kept
    assert len(messages(loaded)) == len(reals) - kept


def test_equal_values_are_one_object() -> None:
    text = "".join(
        f"real_server 10.9.0.{last} 80 {{\nTCP_CHECK {{\nconnect_timeout 2\n}}\n}}\n" for last in range(2, 9)
    )
    (found,) = sound(server_text("retry 4\n" + text)).configuration.virtual_server
    checks = [check for real in found.real_server for check in real.probes]
    assert len(checks) == 7
    assert len({id(check.timing) for check in checks}) == 1
    assert len({id(real.lvs_method) for real in found.real_server}) == 1


@pytest.mark.parametrize(
    ("settings", "virtual", "real"),
    [
        ("", False, True),
        ("smtp_alert", True, True),
        ("smtp_alert off", False, False),
        ("smtp_alert\nsmtp_alert_checker off", False, False),
        ("smtp_alert off\nsmtp_alert_checker", True, True),
        ("smtp_alert_vrrp", False, True),
    ],
)
def test_mails_are_sent_where_the_settings_say_so(settings: str, virtual: bool, real: bool) -> None:
    loaded = read(f"global_defs {{\n{settings}\n}}\n" + server_text("", ""))
    (found,) = loaded.configuration.virtual_server
    assert (found.smtp_alert, found.real_server[0].smtp_alert) == (virtual, real)
    other = read(f"global_defs {{\n{settings}\n}}\n" + server_text("smtp_alert off", "smtp_alert off"))
    assert not other.configuration.virtual_server[0].smtp_alert
    assert not other.configuration.virtual_server[0].real_server[0].smtp_alert


@pytest.mark.parametrize(
    ("lines", "family", "exit_code"),
    [
        # what is no tunnel's end says it, wherever it stands; a tunnel's end says nothing
        ("lvs_method NAT\nreal_server 2001:db8::1 0 {\n}", 10, 0),
        ("lvs_method TUN\nreal_server 10.0.0.1 0 {\n}\nip_family inet6", 10, 0),
        ("lvs_method NAT\nreal_server 10.0.0.1 0 {\n}\nip_family inet6", 2, 5),
        ("lvs_method TUN\nreal_server 2001:db8::1 0 {\nlvs_method NAT\n}\nip_family inet", 10, 5),
        ("lvs_method NAT\nreal_server 2001:db8::1 0 {\nlvs_method TUN\n}\nreal_server 10.0.0.1 0 {\n}", 2, 0),
        # all ends of tunnels: IPv6 when all are of it
        ("lvs_method TUN\nreal_server 2001:db8::1 0 {\n}\nreal_server 10.0.0.1 0 {\n}", 2, 0),
        ("lvs_method TUN\nreal_server 2001:db8::1 0 {\n}\nreal_server 2001:db8::2 0 {\n}", 10, 0),
        # the sorry server is asked last
        ("lvs_method TUN\nsorry_server 10.0.0.9 0\nip_family inet6\nreal_server 2001:db8::1 0 {\n}", 10, 0),
        ("lvs_method NAT\nsorry_server 2001:db8::1 0\nreal_server 10.0.0.1 0 {\nlvs_method TUN\n}", 10, 0),
    ],
)
def test_the_family_of_a_mark(lines: str, family: int, exit_code: int) -> None:
    loaded = read(f"virtual_server fwmark 9 {{\nlvs_sched rr\n{lines}\n}}")
    assert [each.family for each in loaded.configuration.virtual_server] == [family]
    assert loaded.exit_code == exit_code


def test_a_group_is_served_once() -> None:
    group = "virtual_server_group g {\n10.9.0.1 80\n}\n"
    server = "virtual_server group g {\nprotocol TCP\nlvs_sched %s\nlvs_method NAT\nreal_server 10.0.0.1 80 {\n}\n}\n"
    loaded = read(group + server % "rr" + server % "wrr")
    assert [each.lvs_sched for each in loaded.configuration.virtual_server] == ["rr"]
    assert [each.message for each in loaded.diagnostics] == ["Virtual server [g]:0 is defined twice, the first is used"]
    assert loaded.exit_code == 0


GROUP_OF_TWO = "virtual_server_group g {\n10.9.0.1 80\n10.9.0.2 81\n}\nvirtual_server group g {\nprotocol TCP\n"


def test_servers_of_a_group_that_would_be_one_destination() -> None:
    """DR has the port of each service: beside it there is no room for the same address by NAT with such a port."""

    def servers(*given: str) -> tuple[list[str], list[str]]:
        text = "".join(f"real_server 10.0.0.{each} {{\n}}\n" for each in given)
        loaded = read(f"{GROUP_OF_TWO}lvs_sched rr\nlvs_method NAT\n{text}}}\n")
        (found,) = loaded.configuration.virtual_server
        return [f"{each.address} {each.port}" for each in found.real_server], [
            each.message for each in loaded.diagnostics
        ]

    dr = "1 {\nlvs_method DR\n}\nreal_server 10.0.0.9"
    assert servers(dr, "1 82") == (["10.0.0.1 0", "10.0.0.9 0", "10.0.0.1 82"], [])
    kept, said = servers(dr, "1 81")
    assert kept == ["10.0.0.1 0", "10.0.0.9 0"]
    assert said == ["VS [g]:0: real server 10.0.0.1 81 stands there already - ignored"]


def test_servers_that_dr_makes_one_destination_are_one() -> None:
    """One row of the kernel cannot have two weights, nor go with one of them and stay with the other."""
    for entries, kept, last in (
        ("10.9.0.1 80\n10.9.0.2 81", "10.0.0.1 0", "is there already - removing the second"),
        ("10.9.0.1 80\n10.9.0.2 80", "10.0.0.1 80", "stands there already - ignored"),
        ("10.9.0.1 80\nfwmark 7", "10.0.0.1 80", "stands there already - ignored"),
    ):
        text = f"virtual_server_group g {{\n{entries}\n}}\nvirtual_server group g {{\nprotocol TCP\nlvs_method DR\n"
        loaded = read(f"{text}real_server 10.0.0.1 80 {{\nweight 2\n}}\nreal_server 10.0.0.1 81 {{\nweight 3\n}}\n}}\n")
        (found,) = loaded.configuration.virtual_server
        assert [f"{each.address} {each.port}" for each in found.real_server] == [kept]
        assert [each.weight for each in found.real_server] == [2]
        said = [each.message for each in loaded.diagnostics]
        assert f"VS [g]:0: real server 10.0.0.1 0 {last}" in said
        assert "VS [g]:0: 10.9.0.1 80 of the group and port 81 don't match - resetting" in said


def test_a_sorry_server_that_is_a_real_server_is_inhibited_as_that_is() -> None:
    def inhibited(virtual: str, real: str) -> tuple[bool, list[str]]:
        loaded = read(server_text(f"sorry_server 10.9.0.1 80\n{virtual}", real))
        (found,) = loaded.configuration.virtual_server
        assert found.sorry_server is not None
        return found.sorry_server.inhibit, [each.message for each in loaded.diagnostics]

    line = (
        "Virtual server [10.9.0.100]:tcp:80: real server [10.9.0.1]:tcp:80 matches sorry server,"
        " but inhibit setting differs, {} on sorry server"
    )
    assert inhibited("", "") == (False, [])
    assert inhibited("sorry_server_inhibit", "inhibit_on_failure") == (True, [])
    assert inhibited("", "inhibit_on_failure") == (True, [line.format("setting")])
    assert inhibited("sorry_server_inhibit", "") == (False, [line.format("clearing")])
