"""What happens to a running cluster: reloads, tracked things that fail, addresses that vanish, and the end.

One director is keepalived, so that it is always an independent program that hears, obeys or takes over.
"""

import re
import signal
import tempfile
from pathlib import Path

import pytest

from tests.interop.address_watch import address_watch
from tests.interop.stage import JUDGE, MAKES, OURS_LEFT, OURS_RIGHT, Stage, stage
from tests.interop.wires import INSTANCE, QUICK, VRID, Wire
from tests.support.capture import Capture, now
from tests.support.director import Director
from tests.support.netns import Network

pytestmark = [pytest.mark.root, pytest.mark.interop, pytest.mark.concurrent]

HALF = Wire(3, "0.5", 4, "multicast")
HALF_6 = Wire(3, "0.5", 6, "multicast")
HIGH, LOW = 200, 50
ALLOWANCE = 5_000_000

ours_on_the_left = pytest.mark.parametrize(
    "makes", [OURS_LEFT, pytest.param(JUDGE, marks=pytest.mark.long)], ids="-".join
)


def _running(on: Stage) -> None:
    """Left is master, right is backup, and the start is over."""
    on.left.start()
    on.right.start()
    on.becomes_master(on.left, since=0, mark=0, priority=on_priority(on))
    on.right.wait_log(f"({INSTANCE}) Entering BACKUP STATE (init)")
    on.keeps_advertising(on.left, count=3)
    on.becomes_backup(on.right, mark=0)


def on_priority(on: Stage) -> int:
    """The priority in the left director's file."""
    found = re.search(r"\n *priority (\d+)", on.left.file.read_text())
    assert found is not None
    return int(found[1])


@ours_on_the_left
@pytest.mark.parametrize("wire", [HALF, pytest.param(HALF_6, marks=pytest.mark.long)], ids=str)
def test_reload_adds_an_address_and_nothing_flaps(wire: Wire, makes: tuple[str, str]) -> None:
    """The new address comes, the old ones never go, nobody else becomes master, adverts go on.

    A daemon that restarts itself on SIGHUP removes the old addresses for a moment, or says priority 0: both are seen.
    keepalived 2.2 discards adverts that name another number of addresses, unless it is told not to look.
    """
    added = "10.77.0.150" if wire.family == 4 else "fd77::150"
    with stage(wire, makes, wire.config(1, HIGH), wire.config(2, LOW, "skip_check_adv_addr")) as on:
        _running(on)
        mark, right_mark = on.left.mark(), on.right.mark()
        with address_watch(on.left.host, on.left.folder) as watch:
            reloaded_at = now()
            on.left.reload(wire.config(1, HIGH, addresses=(*wire.addresses, added)))
            on.left.wait_address(added, present=True)
            on.capture.wait_until(
                lambda seen: any(added in one.addresses for one in seen.adverts("left", since=reloaded_at)),
                "an advert that names the new address",
            )
            on.capture.wait_announcement("left", added, since=reloaded_at)
            on.keeps_advertising(on.left, count=6)
            for address in wire.addresses:
                assert watch.changes(address) == [], f"{address} was touched"
            assert len(watch.changes(added)) == 1

            on.left.reload(wire.config(1, HIGH))
            on.left.wait_address(added, present=False)
            on.keeps_advertising(on.left, count=6)
            for address in wire.addresses:
                assert watch.changes(address) == [], f"{address} was touched"
        assert on.left.states(INSTANCE)[-1] == "MASTER"
        assert not any("Entering" in line for line in on.left.log()[mark:])
        assert not any("Entering" in line for line in on.right.log()[right_mark:])
        assert {one.sender for one in on.capture.adverts(since=reloaded_at)} == {"left"}
        assert {one.priority for one in on.capture.adverts(since=reloaded_at)} == {HIGH}


