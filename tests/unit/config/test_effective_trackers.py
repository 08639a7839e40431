"""What is tracked and not acted upon yet: whole in the configuration, said at the start, and not in what runs."""

from pykeepalived.config.configuration import Configuration
from pykeepalived.config.difference import difference
from pykeepalived.config.difference import lines as said
from pykeepalived.config.effective import effective
from pykeepalived.report.configuration import lines
from tests.config.reading import instance_text, sound

DEFINED = """
track_file f {
file /tmp/f
init_file 5 overwrite
}
vrrp_track_process p {
process nginx
weight 3 reverse
}
bfd_instance b {
neighbor_ip 10.0.0.9
min_rx 50
}
track_group T {
group {
VI_1
}
}
static_ipaddress {
10.9.9.1/24 track_group T
}
"""
TRACKS = "track_file {\nf\n}\ntrack_process {\np\n}\ntrack_bfd {\nb\n}\n"
PAIR = instance_text(TRACKS, DEFINED) + instance_text("").replace("VI_1", "VI_2").replace("51", "52")
GROUP = "vrrp_sync_group G {\ngroup {\nVI_1\nVI_2\n}\nsync_group_tracking_weight\n%s\n}\n"
NAMES = ("track_file", "vrrp_track_process", "bfd_instance", "track_group", "static_ipaddress")


def whole() -> Configuration:
    return sound(PAIR + GROUP % TRACKS).configuration


def test_what_is_not_effective_yet_is_not_sent_to_the_processes() -> None:
    configuration = whole()
    assert all(len(getattr(configuration, name)) == 1 for name in NAMES)
    runnable, _ = effective(configuration)
    assert not runnable.bfd_instance
    assert all(len(getattr(runnable, name)) == 1 for name in NAMES if name != "bfd_instance")
    for keyword in ("track_file", "track_process", "track_bfd"):
        assert [len(getattr(each, keyword)) for each in runnable.vrrp_instance] == [1, 0]
        assert len(getattr(runnable.vrrp_sync_group[0], keyword)) == 1
    assert [each.name for each in runnable.vrrp_instance] == ["VI_1", "VI_2"]
    assert runnable.vrrp_sync_group[0].group == ("VI_1", "VI_2")


def test_each_process_gets_what_it_needs() -> None:
    configuration = whole()
    needs = {
        "vrrp_part": {"track_file", "vrrp_track_process", "track_group", "static_ipaddress"},
        "checker_part": set(),  # no FILE_CHECK follows the file
        "bfd_part": {"bfd_instance"},
    }
    for part, names in needs.items():
        found = getattr(configuration, part)()
        assert {name for name in NAMES if getattr(found, name)} == names, part
    assert configuration.bfd_part().vrrp_instance == ()


def test_they_are_said_once_each() -> None:
    loaded = sound(PAIR + GROUP % TRACKS)
    assert [each.split(" (")[0] for each in loaded.not_effective] == [
        "bfd_instance",
    ]


def test_mail_of_a_group_is_inherited() -> None:
    assert not whole().vrrp_sync_group[0].smtp_alert
    loaded = sound(PAIR + GROUP % "smtp_alert")
    assert loaded.configuration.vrrp_sync_group[0].smtp_alert
    assert "vrrp_sync_group/smtp_alert" in "".join(loaded.not_effective)


def test_what_a_reload_says() -> None:
    old = whole()
    new = sound((PAIR + GROUP % TRACKS).replace("min_rx 50", "min_rx 60").replace("9.9.1/24", "9.9.2/24")).configuration
    found = difference(old, new)
    assert found
    assert said(found) == [
        "bfd_instance b: min_rx 50 -> 60",
        "static_ipaddress 10.9.9.1/24 dev eth0: removed",
        "static_ipaddress 10.9.9.2/24 dev eth0: added",
    ]
    assert not difference(old, whole())


def test_the_dump_shows_them() -> None:
    shown = list(lines(whole()))
    for line in (
        " Track file = f",
        "   init_file = 5 overwrite",
        " VRRP Track process = p",
        "   weight = 3 reverse",
        " BFD Instance = b",
        "   min_rx = 0.05 s",
        " Static Track Group = T",
        " 10.9.9.1/24 dev eth0",
    ):
        assert line in shown, line
