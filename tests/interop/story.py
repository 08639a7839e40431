"""A story: what happens to one daemon, step by step, told so that any keepalived can play in it.

Host 1 runs the daemon. Host 2 is the driver's: it says what the steps let it say. A story is a title, the routers it is
about, a file and a list of steps; every step has words, so that a failure names it. What the daemon did is kept as a
`Told` (`told.py`), and two of those are compared (`differences.py`).

The word FOLDER in a file or a command stands for a folder of the story's own.
"""

import contextlib
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.interop import forged
from tests.interop.forged import Peer
from tests.interop.wires import SECOND, Wire
from tests.support.capture import Capture, now
from tests.support.director import Director, Make
from tests.support.netns import Host, Network, Segment

PATIENCE = 60.0
"""Seconds that anything may take on a slow machine before a step has failed."""
LATE = 5 * SECOND
DEFAULT_ROUTER = Wire(3, "0.4", 4, "multicast")
EARLY = 5_000_000
"""What the clocks of frames and of steps may differ by."""

MACS = ("02:00:00:00:00:01", "02:00:00:00:00:02")
ADDRESSES = (("10.77.0.1/24", "fd77::1/64"), ("10.77.0.2/24", "fd77::2/64"))


@dataclass(slots=True)
class World:
    """Where a story is played."""

    story: "Story"
    folder: Path
    segment: Segment
    daemon: Host
    capture: Capture
    peer: Peer
    director: Director
    fifo: int
    looks: list[str] = field(default_factory=list)
    since: int = 0
    """When the last thing was done to the daemon."""
    cursor: int = 0
    """How far its log is read."""
    ended: int | None = None

    @property
    def wire(self) -> Wire:
        """The first of the story's routers."""
        return self.story.wires[0]

    def place(self, text: str) -> str:
        """A text with the story's folder in it."""
        return text.replace("FOLDER", str(self.folder))

    def heard_at(self) -> int:
        """When the last advert of host 2 went over the wire."""
        return max((one.at for one in self.capture.adverts("peer")), default=self.since)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is done, or waited for."""

    words: str
    act: Callable[[World], None]
    stimulus: bool = True


@dataclass(frozen=True, slots=True)
class Story:
    """What happens, in order."""

    title: str
    wires: tuple[Wire, ...]
    file: str
    steps: tuple[Step, ...]
    needs: tuple[str, ...] = ()
    """Keywords without which the story is another one."""
    prepare: tuple[str, ...] = ()
    """Commands that are run on host 1 before the start."""
    defs: str = ""
    """More of the global settings."""

    @property
    def name(self) -> str:
        """The title as a word."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


def story(title: str, file: str, *steps: Step, wires: tuple[Wire, ...] = (DEFAULT_ROUTER,), **more: Any) -> Story:
    """A story that ends with a clean stop."""
    return Story(title, wires, file, (*steps, stops()), **more)


# What is done.


def starts() -> Step:
    """The daemon is started."""

    def act(world: World) -> None:
        world.director.start()

    return Step("it starts", act)


def stops() -> Step:
    """SIGTERM, and its end."""

    def act(world: World) -> None:
        world.ended = world.director.stop(PATIENCE)

    return Step("it is stopped", act)


def reloads(file: str) -> Step:
    """Another file, and SIGHUP; it has been read when the daemon has said so."""

    def act(world: World) -> None:
        mark = world.director.mark()
        world.director.reload(world.place(_whole(file, world.story.defs)))
        world.director.wait_log("Reload", since=mark, within=PATIENCE)

    return Step("it is reloaded with another file", act)


def hears(
    priority: int,
    wire: Wire | None = None,
    *,
    times: int = 1,
    changes: dict[str, Any] | None = None,
    cut: int = 0,
    more: bytes = b"",
) -> Step:
    """One advert of host 2, or some, perhaps with other values in some fields, or shorter, or longer."""

    def act(world: World) -> None:
        frame = forged.wrong(wire or world.wire, priority, changes or {}, cut=cut, more=more)
        for _ in range(times):
            world.peer.say(frame)

    about = f" with {changes}" if changes else ""
    return Step(f"it hears {priority}{about}", act)


def says(frame: Callable[[World], bytes], words: str) -> Step:
    """A frame of any making, from host 2."""
    return Step(f"it hears {words}", lambda world: world.peer.say(frame(world)))


