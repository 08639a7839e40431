"""The ways a virtual router can be put on the wire, and the configuration files that say so."""

from dataclasses import dataclass

SECOND = 1_000_000_000
INSTANCE = "VI_1"
VRID = 77


@dataclass(frozen=True, slots=True)
class Wire:
    """A version, an interval, a family and a cast; everything an election's outcome must not depend on."""

    version: int
    seconds: str
    family: int
    cast: str
    password: str | None = None
    auth: str = "PASS"
    name: str = INSTANCE
    vrid: int = VRID

    def __str__(self) -> str:
        auth = self.auth.lower() if self.password else ""
        return f"v{self.version}{auth}-ipv{self.family}-{self.cast}-{self.seconds}s"

    @property
    def advert_int(self) -> int:
        """The interval in nanoseconds."""
        whole, _, fraction = self.seconds.partition(".")
        return int(whole) * SECOND + int(fraction.ljust(9, "0") or 0)

    def skew(self, priority: int) -> int:
        """RFC 9568 6.1 (version 3) and RFC 3768 6.1 (version 2): the lower the priority, the longer."""
        interval = self.advert_int if self.version == 3 else SECOND
        return (256 - priority) * interval // 256

    def master_down(self, priority: int) -> int:
        """How long a silent master is waited for."""
        return 3 * self.advert_int + self.skew(priority)

    def source(self, number: int) -> str:
        """The source address of host 1 or 2 (their MACs end in their number)."""
        if self.family == 4:
            return f"10.77.0.{number}"
        return f"fe80::ff:fe00:{number}" if self.cast == "multicast" else f"fd77::{number}"

    @property
    def destination(self) -> str:
        """Where multicast adverts go."""
        return "224.0.0.18" if self.family == 4 else "ff02::12"

    @property
    def addresses(self) -> tuple[str, ...]:
        """The virtual addresses, in the order of the file."""
        last = 100 + 2 * (self.vrid - VRID)
        if self.family == 4:
            return (f"10.77.0.{last}", f"10.77.0.{last + 1}")
        return (f"fe80::{self.vrid}", f"fd77::{last}")

    @property
    def address(self) -> str:
        """The virtual address a client would use."""
        return self.addresses[-1]

    def config(self, number: int, priority: int, extra: str = "", *, addresses: tuple[str, ...] = ()) -> str:
        """The file of host 1 or 2."""
        lines = [
            f"vrrp_instance {self.name} {{",
            "    state BACKUP",
            "    interface eth0",
            f"    virtual_router_id {self.vrid}",
            f"    version {self.version}",
            f"    priority {priority}",
            f"    advert_int {self.seconds}",
            "    garp_master_delay 1",
        ]
        if self.cast == "unicast":
            lines += [
                f"    unicast_src_ip {self.source(number)}",
                "    unicast_peer {",
                f"        {self.source(3 - number)}",
                "    }",
            ]
        if self.password:
            lines += [
                "    authentication {",
                f"        auth_type {self.auth}",
                f"        auth_pass {self.password}",
                "    }",
            ]
        length = 24 if self.family == 4 else 64
        lines += ["    virtual_ipaddress {"]
        lines += [f"        {address}/{length}" for address in addresses or self.addresses]
        lines += ["    }", *(f"    {line}" for line in extra.splitlines()), "}", ""]
        return "\n".join(lines)


V2_PASS = Wire(2, "1", 4, "multicast", "sesame42")
QUICK = Wire(3, "0.1", 4, "multicast")
QUICK_6 = Wire(3, "0.1", 6, "unicast")
STEADY = Wire(3, "1", 4, "multicast")

ALL = (
    V2_PASS,
    Wire(2, "1", 4, "unicast", "sesame42"),
    *(
        Wire(3, seconds, family, cast)
        for seconds in ("1", "0.1")
        for family in (4, 6)
        for cast in ("multicast", "unicast")
    ),
)
