"""Two directors of given makes on one wire: what every round of interop starts from."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop.wires import INSTANCE, VRID, Wire
from tests.support import keepalived, pykeepalived
from tests.support.capture import Advert, Capture, now
from tests.support.director import Director
from tests.support.netns import Segment, pair

MAKES = {"ours": pykeepalived.make, "keepalived": keepalived.make}

# Which make is on the left, which on the right. keepalived against itself shows that the judge is right.
OURS_LEFT = ("ours", "keepalived")
OURS_RIGHT = ("keepalived", "ours")
BOTH_ROLES = (OURS_LEFT, OURS_RIGHT)
JUDGE = ("keepalived", "keepalived")


def rounds(quick: tuple[Wire, ...], wires: tuple[Wire, ...]) -> pytest.MarkDecorator:
    """Parameters `wire` and `makes`: the quick ones belong to the fast gate, the others and the judge to --long."""
    cases = []
    for wire in wires:
        for makes in (*BOTH_ROLES, JUDGE):
            marks = () if wire in quick and makes != JUDGE else (pytest.mark.long,)
            cases.append(pytest.param(wire, makes, id=f"{wire}-{'-'.join(makes)}", marks=marks))
    return pytest.mark.parametrize(("wire", "makes"), cases)


@dataclass(slots=True)
class Stage:
    """Two hosts, a capture of what is between them, and two directors not yet started."""

    wire: Wire
    segment: Segment
    capture: Capture
    left: Director
    right: Director

    def becomes_master(
        self, director: Director, *, since: int, mark: int, priority: int, within: float = 60.0
    ) -> Advert:
        """Ask the daemon, the kernel and the wire alike whether it is master now; give its first advert."""
        name = director.host.name
        number = 1 if director is self.left else 2
        first = self.capture.wait_advert(name, priority=priority, since=since, within=within)
        director.wait_log(f"({INSTANCE}) Entering MASTER STATE", since=mark, within=within)
        for address in self.wire.addresses:
            director.wait_address(address, present=True, within=within)
            announced = self.capture.wait_announcement(name, address, since=first.at, within=within)
            assert announced.mac == director.host.cables["eth0"].mac, self.capture.story()
            assert announced.kind == ("GARP" if self.wire.family == 4 else "NA")
            assert announced.at > first.at, "the advert comes first, then the addresses"
        self.is_sound(first, number)
        return first

    def is_sound(self, advert: Advert, number: int) -> None:
        """Every field of an advert is what the file says."""
        wire = self.wire
        peer = wire.source(3 - number)
        assert advert.source == wire.source(number)
        assert advert.destination == (wire.destination if wire.cast == "multicast" else peer)
        assert (advert.version, advert.vrid, advert.interval) == (wire.version, VRID, wire.advert_int)
        assert advert.addresses == wire.addresses
        assert advert.checksum_is_right, advert.octets.hex()
        if wire.cast == "multicast" or wire.family == 4:
            assert advert.ttl == 255
        if wire.password:
            assert (advert.auth_type, advert.auth_data) == (1, wire.password.encode().ljust(8, b"\0"))

    def becomes_backup(self, director: Director, *, mark: int, within: float = 60.0) -> None:
        """It says so, and its addresses are gone."""
        director.wait_log(f"({INSTANCE}) Entering BACKUP STATE", since=mark, within=within)
        for address in self.wire.addresses:
            director.wait_address(address, present=False, within=within)

    def keeps_advertising(self, director: Director, *, count: int = 8) -> int:
        """Wait for some more adverts of a master; give the instant they were counted from."""
        since = now()
        self.capture.wait_advert(director.host.name, since=since, count=count, within=60.0)
        return since

    def alone(self, director: Director, *, since: int, count: int = 8) -> None:
        """Of the adverts from an instant on, all are this director's, and there are some."""
        self.capture.wait_advert(director.host.name, since=since, count=count, within=60.0)
        senders = {advert.sender for advert in self.capture.adverts(since=since)}
        assert senders == {director.host.name}, self.capture.story()


@contextlib.contextmanager
def stage(wire: Wire, makes: tuple[str, str], left: str, right: str) -> Iterator[Stage]:
    """Set up a wire and two directors with the given files; all is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="pyk-interop-") as folder,
        pair() as (segment, one, two),
        Capture(segment) as capture,
        Director(one, MAKES[makes[0]](), Path(folder, "left"), left) as first,
        Director(two, MAKES[makes[1]](), Path(folder, "right"), right) as second,
    ):
        try:
            yield Stage(wire, segment, capture, first, second)
        except AssertionError as failure:
            for director in (first, second):
                failure.add_note(director.story())
            raise
