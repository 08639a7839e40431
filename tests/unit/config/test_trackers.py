"""What instances and groups follow: lines, the weights of definitions, and what owners and groups do to weights."""

import pytest

from pykeepalived.config.blocks.trackers import TrackBfd, TrackFile, TrackInterface, TrackProcess, TrackScript
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.cross.trackers import TRACKS
from tests.config.reading import instance_text, messages, read, sound

SECURE = "global_defs {\nenable_script_security\nscript_user root\n}\n"
DEFINED = (
    SECURE
    + "vrrp_script x {\nscript /opt/check.sh\n%s\n}\n"
    + "track_file x {\nfile /tmp/x\n%s\n}\n"
    + "vrrp_track_process x {\nprocess nginx\n%s\n}\n"
    + "bfd_instance x {\nneighbor_ip 10.0.0.9\n%s\n}\n"
)
PLAIN = DEFINED % (("",) * 4)
TURNED = DEFINED % (("weight 5 reverse",) * 4)
CLASSES = {
    "track_script": TrackScript,
    "track_file": TrackFile,
    "track_process": TrackProcess,
    "track_bfd": TrackBfd,
}
NAMED = tuple(CLASSES)


def lines(keyword: str, *tracked: str) -> str:
    return f"{keyword} {{\n" + "\n".join(tracked) + "\n}"


def one(keyword: str, tracked: str, defined: str = PLAIN) -> object:
    """The only tracker that comes of a sound line."""
    (instance,) = sound(instance_text(lines(keyword, tracked), defined)).configuration.vrrp_instance
    (found,) = getattr(instance, keyword)
    return found


@pytest.mark.parametrize("keyword", NAMED)
def test_the_weight_is_that_of_the_line_else_that_of_the_definition(keyword: str) -> None:
    cls = CLASSES[keyword]
    assert one(keyword, "x") == cls("x", 1 if keyword == "track_file" else 0)
    assert one(keyword, "x", TURNED) == cls("x", 5, reverse=True)
    assert one(keyword, "x weight 7", TURNED) == cls("x", 7, reverse=True)
    assert one(keyword, "x weight 7 noreverse", TURNED) == cls("x", 7)
    assert one(keyword, "x weight -7 reverse") == cls("x", -7, reverse=True)
    # what follows is not looked at, as in keepalived
    assert one(keyword, "x weight 7 reverse and more") == cls("x", 7, reverse=True)


@pytest.mark.parametrize("keyword", TRACKS)
def test_a_line_is_written_as_it_reads(keyword: str) -> None:
    names: tuple[str, ...] = ("eth1", "eth1 weight 3", "eth1 weight -253 reverse", "eth1 weight 0 reverse")
    if keyword != "track_interface":
        names = tuple(each.replace("eth1", "x") for each in (*names, "eth1 weight 4 noreverse"))
    for line in names:
        found = one(keyword, line)
        assert one(keyword, found.entry_text()) == found  # type: ignore[attr-defined]
        if keyword != "track_interface":
            # also where the definition says something else
            assert one(keyword, found.entry_text(), TURNED) == found  # type: ignore[attr-defined]
    assert one("track_interface", "eth1").entry_text() == "eth1"  # type: ignore[attr-defined]
    assert TrackFile("two words", 3).entry_text() == '"two words" weight 3 noreverse'


@pytest.mark.parametrize(
    ("tracked", "message", "kept"),
    [
        ("x wieght 3", "unknown option 'wieght' of tracked", False),
        ("x reverse", "unknown option 'reverse' of tracked", False),
        ("x weight", "lacks its value - it is not tracked", False),
        ("x weight 3 foo", "unknown option 'foo' of tracked", False),
        ("x weight 300", "number '300' outside range", True),
        ("x weight 3x", "weight of x: invalid number '3x'", True),
        ("x\nx weight 4", "x is tracked already - ignored", True),
    ],
)
@pytest.mark.parametrize("keyword", NAMED)
def test_bad_lines(keyword: str, tracked: str, message: str, kept: bool) -> None:
    loaded = read(instance_text(lines(keyword, tracked), TURNED))
    assert loaded.exit_code == 5
    assert not loaded.fatal
    (said,) = messages(loaded)
    assert message in said
    (found,) = loaded.configuration.vrrp_instance
    # a bad number leaves that of the definition
    assert getattr(found, keyword) == ((CLASSES[keyword]("x", 5, reverse=True),) if kept else ())


