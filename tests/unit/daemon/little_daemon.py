"""A whole daemon with services that do nothing but say what they are told: run by tests as a program of its own.

    little_daemon.py FOLDER [OPTION...]

Its configuration is FOLDER/conf, a line a wish: ``vrrp``, ``checkers`` (these parts exist), ``error TEXT``,
``script PATH``, ``server PORT`` (a virtual server, which is not read again), ``loader-crash``, ``loader-hang``,
``loader-waits`` (for FOLDER/control/read-on), ``loader-forgets`` (it fails where anything was kept),
``ipvs-namespace NAME``, ``lvs-fifo PATH`` (with 30 s for children to stop).
``FOLDER/control/NAME`` present changes how a service behaves.
"""

import ctypes
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.blocks.virtual_server import IPPROTO_TCP, Service, VirtualServer
from pykeepalived.config.configuration import Amendment, Configuration, Run
from pykeepalived.config.kept import Memory
from pykeepalived.config.kinds import AF_INET
from pykeepalived.config.kinds_global import Fifo
from pykeepalived.daemon.child import ChildContext, ChildOptions
from pykeepalived.daemon.journal import ConsoleSink, Lines
from pykeepalived.daemon.loader import MEMORY, Compiled, Loader, Outcome, finding, read_value
from pykeepalived.daemon.parent import Parent, Plan
from pykeepalived.daemon.roles import Role
from pykeepalived.daemon.systemd import Systemd
from pykeepalived.effects import Level, Log
from pykeepalived.events import ScriptExited
from pykeepalived.kernel.capabilities import Capability
from pykeepalived.units import SECOND

FOLDER = Path(sys.argv[1])
CONTROL = FOLDER / "control"


class LittleService:
    """Says what happens to it."""

    def __init__(self, context: ChildContext, part: Configuration) -> None:
        self._context = context
        self._say(f"made with router_id {part.global_defs.router_id}{_servers(part)}")
        lives = (context.keepsake.get("lives") or 0) + 1
        if not (CONTROL / "keeps-nothing").exists():
            context.keepsake.keep("lives", lives)
        self._say(f"life {lives}{' only to leave' if context.to_leave else ''}")

    def start(self) -> None:
        if (CONTROL / "exit-config").exists():
            sys.exit(2)
        for path in CONTROL.glob("hang-in-start"):
            path.unlink()
            time.sleep(60)
        self._context.ready()
        self._context.status("little: well")
        for path in sorted(FOLDER.glob("script-*")):
            script = Script((str(path),))
            self._context.scripts.run(script, ("word",), timeout=SECOND // 5, on_exit=self._exited)
        for path in sorted(FOLDER.glob("cut-*")):
            number = self._context.scripts.run(Script((str(path),)), timeout=60 * SECOND, on_exit=self._exited)
            self._cut(path.with_name(f"{path.name}.ready"), number)
        if (CONTROL / "hang").exists():
            self._context.reactor.soon(lambda: time.sleep(60))
        for path in CONTROL.glob("anew"):
            path.unlink()
            self._context.reactor.soon(self._context.begin_anew)
        if (CONTROL / "fault").exists():
            self._context.reactor.soon(self._fault)

    def reload(self, part: Configuration) -> None:
        self._say(f"reloaded with router_id {part.global_defs.router_id}{_servers(part)}")
        if part.global_defs.router_id == "fault":
            raise ValueError("a fault of the reload")
        if part.global_defs.router_id == "reported":
            self._context.reactor.report(ValueError("a fault of the reload"))

    def stop(self, finished: Callable[[], None]) -> None:
        self._say("told to stop")
        for path in sorted(FOLDER.glob("stop-*")):
            self._context.scripts.run(Script((str(path),)))
        if (CONTROL / "fault-in-stop").exists():
            raise ValueError("a fault of the stop")
        if (CONTROL / "never-stop").exists():
            return
        if (CONTROL / "fault-amid-stop").exists():
            self._context.reactor.soon(self._fault)
        if (CONTROL / "long-stop").exists():
            for _ in range(9):
                self._context.leaving()
                time.sleep(0.25)
        talks = (CONTROL / "talk-at-the-end").exists()
        alarm = self._context.reactor.alarm(partial(self._talk, finished) if talks else finished)
        alarm.set(self._context.reactor.now() + SECOND // (2 if talks else 100))

    def _talk(self, finished: Callable[[], None]) -> None:
        """More than a socket holds."""
        for number in range(2000):
            self._context.fifo(f"word {number}")
        finished()

    def _cut(self, ready: Path, number: int) -> None:
        """End a script as soon as it has said that it runs."""
        if ready.exists():
            self._context.scripts.cut_short(number)
            return
        alarm = self._context.reactor.alarm(lambda: self._cut(ready, number))
        alarm.set(self._context.reactor.now() + SECOND // 50)

    def _exited(self, exited: ScriptExited) -> None:
        self._say(f"script ended: {exited.status} {exited.signal} {exited.timed_out}")

    def _fault(self) -> None:
        raise ValueError("a fault of the service")

    def _say(self, text: str) -> None:
        self._context.journal.log(Log(f"service {os.getpid()}: {text}"))


def _servers(part: Configuration) -> str:
    return "".join(f" {server.service.port}" for server in part.virtual_server)


def _server(port: int) -> VirtualServer:
    return VirtualServer(service=Service("address", IPv4Address("10.0.0.1"), port, IPPROTO_TCP, 0, AF_INET))


def _amended(configuration: Configuration, ports: list[int], memory: int) -> Amendment:
    before = read_value(memory).places
    new = tuple(_server(port) for port in ports if port not in before)
    runs = tuple(Run(before.index(port) if port in before else None, 1) for port in ports)
    return Amendment(replace(configuration, virtual_server=new), runs, len(before))


def role(key: str, name: str) -> Role:
    return Role(
        name,
        key,
        f"Little_{key}",
        f"little_{key}",
        frozenset({Capability.NET_RAW}),
        LittleService,
        lambda: None,
        remembers=key == "checkers",
    )


ROLES = (role("checkers", "Healthcheck"), role("vrrp", "VRRP"))


def read(with_frames: bool, memory: int | None) -> Compiled:  # noqa: ARG001 - there are no frames
    lines = (FOLDER / "conf").read_text().splitlines()
    findings = []
    router_id = ""
    namespace = None
    ports = []
    fifo: Fifo | None = None
    wait_time = SECOND
    for number, line in enumerate(lines, 1):
        word, _, rest = line.partition(" ")
        if word == "error":
            findings.append(finding(rest, Level.ERROR, ("conf", number, 1)))
        elif word == "router_id":
            router_id = rest
        elif word == "server":
            ports.append(int(rest))
        elif word == "ipvs-namespace":
            namespace = rest
        elif word == "lvs-fifo":
            fifo, wait_time = Fifo(rest), 30 * SECOND
        elif word == "loader-forgets" and memory is not None:
            raise ValueError("a fault of what was kept")
        elif word == "loader-crash":
            os.abort()
        elif word == "loader-fault":
            raise ValueError("a fault of the loader")
        elif word == "loader-hang":
            time.sleep(60)
        elif word == "loader-waits":
            while not (CONTROL / "read-on").exists():
                time.sleep(0.01)
    global_defs = GlobalDefs(
        router_id=router_id, child_wait_time=wait_time, net_namespace_ipvs=namespace, lvs_notify_fifo=fifo
    )
    scripts = frozenset(Script((str(path),)) for glob in ("script-*", "stop-*", "cut-*") for path in FOLDER.glob(glob))
    outcome = Outcome(
        findings=tuple(findings),
        mistakes=tuple((line.message.partition(") ")[2], line.message) for line in findings),
        exit_code=0,
        refused=False,
        start_code=2,
        not_effective=(),
        global_defs=global_defs,
        scripts=scripts,
        parts=frozenset(lines) & {"vrrp", "checkers"},
        amended=frozenset({"checkers"} if memory is not None else ()),
    )
    configuration = Configuration(global_defs=global_defs)
    checkers: Configuration | Amendment = replace(configuration, virtual_server=tuple(map(_server, ports)))
    if memory is not None:
        checkers = _amended(configuration, ports, memory)
    parts = {"vrrp": configuration, "checkers": checkers}
    return Compiled(outcome, {**parts, MEMORY: Memory(places=tuple(ports))} if ports else parts)


def main() -> int:
    if "--inherits" in sys.argv:  # orphans, as the first process of a container does
        ctypes.CDLL(None).prctl(36, ctypes.c_ulong(1), *[ctypes.c_ulong(0)] * 3)  # PR_SET_CHILD_SUBREAPER
    keys = tuple(each.key for each in ROLES)
    plan = Plan(
        roles=ROLES,
        read=read,
        pid_files={key: str(FOLDER / f"{key}.pid") for key in keys},
        idents={each.key: each.ident for each in ROLES},
        options=ChildOptions(
            dont_release_vrrp="--dont-release-vrrp" in sys.argv, dont_release_ipvs="--dont-release-ipvs" in sys.argv
        ),
        environment=os.environ,
        dont_respawn="--dont-respawn" in sys.argv,
        reload_time=SECOND // 2,
    )
    loader = Loader(lambda: read(True, None), (*keys, MEMORY))
    outcome = loader.wait()
    parts, loader.files = loader.files, {}
    return Parent(plan, Lines(ConsoleSink(), "Little"), Systemd(os.environ)).run(outcome, parts)


if __name__ == "__main__":
    sys.exit(main())
