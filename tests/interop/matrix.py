"""Who understands whom: every way to put a router on the wire, against every peer: ``python -m tests.interop.matrix``.

A cell is a pair of directors and a role. It passes when both ends say what they must through a whole election: the one
with the higher priority is MASTER and the other BACKUP, the other takes over at a clean stop, and gives way again.
Run by hand, it plays all cells and writes docs/interop.md.
"""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.interop.stage import MAKES
from tests.interop.wires import INSTANCE, Wire
from tests.support import frr, keepalived
from tests.support.capture import Capture
from tests.support.director import CHECKOUT, Director
from tests.support.effective import lacking
from tests.support.frr import Frr
from tests.support.netns import Host, pair

PAGE = CHECKOUT / "docs" / "interop.md"
HIGH, LOW = 150, 100
PATIENCE = 90.0
AT_ONCE = 12
PEERS = {"keepalived": "keepalived 2.2.7", "frr": "FRR vrrpd 8.4.4"}
ROLES = ("MASTER", "BACKUP")

WIRES = (
    Wire(2, "1", 4, "multicast"),
    Wire(2, "1", 4, "multicast", "sesame42"),
    Wire(2, "1", 4, "multicast", "sesame42", "AH"),
    Wire(2, "1", 6, "multicast"),
    Wire(3, "0.4", 4, "multicast"),
    Wire(3, "0.4", 6, "multicast"),
    Wire(2, "1", 4, "unicast"),
    Wire(2, "1", 4, "unicast", "sesame42"),
    Wire(2, "1", 4, "unicast", "sesame42", "AH"),
    Wire(2, "1", 6, "unicast"),
    Wire(3, "0.4", 4, "unicast"),
    Wire(3, "0.4", 6, "unicast"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One way to be on the wire, a peer, who of the two has a VMAC, and which part is ours."""

    peer: str
    wire: Wire
    vmac: str
    role: str

    def __str__(self) -> str:
        return f"{self.peer}-{self.wire}-vmac-{self.vmac.replace(' ', '-')}-{self.role.lower()}"

    @property
    def unsupported(self) -> str:
        """Why the peer cannot play this cell; empty when it can."""
        if self.peer == "frr":
            if self.wire.cast == "unicast":
                return "FRR has no unicast"
            if self.wire.password:
                return "FRR has no authentication"
            if (self.wire.version, self.wire.family) == (2, 6):
                return "FRR has version 2 for IPv4 alone"
        return ""

    @property
    def not_yet(self) -> list[str]:
        """The keywords of ours that it needs and that have no effect yet."""
        found = lacking(["vrrp_instance/use_vmac"]) if self.vmac in {"ours", "both"} else []
        return found + (lacking(["vrrp_instance/auth_hmac"]) if self.wire.auth == "AH" else [])


def cells() -> tuple[Cell, ...]:
    """All of them. FRR always has a VMAC; a unicast router has none."""
    found = []
    for peer in PEERS:
        vmacs = ("none", "ours", "the peer's", "both") if peer == "keepalived" else ("the peer's", "both")
        for wire in WIRES:
            for vmac in vmacs if wire.cast == "multicast" else vmacs[:1]:
                found += [Cell(peer, wire, vmac, role) for role in ROLES]
    return tuple(found)


class Side(Protocol):
    """One of the two ends."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End cleanly."""

    def says(self) -> str:
        """The state it says it is in; where it can be seen, its addresses must agree."""


@dataclass(slots=True)
class Keepalived:
    """A keepalived of whatever make: its log, and the addresses of its host."""

    director: Director
    wire: Wire

    def start(self) -> None:
        """Begin."""
        self.director.start()

    def stop(self) -> None:
        """End cleanly."""
        assert self.director.stop() == 0

    def says(self) -> str:
        """The last state in its log, with what the kernel has."""
        states = self.director.states(INSTANCE) if self.director.running else []
        state = states[-1] if states else "STOP"
        carried = all(_carries(self.director.host, address) for address in self.wire.addresses)
        return state if carried == (state == "MASTER") else f"{state} {'with' if carried else 'without'} addresses"


@dataclass(slots=True)
class FrrSide:
    """FRR, by what it shows."""

    frr: Frr
    priority: int
    wire: Wire

    def start(self) -> None:
        """Begin."""
        self.frr.start(self.priority, self.wire.advert_int)

    def stop(self) -> None:
        """End cleanly."""
        self.frr.stop()

    def says(self) -> str:
        """What `show vrrp` says."""
        return self.frr.state()


def _carries(host: Host, address: str) -> bool:
    return any(host.has(address, device) for device in host.links())


def play(cell: Cell) -> None:
    """An election from start to return; AssertionError tells what both ends said instead."""
    mine, theirs = (HIGH, LOW) if cell.role == "MASTER" else (LOW, HIGH)
    with _sides(cell, mine, theirs) as (ours, peer):
        first, second = (ours, peer) if cell.role == "MASTER" else (peer, ours)
        first.start()
        _until(lambda: first.says() == "MASTER", "the first is MASTER", ours, peer)
        second.start()
        _until(lambda: (first.says(), second.says()) == ("MASTER", "BACKUP"), "the second is BACKUP", ours, peer)
        _stays(cell, lambda: (first.says(), second.says()) == ("MASTER", "BACKUP"), ours, peer)
        first.stop()
        _until(lambda: second.says() == "MASTER", "the second takes over", ours, peer)
        first.start()
        _until(lambda: (first.says(), second.says()) == ("MASTER", "BACKUP"), "the first is back", ours, peer)
        _stays(cell, lambda: (first.says(), second.says()) == ("MASTER", "BACKUP"), ours, peer)


def _until(happened: Callable[[], bool], words: str, ours: Side, peer: Side) -> None:
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, f"{words}: not seen; we say {ours.says()}, the peer says {peer.says()}"
        time.sleep(0.1)


def _stays(cell: Cell, holds: Callable[[], bool], ours: Side, peer: Side) -> None:
    """Both stay what they are for longer than a backup that hears nothing would."""
    end = time.monotonic() + 5 * cell.wire.advert_int / 1e9
    while time.monotonic() < end:
        assert holds(), f"it does not last: we say {ours.says()}, the peer says {peer.says()}"
        time.sleep(0.1)


@contextlib.contextmanager
def _sides(cell: Cell, mine: int, theirs: int) -> Iterator[tuple[Side, Side]]:
    wire = cell.wire
    with (
        tempfile.TemporaryDirectory(prefix="pyk-matrix-") as name,
        pair() as (segment, one, two),
        Capture(segment) as capture,
        contextlib.ExitStack() as stack,
    ):
        folder = Path(name)
        folder.chmod(0o755)
        own = wire.config(1, mine, "use_vmac" if cell.vmac in {"ours", "both"} else "")
        director = stack.enter_context(Director(one, MAKES["ours"](), folder / "ours", own))
        notes: list[Callable[[], str]] = [director.story, capture.story]
        peer: Side
        if cell.peer == "frr":
            made = Frr(two, folder / "frr", vrid=wire.vrid, version=wire.version, addresses=wire.addresses)
            notes.append(made.story)
            peer = FrrSide(stack.enter_context(made), theirs, wire)
        else:
            file = wire.config(2, theirs, "use_vmac" if cell.vmac in {"the peer's", "both"} else "")
            other = stack.enter_context(Director(two, keepalived.make(), folder / "peer", file))
            notes.append(other.story)
            peer = Keepalived(other, wire)
        try:
            yield Keepalived(director, wire), peer
        except AssertionError as failure:
            for note in notes:
                failure.add_note(note())
            raise


def verdict(cell: Cell) -> str:
    """What the page says of a cell."""
    if cell.unsupported:
        return "-"
    if cell.not_yet:
        return "not yet"
    try:
        play(cell)
    except AssertionError as failure:
        return f"**fails**: {failure}"
    return "yes"


def page(verdicts: dict[Cell, str]) -> str:
    """docs/interop.md."""
    lines = [*HEAD]
    for peer, title in PEERS.items():
        lines += [
            f"## {title}",
            "",
            "| version | family | authentication | cast | VMAC | we are MASTER | we are BACKUP |",
        ]
        lines.append("|---|---|---|---|---|---|---|")
        for cell in (each for each in verdicts if each.peer == peer and each.role == ROLES[0]):
            wire = cell.wire
            auth = wire.auth if wire.password else "none"
            both = [verdicts[Cell(peer, wire, cell.vmac, role)] for role in ROLES]
            if cell.unsupported:
                both = [cell.unsupported] * 2
            about = [str(wire.version), f"IPv{wire.family}", auth, wire.cast, cell.vmac, *both]
            lines.append(f"| {' | '.join(about)} |")
        lines.append("")
    return "\n".join(lines)


HEAD = (
    "# Interoperation",
    "",
    "Generated by `python -m tests.interop.matrix`, which plays every cell; do not edit.",
    "`script/test --long` plays them again.",
    "",
    "Each cell is an election in namespaces, judged by what both ends say: the log and the addresses of a keepalived,",
    "what `show vrrp json` shows of FRR. The one with the higher priority is MASTER and the other BACKUP, and it stays",
    "so; at a clean stop the other takes over; at the return it gives way. `yes`: both ends said so at every step.",
    "",
)


def main() -> None:
    """Play all cells and write the page."""
    assert frr.version() in PEERS["frr"], f"name FRR {frr.version()}"
    assert keepalived.version() in PEERS["keepalived"], f"name keepalived {keepalived.version()}"
    found = cells()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        verdicts = dict(zip(found, pool.map(verdict, found), strict=True))
    PAGE.write_text(page(verdicts))
    for cell, said in verdicts.items():
        if said not in {"yes", "-"}:
            print(f"{cell}: {said}")
    print(f"{sum(said == 'yes' for said in verdicts.values())} of {len(found)} cells pass")


if __name__ == "__main__":
    main()