def test_bounds_of_weights() -> None:
    for keyword in ("track_file", "track_process"):
        assert one(keyword, "x weight -254") == CLASSES[keyword]("x", -254)
    for keyword, name, kept in (("track_script", "x", 253), ("track_interface", "eth1", 253), ("track_bfd", "x", 0)):
        loaded = read(instance_text(lines(keyword, f"{name} weight 254"), PLAIN))
        assert loaded.exit_code == 5
        (found,) = getattr(loaded.configuration.vrrp_instance[0], keyword)
        assert found.weight == kept
        assert read(instance_text(lines(keyword, f"{name} weight -253"), PLAIN)).exit_code == 0


@pytest.mark.parametrize(
    ("keyword", "what", "block"),
    [
        ("track_script", "script", "vrrp_script"),
        ("track_file", "file", "track_file"),
        ("track_process", "process", "vrrp_track_process"),
        ("track_bfd", "bfd", "bfd_instance"),
    ],
)
def test_what_is_followed_stands_above(keyword: str, what: str, block: str) -> None:
    loaded = read(instance_text(lines(keyword, "y"), PLAIN))
    assert messages(loaded) == [f"29:1 (VI_1) track {what} y not found, ignoring..."]
    (found,) = [each for each in loaded.diagnostics if each.problem]
    assert found.hint == f"define it above: {block} y {{ ... }}"
    below = read(SECURE + instance_text(lines(keyword, "x")) + PLAIN.removeprefix(SECURE))
    assert messages(below) == [f"13:1 (VI_1) track {what} x is defined after its use, ignoring..."]
    assert getattr(below.configuration.vrrp_instance[0], keyword) == ()
    near = read(instance_text(lines(keyword, "xyz"), PLAIN.replace(f"{block} x", f"{block} xyzz")))
    assert [each.hint for each in near.diagnostics if each.problem] == ["did you mean xyzz?"]


def test_a_missing_definition_is_said_also_where_the_instance_is_refused() -> None:
    loaded = read("vrrp_instance V {\ntrack_process {\nq\n}\n}")
    assert "3:1 (V) track process q not found, ignoring..." in messages(loaded)


def test_interfaces() -> None:
    assert one("track_interface", "eth1 weight 3 reverse") == TrackInterface("eth1", 3, reverse=True)
    for line, message in (
        ("eth1 weight 3 noreverse", "unknown option 'noreverse'"),
        ("eth1 eth0", "unknown option 'eth0'"),
        ("eth1\neth1", "eth1 is tracked already"),
        ("eth0", "eth0 is the instance's own interface"),
    ):
        loaded = read(instance_text(lines("track_interface", line)))
        assert loaded.exit_code == 5, line
        assert message in messages(loaded)[0]
    # also where the own interface is overlooked
    assert read(instance_text("dont_track_primary\n" + lines("track_interface", "eth0"))).exit_code == 5


def test_definitions_that_cannot_be_used_are_one_mistake() -> None:
    for text, keyword in (
        ("track_file x {\n}\n", "track_file"),
        ("vrrp_track_process x {\n}\n", "track_process"),
        ("bfd_instance x {\n}\n", "track_bfd"),
        (SECURE + "vrrp_script x {\n}\n", "track_script"),
        (SECURE + "vrrp_script x {\nscript /no/such\n}\n", "track_script"),
    ):
        loaded = read(instance_text(lines(keyword, "x"), text))
        assert loaded.exit_code == 5
        assert len(messages(loaded)) == 1, messages(loaded)
        assert getattr(loaded.configuration.vrrp_instance[0], keyword) == ()
        assert any("ignoring..." in each.message for each in loaded.diagnostics)


def test_a_missing_script_counts_also_where_nothing_follows_it() -> None:
    loaded = read(SECURE + "vrrp_script s {\nscript /no/such\n}\n")
    assert messages(loaded) == ["6:8 Unable to find script '/no/such' - disabling"]
    # of a notify it does not, and what was said of it does not hide that it counts here
    text = SECURE + "global_defs {\nnotify_fifo_script /no/such\n}\nvrrp_script s {\nscript /no/such\n}\n"
    assert read(text).exit_code == 5


