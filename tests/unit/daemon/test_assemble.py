"""Names, files and parts of the real daemon."""

from ipaddress import IPv4Address

import pytest

from pykeepalived.config.blocks.authentication import AuthHmac
from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.diagnostics import Diagnostic, Severity, Span
from pykeepalived.config.kinds import Problem
from pykeepalived.config.load import Loaded
from pykeepalived.daemon import assemble
from pykeepalived.daemon.settings import Settings
from pykeepalived.effects import Level


@pytest.mark.parametrize(
    ("settings", "global_defs", "parent", "vrrp"),
    [
        (Settings(), GlobalDefs(), "/run/keepalived.pid", "/run/vrrp.pid"),
        (Settings(pid="/x", vrrp_pid="/y"), GlobalDefs(), "/x", "/y"),
        (Settings(), GlobalDefs(use_pid_dir=True), "/run/keepalived/keepalived.pid", "/run/keepalived/vrrp.pid"),
        (Settings(), GlobalDefs(instance="A"), "/run/keepalived/keepalived_A.pid", "/run/keepalived/vrrp_A.pid"),
        (
            Settings(),
            GlobalDefs(net_namespace="n", instance="A"),
            "/run/keepalived/keepalived_n_A.pid",
            "/run/keepalived/vrrp_n_A.pid",
        ),
    ],
)
def test_pid_files(settings: Settings, global_defs: GlobalDefs, parent: str, vrrp: str) -> None:
    files = assemble.pid_files(settings, global_defs)
    assert (files["parent"], files["vrrp"]) == (parent, vrrp)


def test_names_in_the_log() -> None:
    assert assemble.idents(Settings(), GlobalDefs()) == {
        "parent": "Keepalived",
        "vrrp": "Keepalived_vrrp",
        "checkers": "Keepalived_healthcheckers",
    }
    assert assemble.idents(Settings(namespace="n"), GlobalDefs(instance="A"))["vrrp"] == "Keepalived_vrrp_n_A"


def test_the_checkers_come_first_and_options_leave_one_out() -> None:
    assert [role.key for role in assemble.roles(Settings())] == ["checkers", "vrrp"]
    assert [role.key for role in assemble.roles(Settings(check=False))] == ["vrrp"]
    assert [role.key for role in assemble.roles(Settings(vrrp=False))] == ["checkers"]


def test_what_was_read_becomes_lines_and_a_verdict() -> None:
    span = Span("/c", 3, 5, 2, "    x")
    diagnostics = (
        Diagnostic(Severity.WARNING, "careful", span),
        Diagnostic(Severity.ERROR, "bad", span, hint="do good", problem=Problem.UNKNOWN_KEYWORD),
        Diagnostic(Severity.ERROR, "worse", None, problem=Problem.GENERAL_ERROR),
    )
    outcome = assemble.compiled(Loaded(Configuration(), diagnostics, 5), with_frames=True).outcome
    assert [(line.level, line.message) for line in outcome.findings] == [
        (Level.WARNING, "(/c: Line 3) careful"),
        (Level.ERROR, "(/c: Line 3) bad (do good)"),
        (Level.ERROR, "worse"),
    ]
    assert ("CONFIG_LINE", "3") in outcome.findings[0].fields
    assert outcome.mistakes == (("bad", "(/c: Line 3) bad (do good)"), ("worse", "worse"))
    assert not outcome.refused
    assert outcome.parts == frozenset()
    assert outcome.frames is None  # no VRRP, no scapy


@pytest.mark.parametrize(
    ("diagnostic", "code"),
    [
        (Diagnostic(Severity.ERROR, "Config files missing '/c'.", None, fatal=True), 6),
        (Diagnostic(Severity.ERROR, "missing", None, problem=Problem.FILE_NOT_FOUND, fatal=True), 6),
        (Diagnostic(Severity.ERROR, "no VRID", Span("/c", 1, 1, 1, "x"), fatal=True), 2),
    ],
)
def test_the_status_of_a_refused_start(diagnostic: Diagnostic, code: int) -> None:
    loaded = Loaded(Configuration(), (diagnostic,), 0, fatal=True)
    outcome = assemble.compiled(loaded, with_frames=True).outcome
    assert outcome.refused
    assert outcome.start_code == code


def test_addresses_survive_the_way_to_a_process() -> None:
    configuration = Configuration(global_defs=GlobalDefs(vrrp_mcast_group4=IPv4Address("224.0.0.99")))
    compiled = assemble.compiled(Loaded(configuration, (), 0), with_frames=False)
    assert set(compiled.parts) == {"vrrp", "checkers"}
    part = compiled.parts["vrrp"]
    assert isinstance(part, Configuration)
    assert part.global_defs.vrrp_mcast_group4 == IPv4Address("224.0.0.99")


def test_what_cannot_run_is_said_and_reaches_no_process() -> None:
    instance = VrrpInstance(name="V", interface="eth0", virtual_router_id=1, auth_hmac=AuthHmac())
    compiled = assemble.compiled(Loaded(Configuration(vrrp_instance=(instance,)), (), 0), with_frames=False)
    (line,) = compiled.outcome.findings
    assert line.level is Level.WARNING
    assert line.message.startswith("(V) auth_hmac has no key to sign with - the instance is left out")
    assert compiled.outcome.parts == frozenset()
    part = compiled.parts["vrrp"]
    assert isinstance(part, Configuration)
    assert part.vrrp_instance == ()
