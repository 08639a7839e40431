"""Sizes of the receive buffers of sockets: netlink's, and those of VRRP."""

from pykeepalived.config.kinds import UINT_MAX, Boolean, Integer
from pykeepalived.config.kinds_global import ReceiveBuffers, ReceiveBuffersKind
from pykeepalived.config.schema import Repeat, keyword
from pykeepalived.records import record


def _size(of: str, process: str, default: str = "what the kernel has") -> int:
    size: int = keyword(
        Integer(0, UINT_MAX),
        default=0,
        unit="bytes",
        process=process,
        checked=True,
        doc=f"The receive buffer of the socket {of}; 0 is {default}.",
    )
    return size


def _force(of: str, process: str) -> bool:
    force: bool = keyword(
        Boolean(),
        default=False,
        process=process,
        doc=f"That buffer, of the socket {of}, may be larger than rmem_max.",
    )
    return force


_COMMANDS = "for netlink commands"
_MONITOR = "that hears of changes by netlink"
_PROCESSES = "that hears of processes"


@record(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class NetlinkBuffers:
    """How much may wait to be read."""

    vrrp_netlink_cmd_rcv_bufs: int = _size(_COMMANDS, "vrrp")
    vrrp_netlink_cmd_rcv_bufs_force: bool = _force(_COMMANDS, "vrrp")
    vrrp_netlink_monitor_rcv_bufs: int = _size(_MONITOR, "vrrp")
    vrrp_netlink_monitor_rcv_bufs_force: bool = _force(_MONITOR, "vrrp")
    process_monitor_rcv_bufs: int = _size(_PROCESSES, "vrrp", "1 MiB")
    process_monitor_rcv_bufs_force: bool = _force(_PROCESSES, "vrrp")
    lvs_netlink_cmd_rcv_bufs: int = _size(_COMMANDS, "checker")
    lvs_netlink_cmd_rcv_bufs_force: bool = _force(_COMMANDS, "checker")
    lvs_netlink_monitor_rcv_bufs: int = _size(_MONITOR, "checker")
    lvs_netlink_monitor_rcv_bufs_force: bool = _force(_MONITOR, "checker")
    vrrp_rx_bufs_policy: ReceiveBuffers = keyword(
        ReceiveBuffersKind(),
        default=ReceiveBuffers(),
        repeat=Repeat.COLLECT,
        unit="bytes",
        process="vrrp",
        checked=True,
        doc="The receive buffers of VRRP sockets: by the MTU, by the size of adverts, or that many bytes.",
    )
    vrrp_rx_bufs_multiplier: int = keyword(
        Integer(1, UINT_MAX),
        default=3,
        process="vrrp",
        checked=True,
        doc="How many packets a buffer made by MTU or ADVERT holds.",
    )
