"""RFC 9568 (VRRP version 3) where no other test shows it: rfc9568.txt says which test stands for which requirement."""

from dataclasses import replace

import pytest

from pykeepalived.units import CENTISECOND, SECOND
from pykeepalived.vrrp.effects import Announce
from pykeepalived.wire.vrrp import Reason
from tests.config.reading import instance, instance_text, messages, read
from tests.conformance.virtual_router import LOWER, OTHER, Bench, adverts, changed, lines

V3 = "version=3 priority=100"
V3_6 = f"{V3} virtual_ipaddress=fe80::100/64,2001:db8::100/64"
FAMILIES = pytest.mark.parametrize("options", [V3, V3_6], ids=["IPv4", "IPv6"])
DOWN = 3 * SECOND + 156 * SECOND // 256


# --- packets ----------------------------------------------------------------------------------------------------


@FAMILIES
def test_a_sound_advert_is_accepted(options: str) -> None:
    bench = Bench(options)
    assert bench.refusal(bench.packet(150)) == ""
    bench.hears(bench.packet(150), SECOND)
    assert bench.waits == SECOND + DOWN
    assert bench.router.statistics.advert_rcvd == 1


@FAMILIES
@pytest.mark.parametrize("ttl", [0, 1, 64, 254])
def test_what_may_have_been_forwarded_is_discarded(options: str, ttl: int) -> None:
    bench = Bench(options)
    (line,) = lines(bench.hears(replace(bench.packet(150), ttl=ttl), SECOND))
    assert "invalid TTL/HL" in line
    assert (bench.waits, bench.router.statistics.errors) == (DOWN, {Reason.TTL: 1})


@FAMILIES
@pytest.mark.parametrize("kind", [0, 2, 15])
def test_unknown_types_are_discarded(options: str, kind: int) -> None:
    bench = Bench(options)
    bench.hears(changed(bench.packet(150), 0, 0x30 | kind), SECOND)
    assert (bench.waits, bench.router.statistics.errors) == (DOWN, {Reason.TYPE: 1})


@pytest.mark.parametrize("version", [0, 1, 4, 15])
def test_other_versions_are_discarded(version: int) -> None:
    for options in (V3, V3_6):
        bench = Bench(options)
        bench.hears(changed(bench.packet(150), 0, version << 4 | 1), SECOND)
        assert (bench.waits, bench.router.statistics.errors) == (DOWN, {Reason.VERSION: 1})


@FAMILIES
def test_a_packet_that_is_cut_is_discarded(options: str) -> None:
    bench = Bench(options)
    whole = bench.packet(150)
    for length in range(len(whole.data)):
        assert bench.refusal(replace(whole, data=whole.data[:length], length=length)) == Reason.LENGTH
    assert bench.refusal(changed(whole, 3, whole.data[3] + 1)) == Reason.LENGTH


def test_any_other_checksum_is_discarded() -> None:
    bench = Bench(V3)
    sound = bench.packet(150)
    for at in (6, 7):
        for bit in range(8):
            assert bench.refusal(changed(sound, at, sound.data[at] ^ 1 << bit, summed=False)) == Reason.CHECKSUM


@FAMILIES
def test_reserved_bits_are_sent_as_zero(options: str) -> None:
    bench = Bench(options)
    for advert_int in ("0.01", "1", "40.95"):
        assert bench.packet(100, advert_int=advert_int).data[4] >> 4 == 0


@FAMILIES
def test_reserved_bits_that_are_set_are_ignored(options: str) -> None:
    bench = Bench(options)
    sound = bench.packet(150)
    bench.hears(changed(sound, 4, sound.data[4] | 0xF0), SECOND)
    assert (bench.waits, bench.router.statistics.errors) == (SECOND + DOWN, {})


@pytest.mark.parametrize(
    ("options", "at", "value"),
    [
        ("virtual_router_id=7", 1, 7),
        ("virtual_router_id=255", 1, 255),
        ("advert_int=0.01", 5, 1),
        ("advert_int=40.95", 4, 0xF),
        ("virtual_ipaddress=10.0.0.7/24", 11, 7),
        ("virtual_ipaddress=10.0.0.7/24,10.0.0.8/24", 3, 2),
    ],
)
def test_every_field_is_the_setting_s(options: str, at: int, value: int) -> None:
    bench = Bench(f"{V3} {options}")
    packet = bench.packet(100, **dict(option.split("=") for option in options.split()))
    assert packet.data[at] == value
    assert Bench(V3).packet(100).data[at] != value
    assert bench.refusal(packet) == ""


def test_an_advert_without_addresses_is_accepted() -> None:
    """As keepalived does: no_virtual_ipaddress is an election without addresses."""
    bench = Bench(f"{V3} virtual_ipaddress=")
    bench.hears(bench.packet(150), SECOND)
    assert bench.waits == SECOND + DOWN
    bench = Bench(V3)
    (line,) = lines(bench.hears(bench.packet(150, virtual_ipaddress=""), SECOND))
    assert line == "(VI_1) expected 1 VIPs but received 0"
    assert bench.waits == SECOND + DOWN


def test_an_advert_of_interval_zero_is_accepted_and_counts_at_our_own() -> None:
    bench = Bench(V3)
    bench.hears(bench.packet(150, advert_int="0"), SECOND)
    assert bench.waits == SECOND + DOWN


