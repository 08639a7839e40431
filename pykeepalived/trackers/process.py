"""vrrp_track_process: which running programs are meant, and whether enough, and not too many, of them are there.

A change of the quorum that a fork brings waits ``fork_delay``: the child may execute another program at once. One that
an end brings waits ``terminate_delay``: the program may be started again. Everything else counts at once.
"""

from dataclasses import dataclass
from enum import Enum

from pykeepalived.config.blocks.vrrp_track_process import VrrpTrackProcess
from pykeepalived.effects import Kind, Level, Log


class Change(Enum):
    """How a program came to be there, or to be there no more."""

    FORKED = "forked"
    ENDED = "ended"
    OTHER = "other"  # it executed another program, took another name, or was found


@dataclass(frozen=True, slots=True)
class QuorumBelieved:
    """The quorum counts as achieved, or not, from now on."""

    name: str
    up: bool
    cause: str


Effect = Log | QuorumBelieved


class Pattern:
    """What a vrrp_track_process looks for, made ready for many comparisons."""

    __slots__ = ("_command_line", "_match", "_name", "full_command")

    def __init__(self, config: VrrpTrackProcess) -> None:
        words = [word.encode("utf-8", "surrogateescape") for word in config.process]
        self.full_command = config.full_command
        self._match = config.param_match
        self._name = words[0]
        self._command_line = b"\0".join(words)

    def fits(self, name: bytes, command_line: bytes) -> bool:
        """Whether a process of that name and command line (its words end in zeros) is one of those meant."""
        if not self.full_command:
            return name == self._name
        match self._match:
            case "exact":
                return command_line == self._command_line + b"\0"
            case "partial":  # further words may follow
                return command_line.startswith(self._command_line + b"\0")
            case "initial":  # the last word may be longer
                return command_line.startswith(self._command_line)
        return command_line.startswith(self._name + b"\0")


class ProcessTracker:
    """The count of one vrrp_track_process. ``up`` is what was told last."""

    __slots__ = ("config", "deadline", "pattern", "pids", "up")

    def __init__(self, config: VrrpTrackProcess, pids: set[int]) -> None:
        self.pids = pids
        self.deadline: int | None = None
        self.take(config)
        self.up = self.achieved

    def take(self, config: VrrpTrackProcess) -> None:
        """Have these settings."""
        self.config = config
        self.pattern = Pattern(config)

    @property
    def achieved(self) -> bool:
        """Whether the number of processes is as it should be."""
        most = self.config.quorum_max
        count = len(self.pids)
        return count >= self.config.quorum and (most is None or count <= most)

    @property
    def cause(self) -> str:
        """The count, in words."""
        config = self.config
        wanted = f"at least {config.quorum}"
        if config.quorum_max is not None:
            wanted += f" and at most {config.quorum_max}"
        outcome = "achieved" if self.achieved else "not achieved"
        return f"tracked process {config.name} quorum {outcome}: {len(self.pids)} running, {wanted} wanted"

    def appeared(self, pid: int, change: Change, now: int) -> list[Effect]:
        """A process that is meant is there."""
        self.pids.add(pid)
        return self._settle(change, now)

    def vanished(self, pid: int, change: Change, now: int) -> list[Effect]:
        """A process is there no more."""
        self.pids.discard(pid)
        return self._settle(change, now)

    def tick(self, now: int) -> list[Effect]:
        """A delay may be over."""
        if self.deadline is None or now < self.deadline:
            return []
        return self._believe()

    def _settle(self, change: Change, now: int) -> list[Effect]:
        if self.achieved == self.up:
            self.deadline = None
            return []
        config = self.config
        delay = {Change.FORKED: config.fork_delay, Change.ENDED: config.terminate_delay}.get(change, 0)
        if not delay:
            return self._believe()
        if self.deadline is None:
            self.deadline = now + delay
        return []

    def _believe(self) -> list[Effect]:
        self.deadline = None
        self.up = self.achieved
        name = self.config.name
        message = f"Quorum {'gained' if self.up else 'lost'} for tracked process {name}"
        return [Log(message, Level.INFO, Kind.TRACKER), QuorumBelieved(name, self.up, self.cause)]
