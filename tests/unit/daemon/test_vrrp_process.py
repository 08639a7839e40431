"""The driver at fakes of its ports: orders are carried out in the core's order, bounded a turn, and facts come back."""

import gc
import itertools
import resource
from collections.abc import Callable, Sequence
from dataclasses import replace
from errno import EINTR, ENETUNREACH, ENOBUFS, ENOSPC, EPERM
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.interfaces import InterfaceUpDownDelay
from pykeepalived.config.blocks.track_file import TrackedFile
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds_trackers import InitialContent
from pykeepalived.daemon.child import BfdListener, ChildOptions
from pykeepalived.daemon.reactor import Callback
from pykeepalived.daemon.vrrp_process import VrrpService
from pykeepalived.daemon.vrrp_sockets import Port
from pykeepalived.kernel.ports import BATCH, Datagram, Failure
from pykeepalived.units import MILLISECOND, SECOND
from pykeepalived.vrrp.adverts import messages
from tests.support.fakes_vrrp import Bench, FakeSender, make_link
from tests.support.scenario import make_configuration, make_instance

DOWN = 3_609_375_000
VI_1 = "instance VI_1 priority=100 notify=/n"


def begun(
    *lines: str, links: tuple[str, ...] = ("eth0",), options: ChildOptions | None = None
) -> tuple[Bench, VrrpService]:
    bench = Bench(*links, options=options)
    for number, link in enumerate(links):
        bench.kernel.give(link, IPv4Address(f"10.0.{number}.1"), 24)
        bench.kernel.give(link, IPv6Address(f"fe80::{number + 1}"), 64)
    service = VrrpService(bench.context, make_configuration(*(lines or (VI_1,))), bench.kernel)
    service.start()
    bench.reactor.turn()
    return bench, service


def refuse_to_watch(bench: Bench, least: int, most: int = 10_000) -> Callable[..., None]:
    """A reactor's ``watch`` for which there is no room for these descriptors."""
    real = bench.reactor.watch

    def watch(fd: int, readable: Callback | None = None, writable: Callback | None = None) -> None:
        if least <= fd <= most:
            raise OSError(ENOSPC, "No space left on device")
        real(fd, readable, writable)

    return watch


def advert(priority: int, source: str = "10.0.0.2", **options: str) -> Datagram:
    instance = make_instance("VI_1", **options)
    packed = IPv4Address(source).packed
    ((destination, data),) = messages(instance, priority, packed)
    return Datagram(packed, destination, 255, data, len(data))


def states(service: VrrpService) -> list[str]:
    return [router.state.name for router in service._routers.routers.values()]


def test_a_start_opens_removes_and_is_ready() -> None:
    bench, service = begun()
    assert bench.cut() == [
        ("log", "Registering Kernel netlink reflector"),
        ("log", "Registering Kernel netlink command channel"),
        ("log", "Registering gratuitous ARP shared channel"),
        ("log", "VRRP sockpool: [ifindex(  1), family(IPv4), proto(112), fd(100,-1) multicast, address(224.0.0.18)]"),
        ("remove", "10.0.0.100"),
        ("log", "(VI_1) Entering BACKUP STATE (init)"),
        ("log", "(VI_1) cause: started with priority 100"),
        ("script", "/n", "INSTANCE", "VI_1", "BACKUP", "100"),
        ("fifo", 'INSTANCE "VI_1" BACKUP 100'),
    ]
    assert len(bench.readies) == 1
    assert states(service) == ["BACKUP"]
    assert bench.kernel.receivers[0].vrids == frozenset({51})


def test_becoming_master_in_keepalived_s_order() -> None:
    bench, _ = begun()
    bench.cut()
    bench.reactor.run_for(DOWN)
    assert bench.cut() == [
        ("advert", "51", "100"),
        ("log", "(VI_1) Entering MASTER STATE"),
        ("log", "(VI_1) cause: no IPv4 advert heard from anybody for 3.61 s"),
        ("add", "10.0.0.100"),
        *[("announce", "10.0.0.100")] * 5,
        ("script", "/n", "INSTANCE", "VI_1", "MASTER", "100"),
        ("fifo", 'INSTANCE "VI_1" MASTER 100'),
    ]
    bench.reactor.run_for(SECOND)
    assert bench.cut() == [("advert", "51", "100")]
    bench.reactor.run_for(4 * SECOND)
    assert bench.cut()[-5:] == [("announce", "10.0.0.100")] * 5


def test_a_master_takes_its_addresses_though_nothing_can_be_read() -> None:
    bench, _ = begun()
    bench.cut()
    bench.kernel.silent = EINTR
    bench.reactor.run_for(DOWN)
    assert ("add", "10.0.0.100") in bench.cut()


