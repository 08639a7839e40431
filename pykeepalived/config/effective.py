"""What of a configuration the daemon acts upon today. The language is read whole; what is not effective yet is taken
out here, so that no half of it runs, and every such thing is said once at the start.
"""

from dataclasses import replace

from pykeepalived.config.blocks.real_server import RealServer
from pykeepalived.config.blocks.virtual_server import VirtualServer
from pykeepalived.config.configuration import Configuration


def effective(configuration: Configuration) -> tuple[Configuration, tuple[str, ...]]:
    """The configuration to run, and what is to be said about what was taken out of it."""
    servers, said = _servers(configuration)
    return replace(configuration, virtual_server=servers, virtual_server_group=(), ssl=None), said


def _servers(configuration: Configuration) -> tuple[tuple[VirtualServer, ...], tuple[str, ...]]:
    """The virtual servers without groups, and without checkers that cannot be carried out."""
    kept: list[VirtualServer] = []
    said: list[str] = []
    for server in configuration.virtual_server:
        if server.service.kind == "group":
            said.append(
                f"virtual_server group {server.service.name} is not effective yet and is left out"
                " (write a virtual_server for each address of the group)"
            )
            continue
        if all(len(real.probes) == len(real.checkers) for real in server.real_server):
            kept.append(server)
        else:
            reals = tuple(_real_server(server, each, said) for each in server.real_server)
            kept.append(replace(server, real_server=reals))
    return tuple(kept), tuple(said)


def _real_server(server: VirtualServer, real: RealServer, said: list[str]) -> RealServer:
    probes = tuple(real.probes)
    if real.checkers and not probes:
        where = f"{real.address} {real.port}"
        said.append(
            f"VS {server.service}: real server {where} has no checker that is effective: it counts as up"
            " (TCP_CHECK and HTTP_GET are effective)"
        )
    return replace(real, checkers=probes)
