"""What systemd is told."""

import os
import re

import pytest

from pykeepalived.daemon.systemd import Systemd
from pykeepalived.units import SECOND


def told(environment: dict[str, str]) -> tuple[Systemd, list[str]]:
    words: list[str] = []
    return Systemd(environment, words.append), words


def test_silent_without_systemd() -> None:
    systemd, words = told({})
    systemd.ready("x")
    systemd.alive()
    assert words == []


def test_a_life() -> None:
    systemd, words = told({"NOTIFY_SOCKET": "/x"})
    systemd.ready("VRRP: 1 MASTER")
    systemd.status("VRRP: 1 MASTER")  # no news
    systemd.status("VRRP: 1 BACKUP")
    systemd.reloading()
    systemd.ready("VRRP: 1 BACKUP")
    systemd.alive()
    systemd.stopping()
    assert words[0] == f"READY=1\nMAINPID={os.getpid()}\nSTATUS=VRRP: 1 MASTER"
    assert words[1] == "STATUS=VRRP: 1 BACKUP"
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+\nSTATUS=Reloading the configuration", words[2])
    assert words[3].startswith("READY=1\n")
    assert words[4:] == ["WATCHDOG=1", "STOPPING=1\nSTATUS=Stopping"]


@pytest.mark.parametrize(
    ("variables", "watchdog"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30 * SECOND),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30 * SECOND),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "x"}, None),
    ],
)
def test_the_watchdog_is_for_whom_it_is_meant(variables: dict[str, str], watchdog: int | None) -> None:
    assert told(variables)[0].watchdog == watchdog


def test_what_could_not_be_told_is_told_in_order_when_it_can() -> None:
    words: list[str] = []
    said: list[str] = []
    errors = [OSError(11, "full")] * 3

    def notify(text: str) -> None:
        if errors:
            raise errors.pop()
        words.append(text.partition("=")[0])

    systemd = Systemd({"NOTIFY_SOCKET": "/x"}, notify, said.append)
    systemd.ready("well")
    systemd.alive()
    systemd.alive()
    assert words == []
    assert said == ["systemd cannot be told of the daemon's life: full"]
    systemd.stopping()
    assert words == ["READY", "WATCHDOG", "STOPPING"]
    errors.append(OSError(11, "full again"))
    systemd.alive()
    assert len(said) == 2
