"""Where the reading of a file differs from keepalived on purpose, and no other test says so."""

import pytest

from tests.config.machine import Machine
from tests.config.reading import instance_text, messages, read, server_text


@pytest.mark.parametrize(
    ("value", "problem"), [("10", ""), ("10.5", ""), ("10s", "10s"), ("500ms", "500ms"), ("12x", "12x")]
)
def test_a_time_is_a_number_and_nothing_else(value: str, problem: str) -> None:
    loaded = read(server_text(f"delay_loop {value}", "TCP_CHECK {\n}"))
    (check,) = loaded.configuration.virtual_server[0].real_server[0].probes
    assert [problem in each for each in messages(loaded)] == ([True] if problem else [])
    # the default stands: nothing is taken for microseconds
    assert check.timing.delay_loop == (60_000_000_000 if problem else int(float(value) * 1_000_000_000))


@pytest.mark.parametrize(("condition", "names"), [("@oracle ", ["VI_1"]), ("@^oracle ", []), ("", ["VI_1"])])
def test_an_include_behind_a_condition_is_read_once(condition: str, names: list[str]) -> None:
    loaded = read(f"{condition}include one.conf", Machine({"/etc/keepalived/one.conf": instance_text("").encode()}))
    assert [each.name for each in loaded.configuration.vrrp_instance] == names
    assert messages(loaded) == []
