"""What somebody else has done to a service of ours, in words.

``is`` is what the kernel holds, ``shall`` what we had put there.
"""

from collections.abc import Iterator

from pykeepalived.config.blocks.virtual_server import Service, endpoint_text
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.ipvs_table import DestinationRow, ServerKey, ServiceRow
from pykeepalived.lvs.rows import ServiceTable

_SERVICE_FIELDS = (
    ("scheduler", "lvs_sched"),
    ("flags", "flags"),
    ("timeout", "persistence_timeout"),
    ("netmask", "persistence_granularity"),
    ("persistence_engine", "persistence_engine"),
)
_SERVER_FIELDS = (
    ("method", "lvs_method"),
    ("weight", "weight"),
    ("upper_threshold", "uthreshold"),
    ("lower_threshold", "lthreshold"),
)
Place = tuple[Service, ServerKey | None]


def disturbances(booked: ServiceTable, found: ServiceTable | None) -> Iterator[tuple[Place, Log]]:
    """Where the kernel holds something else than what was booked, and what is to be said of it."""
    service = booked.row.service
    name = str(service)
    if found is None:
        yield (service, None), _log(name, "", f"VS {name} was removed by somebody else: it is added again")
        return
    if found.row != booked.row:
        told = _differences(found.row, booked.row, _SERVICE_FIELDS)
        yield (service, None), _log(name, "", f"VS {name} was changed by somebody else: {told}")
    for key in booked.destinations | found.destinations:
        shall, there = booked.destinations.get(key), found.destinations.get(key)
        row = shall or there
        if shall == there or row is None:
            continue
        server = endpoint_text(row.address, service.protocol, row.port)
        if shall is None:
            told = f"was added to VS {name} by somebody else, and is no real server of it: it is removed"
        elif there is None:
            told = f"was removed from VS {name} by somebody else: it is added again"
        else:
            told = f"of VS {name} was changed by somebody else: {_differences(there, shall, _SERVER_FIELDS)}"
        yield (service, key), _log(name, server, f"service {server} {told}")


def _differences(
    there: ServiceRow | DestinationRow, shall: ServiceRow | DestinationRow, names: tuple[tuple[str, str], ...]
) -> str:
    return ", ".join(
        f"{word} is {_text(getattr(there, field))}, shall be {_text(getattr(shall, field))}"
        for field, word in names
        if getattr(there, field) != getattr(shall, field)
    )


def _text(value: object) -> str:
    return "none" if value == "" else str(value)


def _log(service: str, server: str, text: str) -> Log:
    fields = (("VIRTUAL_SERVER", service),) + ((("REAL_SERVER", server),) if server else ())
    return Log(f"IPVS: {text}", Level.WARNING, Kind.IPVS, fields=fields)
