"""What hosts on the link learn of a virtual address by asking, and whose their frames are: the kernel's part.

The daemon as an operator starts it, in a network namespace; a neighbour asks.
"""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr
from scapy.layers.l2 import ARP, Ether

from tests.interop.wires import INSTANCE, VRID, Wire
from tests.support import netns, pykeepalived
from tests.support.capture import Capture, now
from tests.support.director import Director
from tests.support.netns import Host, Segment, pair

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(netns.why_not() is not None, reason=str(netns.why_not())),
]

V4, V6 = Wire(3, "10", 4, "multicast"), Wire(3, "10", 6, "multicast")
WIRES = pytest.mark.parametrize("wire", [V4, V6], ids=str)
VMAC = {4: f"00:00:5e:00:01:{VRID:02x}", 6: f"00:00:5e:00:02:{VRID:02x}"}
ANSWER = 2  # of ARP
BASE = "02:00:00:00:00:01"


def _ask(host: Host, address: str) -> None:
    """A host asks for an address, having forgotten what it heard of it."""
    host.run("ip", "neigh", "flush", "dev", "eth0")
    ping = ["ping", "-c", "1", "-W", "1", "-I", "eth0", address]
    host.popen(ping, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).wait(30)


def _answers(capture: Capture, address: str, since: int) -> list[tuple[str, str, bool]]:
    """Who answered for an address: the sender of the frame, the Ethernet address that it tells, whether a router."""
    found = []
    for frame in capture.frames():
        packet = frame.packet
        if frame.at < since:
            continue
        if ARP in packet and packet[ARP].op == ANSWER and packet[ARP].psrc == address:
            found.append((packet[Ether].src, packet[ARP].hwsrc, False))
        elif ICMPv6ND_NA in packet and packet[ICMPv6ND_NA].S and packet[ICMPv6ND_NA].tgt == address:
            told = packet[ICMPv6NDOptDstLLAddr].lladdr
            found.append((packet[Ether].src, told, bool(packet[ICMPv6ND_NA].R)))
    return found


def _asked(capture: Capture, host: Host, address: str) -> tuple[str, str, bool]:
    """The answer, which all answers are."""
    since = now()
    _ask(host, address)
    capture.wait_until(lambda seen: bool(_answers(seen, address, since)), f"an answer for {address}")
    (answer,) = set(_answers(capture, address, since))
    return answer


def _forwards(host: Host) -> None:
    def write() -> None:
        for setting in ("all", "default"):
            Path(f"/proc/sys/net/ipv6/conf/{setting}/forwarding").write_text("1")

    host.inside(write)


@contextmanager
def _network() -> Iterator[tuple[Path, tuple[Segment, Host, Host], Capture]]:
    with (
        tempfile.TemporaryDirectory(prefix="pyk-conformance-") as folder,
        pair() as hosts,
        Capture(hosts[0]) as capture,
    ):
        yield Path(folder), hosts, capture


def _started(wire: Wire, host: Host, priority: int, extra: str, folder: Path) -> Director:
    text = wire.config(1, priority, extra)
    owner = priority == 255
    director = Director(host, pykeepalived.make(), folder, text.replace("BACKUP", "MASTER") if owner else text)
    director.start()
    director.wait_log(f"({INSTANCE}) Entering {'MASTER' if owner else 'BACKUP'} STATE")
    for address in wire.addresses if owner else ():
        director.wait_address(address, present=True, device=f"vrrp.{VRID}" if extra else "eth0")
    return director


@WIRES
def test_a_master_answers_with_its_vmac_and_as_a_router_where_it_forwards(wire: Wire) -> None:
    with _network() as (folder, hosts, capture):
        _forwards(hosts[1])
        with _started(wire, hosts[1], 255, "use_vmac", folder) as director:
            for address in wire.addresses:
                mac = VMAC[wire.family]
                assert _asked(capture, hosts[2], address) == (mac, mac, wire.family == 6), director.story()
            assert director.stop() == 0


@WIRES
def test_a_backup_does_not_answer(wire: Wire) -> None:
    with _network() as (folder, hosts, capture), _started(wire, hosts[1], 100, "use_vmac", folder) as director:
        since = now()
        _ask(hosts[2], wire.address)
        # its own address is answered for, later than the virtual one would have been
        own = "10.77.0.1" if wire.family == 4 else "fd77::1"
        assert _asked(capture, hosts[2], own) == (BASE, BASE, False)
        assert _answers(capture, wire.address, since) == [], director.story()
        assert director.stop() == 0


@pytest.mark.parametrize("wire", [V4, pytest.param(V6, marks=pytest.mark.long)], ids=str)
def test_without_a_vmac_a_master_answers_with_the_address_of_its_interface(wire: Wire) -> None:
    with _network() as (folder, hosts, capture), _started(wire, hosts[1], 255, "", folder) as director:
        for address in wire.addresses:
            assert _asked(capture, hosts[2], address) == (BASE, BASE, False), director.story()
        assert director.stop() == 0


@pytest.mark.parametrize(
    "priority", [pytest.param(100, id="BACKUP"), pytest.param(255, id="MASTER", marks=pytest.mark.long)]
)
def test_frames_to_a_vmac_are_taken_in_both_states(priority: int) -> None:
    """As with keepalived; RFC 9568 would have a BACKUP discard them."""
    with _network() as (folder, hosts, _), _started(V4, hosts[1], priority, "use_vmac", folder) as director:
        hosts[2].run("ip", "neigh", "replace", "10.77.0.1", "lladdr", VMAC[4], "dev", "eth0")
        hosts[2].run("ping", "-c", "1", "-W", "10", "10.77.0.1")
        hosts[2].run("ip", "neigh", "replace", "10.77.0.1", "lladdr", "00:00:5e:00:01:01", "dev", "eth0")
        with pytest.raises(RuntimeError):  # nobody has that one
            hosts[2].run("ping", "-c", "1", "-W", "0.3", "10.77.0.1")
        assert director.stop() == 0
