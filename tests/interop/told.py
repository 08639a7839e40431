"""What a daemon did in a story, as lines that can be compared with another daemon's."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tests.golden.record import comparable
from tests.interop.story import Story, World, play, world
from tests.support.capture import Advert, Announcement, Frame, advert, announcement
from tests.support.director import Make

REPEATS = 3
TIME = re.compile(r"^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}: ")


@dataclass(frozen=True, slots=True)
class Told:
    """Streams of lines, each in its order."""

    streams: dict[str, list[str]]


def tell(story: Story, make: Make) -> Told:
    """Play a story to its end and give what was seen."""
    for _ in range(REPEATS):
        told, late = _told(story, make)
        if not late:
            break
    return told


def _told(story: Story, make: Make) -> tuple[Told, bool]:
    """What was seen, and whether host 2 spoke so late that it is another story."""
    with world(story, make) as played:
        play(story, played)
        log = [_plain(line, played) for line in played.director.log()]
        played.capture.stop()
        streams = wire_streams(played.capture.frames(), together=story.wires[0].version == 3 and len(story.wires) == 1)
        # A burst's packets are logged between the lines of other addresses by one, behind them by the other.
        streams["log"] = once([line for line in log if "Sending" not in line])
        streams["log of bursts"] = [line for line in log if "Sending/queueing" in line]
        streams["log of announcements"] = [line for line in log if line.startswith("Sending ")]
        if len(story.wires) > 1:  # whose burst comes first when both are due is chance
            for name in ("log of bursts", "log of announcements", "announcements"):
                streams[name] = sorted(streams.get(name, []))
        streams["FIFO"] = once(_plain(_drained(played.fifo), played).splitlines())
        # Scripts run side by side: who writes first is nobody's decision. The FIFO has the order.
        streams["notify calls"] = once(sorted(_plain((played.folder / "calls").read_text(), played).splitlines()))
        for number, look in enumerate(played.looks, 1):
            streams[f"kernel, look {number}"] = look.splitlines()
        streams["exit"] = [str(played.ended)]
        return Told(streams), played.peer.late


def once(lines: list[str]) -> list[str]:
    """A line that comes again and again stands once: how often something is heard is a matter of when."""
    return [line for number, line in enumerate(lines) if number == 0 or lines[number - 1] != line]


def _plain(text: str, played: World) -> str:
    text = TIME.sub("", text).replace(str(played.director.file), "FILE").replace(str(played.folder), "FOLDER")
    return re.sub(r"\bpid \d+|PID \d+", "pid N", text)


def _drained(fifo: int) -> str:
    text = b""
    while True:
        try:
            text += os.read(fifo, 0x10000)
        except BlockingIOError:
            return text.decode(errors="replace")


def wire_streams(frames: Iterable[Frame], *, together: bool) -> dict[str, list[str]]:
    """The daemon's frames: adverts of a router and a destination, where the same ones stand once for a run of them.

    Announcements stand between the adverts, or have a stream of their own: what one router announces while another
    advertises is chance, and so it is when both are due every second.
    """
    streams: dict[str, list[str]] = {}
    for frame in frames:
        if frame.sender != "daemon":
            continue
        if said := advert(frame):
            stream = streams.setdefault(f"adverts of {said.vrid} to {said.destination}", [])
            line = _advert_line(said)
            if said.priority == 0 or not stream or stream[-1] != line:
                stream.append(line)
        elif shown := announcement(frame):
            keys = [key for key in streams if key.startswith("adverts")] if together else []
            for key in keys or ["announcements"]:
                streams.setdefault(key, []).append(_announcement_line(shown))
    return streams


def _advert_line(said: Advert) -> str:
    about = f"advert {said.source} > {said.destination} priority {said.priority} interval {said.interval}"
    return f"{about} {' '.join(said.addresses)} {_masked(said.octets).hex()}"


def _masked(octets: bytes) -> bytes:
    """Without what counts, and what signs it."""
    frame = bytearray(comparable(octets))
    if frame[12:14] == b"\x08\x00" and frame[23] == 51:
        frame[42:58] = bytes(16)
    return bytes(frame)


def _announcement_line(shown: Announcement) -> str:
    return f"{shown.kind} {shown.address} {shown.mac} {_masked(shown.octets).hex()}"
