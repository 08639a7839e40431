"""Adverts that scapy makes, of a router that does not exist: sound ones, and ones that are wrong in one thing."""

import hashlib
import hmac
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.layers.vrrp import VRRP, VRRPv3
from scapy.packet import Raw

from tests.interop.wires import Wire
from tests.support.netns import Host

MAC = {4: "01:00:5e:00:00:12", 6: "33:33:00:00:00:12"}
SECOND = 1_000_000_000


OF_NETWORK = frozenset({"src", "dst", "ttl", "hlim", "tos", "tc", "len", "proto", "nh"})


def packet(wire: Wire, priority: int, *, number: int = 2) -> Any:
    """An advert of host 2 that host 1 must believe, not yet built: what is left open is filled in by scapy."""
    network: Any = IP if wire.family == 4 else IPv6
    limit = {"ttl": 255} if wire.family == 4 else {"hlim": 255}
    multicast = wire.cast == "multicast"
    destination = wire.destination if multicast else wire.source(3 - number)
    head = Ether(dst=MAC[wire.family] if multicast else f"02:00:00:00:00:0{3 - number}")
    head /= network(src=wire.source(number), dst=destination, **limit)
    fields = {"vrid": wire.vrid, "priority": priority, "addrlist": list(wire.addresses)}
    if wire.version == 3:
        return head / VRRPv3(**fields, adv=wire.advert_int // 10_000_000)
    seconds = wire.advert_int // SECOND
    if wire.family == 6:  # which scapy does not know: version 2 in version 3's clothes, without authentication
        return head / VRRPv3(**fields, version=2, adv=seconds)
    return head / VRRP(**fields, adv=seconds, **_authentication(wire))


def _authentication(wire: Wire) -> dict[str, int]:
    if wire.password is None:
        return {}
    if wire.auth == "AH":
        return {"authtype": 2}
    first, second = struct.unpack("!II", _key(wire.password))
    return {"authtype": 1, "auth1": first, "auth2": second}


def _key(password: str) -> bytes:
    return password.encode()[:8].ljust(8, b"\0")


def wrong(wire: Wire, priority: int, changes: Mapping[str, Any], *, cut: int = 0, more: bytes = b"") -> bytes:
    """An advert with other values in some fields; `cut` octets are missing at its end, or `more` follow."""
    made = packet(wire, priority)
    layers = {True: made.payload, False: made.payload.payload}
    for name, value in changes.items():
        setattr(layers[name in OF_NETWORK], name, value)
    if not cut and not more:
        return bytes(made)
    message = bytes(Ether(bytes(made)).payload.payload)
    network = made.payload.copy()
    network.remove_payload()
    setattr(network, "proto" if wire.family == 4 else "nh", 112)
    return bytes(Ether(dst=made.dst) / network / Raw(message[: len(message) - cut] + more))


def sealed(wire: Wire, priority: int, sequence: int, *, key: str | None = None) -> bytes:
    """An advert of host 2 under an Authentication Header, as keepalived seals it: HMAC-MD5 over the packet."""
    made = packet(wire, priority)
    message = bytes(IP(bytes(made.payload)).payload)
    source = socket.inet_aton(wire.source(2))

    def under(value: bytes, **fields: int) -> Any:
        header = struct.pack("!BBH4sI12s", 112, 4, 0, source, sequence, value)
        return IP(src=wire.source(2), dst=wire.destination, proto=51, ttl=255, **fields) / Raw(header + message)

    unsigned = bytearray(bytes(under(bytes(12))))
    unsigned[10:12] = bytes(2)
    value = hmac.new(_key(key or wire.password or ""), bytes(unsigned), hashlib.md5).digest()[:12]
    return bytes(Ether(dst=MAC[4]) / under(value, tos=0xC0))


class Peer:
    """Host 2's voice: single frames, and frames that come again at an interval until they are silenced."""

    def __init__(self, host: Host) -> None:
        self._socket = host.inside(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
        self._beats: dict[object, tuple[Callable[[], bytes], int, int]] = {}
        self._change = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="peer", daemon=True)
        self.said = 0
        self.late = False
        """Whether a machine that had no time for us made a pause that a master must not make."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._change:
            self._ended = True
            self._change.notify()
        self._thread.join()
        self._socket.close()

    def say(self, frame: bytes) -> None:
        """One frame, now."""
        self._socket.sendto(frame, ("eth0", 0))

    def beat(self, key: object, frame: Callable[[], bytes], interval: int) -> None:
        """Say a frame now and at every interval, in place of what was said under that key before."""
        with self._change:
            self._beats[key] = (frame, interval, time.monotonic_ns())
            self._change.notify()

    def silence(self, key: object | None = None) -> None:
        """Say no more; without a key: nothing at all."""
        with self._change:
            for each in [key] if key is not None else list(self._beats):
                self._beats.pop(each, None)

    def _run(self) -> None:
        with self._change:
            while not self._ended:
                now = time.monotonic_ns()
                for key, (frame, interval, due) in list(self._beats.items()):
                    if due <= now:
                        self.late |= now - due > interval
                        self.say(frame())
                        self.said += 1
                        self._beats[key] = (frame, interval, max(due + interval, now))
                waits = [due for _, _, due in self._beats.values()]
                self._change.wait((min(waits) - time.monotonic_ns()) / SECOND if waits else None)