def beats(priority: int, wire: Wire | None = None, *, changes: dict[str, Any] | None = None) -> Step:
    """Host 2 advertises from now on."""

    def act(world: World) -> None:
        beating = wire or world.wire
        frame = forged.wrong(beating, priority, changes or {})
        interval = beating.advert_int
        if changes and "adv" in changes:
            interval = changes["adv"] * (10_000_000 if beating.version == 3 else SECOND)
        world.peer.beat(beating.vrid, lambda: frame, interval)

    return Step(f"host 2 advertises {priority}", act)


def silence(wire: Wire | None = None) -> Step:
    """Host 2 says no more."""
    return Step("host 2 falls silent", lambda world: world.peer.silence(wire and wire.vrid))


def runs(*command: str) -> Step:
    """A command on host 1."""
    return Step(" ".join(command), lambda world: _run(world, command))


def _run(world: World, command: tuple[str, ...]) -> None:
    world.daemon.run(*(world.place(word) for word in command))


def pulled(device: str = "eth0") -> Step:
    """The cable's far end goes down."""
    return Step(f"the cable of {device} is pulled", lambda world: world.daemon.cables[device].pull())


def plugged(device: str = "eth0") -> Step:
    """The cable's far end comes up."""
    return Step(f"the cable of {device} is plugged in", lambda world: world.daemon.cables[device].plug())


def writes(name: str, text: str) -> Step:
    """A file of the story's folder: what a tracked script or file says."""
    return Step(f"{name} says {text!r}", lambda world: _write(world.folder / name, text))


def _write(file: Path, text: str) -> None:
    part = file.parent / "parts" / file.name
    part.parent.mkdir(exist_ok=True)
    part.write_text(text)
    part.rename(file)


def deletes(name: str) -> Step:
    """A file of the story's folder goes."""
    return Step(f"{name} is deleted", lambda world: (world.folder / name).unlink())


def hears_sealed(priority: int, sequence: int, *, key: str | None = None) -> Step:
    """One advert under an Authentication Header, sealed with the router's password or another."""
    words = f"{priority} sealed with number {sequence}{' and a wrong key' if key else ''}"
    return says(lambda world: forged.sealed(world.wire, priority, sequence, key=key), words)


# What is waited for.


def logs(text: str, *, count: int = 1) -> Step:
    """A line of the log, after the last line that was waited for; capital letters do not matter."""

    def act(world: World) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            log = list(enumerate(world.director.log()))[world.cursor :]
            found = [number for number, line in log if text.casefold() in line.casefold()]
            if len(found) >= count:
                world.cursor = found[count - 1] + 1
                return
            assert time.monotonic() < end, f"{text!r} not logged"
            time.sleep(0.02)

    return Step(f"it logs {text!r}", act, stimulus=False)


def sends(priority: int, wire: Wire | None = None, *, count: int = 1, after: int | None = None) -> Step:
    """An advert since the last stimulus; not earlier than `after` the last that was heard, and not much later."""

    def act(world: World) -> None:
        vrid = (wire or world.wire).vrid
        # one that left while host 2 was about to speak is none of the answers
        since = world.since if after is None else max(world.since, world.heard_at())
        waited = world.capture.wait_advert(
            "daemon", priority=priority, vrid=vrid, since=since, count=count, within=PATIENCE
        )
        if after is not None:
            took = waited.at - world.heard_at()
            assert after - EARLY <= took <= after + LATE, f"{took / SECOND:.3f} s instead of {after / SECOND:.3f} s"

    return Step(f"it advertises {priority}", act, stimulus=False)


def announces(address: str, *, count: int = 1) -> Step:
    """So many announcements of an address since the last stimulus."""

    def act(world: World) -> None:
        world.capture.wait_announcement("daemon", address, since=world.since, count=count, within=PATIENCE)

    return Step(f"it announces {address} {count} times", act, stimulus=False)


def carries(address: str, device: str = "eth0") -> Step:
    """The kernel has the address."""
    return Step(
        f"it has {address}",
        lambda world: world.director.wait_address(address, present=True, device=device, within=PATIENCE),
        stimulus=False,
    )


def lacks(address: str, device: str = "eth0") -> Step:
    """The kernel does not have the address."""
    return Step(
        f"it has not {address}",
        lambda world: world.director.wait_address(address, present=False, device=device, within=PATIENCE),
        stimulus=False,
    )


def intervals(count: int, wire: Wire | None = None) -> Step:
    """Some advertisement intervals pass."""

    def act(world: World) -> None:
        time.sleep(count * (wire or world.wire).advert_int / SECOND)

    return Step(f"{count} intervals pass", act, stimulus=False)