@ours_on_the_left
def test_reload_of_a_backup_is_silent_and_a_new_priority_counts(makes: tuple[str, str]) -> None:
    """A backup's reload says nothing on the wire; raised above the master's, its priority wins the next election.

    A daemon that does not apply the new priority stays backup for ever.
    """
    wire = HALF
    with stage(wire, makes, wire.config(1, LOW), wire.config(2, 100)) as on:
        on.right.start()
        on.becomes_master(on.right, since=0, mark=0, priority=100)
        on.left.start()
        on.left.wait_log(f"({INSTANCE}) Entering BACKUP STATE (init)")
        on.keeps_advertising(on.right, count=8)
        mark, reloaded_at = on.left.mark(), now()
        on.left.reload(wire.config(1, LOW + 1))
        on.keeps_advertising(on.right, count=8)
        assert on.capture.adverts("left") == []
        assert not any("Entering" in line for line in on.left.log()[mark:])
        on.left.reload(wire.config(1, HIGH))
        right_mark = on.right.mark()
        on.becomes_master(on.left, since=reloaded_at, mark=mark, priority=HIGH)
        on.right.wait_log(f"with higher priority {HIGH}, ours 100")
        on.becomes_backup(on.right, mark=max(0, right_mark - 3))


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("brace", lambda text: text.rpartition("}")[0]),
        ("range", lambda text: text.replace(f"virtual_router_id {VRID}", "virtual_router_id 300")),
        pytest.param(
            "keyword",
            lambda text: text.replace("    advert_int", "    advert_imt 1\n    advert_int"),
            marks=pytest.mark.long,
        ),
        pytest.param("nothing", lambda _: "", marks=pytest.mark.long),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_broken_file_is_refused_at_reload(name: str, spoil: object) -> None:
    """A file with a mistake changes nothing: same adverts, same addresses, and the log names the file.

    keepalived is no judge here: it reads such a file as well as it can. A daemon that ignores SIGHUP would pass the
    first half; the good file at the end rules it out. An empty file is no mistake: there the instance resigns.
    """
    wire = HALF
    assert callable(spoil)
    with stage(wire, OURS_LEFT, wire.config(1, HIGH), wire.config(2, LOW)) as on:
        _running(on)
        mark, right_mark, reloaded_at = on.left.mark(), on.right.mark(), now()
        with address_watch(on.left.host, on.left.folder) as watch:
            on.left.reload(spoil(wire.config(1, HIGH - 1)))
            if name == "nothing":
                on.capture.wait_advert("left", priority=0, since=reloaded_at)
                on.becomes_master(on.right, since=reloaded_at, mark=right_mark, priority=LOW)
                for address in wire.addresses:
                    on.left.wait_address(address, present=False)
            else:
                on.left.wait_log(str(on.left.file), since=mark)
                on.keeps_advertising(on.left, count=8)
                assert on.left.running
                for address in wire.addresses:
                    assert watch.changes(address) == []
                assert {one.priority for one in on.capture.adverts(since=reloaded_at)} == {HIGH}
                assert not any("Entering" in line for line in on.right.log()[right_mark:])
        on.left.reload(wire.config(1, HIGH - 1))
        on.capture.wait_advert("left", priority=HIGH - 1, since=reloaded_at)


@ours_on_the_left
def test_vanished_address_resigns_and_is_back_after_skew_time(makes: tuple[str, str]) -> None:
    """An address deleted by hand: one priority-0 advert, the others removed, master again after the skew time.

    A daemon that does not watch its addresses keeps advertising; one that quietly puts it back says no priority 0.
    """
    wire = HALF
    with stage(wire, makes, wire.config(1, HIGH), wire.config(2, LOW)) as on:
        _running(on)
        mark, deleted_at = on.left.mark(), now()
        with address_watch(on.left.host, on.left.folder) as watch:
            on.left.host.run("ip", "addr", "del", f"{wire.addresses[0]}/24", "dev", "eth0")
            farewell = on.capture.wait_advert("left", priority=0, since=deleted_at)
            on.left.wait_log(f"Netlink reflector reports IP {wire.addresses[0]} removed from eth0", since=mark)
            on.left.wait_log(f"({INSTANCE}) Entering BACKUP STATE", since=mark)
            back = on.becomes_master(on.left, since=farewell.at + 1, mark=mark, priority=HIGH)
            assert watch.deletions(wire.addresses[1]), "a backup has none of the addresses"
        assert back.at - farewell.at >= wire.skew(HIGH) - ALLOWANCE
        assert back.at - farewell.at < wire.master_down(HIGH)
        farewells = [one for one in on.capture.adverts("left", since=deleted_at) if one.priority == 0]
        assert len(farewells) == 1


