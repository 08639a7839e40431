"""A flood of packets that nobody asked for, on a segment: a small C program sends what is made here.

Three kinds. ``foreign``: other virtual routers, in good order, and other protocols' garbage under VRRP's number.
``malformed``: our virtual routers, with one fault each. ``unauthenticated``: faultless adverts of priority 255 for our
virtual routers, but for the password. Each comes to the group and to the hosts' own addresses, from many senders, among
them the peer itself.
"""

import random
import struct
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.layers.vrrp import VRRP, VRRPv3
from scapy.packet import Raw

from tests.support.netns import Host

SOURCE = Path(__file__).with_name("flood.c")
KINDS = ("foreign", "malformed", "unauthenticated")
PASSWORD = b"sesame42"
MULTICAST, UNICAST, VERSION_3 = 51, 52, 53
"""Virtual routers: version 2 with a password, the same by unicast, version 3."""

_FRAMES = 512
_GROUP, _GROUP_MAC = "224.0.0.18", "01:00:5e:00:00:12"


def config(number: int, priority: int) -> str:
    """The file of host 1 or 2, whose address is 10.77.0.NUMBER."""
    password = f"authentication {{\nauth_type PASS\nauth_pass {PASSWORD.decode()}\n}}"
    peers = f"unicast_src_ip 10.77.0.{number}\nunicast_peer {{\n10.77.0.{3 - number}\n}}"
    text = []
    for vrid, more in ((MULTICAST, password), (UNICAST, f"{password}\n{peers}"), (VERSION_3, "version 3")):
        text += [f"vrrp_instance V{vrid} {{", "state BACKUP", "interface eth0", f"virtual_router_id {vrid}"]
        text += [f"priority {priority}", "advert_int 1", more]
        text += ["virtual_ipaddress {", f"10.77.1.{vrid}/32", "}", "}"]
    return "\n".join([*text, ""])


def build(folder: Path) -> Path:
    """Compile the sender."""
    program = folder / "flood"
    subprocess.run(["gcc", "-O2", "-Wall", "-Werror", "-o", program, SOURCE], check=True, timeout=120)
    return program


def start(program: Path, host: Host, octets: bytes, rate: int, seconds: float) -> subprocess.Popen[bytes]:
    """Send frames from a host; its output is what `reached` reads."""
    file = program.with_name(f"frames-{rate}")
    file.write_bytes(octets)
    with file.open("rb") as frames:
        return host.popen(
            [str(program), "eth0", str(rate), str(seconds)],
            stdin=frames,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


def reached(process: subprocess.Popen[bytes]) -> float:
    """Wait for the end: how many packets a second were sent."""
    said, complaint = process.communicate(timeout=600)
    if process.returncode:
        raise AssertionError(f"the flood ended: {complaint.decode()}")
    sent, took = said.split()
    return int(sent) / float(took)


def frames(kind: str, victims: Sequence[tuple[str, str]]) -> bytes:
    """Frames of a kind for hosts, each an address with its Ethernet address; as the program reads them."""
    chance = random.Random(kind)
    make = {"foreign": _foreign, "malformed": _malformed, "unauthenticated": _unauthenticated}[kind]
    made = make(chance)
    octets = []
    for number in range(_FRAMES):
        packet, vrid = next(made)
        to_us = vrid == UNICAST or (vrid not in {MULTICAST, VERSION_3} and number % 2)
        address, mac = victims[number // 2 % len(victims)] if to_us else (_GROUP, _GROUP_MAC)
        source = chance.choice([*(victim[0] for victim in victims), f"10.77.9.{number % 250 + 1}"])
        if source == address:
            source = "10.77.9.251"
        network = packet.getlayer(IP)
        if network is not None:
            network.src, network.dst = source, address
        frame = bytes(Ether(src=f"02:00:00:00:09:{number & 255:02x}", dst=mac) / packet)
        octets.append(struct.pack("!H", len(frame)) + frame)
    return b"".join(octets)


def _advert(vrid: int, **fields: object) -> IP:
    """A good advert but for what is said otherwise."""
    network = IP(ttl=255, tos=0xC0, proto=112)
    values = {"vrid": vrid, "priority": 255, "addrlist": [f"10.77.1.{vrid}"]}
    if vrid == VERSION_3:
        return network / VRRPv3(**(values | {"version": 3, "type": 1, "adv": 100} | fields))
    auth = {"authtype": 1, "auth1": int.from_bytes(PASSWORD[:4], "big"), "auth2": int.from_bytes(PASSWORD[4:], "big")}
    return network / VRRP(**(values | {"version": 2, "type": 1, "adv": 1, "ipcount": 1} | auth | fields))


def _foreign(chance: random.Random) -> Iterator[tuple[IP | IPv6, int]]:
    others = [vrid for vrid in range(1, 256) if vrid not in {MULTICAST, UNICAST, VERSION_3}]
    while True:
        yield _advert(chance.choice(others)), 0
        yield IP(ttl=255, proto=112) / Raw(chance.randbytes(chance.randrange(1, 200))), 0
        yield IP(ttl=1, proto=51) / Raw(chance.randbytes(40)), 0
        yield IP() / UDP(dport=112, sport=chance.randrange(1, 65536)) / Raw(chance.randbytes(64)), 0
        yield IPv6(dst="ff02::12", src="fe80::9", nh=112, hlim=255) / Raw(chance.randbytes(24)), 0


def _malformed(chance: random.Random) -> Iterator[tuple[IP, int]]:
    while True:
        for vrid in (MULTICAST, UNICAST, VERSION_3):
            yield _advert(vrid, chksum=chance.randrange(1, 65535)), vrid
            yield _advert(vrid, type=chance.randrange(2, 16)), vrid
            yield _advert(vrid, version=chance.choice([0, 1, 4, 15])), vrid
            whole = bytes(_advert(vrid).payload)
            yield IP(ttl=255, proto=112) / Raw(whole + chance.randbytes(chance.randrange(1, 900))), vrid
            yield IP(ttl=255, proto=112) / Raw(whole[: chance.randrange(2, 12)]), vrid
            distant = _advert(vrid)
            distant.ttl = chance.randrange(1, 255)
            if vrid != UNICAST:
                yield distant, vrid
            if vrid != VERSION_3:
                yield _advert(vrid, adv=chance.randrange(2, 256)), vrid
                yield _advert(vrid, authtype=chance.choice([0, 3, 99])), vrid


def _unauthenticated(chance: random.Random) -> Iterator[tuple[IP, int]]:
    while True:
        for vrid in (MULTICAST, UNICAST):
            yield _advert(vrid, auth1=chance.randrange(1 << 32), auth2=chance.randrange(1 << 32)), vrid
