"""auth_type AH between pykeepalived and keepalived: one sequence in both, takeovers both ways, replays and forgeries.

A wrong program would pass the election by ignoring the header altogether: so recorded adverts are sent again and
forged, each of a priority that would win, and nothing may follow. The genuine ones of the same router then do win.
"""

import contextlib
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
from _pytest.mark import ParameterSet

from tests.interop.stage import BOTH_ROLES, JUDGE, MAKES
from tests.interop.wires import INSTANCE, Wire
from tests.support.director import Director
from tests.support.netns import Host, Network, Segment, packet_socket

pytestmark = [pytest.mark.root, pytest.mark.interop, pytest.mark.concurrent]

HIGH, LOW = 150, 100
AH = "authentication {\n    auth_type AH\n    auth_pass sesame42\n}"
_SOURCE = slice(26, 30)
_SEQUENCE = slice(42, 46)
_PRIORITY = 60


class Ear:
    """Every advert under AH that comes into a segment."""

    def __init__(self, segment: Segment) -> None:
        self.frames: list[bytes] = []
        self._socket = packet_socket(segment.namespace)
        self._socket.settimeout(0.2)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                frame, (device, _, kind, *_) = self._socket.recvfrom(4096)
                from_a_host = kind != socket.PACKET_OUTGOING and device != "switch"
                if from_a_host and frame[12:14] == b"\x08\0" and frame[23] == 51:
                    self.frames.append(frame)

    def numbers(self, host: int, *, since: int = 0) -> list[int]:
        """The sequence numbers that a host has sent."""
        return [sequence(frame) for frame in self.frames[since:] if frame[_SOURCE][3] == host]


def sequence(frame: bytes) -> int:
    (number,) = struct.unpack("!I", frame[_SEQUENCE])
    return int(number)


def _wait(what: str, ready: Callable[[], bool], *told: Director, within: float = 60.0) -> None:
    end = time.monotonic() + within
    while not ready():
        if time.monotonic() > end:
            raise AssertionError("\n".join([f"not within {within} s: {what}", *(each.story() for each in told)]))
        time.sleep(0.05)


@contextlib.contextmanager
def _hosts() -> Iterator[tuple[Segment, Host, Host, Host]]:
    with Network() as network:
        segment = network.segment()
        hosts = [network.host(name) for name in ("left", "right", "forger")]
        for number, host in enumerate(hosts, 1):
            host.attach(segment, (f"10.77.0.{number}/24",), mac=f"02:00:00:00:00:0{number}")
        left, right, forger = hosts
        yield segment, left, right, forger


def _send(host: Host, frames: list[bytes]) -> None:
    def send() -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
            sock.bind(("eth0", 0))
            for frame in frames:
                sock.send(frame)

    host.inside(send)


def _cases() -> list[ParameterSet]:
    cases = []
    for cast in ("multicast", "unicast"):
        for makes in (*BOTH_ROLES, JUDGE):
            marks = () if (cast, makes) in {("multicast", each) for each in BOTH_ROLES} else (pytest.mark.long,)
            cases.append(pytest.param(cast, makes, id=f"{cast}-{'-'.join(makes)}", marks=marks))
    return cases


@pytest.mark.parametrize(("cast", "makes"), _cases())
def test_one_sequence_takeovers_both_ways_and_nothing_forged(cast: str, makes: tuple[str, str]) -> None:
    wire = Wire(2, "1", 4, cast)
    with (
        tempfile.TemporaryDirectory(prefix="pyk-ah-") as folder,
        _hosts() as (segment, one, two, forger),
        Ear(segment) as ear,
        Director(one, MAKES[makes[0]](), Path(folder, "left"), wire.config(1, HIGH, AH)) as left,
        Director(two, MAKES[makes[1]](), Path(folder, "right"), wire.config(2, LOW, AH)) as right,
    ):
        left.start()
        left.wait_log(f"({INSTANCE}) Entering BACKUP STATE (init)", within=60.0)
        right.start()
        left.wait_log(f"({INSTANCE}) Entering MASTER STATE", within=60.0)
        right.wait_log(f"({INSTANCE}) Entering BACKUP STATE (init)", within=60.0)
        since = len(ear.frames)
        _wait("adverts of the left that both hear", lambda: len(ear.numbers(1, since=since)) >= 3, left, right)
        assert ear.numbers(2) == []
        assert right.states(INSTANCE) == ["BACKUP"]

        # the right one goes on from the left one's number
        mark, heard = right.mark(), len(ear.frames)
        left.crash()
        right.wait_log(f"({INSTANCE}) Entering MASTER STATE", since=mark, within=60.0)
        _wait("adverts of the right", lambda: len(ear.numbers(2)) >= 2, left, right)
        assert ear.numbers(2)[0] == ear.numbers(1)[-1] + 1

        # recorded adverts of the better one, and others made of them, are nothing
        recorded = [frame for frame in ear.frames[:heard] if frame[_SOURCE][3] == 1]
        assert {frame[_PRIORITY] for frame in recorded} == {HIGH}
        later = (10_000).to_bytes(4, "big")
        forged = [frame[: _SEQUENCE.start] + later + frame[_SEQUENCE.stop :] for frame in recorded]
        forged += [frame[: _SEQUENCE.stop] + bytes(12) + frame[_SEQUENCE.stop + 12 :] for frame in forged]
        if cast == "unicast":  # as if the left host had sent them to the right one
            assert {frame[30:34] for frame in recorded} == {bytes((10, 77, 0, 2))}
        mark, since = right.mark(), len(ear.frames)
        # with the forger's own Ethernet address, or the bridge would look for the left host there
        _send(forger, [frame[:6] + bytes.fromhex("020000000003") + frame[12:] for frame in recorded + forged])
        _wait("adverts of the right go on", lambda: len(ear.numbers(2, since=since)) >= 3, left, right)
        said = right.log()[mark:]
        assert not any("Entering" in line for line in said), right.story()
        if makes[1] == "ours":
            assert any(" already processed" in line for line in said), right.story()
            assert any("invalid IPSEC HMAC-MD5 value from 10.77.0.1" in line for line in said)

        # the genuine one hears the number, and takes over with it
        since = len(ear.frames)
        mark = right.mark()
        left.start()
        right.wait_log(f"({INSTANCE}) Entering BACKUP STATE", since=mark, within=60.0)
        _wait("adverts of the left again", lambda: len(ear.numbers(1, since=since)) >= 3, left, right)
        numbers = ear.numbers(1, since=since)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert numbers[0] > max(ear.numbers(2))

        # a reload keeps the number, a stop hands over at once
        mark = right.mark()
        before, since = ear.numbers(1, since=since), len(ear.frames)
        left.reload(wire.config(1, HIGH, AH + "\ngarp_master_delay 2"))
        _wait("adverts after the reload", lambda: len(ear.numbers(1, since=since)) >= 3, left, right)
        numbers = ear.numbers(1, since=since)
        assert numbers == list(range(before[-1] + 1, before[-1] + 1 + len(numbers)))
        left.stop()
        right.wait_log(f"({INSTANCE}) Entering MASTER STATE", since=mark, within=60.0)
        _wait("adverts of the right at last", lambda: len(ear.numbers(2, since=since)) >= 2, left, right)
        assert ear.numbers(2, since=since)[0] == ear.numbers(1, since=since)[-1] + 1
        assert next(line for line in right.log()[mark:] if "Entering" in line).endswith("Entering MASTER STATE")