def test_a_fault_at_one_order_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, service = begun()
    bench.cut()
    failing_once(service, monkeypatch)
    with pytest.raises(RuntimeError):
        bench.reactor.run_for(DOWN)
    bench.reactor.run_for(SECOND // 2)
    assert bench.cut()[-3:] == [
        ("announce", "10.0.0.100"),
        ("script", "/n", "INSTANCE", "VI_1", "MASTER", "100"),
        ("fifo", 'INSTANCE "VI_1" MASTER 100'),
    ]


def test_what_cannot_be_read_is_tried_ten_times_a_second_whoever_asks() -> None:
    bench, _ = begun()
    bench.kernel.silent = EINTR
    bench.kernel.drains = 0
    for _ in range(1000):
        bench.told()
        bench.reactor.run_for(MILLISECOND)
    assert bench.kernel.drains == 1 + 10
    bench.kernel.set_link("eth0", up=False)
    bench.kernel.silent = 0
    bench.reactor.run_for(100 * MILLISECOND)
    bench.kernel.drains = 0
    for _ in range(3):
        bench.told()
    assert bench.kernel.drains == 3


def failing_once(service: VrrpService, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next change of addresses is a fault of ours."""

    def fail(*_: object, **__: object) -> None:
        monkeypatch.undo()
        raise RuntimeError

    monkeypatch.setattr(service._host, "change", fail)


def test_a_fault_costs_nothing_of_who_brought_the_fact_that_led_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, service = begun("vrrp_script chk", "instance VI_1 priority=100 track_script=chk")
    bench.scripts.end(0)
    bench.reactor.run_for(DOWN)
    assert states(service) == ["MASTER"]
    failing_once(service, monkeypatch)
    bench.scripts.end(-1, status=1)
    with pytest.raises(RuntimeError):
        bench.reactor.turn()
    assert states(service) == ["FAULT"]
    runs = len(bench.scripts.ran)
    bench.reactor.run_for(2 * SECOND)
    bench.scripts.end(-1)
    assert len(bench.scripts.ran) > runs
    assert states(service) == ["BACKUP"]


def test_a_fault_at_one_fact_costs_none_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    second = "instance VI_2 priority=100 interface=eth1 virtual_router_id=52 virtual_ipaddress=10.0.1.100/24"
    bench, service = begun(VI_1, second, links=("eth0", "eth1"))
    bench.reactor.run_for(DOWN)
    failing_once(service, monkeypatch)
    bench.kernel.set_link("eth0", up=False)
    bench.kernel.set_link("eth1", up=False)
    bench.told()
    with pytest.raises(RuntimeError):
        bench.reactor.turn()
    assert states(service) == ["FAULT", "FAULT"]


def test_a_stop_that_takes_long_says_that_it_goes_on() -> None:
    """Else it is cut off, and addresses stay on a machine that others have taken over from."""
    bench = Bench("eth0")
    bench.kernel.give("eth0", IPv4Address("10.0.0.1"), 24)
    told: list[int] = []
    context = replace(bench.context, leaving=lambda: told.append(len(bench.kernel.held)))
    many = ",".join(f"10.1.{number // 250}.{number % 250 + 1}/16" for number in range(1000))
    service = VrrpService(context, make_configuration(f"{VI_1} virtual_ipaddress_excluded={many}"), bench.kernel)
    service.start()
    bench.reactor.run_for(2 * DOWN)
    assert (len(bench.kernel.held), told) == (1002, [])
    service.stop(lambda: None)
    bench.reactor.run_for(2 * SECOND)
    assert len(told) >= 1000 // BATCH
    assert len(bench.kernel.held) == 1
    assert all(before >= after for before, after in itertools.pairwise(told))


def test_a_fault_at_a_stop_leaves_no_other_address(monkeypatch: pytest.MonkeyPatch) -> None:
    many = ",".join(f"10.1.0.{number}/24" for number in range(1, 251))
    bench, service = begun(VI_1, f"instance VI_2 priority=100 virtual_router_id=52 virtual_ipaddress={many}")
    bench.reactor.run_for(DOWN)
    assert len(bench.kernel.held) == 2 + 1 + 250
    failing_once(service, monkeypatch)
    ended: list[bool] = []
    service.stop(lambda: ended.append(True))
    with pytest.raises(RuntimeError):
        bench.reactor.turn()
    bench.reactor.run_for(2 * SECOND)
    assert ended
    assert {place[1] for place in bench.kernel.held} == {"10.0.0.1", "fe80::1", "10.0.0.100"}


def test_a_reload_that_goes_wrong_half_way_does_the_other_half(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, service = begun()
    bench.reactor.run_for(DOWN)
    failing_once(service, monkeypatch)
    service.reload(
        make_configuration(
            "vrrp_script chk",
            "instance VI_1 priority=100 virtual_ipaddress=10.0.0.100/24,10.0.0.101/24 track_script=chk:10",
        )
    )
    with pytest.raises(RuntimeError):
        bench.reactor.turn()
    assert len(bench.scripts.ran) == 3, "chk runs"


def test_a_link_that_falls_while_nothing_can_be_read_is_noticed_after_that() -> None:
    bench, service = begun()
    bench.reactor.run_for(DOWN)
    bench.kernel.silent = EINTR
    bench.kernel.set_link("eth0", up=False)
    bench.told()
    bench.reactor.run_for(SECOND)
    assert states(service) == ["MASTER"]
    bench.kernel.silent = 0
    bench.reactor.run_for(SECOND // 2)
    assert states(service) == ["FAULT"]
    said = [text for text in bench.journal.texts() if text.startswith("Changes of")]
    missed = "missed just now: cannot list (the table kept changing): Interrupted system call"
    assert said == [
        f"Changes of interfaces and addresses are {missed} - tried again ten times a second",
        "Changes of interfaces and addresses are known again",
    ]


def test_an_advert_heard_moves_the_alarm() -> None:
    bench, service = begun()
    bench.reactor.run_for(3 * SECOND)
    bench.hear(advert(150))
    bench.reactor.run_for(DOWN - 1)
    assert states(service) == ["BACKUP"]
    bench.reactor.run_for(1)
    assert states(service) == ["MASTER"]


def test_priority_zero_makes_the_alarm_nearer() -> None:
    bench, service = begun()
    bench.hear(advert(150))
    bench.hear(advert(0))
    bench.reactor.run_for(609_375_000)
    assert states(service) == ["MASTER"]


def test_a_higher_advert_gives_everything_back() -> None:
    bench, service = begun()
    bench.reactor.run_for(DOWN)
    bench.cut()
    bench.hear(advert(150))
    assert bench.cut() == [
        ("log", "(VI_1) Master received advert from 10.0.0.2 with higher priority 150, ours 100"),
        ("log", "(VI_1) Entering BACKUP STATE"),
        ("log", "(VI_1) cause: advert from 10.0.0.2 with higher priority 150, ours is 100"),
        ("remove", "10.0.0.100"),
        ("script", "/n", "INSTANCE", "VI_1", "BACKUP", "100"),
        ("fifo", 'INSTANCE "VI_1" BACKUP 100'),
    ]
    bench.reactor.run_for(2 * SECOND)
    assert bench.cut() == []
    assert states(service) == ["BACKUP"]


def test_somebody_takes_an_address_and_we_take_it_back() -> None:
    bench, service = begun()
    bench.reactor.run_for(DOWN)
    bench.cut()
    bench.kernel.take("eth0", "10.0.0.100", 24)
    bench.told()
    assert states(service) == ["BACKUP"]
    assert ("advert", "51", "0") in bench.cut()
    bench.reactor.run_for(609_375_000)
    assert states(service) == ["MASTER"]
    bench.told()
    assert states(service) == ["MASTER"]


def test_our_own_removal_told_late_is_no_theft() -> None:
    """An owner at its start: the leftover's removal is told only after the address was added again."""
    bench = Bench("eth0")
    bench.kernel.give("eth0", IPv4Address("10.0.0.1"), 24)
    bench.kernel.give("eth0", IPv4Address("10.0.0.100"), 24)
    service = VrrpService(bench.context, make_configuration("instance VI_1 priority=255"), bench.kernel)
    service.start()
    bench.reactor.run_for(SECOND)
    bench.told()
    assert states(service) == ["MASTER"]
    assert not [text for text in bench.journal.texts() if "somebody" in text]


def test_an_interface_goes_down_and_comes_back() -> None:
    bench, service = begun()
    bench.reactor.run_for(DOWN)
    bench.kernel.set_link("eth0", up=False)
    bench.told()
    assert states(service) == ["FAULT"]
    bench.kernel.set_link("eth0", up=True)
    bench.told()
    assert states(service) == ["BACKUP"]
    bench.reactor.run_for(DOWN)
    assert states(service) == ["MASTER"]


def test_an_interface_that_is_made_anew_gets_new_sockets() -> None:
    bench, service = begun()
    bench.kernel.held.clear()
    bench.kernel.remove_link("eth0")
    bench.told()
    assert states(service) == ["FAULT"]
    bench.kernel.add_link("eth0", 9)
    bench.kernel.give("eth0", IPv4Address("10.0.0.1"), 24)
    bench.told()
    assert states(service) == ["BACKUP"]
    first, second = bench.kernel.senders
    assert first.closed
    assert second.interface == bench.kernel.links["eth0"]
    old, new = bench.kernel.receivers
    assert old.closed
    assert new.interface == bench.kernel.links["eth0"]
    assert new.interface.index == 9
    bench.hear(advert(150), receiver=1)
    bench.reactor.run_for(DOWN - 1)
    assert states(service) == ["BACKUP"]


UNTRACKED = "instance VI_1 priority=100 dont_track_primary=yes"


@pytest.mark.keyword("vrrp_instance.dont_track_primary")
@pytest.mark.parametrize(
    ("line", "link", "told"),
    [
        (f"{UNTRACKED} unicast_src_ip=10.0.0.1 unicast_peer=10.0.0.2 virtual_ipaddress=10.1.0.9/24", "eth0", True),
        (f"{UNTRACKED} virtual_ipaddress=10.1.0.9/24@eth1", "eth1", True),
        (f"{UNTRACKED} virtual_ipaddress=10.1.0.9/24@eth1", "eth1", False),
    ],
)
def test_who_does_not_mind_an_interface_has_its_addresses_with_the_new_one(line: str, link: str, told: bool) -> None:
    bench, service = begun(line, links=("eth0", "eth1"))
    bench.reactor.run_for(DOWN)
    if told:
        bench.kernel.take(link, "10.1.0.9", 24)
    bench.kernel.held = {place: held for place, held in bench.kernel.held.items() if place[0] != link}
    bench.kernel.remove_link(link)
    bench.told()
    bench.reactor.run_for(10 * SECOND)
    assert states(service) == ["MASTER"]
    bench.kernel.add_link(link, 9)
    bench.cut()
    bench.told()
    assert (link, "10.1.0.9", 24) in bench.kernel.held
    assert ("announce", "10.1.0.9") in bench.cut()


def test_a_renamed_interface_loses_what_we_put_there() -> None:
    bench, service = begun()
    bench.reactor.run_for(DOWN)
    assert ("eth0", "10.0.0.100", 24) in bench.kernel.held
    bench.cut()
    bench.kernel.rename_link("eth0", "lan0")
    bench.told()
    assert states(service) == ["FAULT"]
    assert ("lan0", "10.0.0.100", 24) not in bench.kernel.held
    assert ("lan0", "10.0.0.1", 24) in bench.kernel.held
    assert ("log", "Interface name has changed from eth0 to lan0") in bench.cut()
    bench.kernel.rename_link("lan0", "eth0")
    bench.told()
    assert states(service) == ["BACKUP"]


@pytest.mark.keyword("vrrp_instance.promote_secondaries")
def test_settings_are_borrowed_while_it_runs() -> None:
    setting = "ipv4/conf/eth0/promote_secondaries"
    igmp = "ipv4/igmp_link_local_mcast_reports"
    bench = Bench("eth0")
    bench.kernel.give("eth0", IPv4Address("10.0.0.1"), 24)
    values = bench.kernel.settings.values
    values.update({setting: "0", igmp: "1"})
    lines = "global_defs disable_local_igmp=yes", f"{VI_1} promote_secondaries=yes"
    service = VrrpService(bench.context, make_configuration(*lines), bench.kernel)
    service.start()
    assert (values[setting], values[igmp]) == ("1", "0")
    service.reload(make_configuration(VI_1))
    assert (values[setting], values[igmp]) == ("0", "0")  # the second is a restart's to change
    service.reload(make_configuration(*lines))
    assert values[setting] == "1"
    bench.kernel.remove_link("eth0")
    bench.told()
    values[setting] = "0"
    bench.kernel.add_link("eth0", 9)
    bench.told()
    assert values[setting] == "1"
    service.stop(lambda: None)
    bench.reactor.run_for(2 * SECOND)
    assert (values[setting], values[igmp]) == ("0", "1")


def test_buffers_of_netlink_are_as_configured_also_after_a_reload() -> None:
    bench, service = begun("global_defs vrrp_netlink_monitor_rcv_bufs=4096", VI_1)
    assert bench.kernel.receive_buffers == ((0, False), (4096, False))
    lines = "global_defs vrrp_netlink_cmd_rcv_bufs=8192 vrrp_netlink_cmd_rcv_bufs_force=yes", VI_1
    service.reload(make_configuration(*lines))
    assert bench.kernel.receive_buffers == ((8192, True), (0, False))


@pytest.mark.keyword("linkbeat_use_polling")
def test_a_polled_link_that_is_lost_is_a_fault() -> None:
    bench = Bench("eth0")
    bench.kernel.give("eth0", IPv4Address("10.0.0.1"), 24)
    bench.kernel.beats["eth0", "MII"] = True
    lines = "global_defs linkbeat_use_polling=yes", VI_1
    service = VrrpService(bench.context, make_configuration(*lines), bench.kernel)
    service.start()
    bench.reactor.run_for(DOWN)
    assert states(service) == ["MASTER"]
    bench.kernel.beats["eth0", "MII"] = False
    bench.reactor.run_for(SECOND)
    assert states(service) == ["FAULT"]
    assert "Linkbeat reports eth0 down" in bench.journal.texts()


@pytest.mark.keyword("interface_up_down_delays")
def test_a_delayed_change_of_an_interface_rings_by_itself() -> None:
    bench = Bench("eth0")
    bench.kernel.give("eth0", IPv4Address("10.0.0.1"), 24)
    delays = (InterfaceUpDownDelay("eth0", SECOND, SECOND),)
    part = replace(make_configuration(VI_1), interface_up_down_delays=delays)
    service = VrrpService(bench.context, part, bench.kernel)
    service.start()
    bench.kernel.set_link("eth0", up=False)
    bench.told()
    bench.reactor.run_for(SECOND - 1)
    assert states(service) == ["BACKUP"]
    bench.reactor.run_for(1)
    assert states(service) == ["FAULT"]
    bench.kernel.set_link("eth0", up=True)
    bench.told()
    bench.reactor.run_for(SECOND + DOWN)
    assert states(service) == ["MASTER"]


def test_an_instance_without_interface_has_sockets_of_no_link() -> None:
    peers = "unicast_src_ip=10.0.0.1 unicast_peer=10.0.0.2"
    bench, service = begun(f"instance VI_1 interface= {peers} virtual_ipaddress=10.0.0.100/24@eth0")
    assert [each.interface for each in bench.kernel.receivers] == [None]
    assert [each.interface for each in bench.kernel.senders] == [None]
    bench.reactor.run_for(DOWN)
    assert states(service) == ["MASTER"]
    assert bench.kernel.sent


def test_a_missing_interface_is_a_fault_until_it_appears() -> None:
    bench, service = begun("instance VI_1 priority=255 interface=eth7")
    assert states(service) == ["FAULT"]
    assert bench.kernel.senders == []
    bench.kernel.add_link("eth7", 7)
    bench.kernel.give("eth7", IPv4Address("10.0.7.1"), 24)
    bench.told()
    bench.reactor.run_for(4 * SECOND)
    assert states(service) == ["MASTER"]
    assert bench.kernel.sent


def test_refusals_come_back_as_lines() -> None:
    bench, service = begun()
    bench.kernel.send_errno = ENETUNREACH
    bench.kernel.refuse["10.0.0.100"] = EPERM
    bench.reactor.run_for(DOWN + 3 * SECOND)
    said = [text for text in bench.journal.texts() if "refuses" in text]
    assert said == [
        "(VI_1) the kernel refuses to send adverts to 224.0.0.18: ENETUNREACH",
        "(VI_1) the kernel refuses to add 10.0.0.100/24 dev eth0: EPERM",
    ]
    assert states(service) == ["MASTER"]
    bench.kernel.send_errno = 0
    bench.reactor.run_for(SECOND)
    assert "(VI_1) adverts to 224.0.0.18 go out again" in bench.journal.texts()


def without_sockets() -> tuple[Bench, VrrpService]:
    bench = Bench("eth0")
    bench.kernel.give("eth0", IPv4Address("10.0.0.1"), 24)
    bench.kernel.refuse_sockets = ENOBUFS
    service = VrrpService(bench.context, make_configuration(VI_1), bench.kernel)
    service.start()
    bench.reactor.run_for(DOWN)
    return bench, service


def test_who_cannot_hear_is_no_master_and_says_why() -> None:
    bench, service = without_sockets()
    bench.reactor.run_for(DOWN)
    assert [text for text in bench.journal.texts() if "o buffer" in text] == [
        "(VI_1) cannot send: No buffer space available",
        "Cannot listen: No buffer space available",
        "(VI_1) cause: cannot listen: No buffer space available",
    ]
    assert states(service) == ["FAULT"]
    assert bench.kernel.held.keys() == {("eth0", "10.0.0.1", 24)}


def test_sockets_that_could_not_be_opened_are_tried_again() -> None:
    bench, service = without_sockets()
    bench.cut()
    bench.kernel.refuse_sockets = 0
    bench.reactor.run_for(SECOND)
    assert states(service) == ["BACKUP"]
    assert ("log", "(VI_1) cause: adverts can be sent and heard") in bench.cut()
    bench.hear(advert(150))
    bench.reactor.run_for(3 * SECOND)
    assert states(service) == ["BACKUP"]
    bench.reactor.run_for(SECOND)
    assert states(service) == ["MASTER"]
    assert ("advert", "51", "100") in bench.cut()


def test_a_socket_that_cannot_be_watched_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """fs.epoll.max_user_watches: nobody would ever read there."""
    bench = Bench("eth0")
    bench.kernel.give("eth0", IPv4Address("10.0.0.1"), 24)
    service = VrrpService(bench.context, make_configuration(VI_1), bench.kernel)
    with monkeypatch.context() as patch:
        patch.setattr(bench.reactor, "watch", refuse_to_watch(bench, 100))
        service.start()
        bench.reactor.run_for(2 * DOWN)
        assert states(service) == ["FAULT"]
        assert all(receiver.closed for receiver in bench.kernel.receivers)
        said = [text for text in bench.journal.texts() if "No space" in text]
        assert said == [
            "Cannot watch a socket for VRRP: No space left on device",
            "(VI_1) cause: cannot watch a socket for VRRP: No space left on device",
        ]
        assert not [text for text in bench.journal.texts() if "sockpool" in text]
    bench.reactor.run_for(SECOND)
    assert states(service) == ["BACKUP"]
    bench.hear(advert(150), receiver=len(bench.kernel.receivers) - 1)
    bench.reactor.run_for(DOWN - 1)
    assert states(service) == ["BACKUP"]


def test_the_descriptor_limit_follows_the_number_of_instances() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
    try:
        begun(*(f"instance VI_{vrid} priority=100 virtual_router_id={vrid}" for vrid in range(1, 51)))
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 1 + 50 + 1 + 256
        links = tuple(f"eth{number}" for number in range(100))
        lines = (f"instance V{link} interface={link} virtual_ipaddress=10.0.0.100/24@{link}" for link in links)
        begun(*lines, links=links)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 3 * 100 + 256, "to hear, to send, to announce"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_reload_that_cannot_open_a_socket_is_a_fault_of_that_instance_alone() -> None:
    bench, service = begun(VI_1)
    bench.reactor.run_for(DOWN)
    bench.kernel.refuse_sockets = ENOBUFS
    service.reload(make_configuration(VI_1, "instance VI_2 priority=100 virtual_router_id=52 mcast_group=224.0.0.99"))
    bench.reactor.run_for(DOWN)
    assert states(service) == ["MASTER", "FAULT"]
    service.reload(make_configuration(VI_1))
    assert service._open_again.due_at is None, "nobody needs it any more"


def test_adverts_are_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, _ = begun()
    bench.reactor.run_for(DOWN)

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("pykeepalived.daemon.vrrp_sockets.messages", never)
    bench.reactor.run_for(3 * SECOND)
    assert len(bench.kernel.sent) == 4
    assert len(set(bench.kernel.sent)) == 1


def test_a_thousand_addresses_take_turns_and_adverts_pass_between() -> None:
    addresses = ",".join(f"10.9.{number // 250}.{number % 250 + 1}/32" for number in range(1000))
    bench, _ = begun(
        f"instance VI_1 priority=100 notify=/n virtual_ipaddress=10.0.0.100/24 virtual_ipaddress_excluded={addresses}",
        "instance VI_2 priority=100 virtual_router_id=52 virtual_ipaddress=10.0.0.102/24",
    )
    bench.reactor.run_for(SECOND)
    bench.cut()
    bench.kernel.batches.clear()
    bench.reactor.run_for(DOWN - SECOND)
    assert max(bench.kernel.batches) <= BATCH
    assert sum(bench.kernel.batches) == 1002
    trace = bench.cut()
    # the other instance's advert does not wait for the addresses of the first
    second = trace.index(("advert", "52", "100"))
    assert sum(entry[0] == "add" for entry in trace[:second]) <= BATCH
    # still in the core's order: announcements after all addresses, notification last
    own = [entry for entry in trace if entry[1] != "10.0.0.102"]
    adds = [place for place, entry in enumerate(own) if entry[0] == "add"]
    announced = [place for place, entry in enumerate(own) if entry[0] == "announce"]
    assert len(adds) == 1001
    assert len(announced) == 5005
    assert max(adds) < min(announced)
    assert ("script", "/n", "INSTANCE", "VI_1", "MASTER", "100") in own


def test_a_kernel_that_is_held_up_by_others_delays_no_advert(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each order waits for the lock of rtnetlink, which may be held for long while containers come and go."""
    addresses = ",".join(f"10.9.0.{number}/32" for number in range(1, 201))
    bench, _ = begun(
        f"instance VI_1 priority=100 virtual_ipaddress_excluded={addresses}",
        "instance VI_2 priority=100 virtual_router_id=52 virtual_ipaddress=10.0.0.102/24 version=3 advert_int=0.1",
    )
    bench.reactor.run_for(3 * SECOND)
    sent: list[int] = []
    add, send = bench.kernel.add_addresses, FakeSender.send

    def slow(entries: Sequence[AddressEntry]) -> list[Failure]:
        bench.reactor.time += 20 * MILLISECOND * len(entries)
        return add(entries)

    def noted(sender: FakeSender, source: bytes, destination: bytes, pdu: bytes) -> int:
        sent.extend([bench.reactor.time] if pdu[1] == 52 else [])
        return send(sender, source, destination, pdu)

    monkeypatch.setattr(bench.kernel, "add_addresses", slow)
    monkeypatch.setattr(FakeSender, "send", noted)
    bench.reactor.run_for(6 * SECOND)
    assert len(bench.kernel.held) == 2 + 2 + 200
    assert max(after - before for before, after in itertools.pairwise(sent)) < 250 * MILLISECOND


def test_who_yields_before_its_addresses_are_there_announces_none_of_them() -> None:
    """The other one has announced them already, and nobody would put right what we say after that."""
    addresses = ",".join(f"10.9.{number // 250}.{number % 250 + 1}/32" for number in range(1000))
    bench, service = begun(f"instance VI_1 priority=100 virtual_ipaddress_excluded={addresses}")
    bench.reactor.run_for(DOWN - 1)
    bench.reactor.time += 1
    bench.reactor.turn()
    bench.reactor.turn()
    assert states(service) == ["MASTER"]
    bench.hear(advert(150))
    assert states(service) == ["BACKUP"]
    bench.reactor.run_for(SECOND)
    assert not [entry for entry in bench.cut() if entry[0] == "announce"]
    assert {place[1] for place in bench.kernel.held} == {"10.0.0.1", "fe80::1"}


def test_an_address_that_an_instance_takes_concerns_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = range(1, 101)
    bench, service = begun(
        *(f"instance VI_{n} priority=100 virtual_router_id={n} virtual_ipaddress=10.8.0.{n}/24" for n in numbers)
    )
    looked_at: list[Port] = []
    arm = Port.arm

    def look_at(port: Port) -> None:
        looked_at.append(port)
        arm(port)

    monkeypatch.setattr(Port, "arm", look_at)
    bench.reactor.run_for(DOWN)
    assert states(service) == ["MASTER"] * len(numbers)
    # a thousand of them would take a second and more for a thousand addresses if each looked at all others
    assert len(looked_at) <= 4 * len(numbers)


def test_scripts_are_run_and_believed() -> None:
    bench, service = begun(
        "vrrp_script chk interval=2 timeout=1 fall=2",
        "vrrp_script unused",
        "instance VI_1 priority=100 track_script=chk:10",
    )
    ((script, arguments, timeout),) = bench.scripts.ran
    assert (script.argv, arguments, timeout) == (("/chk",), (), SECOND)
    bench.scripts.end(0)
    assert service._routers.routers["VI_1"].priority == 110
    bench.reactor.run_for(2 * SECOND)
    assert len(bench.scripts.ran) == 2
    bench.scripts.end(1, 1)
    assert service._routers.routers["VI_1"].priority == 110
    bench.reactor.run_for(2 * SECOND)
    bench.scripts.end(2, 1)
    assert service._routers.routers["VI_1"].priority == 100


@pytest.mark.keyword("vrrp_instance.track_bfd")
def test_bfd_sessions_are_down_until_one_tells_otherwise() -> None:
    bench, service = begun("instance VI_1 priority=100 track_bfd=peer")
    assert isinstance(service, BfdListener)
    assert states(service) == ["FAULT"]
    waits = "track_bfd peer: there is no BFD process yet, the session counts as down"
    assert bench.journal.texts().count(waits) == 1
    service.bfd_changed("peer", up=True)
    assert states(service) == ["BACKUP"]
    service.reload(make_configuration("instance VI_1 priority=100 track_bfd=peer:10"))
    assert [router.priority for router in service._routers.routers.values()] == [110]
    service.bfd_changed("peer", up=False)
    service.bfd_changed("unknown", up=True)
    assert [router.priority for router in service._routers.routers.values()] == [100]
    assert bench.journal.texts().count(waits) == 1


def test_what_files_say_counts_from_the_start_and_the_reload(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("5")
    (tmp_path / "g").write_text("7")
    files = tuple(TrackedFile(name=name, file=str(tmp_path / name)) for name in "fg")
    bench = Bench("eth0")
    bench.kernel.give("eth0", IPv4Address("10.0.0.1"), 24)
    part = replace(make_configuration("instance VI_1 priority=100 track_file=f:1"), track_file=files)
    service = VrrpService(bench.context, part, bench.kernel)
    service.start()
    assert [router.priority for router in service._routers.routers.values()] == [105]
    bench.cut()
    part = make_configuration("instance VI_1 priority=100 track_file=f:1,g:-1")
    service.reload(replace(part, track_file=files))
    assert [each for each in bench.cut() if each[0] == "log"] == [
        ("log", "(VI_1) Changing effective priority from 105 to 98"),
        ("log", "(VI_1) cause: the configuration was reloaded"),
    ]
    service.stop(lambda: None)


@pytest.mark.keyword("track_file.init_file")
def test_one_that_takes_over_leaves_the_numbers_of_files_as_they_are(tmp_path: Path) -> None:
    """They were set since: to begin with them again might be a failover."""
    files = tuple(
        TrackedFile(name=name, file=str(tmp_path / name), init_file=InitialContent(5, overwrite=True)) for name in "fg"
    )
    (tmp_path / "f").write_text("7")
    part = replace(make_configuration("instance VI_1 priority=100 track_file=f:1"), track_file=files)
    first = Bench("eth0")
    VrrpService(first.context, part, first.kernel).start()
    assert (tmp_path / "f").read_text() == "5\n"
    (tmp_path / "f").write_text("9")
    (tmp_path / "g").write_text("9")
    second = Bench("eth0")
    service = VrrpService(replace(second.context, keepsake=first.context.keepsake), part, second.kernel)
    service.start()
    assert (tmp_path / "f").read_text() == "9"
    assert [router.priority for router in service._routers.routers.values()] == [109]
    part = make_configuration("instance VI_1 priority=100 track_file=f:1,g:1")
    service.reload(replace(part, track_file=files))  # that is a beginning for the other one
    assert [router.priority for router in service._routers.routers.values()] == [114]
    service.stop(lambda: None)


@pytest.mark.keyword("vrrp_instance.accept")
def test_what_is_not_accepted_is_blocked_before_it_is_there_and_until_it_has_gone() -> None:
    bench, service = begun(f"{VI_1} accept=no")
    bench.reactor.run_for(DOWN)
    trace = bench.cut()
    assert [each for each in trace if each[0] in {"filter", "add", "remove"}] == [
        ("filter", "check", "2"),
        ("remove", "10.0.0.100"),
        ("filter", "write", "1"),
        ("filter", "listen"),
        ("add", "10.0.0.100"),
    ]
    service.reload(make_configuration(f"{VI_1} accept=no virtual_ipaddress=10.0.0.100/24,10.0.0.101/24"))
    orders = [each for each in bench.cut() if each[0] in {"filter", "add", "remove"}]
    assert orders == [("filter", "change", "+1", "-0"), ("add", "10.0.0.101")]
    service.reload(make_configuration(f"{VI_1} virtual_ipaddress=10.0.0.100/24,10.0.0.101/24"))
    assert [each for each in bench.cut() if each[0] in {"filter", "add", "remove"}] == [
        ("filter", "change", "+0", "-2")
    ]
    service.reload(make_configuration(f"{VI_1} accept=no virtual_ipaddress=10.0.0.101/24"))
    orders = [each for each in bench.cut() if each[0] in {"filter", "add", "remove"}]
    assert orders == [("filter", "change", "+1", "-0"), ("remove", "10.0.0.100")]
    service.stop(lambda: None)
    bench.reactor.run_for(2 * SECOND)
    assert [each for each in bench.cut() if each[0] in {"filter", "add", "remove"}] == [
        ("remove", "10.0.0.101"),
        ("filter", "change", "+0", "-1"),
        ("filter", "remove table", "keepalived"),
    ]
    assert bench.kernel.filter.closed


def test_a_thousand_blocked_addresses_take_turns() -> None:
    addresses = ",".join(f"10.1.{number // 250}.{number % 250 + 1}/32" for number in range(1000))
    bench, _ = begun(f"instance VI_1 priority=100 accept=no virtual_ipaddress_excluded={addresses}")
    bench.reactor.run_for(DOWN + SECOND)
    trace = [each for each in bench.cut() if each[0] in {"filter", "add"}]
    first = trace.index(("add", "10.0.0.100"))
    assert max(int(each[2]) for each in trace[:first] if each[1] == "change") <= BATCH
    assert not [each for each in trace[first:] if each[0] == "filter"]
    ((_, held),) = bench.kernel.filter.tables.items()
    assert len(held) == 1001


def test_a_reload_that_changes_nothing_touches_nothing() -> None:
    bench, service = begun()
    bench.reactor.run_for(DOWN + SECOND // 2)
    bench.cut()
    service.reload(make_configuration(VI_1))
    assert bench.cut() == [("advert", "51", "100"), ("advert", "51", "100")]
    assert len(bench.kernel.senders) == 1
    assert len(bench.kernel.receivers) == 1
    bench.reactor.run_for(SECOND)
    assert bench.cut() == [("advert", "51", "100")]


def test_a_reload_with_everything_new() -> None:
    bench, service = begun("vrrp_script chk", "instance VI_1 priority=100 track_script=chk:10")
    bench.scripts.end(0)
    bench.reactor.run_for(DOWN)
    bench.cut()
    service.reload(
        make_configuration(
            "instance web priority=100 virtual_ipaddress=10.0.0.100/24,10.0.0.101/24 garp_master_repeat=1",
            "instance new priority=255 virtual_router_id=60 virtual_ipaddress=10.0.0.160/24",
        )
    )
    bench.reactor.run_for(MILLISECOND)
    assert bench.cut() == [
        ("advert", "51", "110"),
        ("add", "10.0.0.101"),
        ("announce", "10.0.0.101"),
        ("log", "(web) Changing effective priority from 110 to 100"),
        ("log", "(web) cause: the configuration was reloaded"),
        ("advert", "51", "100"),
        ("remove", "10.0.0.160"),
        ("advert", "60", "255"),
        ("log", "(new) Entering MASTER STATE"),
        ("log", "(new) cause: started as owner of the addresses (priority 255)"),
        ("add", "10.0.0.160"),
        *[("announce", "10.0.0.160")] * 5,
        ("fifo", 'INSTANCE "new" MASTER 255'),
    ]
    assert states(service) == ["MASTER", "MASTER"]
    assert bench.kernel.receivers[0].vrids == frozenset({51, 60})
    ran = len(bench.scripts.ran)
    bench.reactor.run_for(10 * SECOND)
    assert len(bench.scripts.ran) == ran


def test_a_reload_swaps_two_names() -> None:
    first = "instance A priority=255", "instance B priority=100 virtual_router_id=52 virtual_ipaddress=10.0.0.102/24"
    second = "instance B priority=255", "instance A priority=100 virtual_router_id=52 virtual_ipaddress=10.0.0.102/24"
    bench, service = begun(*first)
    bench.reactor.run_for(SECOND)
    service.reload(make_configuration(*second))
    bench.cut()
    bench.reactor.run_for(SECOND)
    assert bench.cut() == [("advert", "51", "255")]
    assert states(service) == ["MASTER", "BACKUP"]
    assert list(service._ports) == ["B", "A"]


def test_a_reload_to_unicast_opens_other_sockets() -> None:
    bench, service = begun()
    service.reload(make_configuration("instance VI_1 priority=100 unicast_peer=10.0.0.2,10.0.0.3 unicast_ttl=9"))
    bench.reactor.run_for(DOWN)
    first, second = bench.kernel.senders
    assert first.closed
    assert (second.multicast, second.ttl) == (False, 9)
    assert bench.kernel.receivers[0].closed
    assert bench.kernel.receivers[1].group is None
    destinations = [destination for _, destination, _ in bench.kernel.sent]
    assert destinations == [bytes((10, 0, 0, 2)), bytes((10, 0, 0, 3))]


def test_the_end_waits_for_scripts_but_not_long() -> None:
    bench, service = begun()
    bench.reactor.run_for(DOWN)
    for number in range(len(bench.scripts.ran)):
        bench.scripts.end(number)
    bench.cut()
    finished: list[int] = []
    service.stop(lambda: finished.append(bench.reactor.time))
    assert bench.cut() == [
        ("log", "(VI_1) leaving MASTER STATE: the daemon stops"),
        ("advert", "51", "0"),
        ("remove", "10.0.0.100"),
        ("script", "/n", "INSTANCE", "VI_1", "STOP", "100"),
        ("fifo", 'INSTANCE "VI_1" STOP 100'),
    ]
    stopped = bench.reactor.time
    bench.reactor.run_for(SECOND - 1)
    assert finished == []
    bench.reactor.run_for(5 * SECOND)
    assert finished == [stopped + SECOND]
    assert all(sender.closed for sender in bench.kernel.senders)
    assert all(receiver.closed for receiver in bench.kernel.receivers)
    assert bench.cut() == []


def test_the_end_comes_with_the_last_script() -> None:
    bench, service = begun()
    bench.scripts.end(0)
    finished: list[int] = []
    service.stop(lambda: finished.append(1))
    assert finished == []
    bench.scripts.end(1)
    assert finished == [1]
    bench.reactor.run_for(2 * SECOND)
    assert finished == [1]


def test_the_end_removes_every_address_however_many() -> None:
    addresses = ",".join(f"10.9.0.{number}/32" for number in range(1, 201))
    bench, service = begun(f"instance VI_1 priority=255 virtual_ipaddress_excluded={addresses}")
    bench.reactor.run_for(SECOND)
    finished: list[int] = []
    service.stop(lambda: finished.append(1))
    assert finished == []
    bench.reactor.run_for(MILLISECOND)
    assert finished == [1]
    assert [place for place in bench.kernel.held if place[1].startswith("10.9.")] == []


def test_dont_release_vrrp_leaves_the_addresses() -> None:
    bench, service = begun("instance VI_1 priority=255", options=ChildOptions(dont_release_vrrp=True))
    bench.reactor.run_for(SECOND)
    bench.cut()
    finished: list[int] = []
    service.stop(lambda: finished.append(1))
    assert finished == [1]
    assert bench.cut() == [
        ("log", "(VI_1) leaving MASTER STATE: the daemon stops"),
        ("advert", "51", "0"),
        ("fifo", 'INSTANCE "VI_1" STOP 255'),
    ]


def test_the_startup_delay() -> None:
    bench, service = begun("global_defs vrrp_startup_delay=5", "instance VI_1 priority=255")
    bench.reactor.run_for(5 * SECOND - 1)
    assert states(service) == ["INIT"]
    bench.reactor.run_for(2000)
    assert "Delayed start completed" in bench.journal.texts()
    assert states(service) == ["MASTER"]


def test_announcements_are_interleaved_and_end_with_mastership() -> None:
    bench, _ = begun("instance VI_1 priority=100 virtual_ipaddress=10.0.0.100/24,10.0.0.101/24 garp_master_repeat=100")
    bench.reactor.time += DOWN
    bench.reactor.turn()
    assert [address for _, address in bench.kernel.frames[:4]] == ["10.0.0.100", "10.0.0.101"] * 2
    assert len(bench.kernel.frames) < 100
    bench.hear(advert(200))
    sent = len(bench.kernel.frames)
    bench.reactor.run_for(SECOND)
    assert len(bench.kernel.frames) == sent


def test_details_of_announcements_are_said_when_asked_for() -> None:
    bench, _ = begun("instance VI_1 priority=100 garp_master_repeat=2", options=ChildOptions(log_detail=1))
    bench.reactor.run_for(DOWN)
    said = [text for text in bench.journal.texts() if "ratuitous ARP" in text and "channel" not in text]
    assert said == [
        "(VI_1) Sending/queueing gratuitous ARPs on eth0 for 10.0.0.100",
        "Sending gratuitous ARP on eth0 for 10.0.0.100",
        "Sending gratuitous ARP on eth0 for 10.0.0.100",
    ]


def test_ipv6_announces_as_a_router_where_the_interface_forwards() -> None:
    bench, _ = begun(
        "instance VI_1 priority=255 virtual_ipaddress=fe80::100/64 garp_master_repeat=1",
        "instance VI_2 priority=255 interface=eth1 virtual_ipaddress=fe80::101/64 garp_master_repeat=1",
        links=("eth0", "eth1"),
    )
    bench.reactor.run_for(MILLISECOND)
    announced = [entry for entry in bench.cut() if entry[0] == "announce"]
    assert announced == [("announce", "fe80::100"), ("announce", "fe80::101", "router")]
    assert "Registering gratuitous NDISC shared channel" in bench.journal.texts()


def test_fifos_get_the_lines() -> None:
    bench, service = begun("instance VI_1 priority=255", "group G group=VI_1")
    bench.reactor.run_for(MILLISECOND)
    lines = [each[1] for each in bench.cut() if each[0] == "fifo"]
    assert lines == ['INSTANCE "VI_1" MASTER 255', 'GROUP "G" MASTER 0']
    part = make_configuration(
        "global_defs fifo_write_vrrp_states_on_reload=True", "instance VI_1 priority=255", "group G group=VI_1"
    )
    service.reload(part)
    assert [each for each in bench.cut() if each[0] == "fifo"] == [("fifo", 'INSTANCE "VI_1" MASTER 255')]
    service.reload(make_configuration("instance VI_1 priority=255", "group G group=VI_1"))
    assert [each for each in bench.cut() if each[0] == "fifo"] == []
    finished: list[int] = []
    service.stop(lambda: finished.append(1))
    lines = [each[1] for each in bench.cut() if each[0] == "fifo"]
    assert lines == ['INSTANCE "VI_1" STOP 255', 'GROUP "G" STOP 0']
    assert finished == [1]


def test_a_burst_of_packets_is_read_in_one_turn() -> None:
    bench, service = begun()
    receiver = bench.kernel.receivers[0]
    receiver.queue.extend([advert(150)] * 300)
    bench.reactor.watched[receiver.fd]()
    assert receiver.queue == []
    assert service._routers.routers["VI_1"].statistics.advert_rcvd == 300


def test_an_empty_configuration_does_nothing() -> None:
    bench = Bench("eth0")
    service = VrrpService(bench.context, Configuration(), bench.kernel)
    service.start()
    bench.reactor.run_for(SECOND)
    finished: list[int] = []
    service.stop(lambda: finished.append(1))
    assert finished == [1]


def test_reloads_leave_no_cycles() -> None:
    """The process runs without the collector: what a reload drops must go by itself."""
    lines = "instance VI_1 priority=255", "instance VI_2 priority=255 virtual_router_id=52", "group G group=VI_1,VI_2"
    bench, service = begun(*lines)
    bench.reactor.run_for(SECOND)
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            service.reload(make_configuration(VI_1, "instance VI_9 priority=255 virtual_router_id=59"))
            bench.reactor.run_for(2 * SECOND)
            service.reload(make_configuration(*lines))
            bench.reactor.run_for(2 * SECOND)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_flood_is_left_to_the_kernel_for_a_while_and_said_once() -> None:
    bench, service = begun()
    bench.hear(advert(150))
    receiver = bench.kernel.receivers[0]
    wrong = advert(200, version="3")
    guarded = []
    for _ in range(300):
        bench.reactor.run_for(10 * MILLISECOND)
        receiver.queue += [wrong] * 100 if receiver.guarded is None else []
        bench.hear(advert(150))
        guarded.append(receiver.guarded is not None)
    assert guarded.index(True) in range(10, 25)
    assert all(guarded[30:])
    assert receiver.guarded is not None
    assert list(receiver.guarded) == [51]
    bench.kernel.add_link("veth0", 9)
    bench.told()
    assert receiver.guarded is not None, "another link is none of its business"
    bench.reactor.run_for(10 * SECOND)
    assert receiver.guarded is None
    assert states(service) == ["MASTER"], "nobody was heard for ten seconds"
    said = [line for line in bench.journal.texts() if "wrong" in line]
    assert len(said) == 1
    assert said[0].startswith("More than 5000 wrong VRRP packets a second on eth0: ")
    assert sum("too short" in line for line in bench.journal.texts()) == 1


def test_many_good_packets_and_a_reload_need_no_guard() -> None:
    bench, service = begun()
    receiver = bench.kernel.receivers[0]
    for number in range(100):
        bench.reactor.run_for(10 * MILLISECOND)
        receiver.queue += [advert(150 + number % 2)] * 100
        bench.hear(advert(150))
    assert receiver.guarded is None
    receiver.queue += [advert(200, version="3")] * 5000
    for _ in range(20):
        bench.reactor.run_for(30 * MILLISECOND)
        receiver.queue += [advert(200, version="3")] * 500
        bench.hear(advert(150))
    assert receiver.guarded is not None
    service.reload(make_configuration("instance VI_1 priority=100 version=3"))
    assert receiver.guarded is None


def test_a_flood_that_goes_on_over_a_reload_is_soon_left_to_the_kernel_again() -> None:
    bench, service = begun()
    receiver = bench.kernel.receivers[0]

    def flood() -> None:
        for _ in range(50):
            bench.reactor.run_for(10 * MILLISECOND)
            receiver.queue += [advert(200, version="3")] * 100 if receiver.guarded is None else []
            bench.hear(advert(150))

    flood()
    assert receiver.guarded is not None
    service.reload(make_configuration("instance VI_1 priority=101"))
    assert receiver.guarded is None
    flood()
    assert receiver.guarded is not None


def test_an_address_that_a_reload_removes_is_announced_no_more() -> None:
    line = "instance VI_1 priority=100 virtual_ipaddress=10.0.0.100/24"
    spaced = f"global_defs vrrp_garp_interval={SECOND}"
    bench, service = begun(spaced, f"{line},10.0.0.101/24,10.0.0.102/24")
    bench.reactor.run_for(DOWN)
    service.reload(make_configuration(spaced, line))
    bench.cut()
    bench.reactor.run_for(60 * SECOND)
    announced = [word for kind, *word in bench.cut() if kind == "announce"]
    assert ["10.0.0.100"] in announced
    assert ["10.0.0.102"] not in announced


def test_messages_of_a_vmac_share_the_time_of_its_base() -> None:
    bench, service = begun(links=("eth0", "eth1"))
    bench.kernel.links["vrrp.51"] = replace(make_link("vrrp.51", 9), kind="macvlan", base=2)
    service._host.interface_changed(None, bench.kernel.links["vrrp.51"])
    assert [service._host.physical(name) for name in ("vrrp.51", "eth0", "unheard of")] == [
        "eth1",
        "eth0",
        "unheard of",
    ]
