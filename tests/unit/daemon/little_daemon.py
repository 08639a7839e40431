"""A whole daemon with services that do nothing but say what they are told: run by tests as a program of its own.

    little_daemon.py FOLDER [OPTION...]

Its configuration is FOLDER/conf, a line a wish: ``vrrp``, ``checkers`` (these parts exist), ``error TEXT``,
``script PATH``, ``loader-crash``, ``loader-hang``. ``FOLDER/control/NAME`` present changes how a service behaves.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon.child import ChildContext, ChildOptions
from pykeepalived.daemon.journal import ConsoleSink, Lines
from pykeepalived.daemon.loader import Compiled, Loader, Outcome, finding
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
        self._say(f"made with router_id {part.global_defs.router_id}")

    def start(self) -> None:
        if (CONTROL / "exit-config").exists():
            sys.exit(2)
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
        if (CONTROL / "fault").exists():
            self._context.reactor.soon(self._fault)

    def reload(self, part: Configuration) -> None:
        self._say(f"reloaded with router_id {part.global_defs.router_id}")
        if part.global_defs.router_id == "fault":
            raise ValueError("a fault of the reload")

    def stop(self, finished: Callable[[], None]) -> None:
        self._say("told to stop")
        for path in sorted(FOLDER.glob("stop-*")):
            self._context.scripts.run(Script((str(path),)))
        if (CONTROL / "never-stop").exists():
            return
        alarm = self._context.reactor.alarm(finished)
        alarm.set(self._context.reactor.now() + SECOND // 100)

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


def role(key: str, name: str) -> Role:
    return Role(
        name, key, f"Little_{key}", f"little_{key}", frozenset({Capability.NET_RAW}), LittleService, lambda: None
    )


ROLES = (role("checkers", "Healthcheck"), role("vrrp", "VRRP"))


def read(with_frames: bool) -> Compiled:  # noqa: ARG001 - there are none
    lines = (FOLDER / "conf").read_text().splitlines()
    findings = []
    router_id = ""
    for number, line in enumerate(lines, 1):
        word, _, rest = line.partition(" ")
        if word == "error":
            findings.append(finding(rest, Level.ERROR, ("conf", number, 1)))
        elif word == "router_id":
            router_id = rest
        elif word == "loader-crash":
            os.abort()
        elif word == "loader-fault":
            raise ValueError("a fault of the loader")
        elif word == "loader-hang":
            time.sleep(60)
    global_defs = GlobalDefs(router_id=router_id, child_wait_time=SECOND)
    scripts = frozenset(Script((str(path),)) for glob in ("script-*", "stop-*", "cut-*") for path in FOLDER.glob(glob))
    outcome = Outcome(
        findings=tuple(findings),
        errors=len(findings),
        exit_code=0,
        refused=False,
        start_code=2,
        first_error=findings[0].message if findings else "",
        not_effective=(),
        global_defs=global_defs,
        scripts=scripts,
        parts=frozenset(lines) & {"vrrp", "checkers"},
    )
    configuration = Configuration(global_defs=global_defs)
    return Compiled(outcome, {"vrrp": configuration, "checkers": configuration})


def main() -> int:
    keys = tuple(each.key for each in ROLES)
    plan = Plan(
        roles=ROLES,
        read=read,
        pid_files={key: str(FOLDER / f"{key}.pid") for key in keys},
        idents={each.key: each.ident for each in ROLES},
        options=ChildOptions(),
        environment=os.environ,
        dont_respawn="--dont-respawn" in sys.argv,
        reload_time=SECOND // 2,
    )
    loader = Loader(lambda: read(True), keys)
    outcome = loader.wait()
    parts, loader.files = loader.files, {}
    return Parent(plan, Lines(ConsoleSink(), "Little"), Systemd(os.environ)).run(outcome, parts)


if __name__ == "__main__":
    sys.exit(main())
