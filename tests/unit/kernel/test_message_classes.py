"""pyroute2 without its package, without cycles, and forms that say what it would say."""

import gc
import subprocess
import sys

import pytest

from pykeepalived.kernel.message_classes import Form, encoded, ifaddrmsg, ifinfmsg, payloads, place

HOST = "pykeepalived.kernel.host"


def in_fresh_python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_only_the_message_classes_are_imported() -> None:
    count = "sum('pyroute2' in str(getattr(m, '__file__', '')) for m in gc.get_objects() if type(m) is type(gc))"
    assert 5 < int(in_fresh_python(f"import {HOST}, gc; print({count})")) < 40  # the whole package has over 200
    heavy = "{'asyncio', 'scapy', 'pyparsing', 'pyroute2', 'pyroute2.netlink'} & sys.modules.keys()"
    assert in_fresh_python(f"import {HOST}, sys; print(*{heavy})") == ""


@pytest.mark.parametrize("order", ["{ours}; {theirs}", "{theirs}; {ours}"])
def test_the_whole_package_can_be_imported_beside_and_stays_as_it_was(order: str) -> None:
    theirs = "import pyroute2; assert pyroute2.IPRoute and pyroute2.netlink.nlmsg().chain.append(1) is None"
    ours = "from pykeepalived.kernel.message_classes import nlmsg; assert nlmsg().chain"
    check = "import types; print(type(pyroute2.netlink.nlmsg_base.__dict__['chain']).__name__)"
    assert in_fresh_python(f"{order.format(ours=ours, theirs=theirs)}; {check}") == "member_descriptor"


def test_messages_are_freed_without_the_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        for _ in range(100):
            data = bytes(encoded(ifaddrmsg, 20, 0, {"family": 2}, [("IFA_LOCAL", "10.9.0.1")]).data)
            message = ifaddrmsg(data)
            message.decode()
            assert payloads(message)["IFA_LOCAL"] == bytes([10, 9, 0, 1])
            link = ifinfmsg(bytes(encoded(ifinfmsg, 16, 0, {}, [("IFLA_IFNAME", "eth0")]).data))
            link.decode()
            assert payloads(link)["IFLA_IFNAME"] == b"eth0\0"
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_chain_that_is_not_the_message_itself_is_kept() -> None:
    message = ifaddrmsg()
    assert message.chain == [message]
    other = ifaddrmsg()
    message.chain = [message, other]
    assert len(message.chain) == 2
    assert message.chain[1] is other


def test_a_form_says_what_pyroute2_would_say() -> None:
    blank = encoded(ifaddrmsg, 20, 5, {"family": 2}, [("IFA_LOCAL", "0.0.0.0"), ("IFA_FLAGS", 0)])
    form = Form(blank, [(17, "=B"), (place(blank, ["IFA_LOCAL"]), "4s"), (place(blank, ["IFA_FLAGS"]), "=I")])
    filled = form.fill(24, bytes([10, 9, 0, 1]), 0x80)
    attributes = [("IFA_LOCAL", "10.9.0.1"), ("IFA_FLAGS", 0x80)]
    assert filled == encoded(ifaddrmsg, 20, 5, {"family": 2, "prefixlen": 24}, attributes).data
    assert form.fill(0, bytes(4), 0) == blank.data
