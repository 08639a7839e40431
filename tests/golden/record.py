"""The frames a daemon sends for a configuration, recorded octet for octet: ``python -m tests.golden.record``.

Run by hand, it asks keepalived and writes one JSON file a case beside this one. The interop tests ask both daemons the
same way and compare with those files; the fast tests compare the files with our encoders alone.

A host with fixed Ethernet and IP addresses runs one daemon. Two silent neighbours are there to be unicast peers.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.support import keepalived
from tests.support.capture import Advert, Capture, now
from tests.support.director import Director, Make
from tests.support.netns import Network

FOLDER = Path(__file__).resolve().parent
MACS = ("02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03")
ADDRESSES = tuple((f"10.77.0.{number}/24", f"fd77::{number}/64") for number in (1, 2, 3))
ADVERTS = 2


@dataclass(frozen=True, slots=True)
class Case:
    """A configuration, and how many addresses it announces."""

    name: str
    config: str
    announced: int
    forwarding: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """What went over the wire, in hexadecimal: its first adverts, its first burst, and its farewell."""

    adverts: list[str]
    announcements: list[str]
    farewell: list[str]


def _case(name: str, lines: Sequence[str], addresses: Sequence[str], **more: Sequence[str] | bool) -> Case:
    excluded = more.get("excluded", ())
    assert not isinstance(excluded, bool)
    blocks = [("virtual_ipaddress", addresses), ("virtual_ipaddress_excluded", excluded)]
    text = ["vrrp_instance GOLDEN {", "    interface eth0", "    garp_master_repeat 2", "    garp_master_delay 0"]
    text += [f"    {line}" for line in lines]
    for keyword, entries in blocks:
        if entries:
            text += [f"    {keyword} {{", *(f"        {entry}" for entry in entries), "    }"]
    text += ["}", ""]
    return Case(name, "\n".join(text), len(addresses) + len(excluded), bool(more.get("forwarding")))


_V2 = ("version 2", "virtual_router_id 51", "priority 150", "advert_int 1")
_V3 = ("version 3", "virtual_router_id 52", "priority 150", "advert_int 1")
_PASS = ("authentication {", "    auth_type PASS", "    auth_pass 12345678", "}")
_SHORT_PASS = ("authentication {", "    auth_type PASS", "    auth_pass ab", "}")
_PEERS_4 = ("unicast_src_ip 10.77.0.1", "unicast_peer {", "    10.77.0.2", "    10.77.0.3", "}")
_PEERS_6 = ("unicast_src_ip fd77::1", "unicast_peer {", "    fd77::2", "    fd77::3", "}")
_FOUR = ("10.77.0.100/24",)
_SIX = ("fe80::77/64", "fd77::100/64")

CASES = (
    _case("v2-none", _V2, _FOUR),
    _case("v2-none-several", _V2, ("10.77.0.100/24", "10.77.0.9/24", "10.78.0.1/32", "10.77.0.101/24")),
    _case("v2-pass", (*_V2, *_PASS), _FOUR),
    _case("v2-pass-short", (*_V2, *_SHORT_PASS), _FOUR),
    _case("v2-pass-unicast", (*_V2, *_PASS, *_PEERS_4), _FOUR),
    _case("v2-interval-3", ("version 2", "virtual_router_id 1", "priority 1", "advert_int 3"), _FOUR),
    _case("v2-ipv6", _V2, _SIX),
    _case("v3", _V3, _FOUR),
    _case("v3-subsecond", ("version 3", "virtual_router_id 255", "priority 254", "advert_int 0.25"), _FOUR),
    _case("v3-owner", ("version 3", "virtual_router_id 52", "priority 255", "advert_int 1"), _FOUR),
    _case("v3-mcast-src-ip", (*_V3, "mcast_src_ip 10.77.0.1"), _FOUR),
    _case("v3-unicast", (*_V3, *_PEERS_4), _FOUR),
    _case("v3-unicast-ttl", (*_V3, "unicast_ttl 9", *_PEERS_4), _FOUR),
    _case("v3-label", _V3, ("10.77.0.100/24 dev eth0 label eth0:vip", "10.77.0.101/24 dev eth0 scope link")),
    _case("v3-excluded", _V3, _FOUR, excluded=("10.77.0.200/24", "fd77::200/64")),
    _case("v3-ipv6", _V3, _SIX),
    _case("v3-ipv6-forwarding", _V3, _SIX, forwarding=True),
    _case("v3-ipv6-128", _V3, ("fe80::77", "fd77::100", "fd77::101/128")),
    _case("v3-ipv6-unicast", (*_V3, *_PEERS_6), _SIX),
    _case("v3-ipv6-unicast-ttl", (*_V3, "unicast_ttl 9", *_PEERS_6), _SIX),
)


def record(case: Case, make: Make) -> Recording:
    """Run a daemon of this make with the case's file, from its start to its end."""
    with tempfile.TemporaryDirectory(prefix="pyk-golden-") as folder, Network() as network:
        segment = network.segment()
        hosts = [network.host(name) for name in ("daemon", "second", "third")]
        for host, mac, addresses in zip(hosts, MACS, ADDRESSES, strict=True):
            host.attach(segment, addresses, mac=mac)
        if case.forwarding:
            hosts[0].inside(lambda: Path("/proc/sys/net/ipv6/conf/all/forwarding").write_text("1"))
        peers = case.config.count("10.77.0.2\n") + case.config.count("fd77::2\n")
        copies = 2 if peers else 1
        with Capture(segment) as capture, Director(hosts[0], make, Path(folder), case.config) as director:
            director.start()
            try:
                capture.wait_advert("daemon", count=ADVERTS * copies, within=60)
                capture.wait_until(
                    lambda seen: len(seen.announcements("daemon")) >= 2 * case.announced, "a burst", within=60
                )
            except AssertionError as failure:
                failure.add_note(director.story())
                raise
            stopped_at = now()
            assert director.stop() == 0
            capture.wait_advert("daemon", priority=0, since=stopped_at, count=copies)
            adverts = capture.adverts("daemon")
            announcements = capture.announcements("daemon")
    living = [one for one in adverts if one.priority != 0]
    return Recording(
        adverts=[_hex(one) for one in living[: ADVERTS * copies]],
        announcements=[one.octets.hex() for one in announcements],
        farewell=[_hex(one) for one in adverts if one.priority == 0],
    )


