"""Rows of the table from blocks of the configuration."""

from ipaddress import IPv4Address, ip_address
from typing import Any

import pytest

from pykeepalived.config.blocks.virtual_server import LvsMethod, RealServer, Service, SorryServer, VirtualServer
from pykeepalived.lvs.rows import WEIGHT_MAX, destination_row, service_row

IPV4 = Service("address", ip_address("10.9.0.100"), 80, 6, 0, 2)
IPV6 = Service("address", ip_address("2001:db8::100"), 80, 132, 0, 10)
GROUP6 = Service("group", None, 0, 0, 0, 10, "g")
FWMARK = Service("fwmark", None, 0, 0, 7, 10)


@pytest.mark.parametrize(
    ("service", "keywords", "flags", "timeout", "netmask"),
    [
        (IPV4, {}, 0, 0, 0xFFFFFFFF),
        (IPV6, {}, 0, 0, 128),
        (FWMARK, {}, 0, 0, 128),
        (IPV4, {"persistence_timeout": 30}, 1, 30, 0xFFFFFFFF),
        (
            IPV4,
            {"persistence_timeout": 30, "persistence_granularity": IPv4Address("255.255.255.0")},
            1,
            30,
            0xFFFFFF00,
        ),
        (IPV6, {"persistence_timeout": 30, "persistence_granularity": 64}, 1, 30, 64),
        (GROUP6, {"persistence_timeout": 30, "persistence_granularity": 64}, 1, 30, 64),
        (IPV4, {"ops": True}, 4, 0, 0xFFFFFFFF),
        (IPV4, {"sched_1": True, "sched_2": True}, 0x18, 0, 0xFFFFFFFF),
        (IPV4, {"sched_3": True, "persistence_timeout": 360}, 0x21, 360, 0xFFFFFFFF),
    ],
)
def test_service(service: Service, keywords: dict[str, Any], flags: int, timeout: int, netmask: int) -> None:
    row = service_row(VirtualServer(service=service, lvs_sched="sh", **keywords))
    assert (row.service, row.scheduler, row.flags, row.timeout, row.netmask) == (
        service,
        "sh",
        flags,
        timeout,
        netmask,
    )


def test_destination_keeps_tunnel_options_for_tunnels_only() -> None:
    gue = LvsMethod("TUN", "gue", 6080, "csum")
    address = ip_address("10.9.0.11")
    assert destination_row(RealServer(address=address, port=80, lvs_method=gue), 1).method == gue
    odd = LvsMethod("DR", "gue", 6080, "csum")
    assert destination_row(RealServer(address=address, port=80, lvs_method=odd), 1).method == LvsMethod("DR")


def test_destination_thresholds_and_weight() -> None:
    server = RealServer(address=ip_address("10.9.0.11"), port=80, uthreshold=10, lthreshold=5)
    row = destination_row(server, 1 << 40)
    assert (row.upper_threshold, row.lower_threshold, row.weight) == (10, 5, WEIGHT_MAX)
    sorry = destination_row(SorryServer(address=ip_address("10.9.0.99"), port=80), 1)
    assert (sorry.upper_threshold, sorry.lower_threshold, sorry.weight) == (0, 0, 1)
