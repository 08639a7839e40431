"""Messages of nf_tables: what is made is well formed, and nothing that is read can hurt."""

import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pykeepalived.config.kinds import AF_INET, AF_INET6
from pykeepalived.kernel import nft_messages as nft
from pykeepalived.kernel import nftables
from pykeepalived.kernel.message_classes import NLMSG_HEADER
from pykeepalived.kernel.nft_messages import Order
from pykeepalived.kernel.nft_tables import index_key, name_key, table
from pykeepalived.kernel.nftables import LinuxPacketFilter
from pykeepalived.kernel.ports import FilterDisturbance, FilterElement, FilterSet, FilterSettings

SETTINGS = FilterSettings("keepalived", -1, counters=True)
OURS = 77


@pytest.mark.parametrize("family", [AF_INET, AF_INET6])
def test_every_message_says_its_length_and_comes_in_order(family: int) -> None:
    packed = ip_address("10.0.0.100" if family == AF_INET else "fd00::100").packed
    elements = {FilterElement(FilterSet.VIPS, packed), FilterElement(FilterSet.VMACS, index_key(7), index_key(3))}
    sets = {each.set for each in elements}
    if family == AF_INET6:
        sets |= {FilterSet.LINK_LOCAL, FilterSet.LINK_LOCAL_NAME}
        elements.add(FilterElement(FilterSet.LINK_LOCAL_NAME, packed + name_key("eth0")))
    messages = table(family, SETTINGS, frozenset(sets), elements)
    orders = []
    for message in messages:
        length, kind, *_ = NLMSG_HEADER.unpack_from(message)
        assert length == len(message) == (length + 3) & ~3
        orders.append(nft.order_of(kind))
    assert orders[:3] == [Order.NEWTABLE, Order.DELTABLE, Order.NEWTABLE]
    assert list(dict.fromkeys(orders[3:])) == [Order.NEWCHAIN, Order.NEWSET, Order.NEWSETELEM, Order.NEWRULE]
    assert len(messages) == {AF_INET: 12, AF_INET6: 30}[family]


def test_elements_fill_as_many_messages_as_they_need() -> None:
    keys = [(number.to_bytes(4, "big"), b"") for number in range(1201)]
    messages = nft.elements(Order.NEWSETELEM, 2, "t", "vips", keys)
    assert len(messages) == 3
    assert [key for message in messages for key in nft.keys_of(bytes(message))] == [key for key, _ in keys]


@given(st.binary(max_size=200))
def test_any_bytes_are_read(data: bytes) -> None:
    message = NLMSG_HEADER.pack(NLMSG_HEADER.size + len(data), 0xA00, 0, 0, 0) + data
    assert all(isinstance(key, bytes) for key in nft.keys_of(message))
    nft.attributes(message)
    nft.family_of(message)
    assert nftables._program(message)


class News:
    """What a script says was heard."""

    def __init__(self, *messages: tuple[int, bytes]) -> None:
        self.messages = messages

    def events(self) -> tuple[tuple[int, bytes], ...]:
        return self.messages


class Orders:
    """The socket of our orders."""

    port = OURS


def told(order: Order, family: int, name: str, sender: int) -> tuple[int, bytes]:
    message = bytearray(nft.table_named(order, family, name))
    struct.pack_into("=I", message, 12, sender)
    return 0xA00 | order, bytes(message)


PID_AND_NAME = b"\x08\0\x02\0" + struct.pack(">I", 1234) + b"\x08\0\x03\0nft\0"
GENERATION = (0xA00 | Order.NEWGEN, bytes(nft.message(Order.NEWGEN, 0, PID_AND_NAME)))


@pytest.mark.parametrize(
    ("news", "found"),
    [
        ([told(Order.DELTABLE, 2, "keepalived", 5)], [FilterDisturbance(AF_INET, "nft[1234]")]),
        (
            [told(Order.DELRULE, 10, "keepalived", 5), told(Order.DELTABLE, 10, "keepalived", 5)],
            [FilterDisturbance(AF_INET6, "nft[1234]")],
        ),
        ([told(Order.DELTABLE, 2, "keepalived", OURS)], []),
        ([told(Order.DELTABLE, 2, "keepalived2", 5)], []),
        ([told(Order.DELTABLE, 1, "keepalived", 5)], []),  # inet
        ([told(Order.NEWRULE, 2, "keepalived", 5)], []),
        ([told(Order.NEWTABLE, 2, "keepalived", 5)], [FilterDisturbance(AF_INET, "nft[1234]")]),  # put to sleep
        ([(0x100, b"")], []),
    ],
)
def test_whose_work_it_was(news: list[tuple[int, bytes]], found: list[FilterDisturbance]) -> None:
    packet_filter = LinuxPacketFilter()
    packet_filter._orders = Orders()  # type: ignore[assignment] # as much of them as is used
    packet_filter._news = News(*news, GENERATION)  # type: ignore[assignment]
    assert packet_filter.disturbances("keepalived") == found