def adverts(count: int, wire: Wire | None = None) -> Step:
    """Some more adverts of the daemon go out, whatever they say."""

    def act(world: World) -> None:
        world.capture.wait_advert("daemon", vrid=(wire or world.wire).vrid, since=now(), count=count, within=PATIENCE)

    return Step(f"{count} adverts go out", act, stimulus=False)


def heard(count: int) -> Step:
    """Host 2 has said some more."""

    def act(world: World) -> None:
        wanted = world.peer.said + count
        end = time.monotonic() + PATIENCE
        while world.peer.said < wanted and time.monotonic() < end:
            time.sleep(0.01)

    return Step(f"host 2 has said {count} more", act, stimulus=False)


def looks() -> Step:
    """What the kernel has is kept: addresses, routes, rules."""
    return Step("a look at the kernel", lambda world: world.looks.append(_kernel(world.daemon)), stimulus=False)


def _kernel(host: Host) -> str:
    lines = []
    for command in (
        ("-br", "addr"),
        *((family, "route", "show", "table", "all", "proto", "18") for family in ("-4", "-6")),
        *((family, "rule") for family in ("-4", "-6")),
    ):
        lines += host.run("ip", *command).splitlines()
    for device, link in sorted(host.links().items()):
        for entry in host.address_entries(device):
            flags = [
                name for name in ("deprecated", "nodad", "secondary", "mngtmpaddr", "noprefixroute") if name in entry
            ]
            words = [entry["local"], str(entry["prefixlen"]), entry["scope"], entry.get("broadcast", "-")]
            words += [entry.get("label", "-"), entry.get("address", "-"), *flags]
            lines.append(" ".join([device, link["address"], *words]))
    return "\n".join(line.rstrip() for line in lines)


# A story is played.


def _whole(file: str, defs: str) -> str:
    """A file behind the settings that every story has."""
    settings = ["global_defs {", "    script_user root", "    vrrp_notify_fifo FOLDER/fifo", *defs.splitlines(), "}"]
    return "\n".join([*settings, file])


def one(wire: Wire, priority: int, *lines: str, addresses: tuple[str, ...] = ()) -> str:
    """The file of one router, with a notify script; it announces quickly."""
    said = ["garp_master_repeat 2", "garp_lower_prio_repeat 2", "garp_lower_prio_delay 1", "notify FOLDER/any", *lines]
    return wire.config(1, priority, "\n".join(said), addresses=addresses)


@contextlib.contextmanager
def world(story: Story, make: Make) -> Iterator[World]:
    """A place for a story, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="pyk-story-") as name, Network() as network:
        folder = Path(name)
        folder.chmod(0o755)
        _scripts(folder)
        segment, other = network.segment(), network.segment("other")
        daemon, host = network.host("daemon"), network.host("peer")
        daemon.attach(segment, ADDRESSES[0], mac=MACS[0])
        daemon.attach(other, ["10.78.0.1/24"], device="eth1", mac="02:00:00:00:01:01")
        host.attach(segment, ADDRESSES[1], mac=MACS[1])
        for command in story.prepare:
            daemon.run(*command.split())
        fifo = os.open(folder / "fifo", os.O_RDWR | os.O_NONBLOCK)
        director = Director(daemon, make, folder / "daemon", "")
        try:
            with Capture(segment) as capture, Peer(host) as peer, director:
                played = World(story, folder, segment, daemon, capture, peer, director, fifo)
                director.write(played.place(_whole(story.file, story.defs)))
                yield played
        finally:
            os.close(fifo)


def _scripts(folder: Path) -> None:
    """What is called: one that keeps its arguments, one that exits with what a file says."""
    os.mkfifo(folder / "fifo", 0o600)
    for name, command in (("any", f'echo "$@" >> {folder}/calls'), ("exits", f'exit "$(cat {folder}/"$1")"')):
        script = folder / name
        script.write_text(f"#!/bin/sh\n{command}\n")
        script.chmod(0o755)
    for name in ("calls", "result"):
        (folder / name).write_text("")
    (folder / "result").write_text("0\n")


def play(story: Story, played: World) -> None:
    """All steps, in order."""
    for number, step in enumerate(story.steps, 1):
        if step.stimulus:
            played.since = now()
        try:
            step.act(played)
        except (AssertionError, RuntimeError) as failure:
            failure.add_note(f"{played.director.make.name}, {story.title}: step {number}, {step.words}")
            failure.add_note(played.director.story(200))
            failure.add_note(played.capture.story())
            raise
