"""Virtual servers at work: each with its core, and the checkers of its real servers."""

from collections.abc import Callable
from dataclasses import replace

from pykeepalived.checkers.checker import Checker, Names
from pykeepalived.checkers.effects import ServerJudged, ServerWeighed
from pykeepalived.config.blocks.checkers import Checker as CheckerBlock
from pykeepalived.config.blocks.checkers import CheckTiming, HttpGet
from pykeepalived.config.blocks.virtual_server import RealServer, endpoint_text
from pykeepalived.config.blocks.virtual_server import VirtualServer as VirtualServerBlock
from pykeepalived.daemon.check_run import CheckRun
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.tcp_stream import Attempts
from pykeepalived.effects import Kind, Log
from pykeepalived.lvs.events import CheckerJudged, CheckerWeighed, ServerKey, VirtualServerEvent
from pykeepalived.lvs.rows import key_of
from pykeepalived.lvs.virtual_server import VirtualServer
from pykeepalived.units import SECOND

_BOOTSTRAP = SECOND  # keepalived's pause before the first checks


class Served:
    """A virtual server at work. While it is ``suspended`` its checkers believe what they believed, and do nothing."""

    __slots__ = ("core", "runs", "suspended")

    def __init__(self, core: VirtualServer, *, suspended: bool = False) -> None:
        self.core = core
        self.runs: dict[ServerKey, list[CheckRun]] = {}
        self.suspended = suspended

    def close(self) -> None:
        """End all checkers."""
        for runs in self.runs.values():
            for run in runs:
                run.close()
        self.runs.clear()


class Checkers:
    """Begins, keeps and ends the checkers of virtual servers; ``hear`` is told what they find."""

    def __init__(
        self,
        reactor: Reactor,
        draw: Callable[[], float],
        log: Callable[[Log], None],
        starved: Callable[[str], None],
        hear: Callable[[Served, VirtualServerEvent], None],
    ) -> None:
        self._reactor = reactor
        self._draw = draw
        self._log = log
        self._starved = starved
        self._hear = hear
        self._attempts = Attempts(reactor)

    def enter(self, served: Served) -> None:
        """Begin those of a new virtual server."""
        for server in served.core.block.real_server:
            served.runs[key_of(server)] = [self._begin(served, server, check) for check in runnable(server)]

    def change(self, served: Served, block: VirtualServerBlock) -> tuple[dict[ServerKey, int], dict[ServerKey, int]]:
        """Those of a changed configuration. For each real server that is new or changed: how many are down, and what
        they add to its weight.
        """
        former, served.runs = served.runs, {}
        failed: dict[ServerKey, int] = {}
        offsets: dict[ServerKey, int] = {}
        for server in block.real_server:
            key = key_of(server)
            known = former.pop(key, [])
            if served.core.server_block(key) == server:
                served.runs[key] = known
                continue
            runs = served.runs[key] = self._keep(served, server, known)
            failed[key] = sum(not run.checker.up for run in runs)
            offsets[key] = sum(run.checker.offset for run in runs)
        for gone in former.values():
            for run in gone:
                run.close()
        return failed, offsets

    def suspend(self, served: Served, *, suspended: bool) -> None:
        """Have the checkers of a virtual server wait, or go on."""
        if served.suspended is suspended:
            return
        served.suspended = suspended
        for key, runs in served.runs.items():
            server = served.core.server_block(key)
            if server is None:
                continue
            for place, run in enumerate(runs):
                self._tell(served, server, "Suspending" if suspended else "Activating")
                if suspended:
                    run.close()
                else:
                    first_at = self._reactor.now() + int(self._draw() * run.block.timing.warmup)
                    runs[place] = self._run(served, server, run.block, first_at, run.checker)

    def _keep(self, served: Served, server: RealServer, former: list[CheckRun]) -> list[CheckRun]:
        """The checkers of a real server that has changed: the same go on, changed timing keeps the belief."""
        runs = []
        for check in runnable(server):
            known = next((run for run in former if run.block == check), None)
            if known is None:
                known = next((run for run in former if _probes_alike(run.block, check)), None)
                fresh = self._begin(served, server, check, None if known is None else known.checker)
                if known is not None:
                    known.close()
                    former.remove(known)
                runs.append(fresh)
            else:
                former.remove(known)
                runs.append(known)
        for run in former:
            run.close()
        return runs

    def _begin(
        self, served: Served, server: RealServer, check: CheckerBlock, former: Checker | None = None
    ) -> CheckRun:
        """A checker that is new, or has another configuration."""
        first_at = self._reactor.now() + _BOOTSTRAP + int(self._draw() * check.timing.warmup)
        if former is None or not former.has_run:
            self._tell(served, server, "Deactivating" if served.suspended else "Activating")
        run = self._run(served, server, check, first_at, former)
        if served.suspended:
            run.close()
        return run

    def _run(
        self, served: Served, server: RealServer, check: CheckerBlock, first_at: int, former: Checker | None
    ) -> CheckRun:
        core, key = served.core, key_of(server)
        target = endpoint_text(check.target.connect_ip, core.block.service.protocol, check.target.connect_port)
        names = Names(target, core.block.real_server_text(server), core.name)
        checker = Checker(check, names, first_at, former)
        weighed = checker.offset

        def judged(verdict: ServerJudged | ServerWeighed) -> None:
            nonlocal weighed
            event: VirtualServerEvent
            if isinstance(verdict, ServerJudged):
                event = CheckerJudged(key, verdict.up, verdict.changed, verdict.reason)
            else:
                event = CheckerWeighed(key, verdict.offset - weighed, verdict.silent)
                weighed = verdict.offset
            self._hear(served, event)

        return CheckRun(self._reactor, self._attempts, check, checker, judged, self._log, self._starved)

    def _tell(self, served: Served, server: RealServer, what: str) -> None:
        virtual, real = served.core.name, served.core.block.real_server_text(server)
        fields = (("VIRTUAL_SERVER", virtual), ("REAL_SERVER", real))
        line = f"{what} healthchecker for service {real} for VS {virtual}"
        self._log(Log(line, kind=Kind.CHECK, fields=fields))


def runnable(server: RealServer) -> list[CheckerBlock]:
    """The checkers that can run: an HTTP_GET without a url has nothing to ask."""
    return [check for check in server.probes if not isinstance(check, HttpGet) or check.url]


def _probes_alike(one: CheckerBlock, other: CheckerBlock) -> bool:
    """Equal but for how often and how many."""
    timing = CheckTiming()
    return replace(one, timing=timing) == replace(other, timing=timing)
