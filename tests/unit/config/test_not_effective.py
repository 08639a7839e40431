"""Blocks that are not effective yet: structure respected, mistakes that keepalived counts, and safe consequences."""

import pytest

from tests.config.reading import instance_text, messages, read, sound

BFD = "bfd_instance b {\nneighbor_ip 10.0.0.9\n}\n"
FILE = "track_file f {\nfile /tmp/f\n}\n"


@pytest.mark.parametrize(
    "text",
    [
        "global_defs {\nnotification_email {\na@b\n}\nsmtp_connect_timeout 30\nmax_auto_priority\n}",
    ],
)
def test_sound_blocks_are_left_alone_and_said(text: str) -> None:
    loaded = sound(text)
    assert loaded.not_effective
    assert all("(" in each and each.endswith(")") for each in loaded.not_effective)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (instance_text("lvs_sync_daemon_interface eth0"), '"lvs_sync_daemon_interface" is deprecated'),
        ("global_defs {\nvrrp_garp_interval 0\n}", "vrrp_garp_interval: number '0' outside range"),
        ("global_defs {\nsmtp_alert maybe\n}", "smtp_alert: 'maybe' is not a boolean"),
        ("global_defs {\nnotification_email {\n}\n}", "notification_email is empty"),
    ],
)
def test_their_mistakes_count(text: str, message: str) -> None:
    loaded = read(text)
    assert loaded.exit_code == 5
    assert not loaded.fatal
    assert any(message in each for each in messages(loaded)), messages(loaded)
