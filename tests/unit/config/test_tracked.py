"""vrrp_script, track_file and vrrp_track_process: what can be followed, and how their keywords bear on each other."""

import pytest

from pykeepalived.config.blocks.track_file import TrackedFile
from pykeepalived.config.blocks.vrrp_track_process import VrrpTrackProcess
from pykeepalived.config.kinds import Refused
from pykeepalived.config.kinds_trackers import InitFile, InitialContent, Milliseconds, TrackerWeight, Weight
from pykeepalived.units import MICROSECOND, MILLISECOND, SECOND
from tests.config.reading import messages, read, sound

# --- kinds ---


@pytest.mark.parametrize(
    ("words", "value"),
    [("5", Weight(5)), ("-254", Weight(-254)), ("+254 reverse", Weight(254, reverse=True)), ("0 reverse x", None)],
)
def test_a_weight(words: str, value: Weight | None) -> None:
    kind = TrackerWeight(254)
    wanted = value or Weight(0, reverse=True)
    assert kind.read(words.split()) == wanted
    assert kind.read(kind.write(wanted).split()) == wanted
    assert (kind.expected(), kind.arguments()) == ("-254..254", "INT [reverse]")


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("", InitialContent()),
        ("5", InitialContent(5)),
        ("-254", InitialContent(-254)),
        ("overwrite", InitialContent(0, overwrite=True)),
        ("5 overwrite", InitialContent(5, overwrite=True)),
        ("overwrite 5", InitialContent(5, overwrite=True)),
        ("5 6", InitialContent(6)),
    ],
)
def test_the_content_at_the_start(words: str, value: InitialContent) -> None:
    kind = InitFile()
    assert kind.read(words.split()) == value
    assert kind.read(kind.write(value).split()) == value


@pytest.mark.parametrize(
    ("words", "at", "kept"),
    [
        ("foo", 0, InitialContent()),
        ("+5", 0, InitialContent()),
        ("5x", 0, InitialContent()),
        ("-", 0, InitialContent()),
        ("overwrite 300", 1, InitialContent(300, overwrite=True)),
        ("5 overwrite foo", 2, InitialContent(5, overwrite=True)),
        ("99999999999", 0, InitialContent()),
    ],
)
def test_a_bad_content_keeps_what_is_good(words: str, at: int, kept: InitialContent) -> None:
    with pytest.raises(Refused) as refused:
        InitFile().read(words.split())
    assert (refused.value.word, refused.value.kept) == (at, kept)
    assert refused.value.hint


def test_milliseconds() -> None:
    kind = Milliseconds("1", "4294967")
    for text, length in (("1", MILLISECOND), ("10.5", 10_500_000), ("4294967", 4294967 * MILLISECOND)):
        assert kind.read([text]) == length
        assert kind.write(length) == text
    assert kind.write(1234 * MICROSECOND) == "1.234"
    assert (kind.unit, kind.expected(), kind.arguments()) == ("ms", "1..4294967 ms", "MILLISECONDS")
    with pytest.raises(Refused) as refused:
        kind.read(["1.2345"])
    assert refused.value.kept == 1235 * MICROSECOND
    for text, hint in (("50ms", "write it without the unit: 50"), ("x", "write milliseconds as digits: 50")):
        with pytest.raises(Refused) as refused:
            kind.read([text])
        assert refused.value.hint == hint


# --- files ---


def file(text: str) -> TrackedFile:
    (found,) = sound(f"track_file f {{\nfile /tmp/f\n{text}\n}}").configuration.track_file
    return found


def test_files() -> None:
    assert file("") == TrackedFile(name="f", file="/tmp/f", weight=Weight(1), init_file=None)
    found = file("weight -254 reverse\ninit_file 3 overwrite")
    assert (found.weight, found.init_file) == (Weight(-254, reverse=True), InitialContent(3, overwrite=True))
    # the first weight stands, but where it says what is the default
    assert file("weight 1\nweight 4").weight == Weight(4)


@pytest.mark.parametrize(
    ("text", "message", "weight"),
    [
        ("file /tmp/g", "file is set already, the first stands", 1),
        ("weight 0\nweight 4", "weight is set already, the first stands", 0),
        ("weight 255", "weight: number '255' outside range [-254, 254]", 1),
        ("weight 2x", "weight: invalid number '2x'", 1),
        ("weight 2 foo", "weight: unknown option 'foo' of a weight - ignored", 2),
        ("weight", "weight needs a number", 1),
        ("init_file 300", "init_file: the value 300 is outside the sensible range", 1),
        ("init_file foo", "init_file: unknown option 'foo' - ignored", 1),
    ],
)
def test_bad_files(text: str, message: str, weight: int) -> None:
    loaded = read(f"track_file f {{\nfile /tmp/f\n{text}\n}}")
    assert loaded.exit_code == 5
    (said,) = messages(loaded)
    assert message in said
    (found,) = loaded.configuration.track_file
    assert (found.file, found.weight) == ("/tmp/f", Weight(weight))


