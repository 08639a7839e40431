"""pyroute2 without its package; forms that say what it would say, readers that find what it would find."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pykeepalived.kernel.message_classes import Form, Reader, ctrlmsg, encoded, place
from pykeepalived.kernel.route_classes import ifaddrmsg, ifinfmsg

HOST = "pykeepalived.kernel.host"


def in_fresh_python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_only_the_message_classes_are_imported() -> None:
    count = "sum('pyroute2' in str(getattr(m, '__file__', '')) for m in gc.get_objects() if type(m) is type(gc))"
    assert 5 < int(in_fresh_python(f"import {HOST}, gc; print({count})")) < 40  # the whole package has over 200
    heavy = "{'asyncio', 'scapy', 'pyparsing', 'pyroute2', 'pyroute2.netlink'} & sys.modules.keys()"
    assert in_fresh_python(f"import {HOST}, sys; print(*{heavy})") == ""


@pytest.mark.parametrize("order", ["{base}; {routes}; {theirs}", "{base}; {theirs}; {routes}", "{theirs}; {routes}"])
def test_the_whole_package_can_be_imported_beside_and_stays_as_it_was(order: str) -> None:
    theirs = "import pyroute2; assert pyroute2.IPRoute and pyroute2.netlink.nlmsg"
    base = "import pykeepalived.kernel.message_classes"
    routes = "from pykeepalived.kernel.route_classes import ifaddrmsg"
    check = "from pykeepalived.kernel.message_classes import nlmsg; assert issubclass(ifaddrmsg, nlmsg)"
    answer = "print(pyroute2.netlink.nlmsg is nlmsg)"
    program = order.format(base=base, routes=routes, theirs=theirs)
    assert in_fresh_python(f"{program}; {check}; {answer}") == "False"


def test_the_ipvs_table_needs_no_classes_of_routes() -> None:
    program = "import sys, pykeepalived.kernel.ipvs; print('pykeepalived.kernel.route_classes' in sys.modules)"
    assert in_fresh_python(program) == "False"


def test_a_form_says_what_pyroute2_would_say() -> None:
    blank = encoded(ifaddrmsg, 20, 5, {"family": 2}, [("IFA_LOCAL", "0.0.0.0"), ("IFA_FLAGS", 0)])
    form = Form(blank, [(17, "=B"), (place(blank, ["IFA_LOCAL"]), "4s"), (place(blank, ["IFA_FLAGS"]), "=I")])
    filled = form.fill(24, bytes([10, 9, 0, 1]), 0x80)
    attributes = [("IFA_LOCAL", "10.9.0.1"), ("IFA_FLAGS", 0x80)]
    assert filled == encoded(ifaddrmsg, 20, 5, {"family": 2, "prefixlen": 24}, attributes).data
    assert form.fill(0, bytes(4), 0) == blank.data
    with pytest.raises(ValueError, match="size 2"):
        form.fill(24, bytes(4))


def decoded(message_class: Any, data: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What pyroute2's own decoder finds."""
    message = message_class(data)
    message.decode()
    cells = {slot.cell[0]: slot.cell[1] for slot in message["attrs"]}
    fields = {name: message[name] for name, form in message_class.fields if form != "x"}
    return fields, {name: bytes(cell.data[cell.offset + 4 : cell.offset + cell.length]) for name, cell in cells.items()}


@pytest.mark.parametrize(
    ("message_class", "fields", "attributes"),
    [
        (ifaddrmsg, {"family": 2, "prefixlen": 24, "index": 7}, [("IFA_LOCAL", "10.9.0.1"), ("IFA_LABEL", "eth0:1")]),
        (ifaddrmsg, {"family": 10, "scope": 253}, [("IFA_ADDRESS", "fe80::1"), ("IFA_FLAGS", 0x80), ("IFA_PROTO", 18)]),
        (ifinfmsg, {"index": 3, "flags": 0x1043}, [("IFLA_IFNAME", "eth0"), ("IFLA_MTU", 1500)]),
        (ifinfmsg, {"family": 7}, []),
        (ctrlmsg, {"cmd": 1, "version": 2}, [("CTRL_ATTR_FAMILY_NAME", "IPVS"), ("CTRL_ATTR_FAMILY_ID", 33)]),
    ],
)
def test_a_reader_finds_what_pyroute2_finds(message_class: Any, fields: Any, attributes: Any) -> None:
    data = bytes(encoded(message_class, 16, 0, fields, attributes).data)
    reader = Reader(message_class)
    assert (reader.fields(data), reader.attributes(data)) == decoded(message_class, data)


@given(st.binary(max_size=80))
def test_a_reader_of_any_bytes_ends_and_reads_only_what_is_there(data: bytes) -> None:
    found = Reader(ifaddrmsg).attributes(bytes(24) + data)
    assert sum(map(len, found.values())) <= len(data)


def test_a_reader_leaves_out_what_is_newer_than_pyroute2() -> None:
    known = encoded(ifaddrmsg, 20, 0, {}, [("IFA_FLAGS", 1)]).data
    data = bytes(known) + bytes.fromhex("0800 ff00 01020304") + bytes.fromhex("0800 0280 0a090001")
    assert Reader(ifaddrmsg).attributes(data) == {"IFA_FLAGS": b"\1\0\0\0", "IFA_LOCAL": bytes([10, 9, 0, 1])}
