"""NSD as the master of example.org."""

from collections.abc import Iterable
from pathlib import Path

CONFIGURATION = """
server:
    {addresses}
    server-count: 1
    username: ""
    zonesdir: "{folder}"
    database: ""
    zonelistfile: "{folder}/zones.list"
    xfrdfile: "{folder}/xfrd.state"
    xfrdir: "{folder}"
    pidfile: "{folder}/nsd.pid"
remote-control:
    control-enable: no
zone:
    name: example.org
    zonefile: example.org.zone
"""
ZONE = """$ORIGIN example.org.
@ 60 IN SOA ns hostmaster 1 60 60 60 60
@ 60 IN NS ns
ns 60 IN A 192.0.2.2
www 60 IN A 192.0.2.1
www 60 IN AAAA 2001:db8::1
alias 60 IN CNAME www
"""


def write(folder: Path, addresses: Iterable[str]) -> list[str]:
    """Its files; gives the arguments with which it serves these addresses (or ``ADDRESS@PORT``) in the foreground."""
    lines = "\n    ".join(f"ip-address: {address}" for address in addresses)
    file = folder / "nsd.conf"
    file.write_text(CONFIGURATION.format(addresses=lines, folder=folder))
    (folder / "example.org.zone").write_text(ZONE)
    return ["-d", "-c", str(file)]
