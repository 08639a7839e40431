"""IPVS orders as bytes, beside what the kernel's header says they mean; rows read back from them."""

import errno
import socket
from ipaddress import IPv4Address, IPv6Address

import pytest

from pykeepalived.config.blocks.virtual_server import LvsMethod, Service
from pykeepalived.errors import KernelError
from pykeepalived.ipvs_table import SyncDaemonRow, SyncState, Timeouts
from pykeepalived.kernel.ipvs import LinuxIpvs
from pykeepalived.kernel.ipvs_messages import daemon_row, destination_row, ipvsmsg, service_row, timeouts_of
from pykeepalived.kernel.message_classes import ctrlmsg, encoded
from pykeepalived.kernel.ports import DestinationRow, Failure, IpvsOrder, ServiceRow

WEB = Service("address", IPv4Address("10.9.0.100"), 80, 6, 0, socket.AF_INET)
WEB6 = Service("address", IPv6Address("2001:db8::100"), 53, 17, 0, socket.AF_INET6)
MARK = Service("fwmark", None, 0, 0, 7, socket.AF_INET6)
ROW = ServiceRow(WEB, "rr", 1, 360, 0xFFFFFF00)


class RecordedSocket:
    """In the place of the netlink socket: writes down orders, answers what it is told to."""

    def __init__(self) -> None:
        self.orders: list[bytes] = []
        self.answers: list[int] = []
        self.known = True
        self.family = 0x21

    def get(self, message: bytearray) -> tuple[int, bytes]:
        assert b"IPVS\0" in message or len(message) == 28  # the family by its name, or by its number
        if not self.known:
            raise KernelError("get", errno.ENOENT)
        return 16, bytes(encoded(ctrlmsg, 16, 0, {"cmd": 1}, [("CTRL_ATTR_FAMILY_ID", self.family)]).data)

    def order(self, messages: list[bytearray]) -> list[int]:
        self.orders += [bytes(message) for message in messages]
        return self.answers or [0] * len(messages)

    def close(self) -> None: ...


@pytest.fixture
def ipvs(monkeypatch: pytest.MonkeyPatch) -> LinuxIpvs:
    monkeypatch.setattr("pykeepalived.kernel.ipvs.NetlinkSocket", lambda _, **_more: RecordedSocket())
    return LinuxIpvs()


def recorded(ipvs: LinuxIpvs) -> RecordedSocket:
    assert isinstance(ipvs._socket, RecordedSocket)
    return ipvs._socket


def bytes_of(ipvs: LinuxIpvs, order: IpvsOrder) -> bytes:
    assert ipvs.apply([order]) == []
    return recorded(ipvs).orders[-1]


def words(text: str) -> bytes:
    return bytes.fromhex(text.replace("|", ""))


def test_add_service_octet_for_octet(ipvs: LinuxIpvs) -> None:
    assert bytes_of(ipvs, IpvsOrder("add-service", ROW)) == words(
        "68000000 2100 0100 00000000 00000000 | 01 01 0000"  # netlink header, family 0x21; NEW_SERVICE, version 1
        "5400 0100"  # SERVICE
        "0600 0100 0200 0000"  # AF
        "0600 0200 0600 0000"  # PROTOCOL
        "1400 0300 0a090064 000000000000000000000000"  # ADDR
        "0600 0400 0050 0000"  # PORT, network order
        "0700 0600 727200 00"  # SCHED_NAME
        "0c00 0700 01000000 ffffffff"  # FLAGS and their mask
        "0800 0800 68010000"  # TIMEOUT
        "0800 0900 ffffff00"  # NETMASK, network order
    )


