"""static_ipaddress and track_group: the default interface, and who follows."""

import pytest

from pykeepalived.config.blocks.track_group import TrackGroup
from tests.config.machine import Machine
from tests.config.reading import instance_text, messages, read, sound

GROUP = "track_group T {\ngroup {\nVI_1\n}\n}\n"


def static(*lines: str, before: str = GROUP, machine: Machine | None = None) -> tuple[int, list[str], list[str | None]]:
    """The verdict, the addresses that are left, and their groups."""
    text = instance_text("", before + "static_ipaddress {\n" + "\n".join(lines) + "\n}\n")
    loaded = read(text, machine)
    found = loaded.configuration.static_ipaddress
    return loaded.exit_code, [f"{each} {each.dev}" for each in found], [each.track_group for each in found]


@pytest.mark.parametrize(
    ("line", "exit_code", "left", "group"),
    [
        ("10.9.9.1/24 dev eth1", 0, "10.9.9.1/24 eth1", None),
        ("10.9.9.1", 0, "10.9.9.1 eth0", None),
        ("10.9.9.1/24 track_group T", 0, "10.9.9.1/24 eth0", "T"),
        ("10.9.9.1/24 track_group T no_track", 0, "10.9.9.1/24 eth0", "T"),
        ("10.9.9.1/24 track_group T track_group T", 5, "10.9.9.1/24 eth0", "T"),
        ("10.9.9.1/24 track_group U", 5, "10.9.9.1/24 eth0", None),
        ("10.9.9.1/24 track_group", 5, "", None),
        ("10.9.9.1/24 use_vmac", 5, "10.9.9.1/24 eth0", None),
        ("10.9.9.1/24 peer 10.9.9.2", 5, "10.9.9.1 eth0", None),
        ("10.9.9.1/33", 5, "10.9.9.1 eth0", None),
        ("10.9.9.1 dev nope", 5, "", None),
        ("10.9.9.1 dev eth1 dev eth1", 5, "", None),
        ("nowhere", 5, "", None),
    ],
)
def test_lines(line: str, exit_code: int, left: str, group: str | None) -> None:
    assert static(line) == (exit_code, [left] if left else [], [group] if left else [])


def test_blocks_add_up_and_equal_lines_stay() -> None:
    text = "static_ipaddress {\n10.9.9.1 dev eth1\n}\nstatic_ipaddress {\n10.9.9.1 dev eth1\n}\n"
    assert len(sound(text).configuration.static_ipaddress) == 2


def test_a_group_must_stand_above_the_line() -> None:
    assert static("10.9.9.1 track_group T", before="")[0] == 5
    block = "static_ipaddress {\n10.9.9.%d dev eth1 track_group T\n}\n"
    assert read(instance_text("", block % 1 + GROUP)).exit_code == 5
    # each block for itself
    loaded = read(instance_text("", block % 1 + GROUP + block % 2))
    assert len(messages(loaded)) == 1
    assert [each.track_group for each in loaded.configuration.static_ipaddress] == [None, "T"]


def test_the_default_interface() -> None:
    machine = Machine(interfaces=("eth1",))
    text = "%sstatic_ipaddress {\n10.9.9.1/24%s\n}\n"
    loaded = read(text % ("", ""), machine)
    assert (loaded.exit_code, loaded.fatal) == (4, True)
    assert "there is no eth0" in messages(loaded)[0]
    assert read(text % ("", " dev eth1"), machine).exit_code == 0
    named = "global_defs {\ndefault_interface eth1\n}\n"
    assert [each.dev for each in sound(text % (named, ""), machine).configuration.static_ipaddress] == ["eth1"]
    # its place does not matter
    assert read((text % ("", "")) + named, machine).exit_code == 0
    assert read(text % ("global_defs {\ndynamic_interfaces\n}\n", ""), machine).exit_code == 0


@pytest.mark.parametrize(
    ("text", "exit_code", "members"),
    [
        ("track_group T {\ngroup {\nVI_1 VI_1\n}\n}", 0, ("VI_1",)),
        ("track_group T {\ngroup {\nVI_9\n}\n}", 0, ()),
        ("track_group T {\n}", 0, ()),
        ("track_group T {\ngroup {\n}\n}", 5, ()),
        ("track_group T {\ngroup {\nVI_1\n}\n}\ntrack_group T {\ngroup {\nVI_1\n}\n}", 5, ("VI_1",)),
        ("track_group T U {\ngroup {\nVI_1\n}\n}", 5, None),
        ("track_group {\ngroup {\nVI_1\n}\n}", 5, None),
        ("track_group T {\ngroup {\nVI_1\n}\nfoo\n}", 5, ("VI_1",)),
        ("track_group T {\ngroup VI_9 {\nVI_1\n}\n}", 5, ("VI_1",)),
    ],
)
def test_track_groups(text: str, exit_code: int, members: tuple[str, ...] | None) -> None:
    loaded = read(instance_text("", text + "\n"))
    assert loaded.exit_code == exit_code
    wanted = () if members is None else (TrackGroup(name="T", group=members),)
    assert loaded.configuration.track_group == wanted


def test_a_second_list_of_members_does_not_lose_the_group() -> None:
    text = "%s G {\ngroup {\nVI_1\nVI_2\n}\ngroup {\nVI_2\n}\n}\n"
    pair = instance_text("") + instance_text("").replace("VI_1", "VI_2").replace("51", "52")
    for name in ("track_group", "vrrp_sync_group"):
        loaded = read(pair + text % name)
        assert loaded.exit_code == 5
        (found,) = getattr(loaded.configuration, name)
        assert found.group == ("VI_1", "VI_2")


def test_a_group_does_without_an_instance_that_is_refused() -> None:
    loaded = read(instance_text("unicast_peer {\n10.0.0.9\n}\nstrict_mode", GROUP))
    assert [each for each in messages(loaded) if "not allowed in strict mode" not in each] == []
    assert loaded.configuration.track_group == (TrackGroup(name="T", group=()),)