@ours_on_the_left
@pytest.mark.parametrize("wire", [QUICK, pytest.param(HALF_6, marks=pytest.mark.long)], ids=str)
def test_lost_carrier_is_a_fault_and_its_return_an_election(wire: Wire, makes: tuple[str, str]) -> None:
    """Cable out: FAULT and no addresses here, master there after its whole interval. Cable in: BACKUP, then election.

    A daemon that does not watch its interface keeps its addresses, and goes on advertising when the cable returns.
    """
    with stage(wire, makes, wire.config(1, HIGH), wire.config(2, LOW)) as on:
        _running(on)
        mark, right_mark, pulled_at = on.left.mark(), on.right.mark(), now()
        on.left.host.cables["eth0"].pull()
        on.left.wait_log("Netlink reports eth0 down", since=mark)
        on.left.wait_log(f"({INSTANCE}) Entering FAULT STATE", since=mark)
        for address in wire.addresses:
            on.left.wait_address(address, present=False)
        first = on.becomes_master(on.right, since=pulled_at, mark=right_mark, priority=LOW)
        last = on.capture.adverts("left")[-1]
        assert first.at - last.at >= wire.master_down(LOW) - ALLOWANCE
        on.keeps_advertising(on.right, count=5)

        mark, right_mark, plugged_at = on.left.mark(), on.right.mark(), now()
        on.left.host.cables["eth0"].plug()
        on.left.wait_log("Netlink reports eth0 up", since=mark)
        on.left.wait_log(f"({INSTANCE}) Entering BACKUP STATE", since=mark)
        back = on.becomes_master(on.left, since=plugged_at, mark=mark, priority=HIGH)
        assert back.at - plugged_at >= wire.master_down(HIGH) - ALLOWANCE
        on.becomes_backup(on.right, mark=right_mark)


@ours_on_the_left
@pytest.mark.parametrize("weight", [-180, 0])
def test_failing_track_script_gives_the_addresses_away(weight: int, makes: tuple[str, str]) -> None:
    """With a weight the priority falls and the peer preempts; without, FAULT with priority 0 and the skew time.

    A daemon that never runs the script stays master; one that ignores the weight's sign or `fall` is told by the wire.
    """
    wire = HALF
    with tempfile.TemporaryDirectory(prefix="pyk-flag-") as folder:
        Path(folder).chmod(0o755)
        flag = Path(folder, "flag")
        flag.touch()
        script = (
            f'vrrp_script probe {{\n    script "/usr/bin/test -e {flag}"\n    interval 1\n    fall 2\n    rise 1\n'
            f"    weight {weight}\n    user root\n}}\n"
        )
        left = script + wire.config(1, HIGH, "track_script {\n    probe\n}")
        with stage(wire, makes, left, wire.config(2, LOW)) as on:
            _running(on)
            mark, right_mark, failed_at = on.left.mark(), on.right.mark(), now()
            flag.unlink()
            on.left.wait_log("VRRP_Script(probe) failed (exited with status 1)", since=mark)
            if weight:
                on.left.wait_log(f"Changing effective priority from {HIGH} to {HIGH + weight}", since=mark)
                on.becomes_master(on.right, since=failed_at, mark=right_mark, priority=LOW)
                on.left.wait_log(f"with higher priority {LOW}, ours {HIGH + weight}", since=mark)
                on.becomes_backup(on.left, mark=mark)
                said = [one.priority for one in on.capture.adverts("left", since=failed_at)]
                assert said == sorted(said, reverse=True)
                assert HIGH + weight in said
            else:
                farewell = on.capture.wait_advert("left", priority=0, since=failed_at)
                first = on.becomes_master(on.right, since=farewell.at, mark=right_mark, priority=LOW)
                on.left.wait_log(f"({INSTANCE}) Entering FAULT STATE", since=mark)
                assert first.at - farewell.at >= wire.skew(LOW) - ALLOWANCE
                assert first.at - farewell.at < wire.master_down(LOW)
            after = on.keeps_advertising(on.right, count=4)
            assert not on.capture.adverts("left", since=after)

            mark, right_mark, mended_at = on.left.mark(), on.right.mark(), now()
            flag.touch()
            on.left.wait_log("VRRP_Script(probe) succeeded", since=mark)
            on.becomes_master(on.left, since=mended_at, mark=mark, priority=HIGH)
            on.becomes_backup(on.right, mark=right_mark)


