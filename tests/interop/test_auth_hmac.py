"""auth_hmac between two pykeepalived (keepalived 2.2.7 has none): every advert on the wire is proved by hand, keys are
rotated by reloads without a word of a state, and recorded adverts are refused.
"""

import hashlib
import hmac
import ipaddress
import os
import socket
import struct
import time
from pathlib import Path

import pytest

from tests.interop.stage import Stage, stage
from tests.interop.wires import INSTANCE, Wire
from tests.support.capture import Advert, now
from tests.support.director import Director
from tests.support.netns import Host

pytestmark = [pytest.mark.root, pytest.mark.interop, pytest.mark.concurrent]

HIGH, LOW = 150, 100
KEYS = {1: b"the first key, of thirty-two bytes", 2: bytes(range(64))}


def _key_file(director: Director, number: int, key: bytes) -> Path:
    """As an operator writes it: for root alone, in hexadecimal if it has to be."""
    file = director.folder / f"key{number}"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.write(descriptor, key if key.isascii() and key[0] else b"hex:" + key.hex(" ").encode())
    os.close(descriptor)
    return file


def _config(wire: Wire, director: Director, number: int, keys: tuple[int, ...], active: int) -> str:
    lines = [f"    key {key} file:{director.folder}/key{key}" for key in keys]
    block = "\n".join(["auth_hmac {", *lines, f"    active_key {active}", "}"])
    return wire.config(number, HIGH if number == 1 else LOW, block)


def _is_signed(advert: Advert, key: int, secret: bytes) -> int:
    """Its trailer's sequence; the HMAC is worked out anew from the reference's words."""
    ipv4 = advert.octets[12:14] == b"\x08\0"
    payload = advert.octets[34 if ipv4 else 54 :]
    if ipv4:
        (total,) = struct.unpack_from("!H", advert.octets, 16)
        payload = payload[: total - 20]
    message, trailer = payload[:-28], payload[-28:]
    kind, number, reserved, seconds, fraction, counter = struct.unpack_from("!BBHIHH", trailer)
    assert (kind, number, reserved) == (1, key, 0)
    assert abs(seconds - time.time()) < 600
    source = ipaddress.ip_address(advert.source)
    block = struct.pack("!BBBB16s", source.version, advert.version, advert.vrid, 0, source.packed)
    covered = block + message[:6] + bytes(2) + message[8:] + trailer[:12] + bytes(16)
    assert hmac.new(secret, covered, hashlib.sha256).digest()[:16] == trailer[12:]
    return int(seconds << 32 | fraction << 16 | counter)


def _reload(on: Stage, keys: tuple[int, ...], active: int) -> None:
    for number, director in enumerate((on.left, on.right), 1):
        mark = director.mark()
        director.reload(_config(on.wire, director, number, keys, active))
        director.wait_log("Reload complete", since=mark, within=60.0)


def _send(host: Host, frames: list[bytes]) -> None:
    def send() -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
            sock.bind(("eth0", 0))
            for frame in frames:
                sock.send(frame)

    host.inside(send)


@pytest.mark.parametrize(
    "wire",
    [
        Wire(3, "3", 4, "multicast"),
        pytest.param(Wire(2, "3", 4, "multicast"), marks=pytest.mark.long),
        pytest.param(Wire(3, "3", 4, "unicast"), marks=pytest.mark.long),
        pytest.param(Wire(3, "3", 6, "multicast"), marks=pytest.mark.long),
        pytest.param(Wire(3, "3", 6, "unicast"), marks=pytest.mark.long),
    ],
    ids=str,
)
def test_signed_rotated_and_not_to_be_replayed(wire: Wire) -> None:
    with stage(wire, ("ours", "ours"), "", "") as on:
        for number, director in enumerate((on.left, on.right), 1):
            for key, secret in KEYS.items():
                _key_file(director, key, secret)
            director.write(_config(wire, director, number, (1,), 1))
        on.left.start()
        on.left.wait_log(f"({INSTANCE}) Entering BACKUP STATE (init)", within=60.0)
        on.right.start()
        first = on.capture.wait_advert("left", priority=HIGH, within=60.0)
        on.right.wait_log(f"({INSTANCE}) master set to {wire.source(1)}", within=60.0)
        numbers = [_is_signed(first, 1, KEYS[1])]

        # another key is added, then made active, then the first one goes; at last the file has other bytes
        for keys, active in (((1, 2), 1), ((1, 2), 2), ((2,), 2)):
            _reload(on, keys, active)
            since = now()
            advert = on.capture.wait_advert("left", priority=HIGH, since=since, within=60.0)
            numbers.append(_is_signed(advert, active, KEYS[active]))
        for director in (on.left, on.right):
            _key_file(director, 2, b"other bytes in the same file, no line changed")
        _reload(on, (2,), 2)
        advert = on.capture.wait_advert("left", priority=HIGH, since=now(), within=60.0)
        numbers.append(_is_signed(advert, 2, b"other bytes in the same file, no line changed"))
        assert numbers == sorted(set(numbers))
        assert on.right.states(INSTANCE) == ["BACKUP"], on.right.story()
        assert on.left.states(INSTANCE) == ["BACKUP", "MASTER"], on.left.story()

        # recorded adverts keep nobody from taking over
        recorded = on.capture.wait_advert("left", priority=HIGH, since=now(), within=60.0)
        mark, crashed_at = on.right.mark(), on.left.crash()
        _send(on.left.host, [recorded.octets] * 3)
        on.right.wait_log(f"received a replayed advert from {wire.source(1)}!", since=mark, within=60.0)
        on.right.wait_log(f"({INSTANCE}) Entering MASTER STATE", since=mark, within=60.0)
        taken = on.capture.wait_advert("right", priority=LOW, since=crashed_at, within=60.0)
        assert taken.at - crashed_at <= wire.master_down(LOW) + 5_000_000_000
        _is_signed(taken, 2, b"other bytes in the same file, no line changed")
