"""Health checks, as the section Health checkers tells them, in their order."""

from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from pykeepalived.config.blocks.checkers import (
    AnyChecker,
    DnsCheck,
    PingCheck,
    SmtpCheck,
    TcpCheck,
    UdpCheck,
)
from pykeepalived.config.blocks.followers import BfdCheck, FileCheck, MiscCheck
from pykeepalived.config.blocks.http_checkers import HttpGet, HttpUrl, SslGet
from pykeepalived.config.blocks.probing import CheckTiming, Target
from pykeepalived.config.configuration import Configuration
from tests.interop.dumped.fields import Block, Fields, flag, microseconds, optional, read, seconds, yes
from tests.interop.dumped.scripts import command
from tests.interop.dumped.tree import Node, Section

RUNNING = "changes while it runs"
IGNORED: Mapping[str, str] = {
    "Enabled": RUNNING,
    "Up": RUNNING,
    "Has run": RUNNING,
    "Current weight": RUNNING,
    "Retries iterations": "a counter",
    "Default delay before retry": "the kind's own default, whatever is given",
    "Failed URL": RUNNING,
    "Connection/Last errno": RUNNING,
    "Last ran": "an instant",
    "Last status": RUNNING,
    "Reloaded": "a mark of a reload under way",
}
FOLLOWERS: Mapping[str, frozenset[str]] = {
    "FILE_CHECK": frozenset(("Keepalive method", "Keepalive method/Tracked file")),
    "BFD_CHECK": frozenset(("Keepalive method", "Name", "Alpha #2")),
}
"""What is configured of checks that have no timing; 2.2.7 tells numbers of it that mean nothing."""
LISTS = ("HTTP Status Code(s)",)
PATTERNS = (
    r"(Fast recovery) (.*)",
    r"(Enable SNI) (.*)",
    r"(Keepalive method) = (.*)",
    r"(Regex options):(.*)",
    r"(Regex stack) (.*)",
)
SOME = "(some)"
"""2.2.7 tells all options of a regular expression that has any."""


def block(sections: Sequence[Section], configuration: Configuration) -> Block:
    """All checkers of all real servers, those of one kind numbered for each server."""
    told: dict[str, Fields] = {}
    hosts = {
        f"{server.service} -> {server.real_server_text(real)}": server.virtualhost
        for server in configuration.virtual_server
        for real in server.real_server
    }
    nodes = [node for section in sections if section.name == "Health checkers" for node in section.nodes]
    for node in nodes:
        fields = _told(node.children, hosts.get(node.text))
        told[_number(told, f"{node.text} {_kind(fields)}")] = fields
    ours: dict[str, Fields] = {}
    for server in configuration.virtual_server:
        for real in server.real_server:
            for checker in real.checkers:
                mine = _ours(checker)
                name = f"{server.service} -> {server.real_server_text(real)} {_kind(mine)}"
                ours[_number(ours, name)] = mine
    everything = configuration.global_defs.checker_log_all_failures
    ignored = {**IGNORED, **({"Log all failures": "told without the global setting"} if everything else {})}
    return Block("checker", told, ours, ignored)


def _kind(fields: Fields) -> str:
    return str(fields["Keepalive method"]).partition(",")[0]


def _number(known: Mapping[str, Fields], name: str) -> str:
    number = 1
    while f"{name} {number}" in known:
        number += 1
    return f"{name} {number}"


def _told(nodes: Iterable[Node], server_host: str | None) -> Fields:
    """The urls of HTTP_GET are numbered, and each has its Host header, be it the checker's or the server's."""
    urls: Fields = {}
    plain = []
    number = 0
    for node in nodes:
        if node.text.startswith("Checked url = "):
            number += 1
            inner = read(node.children, PATTERNS, LISTS)
            inner.pop("Regex ref count", None)
            if inner.get("Regex options"):
                inner["Regex options"] = SOME
            urls |= {f"url {number}": node.text.removeprefix("Checked url = ")}
            urls |= {f"url {number}/{key}": value for key, value in inner.items()}
        else:
            plain.append(node)
    fields = read(plain, PATTERNS, LISTS)
    host = fields.pop("Virtualhost", server_host)
    for each in range(1, number + 1):
        if host is not None:
            urls.setdefault(f"url {each}/Virtual host", host)
    if configured := FOLLOWERS.get(_kind(fields)):
        fields = {key: value for key, value in fields.items() if key in configured}
    return {**fields, **urls}


