"""From one table of a service to another in the fewest orders.

Their order keeps every connection that can be kept: what may take new connections comes before what is lowered or
removed, and rows are edited where they stand.
"""

from collections.abc import Collection

from pykeepalived.ipvs_table import DestinationRow, IpvsOrder, ServerKey, Verb
from pykeepalived.lvs.rows import ServiceTable


def plan(
    wanted: ServiceTable | None, actual: ServiceTable | None, touched: Collection[ServerKey] | None = None
) -> list[IpvsOrder]:
    """Orders that turn ``actual`` into ``wanted``; None is a service that is not there. With ``touched``, only those
    servers are looked at.
    """
    if wanted is None:
        # with the service go its destinations
        return [] if actual is None else [IpvsOrder(Verb.DELETE_SERVICE, actual.row)]
    service = wanted.row
    orders: list[IpvsOrder] = []
    there: dict[ServerKey, DestinationRow] = {}
    if actual is None:
        orders.append(IpvsOrder(Verb.ADD_SERVICE, service))
        touched = None
    else:
        there = actual.destinations
        if actual.row != service:
            orders.append(IpvsOrder(Verb.EDIT_SERVICE, service))
    opened: list[IpvsOrder] = []
    closed: list[IpvsOrder] = []
    removed: list[IpvsOrder] = []
    every = wanted.destinations | there if there else wanted.destinations
    for key in every if touched is None else sorted(touched):
        want, have = wanted.destinations.get(key), there.get(key)
        if want is None:
            if have is not None:
                removed.append(IpvsOrder(Verb.DELETE_SERVER, service, have))
        elif want is not have and want != have:
            verb = Verb.ADD_SERVER if have is None else Verb.EDIT_SERVER
            (opened if want.weight else closed).append(IpvsOrder(verb, service, want))
    return orders + opened + closed + removed
