"""A protocol process as its parent sees it, and the scripts that it waits for."""

import contextlib
import os
from collections.abc import Container

from pykeepalived.daemon import script_client
from pykeepalived.daemon.channel import Channel, Message
from pykeepalived.daemon.reactor import Alarm
from pykeepalived.daemon.roles import Role
from pykeepalived.daemon.scripts import ScriptRunner
from pykeepalived.events import ScriptExited


class Child:
    """One protocol process that runs."""

    __slots__ = (
        "answered",
        "asked_at",
        "behind",
        "channel",
        "force_alarm",
        "hung",
        "leaving",
        "only_leaves",
        "pid",
        "pidfd",
        "ready",
        "role",
        "scripts",
        "started_at",
        "status",
    )

    def __init__(self, role: Role, pid: int, started_at: int, force_alarm: Alarm) -> None:
        self.role = role
        self.pid = pid
        self.pidfd = os.pidfd_open(pid)
        self.started_at = started_at
        self.force_alarm = force_alarm  # set once it was told to stop
        self.channel: Channel | None = None
        self.ready = False
        self.behind = False  # it was born with a part before, and is not complete before it has reloaded
        self.leaving = False  # told to stop
        self.only_leaves = False  # it was started to take away what the one before has left
        self.answered = True  # the last ping
        self.asked_at = started_at
        self.hung = False
        self.status = ""
        self.scripts: dict[int, int] = {}  # that it waits for: their numbers there and here

    def signal(self, number: int) -> None:
        """Send it a signal. It is not reaped yet, so the number is still its own."""
        os.kill(self.pid, number)

    def run_script(self, scripts: ScriptRunner, message: Message) -> None:
        """Start the script that it asks for, and tell it of the end where it waits for that."""
        number = message["id"]

        def answer(exited: ScriptExited) -> None:
            self.scripts.pop(number, None)
            if self.channel is not None and self.channel.open:
                self.channel.send(
                    {
                        "type": "exited",
                        "id": number,
                        "status": exited.status,
                        "signal": exited.signal,
                        "timed_out": exited.timed_out,
                        "obstacle": exited.obstacle[:200],
                    }
                )

        script, arguments, timeout = script_client.asked(message)
        pid = scripts.run(script, arguments, timeout, answer if message["answer"] else None)
        if pid and message["answer"]:
            self.scripts[number] = pid

    def end_script(self, scripts: ScriptRunner, number: int) -> None:
        """It does not want to wait for that one any longer."""
        if number in self.scripts:
            scripts.cut_short(self.scripts[number])

    def end_scripts(self, scripts: ScriptRunner) -> None:
        """Nobody waits for them any more, and the next process runs them anew."""
        for number in self.scripts.values():
            scripts.cut_short(number)


def bury_strangers(ours: Container[int]) -> None:
    """Where we are the first process, as in a container, what scripts leave behind becomes our child: ours to wait for
    once it has ended.
    """
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and ended.si_pid not in ours:
            os.waitpid(ended.si_pid, 0)
