"""The resolved configuration as JSON: every value, times in seconds, addresses as text."""

import json
from typing import Any

from pykeepalived.config.as_json import as_json
from tests.config.machine import Machine
from tests.config.reading import COMMANDS, instance_text, read, server_text

SECURE = "global_defs {\nenable_script_security\nscript_user root\n}\n"


def found(text: str) -> dict[str, Any]:
    """The document, as a program would read it."""
    machine = Machine(commands=COMMANDS)
    document: dict[str, Any] = json.loads(json.dumps(as_json(read(text, machine).configuration, machine)))
    return document


def test_an_instance() -> None:
    notify = "notify /usr/bin/notify nobody :adm"
    (instance,) = found(instance_text(f"advert_int 2\npreempt_delay 0.5\n{notify}", SECURE))["vrrp_instance"]
    assert (instance["name"], instance["family"], instance["priority"]) == ("VI_1", "inet", 100)
    assert (instance["advert_int"], instance["preempt_delay"], instance["unicast_ttl"]) == (2, 0.5, None)
    assert instance["notify"] == {
        "argv": ["/usr/bin/notify"],
        "user": "nobody",
        "group": "adm",
        "groups": ["nogroup"],
    }
    (address,) = instance["virtual_ipaddress"]
    assert (address["address"], address["prefix_length"], address["dev"]) == ("10.0.0.1", 32, "eth0")


def test_a_checker_says_which_it_is_and_has_its_times_in_seconds() -> None:
    real = "delay_loop 1.25\nTCP_CHECK {\n}\nHTTP_GET {\nurl {\npath /\ndigest 0123456789abcdef0123456789abcdef\n}\n}"
    (server,) = found(server_text("", real))["virtual_server"]
    tcp, http = server["real_server"][0]["checkers"]
    assert (tcp["block"], http["block"]) == ("TCP_CHECK", "HTTP_GET")
    assert tcp["timing"]["delay_loop"] == 1.25
    assert tcp["target"]["connect_timeout"] == 5
    assert http["url"][0]["digest"] == "0123456789abcdef0123456789abcdef"
    assert http["url"][0]["status_code"] == [[200, 299]]


def test_what_stands_outside_every_block_is_with_the_settings() -> None:
    assert found("child_wait_time 7\n")["global_defs"]["child_wait_time"] == 7


def test_times_within_values_are_in_seconds_and_bytes_are_digits() -> None:
    before = "interface_up_down_delays {\neth1 2 0.5\n}"
    document = found(instance_text("garp_extra_if all 7\nuse_vmac vrrp.51 02:00:00:aa:bb:cc", before))
    assert document["interface_up_down_delays"] == [{"name": "eth1", "down": 2, "up": 0.5}]
    (instance,) = document["vrrp_instance"]
    assert instance["garp_extra_if"] == {"interval": 7, "everywhere": True}
    assert instance["use_vmac"]["mac"] == "020000aabbcc"


def test_no_number_is_left_in_nanoseconds() -> None:
    """Every length the language knows, at a value that would show."""
    text = "child_wait_time 4\nglobal_defs {\nlvs_timeouts tcp 900 udp 300\nvrrp_startup_delay 3\n}\n"
    document = found(text + instance_text("preempt_delay 9\ngarp_extra_if 86400") + server_text("", "TCP_CHECK {\n}"))
    assert max(_numbers(document)) < 1_000_000_000


def _numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for each in value.values() for number in _numbers(each)]
    if isinstance(value, list):
        return [number for each in value for number in _numbers(each)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []
