"""Every keyword of keywords.tsv is known in its place; every effective one has a default and keeps its bounds."""

import csv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from pykeepalived.config.blocks.authentication import Authentication, AuthHmac
from pykeepalived.config.blocks.bfd_instance import BfdInstance
from pykeepalived.config.blocks.checkers import (
    BfdCheck,
    DnsCheck,
    FileCheck,
    HttpGet,
    HttpsUrl,
    HttpUrl,
    MiscCheck,
    PingCheck,
    SmtpCheck,
    SmtpHost,
    SslGet,
    TcpCheck,
    UdpCheck,
)
from pykeepalived.config.blocks.garp_group import GarpGroup
from pykeepalived.config.blocks.global_defs import GlobalDefs, Root
from pykeepalived.config.blocks.ssl import Ssl
from pykeepalived.config.blocks.track_file import TrackedFile
from pykeepalived.config.blocks.track_group import TrackGroup
from pykeepalived.config.blocks.virtual_server import RealServer, VirtualServer
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.blocks.vrrp_script import VrrpScript
from pykeepalived.config.blocks.vrrp_sync_group import VrrpSyncGroup
from pykeepalived.config.blocks.vrrp_track_process import VrrpTrackProcess
from pykeepalived.config.kinds import Boolean, Choice, Integer, Kind, Problem, Timer
from pykeepalived.config.language import TOP
from pykeepalived.config.schema import UNSET, Block, Keyword, table_of
from tests.config.reading import instance_text, messages, read, server_text

TABLE = Path(__file__).parents[2] / "config" / "keywords.tsv"
NOT_OURS = ("~", "$", "@", "include")
SECURE = "global_defs {\nenable_script_security\nscript_user root\n}\n"
SCRIPT = SECURE + 'vrrp_script s {\nscript "/opt/check.sh"\n%s\n}\n' + instance_text("track_script {\ns\n}")
FILE = "track_file f {\nfile /tmp/f\n}\n"
BFD = "bfd_instance b {\nneighbor_ip 10.0.0.9\n}\n"
FRAMES = {
    GlobalDefs: "global_defs {\n%s\n}",
    Root: "%s",
    GarpGroup: "garp_group {\n%s\n}",
    VrrpInstance: instance_text("%s"),
    Authentication: instance_text("authentication {\n%s\n}"),
    AuthHmac: instance_text("auth_hmac {\nkey 1 hex:" + "ab" * 32 + "\nactive_key 1\n%s\n}"),
    VrrpScript: SCRIPT,
    VrrpSyncGroup: instance_text("") + "vrrp_sync_group g {\ngroup {\nVI_1\n}\n%s\n}",
    TrackedFile: "track_file f {\nfile /tmp/f\n%s\n}",
    VrrpTrackProcess: "vrrp_track_process p {\nprocess nginx\n%s\n}",
    BfdInstance: "bfd_instance b {\nneighbor_ip 10.0.0.9\n%s\n}",
    TrackGroup: "track_group t {\n%s\n}\n" + instance_text(""),
    VirtualServer: server_text("%s"),
    RealServer: server_text("", "%s"),
    TcpCheck: server_text("", "TCP_CHECK {\n%s\n}"),
    HttpGet: server_text("", "HTTP_GET {\nurl {\npath /\n}\n%s\n}"),
    HttpUrl: server_text("", "HTTP_GET {\nurl {\npath /\n%s\n}\n}"),
    SslGet: server_text("", "SSL_GET {\nurl {\npath /\n}\n%s\n}"),
    HttpsUrl: server_text("", "SSL_GET {\nurl {\npath /\n%s\n}\n}"),
    PingCheck: server_text("", "PING_CHECK {\n%s\n}"),
    UdpCheck: server_text("", "UDP_CHECK {\nmax_reply_length 65535\n%s\n}"),
    DnsCheck: server_text("", "DNS_CHECK {\n%s\n}"),
    SmtpCheck: server_text("", "SMTP_CHECK {\n%s\n}"),
    SmtpHost: server_text("", "SMTP_CHECK {\nhost {\n%s\n}\n}"),
    MiscCheck: SECURE + server_text("", "MISC_CHECK {\nmisc_path /opt/check.sh\n%s\n}"),
    FileCheck: FILE + server_text("", "FILE_CHECK {\ntrack_file f\n%s\n}"),
    BfdCheck: BFD + server_text("", "BFD_CHECK {\nname b\n%s\n}"),
    Ssl: "SSL {\n%s\n}",
}