def _hex(advert: Advert) -> str:
    assert advert.checksum_is_right, advert.octets.hex()
    return advert.octets.hex()


def comparable(octets: bytes) -> bytes:
    """A frame without what no daemon decides or what counts.

    IPv4: the identification, a counter (and so the header checksum, which the kernel fills in). IPv6: the flow label,
    which the kernel makes up from a secret. Everything else must be equal.
    """
    frame = bytearray(octets)
    if octets[12:14] == b"\x08\x00":
        frame[18:20] = frame[24:26] = bytes(2)
    elif octets[12:14] == b"\x86\xdd":
        frame[15] &= 0xF0
        frame[16:18] = bytes(2)
    return bytes(frame)


def stored(case: Case) -> Recording:
    """What keepalived sent when the case was recorded."""
    told = json.loads((FOLDER / f"{case.name}.json").read_text())
    assert "\n".join(told["config"]) == case.config, f"{case.name}: record again, its configuration has changed"
    return Recording(told["adverts"], told["announcements"], told["farewell"])


def main() -> None:
    """Record all cases, or the named ones, from keepalived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="cases to record; all of them by default")
    names = parser.parse_args().names
    cases = [case for case in CASES if not names or case.name in names]
    with ThreadPoolExecutor(len(cases)) as pool:
        for case, recording in zip(cases, pool.map(lambda case: record(case, keepalived.make()), cases), strict=True):
            head = {
                "recorded_from": "keepalived 2.2.7",
                "interface": {"name": "eth0", "mac": MACS[0], "addresses": list(ADDRESSES[0])},
                "neighbours": dict(zip(MACS[1:], ADDRESSES[1:], strict=True)),
                "forwarding": case.forwarding,
                "config": case.config.split("\n"),
            }
            (FOLDER / f"{case.name}.json").write_text(json.dumps(head | asdict(recording), indent=1) + "\n")
            print(f"{case.name}: {len(recording.adverts)} adverts, {len(recording.announcements)} announcements")


if __name__ == "__main__":
    main()
