"""Checker blocks as values, with what they inherit from their real server and its virtual server."""

from collections.abc import Callable, Mapping
from typing import Any

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
from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.cross.addresses import family_of
from pykeepalived.config.cross.context import Context
from pykeepalived.config.cross.followers import Followers
from pykeepalived.config.cross.http_checkers import HttpCheckers
from pykeepalived.config.kinds import IP
from pykeepalived.config.raw import Raw
from pykeepalived.config.schema import UNSET
from pykeepalived.units import SECOND

_TIMING = frozenset({"retry", "delay_before_retry", "delay_loop", "warmup", "alpha", "log_all_failures"})
_TARGET = frozenset({"connect_ip", "connect_port", "bindto", "bind_port", "bind_if", "fwmark"})
CONNECT_TIMEOUT = 5 * SECOND


class Above:
    """What the blocks around a checker give it. Shared by all servers of a virtual server that give nothing else."""

    __slots__ = ("connect_timeout", "delay_loop", "timings", "values")

    def __init__(self, values: Mapping[str, Any], delay_loop: int) -> None:
        self.values = values
        """retry, delay_before_retry, delay_loop, warmup, connect_timeout, alpha, virtualhost as far as given."""
        self.delay_loop = delay_loop
        """Of the virtual server."""
        self.connect_timeout: int = values.get("connect_timeout", CONNECT_TIMEOUT)
        self.timings: dict[str, CheckTiming] = {}
        """By checker, of those that have no timing of their own."""

    def value(self, raw: Raw, name: str) -> Any:
        """Checker, then real server, then virtual server, then the checker's own default."""
        given = raw.given.get(name)
        if given is not None:
            return given.value
        if name in self.values:
            return self.values[name]
        return raw.table.keywords[name].default


class Checkers:
    """Reads the checkers of real servers."""

    def __init__(self, context: Context, followers: Followers, global_defs: GlobalDefs) -> None:
        self._context = context
        self._log_all_failures = global_defs.checker_log_all_failures
        self._timings: dict[tuple[Any, ...], CheckTiming] = {}
        http = HttpCheckers(context)
        self._follower: Mapping[str, Callable[[Raw, Above, CheckTiming], AnyChecker | None]] = {
            "MISC_CHECK": followers.misc,
            "FILE_CHECK": followers.file,
            "BFD_CHECK": followers.bfd,
        }
        self._probe: Mapping[str, Callable[[Raw, Above, Target, CheckTiming], AnyChecker | None]] = {
            "HTTP_GET": http.get,
            "SSL_GET": http.ssl_get,
            "PING_CHECK": lambda raw, above, target, timing: PingCheck(target, timing),  # noqa: ARG005
            "UDP_CHECK": self._udp,
            "DNS_CHECK": self._dns,
            "SMTP_CHECK": self._smtp,
        }

    def read(self, raw: Raw, above: Above, address: IP, port: int) -> AnyChecker | None:
        """The checker, or None when it cannot be used (and that is said)."""
        name = raw.table.name
        if raw.blocks and name == "SMTP_CHECK":
            self._take_hosts_in(raw)
        given = raw.given
        timing = above.timings.get(name) if _TIMING.isdisjoint(given) else self._timing(raw, above)
        if timing is None:
            timing = above.timings[name] = self._timing(raw, above)
        if name in self._follower:
            return self._follower[name](raw, above, timing)
        timeout = given.get("connect_timeout")
        seconds = above.connect_timeout if timeout is None else timeout.value
        if _TARGET.isdisjoint(given) and (address.version == 4 or not address.is_link_local):
            target = Target(address, port, None, 0, None, 0, seconds)
        else:
            target = self._target(raw, address, port, seconds)
        if name == "TCP_CHECK":
            return TcpCheck(target, timing)
        return self._probe[name](raw, above, target, timing)

    def is_alpha_misc(self, raw: Raw, above: Above) -> bool:
        """Whether it is a program that must show first that the server is up."""
        return raw.table.name == "MISC_CHECK" and "misc_path" in raw.given and bool(above.value(raw, "alpha"))

    def _timing(self, raw: Raw, above: Above) -> CheckTiming:
        keywords = raw.table.keywords
        if "delay_loop" not in keywords:
            return CheckTiming()  # it has none
        delay_loop = above.value(raw, "delay_loop")
        warmup = above.value(raw, "warmup")
        pause = above.value(raw, "delay_before_retry")
        log_all = raw.given.get("log_all_failures")
        key = (
            above.value(raw, "retry"),
            delay_loop if pause is UNSET else pause,
            delay_loop,
            delay_loop if warmup is UNSET else warmup,
            above.value(raw, "alpha"),
            log_all.value if log_all else self._log_all_failures,
        )
        timing = self._timings.get(key)
        if timing is None:
            timing = self._timings[key] = CheckTiming(*key)
        return timing

    def _target(self, raw: Raw, server: IP, port: int, connect_timeout: int) -> Target:
        given = raw.given.get("connect_ip")
        address: IP = given.value if given is not None else server
        bindto = raw.value("bindto")
        if bindto is not None and family_of(bindto) != family_of(address):
            message = f"bindto {bindto} and the target {address} are of different families - bindto is ignored"
            self._context.error(message, raw.span("bindto", 1), "use addresses of one family")
            bindto = None
        given = raw.given.get("connect_port")
        bind_if = raw.value("bind_if")
        if address.version == 6 and address.is_link_local and bind_if is None:
            hint = "add a line: bind_if INTERFACE"
            self._context.error(f"the link-local target {address} needs an interface", raw.span(), hint)
        return Target(
            address,
            given.value if given is not None else port,
            bindto,
            raw.value("bind_port"),
            bind_if,
            raw.value("fwmark"),
            connect_timeout,
        )

    def _udp(self, raw: Raw, above: Above, target: Target, timing: CheckTiming) -> UdpCheck:  # noqa: ARG002
        least, most = raw.value("min_reply_length"), raw.value("max_reply_length")
        if least > most:
            word = "min_reply_length" if "min_reply_length" in raw.given else "max_reply_length"
            message = f"UDP_CHECK: min_reply_length {least} is above max_reply_length {most}: it will always fail"
            self._context.error(message, raw.span(word, 1), f"write a max_reply_length of {least} or more")
        return UdpCheck(
            target=target,
            timing=timing,
            payload=raw.value("payload"),
            require_reply=raw.value("require_reply"),
            min_reply_length=least,
            max_reply_length=most,
        )

    def _dns(self, raw: Raw, above: Above, target: Target, timing: CheckTiming) -> DnsCheck:  # noqa: ARG002
        return DnsCheck(target=target, timing=timing, type=raw.value("type"), name=raw.value("name") or ".")

    def _smtp(self, raw: Raw, above: Above, target: Target, timing: CheckTiming) -> SmtpCheck:  # noqa: ARG002
        return SmtpCheck(target=target, timing=timing, helo_name=raw.value("helo_name"))

    def _take_hosts_in(self, raw: Raw) -> None:
        """Options of an obsolete host block are those of the SMTP_CHECK around it; the last of several counts."""
        for host in raw.named("host"):
            self._context.warning(
                "host is deprecated: its options are those of the SMTP_CHECK around it",
                host.span(word=0),
                "write the options without host { }, and another SMTP_CHECK for another host",
            )
            for name, given in host.given.items():
                earlier = raw.given.get(name)
                if earlier is None or earlier.order < given.order:
                    raw.given[name] = given
