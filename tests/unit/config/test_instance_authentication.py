"""authentication and auth_hmac: which is used, what its keys must be, and that nothing tells a secret."""

import dataclasses

import pytest

from pykeepalived.config.blocks.authentication import AuthHmac
from pykeepalived.config.diagnostics import render
from pykeepalived.config.kinds_vrrp import HmacKey
from pykeepalived.units import SECOND
from tests.config.machine import Machine
from tests.config.reading import instance, instance_text, messages, read

SECRET = "not-for-others-to-read-in-any-log"
PASS = "authentication {\nauth_type PASS\nauth_pass pw\n}"


def hmac(lines: str) -> str:
    return f"auth_hmac {{\n{lines}\n}}"


def test_ah() -> None:
    found = instance("authentication {\nauth_type AH\nauth_pass abc\n}")
    assert (found.auth_type, found.auth_pass) == ("AH", b"abc")


def test_a_password_without_a_scheme_is_not_used() -> None:
    found = instance("authentication {\nauth_pass abc\n}")
    assert (found.auth_type, found.auth_pass) == (None, b"")


def test_blocks_of_authentication_complete_each_other() -> None:
    found = instance("authentication {\nauth_type PASS\nauth_pass a\n}\nauthentication {\nauth_pass b\n}")
    assert (found.auth_type, found.auth_pass) == ("PASS", b"b")


@pytest.mark.parametrize(
    ("lines", "vip", "message"),
    [
        (
            "authentication {\nauth_type AH\nauth_pass x\n}\nversion 2",
            "fe80::1",
            "Cannot use AH authentication with IPv6",
        ),
        (f"strict_mode\n{PASS}", "10.0.0.1", "Strict mode does not support authentication"),
        (f"version 3\n{PASS}", "10.0.0.1", "VRRP version 3 does not support authentication"),
        ('authentication {\nauth_type PASS\nauth_pass ""\n}', "10.0.0.1", "no password given"),
    ],
)
def test_what_has_no_authentication(lines: str, vip: str, message: str) -> None:
    loaded = read(instance_text(lines, vip=vip))
    assert loaded.exit_code == 5
    assert not loaded.fatal
    (only,) = messages(loaded)
    assert message in only
    assert loaded.configuration.vrrp_instance[0].auth_type is None


def test_ah_does_not_begin_as_master() -> None:
    loaded = read(instance_text("state MASTER\npriority 120\nauthentication {\nauth_type AH\nauth_pass x\n}"))
    assert loaded.configuration.vrrp_instance[0].state == "BACKUP"
    assert [each.partition(" ")[2] for each in messages(loaded)] == [
        "(VI_1) state MASTER is incompatible with AH authentication - resetting state to BACKUP"
    ]
    assert instance("state MASTER\nauthentication {\nauth_type AH\nauth_pass x\n}").state == "MASTER"


def test_keys_of_every_form() -> None:
    machine = Machine({"/k/plain": "p" * 40 + "\n", "/k/hex": "hex:" + "0a " * 32})
    lines = f"key 1 {SECRET}\nkey 2 hex:{'ab' * 32}\nkey 3 file:/k/plain\nkey 4 file:/k/hex\nactive_key 2"
    found = instance(hmac(lines), machine)
    assert found.auth_hmac == AuthHmac(
        key=(
            HmacKey(1, SECRET.encode()),
            HmacKey(2, b"\xab" * 32),
            HmacKey(3, b"p" * 40, "/k/plain"),
            HmacKey(4, b"\x0a" * 32, "/k/hex"),
        ),
        active_key=2,
        time_window=5 * SECOND,
    )


@pytest.mark.parametrize(
    ("lines", "hmac_lines", "seconds"),
    [
        ("", "", 5),
        ("advert_int 4", "", 12),
        ("advert_int 200", "", 300),
        ("version 3\nadvert_int 0.5", "", 5),
        ("", "time_window 7", 7),
        ("advert_int 4", "time_window 1", 1),
    ],
)
def test_the_window_follows_the_interval(lines: str, hmac_lines: str, seconds: int) -> None:
    found = instance(lines + "\n" + hmac(f"key 1 {SECRET}\nactive_key 1\n{hmac_lines}"))
    assert found.auth_hmac is not None
    assert found.auth_hmac.time_window == seconds * SECOND


