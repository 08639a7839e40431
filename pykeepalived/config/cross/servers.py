"""virtual_server blocks as values: the service, the real servers, the quorum."""

from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Any, Literal

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.virtual_server import (
    FAMILIES,
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    LvsMethod,
    RealServer,
    Service,
    SorryServer,
    VirtualServer,
)
from pykeepalived.config.cross.addresses import family_of
from pykeepalived.config.cross.checkers import CheckerReader
from pykeepalived.config.cross.context import Context
from pykeepalived.config.cross.scripts import Scripts
from pykeepalived.config.interpret import option_pieces
from pykeepalived.config.kinds import AF_INET, AF_INET6, IP, UINT_MAX, Endpoint, Problem, Refused, number
from pykeepalived.config.lexer import Statement
from pykeepalived.config.raw import Given, Raw

PROTOCOLS = {"TCP": IPPROTO_TCP, "UDP": IPPROTO_UDP, "SCTP": IPPROTO_SCTP}
DEFAULT_PERSISTENCE = 360
_INHERITED = ("retry", "delay_before_retry", "delay_loop", "warmup", "connect_timeout", "virtualhost", "alpha")
_LATER_CHECKS = frozenset(
    {"MISC_CHECK", "SMTP_CHECK", "PING_CHECK", "UDP_CHECK", "SSL_GET", "DNS_CHECK", "FILE_CHECK", "BFD_CHECK"}
)


class _Refusal(Exception):  # noqa: N818 - the server cannot be used
    """The server is left out; why was said."""


@dataclass(slots=True)
class _Head:
    kind: Literal["address", "fwmark", "group"]
    address: IP | None
    port: int
    fwmark: int