def _paths(prefix: str, table: Block) -> Iterator[str]:
    for word in table.words():
        yield prefix + word
    for name, block in table.blocks.items():
        yield from _paths(f"{prefix}{name}/", block)


def test_every_keyword_is_known_in_its_place() -> None:
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = [row["path"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    wanted = {path for path in rows if "<entry>" not in path and not path.startswith(NOT_OURS)}
    known = {*TOP, *_paths("", table_of(Root))}
    for name, table in TOP.items():
        known |= set(_paths(f"{name}/", table))
    assert len(wanted) == 531
    assert sorted(wanted - known) == []


def _keywords() -> list[tuple[type, str, Keyword]]:
    return [(cls, name, spec) for cls in FRAMES for name, spec in table_of(cls).keywords.items()]


def test_keywords_have_words_for_people() -> None:
    assert len(_keywords()) > 300
    for cls, name, spec in _keywords():
        assert spec.doc.endswith("."), (cls, name)
        assert 10 < len(spec.doc) < 140, (cls, name)


def _outside(kind: Kind) -> list[str]:
    match kind:
        case Integer(minimum, maximum):
            return [str(minimum - 1), str(maximum + 1), "12x", "0x10", "1.5", "++1"]
        case Timer(minimum, maximum):
            above = str(Decimal(maximum) + 1)
            below = [] if Decimal(minimum) == 0 else ["0"]
            return [above, *below, "-1", "10s", "1e3", "1.2.3", "."]
        case Boolean():
            return ["1", "TRUE", "enable", "On"]
        case Choice(words):
            return ["no_such_word", words[0] + "x"]
        case _:
            return []


def _inside(kind: Kind) -> list[str]:
    match kind:
        case Integer(minimum, maximum):
            return [str(minimum), str(maximum), "+" + str(max(1, minimum))]
        case Timer(minimum, maximum):
            return [minimum if Decimal(minimum) else "1", maximum]
        case Boolean():
            return ["", "on", "true", "yes", "off", "false", "no"]
        case Choice(words):
            return list(words)
        case _:
            return []


BAD = [(cls, name, value) for cls, name, spec in _keywords() for value in _outside(spec.kind)]
GOOD = [(cls, name, value) for cls, name, spec in _keywords() for value in _inside(spec.kind)]


def test_there_are_enough_of_them() -> None:
    assert len(BAD) > 800
    assert len(GOOD) > 500


@pytest.mark.parametrize(("cls", "name", "value"), BAD)
def test_a_value_out_of_its_kind_is_said_at_its_place_and_ignored(cls: type, name: str, value: str) -> None:
    frame = FRAMES[cls]
    text = frame % f"   {name} {value}"
    loaded = read(text)
    line = 1 + text[: text.index(f"   {name} {value}")].count("\n")
    ours = [
        each for each in loaded.diagnostics if each.span and (each.span.line, each.span.column) == (line, len(name) + 5)
    ]
    assert ours, messages(loaded)
    assert ours[0].hint
    assert loaded.exit_code == 5
    if name != "virtual_router_id":
        assert loaded.configuration == read(frame % "").configuration


@pytest.mark.parametrize(("cls", "name", "value"), GOOD)
def test_a_value_of_its_kind_is_never_refused(cls: type, name: str, value: str) -> None:
    text = FRAMES[cls] % f"{name} {value}"
    refused = [
        each for each in read(text).diagnostics if each.problem is Problem.INVALID_NUMBER or "boolean" in each.message
    ]
    assert refused == []


@pytest.mark.parametrize("cls", [GlobalDefs, VrrpInstance, VrrpScript, VirtualServer, RealServer])
def test_the_classes_defaults_are_the_tables(cls: type) -> None:
    for name, spec in table_of(cls).keywords.items():
        field = cls.__dataclass_fields__.get(name)  # type: ignore[attr-defined]
        if field is not None and spec.default is not UNSET:
            assert field.default == spec.default, name


def test_a_second_use_says_where_the_first_is() -> None:
    loaded = read(
        instance_text(
            'notify "/usr/bin/true a"\nnotify "/usr/bin/true b"',
            SECURE,
        )
    )
    (found,) = [each for each in loaded.diagnostics if each.problem]
    assert found.message == "notify is set already, the first stands"
    assert found.hint is not None
    assert "line 12" in found.hint
