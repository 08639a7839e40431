"""Virtual servers at work: each with its core, and the checkers of its real servers."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from pykeepalived.checkers.checker import Checker
from pykeepalived.checkers.effects import ServerJudged, ServerWeighed
from pykeepalived.checkers.followers import BfdFollower, FileFollower
from pykeepalived.checkers.misc import MiscChecker
from pykeepalived.config.blocks.checkers import (
    BfdCheck,
    CheckTiming,
    FileCheck,
    Follower,
    MiscCheck,
    RunningCheck,
)
from pykeepalived.config.blocks.checkers import Checker as CheckerBlock
from pykeepalived.config.blocks.virtual_server import RealServer, endpoint_text
from pykeepalived.config.blocks.virtual_server import VirtualServer as VirtualServerBlock
from pykeepalived.daemon.attempts import Attempts
from pykeepalived.daemon.beats import Beats
from pykeepalived.daemon.check_followers import CheckFollowers, FollowerRun
from pykeepalived.daemon.check_run import CheckRun, Means
from pykeepalived.daemon.check_scripts import CheckScripts, ScriptRun
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.transports import Tls
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.ipvs_table import ServerKey, key_parts
from pykeepalived.lvs.events import CheckerJudged, CheckerWeighed, VirtualServerEvent
from pykeepalived.lvs.rows import key_of
from pykeepalived.lvs.virtual_server import VirtualServer
from pykeepalived.units import SECOND

_BOOTSTRAP = SECOND  # keepalived's pause before the first checks

_Asking = TypeVar("_Asking", bound=CheckerBlock | MiscCheck)
Run = CheckRun | ScriptRun | FollowerRun
AnyChecker = Checker | MiscChecker | FileFollower | BfdFollower
_NO_RUNS: Mapping[ServerKey, tuple[Run, ...]] = MappingProxyType({})


class Kept(NamedTuple):
    """What is kept of a check, for a process that takes over: what it believes, and the status its weight is from."""

    up: bool
    status: int


def place_of(server: ServerKey, number: int) -> str:
    """The place of a check within its virtual server: the how manyth it is of a real server."""
    return f"{server.hex()}.{number}"


class Served:
    """A virtual server at work. While it is ``suspended`` its checkers believe what they believed, and do nothing."""

    __slots__ = ("core", "hear", "runs", "suspended")

    def __init__(
        self, core: VirtualServer, hear: "Callable[[Served, VirtualServerEvent], None]", *, suspended: bool = False
    ) -> None:
        self.core = core
        self.hear = hear
        self.runs = _NO_RUNS
        """Of servers that have any; whoever changes something makes it anew."""
        self.suspended = suspended

    def all_runs(self) -> Iterator[Run]:
        """All checkers, server by server."""
        return chain.from_iterable(self.runs.values())

    def believed_otherwise(self) -> Iterator[tuple[str, Kept]]:
        """What is believed, where it is something else than before the first check."""
        for key, runs in self.runs.items():
            for number, run in enumerate(runs):
                if isinstance(run, FollowerRun):
                    continue
                status = run.checker.status if isinstance(run, ScriptRun) else 0
                if status or run.checker.up is run.block.timing.alpha:
                    yield place_of(key, number), Kept(run.checker.up, status)

    def close(self) -> None:
        """End all checkers."""
        _end(self.all_runs())
        self.runs = _NO_RUNS


class Place:
    """Where a checker stands: how its servers are called, and who hears what it finds."""

    __slots__ = ("_check", "_key", "_served", "weighed")

    def __init__(self, served: Served, key: ServerKey, check: RunningCheck) -> None:
        self._served = served
        self._key = key
        self._check = check
        self.weighed = 0  # what it adds to the weight of its server, as far as the virtual server knows

    @property
    def target(self) -> str:
        """Who is asked."""
        if isinstance(self._check, Follower):
            return self.real_server
        target = self._check.target
        return endpoint_text(target.connect_ip, self._served.core.block.service.protocol, target.connect_port)

    @property
    def real_server(self) -> str:
        """As in logs."""
        address, port = key_parts(self._key)
        return endpoint_text(address, self._served.core.block.service.protocol, port)

    @property
    def virtual_server(self) -> str:
        """As in logs."""
        return self._served.core.name

    def __call__(self, verdict: ServerJudged | ServerWeighed) -> None:
        """It has found something."""
        event: VirtualServerEvent
        if isinstance(verdict, ServerJudged):
            event = CheckerJudged(self._key, verdict.up, verdict.changed, verdict.reason)
        else:
            event = CheckerWeighed(self._key, verdict.offset - self.weighed, verdict.silent)
            self.weighed = verdict.offset
        self._served.hear(self._served, event)


class Checkers:
    """Begins, keeps and ends the checkers of virtual servers. Where that goes wrong half way, those of before go on."""

    def __init__(
        self,
        reactor: Reactor,
        draw: Callable[[], float],
        log: Callable[[Log], None],
        starved: Callable[[str], None],
        scripts: CheckScripts,
        followers: CheckFollowers,
        tls: Tls,
    ) -> None:
        self._reactor = reactor
        self._draw = draw
        self._log = log
        self._scripts = scripts
        self._followers = followers
        self._means = Means(Beats(reactor), Attempts(reactor), log, starved, tls)
        self._begun = _Begun()

    def enter(
        self, served: Served, kept: Mapping[str, Kept] | None
    ) -> tuple[dict[ServerKey, int], dict[ServerKey, int]]:
        """Begin those of a new virtual server. For each real server of which some know at once how it is: how many are
        down, and what they add to its weight. ``kept`` is what those of a process that died believed otherwise than
        before a first check, by their places.
        """
        found: dict[ServerKey, tuple[Run, ...]] = {}
        failed: dict[ServerKey, int] = {}
        offsets: dict[ServerKey, int] = {}
        with self._begun:
            for key, known in served.core.real_servers():
                server = known.block
                formers = {} if kept is None else self._recalled(served, key, server, kept)
                checks = enumerate(server.running)
                runs = tuple([self._begin(served, key, server, check, formers.get(n)) for n, check in checks])
                if server.untested:
                    self._tell_untested(served, server)
                if runs:
                    found[key] = runs
                if formers or any(isinstance(run, FollowerRun) for run in runs):
                    failed[key] = sum(not run.checker.up for run in runs) + len(server.untested)
                    offsets[key] = sum(run.checker.offset for run in runs)
        if found:
            served.runs = found
        return failed, offsets

    def _recalled(
        self, served: Served, key: ServerKey, server: RealServer, kept: Mapping[str, Kept]
    ) -> dict[int, AnyChecker]:
        """The checkers of a real server as a process that died had them, by their numbers."""
        found: dict[int, AnyChecker] = {}
        for number, check in enumerate(server.running):
            if isinstance(check, (FileCheck, BfdCheck)):
                continue
            known = kept.get(place_of(key, number)) or Kept(not check.timing.alpha, 0)
            self._tell(served, server, "Deactivating" if served.suspended else "Activating")
            place = Place(served, key, check)
            if isinstance(check, MiscCheck):
                misc = MiscChecker(check, server.weight, place, 0)
                misc.recall(known.up, known.status)
                found[number] = misc
            else:
                checker = Checker(check, place, 0)
                checker.recall(known.up)
                found[number] = checker
        return found

    def change(
        self, served: Served, block: VirtualServerBlock, *, renamed: bool = False
    ) -> tuple[dict[ServerKey, int], dict[ServerKey, int]]:
        """Those of a changed configuration. For each real server that is new or changed: how many are down, and what
        they add to its weight. Where the virtual server is ``renamed`` they are made anew, and believe what they did.
        """
        found: dict[ServerKey, tuple[Run, ...]] = {}
        failed: dict[ServerKey, int] = {}
        offsets: dict[ServerKey, int] = {}
        with self._begun:
            for server in block.real_server:
                key = key_of(server)
                known = served.runs.get(key, ())
                if served.core.server_block(key) == server and not renamed:
                    found[key] = known
                    continue
                runs = found[key] = self._keep(served, key, server, list(known), anew=renamed)
                failed[key] = sum(not run.checker.up for run in runs)
                if server.untested and not served.core.is_up(key):  # one that was shown to be up is not thrown out
                    failed[key] += len(server.untested)
                    self._tell_untested(served, server)
                offsets[key] = sum(run.checker.offset for run in runs)
        stay = set(chain.from_iterable(found.values()))
        gone = [run for run in served.all_runs() if run not in stay]
        served.runs = {key: runs for key, runs in found.items() if runs}
        _end(gone)
        return failed, offsets

    def suspend(self, served: Served, *, suspended: bool) -> None:
        """Have the checkers of a virtual server wait, or go on."""
        if served.suspended is suspended:
            return
        found = dict(served.runs)
        with self._begun:
            for key, runs in served.runs.items():
                server = served.core.server_block(key)
                if server is not None:
                    found[key] = tuple(
                        [self._wait_or_go_on(served, key, server, run, suspended=suspended) for run in runs]
                    )
        served.suspended, served.runs = suspended, found
        if suspended:
            _end(run for run in served.all_runs() if not isinstance(run, FollowerRun))

    def _wait_or_go_on(self, served: Served, key: ServerKey, server: RealServer, run: Run, *, suspended: bool) -> Run:
        if isinstance(run, FollowerRun):
            return run  # it asks nobody
        self._tell(served, server, "Suspending" if suspended else "Activating")
        if suspended:
            return run
        first_at = self._reactor.now() + int(self._draw() * run.block.timing.warmup)
        return self._run(served, key, server, run.block, first_at, run.checker)

    def _keep(
        self, served: Served, key: ServerKey, server: RealServer, former: list[Run], *, anew: bool
    ) -> tuple[Run, ...]:
        """The checkers of a real server that has changed: the same go on, changed timing keeps the belief. New ones
        leave a server that lives where it is, with alpha as well.
        """
        runs = []
        lives = served.core.is_up(key)
        block = served.core.server_block(key)
        weighed_anew = block is not None and block.weight != server.weight
        for check in server.running:
            known = next((run for run in former if run.block == check), None)
            if known is None or anew or (weighed_anew and isinstance(check, MiscCheck)):
                known = next((run for run in former if _alike(run.block, check)), None)
                fresh = self._begin(served, key, server, check, None if known is None else known.checker, lives=lives)
                runs.append(fresh)
            else:
                runs.append(known)
            if known is not None:
                former.remove(known)
        return tuple(runs)

    def _begin(
        self,
        served: Served,
        key: ServerKey,
        server: RealServer,
        check: RunningCheck,
        former: AnyChecker | None = None,
        *,
        lives: bool = False,
    ) -> Run:
        """A checker that is new, or has another configuration."""
        if isinstance(check, (FileCheck, BfdCheck)):
            return self._follow(served, key, check, former, lives=lives)
        first_at = self._reactor.now() + _BOOTSTRAP + int(self._draw() * check.timing.warmup)
        if former is None or not former.has_run:
            self._tell(served, server, "Deactivating" if served.suspended else "Activating")
        run = self._run(served, key, server, check, first_at, former, lives=lives)
        if served.suspended:
            run.close()
        return run

    def _run(
        self,
        served: Served,
        key: ServerKey,
        server: RealServer,
        check: CheckerBlock | MiscCheck,
        first_at: int,
        former: AnyChecker | None,
        *,
        lives: bool = False,
    ) -> CheckRun | ScriptRun:
        place = Place(served, key, check)
        if isinstance(check, MiscCheck):
            same = former if isinstance(former, MiscChecker) else None
            misc = MiscChecker(_starting(check, lives), server.weight, place, first_at, same)
            place.weighed = misc.offset
            script = ScriptRun(self._reactor, self._scripts, check, misc, place, self._log)
            self._begun.runs.append(script)
            return script
        same_probe = former if isinstance(former, Checker) else None
        run = CheckRun(self._means, check, Checker(_starting(check, lives), place, first_at, same_probe), place)
        self._begun.runs.append(run)
        return run

    def _follow(
        self,
        served: Served,
        key: ServerKey,
        check: FileCheck | BfdCheck,
        former: AnyChecker | None,
        *,
        lives: bool,
    ) -> FollowerRun:
        place, followers = Place(served, key, check), self._followers
        follower: FileFollower | BfdFollower
        if isinstance(check, FileCheck):
            follower = FileFollower(check, place, followers.number(check.track_file))
        else:
            same = former if isinstance(former, BfdFollower) else None
            follower = BfdFollower(
                replace(check, alpha=check.alpha and not lives), place, followers.session(check.name), same
            )
        place.weighed = follower.offset
        run = FollowerRun(followers, check, follower, place, self._log)
        self._begun.runs.append(run)
        followers.add(run)
        return run

    def _tell_untested(self, served: Served, server: RealServer) -> None:
        for name in server.untested:
            virtual, real = served.core.name, served.core.block.real_server_text(server)
            fields = (("VIRTUAL_SERVER", virtual), ("REAL_SERVER", real))
            line = f"{name} of service {real} for VS {virtual} cannot be run: alpha keeps the service out until it can"
            self._log(Log(line, Level.WARNING, Kind.CHECK, fields=fields))

    def _tell(self, served: Served, server: RealServer, what: str) -> None:
        virtual, real = served.core.name, served.core.block.real_server_text(server)
        fields = (("VIRTUAL_SERVER", virtual), ("REAL_SERVER", real))
        line = f"{what} healthchecker for service {real} for VS {virtual}"
        self._log(Log(line, kind=Kind.CHECK, fields=fields))


class _Begun:
    """All or none: if something goes wrong within, what was begun so far is ended, for nobody would end it later."""

    __slots__ = ("runs",)

    def __init__(self) -> None:
        self.runs: list[Run] = []

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        begun, self.runs = self.runs, []
        if kind is not None:
            _end(begun)


def _end(runs: Iterable[Run]) -> None:
    """End them all, even if one goes wrong."""
    trouble: Exception | None = None
    for run in runs:
        try:
            run.close()
        except Exception as error:  # noqa: BLE001 - raised when the others are ended
            trouble = error
    if trouble is not None:
        raise trouble


def _starting(check: _Asking, lives: bool) -> _Asking:
    """What a checker starts with: at a server that lives alpha does not count."""
    return replace(check, timing=replace(check.timing, alpha=False)) if lives and check.timing.alpha else check


def _alike(one: RunningCheck, other: RunningCheck) -> bool:
    """Equal but for how often and how many."""
    return type(one) is type(other) and _essence(one) == _essence(other)


def _essence(check: RunningCheck) -> RunningCheck | str:
    if isinstance(check, FileCheck):
        return check.track_file
    if isinstance(check, BfdCheck):
        return check.name
    if isinstance(check, MiscCheck):
        return replace(check, timing=CheckTiming(), misc_timeout=0, timeout=0)
    return replace(check, timing=CheckTiming())