def test_a_file_must_be_named() -> None:
    loaded = read("track_file f {\n}")
    assert messages(loaded) == ["1:12 No file set for track_file f - ignoring"]
    assert loaded.configuration.track_file == ()
    assert read("track_file f {\nfile\n}").exit_code == 5
    assert read("track_file {\nfile /tmp/f\n}").exit_code == 2


def test_the_former_name_of_track_file_is_said_and_does_not_count() -> None:
    loaded = sound("vrrp_track_file f {\nfile /tmp/f\n}")
    assert '"vrrp_track_file" is deprecated' in loaded.diagnostics[0].message
    assert [each.name for each in loaded.configuration.track_file] == ["f"]


def test_of_two_of_a_name_the_first_is_used() -> None:
    loaded = sound("track_file f {\nfile /tmp/a\n}\ntrack_file f {\nfile /tmp/b\n}")
    assert [each.file for each in loaded.configuration.track_file] == ["/tmp/a"]
    text = "vrrp_track_process p {\nprocess a\n}\nvrrp_track_process p {\nprocess b\n}"
    assert [each.process for each in sound(text).configuration.vrrp_track_process] == [("a",)]


# --- processes ---


def process(text: str) -> VrrpTrackProcess:
    (found,) = sound(f"vrrp_track_process p {{\n{text}\n}}").configuration.vrrp_track_process
    return found


def test_processes() -> None:
    assert process("process nginx") == VrrpTrackProcess(name="p", process=("nginx",))
    found = process('process "a b" c "d e"\nparam_match partial\nweight 254 reverse\nquorum 2\nquorum_max 2')
    assert found.process == ("a b", "c", "d e")
    assert (found.param_match, found.full_command) == ("partial", True)
    assert (found.weight, found.quorum, found.quorum_max) == (Weight(254, reverse=True), 2, 2)


@pytest.mark.parametrize(
    ("text", "compared", "full"),
    [
        ("process a", "", False),
        ("process a\nfull_command", "", True),
        ("process a b", "exact", True),
        ("process a\nparam_match", "exact", True),
        ("process a\nparam_match initial", "initial", True),
        ("param_match partial\nprocess a b", "partial", True),
    ],
)
def test_parameters_imply_the_whole_command_line(text: str, compared: str, full: bool) -> None:
    found = process(text)
    assert (found.param_match, found.full_command) == (compared, full)


def test_the_later_of_delay_and_its_halves_counts() -> None:
    found = process("process a\nterminate_delay 2\ndelay 5\nfork_delay 0.5")
    assert (found.terminate_delay, found.fork_delay) == (5 * SECOND, SECOND // 2)
    assert (process("process a").terminate_delay, process("process a\ndelay 3600").fork_delay) == (0, 3600 * SECOND)


@pytest.mark.parametrize(
    ("text", "bounds", "message"),
    [
        ("quorum_max 0", (0, 0), ""),
        ("quorum 1\nquorum_max 0", (0, 0), ""),
        ("quorum 3\nquorum_max 3", (3, 3), ""),
        ("quorum_max 0\nquorum_max 4\nquorum 3", (3, 4), ""),
        ("quorum 3\nquorum_max 2", (3, None), "4:12 quorum_max 2 is less than quorum 3 - ignoring"),
        ("quorum 5\nquorum_max 0", (5, None), "4:12 quorum_max 0 is less than quorum 5 - ignoring"),
        ("quorum_max 2\nquorum 3", (1, 2), "4:8 quorum 3 is greater than quorum_max 2 - ignoring"),
        ("quorum_max 0\nquorum 1", (0, 0), "4:8 quorum 1 is greater than quorum_max 0 - ignoring"),
    ],
)
def test_of_bounds_that_contradict_each_other_the_first_stands(
    text: str, bounds: tuple[int, int | None], message: str
) -> None:
    loaded = read(f"vrrp_track_process p {{\nprocess a\n{text}\n}}")
    assert messages(loaded) == ([message] if message else [])
    (found,) = loaded.configuration.vrrp_track_process
    assert (found.quorum, found.quorum_max) == bounds


@pytest.mark.parametrize(
    ("text", "exit_code"),
    [
        ("", 5),
        ("process", 2),
        ("process a\nprocess b", 5),
        ("process a\nweight 0\nweight 4", 0),
        ("process a\nweight 3\nweight 4", 5),
        ("process a\nweight", 5),
        ("process a\nquorum", 2),
        ("process a\nparam_match exact", 5),
        ("process a\ndelay", 2),
    ],
)
def test_verdicts_of_processes(text: str, exit_code: int) -> None:
    assert read(f"vrrp_track_process p {{\n{text}\n}}").exit_code == exit_code