# --- owners and groups ---


@pytest.mark.parametrize(
    ("keyword", "tracked", "left", "exit_code"),
    [
        ("track_interface", "eth1", (TrackInterface("eth1"),), 0),
        ("track_interface", "eth1 weight 5", (), 5),
        ("track_script", "x weight 5", (), 5),
        ("track_bfd", "x weight 5", (), 5),
        ("track_file", "x", (TrackFile("x", 0),), 5),
        ("track_file", "x weight 0", (TrackFile("x", 0),), 0),
        ("track_file", "x weight 2", (), 5),
        ("track_file", "x weight -1", (), 5),
        ("track_process", "x weight 5", (TrackProcess("x", 5),), 0),
    ],
)
def test_owners_have_no_weights(keyword: str, tracked: str, left: tuple[object, ...], exit_code: int) -> None:
    loaded = read(instance_text("priority 255\n" + lines(keyword, tracked), PLAIN))
    assert loaded.exit_code == exit_code
    assert getattr(loaded.configuration.vrrp_instance[0], keyword) == left
    said = [each for each in loaded.diagnostics if "due to address owner" in each.message]
    assert len(said) == (1 if "weight" in tracked and not tracked.endswith("0") else exit_code // 5)


def group(
    keyword: str, member: str = "", own: str = "", more: str = "", instance: str = ""
) -> tuple[int, VrrpInstance, tuple[object, ...]]:
    """The verdict, the first member, and what the group follows by that keyword."""
    text = instance_text((lines(keyword, member) if member else "") + instance, PLAIN)
    text += instance_text("").replace("VI_1", "VI_2").replace("51", "52")
    tracked = lines(keyword, own) if own else ""
    loaded = read(f"{text}vrrp_sync_group G {{\ngroup {{\nVI_1 VI_2\n}}\n{tracked}\n{more}\n}}")
    (found,) = loaded.configuration.vrrp_sync_group
    return loaded.exit_code, loaded.configuration.vrrp_instance[0], getattr(found, keyword)


@pytest.mark.parametrize(
    ("keyword", "tracked", "left", "exit_code"),
    [
        ("track_interface", "eth1 weight 5", (TrackInterface("eth1"),), 5),
        ("track_script", "x weight 5", (), 5),
        ("track_bfd", "x weight 5", (), 5),
        ("track_file", "x", (TrackFile("x", 0),), 5),
        ("track_file", "x weight 2", (), 5),
        ("track_file", "x weight 0", (TrackFile("x", 0),), 0),
        ("track_process", "x weight 5", (TrackProcess("x", 5),), 0),
    ],
)
def test_members_have_no_weights(keyword: str, tracked: str, left: tuple[object, ...], exit_code: int) -> None:
    code, member, _ = group(keyword, tracked)
    assert (code, getattr(member, keyword)) == (exit_code, left)
    code, member, _ = group(keyword, tracked, more="sync_group_tracking_weight")
    assert code == 0
    assert len(getattr(member, keyword)) == 1


@pytest.mark.parametrize("keyword", TRACKS)
def test_a_group_with_an_owner_has_no_weights(keyword: str) -> None:
    name = "eth1" if keyword == "track_interface" else "x"
    code, _, (found,) = group(keyword, own=f"{name} weight 5")
    assert (code, found.weight) == (0, 5)  # type: ignore[attr-defined]
    for more in ("", "sync_group_tracking_weight"):
        code, _, (found,) = group(keyword, own=f"{name} weight 5", instance="priority 255", more=more)
        assert (code, found.weight) == (5, 0)  # type: ignore[attr-defined]
    assert group(keyword, own=f"{name} weight 0", instance="priority 255")[0] == 0


def test_an_interface_of_the_group_and_of_a_member() -> None:
    assert group("track_interface", "eth1", "eth1")[0] == 5
    assert group("track_interface", own="eth0")[0] == 5  # every instance follows its own
    assert group("track_interface", own="eth1")[0] == 0
    assert group("track_process", "x", "x")[0] == 0