def test_add_tunnelled_server_octet_for_octet(ipvs: LinuxIpvs) -> None:
    method = LvsMethod("TUN", "gue", 6080, "csum")
    server = DestinationRow(IPv6Address("2001:db8::1"), 8080, method, 7, 100, 50)
    assert bytes_of(ipvs, IpvsOrder("add-server", ROW, server)) == words(
        "a4000000 2100 0100 00000000 00000000 | 05 01 0000"
        "3000 0100 0600 0100 0200 0000 0600 0200 0600 0000"
        "1400 0300 0a090064 000000000000000000000000 0600 0400 0050 0000"
        "6000 0200"  # DEST
        "1400 0100 20010db8 000000000000000000000001"  # ADDR
        "0600 0200 1f90 0000"  # PORT
        "0600 0b00 0a00 0000"  # ADDR_FAMILY
        "0800 0300 02000000"  # FWD_METHOD: tunnel
        "0800 0400 07000000"  # WEIGHT
        "0800 0500 64000000"  # U_THRESH
        "0800 0600 32000000"  # L_THRESH
        "0500 0d00 01 000000"  # TUN_TYPE: gue
        "0600 0e00 17c0 0000"  # TUN_PORT, network order
        "0600 0f00 0100 0000"  # TUN_FLAGS: csum
    )


@pytest.mark.parametrize(
    ("verb", "command"),
    [
        ("add-service", 1),
        ("edit-service", 2),
        ("delete-service", 3),
        ("add-server", 5),
        ("edit-server", 6),
        ("delete-server", 7),
    ],
)
def test_each_verb_is_its_own_command(ipvs: LinuxIpvs, verb: str, command: int) -> None:
    server = DestinationRow(IPv4Address("10.9.0.1"), 80, LvsMethod(), 1, 0, 0) if verb.endswith("server") else None
    assert bytes_of(ipvs, IpvsOrder(verb, ROW, server))[16] == command


@pytest.mark.parametrize("number", [errno.ETIMEDOUT, errno.ENOBUFS])
def test_orders_without_an_answer_are_one_failure(ipvs: LinuxIpvs, number: int) -> None:
    """Of sixty-four orders sixty-four lines would be said, and nobody knows which were carried out."""
    recorded(ipvs).answers = [0, errno.EEXIST, number]
    with pytest.raises(KernelError) as caught:
        ipvs.apply([IpvsOrder("add-service", ROW)] * 3)
    assert caught.value.errno == number


@pytest.mark.parametrize(
    "row",
    [
        ROW,
        ServiceRow(WEB6, "wlc", 0, 0, 128),
        ServiceRow(WEB6, "sh", 0x18, 300, 64),
        ServiceRow(MARK, "mh", 0x10, 50, 128),
        ServiceRow(Service("fwmark", None, 0, 0, 0xFFFFFFFF, socket.AF_INET), "rr", 0, 0, 0xFFFFFFFF),
        ServiceRow(Service("address", IPv4Address("10.9.0.1"), 5060, 17, 0, socket.AF_INET), "rr", 5, 9, 1, "sip"),
    ],
    ids=lambda row: f"{row.service}",
)
def test_a_service_is_read_as_it_was_written(ipvs: LinuxIpvs, row: ServiceRow) -> None:
    assert service_row(bytes_of(ipvs, IpvsOrder("add-service", row))) == row


@pytest.mark.parametrize(
    "row",
    [
        DestinationRow(IPv4Address("10.9.0.1"), 80, LvsMethod("NAT"), 1, 0, 0),
        DestinationRow(IPv4Address("10.9.0.1"), 0, LvsMethod("DR"), 0, 5, 4),
        DestinationRow(IPv4Address("10.9.0.1"), 65535, LvsMethod("TUN"), 2**31 - 1, 2**32 - 1, 0),
        DestinationRow(IPv6Address("2001:db8::1"), 80, LvsMethod("TUN", "gre", 0, "csum"), 1, 0, 0),
        DestinationRow(IPv6Address("2001:db8::1"), 80, LvsMethod("TUN", "gue", 6080, "remcsum"), 1, 0, 0),
    ],
    ids=str,
)
def test_a_server_is_read_as_it_was_written(ipvs: LinuxIpvs, row: DestinationRow) -> None:
    assert destination_row(bytes_of(ipvs, IpvsOrder("add-server", ROW, row)), socket.AF_INET6) == row


def test_the_kernels_own_mark_is_no_flag_of_ours() -> None:
    def row(flags: int) -> ServiceRow:
        service = [("IPVS_SVC_ATTR_AF", 2), ("IPVS_SVC_ATTR_FLAGS", {"flags": flags, "mask": 0xFFFFFFFF})]
        message = encoded(ipvsmsg, 0x21, 0, {"cmd": 1}, [("IPVS_CMD_ATTR_SERVICE", {"attrs": service})])
        return service_row(bytes(message.data))

    assert row(0x03).flags == 1
    assert row(0x1F).flags == 0x1D


