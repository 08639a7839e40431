"""How large receive buffers are made."""

import pytest

from pykeepalived.vrrp.receive_buffers import PATIENT, receive_buffer
from tests.config.reading import instance_text, sound

OTHER = instance_text("").replace("VI_1", "VI_2").replace("51", "52")
HMAC = "version 3\nauth_hmac {\nkey 1 12345678901234567890123456789012\nactive_key 1\n}"


@pytest.mark.keyword("global_defs.vrrp_rx_bufs_policy")
@pytest.mark.parametrize(
    ("settings", "lines", "size"),
    [
        ("", "", PATIENT),
        ("vrrp_rx_bufs_policy 70000", "", 70000),
        ("vrrp_rx_bufs_policy MTU", "", 3 * 1400),
        ("vrrp_rx_bufs_policy MTU\nvrrp_rx_bufs_multiplier 7", "", 7 * 1400),
        ("vrrp_rx_bufs_policy ADVERT", "", 3 * (20 + 8 + 4 + 8)),
        ("vrrp_rx_bufs_policy ADVERT", "version 3", 3 * (20 + 8 + 4)),
        ("vrrp_rx_bufs_policy ADVERT", HMAC, 3 * (20 + 8 + 4 + 28)),
        ("vrrp_rx_bufs_policy ADVERT", "authentication {\nauth_type AH\nauth_pass x\n}", 3 * (20 + 24 + 8 + 4 + 8)),
        ("vrrp_rx_bufs_policy MTU", "kernel_rx_buf_size 5000", 5000),
        ("vrrp_rx_bufs_policy MTU", "kernel_rx_buf_size 0", PATIENT),
    ],
)
def test_of_one_instance(settings: str, lines: str, size: int) -> None:
    configuration = sound(instance_text(lines, f"global_defs {{\n{settings}\n}}")).configuration
    assert receive_buffer(configuration.vrrp_instance, configuration.global_defs, 1400) == size


def test_of_several_it_is_the_sum_and_never_less_for_one_that_does_not_ask() -> None:
    for own, size in ((5000, PATIENT), (2 * PATIENT, 2 * PATIENT)):
        configuration = sound(instance_text(f"kernel_rx_buf_size {own}") + OTHER).configuration
        assert receive_buffer(configuration.vrrp_instance, configuration.global_defs, 1500) == size
    text = instance_text("kernel_rx_buf_size 5000") + OTHER.replace("}\n\n}", "}\nkernel_rx_buf_size 7000\n}")
    configuration = sound(text).configuration
    assert receive_buffer(configuration.vrrp_instance, configuration.global_defs, 1500) == 12000