class Servers:
    """Resolves the virtual servers of a configuration."""

    def __init__(self, context: Context, scripts: Scripts, global_defs: GlobalDefs) -> None:
        self._context = context
        self._scripts = scripts
        self._global_defs = global_defs
        self._methods: dict[str, LvsMethod | None] = {}

    def resolve(self, root: Raw) -> list[VirtualServer]:
        """Every virtual server that can be run."""
        found: dict[Service, VirtualServer] = {}
        for raw in root.named("virtual_server"):
            try:
                server = self._server(raw)
            except _Refusal:
                continue
            if server.service in found:
                self._context.warning(
                    f"Virtual server {server.service} is defined twice, the first is used",
                    raw.span(),
                    "remove one of the two",
                )
                continue
            found[server.service] = server
        return list(found.values())

    def _server(self, raw: Raw) -> VirtualServer:
        head = self._head(raw)
        reals = list(raw.named("real_server"))
        method = self._default_method(raw)
        sorry = raw.given.get("sorry_server")
        if not reals and sorry is None:
            hint = "add a real_server block"
            self._context.error(f"Virtual server {_text(raw)} has no real servers - ignoring", raw.span(), hint)
            raise _Refusal
        service = self._service(raw, head, reals, sorry)
        scheduler = raw.given.get("lvs_sched")
        if scheduler is None and "lvs_sched" not in raw.said:
            self._context.error(
                f"Virtual server {_text(raw)}: no scheduler set, setting default 'wlc'",
                raw.span(),
                "add a line: lvs_sched wlc",
            )
        persistence = self._persistence(raw, service)
        servers = self._real_servers(raw, reals, service, method)
        quorum, hysteresis = self._quorum(raw, servers)
        flags = self._flags(raw)
        ops = raw.value("ops")
        if ops and service.kind == "address" and service.protocol != IPPROTO_UDP:
            hint = "one-packet scheduling is for UDP; remove ops"
            self._context.error(
                f"Virtual server {service}: ops on a service that is not UDP - ignored", raw.span("ops"), hint
            )
            ops = False
        scripts = {name: self._scripts.command(raw.given.get(name)) for name in ("quorum_up", "quorum_down")}
        if head.kind == "group":
            self._leave_group_out(raw)
        return VirtualServer(
            service=service,
            lvs_sched=scheduler.value if scheduler is not None else "wlc",
            lvs_method=method or LvsMethod(),
            ops=ops,
            sched_1=flags[0],
            sched_2=flags[1],
            sched_3=flags[2],
            persistence_timeout=persistence[0],
            persistence_granularity=persistence[1],
            alpha=raw.value("alpha"),
            omega=raw.value("omega"),
            quorum=quorum,
            hysteresis=hysteresis,
            quorum_up=scripts["quorum_up"],
            quorum_down=scripts["quorum_down"],
            sorry_server=self._sorry_server(raw, sorry, service, method),
            virtualhost=raw.given["virtualhost"].value if "virtualhost" in raw.given else None,
            real_server=tuple(servers),
        )

    # --- the service ---

    def _leave_group_out(self, raw: Raw) -> None:
        self._context.later("virtual_server group", raw.span())
        self._context.warning(
            f"virtual_server group {raw.words[1]} is not effective yet and is left out",
            raw.span(),
            "write a virtual_server for each address of the group",
        )
        raise _Refusal

    def _head(self, raw: Raw) -> _Head:
        words = raw.words
        if not words or (words[0] in ("group", "fwmark") and len(words) < 2):
            self._context.error(
                "*** Configuration line starting `virtual_server` is missing a parameter",
                raw.span(),
                "write virtual_server ADDRESS PORT {, virtual_server fwmark N { or virtual_server group NAME {",
                Problem.LACKS_WORD,
                fatal=True,
            )
            raise _Refusal
        if words[0] == "group":
            return _Head("group", None, 0, 0)
        try:
            if words[0] == "fwmark":
                mark = number(words[1])
                if not 0 <= mark <= UINT_MAX:
                    raise Refused(f"fwmark '{words[1]}' outside range [0, {UINT_MAX}]")  # noqa: TRY301
                return _Head("fwmark", None, 0, mark)
            address, port = Endpoint().read(words)
        except Refused as refused:
            self._context.error(
                f"virtual_server: {refused.message} - skipping", raw.span(word=refused.word + 1), refused.hint
            )
            raise _Refusal from None
        return _Head("address", address, port, 0)

    def _service(self, raw: Raw, head: _Head, reals: list[Raw], sorry: Given | None) -> Service:
        context = self._context
        protocol = raw.given.get("protocol")
        if head.address is not None:
            if protocol is None:
                context.error(
                    f"Virtual server {_text(raw)}: no protocol set - setting to UDP",
                    raw.span(),
                    "add a line: protocol TCP (or UDP, SCTP)",
                )
            if "ip_family" in raw.given and FAMILIES[raw.value("ip_family")] != family_of(head.address):
                context.error(
                    f"Virtual server {_text(raw)}: ip_family contradicts the address - ignored",
                    raw.span("ip_family", 1),
                )
            number_of = PROTOCOLS[protocol.value] if protocol is not None else IPPROTO_UDP
            return Service("address", head.address, head.port, number_of, 0, family_of(head.address))
        if protocol is not None and head.kind == "fwmark":
            context.warning(
                f"Virtual server {_text(raw)}: a fwmark has no protocol - ignored",
                raw.span("protocol"),
                "remove the line",
                Problem.WARNING,
            )
        family = FAMILIES[raw.value("ip_family")] if "ip_family" in raw.given else self._family(reals, sorry)
        return Service("fwmark", None, 0, 0, head.fwmark, family)

    def _family(self, reals: list[Raw], sorry: Given | None) -> int:
        """A fwmark's family is that of its servers."""
        words = [real.name for real in reals]
        if any(":" in word for word in words) or (sorry is not None and sorry.value[0].version == 6):
            return AF_INET6
        return AF_INET

    # --- methods ---

    def _default_method(self, raw: Raw) -> LvsMethod | None:
        given = raw.given.get("lvs_method")
        if given is None:
            if not all("lvs_method" in real.given for real in raw.named("real_server")):
                self._context.error(
                    f"Virtual server {_text(raw)}: no forwarding method set, setting default 'NAT'",
                    raw.span(),
                    "add a line: lvs_method NAT (or DR, TUN)",
                )
            return None
        return self._method(given.statement)

    def _method(self, statement: Statement) -> LvsMethod | None:
        """The words after lvs_method; None when they are none, and that is said."""
        key = " ".join(statement.words[1:])
        if key not in self._methods or self._methods[key] is None:
            self._methods[key] = self._read_method(statement)
        return self._methods[key]

    def _read_method(self, statement: Statement) -> LvsMethod | None:
        context = self._context
        forward, pieces = option_pieces("lvs_method", statement)
        if forward not in ("NAT", "DR", "TUN"):
            hint = f"write {forward.upper()}: case matters here" if forward.upper() in ("NAT", "DR", "TUN") else None
            message = f"{statement.words[0]}: unknown forwarding method '{forward}'"
            context.error(message, statement.span(1), hint or "write NAT, DR or TUN")
            return None
        values: dict[str, Any] = {}
        for piece in pieces:
            if piece.name == "type" and piece.value in ("ipip", "gue", "gre"):
                values["tunnel_type"] = piece.value
            elif piece.name == "port" and piece.value and piece.value.isascii() and piece.value.isdigit():
                values["tunnel_port"] = int(piece.value)
            elif piece.name in ("nocsum", "csum", "remcsum"):
                values["checksum"] = piece.name
            else:
                word = piece.value if piece.value is not None else piece.name
                hint = "write TUN [type ipip|gue|gre] [port N] [nocsum|csum|remcsum]"
                context.error(f"{statement.words[0]}: unknown option '{word}' - ignored", statement.span(), hint)
        if values and forward != "TUN":
            context.error(
                f"{statement.words[0]}: {forward} has no tunnel options - ignored",
                statement.span(),
                "remove them, or write TUN",
            )
            values = {}
        kind, port, checksum = values.get("tunnel_type", "ipip"), values.get("tunnel_port", 0), values.get("checksum")
        if (kind == "gue") != (0 < port <= 65535):
            context.error(
                f"{statement.words[0]}: a port from 1 to 65535 goes with gue, and with nothing else",
                statement.span(),
                "write TUN type gue port N",
            )
            if kind == "gue":
                return None
            values.pop("tunnel_port", None)
        if (kind == "ipip" and checksum in ("csum", "remcsum")) or (kind == "gre" and checksum == "remcsum"):
            context.error(f"{statement.words[0]}: {kind} has no {checksum} - ignored", statement.span(), "remove it")
            values.pop("checksum")
        return LvsMethod(forward, **values)  # type: ignore[arg-type]

    # --- real servers ---

    def _real_servers(self, raw: Raw, reals: list[Raw], service: Service, method: LvsMethod | None) -> list[RealServer]:
        found: dict[tuple[IP, int], RealServer] = {}
        inherited = {name: raw.given[name].value for name in _INHERITED if name in raw.given}
        for real in reals:
            try:
                server = self._real_server(raw, real, service, method, inherited)
            except _Refusal:
                continue
            key = server.address, server.port
            if key in found:
                self._context.error(
                    f"VS {service}: real server {server.address} {server.port} is there already - removing the second",
                    real.span(),
                    "remove one of the two",
                )
                continue
            found[key] = server
        return list(found.values())

    def _real_server(
        self, raw: Raw, real: Raw, service: Service, method: LvsMethod | None, inherited: dict[str, Any]
    ) -> RealServer:
        context = self._context
        try:
            address, port = Endpoint().read(real.words)
        except Refused as refused:
            lacks = refused.problem is Problem.LACKS_WORD
            context.error(
                f"real_server: {refused.message} - skipping",
                real.span(word=None if lacks else refused.word + 1),
                refused.hint or "write real_server ADDRESS PORT {",
                refused.problem,
                fatal=lacks,
            )
            raise _Refusal from None
        given = real.given.get("lvs_method")
        own = (self._method(given.statement) if given is not None else None) or method or LvsMethod()
        port = self._port(real, port, service, own, "real server")
        if family_of(address) != service.family and own.forward != "TUN":
            context.error(
                f"VS {service}: real server {address} is of the other family - removing",
                real.span(word=1),
                "families may differ with lvs_method TUN alone",
            )
            raise _Refusal
        merged = {**inherited, **{name: real.given[name].value for name in _INHERITED if name in real.given}}
        later = [name for name in real.said if name in _LATER_CHECKS]
        reader = CheckerReader(merged, address, port, context, self._global_defs)
        checkers = tuple(checker for checker in map(reader.read, real.blocks) if checker is not None)
        if later and not checkers:
            context.warning(
                f"VS {service}: real server {address} {port} has no checker that is effective: it counts as up",
                real.said[later[0]].span(0),
                f"{later[0]} is not effective yet; TCP_CHECK and HTTP_GET are",
            )
        uthreshold, lthreshold = real.value("uthreshold"), real.value("lthreshold")
        if uthreshold and lthreshold > uthreshold:
            context.warning(
                f"VS {service}: lthreshold is above uthreshold", real.span("lthreshold"), "the lower comes first"
            )
        inhibit = real.given.get("inhibit_on_failure")
        weight = real.given.get("weight")
        return RealServer(
            address=address,
            port=port,
            weight=weight.value if weight is not None else raw.value("weight"),
            lvs_method=own,
            uthreshold=uthreshold,
            lthreshold=lthreshold,
            inhibit_on_failure=inhibit.value if inhibit is not None else raw.value("inhibit_on_failure"),
            alpha=merged.get("alpha", False),
            notify_up=self._scripts.command(real.given.get("notify_up")),
            notify_down=self._scripts.command(real.given.get("notify_down")),
            checkers=checkers,
        )

    def _port(self, real: Raw, port: int, service: Service, method: LvsMethod, what: str) -> int:
        """DR and TUN cannot change the port; NAT without one takes the service's."""
        if service.kind == "fwmark":
            return port if method.forward == "NAT" else 0
        if method.forward == "NAT":
            return port or service.port
        if port and port != service.port:
            self._context.error(
                f"VS {service}: ports of service and {what} don't match - resetting to {service.port}",
                real.span(word=2) if what == "real server" else real.span("sorry_server", 2),
                f"{method.forward} cannot change the port: write {service.port}, or use NAT",
            )
        return service.port

    def _sorry_server(
        self, raw: Raw, given: Given | None, service: Service, method: LvsMethod | None
    ) -> SorryServer | None:
        if given is None:
            for name in ("sorry_server_inhibit", "sorry_server_lvs_method"):
                if name in raw.given:
                    hint = "add a sorry_server above it"
                    self._context.error(f"VS {service}: {name} without sorry_server - ignored", raw.span(name), hint)
            return None
        address, port = given.value
        own = raw.given.get("sorry_server_lvs_method")
        used = (self._method(own.statement) if own is not None else None) or method or LvsMethod()
        if family_of(address) != service.family and used.forward != "TUN":
            self._context.error(
                f"VS {service}: sorry server {address} is of the other family - removing", given.span(1)
            )
            return None
        inhibit = raw.given.get("sorry_server_inhibit")
        if inhibit is not None and inhibit.order < given.order:
            self._context.error(
                f"VS {service}: sorry_server_inhibit before sorry_server - ignored",
                inhibit.span(),
                "move it below sorry_server",
            )
            inhibit = None
        return SorryServer(
            address=address,
            port=self._port(raw, port, service, used, "sorry server"),
            lvs_method=used,
            inhibit=inhibit is not None,
        )

    # --- persistence, quorum, flags ---

    def _persistence(self, raw: Raw, service: Service) -> tuple[int | None, IPv4Address | int | None]:
        timeout = raw.value("persistence_timeout")
        given = raw.given.get("persistence_granularity")
        granularity: IPv4Address | int | None = None
        if given is not None:
            granularity = self._granularity(given, service)
            timeout = timeout or DEFAULT_PERSISTENCE
        if service.kind == "address" and service.port == 0 and not timeout:
            self._context.error(
                f"Virtual server {service}: zero port only valid for persistent services - setting",
                raw.span(),
                "add a line: persistence_timeout 360, or give the port",
            )
            timeout = DEFAULT_PERSISTENCE
        return timeout, granularity

    def _granularity(self, given: Given, service: Service) -> IPv4Address | int | None:
        text: str = given.value
        try:
            if service.family == AF_INET:
                return IPv4Address(text)
            bits = number(text)
            if 1 <= bits <= 128:
                return bits
        except (Refused, AddressValueError, ValueError):
            pass
        hint = "write a netmask such as 255.255.255.0" if service.family == AF_INET else "write a number from 1 to 128"
        self._context.error(f"persistence_granularity: invalid value '{text}'", given.span(1), hint)
        return None

    def _quorum(self, raw: Raw, servers: list[RealServer]) -> tuple[int, int]:
        quorum, hysteresis = raw.value("quorum"), raw.value("hysteresis")
        total = sum(server.weight for server in servers)
        if servers and quorum > total:
            hint = f"the weights of the real servers add up to {total}"
            self._context.error(
                f"Warning - quorum {quorum} for {_text(raw)} exceeds total weight {total}, reducing",
                raw.span("quorum", 1),
                hint,
            )
            quorum = max(1, total)
        if hysteresis >= quorum and hysteresis:
            self._context.error(
                f"Virtual server {_text(raw)}: hysteresis {hysteresis} is not below the quorum, {quorum - 1} is used",
                raw.span("hysteresis", 1),
                f"use a number below {quorum}",
            )
            hysteresis = quorum - 1
        return quorum, hysteresis

    def _flags(self, raw: Raw) -> tuple[bool, bool, bool]:
        """The scheduler's flags; those of sh and mh count only below the line of their scheduler."""
        flags = [raw.value("flag-1"), raw.value("flag-2"), raw.value("flag-3")]
        scheduler = raw.given.get("lvs_sched")
        for name in ("sh-fallback", "mh-fallback", "sh-port", "mh-port"):
            given = raw.given.get(name)
            if given is None:
                continue
            if scheduler is None or scheduler.value != name[:2] or scheduler.order > given.order:
                hint = f"write lvs_sched {name[:2]} on an earlier line"
                self._context.error(f"{name} is for the scheduler {name[:2]} - ignored", given.span(), hint)
            else:
                flags[0 if name.endswith("fallback") else 1] = True
        if "hashed" in raw.given and (scheduler is None or scheduler.value not in ("sh", "mh")):
            self._context.error("hashed is for the schedulers sh and mh - ignored", raw.span("hashed"), "remove it")
        return flags[0], flags[1], flags[2]


def _text(raw: Raw) -> str:
    return f"[{raw.words[0]}]:{raw.words[1] if len(raw.words) > 1 else 0}" if raw.words else "?"
