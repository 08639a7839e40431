"""keepalived and pykeepalived with the same file, each on a host of its own, and the kernel's IPVS table of both.

A `Play` writes a file, lets both start, reload and stop, and keeps after each what the kernel holds, the lines of the
log about services, servers and quorums, and the lines of the notify FIFO: as streams of lines, to be compared.
"""

import contextlib
import json
import os
import re
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.world import HERE, THERE, Target, World
from tests.support import keepalived, pykeepalived
from tests.support.director import Director
from tests.support.ipvs_rows import IpvsReader
from tests.support.netns import Host, Network

PATIENCE = 90.0
QUIET_SECONDS = 0.6
CHECKED_SECONDS = 1.6
ROUND_SECONDS = 15.0
"""The longest that two rounds of checks are waited for: some may be suspended."""
AGREE_SECONDS = 45.0
"""The longest that one is waited for to judge as the other did: a guest may be slow, and hundreds of checks many."""
TOLD_SECONDS = 10.0
"""The longest that what was done takes to be told, by a process that gets its turn late."""
JUDGED_SECONDS = 2.5
"""How long nothing changes once the checks, which come every second, have judged."""
THEIRS, OURS = "keepalived", "ours"
MAKES = {THEIRS: keepalived.make, OURS: pykeepalived.make}
TIME = re.compile(r"^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}: ")
READY = {
    "start": ("Startup complete",),
    "reload": ("Reload complete", "New configuration refused", "no configuration to run"),
}
EVENT = re.compile(
    r"(Gained|Lost) quorum |Starting with quorum |Changing weight |.* no longer exists?$|VS \[.* added into group|"
    r"(Adding|Removing|Enabling|Disabling|Shutting down) (\(inhibited\) )?(service|sorry server|alive servers|Virtual)|"
    r".*IPVS cmd|.*ipvs.*error"
)
VERDICT = re.compile(
    r"(TCP|UDP|ICMP) connection to .* success.*|\w+[_ ]CHECK on service .* failed.*|(Misc|MISC) ?check (for|to) .*|"
    r".* success to .* url.*|Remote (Web|SMTP) server .* succeed .*"
)
"""What keepalived says when a check has judged."""
SERVICE = re.compile(r"(VS|FWM) (\S+)( (UP|DOWN))?$|^RS \S+ (?P<name>\S+) (UP|DOWN)$")