def test_modes() -> None:
    found = instance(hmac(f"key 1 {SECRET}\nactive_key 1\nmode receive-only\nanti_replay monotonic")).auth_hmac
    assert found is not None
    assert (found.mode, found.anti_replay) == ("receive-only", "monotonic")
    loaded = read(instance_text("strict_mode\n" + hmac(f"key 1 {SECRET}\nactive_key 1\nmode permissive")))
    (only,) = messages(loaded)
    assert "mode permissive is not for strict mode" in only
    strict = loaded.configuration.vrrp_instance[0].auth_hmac
    assert strict is not None
    assert strict.mode == "enforce"


@pytest.mark.parametrize(
    ("lines", "message", "status"),
    [
        (f"key 1 {SECRET}", "there is no active_key: nothing is signed", 5),
        (f"key 1 {SECRET}\nactive_key 2", "active_key 2 is no key of the block: nothing is signed", 5),
        (f"key 1 {SECRET}\nkey 1 {SECRET}x\nactive_key 1", "key 1 is there already, the first stands", 5),
        (f"key 1 {SECRET}\nactive_key 1\nkey 2 file:/k/none", "the key file '/k/none' does not exist", 5),
        (f"key 1 {SECRET}\nactive_key 1\nkey 2 file:/k/short", "a key has 32 to 64 bytes, this has 5", 5),
        (f"key 1 {SECRET}\nactive_key 1\nkey 2 file:/k/open", "can be read by others than its owner", 6),
        ("active_key 1", "active_key 1 is no key of the block", 5),
    ],
)
def test_mistakes_of_keys(lines: str, message: str, status: int) -> None:
    machine = Machine({"/k/short": "short", "/k/open": "o" * 40})
    machine.modes["/k/open"] = 0o640
    loaded = read(instance_text(hmac(lines)), machine)
    (only,) = messages(loaded)
    assert message in only
    assert loaded.exit_code == status
    assert not loaded.fatal
    found = loaded.configuration.vrrp_instance[0].auth_hmac
    assert found is not None
    assert [key.secret for key in found.key] == ([] if lines == "active_key 1" else [SECRET.encode()])
    assert found.active_key == (0 if "nothing is signed" in only else 1)


def test_the_second_key_of_a_number_is_shown_at_its_own_line() -> None:
    loaded = read(instance_text(hmac(f"key 1 {SECRET}\nkey 1 {SECRET}x\nkey 2 {SECRET}\nactive_key 1")))
    (found,) = [each for each in loaded.diagnostics if each.problem]
    assert found.span is not None
    assert (found.span.line, found.span.column) == (10, 5)


def test_auth_hmac_stands_for_authentication() -> None:
    loaded = read(instance_text(hmac(f"key 1 {SECRET}\nactive_key 1") + "\n" + PASS))
    (found,) = loaded.configuration.vrrp_instance
    assert (found.auth_type, found.auth_pass) == (None, b"")
    assert loaded.exit_code == 0
    assert "auth_hmac stands for authentication" in loaded.diagnostics[0].message


def test_authentication_takes_room_in_an_advert() -> None:
    vips = "\n".join(f"10.0.0.{n}" for n in range(1, 101))
    machine = Machine(interfaces={"eth0": 300})
    # of the 250 bytes that are left with version 2, AH takes 24 and auth_hmac 28; four are an address
    for lines, count in (
        ("authentication {\nauth_type AH\nauth_pass x\n}", 56),
        (hmac(f"key 1 {SECRET}\nactive_key 1"), 55),
    ):
        (found,) = read(instance_text(lines, vip=vips), machine).configuration.vrrp_instance
        assert len(found.virtual_ipaddress) == count


@pytest.mark.parametrize(
    "text",
    [
        "authentication {\nauth_type PASS\nauth_pass %s and more\n}",
        "authentication {\nauth_type PASS\nauth_pas x auth_pass %s\n}",
        "authentication { auth_type PASX auth_pass %s }",
        'authentication {\nauth_type PASS\nauth_pass "%s\n}',
        "authentication {\nauth_type PASS\nauth_pass a%s\\#b\n}",
        "auth_hmac {\nkey 300 %s\n}",
        "auth_hmac {\nkey 1 x%s" + "x" * 64 + "\n}",
        "auth_hmac {\nkey 1 hex:zz%s\n}",
        "auth_hmac {\nkey 1 %s\nkey 1 %s\nactive_key 2\n}",
        "key 1 %s",
    ],
)
def test_no_message_tells_a_secret(text: str) -> None:
    loaded = read(instance_text(text.replace("%s", SECRET)))
    assert loaded.diagnostics
    shown = "\n".join(render(each) + repr(dataclasses.asdict(each)) for each in loaded.diagnostics)
    assert SECRET not in shown
    assert "****" in shown