@pytest.mark.parametrize(
    "makes",
    [OURS_RIGHT, pytest.param(OURS_LEFT, marks=pytest.mark.long), pytest.param(JUDGE, marks=pytest.mark.long)],
    ids="-".join,
)
def test_backup_learns_the_masters_interval(makes: tuple[str, str]) -> None:
    """Version 3: a backup waits for three of the master's intervals, not of its own; as master it keeps its own.

    A daemon that never learns takes over more than two seconds later.
    """
    fast, slow = Wire(3, "0.3", 4, "multicast"), Wire(3, "1", 4, "multicast")
    with stage(fast, makes, fast.config(1, HIGH), slow.config(2, LOW)) as on:
        _running(on)
        on.right.wait_log("advertisement interval updated from 1000ms to 300ms by master")
        mark, crashed_at = on.right.mark(), on.left.crash()
        first = on.capture.wait_advert("right", since=crashed_at)
        last = on.capture.adverts("left")[-1]
        assert fast.master_down(LOW) - ALLOWANCE <= first.at - last.at < slow.master_down(LOW)
        assert first.interval == slow.advert_int
        on.right.wait_log("changing advert interval from 300ms to locally configured 1000ms", since=mark)
        second = on.capture.wait_advert("right", since=first.at + 1)
        assert second.at - first.at >= slow.advert_int - ALLOWANCE


@pytest.mark.parametrize("makes", [OURS_LEFT, pytest.param(JUDGE, marks=pytest.mark.long)], ids="-".join)
def test_different_passwords_never_meet(makes: tuple[str, str]) -> None:
    """Both are master, both say why, neither yields. A daemon that sends nothing would not be complained about."""
    mine, other = (Wire(2, "1", 4, "multicast", word) for word in ("sesame42", "sesame43"))
    with stage(mine, makes, mine.config(1, HIGH), other.config(2, LOW)) as on:
        on.left.start()
        on.right.start()
        on.becomes_master(on.left, since=0, mark=0, priority=HIGH)
        on.right.wait_log(f"({INSTANCE}) Entering MASTER STATE")
        on.keeps_advertising(on.left, count=5)  # a refused advert of the other puts off keepalived 2.2's own
        for director in (on.left, on.right):
            director.wait_log("received an invalid passwd")
            assert director.states(INSTANCE) == ["BACKUP", "MASTER"]
            assert director.host.has(mine.address)


@ours_on_the_left
@pytest.mark.long
def test_preempt_delay_lets_the_lower_one_be_for_a_while(makes: tuple[str, str]) -> None:
    """A better router waits its delay from the first lower advert, then the usual election."""
    wire = QUICK
    with stage(wire, makes, wire.config(1, HIGH, "preempt_delay 3"), wire.config(2, LOW)) as on:
        on.right.start()
        on.becomes_master(on.right, since=0, mark=0, priority=LOW)
        on.left.start()
        on.left.wait_log("start preempt delay")
        ready_at = now()
        first = on.becomes_master(on.left, since=ready_at, mark=0, priority=HIGH)
        assert first.at - ready_at >= 2_900_000_000
        on.becomes_backup(on.right, mark=0)


@ours_on_the_left
@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)], ids=str)
def test_end_says_farewell_before_the_addresses_go(number: signal.Signals, makes: tuple[str, str]) -> None:
    """SIGTERM: one priority-0 advert, then the addresses go; every process and pid file is gone, and the exit is 0."""
    wire = HALF
    with stage(wire, makes, wire.config(1, HIGH), wire.config(2, LOW)) as on:
        _running(on)
        pids, stopped_at = on.left.pids(), now()
        assert len(pids) > 1
        assert (on.left.folder / "parent.pid").read_text().strip() == str(on.left.pid)
        assert int((on.left.folder / "vrrp.pid").read_text()) in pids[1:]
        with address_watch(on.left.host, on.left.folder) as watch:
            on.left.signal(number)
            assert on.left.wait() == 0
            farewell = on.capture.wait_advert("left", priority=0, since=stopped_at)
            for address in wire.addresses:
                (gone,) = watch.deletions(address)
                assert gone.at > farewell.at, "first the farewell, then the addresses"
        assert [one.priority for one in on.capture.adverts("left", since=farewell.at)] == [0]
        assert on.capture.announcements("left", since=farewell.at) == []
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids[1:])
        assert list(on.left.folder.glob("*.pid")) == []
        assert on.left.logged("Stopping")
        on.becomes_master(on.right, since=farewell.at, mark=0, priority=LOW)