@dataclass(slots=True)
class Player:
    """One daemon on its host."""

    director: Director
    table: Host
    """Where its IPVS is: its own host, or another one."""
    reader: IpvsReader
    fifo: int
    mark: int = 0
    heard: str = ""
    """What came through the FIFO since the last question."""

    def lines(self) -> list[str]:
        """What was logged since the last question."""
        lines = [TIME.sub("", line) for line in self.director.log()]
        new, self.mark = lines[self.mark :], len(lines)
        return new

    def listen(self) -> str:
        """What came through the FIFO since the last question, which this is none."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.fifo, 0x10000):
                self.heard += data.decode(errors="replace")
        return self.heard

    def told(self) -> list[str]:
        """What came through the FIFO since the last question."""
        lines, self.heard = self.listen().splitlines(), ""
        return lines

    def runs(self) -> Counter[str]:
        """How often each check script has run."""
        return Counter((self.director.folder / "runs").read_text().splitlines())

    def calls(self) -> list[str]:
        """All calls of notify scripts, sorted: they run side by side."""
        return sorted((self.director.folder / "calls").read_text().splitlines())


@dataclass(slots=True)
class Play:
    """Both daemons, and what was seen: stream -> player -> lines."""

    folder: Path
    players: dict[str, Player]
    streams: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    logs: dict[str, list[str]] = field(default_factory=dict)
    firewall: bool = False
    """Whether the tables of nftables are looked at as well."""

    def start(self, name: str, text: str, *, judged: bool = False) -> None:
        """Both start with a file."""
        for player in self.players.values():
            player.director.write(self._placed(text, player))
            player.mark = 0
            player.director.start()
        self._look(name, "start", judged=judged)

    def reload(self, name: str, text: str, *, judged: bool = False) -> None:
        """Both are given another file."""
        for player in self.players.values():
            if player.director.running:
                player.director.reload(self._placed(text, player))
        self._look(name, "reload", judged=judged)

    def stop(self, name: str) -> None:
        """Both are stopped, which leaves an empty table."""
        running = [player for player in self.players.values() if player.director.running]
        for player in running:
            player.director.signal(signal.SIGTERM)
        for player in running:
            player.director.wait(PATIENCE)
        self._keep(name, judged=False)
        for make, player in self.players.items():
            self.streams.setdefault("calls", {}).setdefault(make, []).extend(player.calls())

    def settle(self, name: str) -> None:
        """What was done from outside has its effects: every check script has run twice, and nothing changes."""
        began = time.monotonic()
        before = [player.runs() for player in self.players.values()]
        while time.monotonic() < began + ROUND_SECONDS:
            rounds = zip(before, (player.runs() for player in self.players.values()), strict=True)
            if all(new[check] >= old[check] + 2 for old, new in rounds for check in old):
                break
            time.sleep(0.1)
        time.sleep(max(0, began + CHECKED_SECONDS - time.monotonic()))
        self._come_together(AGREE_SECONDS, CHECKED_SECONDS)
        self._keep(name, judged=False)

    def _placed(self, text: str, player: Player) -> str:
        return text.replace("FOLDER", str(player.director.folder)).replace("TABLE", player.table.namespace)

    def both_logs(self) -> list[str]:
        """All lines of both logs, for whoever asks why something differs."""
        return [line for make, lines in self.logs.items() for line in (f"==== log of {make}", *lines)]

    def verdicts(self, *acts: str) -> list[str]:
        """What keepalived's checks have said in these acts."""
        act, found = "", []
        for line in self.logs[THEIRS]:
            if line.startswith("== "):
                act = line.removeprefix("== ")
            elif act in acts and VERDICT.match(line):
                found.append(line)
        return found

    def save(self, name: str) -> None:
        """Leave all that was seen in the folder LAB_KEEP, if there is one, to be looked at."""
        if folder := os.environ.get("LAB_KEEP"):
            told = json.dumps({"streams": self.streams, "logs": self.logs}, indent=1)
            Path(folder, f"{name}.json").write_text(told, encoding="utf-8")

    def _come_together(self, patience: float, quiet: float) -> None:
        """Wait until one is where the other is and stays there while nothing changes; or in the end nothing changes."""
        end = time.monotonic() + patience
        while True:
            while not (alike := self._alike()) and time.monotonic() < end:
                time.sleep(0.15)
            self._wait(quiet)
            if not alike or self._alike():
                return

    def _alike(self) -> bool:
        ours, theirs = ((player.reader.look(), sorted(player.listen())) for player in self.players.values())
        return ours == theirs

    def _wait(self, seconds: float) -> None:
        """Wait until tables, events and FIFO lines of both have not changed for so long."""
        end = time.monotonic() + PATIENCE
        since, known = time.monotonic(), self._tables()
        while time.monotonic() < min(end, since + seconds):
            time.sleep(0.15)
            if (now := self._tables()) != known:
                since, known = time.monotonic(), now

    def _tables(self) -> list[list[str]]:
        """The tables, the events that were logged, and the lines of the FIFO."""
        players = self.players.values()
        told = [player.listen().splitlines() for player in players]
        events = [[line for line in player.director.log() if EVENT.match(TIME.sub("", line))] for player in players]
        return [*told, *events, *(player.reader.look().lines() for player in players)]

    def _look(self, name: str, phase: str, *, judged: bool) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and not all(self._ready(player, phase) for player in self.players.values()):
            time.sleep(0.1)
        if judged:
            time.sleep(1.5)
            self._come_together(AGREE_SECONDS, JUDGED_SECONDS)
        else:
            self._come_together(TOLD_SECONDS, QUIET_SECONDS)
        self._keep(name, judged=judged)

    def _ready(self, player: Player, phase: str) -> bool:
        if not player.director.running:
            return True
        return any(word in line for line in player.director.log()[player.mark :] for word in READY[phase])

    def _keep(self, name: str, *, judged: bool) -> None:
        for make, player in self.players.items():
            folder = str(player.director.folder)
            lines, told = player.lines(), player.told()
            self.logs.setdefault(make, []).extend([f"== {name}", *lines])
            events = [line.replace(folder, "FOLDER") for line in lines if EVENT.match(line)]
            if not player.director.running:
                told = [*told, "(not running)"]
            streams = {
                f"table {name}": player.reader.look_surely().lines(),
                f"log {name}": sorted(events, key=None if judged else _service),
                f"FIFO {name}": sorted(told, key=None if judged else _service),
            }
            if self.firewall:
                streams[f"firewall {name}"] = player.director.host.run("nft", "list", "ruleset").splitlines()
            for stream, found in streams.items():
                self.streams.setdefault(stream, {})[make] = found


