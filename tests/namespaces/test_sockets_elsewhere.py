"""Netlink sockets of another network namespace than one's own."""

import errno
import os
import resource
import subprocess
from pathlib import Path

import pytest

from pykeepalived.errors import KernelError
from pykeepalived.kernel.message_classes import encoded
from pykeepalived.kernel.namespaces import NamedNamespace, Nowhere, SocketsElsewhere, named_namespace, own_namespace
from pykeepalived.kernel.netlink import NETLINK_ROUTE, NetlinkSocket
from pykeepalived.kernel.route_classes import ifinfmsg
from tests.namespaces.veth_pair import veth_pair, why_not

pytestmark = [pytest.mark.root, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]

RTM_GETLINK = 18
IFINFOMSG = slice(16, 32)
"""Behind it stand counters of packets, which others change."""


def own() -> Path:
    return Path("/proc/self/ns/net").readlink()


def links(sockets: SocketsElsewhere | None) -> int:
    """How many links there are; read once whole and once in parts."""
    netlink = NetlinkSocket(NETLINK_ROUTE, open_socket=sockets)
    try:
        rows = netlink.dump(encoded(ifinfmsg, RTM_GETLINK, 0, {}, []).data)
        parts = list(netlink.dump_in_parts(encoded(ifinfmsg, RTM_GETLINK, 0, {}, []).data))
        assert [data[IFINFOMSG] for part in parts for _, data in part] == [data[IFINFOMSG] for _, data in rows]
        return len(rows)
    finally:
        netlink.close()


def test_they_stay_there_and_the_process_here() -> None:
    here = links(None)
    before = own()
    with veth_pair() as (left, _):
        for number in range(20):
            left.ip(f"link add d{number} type bridge")
        door = named_namespace(left.name)
        sockets = SocketsElsewhere(door, (NETLINK_ROUTE, NETLINK_ROUTE))
        os.close(door)
        assert own() == before
        there = links(sockets)
        assert there >= 22
        for _ in range(3):  # one that was closed may be asked for again
            assert links(sockets) == there
        assert links(None) == here
        sockets.close()


def test_no_descriptor_for_one_does_not_give_another_one_twice() -> None:
    """Answers to orders would be read by whoever reads a list."""
    home = own_namespace()
    sockets = SocketsElsewhere(home, (NETLINK_ROUTE, NETLINK_ROUTE))
    os.close(home)
    first = sockets(NETLINK_ROUTE)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (first.fileno(), hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            sockets(NETLINK_ROUTE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    second = sockets(NETLINK_ROUTE)
    assert first.getsockname() != second.getsockname()
    for each in (first, second, sockets):
        each.close()


def test_a_namespace_that_is_not_there() -> None:
    with pytest.raises(KernelError, match="find the network namespace nowhere") as raised:
        named_namespace("nowhere")
    assert raised.value.errno == errno.ENOENT
    for name in ("", ".", "..", "../x"):
        with pytest.raises(KernelError):
            named_namespace(name)
    with pytest.raises(KernelError):
        NamedNamespace("/proc/self/ns/net").is_another()
    with pytest.raises(KernelError) as refused:
        NetlinkSocket(NETLINK_ROUTE, open_socket=Nowhere(errno.ENOENT))
    assert refused.value.errno == errno.ENOENT


@pytest.mark.keyword("net_namespace_ipvs")
def test_a_name_goes_and_leads_to_another_one() -> None:
    name = f"kd{os.getpid()}-anew"
    named = NamedNamespace(name)
    with pytest.raises(KernelError, match="find the network namespace"):
        named.open()
    assert not named.opened
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        assert named.is_another()
        door = named.open()
        assert named.opened
        assert not named.is_another()
        subprocess.run(["ip", "netns", "del", name], check=True)
        with pytest.raises(KernelError) as away:
            named.is_another()
        assert away.value.errno == errno.ENOENT
        Path("/run/netns", name).touch()  # as `ip netns add` begins
        for ask in (named.is_another, NamedNamespace(name).open):
            with pytest.raises(KernelError) as unfinished:
                ask()
            assert unfinished.value.errno == errno.ENOENT
        Path("/run/netns", name).unlink()
        subprocess.run(["ip", "netns", "add", name], check=True)
        assert named.is_another()
        os.close(door)
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)


def test_what_is_no_namespace_is_refused_and_one_stays_where_one_is() -> None:
    before = own()
    door = os.open("/proc/self/status", os.O_RDONLY)
    with pytest.raises(KernelError):
        SocketsElsewhere(door, (NETLINK_ROUTE,))
    os.close(door)
    assert own() == before
    home = own_namespace()
    sockets = SocketsElsewhere(home, (NETLINK_ROUTE,))
    assert links(sockets) == links(None)
    sockets.close()
    os.close(home)
