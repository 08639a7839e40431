"""FILE_CHECK and BFD_CHECK: checkers that are told instead of asking. They know no file and no session but by name."""

from pykeepalived.checkers.effects import FollowerEffect, ServerJudged, ServerWeighed
from pykeepalived.checkers.probe import Names
from pykeepalived.checkers.report import NOT_YET, CheckReport
from pykeepalived.config.blocks.followers import BfdCheck, FileCheck
from pykeepalived.effects import Kind, Log

_INT_MAX = (1 << 31) - 1
_FAULT = -_INT_MAX - 1  # C's INT_MIN: what a product comes to that means a fault


def product(check: FileCheck, number: int) -> int:
    """What a file's number does to the weight: within C's int, of which the least means that the server is down."""
    weight = check.weight
    factor = -weight.value if weight.reverse else weight.value
    if not factor:
        return _FAULT if bool(number) is not weight.reverse else 0
    return max(_FAULT, min(number * factor, _INT_MAX))


class FileFollower:
    """A server's weight, or its life, after the number in a file."""

    __slots__ = ("_check", "_names", "_number", "_told_at", "has_run", "offset", "up")

    def __init__(self, check: FileCheck, names: Names, number: int) -> None:
        """``number`` stands in the file as it starts: that counts in silence."""
        self._check = check
        self._names = names
        self._number = number
        self._told_at: int | None = None
        value = product(check, number)
        self.up = value != _FAULT
        self.offset = value if self.up else 0
        self.has_run = True

    def told(self, number: int, now: int) -> list[FollowerEffect]:
        """The file says another number."""
        self._number = number
        self._told_at = now
        value = product(self._check, number)
        name = self._check.track_file
        if value == _FAULT:
            if not self.up:
                return []
            self.up = False
            reason = f"FILE_CHECK: track_file {name} says {number}"
            return [self._log(f"tracked file {name} now FAULT state"), ServerJudged(False, True, reason)]
        effects: list[FollowerEffect] = []
        if value != self.offset:
            # one that comes back has its weight by then
            effects.append(ServerWeighed(value, silent=not self.up))
            self.offset = value
        if not self.up:
            self.up = True
            reason = f"FILE_CHECK: track_file {name} says {number}"
            effects.append(self._log(f"tracked file {name} leaving FAULT state"))
            effects.append(ServerJudged(True, True, reason))
        return effects

    def report(self) -> CheckReport:
        """What it remembers."""
        effect = f"weight {self.offset:+}" if self.up else "down"
        result = f"track_file {self._check.track_file} says {self._number}: {effect}"
        names = self._names
        return CheckReport("FILE_CHECK", names.real_server, names.virtual_server, self.up, result, self._told_at)

    def _log(self, line: str) -> Log:
        names = self._names
        fields = (("VIRTUAL_SERVER", names.virtual_server), ("REAL_SERVER", names.real_server))
        return Log(f"({names.real_server}): {line}", kind=Kind.CHECK, detail=True, fields=fields)


class BfdFollower:
    """A server's life after a BFD session."""

    __slots__ = ("_check", "_names", "_told_at", "has_run", "up")

    offset = 0

    def __init__(self, check: BfdCheck, names: Names, up: bool | None, former: "BfdFollower | None" = None) -> None:
        """``up`` is the session if it was told of; otherwise ``former`` is believed, or it starts as alpha says."""
        self._check = check
        self._names = names
        self._told_at: int | None = None
        self.has_run = up is not None
        self.up: bool = not check.alpha if up is None else up
        if former is not None and up is None:
            self._told_at = former._told_at
            self.has_run = former.has_run
            self.up = former.up

    def told(self, up: bool, now: int) -> list[FollowerEffect]:
        """The session is up, or down."""
        self._told_at = now
        if self.has_run and up is self.up:
            return []
        changed = up is not self.up
        self.up = up
        self.has_run = True
        names = self._names
        state = "UP" if up else "DOWN"
        line = f"BFD check of [{self._check.name}] RS({names.real_server}) is {state}"
        fields = (("VIRTUAL_SERVER", names.virtual_server), ("REAL_SERVER", names.real_server))
        judged = ServerJudged(up, changed, f"BFD_CHECK: session {self._check.name} is {state}")
        return [Log(line, kind=Kind.CHECK, fields=fields), judged]

    def report(self) -> CheckReport:
        """What it remembers."""
        names = self._names
        result = f"session {self._check.name} is {'up' if self.up else 'down'}" if self.has_run else NOT_YET
        return CheckReport("BFD_CHECK", names.real_server, names.virtual_server, self.up, result, self._told_at)
