"""Health checks, as the section Health checkers tells them, in their order."""

from collections.abc import Iterable, Mapping, Sequence

from pykeepalived.config.blocks.checkers import Checker, CheckTiming, HttpGet, HttpUrl, Target, TcpCheck
from pykeepalived.config.configuration import Configuration
from tests.interop.dumped.fields import Block, Fields, microseconds, optional, read, yes
from tests.interop.dumped.tree import Node, Section

IGNORED: Mapping[str, str] = {
    "Enabled": "changes while it runs",
    "Up": "changes while it runs",
    "Has run": "changes while it runs",
    "Current weight": "changes while it runs",
    "Retries iterations": "a counter",
    "Default delay before retry": "the kind's own default, whatever is given",
    "Failed URL": "changes while it runs",
    "Connection/Last errno": "changes while it runs",
    "Last ran": "an instant",
    "Last status": "changes while it runs",
    "Reloaded": "a mark of a reload under way",
}
WAITING: frozenset[str] = frozenset(("Enable SNI",))
WAITING_KINDS = frozenset(
    ("MISC_CHECK", "SMTP_CHECK", "SSL_GET", "DNS_CHECK", "UDP_CHECK", "PING_CHECK", "FILE_CHECK", "BFD_CHECK")
)
"""Kinds of checkers that the model does not hold yet."""
LISTS = ("HTTP Status Code(s)",)
PATTERNS = (r"(Fast recovery) (.*)", r"(Enable SNI) (.*)", r"(Keepalive method) = (.*)")


def block(sections: Sequence[Section], configuration: Configuration) -> Block:
    """All checkers of all real servers, numbered for each server."""
    everything = configuration.global_defs.checker_log_all_failures
    told: dict[str, Fields] = {}
    nodes = [node for section in sections if section.name == "Health checkers" for node in section.nodes]
    for node in nodes:
        fields = _told(node.children)
        if not _waits(fields):
            told[_number(told, node.text)] = fields
    ours: dict[str, Fields] = {}
    for server in configuration.virtual_server:
        for real in server.real_server:
            for checker in real.checkers:
                ours[_number(ours, f"{server.service} -> {server.real_server_text(real)}")] = _ours(checker)
    ignored = {**IGNORED, **({"Log all failures": "told without the global setting"} if everything else {})}
    return Block("checker", told, ours, ignored, WAITING)


def _waits(fields: Fields) -> bool:
    return str(fields.get("Keepalive method", "")).partition(",")[0] in WAITING_KINDS


def _number(known: Mapping[str, Fields], name: str) -> str:
    number = 1
    while f"{name} {number}" in known:
        number += 1
    return f"{name} {number}"


def _told(nodes: Iterable[Node]) -> Fields:
    """The urls of HTTP_GET are numbered, and each has its Host header, be it the checker's."""
    fields: Fields = {}
    plain = []
    number = 0
    for node in nodes:
        if node.text.startswith("Checked url = "):
            number += 1
            inner = read(node.children, PATTERNS, LISTS)
            fields |= {f"url {number}": node.text.removeprefix("Checked url = ")}
            fields |= {f"url {number}/{key}": value for key, value in inner.items()}
        else:
            plain.append(node)
    told = read(plain, PATTERNS, LISTS)
    host = told.pop("Virtualhost", None)
    for each in range(1, number + 1):
        if host is not None:
            fields.setdefault(f"url {each}/Virtual host", host)
    return {**told, **fields}


def _ours(checker: Checker) -> Fields:
    match checker:
        case TcpCheck():
            return {**_timing(checker.timing), **_target(checker.target), "Keepalive method": "TCP_CHECK"}
        case HttpGet():
            return {**_timing(checker.timing), **_target(checker.target), **_http(checker)}


def _timing(timing: CheckTiming) -> Fields:
    return {
        "Alpha": yes(timing.alpha, true="yes", false="no"),
        "Delay loop": f"{timing.delay_loop // 1000} us",
        "Warmup": f"{timing.warmup // 1000} us",
        "Retries": str(timing.retry),
        "Delay before retry": f"{timing.delay_before_retry // 1000} us",
        "Log all failures": yes(timing.log_all_failures, true="yes", false="no"),
    }


def _target(target: Target) -> Fields:
    bound = f"[{target.bindto}]:{target.bind_port}" if target.bindto else None
    return {
        "Connection": "",
        "Connection/Dest": f"[{target.connect_ip}]:{target.connect_port}",
        **optional("Connection/Bind to", bound),
        **optional("Connection/Bind i/f", target.bind_if),
        **optional("Connection/Mark", str(target.fwmark) if target.fwmark else None),
        "Connection/Timeout": microseconds(target.connect_timeout),
    }


def _http(checker: HttpGet) -> Fields:
    fields: Fields = {
        "Keepalive method": f"HTTP_GET, http protocol {checker.http_protocol}",
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
    }
