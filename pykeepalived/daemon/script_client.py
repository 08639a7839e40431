"""A child's side of scripts: it asks the parent by the configuration's own words, and is told how a script ended."""

from collections.abc import Callable

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.daemon.channel import Channel, Message
from pykeepalived.daemon.child import Journal
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.events import ScriptExited

OnExit = Callable[[ScriptExited], None]

_NOT_TAKEN = ScriptExited(None, obstacle="the parent process does not take it")


class ScriptClient:
    """``child.Scripts`` over the control socket."""

    def __init__(self, reactor: Reactor, channel: Channel, journal: Journal) -> None:
        self._reactor = reactor
        self._channel = channel
        self._journal = journal
        self._losing = False
        self._number = 0
        self._waiting: dict[int, OnExit] = {}

    def run(
        self,
        script: Script,
        arguments: tuple[str, ...] = (),
        *,
        timeout: int | None = None,
        on_exit: OnExit | None = None,
    ) -> int:
        """Ask the parent to start it; its number."""
        self._number += 1
        sent = self._channel.send(
            {
                "type": "run",
                "id": self._number,
                "argv": list(script.argv),
                "uid": script.uid,
                "gid": script.gid,
                "groups": list(script.groups),
                "arguments": list(arguments),
                "timeout": timeout,
                "answer": on_exit is not None,
            }
        )
        if on_exit is None:
            if not sent and not self._losing:
                text = f"Script '{script}' and those after it are not run: the parent process does not take them"
                self._journal.log(Log(text, Level.ERROR, Kind.SCRIPT))
            self._losing = not sent
            return self._number
        if sent:
            self._waiting[self._number] = on_exit
        else:
            self._reactor.soon(lambda: on_exit(_NOT_TAKEN))
        return self._number

    def cut_short(self, number: int) -> None:
        """Its time is over now."""
        if number in self._waiting:
            self._channel.send({"type": "end", "id": number})

    def exited(self, message: Message) -> None:
        """The parent's answer."""
        on_exit = self._waiting.pop(message["id"], None)
        if on_exit is not None:
            on_exit(ScriptExited(message["status"], message["signal"], message["timed_out"], message["obstacle"]))

    def lost(self) -> None:
        """The parent is gone: nobody will answer."""
        waiting, self._waiting = self._waiting, {}
        for on_exit in waiting.values():
            on_exit(_NOT_TAKEN)


def asked(message: Message) -> tuple[Script, tuple[str, ...], int | None]:
    """What a ``run`` message asks for: the script, its further words, its time."""
    script = Script(tuple(message["argv"]), message["uid"], message["gid"], tuple(message["groups"]))
    return script, tuple(message["arguments"]), message["timeout"]
