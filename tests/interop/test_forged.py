"""Adverts made by scapy on a third host: sound ones are obeyed, faulty ones change nothing.

Every faulty advert is one step away from the sound one that ends the round, and claims a priority that would win.
"""

import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.vrrp import VRRP, VRRPv3

from tests.interop.forged import packet
from tests.interop.stage import MAKES, Stage
from tests.interop.wires import VRID, Wire
from tests.support.capture import Capture, now
from tests.support.director import Director
from tests.support.netns import Host, pair

pytestmark = [pytest.mark.root, pytest.mark.interop, pytest.mark.concurrent]

PRIORITY, BETTER, WORSE = 100, 200, 50

V2_PASS = Wire(2, "1", 4, "multicast", "sesame42")
V3 = Wire(3, "1", 4, "multicast")
V3_IPV6 = Wire(3, "1", 6, "multicast")


def _changed(layer: Any, **fields: int) -> Callable[[Any], bytes]:
    def spoil(packet: Any) -> bytes:
        for name, value in fields.items():
            setattr(packet[layer], name, value)
        return bytes(packet)

    return spoil


def _faults(wire: Wire) -> dict[str, Callable[[Any], bytes]]:
    """What may be wrong with an advert, and how to make it so."""
    layer = VRRPv3 if wire.version == 3 else VRRP
    faults = {
        "ttl": _changed(IP, ttl=254) if wire.family == 4 else _changed(IPv6, hlim=254),
        "checksum": _changed(layer, chksum=0x1234),
        "type": _changed(layer, type=2),
        "version": _changed(layer, version=2 if wire.version == 3 else 3),
        "count": _changed(layer, ipcount=1),
        "vrid": _changed(layer, vrid=VRID + 1),
        "cut short": lambda packet: bytes(packet)[:-1],
        "header only": lambda packet: bytes(packet)[: -len(bytes(packet[layer]))],
        "five octets": lambda packet: bytes(packet)[: -len(bytes(packet[layer])) + 5],
    }
    if wire.password:
        faults |= {
            "password": _changed(VRRP, auth1=0),
            "no password": _changed(VRRP, authtype=0),
            "authentication": _changed(VRRP, authtype=9),
            "interval": _changed(VRRP, adv=2),
        }
    return faults


def _send(host: Host, frames: list[bytes]) -> None:
    def send() -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
            sock.bind(("eth0", 0))
            for frame in frames:
                sock.send(frame)

    host.inside(send)


@pytest.mark.parametrize("wire", [V2_PASS, V3, V3_IPV6], ids=str)
@pytest.mark.parametrize("make", ["ours", pytest.param("keepalived", marks=pytest.mark.long)])
def test_faulty_adverts_change_nothing_and_a_sound_one_does(wire: Wire, make: str) -> None:
    """Faulty ones: the same adverts, the same address, no word of a state. The sound one: BACKUP."""
    with tempfile.TemporaryDirectory(prefix="pyk-forged-") as folder, pair() as (segment, host, forger):
        director = Director(host, MAKES[make](), Path(folder), wire.config(1, PRIORITY))
        with Capture(segment) as capture, director:
            on = Stage(wire, segment, capture, director, director)
            director.start()
            on.becomes_master(director, since=0, mark=0, priority=PRIORITY)
            on.keeps_advertising(director, count=2)  # and the second burst is over

            for name, spoil in _faults(wire).items():
                mark, since = director.mark(), now()
                _send(forger, [spoil(packet(wire, BETTER))] * 3)
                after = on.keeps_advertising(director, count=2)
                said = [one.priority for one in capture.adverts("left", since=since)]
                assert set(said) == {PRIORITY}, f"{name}: {capture.story()}"
                assert not any("Entering" in line for line in director.log()[mark:]), f"{name}: {director.story()}"
                assert director.host.has(wire.address)
                assert not capture.announcements("left", since=after), f"{name} made it announce"

            mark, since = director.mark(), now()
            _send(forger, [bytes(packet(wire, WORSE))])
            heard = capture.wait_advert("right", priority=WORSE, since=since)
            capture.wait_announcement("left", wire.address, since=since)
            answer = capture.wait_advert("left", priority=PRIORITY, since=heard.at)
            director.wait_log(f"advert from {wire.source(2)} with lower priority {WORSE}, ours {PRIORITY}", since=mark)
            following = capture.wait_advert("left", priority=PRIORITY, since=answer.at + 1)
            assert following.at - answer.at > wire.advert_int // 2, "the answer was no ordinary advert"
            assert not any("Entering" in line for line in director.log()[mark:])

            mark, since = director.mark(), now()
            _send(forger, [bytes(packet(wire, BETTER))])
            director.wait_log(f"from {wire.source(2)} with higher priority {BETTER}, ours {PRIORITY}", since=mark)
            on.becomes_backup(director, mark=mark)
            forged = capture.wait_advert("right", priority=BETTER, since=since)
            back = on.becomes_master(director, since=forged.at, mark=mark, priority=PRIORITY)
            assert back.at - forged.at >= wire.master_down(PRIORITY) - 5_000_000