@ours_on_the_left
def test_second_start_leaves_the_first_alone(makes: tuple[str, str]) -> None:
    """With a living pid file a second daemon says so and exits 0; the first does not notice."""
    wire = HALF
    with stage(wire, makes, wire.config(1, HIGH), wire.config(2, LOW)) as on:
        _running(on)
        since = now()
        code, said = on.left.start_again()
        assert code == 0
        assert "daemon is already running" in said
        on.alone(on.left, since=since)


@pytest.mark.parametrize("makes", [OURS_LEFT, OURS_RIGHT, pytest.param(JUDGE, marks=pytest.mark.long)], ids="-".join)
def test_sync_group_moves_as_one(makes: tuple[str, str]) -> None:
    """Two segments, an instance on each, one group: the cable of one segment moves both, and back again.

    A daemon without groups keeps the healthy instance, and the peer's group then never moves at all.
    """
    instances = {"A": ("eth0", 10), "B": ("eth1", 20)}

    def config(priority: int) -> str:
        text = "vrrp_sync_group G {\n    group {\n        A\n        B\n    }\n}\n"
        for name, (device, vrid) in instances.items():
            text += (
                f"vrrp_instance {name} {{\n    state BACKUP\n    interface {device}\n    virtual_router_id {vrid}\n"
                f"    version 3\n    priority {priority}\n    advert_int 0.5\n    garp_master_delay 1\n"
                f"    virtual_ipaddress {{\n        10.{vrid}.0.100/24\n    }}\n}}\n"
            )
        return text

    with tempfile.TemporaryDirectory(prefix="pyk-interop-") as folder, Network() as network:
        segments = {name: network.segment(name) for name in instances}
        directors = []
        for number, (name, make) in enumerate(zip(("left", "right"), makes, strict=True), 1):
            host = network.host(name)
            for instance, (device, vrid) in instances.items():
                host.attach(segments[instance], [f"10.{vrid}.0.{number}/24"], device=device)
            directors.append(Director(host, MAKES[make](), Path(folder, name), config(HIGH if number == 1 else LOW)))
        left, right = directors
        with Capture(segments["A"]) as on_a, Capture(segments["B"]) as on_b, left, right:
            wires = {"A": on_a, "B": on_b}
            try:
                _group_moves(left, right, wires, instances)
            except AssertionError as failure:
                failure.add_note(left.story())
                failure.add_note(right.story())
                raise


def _group_moves(
    left: Director, right: Director, wires: dict[str, Capture], instances: dict[str, tuple[str, int]]
) -> None:
    """Left has both; loses B's cable; right gets both; the cable returns; left gets both."""

    def has_both(director: Director, other: Director, *, since: int, mark: int, priority: int) -> None:
        for name, (device, vrid) in instances.items():
            wires[name].wait_advert(director.host.name, priority=priority, vrid=vrid, since=since, within=60)
            director.wait_log(f"({name}) Entering MASTER STATE", since=mark, within=60)
            director.wait_address(f"10.{vrid}.0.100", present=True, device=device)
            wires[name].wait_announcement(director.host.name, f"10.{vrid}.0.100", since=since)
            other.wait_address(f"10.{vrid}.0.100", present=False, device=device)
        director.wait_log("VRRP_Group(G) Syncing instances to MASTER state", since=mark)

    left.start()
    right.start()
    has_both(left, right, since=0, mark=0, priority=HIGH)
    for name in instances:
        wires[name].wait_advert("left", since=now(), count=4)

    mark, right_mark, pulled_at = left.mark(), right.mark(), now()
    left.host.cables["eth1"].pull()
    left.wait_log("VRRP_Group(G) Syncing instances to FAULT state", since=mark)
    wires["A"].wait_advert("left", priority=0, since=pulled_at)
    has_both(right, left, since=pulled_at, mark=right_mark, priority=LOW)
    left.wait_log("(A) Entering FAULT STATE", since=mark)
    left.wait_log("(B) Entering FAULT STATE", since=mark)
    since = now()
    wires["A"].wait_advert("right", since=since, count=4)
    assert not wires["A"].adverts("left", since=since)

    mark, right_mark, plugged_at = left.mark(), right.mark(), now()
    left.host.cables["eth1"].plug()
    has_both(left, right, since=plugged_at, mark=mark, priority=HIGH)
    right.wait_log("VRRP_Group(G) Syncing instances to BACKUP state", since=right_mark)
