"""Where the processes and their log differ from keepalived on purpose, and no other test says so."""

from ipaddress import IPv4Address

from pykeepalived.checkers.checker import Checker
from pykeepalived.checkers.effects import ServerJudged, ServerWeighed
from pykeepalived.config.blocks.checkers import CheckTiming, Target, TcpCheck
from pykeepalived.daemon import start
from pykeepalived.daemon.attempts import Attempts
from pykeepalived.daemon.beats import BEAT, Beats, on_beat, pause_end
from pykeepalived.daemon.check_run import CheckRun, Means
from pykeepalived.daemon.journal import Lines
from pykeepalived.daemon.settings import Settings
from pykeepalived.effects import Log
from pykeepalived.units import MILLISECOND, SECOND
from tests.support.fakes_lvs import SimulatedReactor
from tests.support.names import Names


def test_checks_begin_on_beats() -> None:
    """So that checks that are due about together share a wake-up. Short pauses end less than a beat late, never early;
    longer ones early, by a tenth and by ten beats at most. A timeout is never early.
    """
    for now in (1_000_000_000_000, 1_000_000_000_000 + 5 * BEAT):
        for wait in (0, 1, BEAT, 159 * MILLISECOND, SECOND // 4, SECOND // 2 + 1, SECOND, 61 * SECOND):
            end, timeout = pause_end(now, now + wait), on_beat(now + wait)
            assert end % BEAT == timeout % BEAT == 0
            assert -min(wait // 10, 10 * BEAT) <= end - now - wait < BEAT
            assert 0 <= timeout - now - wait < BEAT


def test_a_check_keeps_to_its_beat() -> None:
    """However long it takes, within a beat of a whole second."""
    now = 1_000_000_000_000
    assert {pause_end(now, now + took + SECOND) - now for took in range(0, 10 * BEAT, MILLISECOND)} == {SECOND}


def test_a_check_is_woken_on_its_beat() -> None:
    """The checker knows the beat as the time of its next try."""
    reactor = SimulatedReactor()
    check = TcpCheck(Target(IPv4Address("127.0.0.1"), 1), CheckTiming(delay_loop=SECOND))
    checker = Checker(check, Names("t", "r", "v"), reactor.now() + SECOND + 3 * MILLISECOND)
    judged: list[ServerJudged | ServerWeighed] = []
    lines: list[Log] = []
    means = Means(Beats(reactor), Attempts(reactor), lines.append, print)
    run = CheckRun(means, check, checker, judged.append)
    assert (run.woken_at, checker.next_deadline()) == (reactor.now() + SECOND, reactor.now() + SECOND)
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
