"""Version 3 over IPv4 with other checksums than RFC 9568's, between pykeepalived and keepalived."""

import struct

import pytest
from _pytest.mark import ParameterSet

from tests.interop.stage import BOTH_ROLES, JUDGE, Stage, stage
from tests.interop.wires import INSTANCE, Wire
from tests.support.capture import Advert, now
from tests.support.director import Director

pytestmark = [pytest.mark.root, pytest.mark.interop, pytest.mark.concurrent]

HIGH, LOW = 150, 100
UNICAST = Wire(3, "1", 4, "unicast")
GROUP = bytes((224, 0, 0, 18))
CASES = {
    # name: what the left and the right file say; v3_checksum_as_v2 is none of them, for 2.2.7 does not know it
    "old": ("old_unicast_checksum", "old_unicast_checksum"),
    "old-is-found-out": ("old_unicast_checksum", ""),
}


def _cases() -> list[ParameterSet]:
    return [
        pytest.param(name, makes, id=f"{name}-{'-'.join(makes)}", marks=pytest.mark.long)
        for name in CASES
        for makes in (*BOTH_ROLES, JUDGE)
    ]


def style(advert: Advert) -> str:
    """Which checksum it has, worked out from its octets."""
    message, source, destination = advert.octets[34:], advert.octets[26:30], advert.octets[30:34]
    for name, pseudo in (("rfc", source + destination), ("old", source + GROUP)):
        covered = pseudo + struct.pack("!BBH", 0, 112, len(message)) + message
        total = sum(struct.unpack(f"!{len(covered) // 2}H", covered))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        if total == 0xFFFF:
            return name
    return "none"


def _style(on: Stage, director: Director, since: int) -> str:
    return style(on.capture.wait_advert(director.host.name, since=since, within=60.0))


@pytest.mark.parametrize(("name", "makes"), _cases())
def test_both_understand_each_other(name: str, makes: tuple[str, str]) -> None:
    of_left, of_right = CASES[name]
    with stage(UNICAST, makes, UNICAST.config(1, HIGH, of_left), UNICAST.config(2, LOW, of_right)) as on:
        on.right.start()
        on.right.wait_log(f"({INSTANCE}) Entering MASTER STATE", within=60.0)
        mark, since = on.right.mark(), now()
        on.left.start()
        on.left.wait_log(f"({INSTANCE}) Entering MASTER STATE", within=60.0)
        on.right.wait_log(f"({INSTANCE}) Entering BACKUP STATE", since=mark, within=60.0)
        assert _style(on, on.left, since) == "old"
        if name == "old-is-found-out":
            on.right.wait_log("Setting unicast VRRPv3 checksum to old version", within=60.0)
        on.keeps_advertising(on.left, count=3)
        assert on.right.states(INSTANCE)[-1] == "BACKUP"
        since = on.left.crash()
        found = _style(on, on.right, since)
        if name == "old" or makes[1] == "ours":  # 2.2.7 finds it out and says so, and does not do it
            assert found == "old"
