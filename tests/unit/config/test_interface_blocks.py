"""garp_group, linkbeat_interfaces and interface_up_down_delays."""

import pytest

from pykeepalived.config.blocks.garp_group import GarpGroup
from pykeepalived.config.blocks.interfaces import InterfaceUpDownDelay, LinkbeatInterface
from pykeepalived.config.diagnostics import Severity
from pykeepalived.config.difference import difference, lines
from pykeepalived.units import SECOND
from tests.config.reading import messages, read, sound

# --- garp_group ---


def test_a_group_has_intervals_and_interfaces() -> None:
    text = "garp_group {\ngarp_interval 0.25\ninterface eth0\ninterfaces {\neth1\n}\n}\ngarp_group {\ngna_interval 0\n}"
    assert sound(text).configuration.garp_group == (
        GarpGroup(SECOND // 4, 0, ("eth0", "eth1")),
        GarpGroup(0, 0, ()),
    )


def test_the_keyword_interface_stands_any_number_of_times() -> None:
    (found,) = sound("garp_group {\ninterface eth0\ninterface eth1\ngna_interval 2\n}").configuration.garp_group
    assert found == GarpGroup(0, 2 * SECOND, ("eth0", "eth1"))


@pytest.mark.parametrize(
    ("text", "wanted", "groups"),
    [
        ("garp_group {\n}", ["1:1 garp_group does not have any delay set - removing"], ()),
        ("garp_group {\ninterface eth0\n}", ["1:1 garp_group does not have any delay set - removing"], ()),
        (
            "garp_group {\ngarp_interval 1\ninterface eth0\n   interface eth0\n}",
            ["4:14 garp_group already specified for eth0 - ignoring"],
            (GarpGroup(SECOND, 0, ("eth0",)),),
        ),
        (
            (
                "garp_group {\ngarp_interval 1\ninterface eth0\n}\n"
                "garp_group {\ngarp_interval 2\ninterfaces {\neth1 eth0\n}\n}"
            ),
            ["8:6 garp_group already specified for eth0 - ignoring"],
            (GarpGroup(SECOND, 0, ("eth0",)), GarpGroup(2 * SECOND, 0, ("eth1",))),
        ),
        (
            "garp_group {\ngarp_interval 1\ninterfaces {\n}\n}",
            ["3:1 empty garp_group interfaces block"],
            (GarpGroup(SECOND),),
        ),
        (
            "garp_group {\ngna_interval 4295\ngarp_interval 1\ninterface eth0\n}",
            ["2:14 gna_interval: number '4295' outside range [0, 4294.967295]"],
            (GarpGroup(SECOND, 0, ("eth0",)),),
        ),
    ],
)
def test_mistakes_of_a_group(text: str, wanted: list[str], groups: tuple[GarpGroup, ...]) -> None:
    loaded = read(text)
    assert messages(loaded) == wanted
    assert (loaded.exit_code, loaded.fatal) == (5, False)
    assert loaded.configuration.garp_group == groups


def test_a_group_without_interfaces_is_said_and_does_not_count() -> None:
    (found,) = sound("garp_group {\ngarp_interval 1\n}").diagnostics
    assert (found.severity, found.message) == (Severity.WARNING, "garp_group has no interface")


# --- lines about interfaces ---


def test_linkbeat_has_a_method_or_none() -> None:
    found = sound("linkbeat_interfaces {\neth0 MII\neth1\neth0 ETHTOOL\n}").configuration.linkbeat_interfaces
    assert found == (LinkbeatInterface("eth0", "ETHTOOL"), LinkbeatInterface("eth1"))


@pytest.mark.parametrize(
    ("line", "message", "method"),
    [
        ("eth0 mii", "2:6 extra characters mii in linkbeat interface", ""),
        ("eth0 MII IOCTL", "2:10 extra characters IOCTL in linkbeat interface", "MII"),
        ("eth0 no MII", "2:6 extra characters no in linkbeat interface", ""),
    ],
)
def test_what_else_stands_there_is_said(line: str, message: str, method: str) -> None:
    loaded = read(f"linkbeat_interfaces {{\n{line}\n}}")
    assert messages(loaded) == [message]
    assert loaded.exit_code == 5
    assert [each.method for each in loaded.configuration.linkbeat_interfaces] == [method]


def test_delays_are_down_then_up() -> None:
    text = "interface_up_down_delays {\neth0 1 2\neth1 255\neth0 0.5 0.25\n}"
    assert sound(text).configuration.interface_up_down_delays == (
        InterfaceUpDownDelay("eth0", SECOND // 2, SECOND // 4),
        InterfaceUpDownDelay("eth1", 255 * SECOND, 0),
    )


def test_one_delay_is_said_to_be_that_of_going_down() -> None:
    loaded = sound("interface_up_down_delays {\neth0 3\n}")
    (found,) = loaded.diagnostics
    assert found.message == "eth0 has no delay for coming up, which is then 0"
    assert found.hint == "write eth0 3 3 for the same delay both ways"


@pytest.mark.parametrize(
    ("line", "wanted", "delays"),
    [
        ("eth0 256", ["2:6 number '256' outside range [0, 255]"], (0, 0)),
        ("eth0 1 256", ["2:8 number '256' outside range [0, 255]"], (SECOND, 0)),
        ("eth0 x 256", ["2:6 invalid number 'x'", "2:8 number '256' outside range [0, 255]"], (0, 0)),
        ("eth0 1.0000015 2", ["2:6 '1.0000015' has too many decimal places (at most 6)"], (1_000_002_000, 2 * SECOND)),
    ],
)
def test_delays_that_are_none(line: str, wanted: list[str], delays: tuple[int, int]) -> None:
    loaded = read(f"interface_up_down_delays {{\n{line}\n}}")
    assert messages(loaded) == wanted
    (found,) = loaded.configuration.interface_up_down_delays
    assert (found.down, found.up) == delays


# --- interfaces that do not exist ---


@pytest.mark.parametrize(
    ("text", "exit_code", "message"),
    [
        (
            "garp_group {\ngarp_interval 1\ninterface ppp0\n}",
            5,
            "3:11 WARNING - interface ppp0 specified for garp_group doesn't exist",
        ),
        ("linkbeat_interfaces {\nppp0\n}", 4, "2:1 unknown interface ppp0 specified for linkbeat interface"),
        ("interface_up_down_delays {\nppp0 1\n}", 4, "2:1 unknown interface ppp0 specified for up/down delay"),
    ],
)
def test_an_interface_must_exist_unless_dynamic_ones_are_allowed(text: str, exit_code: int, message: str) -> None:
    loaded = read(text)
    assert messages(loaded) == [message]
    assert (loaded.exit_code, loaded.fatal) == (exit_code, True)
    assert loaded.diagnostics[0].hint
    allowed = sound("global_defs {\ndynamic_interfaces\n}\n" + text).configuration
    names = [
        *(name for group in allowed.garp_group for name in group.interfaces),
        *(each.name for each in allowed.linkbeat_interfaces),
        *(each.name for each in allowed.interface_up_down_delays),
    ]
    assert names == ["ppp0"]


# --- as values ---


def test_lines_are_written_as_they_are_read() -> None:
    for each in (LinkbeatInterface("eth0"), LinkbeatInterface("eth1", "IOCTL")):
        (found,) = sound(f"linkbeat_interfaces {{\n{each.entry_text()}\n}}").configuration.linkbeat_interfaces
        assert found == each
    delay = InterfaceUpDownDelay("eth0", SECOND // 3 // 1000 * 1000, 0)
    (read_again,) = sound(
        f"interface_up_down_delays {{\n{delay.entry_text()}\n}}"
    ).configuration.interface_up_down_delays
    assert read_again == delay


def test_they_are_the_vrrp_process_s_and_a_reload_names_them() -> None:
    text = "garp_group {\ngarp_interval %s\ninterface eth0\n}\nlinkbeat_interfaces {\neth0 %s\n}\n"
    old, new = (sound(text % values).configuration for values in (("1", "MII"), ("2", "IOCTL")))
    assert old.vrrp_part() == old
    assert (old.checker_part().garp_group, old.checker_part().linkbeat_interfaces) == ((), ())
    assert lines(difference(old, new)) == [
        "garp_group eth0: garp_interval 1 -> 2",
        "linkbeat_interfaces eth0: method MII -> IOCTL",
    ]
    gone = sound("interface_up_down_delays {\neth0 1 1\n}").configuration
    assert lines(difference(old, gone)) == [
        "garp_group eth0: removed",
        "linkbeat_interfaces eth0: removed",
        "interface_up_down_delays eth0: added",
    ]


INSTANCE = (
    "vrrp_instance %s {\ninterface eth0\nvirtual_router_id %d\nversion 3\nadvert_int %s\ndown_timer_adverts %d\n"
    "virtual_ipaddress {\n10.0.0.%d\n}\n}\n"
)


@pytest.mark.parametrize(
    ("down", "adverts", "advert_int", "kept"),
    [
        ("1.9", 3, "1", 1_900_000_000),
        ("2", 3, "1", 1_996_094_000),  # 2.2.7: a 256th of the interval below two of them
        ("200", 5, "0.5", 1_998_047_000),
        ("1", 1, "1", 0),
        ("0", 1, "1", 0),
    ],
)
def test_a_delay_for_going_down_ends_before_another_router_takes_over(
    down: str, adverts: int, advert_int: str, kept: int
) -> None:
    text = f"interface_up_down_delays {{\neth0 {down} 200\n}}\n" + INSTANCE % ("VI_1", 51, advert_int, adverts, 1)
    loaded = read(text)
    assert loaded.configuration.interface_up_down_delays == (InterfaceUpDownDelay("eth0", kept, 200 * SECOND),)
    said = f"VI_1: interface eth0 debounce timer(s) not less that {adverts - 1} * advert_int - resetting"
    warned = [each for each in loaded.diagnostics if each.severity is Severity.WARNING]
    assert [each.message for each in warned] == ([f"{said}"] if float(down) * SECOND != kept else [])


def test_the_fastest_instance_of_an_interface_decides() -> None:
    slow, fast = INSTANCE % ("VI_1", 51, "1", 3, 1), INSTANCE % ("VI_2", 52, "0.1", 3, 2)
    loaded = read(f"interface_up_down_delays {{\neth0 1.5 1\neth1 100 1\n}}\n{slow}{fast}")
    first, second = loaded.configuration.interface_up_down_delays
    assert first == InterfaceUpDownDelay("eth0", 199_610_000, SECOND)
    assert second.down == 100 * SECOND  # nobody's
