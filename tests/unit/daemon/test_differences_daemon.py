"""Where the processes and their log differ from keepalived on purpose, and no other test says so."""

from ipaddress import IPv4Address

from pykeepalived.checkers.checker import Checker, Names
from pykeepalived.checkers.effects import ServerJudged, ServerWeighed
from pykeepalived.config.blocks.checkers import CheckTiming, Target, TcpCheck
from pykeepalived.daemon import start
from pykeepalived.daemon.check_run import CheckRun
from pykeepalived.daemon.journal import Lines
from pykeepalived.daemon.settings import Settings
from pykeepalived.daemon.tcp_stream import Attempts
from pykeepalived.effects import Log
from pykeepalived.units import MILLISECOND, SECOND
from tests.support.fakes_lvs import SimulatedReactor

BEAT = 8 * MILLISECOND


def test_checks_begin_on_beats() -> None:
    """So that checks that are due about together share a wake-up. Never before their time, less than a beat after."""
    reactor = SimulatedReactor()
    check = TcpCheck(Target(IPv4Address("127.0.0.1"), 1), CheckTiming(delay_loop=SECOND))
    for wait in (0, 1, 3 * MILLISECOND, BEAT, BEAT + 1):
        first_at = reactor.now() // BEAT * BEAT + wait
        judged: list[ServerJudged | ServerWeighed] = []
        lines: list[Log] = []
        starved: list[str] = []
        checker = Checker(check, Names("t", "r", "v"), first_at)
        run = CheckRun(reactor, Attempts(reactor), check, checker, judged.append, lines.append, starved.append)
        assert run._alarm is not None
        due_at = run._alarm.due_at
        assert due_at is not None
        assert due_at % BEAT == 0
        assert 0 <= due_at - first_at < BEAT
        run.close()
    reactor.close()


def test_the_first_lines_speak_of_python() -> None:
    """No line tells which kernel it was built for, and each main file is named once."""
    said: list[str] = []

    def sink(line: Log, ident: str) -> bool:
        said.append(f"{ident}: {line.message}")
        return True

    start._introduce(Lines(sink, "Keepalived"), Settings(not_effective=("--snmp",)))
    assert [" ".join(line.split()[:3]) for line in said] == [
        "Keepalived: Starting Keepalived",
        "Keepalived: Running on",
        "Keepalived: Command line:",
        "Keepalived: Configuration file",
        "Keepalived: Option --snmp:",
    ]
    assert "(Python 3." in said[1]
    assert "built for" not in said[1]
