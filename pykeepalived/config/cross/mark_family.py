"""The family of a virtual server that is a mark of the firewall: it has no address that says it."""

from collections.abc import Sequence

from pykeepalived.config.blocks.virtual_server import FAMILIES
from pykeepalived.config.cross.addresses import family_of
from pykeepalived.config.cross.context import Context
from pykeepalived.config.cross.real_servers import first_family
from pykeepalived.config.kinds import AF_INET, AF_INET6
from pykeepalived.config.raw import Given, Raw


def mark_family(raw: Raw, reals: Sequence[Raw], context: Context) -> int:
    """What says it first: ip_family, the granularity, or a real server that is not behind a tunnel.

    Else the sorry server, unless a tunnel leads there; else IPv6 when all real servers are of it.
    """
    said = _said(raw, reals)
    given = raw.given.get("ip_family")
    if given is not None:
        earlier = min((each for each in said if each[0] < given.order), default=None)
        if earlier is None or earlier[1] == FAMILIES[given.value]:
            return FAMILIES[given.value]
        message = f"Virtual server {' '.join(raw.words)}: ip_family contradicts what is above it - ignored"
        context.error(message, given.span(1), "remove the line, or mend its servers or their lvs_method")
    if said:
        return min(said)[1]
    sorry: Given | None = raw.given.get("sorry_server")
    if sorry is not None and not _tunnel(raw.given.get("sorry_server_lvs_method") or raw.given.get("lvs_method")):
        return family_of(sorry.value[0])
    families = {first_family([real]) for real in reals} - {None}
    return AF_INET6 if families == {AF_INET6} else AF_INET


def _said(raw: Raw, reals: Sequence[Raw]) -> list[tuple[int, int]]:
    """Where in the file a family is said, but for ip_family, and which."""
    said = []
    granularity = raw.given.get("persistence_granularity")
    if granularity is not None:
        said.append((granularity.order, AF_INET6 if isinstance(granularity.value, int) else AF_INET))
    method = raw.given.get("lvs_method")
    for real in reals:
        family = first_family([real])
        if family is not None and not _tunnel(real.given.get("lvs_method") or method):
            said.append((real.order, family))
            break
    return said


def _tunnel(method: Given | None) -> bool:
    return method is not None and method.value.forward == "TUN"