def _service(line: str) -> str:
    """What sorts lines by their virtual servers: which of two is told of first is each daemon's own.

    Where servers are judged it is chance even which of one service's is first.
    """
    found = SERVICE.search(line)
    return "" if found is None else found["name"] or found[2]


@contextlib.contextmanager
def play(
    serving: Sequence[Target] = (),
    interfaces: Sequence[str] = (),
    options: Sequence[str] = ("-D", "-C"),
    *,
    apart: bool = False,
) -> Iterator[Play]:
    """Two hosts with the interfaces that a file names, each in a world of its own; all is gone afterwards.

    With `apart` the file puts the table in another namespace, which it calls TABLE.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pyk-tables-")))
        network = stack.enter_context(Network())
        players = {}
        for make, made in MAKES.items():
            host, around = network.host(make), network.host("world")
            _wire(host, around, interfaces)
            table = host
            if apart:
                table = network.host("table")
                _wire(table, network.host("world"), ())
            world = World(around, serving)
            stack.callback(world.close)
            reader = IpvsReader(table)
            stack.callback(reader.close)
            of_its_own = (*options, "-b", str(folder / make / "bfd.pid"))
            director = stack.enter_context(Director(host, made(), folder / make, "", options=of_its_own))
            _furnish(director.folder)
            fifo = os.open(director.folder / "fifo", os.O_RDWR | os.O_NONBLOCK)
            stack.callback(os.close, fifo)
            players[make] = Player(director, table, reader, fifo)
        yield Play(folder, players)


def _furnish(folder: Path) -> None:
    """A FIFO; a script that keeps its arguments, and one that exits with what a file says."""
    os.mkfifo(folder / "fifo", 0o600)
    for name in ("calls", "runs"):
        (folder / name).touch()
    exits = f'echo "$1" >> {folder}/runs; [ ! -e {folder}/"$1" ] || exit "$(cat {folder}/"$1")"'
    for name, command in (("any", f'echo "$@" >> {folder}/calls'), ("exits", exits)):
        script = folder / name
        script.write_text(f"#!/bin/sh\n{command}\n")
        script.chmod(0o755)


def _wire(host: Host, around: Host, interfaces: Sequence[str]) -> None:
    """A cable to the world, which has every address, and the interfaces that are asked for, going nowhere."""
    orders = [f"link add lab0 type veth peer name lab0 netns {around.namespace}", "link set lab0 up"]
    orders += [f"addr add {HERE[0]}/30 dev lab0", f"addr add {HERE[1]}/64 dev lab0 nodad"]
    for number, name in enumerate(interfaces, 1):
        orders += [f"link add {name} type dummy", f"addr add 198.19.{number}.1/24 dev {name}", f"link set {name} up"]
    host.ip(*orders)
    around.ip(
        "link set lab0 up",
        f"addr add {THERE[0]}/30 dev lab0",
        f"addr add {THERE[1]}/64 dev lab0 nodad",
        "route add local 0.0.0.0/0 dev lo",
        "route add local ::/0 dev lo",
    )
    host.ip(f"route add default via {THERE[0]}", f"route add default via {THERE[1]}")