def test_old_kernels_name_no_family_and_no_tunnel() -> None:
    dest = [
        ("IPVS_DEST_ATTR_ADDR", bytes([10, 9, 0, 1])),
        ("IPVS_DEST_ATTR_PORT", 80),
        ("IPVS_DEST_ATTR_FWD_METHOD", 2),
        ("IPVS_DEST_ATTR_WEIGHT", 1),
    ]
    message = encoded(ipvsmsg, 0x21, 0, {"cmd": 5}, [("IPVS_CMD_ATTR_DEST", {"attrs": dest})])
    expected = DestinationRow(IPv4Address("10.9.0.1"), 80, LvsMethod("TUN"), 1, 0, 0)
    assert destination_row(bytes(message.data), socket.AF_INET) == expected


def test_refusals_name_their_place(ipvs: LinuxIpvs) -> None:
    recorded(ipvs).answers = [0, errno.EEXIST, 0]
    assert ipvs.apply([IpvsOrder("add-service", ROW)] * 3) == [Failure(1, errno.EEXIST)]


def test_a_kernel_without_ipvs_is_said_with_its_remedy(ipvs: LinuxIpvs) -> None:
    recorded(ipvs).known = False
    with pytest.raises(KernelError) as told:
        ipvs.version()
    assert told.value.errno == errno.ENOENT
    assert "modprobe ip_vs" in told.value.order


def test_a_sync_daemon_octet_for_octet(ipvs: LinuxIpvs) -> None:
    row = SyncDaemonRow(SyncState.MASTER, "eth0", 5, 1000, 8850, 3, IPv4Address("224.0.0.99"))
    ipvs.start_daemon(row)
    whole = recorded(ipvs).orders[-1]
    assert whole == words(
        "54000000 2100 0100 00000000 00000000 | 09 01 0000"  # netlink header, family 0x21; NEW_DAEMON, version 1
        "4000 0300"  # DAEMON
        "0800 0100 01000000"  # STATE: master
        "0900 0200 65746830 00 000000"  # MCAST_IFN
        "0800 0300 05000000"  # SYNC_ID
        "0600 0400 e803 0000"  # SYNC_MAXLEN
        "0800 0500 e0000063"  # MCAST_GROUP
        "0600 0700 9222 0000"  # MCAST_PORT, the host's order
        "0500 0800 03 000000"  # MCAST_TTL
    )
    assert daemon_row(whole) == row
    ipvs.stop_daemon(SyncDaemonRow(SyncState.BACKUP, "eth0", 5, group=IPv6Address("ff02::81")))
    least = recorded(ipvs).orders[-1]
    assert least[16] == 10
    assert daemon_row(least) == SyncDaemonRow(SyncState.BACKUP, "eth0", 5, group=IPv6Address("ff02::81"))


def test_timeouts_octet_for_octet(ipvs: LinuxIpvs) -> None:
    ipvs.set_timeouts(Timeouts(tcp=901, udp=301))
    whole = recorded(ipvs).orders[-1]
    assert whole == words("24000000 2100 0100 00000000 00000000 | 0c 01 0000 0800 0400 85030000 0800 0600 2d010000")
    assert timeouts_of(whole) == Timeouts(901, 0, 301)


def test_an_unknown_server_is_not_an_unknown_ipvs(ipvs: LinuxIpvs) -> None:
    """ENOENT means both: only when the family is gone is it IPVS itself, and then its number is asked for anew."""
    order = IpvsOrder("delete-service", ROW)
    ipvs.apply([order])
    recorded(ipvs).answers = [errno.ENOENT]
    assert ipvs.apply([order]) == [Failure(0, errno.ENOENT)]
    recorded(ipvs).known = False
    with pytest.raises(KernelError, match="which was removed from the kernel"):
        ipvs.apply([order])
    with pytest.raises(KernelError, match="find IPVS in the kernel"):
        ipvs.apply([order])
    recorded(ipvs).known, recorded(ipvs).family = True, 0x2F
    recorded(ipvs).answers = []
    assert bytes_of(ipvs, order)[4:6] == words("2f00")
