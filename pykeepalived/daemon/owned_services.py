"""Which services of the IPVS table are ours: kept for the process that takes over from one that died.

A service that goes with a reload would stay for ever if that reload came while no process lived, or was never carried
out; and nobody would check its servers.
"""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address

from pykeepalived.config.blocks.virtual_server import Service
from pykeepalived.daemon.keepsake import Keepsake
from pykeepalived.lvs.table import Table


class OwnedServices:
    """``take_over`` at the start, ``drop_left`` when nothing goes there any more; ``note`` before orders of a reload
    are given, ``settled`` when all are.
    """

    def __init__(self, keepsake: Keepsake, table: Table) -> None:
        self._keepsake = keepsake
        self._table = table
        self._going = False  # those that are kept are more than those that are wanted
        self._left: tuple[Service, ...] = ()

    def take_over(self) -> frozenset[Service]:
        """What is ours and not wanted any more is to go: those that are there."""
        wanted, former = self._table.services(), self._kept()
        self._left = tuple(former.keys() - wanted.keys())
        self._going = bool(self._left)
        self._keep(wanted | former)
        return frozenset(self._left).intersection(self._table.strangers())

    def drop_left(self) -> None:
        """They go."""
        self._table.remove(self._left)
        self._left = ()

    def note(self, before: Mapping[Service, None], *, going: bool) -> None:
        """Those of ``before`` are ours until they are gone, and so are those that come. ``going``: some that are still
        wanted go before all is settled.
        """
        wanted = self._table.services()
        if going or wanted.keys() != before.keys():
            former = self._kept() if self._going else before
            self._going = True
            self._keep({**wanted, **former})

    def settled(self) -> None:
        """All orders are carried out, or refused."""
        if self._going and self._table.loaded:
            stuck = self._table.stuck()
            self._going = bool(stuck)
            self._keep({**self._table.services(), **stuck})

    def _kept(self) -> dict[Service, None]:
        texts: str = self._keepsake.get("services") or ""
        return dict.fromkeys(map(_service, texts.splitlines()))

    def _keep(self, services: Iterable[Service]) -> None:
        self._keepsake.keep("services", "\n".join(map(_text, services)))  # a list would take ten times the memory


def _text(service: Service) -> str:
    address = "" if service.address is None else service.address.packed.hex()
    return f"{service.family} {service.protocol} {service.port} {service.fwmark} {address}"


def _service(text: str) -> Service:
    *numbers, address = text.split(" ")
    family, protocol, port, fwmark = map(int, numbers)
    if not address:
        return Service("fwmark", None, 0, 0, fwmark, family)
    return Service("address", ip_address(bytes.fromhex(address)), port, protocol, 0, family)
