"""Any configuration, dumped and read, is equal, and reading it says nothing that was not said before."""

import pytest
from hypothesis import HealthCheck, assume, example, given, settings

from pykeepalived.config.dump import dump
from pykeepalived.config.load import Loaded
from tests.config.machine import Machine
from tests.config.reading import COMMANDS, instance_text, read
from tests.support.config_strategies import texts


def _machine() -> Machine:
    machine = Machine(commands=(*COMMANDS, "/bin/sh"))
    machine.namespaces["blue"] = machine._interfaces
    return machine


OTHER_WORDS = (
    ("is not used", "no matching virtual router found in group declaration"),
    ("is not used", "it is not tracked"),
    ("is not used", "has a weight in sync group"),
    ("is not used", "is defined after its use"),
    ("there is no active_key", "is no key of the block"),
    ("unicast with use_vmac requires vmac_xmit_base", "vmac_xmit_base is only valid with a VMAC"),
)
"""What a mistake is called once what was wrong is left out, and what it was called before."""


def _news(first: Loaded, again: Loaded) -> list[str]:
    """What the second reading says and the first did not."""
    before, after = ({f"{each.severity} {each.message}" for each in loaded.diagnostics} for loaded in (first, again))
    known = [new for new, old in OTHER_WORDS if any(old in message for message in before)]
    return sorted(each for each in after - before if not any(new in each for new in known))


def _round_trip(text: str) -> tuple[Loaded, str, Loaded]:
    first = read(text, _machine())
    services = first.configuration.virtual_server
    # all its real servers refused, with an error each: no file says that without one; nor that a program cannot be run
    assume(all(each.real_server or each.sorry_server for each in services))
    assume(not any(server.untested for each in services for server in each.real_server))
    written = dump(first.configuration, _machine())
    return first, written, read(written, _machine())


@example(instance_text("strict_mode\nunicast_peer {\n10.0.0.9\n}", "track_group G {\ngroup {\nVI_1\n}\n}\n"))
@example(
    "vrrp_script S_1 {\nscript /opt/check.sh\nweight 1\n}\nvrrp_sync_group G {\ngroup {\nVI_1\n}\n}\n"
    + instance_text("track_script {\nS_1\n}\n")
)
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(texts())
def test_a_configuration_dumped_and_read_is_the_same(text: str) -> None:
    first, written, again = _round_trip(text)
    assert again.configuration == first.configuration, written
    assert _news(first, again) == [], written


@pytest.mark.long
@settings(max_examples=5000, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(texts())
def test_very_many_configurations_dumped_and_read_are_the_same(text: str) -> None:
    first, written, again = _round_trip(text)
    assert again.configuration == first.configuration, written
    assert _news(first, again) == [], written
    assert dump(again.configuration, _machine()) == written
