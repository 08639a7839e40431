"""virtual_server blocks as values: the service, its family and protocol, and all that hangs on it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.probing import FOR_CHECKERS
from pykeepalived.config.blocks.virtual_server import FAMILIES, IPPROTO_UDP, PROTOCOLS, Service, VirtualServer
from pykeepalived.config.blocks.virtual_server_group import VirtualServerGroup
from pykeepalived.config.cross import scheduling
from pykeepalived.config.cross.addresses import family_of
from pykeepalived.config.cross.checkers import Above, Checkers
from pykeepalived.config.cross.context import Context, nearest
from pykeepalived.config.cross.followers import Followers
from pykeepalived.config.cross.mark_family import mark_family
from pykeepalived.config.cross.real_servers import Around, RealServers, first_family
from pykeepalived.config.cross.scripts import Scripts
from pykeepalived.config.kept import kept_weight
from pykeepalived.config.kinds import AF_INET, IP, UINT_MAX, Endpoint, Problem, Refused, number
from pykeepalived.config.kinds_lvs import LvsMethod
from pykeepalived.config.raw import Raw
from pykeepalived.units import SECOND

DELAY_LOOP = 60 * SECOND
_ENDPOINT = Endpoint()


class _Refusal(Exception):  # noqa: N818 - the server cannot be used
    """The server is left out; why was said."""


@dataclass(slots=True)
class _Head:
    """The words before the brace."""

    kind: Literal["address", "fwmark", "group"]
    address: IP | None = None
    port: int = 0
    fwmark: int = 0
    group: VirtualServerGroup | None = None
    number: int = 0
    """How many virtual servers of the group stand before it."""


class Servers:
    """Resolves the virtual servers of a configuration."""

    def __init__(
        self,
        context: Context,
        scripts: Scripts,
        global_defs: GlobalDefs,
        groups: Mapping[str, VirtualServerGroup | None],
        followers: Followers,
    ) -> None:
        self._context = context
        self._scripts = scripts
        self.global_defs = global_defs
        self._groups = groups
        self._followers = followers
        self._of_group: Counter[str] = Counter()
        """How many virtual servers there are of each group."""
        self._alert = global_defs.smtp_alert_checker
        """None: nothing is said, and real servers differ from virtual ones."""
        self.resolved: list[tuple[Raw, VirtualServer, bool]] = []
        """What came of each block, and whether it asked for nothing beyond itself and had nothing said of it."""

    def resolve(self, root: Raw) -> list[VirtualServer]:
        """Every virtual server that can be used."""
        checkers = Checkers(self._context, self._followers, self.global_defs)
        real_servers = RealServers(self._context, self._scripts, checkers)
        found: dict[Service, VirtualServer] = {}
        context = self._context
        for raw in root.named("virtual_server"):
            before = context.asked, context.findings.count
            try:
                server = self._server(raw, real_servers)
            except _Refusal:
                continue
            finally:
                context.server = None
            if server.service in found:
                first = found[server.service].service
                message = f"Virtual server {first} is defined twice, the first is used"
                self._context.warning(message, raw.span(), "remove one of the two")
                continue
            found[server.service] = server
            self.resolved.append((raw, server, before == (context.asked, context.findings.count)))
        return list(found.values())

    def _server(self, raw: Raw, real_servers: RealServers) -> VirtualServer:
        head = self._head(raw)
        reals = list(raw.named("real_server"))
        if not reals and not raw.kept:
            self._no_servers(raw, head)
        service = self._service(raw, head, reals)
        self._context.server = service, None
        scheduler = scheduling.scheduler(raw, service, self._context)
        timeout, granularity = scheduling.persistence(raw, service, head.group, self._context)
        around = self._around(raw, head, service, reals)
        servers = real_servers.resolve(reals, around)
        if not servers and not raw.kept:
            self._no_servers(raw, head)
        weight = sum(each.weight for each in servers) + kept_weight(raw)
        quorum, hysteresis = scheduling.quorum(raw, service, weight, self._context)
        flags = scheduling.flags(raw, self._context)
        given = raw.given
        alert = given.get("smtp_alert")
        return VirtualServer(
            service=service,
            delay_loop=around.above.delay_loop,
            lvs_sched=scheduler,
            lvs_method=around.method,
            ops=scheduling.one_packet(raw, service, self._context),
            sched_1=flags[0],
            sched_2=flags[1],
            sched_3=flags[2],
            persistence_engine=raw.value("persistence_engine"),
            persistence_timeout=timeout,
            persistence_granularity=granularity,
            ha_suspend=self._ha_suspend(raw, head, service),
            smtp_alert=alert.value if alert is not None else bool(self._alert),
            snmp_name=raw.value("snmp_name"),
            alpha=raw.value("alpha"),
            omega=raw.value("omega"),
            quorum=quorum,
            hysteresis=hysteresis,
            quorum_up=self._scripts.command(given.get("quorum_up")),
            quorum_down=self._scripts.command(given.get("quorum_down")),
            sorry_server=real_servers.sorry_server(raw, given.get("sorry_server"), around, servers),
            virtualhost=around.values.get("virtualhost"),
            real_server=tuple(servers),
        )

    def _no_servers(self, raw: Raw, head: _Head) -> NoReturn:
        hint = "add a real_server block" if next(raw.named("real_server"), None) is None else None
        message = f"Virtual server {_text(raw, head)} has no real servers - ignoring"
        self._context.error(message, raw.span(), hint or "mend one of its real servers")
        raise _Refusal

    def _around(self, raw: Raw, head: _Head, service: Service, reals: list[Raw]) -> Around:
        """What all real servers of it share."""
        given = raw.given
        values: dict[str, Any] = {name: given[name].value for name in FOR_CHECKERS if name in given}
        method = given.get("lvs_method")
        if method is None and "lvs_method" not in raw.said and not all("lvs_method" in each.given for each in reals):
            self._context.error(
                f"Virtual server {service}: no forwarding method set, setting default 'NAT'",
                raw.span(),
                "add a line: lvs_method NAT (or DR, TUN)",
            )
        return Around(
            service=service,
            group=head.group,
            method=method.value if method is not None else LvsMethod(),
            weight=raw.value("weight"),
            inhibit_on_failure=raw.value("inhibit_on_failure"),
            smtp_alert=self._alert is not False,
            values=values,
            above=Above(values, values.get("delay_loop", DELAY_LOOP)),
        )

    # --- the service ---

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
            self._context.asked += 1
            group = self._groups.get(words[1])
            if group is None:
                self._no_group(raw, words[1])
            self._of_group[group.name] += 1
            return _Head("group", group=group, number=self._of_group[group.name] - 1)
        try:
            if words[0] == "fwmark":
                return _Head("fwmark", fwmark=_mark(words[1]))
            address, port = _ENDPOINT.read(words)
        except Refused as refused:
            span = raw.span(word=refused.word + 1)
            self._context.error(f"virtual_server: {refused.message} - skipping", span, refused.hint)
            raise _Refusal from None
        return _Head("address", address, port)

    def _no_group(self, raw: Raw, name: str) -> NoReturn:
        what = "was removed" if name in self._groups else "does not exist"
        hint = f"define it: virtual_server_group {name} {{ ... }}"
        if name in self._groups:
            hint = f"mend virtual_server_group {name}"
        message = f"virtual_server group {name} {what} - the virtual server is dropped"
        self._context.warning(message, raw.span(word=2), nearest(name, self._groups.keys() - {name}) or hint)
        raise _Refusal

    def _service(self, raw: Raw, head: _Head, reals: list[Raw]) -> Service:
        if head.address is None:
            if head.group is not None:
                return self._group_service(raw, head, head.group, reals)
            self._mark_has_no_protocol(raw, head)
            return Service("fwmark", None, 0, 0, head.fwmark, mark_family(raw, reals, self._context))
        family = family_of(head.address)
        given = raw.given.get("ip_family")
        if given is not None and FAMILIES[given.value] != family:
            message = f"Virtual server {_text(raw, head)}: ip_family contradicts the address - ignored"
            self._context.error(message, given.span(1), "remove the line")
        return Service("address", head.address, head.port, self._protocol(raw, head), 0, family)

    def _group_service(self, raw: Raw, head: _Head, group: VirtualServerGroup, reals: list[Raw]) -> Service:
        """A group's family is that of its servers; without a tunnel all its entries must be of it."""
        families = {each.family for each in group.entries if each.family}
        family = self._wanted_family(raw, head, reals, families)
        if family is not None and families - {family}:
            name = _text(raw, head)
            message = f"virtual_server_group {group.name} is not of the family of its servers alone - ignoring {name}"
            self._of_group[group.name] -= 1  # as if it were not there
            hint = "make a group of each family, or use lvs_method TUN"
            self._context.warning(message, raw.span(word=2), hint)
            raise _Refusal
        family = family or next((each.family for each in group.entries if each.family), AF_INET)
        if all(each.first is None for each in group.entries):
            self._mark_has_no_protocol(raw, head)
            protocol = 0
        else:
            protocol = self._protocol(raw, head)
        return Service("group", None, 0, protocol, 0, family, group.name, head.number)

    def _wanted_family(self, raw: Raw, head: _Head, reals: list[Raw], families: set[int]) -> int | None:
        """What ip_family says, or the first real server that is not behind a tunnel."""
        given = raw.given.get("ip_family")
        if given is not None:
            family = FAMILIES[given.value]
            if families - {family}:
                message = f"Virtual server {_text(raw, head)}: ip_family contradicts the group"
                self._context.error(message, given.span(1), "remove the line")
            return family
        method = raw.given.get("lvs_method")
        plain = []
        for real in reals:
            own = real.given.get("lvs_method") or method
            if own is None or own.value.forward != "TUN":
                plain.append(real)
        return first_family(plain)

    def _protocol(self, raw: Raw, head: _Head) -> int:
        given = raw.given.get("protocol")
        if given is not None:
            return PROTOCOLS[given.value]
        if "protocol" not in raw.said:
            message = f"Virtual server {_text(raw, head)}: no protocol set - setting to UDP"
            self._context.error(message, raw.span(), "add a line: protocol TCP (or UDP, SCTP)")
        return IPPROTO_UDP

    def _mark_has_no_protocol(self, raw: Raw, head: _Head) -> None:
        given = raw.given.get("protocol")
        if given is not None:
            message = f"Virtual server {_text(raw, head)}: a fwmark has no protocol - ignored"
            self._context.warning(message, given.span(), "remove the line", Problem.WARNING)

    def _ha_suspend(self, raw: Raw, head: _Head, service: Service) -> bool:
        given = raw.given.get("ha_suspend")
        if given is None:
            return False
        marks = head.kind == "fwmark"
        if head.group is not None:
            marks = all(each.first is None for each in head.group.entries)
        if marks:
            message = f"Virtual server {service}: ha_suspend is not for marks, which have no address - ignored"
            self._context.error(message, given.span(), "remove the line")
        return not marks


def _mark(text: str) -> int:
    try:
        mark = number(text)
    except Refused as refused:
        refused.word = 1
        raise
    if not 1 <= mark <= UINT_MAX:  # keepalived takes fwmark 0 for no mark, and reads an address that is not there
        hint = f"use a number from 1 to {UINT_MAX}"
        raise Refused(f"fwmark '{text}' outside range [1, {UINT_MAX}]", 1, hint, Problem.INVALID_NUMBER)
    return mark


def _text(raw: Raw, head: _Head) -> str:
    """What it is called before its protocol is known."""
    words = raw.words
    if head.kind == "group":
        return f"[{words[1]}]:{head.number}"
    if head.kind == "fwmark":
        return f"FWM {words[1]}"
    return f"[{words[0]}]:{words[1] if len(words) > 1 else 0}"