def _ours(checker: AnyChecker) -> Fields:
    match checker:
        case TcpCheck() | PingCheck():
            kind = "TCP_CHECK" if isinstance(checker, TcpCheck) else "PING_CHECK"
            return {**_probe(checker.target, checker.timing), "Keepalive method": kind}
        case HttpGet() | SslGet():
            return {**_probe(checker.target, checker.timing), **_http(checker)}
        case SmtpCheck():
            mine: Fields = {"Keepalive method": "SMTP_CHECK", "helo": checker.helo_name}
            return {**_probe(checker.target, checker.timing), **mine}
        case DnsCheck():
            mine = {"Keepalive method": "DNS_CHECK", "Type": checker.type, "Name": checker.name}
            return {**_probe(checker.target, checker.timing), **mine}
        case UdpCheck():
            return {**_probe(checker.target, checker.timing), **_udp(checker)}
        case MiscCheck():
            return {**_timing(checker.timing), **_misc(checker)}
        case FileCheck():
            return {"Keepalive method": "FILE_CHECK", "Keepalive method/Tracked file": checker.track_file}
        case BfdCheck():
            alpha = yes(checker.alpha, true="ON", false="OFF")
            return {"Keepalive method": "BFD_CHECK", "Name": checker.name, "Alpha #2": alpha}
    assert_never(checker)


def _timing(timing: CheckTiming) -> Fields:
    return {
        "Alpha": yes(timing.alpha, true="yes", false="no"),
        "Delay loop": f"{timing.delay_loop // 1000} us",
        "Warmup": f"{timing.warmup // 1000} us",
        "Retries": str(timing.retry),
        # nothing is told of it where there is no retry
        **optional("Delay before retry", f"{timing.delay_before_retry // 1000} us" if timing.retry else None),
        "Log all failures": yes(timing.log_all_failures, true="yes", false="no"),
    }


def _probe(target: Target, timing: CheckTiming) -> Fields:
    bound = f"[{target.bindto}]:{target.bind_port}" if target.bindto else None
    return {
        **_timing(timing),
        "Connection": "",
        "Connection/Dest": f"[{target.connect_ip}]:{target.connect_port}",
        **optional("Connection/Bind to", bound),
        **optional("Connection/Bind i/f", target.bind_if),
        **optional("Connection/Mark", str(target.fwmark) if target.fwmark else None),
        "Connection/Timeout": microseconds(target.connect_timeout),
    }


def _udp(checker: UdpCheck) -> Fields:
    reply = checker.require_reply
    fields: Fields = {
        "Keepalive method": "UDP_CHECK",
        "Require reply": yes(reply is not None, true="yes", false="no"),
    }
    if checker.payload is None:
        fields["Payload specified"] = "no"
    else:
        fields["Payload len"] = str(len(checker.payload))
    if reply is None:
        return fields
    inner = {"Min reply length": checker.min_reply_length, "Max reply length": checker.max_reply_length}
    inner["Reply data len"] = len(reply.value)
    fields |= {f"Require reply/{key}": str(value) for key, value in inner.items()}
    if reply.value:
        masked = any(each != 0xFF for each in reply.mask)
        fields["Require reply/Reply data mask"] = yes(masked, true="yes", false="no")
    return fields


def _misc(checker: MiscCheck) -> Fields:
    script = checker.misc_path
    return {
        "Keepalive method": "MISC_CHECK",
        "script": command(script),
        "timeout": seconds(checker.misc_timeout),
        "dynamic": yes(checker.misc_dynamic, true="YES", false="NO"),
        "uid:gid": f"{script.uid}:{script.gid}",
    }


def _http(checker: HttpGet | SslGet) -> Fields:
    kind = "HTTP_GET" if isinstance(checker, HttpGet) else "SSL_GET"
    fields: Fields = {
        "Keepalive method": f"{kind}, http protocol {checker.http_protocol}",
        "Enable SNI": yes(checker.enable_sni, true="set", false="unset"),
        "Fast recovery": yes(checker.fast_recovery, true="set", false="unset"),
    }
    for number, url in enumerate(checker.url, 1):
        fields |= _url(f"url {number}", url)
    return fields


def _url(name: str, url: HttpUrl) -> Fields:
    codes = tuple(f"{low}" if low == high else f"{low}-{high}" for low, high in url.status_code)
    return {
        name: url.path,
        **optional(f"{name}/digest", None if url.digest is None else url.digest.hex()),
        **optional(f"{name}/HTTP Status Code(s)", codes),
        **optional(f"{name}/Virtual host", url.virtualhost),
        **{f"{name}/{key}": value for key, value in _regex(url).items()},
    }


def _regex(url: HttpUrl) -> Fields:
    if url.regex is None:
        return {}
    offsets = str(url.regex_min_offset)
    if url.regex_max_offset is not None:
        offsets += f", max_offset = {url.regex_max_offset}"
    given = url.regex_min_offset or url.regex_max_offset is not None
    return {
        "Regex": f'"{url.regex}"',
        **flag("Regex no match", given=url.regex_no_match),
        **optional("Regex min offset", offsets if given else None),
        "Regex options": SOME if url.regex_options else "",
        **optional("Regex stack", f"start {url.regex_stack[0]}, max {url.regex_stack[1]}" if url.regex_stack else None),
    }