def test_an_ipv6_advert_that_begins_with_another_address_is_accepted() -> None:
    bench = Bench(V3_6)
    bench.hears(bench.packet(150, virtual_ipaddress="2001:db8::100/64,fe80::100/64"), SECOND)
    assert bench.waits == SECOND + DOWN


# --- settings ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("written", "kept"), [("1", 1), ("254", 254), ("255", 255)])
def test_priorities_that_exist(written: str, kept: int) -> None:
    assert instance(f"priority {written}").priority == kept


@pytest.mark.parametrize("written", ["0", "256", "-1"])
def test_priorities_that_do_not_exist_are_refused(written: str) -> None:
    loaded = read(instance_text(f"priority {written}"))
    assert len(messages(loaded)) == 1
    assert loaded.configuration.vrrp_instance[0].priority == 100


# --- the state machine ------------------------------------------------------------------------------------------


def test_who_has_stopped_as_backup_says_nothing_and_never_takes_over() -> None:
    bench = Bench(V3)
    assert adverts(bench.host.stop(SECOND)) == []
    assert bench.router.deadline is None
    assert bench.passes(100 * SECOND) == []
    assert bench.hears(bench.packet(0), 101 * SECOND) == []


def test_who_goes_on_takes_over() -> None:
    bench = Bench(V3)
    assert adverts(bench.passes(DOWN)) == [100]


def test_who_has_stopped_as_master_said_priority_zero_and_no_more() -> None:
    bench = Bench(V3)
    bench.master()
    assert adverts(bench.host.stop(4 * SECOND)) == [0]
    assert bench.router.deadline is None
    assert bench.passes(100 * SECOND) == []


def test_nothing_is_sent_before_an_interval_has_passed() -> None:
    bench = Bench(V3)
    since = bench.master()
    assert bench.passes(since + SECOND - 1) == []
    assert adverts(bench.passes(since + SECOND)) == [100]
    assert bench.waits == since + 2 * SECOND


def test_priority_zero_is_answered_and_the_next_advert_waits_a_whole_interval() -> None:
    bench = Bench(V3)
    since = bench.master()
    assert adverts(bench.hears(bench.packet(0), since + SECOND // 2)) == [100]
    assert bench.waits == since + SECOND // 2 + SECOND
    assert bench.state == "MASTER"


def test_priority_zero_leaves_the_skew_time_of_the_master_s_interval() -> None:
    bench = Bench(V3)
    bench.hears(bench.packet(150, advert_int="4"), SECOND)
    bench.hears(bench.packet(0, advert_int="4"), 2 * SECOND)
    assert bench.waits == 2 * SECOND + 156 * 4 * SECOND // 256


@FAMILIES
def test_a_master_yields_to_a_better_one_and_waits_by_its_interval(options: str) -> None:
    bench = Bench(options)
    since = bench.master()
    assert adverts(bench.hears(bench.packet(101, advert_int="0.5"), since)) == []
    assert (bench.state, bench.waits) == ("BACKUP", since + DOWN // 2)


@FAMILIES
def test_of_two_equals_the_higher_address_stays(options: str) -> None:
    bench = Bench(options)
    since = bench.master()
    assert adverts(bench.hears(bench.packet(100, LOWER[bench.family]), since)) == [100]
    assert bench.state == "MASTER"
    bench.hears(bench.packet(100, OTHER[bench.family]), since)
    assert bench.state == "BACKUP"


def test_addresses_are_compared_without_a_sign() -> None:
    bench = Bench(V3)  # 10.0.0.20: below 192.0.2.1, whose first bit is set
    since = bench.master()
    bench.hears(bench.packet(100, "192.0.2.1"), since)
    assert bench.state == "BACKUP"


@FAMILIES
def test_a_losing_advert_changes_nothing_and_is_answered_at_once(options: str) -> None:
    bench = Bench(options)
    since = bench.master()
    assert adverts(bench.hears(bench.packet(99), since + SECOND // 2)) == [100]
    assert (bench.state, bench.waits) == ("MASTER", since + SECOND // 2 + SECOND)


@FAMILIES
def test_addresses_are_announced_when_it_becomes_master_and_not_before(options: str) -> None:
    bench = Bench(options)
    assert not any(isinstance(each, Announce) for each in bench.passes(DOWN - 1))
    (announced,) = [each for each in bench.passes(DOWN) if isinstance(each, Announce)]
    assert announced.entries == bench.instance.virtual_ipaddress


def test_an_owner_that_hears_another_master_says_so() -> None:
    bench = Bench("version=3 priority=255")
    since = bench.master()
    told = lines(bench.hears(bench.packet(150), since))
    assert "(VI_1) Received advert from 10.0.0.30 with lower priority 150, ours 255, forcing new election" in told
    other = Bench(V3)
    assert lines(other.hears(other.packet(150), SECOND)) == []


@pytest.mark.parametrize("interval", [CENTISECOND, SECOND])
def test_another_interval_is_said_and_our_own_is_not(interval: int) -> None:
    bench = Bench(V3)
    told = lines(bench.hears(bench.packet(150, advert_int=str(interval / SECOND)), SECOND))
    assert len(told) == (interval != SECOND)
