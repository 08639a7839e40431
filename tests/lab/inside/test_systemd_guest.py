"""The guest with systemd has a journal and starts services."""

import pytest

from tests.support.lab_network import run, wait_until

pytestmark = pytest.mark.lab(init="systemd")


def test_systemd_has_no_failed_unit() -> None:
    assert "0 loaded units" in run("systemctl", "--failed", "--no-pager")


def test_the_journal_keeps_fields() -> None:
    run("sh", "-c", "printf 'MESSAGE=hello from the lab\\nVRRP_INSTANCE=VI_9\\n' | logger --journald")

    wait_until(
        lambda: "hello from the lab" in run("journalctl", "--no-pager", "-o", "cat", "VRRP_INSTANCE=VI_9"), 10, "entry"
    )
