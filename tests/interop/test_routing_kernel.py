"""The same lines of routes, rules and addresses, by keepalived and by us: the kernel ends up with the same.

The lines are those of ``routing_lines.txt`` that both take. A line gets a destination, or a metric, of its own, so that
all of a block stand in one file. What the kernel refuses, it refuses both. A program that sets nothing fails, for there
is a least number of what must be there; one that leaves something behind at its end fails as well.
"""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.config.reading import read
from tests.interop.test_routing_lines import LINES, _machine, _text
from tests.support import keepalived, netns
from tests.support.director import CHECKOUT

NETWORK = """
ip link set lo up
for n in 0 1; do
  ip link add eth$n address 02:00:00:00:00:0$n type veth peer name p$n address 02:00:00:00:01:0$n
  echo 0 > /proc/sys/net/ipv6/conf/eth$n/accept_dad
  ip link set p$n up
  ip link set eth$n up
done
ip addr add 10.0.0.1/24 dev eth0
ip addr add 2001:db8::1/128 dev eth0 nodad
"""
OURS_ALONE = ("18446744073709551615", "nexthop encap", "encap mpls 100 nexthop")
"""keepalived 2.2.7 cuts ids of tunnels to 32 bits, and forgets the encapsulation of a next hop."""
LAST = "from 192.0.2.77 table 77 preference 7777"
ADDRESSES = (
    "10.9.0.1/24 dev eth0",
    "10.9.1.1/24 dev eth0 scope link",
    "10.9.2.1/24 dev eth0 scope 200",
    "10.9.3.1/24 dev eth0 label eth0:x",
    "10.9.4.1/24 dev eth0 brd +",
    "10.9.5.1/24 dev eth0 brd -",
    "10.9.6.1/24 dev eth0 brd 10.9.6.77",
    "10.9.7.1 dev eth0 peer 10.9.7.2",
    "10.9.8.1 dev eth1",
    "10.9.9.1/24 dev eth1 noprefixroute",
    "10.9.10.1/24 dev eth1 preferred_lft forever",
    "2001:db8:9::1/64 dev eth1",
    "2001:db8:9::2 dev eth1",
    "2001:db8:9::3/64 dev eth1 home",
    "2001:db8:9::4/64 dev eth1 mngtmpaddr",
    "2001:db8:9::5/64 dev eth1 noprefixroute",
    "2001:db8:9::6/64 dev eth1 -nodad",
    "2001:db8:9::7 dev eth1 preferred_lft forever",
    "2001:db8:9::a/64 dev eth1 preferred_lft 0",
    "2001:db8:9::8 dev eth1 peer 2001:db8:9::9",
    "224.9.9.9/32 dev eth1 autojoin",
)
MAKES = {
    "keepalived": [str(keepalived.binary())],
    "ours": [sys.executable, "-m", "pykeepalived"],
}

pytestmark = pytest.mark.skipif(
    (netns.why_not() or keepalived.why_not()) is not None,
    reason=str(netns.why_not() or keepalived.why_not()),
)


def _usable(block: str) -> list[str]:
    """The lines that are sound, each on its own."""
    machine = _machine()
    found = []
    for each, line in LINES:
        loaded = read(_text(each, [line]), machine) if each == block else None
        if loaded is not None and not any(said.problem is not None for said in loaded.diagnostics):
            configuration = loaded.configuration
            used = configuration.static_routes or configuration.static_rules
            if used and not any(words in line for words in OURS_ALONE):
                found.append(line)
    return found


def _apart(lines: Sequence[str]) -> list[str]:
    """Routes that do not meet: each with a destination of its own, or a metric."""
    found = []
    for number, line in enumerate(lines, 1):
        text = line.replace("10.1.0.0/24", f"10.{100 + number // 250}.{number % 250}.0/24")
        text = text.replace("2001:db8::/64", f"2001:db8:{number:x}::/64")
        if text == line and not re.search("metric|priority|preference", line):
            text = f"metric {number} {line}"
        found.append(text)
    return found


def _kernel(make: str, text: str, folder: Path, network: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What stands in the kernel while the daemon runs with the file, and after its end."""
    folder.mkdir()
    (folder / "keepalived.conf").write_text(text, encoding="utf-8")
    command = [*MAKES[make], "-n", "-l", "-P", "-f", "keepalived.conf", "-p", "pid", "-r", "vrrp_pid"]
    shows = {
        "routes": "route show table all",
        "rules4": "rule show",
        "rules6": "-6 rule show",
        "addresses": "addr show",
    }
    shows["routes6"] = "-6 route show table all"
    show = "\n".join(f"ip -d -j {words} > {folder}/$1.{name}" for name, words in shows.items())
    script = f"""{network}
show() {{
{show}
}}
"$@" > log 2>&1 &
daemon=$!
for n in $(seq 600); do ip rule | grep -q 7777 && break; sleep 0.05; done
show running
kill $daemon
wait $daemon
show after
"""
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", script, "sh", *command],
        cwd=folder,
        env={"PYTHONPATH": str(CHECKOUT), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, (done.stderr, (folder / "log").read_text())
    running, after = (
        {name: _told((folder / f"{when}.{name}").read_text()) for name in shows} for when in ("running", "after")
    )
    return running, after


def _told(text: str) -> Any:
    rows = [row for row in json.loads(text or "[]") if row.get("protocol") != "kernel"]
    for row in rows:
        row.pop("expires", None)
        for address in row.get("addr_info", ()):
            for name in ("valid_life_time", "dynamic", "temporary"):
                address.pop(name, None)
    rows = [{"ifname": row["ifname"], "addr_info": row["addr_info"]} if "addr_info" in row else row for row in rows]
    return [row for row in rows if row.get("ifname", "eth") not in ("p0", "p1")]


def same(text: str, folder: Path, network: str = NETWORK) -> dict[str, Any]:
    """Both makes do the same; what that is."""
    theirs, theirs_after = _kernel("keepalived", text, folder / "keepalived", network)
    ours, ours_after = _kernel("ours", text, folder / "ours", network)
    for name in theirs:
        missing = [row for row in theirs[name] if row not in ours[name]]
        more = [row for row in ours[name] if row not in theirs[name]]
        assert (name, missing, more) == (name, [], [])
        assert ours[name] == theirs[name], name
    for name in theirs_after:
        assert [row for row in _flat(ours_after[name]) if row not in _flat(theirs_after[name])] == []  # it leaves peers
    return ours


def _flat(rows: Any) -> list[Any]:
    """The rows of a table; of interfaces, their addresses."""
    return [each for row in rows for each in row.get("addr_info", [row])]


@pytest.mark.long
def test_every_route_is_the_same(tmp_path: Path) -> None:
    lines = _apart(_usable("static_routes"))
    found = same(_text("static_routes", lines) + _text("static_rules", [LAST]), tmp_path)
    assert len(lines) > 180
    assert len(found["routes"]) > 110
    assert len(found["routes6"]) > 12


@pytest.mark.long
def test_every_rule_is_the_same(tmp_path: Path) -> None:
    lines = _usable("static_rules")
    found = same(_text("static_rules", [*lines, LAST]), tmp_path)
    assert len(lines) > 90
    assert len(found["rules4"]) > 60
    assert len(found["rules6"]) >= 4


@pytest.mark.long
def test_every_address_is_the_same(tmp_path: Path) -> None:
    found = same(_text("static_ipaddress", list(ADDRESSES)) + _text("static_rules", [LAST]), tmp_path)
    assert sum(len(link["addr_info"]) for link in found["addresses"]) > len(ADDRESSES)
