"""Configurations as pickles: the same when they are back, sharing what they shared, and in little room."""

import pickle
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest

from pykeepalived.config.blocks.checkers import TcpCheck
from pykeepalived.config.blocks.probing import Target
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.blocks.virtual_server import LvsMethod, RealServer, Service, VirtualServer
from pykeepalived.config.configuration import Amendment, Configuration, Run

TUNNEL = LvsMethod("TUN")


def _real(number: int, **options: object) -> RealServer:
    return replace(RealServer(address=IPv4Address(f"10.0.0.{number}"), port=1000 + number), **options)  # type: ignore[arg-type]


def _virtual(number: int, *reals: RealServer, **options: object) -> VirtualServer:
    service = Service("address", IPv4Address(f"10.9.0.{number}"), 80, 6, 0, 2)
    return replace(VirtualServer(service=service, real_server=reals), **options)  # type: ignore[arg-type]


def _checked(number: int) -> RealServer:
    real = _real(number)
    return replace(real, checkers=(TcpCheck(Target(real.address, real.port)),))


SIX = replace(_virtual(6).service, address=IPv6Address("fe80::6"), family=10)
SERVERS = {
    "none": (),
    "one": (_virtual(1, _real(1)),),
    "alike": tuple(_virtual(number, _real(number), _real(number + 1)) for number in range(1, 4)),
    "without servers": (_virtual(1), _virtual(2)),
    "the very same": (_virtual(1, _real(1)),) * 2,
    "checked": tuple(_virtual(number, _checked(number)) for number in range(1, 4)),
    "checked or not": (_virtual(1, _checked(1)), _virtual(2, _real(2))),
    "both families": (_virtual(1), replace(_virtual(6), service=SIX)),
    "one family": (replace(_virtual(6), service=SIX),),
    "marks": tuple(replace(_virtual(1), service=Service("fwmark", None, 0, 0, mark, 2)) for mark in (7, 70000)),
    "methods": (
        _virtual(1, _real(1, lvs_method=TUNNEL)),
        _virtual(2, _real(2)),
        _virtual(3, _real(3, lvs_method=TUNNEL)),
    ),
    "scripts": (_virtual(1, quorum_up=Script(("/bin/true",), 0, 0)), _virtual(2)),
}


@pytest.mark.parametrize("times", [1, 20])
@pytest.mark.parametrize("name", SERVERS)
def test_a_configuration_comes_back_as_it_was(name: str, times: int) -> None:
    configuration = Configuration(virtual_server=SERVERS[name] * times)
    back = pickle.loads(pickle.dumps(configuration))
    assert back == configuration
    assert repr(back) == repr(configuration)
    assert {hash(each.service) for each in back.virtual_server} == {hash(each.service) for each in SERVERS[name]}


def test_what_values_share_they_share_still() -> None:
    address = IPv4Address("10.0.0.9")
    port = 12345
    reals = [RealServer(address=address, port=port, lvs_method=TUNNEL) for _ in range(2)]
    servers = (_virtual(1, reals[0]), _virtual(2, reals[1]), _virtual(3, reals[1]))
    first, second, third = pickle.loads(pickle.dumps(Configuration(virtual_server=servers))).virtual_server
    assert second.real_server[0] is third.real_server[0]
    assert first.real_server[0].lvs_method is second.real_server[0].lvs_method
    assert first.real_server[0].address is second.real_server[0].address
    assert first.real_server[0].port is second.real_server[0].port
    (checked,) = pickle.loads(pickle.dumps(Configuration(virtual_server=(_virtual(1, _checked(1)),)))).virtual_server
    (check,) = checked.real_server[0].probes
    assert check.target.connect_ip is checked.real_server[0].address


def test_an_amendment_has_them_too() -> None:
    before = Configuration(virtual_server=SERVERS["alike"])
    amendment = Amendment(Configuration(virtual_server=SERVERS["checked"][:1]), (Run(1, 2), Run(None, 1)), 3)
    after = pickle.loads(pickle.dumps(amendment)).applied(before)
    assert after.virtual_server == (*SERVERS["alike"][1:], SERVERS["checked"][0])


def test_many_servers_take_little_room() -> None:
    many = tuple(
        replace(_virtual(1, _real(1)), service=Service("address", IPv4Address(number), 80, 6, 0, 2))
        for number in range(10000)
    )
    assert len(pickle.dumps(Configuration(virtual_server=many))) < 500_000
