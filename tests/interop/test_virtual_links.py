"""VMACs beside those of keepalived: the same links with the same settings, the same frames, takeover both ways."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.interop.stage import BOTH_ROLES, JUDGE, Stage, stage
from tests.interop.wires import INSTANCE, VRID, Wire
from tests.support.capture import Advert, now
from tests.support.director import Director
from tests.support.netns import Host

pytestmark = [pytest.mark.root, pytest.mark.interop, pytest.mark.concurrent]

HIGH, LOW = 150, 100
V3_6 = Wire(3, "0.5", 6, "multicast")
V2_4 = Wire(2, "1", 4, "multicast")
V3_4 = Wire(3, "0.5", 4, "multicast")
SETTINGS = (
    *(f"ipv4/conf/{{}}/{name}" for name in ("arp_ignore", "arp_filter", "accept_local", "rp_filter")),
    *("ipv4/conf/{}/promote_secondaries", "ipv6/conf/{}/disable_ipv6", "ipv6/conf/{}/addr_gen_mode"),
)


def _mac(family: int) -> str:
    return f"00:00:5e:00:0{1 if family == 4 else 2}:{VRID:02x}"


def _link(extra: str) -> str:
    words = extra.split()
    return words[1] if len(words) > 1 and words[1] != "vmac_xmit_base" else f"vrrp.{VRID}"


def _settings(host: Host, link: str) -> dict[str, str]:
    paths = [path.format(link) for path in SETTINGS]
    return host.inside(lambda: {path: Path("/proc/sys/net", path).read_text().strip() for path in paths})


def _rounds() -> pytest.MarkDecorator:
    cases = []
    for wire in (V2_4, V3_6, V3_4):
        for extra in ("use_vmac", "use_vmac vm0\nvmac_xmit_base"):
            for makes in (*BOTH_ROLES, JUDGE):
                quick = makes != JUDGE and (wire, extra) == (V3_6, "use_vmac")
                name = f"{wire}-{extra.split()[-1]}-{'-'.join(makes)}"
                marks = () if quick else (pytest.mark.long,)
                cases.append(pytest.param(wire, extra, makes, id=name, marks=marks))
    return pytest.mark.parametrize(("wire", "extra", "makes"), cases)


def _becomes_master(on: Stage, director: Director, extra: str, *, since: int, mark: int, priority: int) -> Advert:
    """Its advert, addresses and announcements, each with the Ethernet address it must have."""
    name = director.host.name
    first = on.capture.wait_advert(name, priority=priority, since=since)
    director.wait_log(f"({INSTANCE}) Entering MASTER STATE", since=mark)
    on.is_sound(first, 1 if director is on.left else 2)
    base = director.host.cables["eth0"].mac
    sender = base if "vmac_xmit_base" in extra else _mac(on.wire.family)
    assert first.octets[6:12].hex(":") == sender
    for address in on.wire.addresses:
        director.wait_address(address, present=True, device=_link(extra))
        announced = on.capture.wait_announcement(name, address, since=first.at)
        assert (announced.mac, announced.octets[6:12].hex(":")) == (_mac(on.wire.family),) * 2
    return first


@_rounds()
def test_takeover(wire: Wire, extra: str, makes: tuple[str, str]) -> None:
    """The better one takes over and gives back. Both have the same MAC address: who hears only strangers is caught."""
    with stage(wire, makes, wire.config(1, LOW, extra), wire.config(2, HIGH, extra)) as on:
        on.left.start()
        on.left.wait_log(f"({INSTANCE}): Success creating VMAC interface {_link(extra)}")
        first = _becomes_master(on, on.left, extra, since=0, mark=0, priority=LOW)
        mark = on.left.mark()
        on.right.start()
        _becomes_master(on, on.right, extra, since=first.at, mark=0, priority=HIGH)
        on.left.wait_log(f"({INSTANCE}) Entering BACKUP STATE", since=mark)
        for address in wire.addresses:
            on.left.wait_address(address, present=False, device=_link(extra))
        on.alone(on.right, since=on.keeps_advertising(on.right, count=3), count=3)
        mark, since = on.left.mark(), now()
        assert on.right.stop() == 0
        farewell = on.capture.wait_advert("right", priority=0, since=since)
        _becomes_master(on, on.left, extra, since=farewell.at, mark=mark, priority=LOW)
        assert set(on.right.host.links()) == {"lo", "eth0"}
        assert on.right.logged(f"({INSTANCE}) Success removing VMAC interface {_link(extra)}")


def _made(host: Host, link: str) -> dict[str, Any]:
    """A link, its settings and addresses, and what became of its base."""
    (told,) = json.loads(host.run("ip", "-j", "-d", "link", "show", "dev", link))
    kept = ("ifname", "link", "flags", "mtu", "operstate", "group", "address", "linkinfo", "inet6_addr_gen_mode")
    addresses = [
        {key: entry.get(key) for key in ("local", "prefixlen", "scope", "deprecated", "nodad")}
        for entry in host.address_entries(link)
    ]
    return {
        "link": {key: told.get(key) for key in kept},
        "addresses": sorted(addresses, key=str),
        "settings": _settings(host, link),
        "base": _settings(host, "eth0"),
    }


@pytest.mark.parametrize(
    ("wire", "extra"),
    [
        pytest.param(V3_4, "use_vmac", id="IPv4"),
        pytest.param(V3_6, "use_vmac", id="IPv6", marks=pytest.mark.long),
        pytest.param(V3_6, "use_vmac vm0\nvmac_xmit_base", id="IPv6-base", marks=pytest.mark.long),
    ],
)
def test_the_links_are_those_of_keepalived(wire: Wire, extra: str) -> None:
    """Each as MASTER on a segment of its own, with one file."""
    made = {}
    for make in ("ours", "keepalived"):
        file = wire.config(1, HIGH, extra)
        other = replace(wire, cast="multicast").config(2, LOW)
        with stage(wire, (make, "keepalived"), file, other) as on:
            before = _settings(on.left.host, "eth0")
            on.left.start()
            _becomes_master(on, on.left, extra, since=0, mark=0, priority=HIGH)
            made[make] = _made(on.left.host, _link(extra))
            assert on.left.stop() == 0
            if make == "ours":  # 2.2.7 leaves the settings of the base as they are
                assert _settings(on.left.host, "eth0") == before
    assert made["ours"] == made["keepalived"]


@pytest.mark.long
@pytest.mark.parametrize("wire", [V3_4], ids=str)
def test_after_a_crash_the_link_is_found(wire: Wire) -> None:
    """The link that is left is used again, and the base gets back what it had before the first run."""
    extra = "use_vmac"
    link = _link(extra)
    with stage(wire, ("ours", "keepalived"), wire.config(1, HIGH, extra), wire.config(2, LOW)) as on:
        before = _settings(on.left.host, "eth0")
        on.left.start()
        _becomes_master(on, on.left, extra, since=0, mark=0, priority=HIGH)
        on.left.crash()
        index = on.left.host.links()[link]["ifindex"]
        since = now()
        on.left.start()
        on.left.wait_log(f"({INSTANCE}) Found matching interface {link}")
        _becomes_master(on, on.left, extra, since=since, mark=0, priority=HIGH)
        on.left.reload(wire.config(1, HIGH, f"{extra}\npreempt_delay 2"))
        on.left.wait_log("New configuration applied")
        assert on.left.host.links()[link]["ifindex"] == index
        mark, since = on.left.mark(), now()
        on.left.host.run("ip", "link", "delete", link)
        on.left.wait_log(f"Interface {link} deleted", since=mark)
        _becomes_master(on, on.left, extra, since=since, mark=mark, priority=HIGH)
        mark = on.left.mark()
        on.left.reload(wire.config(1, HIGH))
        on.left.wait_log(f"({INSTANCE}) Success removing VMAC interface {link}", since=mark)
        on.left.wait_address(wire.address, present=True)
        assert _settings(on.left.host, "eth0") == before
        assert on.left.stop() == 0
