"""Adverts that the kernel takes in count as heard; as soon as an equal one would have to be judged, it is handed up."""

from pykeepalived.daemon.vrrp_process import VrrpService
from pykeepalived.units import SECOND
from pykeepalived.vrrp.events import TrackScriptChanged
from tests.support.fakes_vrrp import Bench, FakeReceiver
from tests.support.scenario import make_configuration
from tests.unit.daemon.test_vrrp_process import DOWN, advert, begun, states

VRID = 51


def hearing(*lines: str) -> tuple[Bench, VrrpService, FakeReceiver]:
    """A BACKUP whose master's adverts are taken in."""
    bench, service = begun(*lines)
    for _ in range(2):
        bench.hear(advert(150))
    socket = bench.kernel.receivers[0]
    assert socket.taken[VRID].counted == 1
    return bench, service, socket


def go_on(bench: Bench, seconds: int, priority: int = 150) -> None:
    for _ in range(seconds):
        bench.reactor.run_for(SECOND)
        bench.hear(advert(priority))


def test_adverts_taken_in_keep_a_backup_quiet_and_are_counted() -> None:
    bench, service, socket = hearing()
    bench.cut()
    go_on(bench, 30)
    assert bench.cut() == []
    assert states(service) == ["BACKUP"]
    bench.reactor.run_for(DOWN - 1)
    assert states(service) == ["BACKUP"]
    bench.reactor.run_for(1)
    assert states(service) == ["MASTER"]
    assert service._routers.routers["VI_1"].statistics.advert_rcvd == 32
    assert socket.taken == {}


def test_another_advert_of_the_master_ends_it_and_its_repetition_is_taken_in_instead() -> None:
    bench, service, socket = hearing()
    former = socket.taken[VRID]
    bench.hear(advert(160))
    assert former.ended
    go_on(bench, 3, 160)
    assert socket.taken[VRID].counted + service._routers.routers["VI_1"].statistics.advert_rcvd >= 5
    assert service._routers.routers["VI_1"].state.master.priority == 160  # type: ignore[union-attr]


def test_a_master_of_lower_priority_is_judged_each_time() -> None:
    bench, service, socket = hearing()
    go_on(bench, 2)
    bench.hear(advert(50))
    assert socket.taken == {}
    bench.reactor.run_for(DOWN)
    assert states(service) == ["MASTER"]


def test_a_priority_that_rises_above_the_masters_is_not_overheard() -> None:
    bench, service, socket = hearing("instance VI_1 priority=100 track_script=s:100")
    go_on(bench, 2)
    service._told(TrackScriptChanged("s", up=True))
    assert socket.taken == {}
    go_on(bench, 4)
    assert states(service) == ["MASTER"]


def test_the_time_of_the_last_one_counts_when_the_timer_is_shifted() -> None:
    bench, service, _ = hearing("instance VI_1 priority=100 track_script=s:-50")
    go_on(bench, 10)
    service._told(TrackScriptChanged("s", up=False))
    router = service._routers.routers["VI_1"]
    assert router.deadline == bench.reactor.time + router.standing.down_interval(SECOND)


def test_a_reload_starts_anew() -> None:
    bench, service, socket = hearing()
    service.reload(make_configuration("instance VI_1 priority=200"))
    assert socket.taken == {}
    go_on(bench, 4)
    assert states(service) == ["MASTER"]


def test_one_that_has_ended_is_not_looked_at_any_more() -> None:
    """Its place in the kernel's memory may be that of another socket."""
    bench, service, socket = hearing()
    taken = socket.taken[VRID]
    socket.hand_up(VRID)
    taken.at, taken.counted = bench.reactor.time + 100 * SECOND, 7
    bench.reactor.run_for(DOWN)
    assert states(service) == ["MASTER"]
    assert taken.counted == 7


def test_a_refused_packet_has_the_next_judged() -> None:
    bench, _, socket = hearing()
    bench.hear(advert(150, version="3"))
    assert socket.taken == {}
    bench.hear(advert(150))
    assert VRID in socket.taken


def test_a_group_of_which_a_part_is_master_hears_each() -> None:
    two = ("instance VI_1 priority=100", "instance VI_2 priority=100 virtual_router_id=52", "group G group=VI_1,VI_2")
    bench, service = begun(*two)
    bench.hear(advert(150))
    socket = bench.kernel.receivers[0]
    assert VRID in socket.taken
    group = service._routers.groups["G"]
    group.mixed = True
    service._settle_all()
    assert socket.taken == {}


def test_a_process_that_was_frozen_meanwhile_says_so_once() -> None:
    bench, service, _ = hearing()
    bench.cut()
    bench.reactor.time += 3 * SECOND
    bench.hear(advert(150))
    bench.reactor.time += 3 * SECOND
    bench.hear(advert(150))
    bench.reactor.turn()
    lines = [entry[1] for entry in bench.cut() if entry[0] == "log"]
    assert lines == ["This process was frozen for 2.39 s: in that time nothing was sent and nobody was judged"]
    assert states(service) == ["BACKUP"]


def test_a_stop_leaves_nothing_behind() -> None:
    bench, service, socket = hearing()
    service.stop(lambda: None)
    bench.reactor.run_for(2 * SECOND)
    assert socket.closed
    assert socket.taken == {}
