"""Frames that wait for their turn and for their time, at a fake announcer and a clock the test moves."""

from dataclasses import replace
from ipaddress import ip_address

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.garp_group import GarpGroup
from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon.announcements import BURSTS_EACH, FRAMES_A_TURN, Announcements
from pykeepalived.units import MILLISECOND, SECOND
from tests.support.fakes_vrrp import Bench

STEP = 100 * MILLISECOND


def configured(garp: int = 0, *groups: GarpGroup) -> Configuration:
    settings = replace(Configuration().global_defs, vrrp_garp_interval=garp)
    return Configuration(global_defs=settings, garp_group=groups)


def made(configuration: Configuration, *, detail: bool = False) -> tuple[Bench, Announcements]:
    bench = Bench("eth0", "eth1")
    kernel = bench.kernel
    announcements = Announcements(
        configuration,
        kernel,
        bench.context.reactor,
        bench.journal,
        kernel.links.get,
        str,
        kernel.forwards,
        detail=detail,
    )
    return bench, announcements


def entries(*addresses: str, dev: str = "eth0") -> tuple[AddressEntry, ...]:
    return tuple(AddressEntry(ip_address(address), 32, dev) for address in addresses)


def many(count: int) -> tuple[AddressEntry, ...]:
    return entries(*(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in range(count)))


def last(bench: Bench) -> list[str]:
    """The last numbers of what was announced since."""
    sent = [address.rpartition(".")[2] for _, address in bench.kernel.frames]
    bench.kernel.frames.clear()
    return sent


def test_round_by_round() -> None:
    bench, announcements = made(configured())
    announcements.burst("A", entries("10.0.0.1", "10.0.0.2"), 3)
    assert last(bench) == ["1", "2"] * 3


def test_a_turn_is_bounded_whatever_waits() -> None:
    """Two thousand addresses of two instances: no turn of the loop sends, queues or says more than its share."""
    for configuration in (configured(), configured(STEP)):
        bench, announcements = made(configuration, detail=True)
        announcements.burst("A", many(1000), 2)
        announcements.burst("B", many(1000), 2)
        most, told, turns = len(bench.kernel.frames), len(bench.journal.lines), 0
        while bench.reactor._soon:
            sent, said = len(bench.kernel.frames), len(bench.journal.lines)
            bench.reactor.turn()
            most = max(most, len(bench.kernel.frames) - sent)
            told = max(told, len(bench.journal.lines) - said)
            turns += 1
        assert most <= FRAMES_A_TURN
        assert told <= 2 * FRAMES_A_TURN
        assert turns >= 4_000 // FRAMES_A_TURN
    assert last(bench) == ["0"], "the others wait for their time"


def test_spaced_messages_go_one_by_one_and_repetitions_wait_once() -> None:
    bench, announcements = made(configured(STEP))
    announcements.burst("A", entries("10.0.0.1", "10.0.0.2", "10.0.0.3"), 5)
    announcements.burst("B", entries("10.0.0.4"), 5)
    assert last(bench) == ["1"]
    seen = []
    for _ in range(10):
        bench.reactor.run_for(STEP - 1)
        assert last(bench) == []
        bench.reactor.run_for(1)
        seen.append(last(bench))
    assert seen == [["2"], ["3"], ["1"], ["4"], [], [], [], [], [], []]
    assert bench.journal.lines == []


def test_a_short_time_does_not_keep_the_loop() -> None:
    """A millionth of a second between two: hundreds are due at once after a pause, and still take turns."""
    bench, announcements = made(configured(1000))
    announcements.burst("A", many(500), 1)
    sent = 0
    while sent < 500:
        before = len(bench.kernel.frames)
        bench.reactor.time += MILLISECOND
        bench.reactor.turn()
        assert len(bench.kernel.frames) - before <= FRAMES_A_TURN
        sent = len(bench.kernel.frames)
        assert bench.reactor.turns < 2000


def test_what_is_cancelled_is_not_sent_the_others_are() -> None:
    for garp, sent in ((0, FRAMES_A_TURN), (STEP, 1)):
        bench, announcements = made(configured(garp))
        announcements.burst("A", many(FRAMES_A_TURN), 5)
        announcements.burst("B", entries("10.0.0.201", dev="eth1"), 1)
        assert len(last(bench)) == sent
        announcements.cancel("A")
        bench.reactor.run_for(100 * SECOND)
        assert last(bench) == ["201"]
        announcements.burst("A", entries("10.0.0.9"), 1)
        bench.reactor.run_for(SECOND)
        assert last(bench) == ["9"]


