"""real_server blocks and the sorry server as values: address, port, method, and what they inherit.

There may be ten thousand: what is the same for all servers of a virtual server is worked out once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pykeepalived.config.blocks.checkers import AnyChecker
from pykeepalived.config.blocks.probing import FOR_CHECKERS
from pykeepalived.config.blocks.real_server import RealServer, SorryServer
from pykeepalived.config.blocks.virtual_server import Service, endpoint_text
from pykeepalived.config.blocks.virtual_server_group import VirtualServerGroup
from pykeepalived.config.cross.addresses import family_of
from pykeepalived.config.cross.checkers import Above, Checkers
from pykeepalived.config.cross.context import Context
from pykeepalived.config.cross.scripts import Scripts
from pykeepalived.config.kinds import IP, Endpoint, Problem, Refused, plain_address
from pykeepalived.config.kinds_lvs import LvsMethod
from pykeepalived.config.raw import Given, Raw

_FOR_CHECKERS = frozenset(FOR_CHECKERS)
_ENDPOINT = Endpoint()
_RARE = frozenset({"uthreshold", "lthreshold", "snmp_name"})
_NOTHING: dict[str, Any] = {}


@dataclass(slots=True)
class Around:
    """What a virtual server gives its real servers."""

    service: Service
    group: VirtualServerGroup | None
    method: LvsMethod
    weight: int
    inhibit_on_failure: bool
    smtp_alert: bool
    values: Mapping[str, Any]
    """What is for the checkers, as far as given."""
    above: Above
    """The same with the delay_loop of the virtual server."""


class RealServers:
    """Reads them."""

    def __init__(self, context: Context, scripts: Scripts, checkers: Checkers) -> None:
        self._context = context
        self._scripts = scripts
        self._checkers = checkers
        self._addresses: dict[str, IP] = {}
        """The same address stands in many virtual servers: it is read once, and one value is shared."""

    def resolve(self, reals: list[Raw], around: Around) -> list[RealServer]:
        """Those that can be used."""
        found: dict[tuple[int, int], RealServer] = {}
        taken: set[tuple[int, int]] = set()
        for real in reals:
            self._context.server = around.service, real
            endpoint = self._endpoint(real)
            server = self._server(real, endpoint, around) if endpoint is not None else None
            if endpoint is None or server is None:
                continue
            key = _identity(server.address), server.port
            if key in found:
                where = f"{server.address} {server.port}"
                message = f"VS {around.service}: real server {where} is there already - removing the second"
                self._context.error(message, real.span(), "remove one of the two")
                continue
            places = _places(key, server, around)
            if not taken.isdisjoint(places):
                message = f"VS {around.service}: real server {server.address} {server.port} stands there already"
                hint = "DR and TUN have the port of each service of the group: leave the other one out"
                self._context.warning(f"{message} - ignored", real.span(), hint)
                continue
            taken.update(places)
            found[key] = server
        self._context.server = around.service, None
        return list(found.values())

    def _server(self, real: Raw, endpoint: tuple[IP, int], around: Around) -> RealServer | None:
        address, port = endpoint
        given = real.given
        own = given.get("lvs_method")
        method = around.method if own is None else own.value
        port = self._port(real, None, port, around, method)
        if family_of(address) != around.service.family and method.forward != "TUN":
            hint = "families may differ with lvs_method TUN alone"
            message = f"VS {around.service}: real server {address} is of the other family - removing"
            self._context.error(message, real.span(word=1), hint)
            return None
        merged: Mapping[str, Any] = around.values
        above = around.above
        if not _FOR_CHECKERS.isdisjoint(given):
            merged = {**merged, **{name: given[name].value for name in FOR_CHECKERS if name in given}}
            above = Above(merged, above.delay_loop)
        checkers: tuple[AnyChecker, ...] = ()
        untested: tuple[str, ...] = ()
        if real.blocks:
            read = self._checkers.read
            all_of_them = [read(raw, above, address, port) for raw in real.blocks]
            checkers = tuple(each for each in all_of_them if each is not None)
            if len(checkers) < len(all_of_them):
                untested = tuple(
                    raw.table.name
                    for raw, each in zip(real.blocks, all_of_them, strict=True)
                    if each is None and self._checkers.is_alpha_misc(raw, above)
                )
        weight = given.get("weight")
        inhibit = given.get("inhibit_on_failure")
        alert = given.get("smtp_alert")
        return RealServer(
            address=address,
            port=port,
            weight=around.weight if weight is None else weight.value,
            lvs_method=method,
            inhibit_on_failure=around.inhibit_on_failure if inhibit is None else inhibit.value,
            alpha=merged.get("alpha", False),
            notify_up=self._scripts.command(given["notify_up"]) if "notify_up" in given else None,
            notify_down=self._scripts.command(given["notify_down"]) if "notify_down" in given else None,
            smtp_alert=around.smtp_alert if alert is None else alert.value,
            checkers=checkers,
            untested=untested,
            **self._rare(real, around),
        )

    def _rare(self, real: Raw, around: Around) -> dict[str, Any]:
        """What few servers have."""
        given = real.given
        if _RARE.isdisjoint(given):
            return _NOTHING
        found = {name: given[name].value for name in _RARE if name in given}
        if found.get("uthreshold", 0) < found.get("lthreshold", 0):
            message = f"VS {around.service}: lthreshold is above uthreshold - the kernel does not take the server"
            self._context.warning(message, real.span("lthreshold"), "write a uthreshold of at least lthreshold")
        return found

    def _endpoint(self, real: Raw) -> tuple[IP, int] | None:
        words = real.words
        address = self._addresses.get(real.name)
        try:
            if address is not None:
                return address, _ENDPOINT.port(words)
            found = _ENDPOINT.read(words)
        except Refused as refused:
            self._refused(real, refused)
            return None
        self._addresses[words[0]] = found[0]
        return found

    def _refused(self, real: Raw, refused: Refused) -> None:
        lacks = refused.problem is Problem.LACKS_WORD
        self._context.error(
            f"real_server: {refused.message} - skipping",
            real.span(word=None if lacks else refused.word + 1),
            refused.hint or "write real_server ADDRESS PORT {",
            refused.problem or Problem.GENERAL_ERROR,
            fatal=lacks,
        )

    def _port(self, real: Raw, sorry: Given | None, port: int, around: Around, method: LvsMethod) -> int:
        """DR and TUN cannot change the port; NAT without one takes the service's."""
        service = around.service
        if service.kind == "group":
            return self._group_port(real, sorry, port, around) if port and method.forward != "NAT" else port
        if method.forward == "NAT":
            return port or service.port
        wanted = 0 if service.kind == "fwmark" else service.port
        if port and port != wanted:
            what = f"ports of service and {'real server' if sorry is None else 'sorry server'} don't match"
            if service.kind == "fwmark":
                what = "a fwmark has no port"
            remedy = f"write {wanted}" if wanted else "leave the port out"
            self._context.error(
                f"VS {service}: {what} - resetting to {wanted}",
                real.span(word=2) if sorry is None else sorry.span(2),
                f"{method.forward} cannot change the port: {remedy}, or use NAT",
                Problem.WARNING,
            )
        return wanted

    def _group_port(self, real: Raw, sorry: Given | None, port: int, around: Around) -> int:
        """The port if it is that of every address; none, which is that of each address, otherwise."""
        group = around.group
        for entry in group.entries if group is not None else ():
            if entry.first is not None and entry.port != port:
                message = (
                    f"VS {around.service}: {entry.entry_text()} of the group and port {port} don't match - resetting"
                )
                hint = "DR and TUN cannot change the port: leave it out here, or use NAT"
                self._context.error(message, real.span(word=2) if sorry is None else sorry.span(2), hint)
                return 0
        return port

    def sorry_server(
        self, raw: Raw, given: Given | None, around: Around, servers: Iterable[RealServer]
    ) -> SorryServer | None:
        """The sorry server; options that stand above it do not count. One that is a real server is inhibited as that
        is.
        """
        context = self._context
        service = around.service
        options = {}
        for name in ("sorry_server_inhibit", "sorry_server_lvs_method"):
            option = raw.given.get(name)
            if option is None:
                continue
            if given is None or option.order < given.order:
                what = "without" if given is None else "before"
                hint = "add a sorry_server above it" if given is None else "move it below sorry_server"
                context.error(f"VS {service}: {name} {what} sorry_server - ignored", option.span(), hint)
            else:
                options[name] = option.value
        if given is None:
            return None
        address, port = given.value
        method: LvsMethod = options.get("sorry_server_lvs_method", around.method)
        if family_of(address) != service.family and method.forward != "TUN":
            message = f"VS {service}: sorry server {address} is of the other family - removing"
            context.error(message, given.span(1), "families may differ with sorry_server_lvs_method TUN alone")
            return None
        port = self._port(raw, given, port, around, method)
        inhibit = "sorry_server_inhibit" in options
        twin = next((each for each in servers if each.port == port and each.address == address), None)
        if twin is not None and twin.inhibit_on_failure is not inhibit:
            where = endpoint_text(address, service.protocol, port)
            what = "clearing" if inhibit else "setting"
            message = f"real server {where} matches sorry server, but inhibit setting differs, {what} on sorry server"
            hint = "write the same for both: inhibit_on_failure and sorry_server_inhibit"
            context.error(f"Virtual server {service}: {message}", given.span(1), hint)
            inhibit = not inhibit
        return SorryServer(address=address, port=port, lvs_method=method, inhibit=inhibit)


def _identity(address: IP) -> int:
    """Equal for equal addresses alone; an address by itself takes longer to be looked up."""
    return int(address) << 8 | address.version


def _places(place: tuple[int, int], server: RealServer, around: Around) -> Iterable[tuple[int, int]]:
    """Address and port in each service: where packets keep their port, that of the service of a group."""
    group = around.group
    if group is None or server.lvs_method.forward == "NAT":
        return (place,)
    return {(place[0], entry.port) for entry in group.entries}


def first_family(reals: list[Raw]) -> int | None:
    """The family of the first real server whose address is one."""
    for real in reals:
        try:
            return family_of(plain_address(real.name))
        except Refused:
            continue
    return None
