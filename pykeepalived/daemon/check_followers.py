"""The FILE_CHECKs and BFD_CHECKs of the checker process: each is told what its file or its session says."""

from collections.abc import Callable, Iterable

from pykeepalived.checkers.effects import FollowerEffect, ServerJudged, ServerWeighed
from pykeepalived.checkers.followers import BfdFollower, FileFollower
from pykeepalived.config.blocks.followers import BfdCheck, FileCheck
from pykeepalived.config.blocks.track_file import TrackedFile
from pykeepalived.daemon.child import Journal
from pykeepalived.daemon.file_trackers import FileTrackers
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.effects import Kind, Level, Log

Judged = Callable[[ServerJudged | ServerWeighed], None]


class FollowerRun:
    """One of them at work."""

    __slots__ = ("_followers", "_judged", "_log", "block", "checker")

    def __init__(
        self,
        followers: "CheckFollowers",
        block: FileCheck | BfdCheck,
        checker: FileFollower | BfdFollower,
        judged: Judged,
        log: Callable[[Log], None],
    ) -> None:
        self.block = block
        self.checker = checker
        self._followers = followers
        self._judged = judged
        self._log = log

    def carry_out(self, effects: Iterable[FollowerEffect]) -> None:
        """What the follower orders. Whoever hears of it may go wrong: the others are told, for nobody would again."""
        for effect in effects:
            try:
                if isinstance(effect, Log):
                    self._log(effect)
                elif isinstance(effect, (ServerJudged, ServerWeighed)):
                    self._judged(effect)
            except Exception as error:  # noqa: BLE001 - see above
                self._followers.report(error)

    def close(self) -> None:
        """End for good."""
        self._followers.forget(self)


class CheckFollowers:
    """All of them. Files are watched as those of VRRP are; sessions are told by the parent."""

    def __init__(self, reactor: Reactor, journal: Journal, *, takes_over: bool = False) -> None:
        self._reactor = reactor
        self.report = reactor.report
        self._journal = journal
        self._files = FileTrackers(reactor, journal, self._file_says, takes_over=takes_over)
        self._numbers: dict[str, int] = {}
        self._sessions: dict[str, bool] = {}  # as they were told last
        self._runs: dict[str, dict[FollowerRun, FileFollower]] = {}
        self._bfd_runs: dict[str, dict[FollowerRun, BfdFollower]] = {}
        self._said: set[str] = set()

    def replace(self, files: Iterable[TrackedFile]) -> None:
        """Watch these files from now on. Whoever follows one that stays is told what it says."""
        found = self._files.replace(files)
        before, self._numbers = self._numbers, found
        for name, number in found.items():
            if before.get(name) != number:
                self._file_says(name, number)

    def stop(self) -> None:
        """Watch nothing any more."""
        self._files.stop()

    def bfd_changed(self, name: str, *, up: bool) -> None:
        """A session is up, or down."""
        self._sessions[name] = up
        now = self._reactor.now()
        for run, follower in list(self._bfd_runs.get(name, {}).items()):
            run.carry_out(follower.told(up, now))

    def number(self, name: str) -> int:
        """What a file says now."""
        return self._numbers.get(name, 0)

    def session(self, name: str) -> bool | None:
        """Whether a session is up; None: nobody has told."""
        return self._sessions.get(name)

    def add(self, run: FollowerRun) -> None:
        """Tell it from now on."""
        checker, block = run.checker, run.block
        if isinstance(checker, FileFollower) and isinstance(block, FileCheck):
            self._runs.setdefault(block.track_file, {})[run] = checker
        elif isinstance(checker, BfdFollower) and isinstance(block, BfdCheck):
            if not self._bfd_runs:
                self._journal.log(Log("Activating BFD healthchecker", kind=Kind.CHECK))
            self._bfd_runs.setdefault(block.name, {})[run] = checker
            if block.name not in self._said and block.name not in self._sessions:
                self._said.add(block.name)
                line = f"BFD_CHECK {block.name}: there is no BFD process yet, servers stay as they start"
                self._journal.log(Log(line, Level.WARNING, Kind.CHECK))

    def forget(self, run: FollowerRun) -> None:
        """Tell it nothing any more."""
        block = run.block
        if isinstance(block, FileCheck):
            self._runs.get(block.track_file, {}).pop(run, None)
        else:
            self._bfd_runs.get(block.name, {}).pop(run, None)

    def _file_says(self, name: str, number: int) -> None:
        self._numbers[name] = number
        now = self._reactor.now()
        for run, follower in list(self._runs.get(name, {}).items()):
            run.carry_out(follower.told(number, now))