def test_what_is_removed_is_announced_no_more_whoever_waits() -> None:
    """Another host may have it since the reload that removed it."""
    for configuration in (configured(), configured(STEP)):
        bench, announcements = made(configuration)
        announcements.burst("A", many(100), 2)
        last(bench)
        announcements.forget(many(100)[50:])
        bench.reactor.run_for(20 * SECOND)
        assert set(last(bench)) <= {str(number) for number in range(50)}
        assert announcements._gone == set()
        announcements.forget(many(100)[:50])
        announcements.burst("A", many(100), 1)
        bench.reactor.run_for(20 * SECOND)
        assert len(set(last(bench))) == 100, "it is there again"


def test_a_link_without_arp_gets_none_and_nothing_is_said_of_it() -> None:
    bench, announcements = made(configured(STEP), detail=True)
    bench.kernel.links["eth1"] = replace(bench.kernel.links["eth1"], arp=False)
    announcements.burst("A", (*entries("10.0.0.1", dev="eth1"), *entries("10.0.0.2")), 1)
    assert bench.kernel.frames == [("eth0", "10.0.0.2")]
    assert bench.journal.texts() == [
        "(A) Sending/queueing gratuitous ARPs on eth0 for 10.0.0.2",
        "Sending gratuitous ARP on eth0 for 10.0.0.2",
    ]


def test_refreshes_that_come_too_fast_are_said_once_with_the_remedy() -> None:
    bench, announcements = made(configured(STEP))
    for _ in range(50):
        announcements.burst("A", entries("10.0.0.1", "10.0.0.2", "10.0.0.3"), 1)
        bench.reactor.run_for(STEP)
    (said,) = bench.journal.texts()
    assert said == (
        "(A) 10.0.0.3 on eth0 is to be announced again before its turn has come: vrrp_garp_interval lets one of 3 go"
        " every 100 ms (lower vrrp_garp_interval, or raise garp_master_refresh and garp_master_delay)"
    )
    assert last(bench)[:9] == ["1", "2", "3"] * 3


def sizes(announcements: Announcements) -> tuple[int, int]:
    return len(announcements._bursts), len(announcements._pacing._waiting.get("A", ()))


def test_bursts_that_come_too_fast_are_left_out_and_said_once() -> None:
    """Somebody sends adverts of lower priority ten times in a turn: the queue stays short."""
    bench, announcements = made(configured())
    asked = many(1000)
    for _ in range(100):
        for _ in range(10):
            announcements.burst("A", asked, 5)
        announcements.burst("B", entries("10.0.0.1"), 1)
        assert sizes(announcements)[0] <= 2 * BURSTS_EACH
        bench.reactor.turn()
    assert len(bench.journal.lines) == 2
    assert "(A) 4 bursts of announcements wait: further ones are left out" in bench.journal.texts()[0]


def test_a_reload_renames_and_changes_the_time() -> None:
    bench, announcements = made(configured(SECOND))
    announcements.burst("A", many(4), 1)
    announcements.burst("B", entries("10.0.0.201", dev="eth1"), 1)
    announcements.configure(configured(STEP), {"A": "B", "B": "A"})
    last(bench)
    bench.reactor.run_for(STEP)
    assert last(bench) == ["1"]
    announcements.cancel("A")
    bench.reactor.run_for(STEP)
    assert last(bench) == ["2"]
    announcements.cancel("B")
    bench.reactor.run_for(SECOND)
    assert last(bench) == []
    announcements.configure(configured(SECOND, GarpGroup(STEP, 0, ("eth0", "eth1"))), {})
    announcements.burst("A", (*entries("10.0.0.1"), *entries("10.0.0.2", dev="eth1")), 1)
    announcements.configure(configured(), {})
    assert last(bench) == ["1", "2"]


def test_the_end_forgets_everything() -> None:
    bench, announcements = made(configured(STEP))
    announcements.burst("A", many(100), 1)
    announcements.close()
    last(bench)
    bench.reactor.run_for(SECOND)
    assert last(bench) == []
    assert not bench.reactor._soon
