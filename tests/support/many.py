"""Virtual routers with many addresses, and many virtual routers: what a takeover at scale is made of."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from tests.support.capture import Frame

ARP, IPV6 = b"\x08\x06", b"\x86\xdd"
ROUNDS = 5
INTERVAL = "0.5"


@dataclass(frozen=True, slots=True)
class Load:
    """Instances on interfaces; each advertises ``vips`` addresses and carries ``more`` of both families."""

    name: str
    instances: int = 1
    interfaces: int = 1
    vips: int = 1
    more: int = 0

    @property
    def addresses(self) -> int:
        """Of all instances together."""
        return self.instances * (self.vips + self.more)

    def config(self, priority: int = 100) -> str:
        """The file."""
        return "\n".join(self._instance(number, priority) for number in range(self.instances))

    def _instance(self, number: int, priority: int) -> str:
        base = number * (self.vips + self.more)
        vips = [_address(base + place) for place in range(self.vips)]
        more = [_address(base + self.vips + place, family=(4, 6)[place % 2]) for place in range(self.more)]
        lines = [f"vrrp_instance V{number} {{", "state BACKUP", f"interface eth{number % self.interfaces}"]
        lines += ["version 3", f"virtual_router_id {number // self.interfaces + 1}", f"priority {priority}"]
        lines += [f"advert_int {INTERVAL}", f"garp_master_repeat {ROUNDS}", "garp_master_delay 0"]
        lines += [
            "virtual_ipaddress {",
            *vips,
            "}",
            *(["virtual_ipaddress_excluded {", *more, "}"] if more else []),
            "}",
        ]
        return "\n".join([*lines, ""])


ONE_255 = Load("255 addresses", vips=255)
ONE_616 = Load("616 addresses, both families", vips=200, more=416)
MANY = Load("1000 instances, 4 interfaces", instances=1000, interfaces=4)


def _address(number: int, family: int = 4) -> str:
    if family == 4:
        return f"{IPv4Address(int(IPv4Address('10.88.0.1')) + number)}/32"
    return f"{IPv6Address(int(IPv6Address('fd88::1')) + number)}/128"


def announced(frames: Sequence[Frame]) -> list[tuple[int, str]]:
    """When which address was announced: quicker than scapy, for thousands of frames."""
    found = []
    for frame in frames:
        octets = frame.octets
        if octets[12:14] == ARP and octets[28:32] == octets[38:42]:
            found.append((frame.at, str(ipaddress.ip_address(octets[28:32]))))
        elif octets[12:14] == IPV6 and octets[20] == 58 and octets[54] == 136:
            found.append((frame.at, str(ipaddress.ip_address(octets[62:78]))))
    return found


def first_advert(frames: Sequence[Frame]) -> int:
    """When the first advert went out."""
    return min(frame.at for frame in frames if frame.octets[12:14] == b"\x08\x00")
