"""Checker blocks as values, with what they inherit from their real server and its virtual server."""

from collections.abc import Mapping
from typing import Any

from pykeepalived.config.blocks.checkers import Checker, CheckTiming, HttpGet, HttpUrl, Target, TcpCheck
from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.cross.addresses import family_of
from pykeepalived.config.cross.context import Context
from pykeepalived.config.kinds import IP
from pykeepalived.config.raw import Raw
from pykeepalived.config.schema import UNSET


class CheckerReader:
    """Reads the checkers of one real server."""

    def __init__(
        self, inherited: Mapping[str, Any], address: IP, port: int, context: Context, global_defs: GlobalDefs
    ) -> None:
        self._inherited = inherited
        """retry, delay_before_retry, delay_loop, warmup, connect_timeout, alpha, virtualhost as far as given above."""
        self._address = address
        self._port = port
        self._context = context
        self._global_defs = global_defs

    def read(self, raw: Raw) -> Checker | None:
        """The checker, or None when it cannot be used (and that is said)."""
        target = self._target(raw)
        timing = self._timing(raw)
        if raw.table.name == "TCP_CHECK":
            return TcpCheck(target, timing)
        urls = tuple(url for url in (self._url(each, raw) for each in raw.named("url")) if url is not None)
        if not urls:
            hint = "add a block: url { path / }"
            self._context.error("HTTP_GET has no url - the checker is dropped", raw.span(), hint)
            return None
        return HttpGet(
            target=target,
            timing=timing,
            http_protocol=raw.value("http_protocol"),
            fast_recovery=raw.value("fast_recovery"),
            url=urls,
        )

    def _value(self, raw: Raw, name: str) -> Any:
        """Checker, then real server, then virtual server, then the checker's own default."""
        given = raw.given.get(name)
        if given is not None:
            return given.value
        if name in self._inherited:
            return self._inherited[name]
        return raw.table.keywords[name].default

    def _timing(self, raw: Raw) -> CheckTiming:
        delay_loop = self._value(raw, "delay_loop")
        warmup = self._value(raw, "warmup")
        log_all = raw.given.get("log_all_failures")
        return CheckTiming(
            retry=self._value(raw, "retry"),
            delay_before_retry=self._value(raw, "delay_before_retry"),
            delay_loop=delay_loop,
            warmup=delay_loop if warmup is UNSET else warmup,
            alpha=self._value(raw, "alpha"),
            log_all_failures=log_all.value if log_all else self._global_defs.checker_log_all_failures,
        )

    def _target(self, raw: Raw) -> Target:
        given = raw.given.get("connect_ip")
        address: IP = given.value if given is not None else self._address
        bindto = raw.value("bindto")
        if bindto is not None and family_of(bindto) != family_of(address):
            message = f"bindto {bindto} and the target {address} are of different families - bindto is ignored"
            self._context.error(message, raw.span("bindto", 1), "use addresses of one family")
            bindto = None
        port = raw.given.get("connect_port")
        bind_if = raw.value("bind_if")
        if address.is_link_local and address.version == 6 and bind_if is None:
            hint = "add a line: bind_if INTERFACE"
            self._context.error(f"the link-local target {address} needs an interface", raw.span(), hint)
        return Target(
            address,
            port.value if port is not None else self._port,
            bindto,
            raw.value("bind_port"),
            bind_if,
            raw.value("fwmark"),
            self._value(raw, "connect_timeout"),
        )

    def _url(self, raw: Raw, checker: Raw) -> HttpUrl | None:
        path = raw.given.get("path")
        if path is None:
            self._context.error("url without a path - it is dropped", raw.span(), "add a line: path /")
            return None
        if "regex" in raw.said and "digest" not in raw.given:
            self._context.later("virtual_server/real_server/HTTP_GET/url/regex", raw.span("regex"))
        given = raw.given.get("virtualhost")
        digest = raw.given.get("digest")
        return HttpUrl(
            path=path.value,
            digest=digest.value if digest is not None else None,
            status_code=raw.value("status_code"),
            virtualhost=given.value if given is not None else self._value(checker, "virtualhost"),
        )
