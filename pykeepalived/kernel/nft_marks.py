"""keepalived's tables in nf_tables that mark packets for IPVS, one a family. Pure.

    map  tcp_map       address and port -> mark
    in   meta mark set daddr . dport map @tcp_map return

with a map and a rule for each protocol that is used, and ``tcp_map_any_port`` behind it for addresses of all ports.
"""

import struct
from collections.abc import Iterable, Iterator

from pykeepalived.kernel import nft_messages as nft
from pykeepalived.kernel.nft_messages import Expression, Header, Hook, Meta, Order
from pykeepalived.kernel.nft_tables import ADDRESS, NFPROTO, counted
from pykeepalived.kernel.ports import FilterSettings, MarkElement

PROTOCOL_WORD = {6: "tcp", 17: "udp", 132: "sctp"}
_INET_SERVICE, _MARK = (13, 2), (19, 4)  # the nft program's types, and the lengths of their values
_LAST_PORT = 65535
_PORT_AT = 2  # of the destination, in the header of each of these protocols


def maps(elements: Iterable[MarkElement]) -> frozenset[tuple[int, bool]]:
    """The protocols that need a map, each for one port and for all ports."""
    return frozenset((element.protocol, not element.port) for element in elements)


def table(family: int, settings: FilterSettings, elements: frozenset[MarkElement]) -> list[bytearray]:
    """The whole table anew, whatever is there by its name."""
    name, number = settings.table, NFPROTO[family]
    return [
        nft.new_table(number, name),  # so that there is one to remove
        nft.table_named(Order.DELTABLE, number, name),
        nft.new_table(number, name),
        *content(family, settings, maps(elements)),
        *change(family, settings, Order.NEWSETELEM, elements),
    ]


def content(family: int, settings: FilterSettings, wanted: frozenset[tuple[int, bool]]) -> Iterator[bytearray]:
    """The chain, the maps and the rules."""
    name, number = settings.table, NFPROTO[family]
    address, _, destination = ADDRESS[family]
    fields = (address, _INET_SERVICE)
    yield nft.new_chain(number, name, "in", Hook.INPUT, settings.priority)
    for place, (protocol, any_port) in enumerate(sorted(wanted, key=lambda each: (each[1], each[0])), 1):
        map_name = _map_name(protocol, any_port=any_port)
        yield nft.new_interval_map(number, name, map_name, place, fields, _MARK, counters=settings.counters)
        second = 1 + 8 if address[1] == 4 else 2  # the port's register: of four bytes, or behind sixteen
        expressions: list[Expression] = [
            *(nft.meta(Meta.L4PROTO), nft.equal(bytes((protocol,)))),
            nft.payload(Header.NETWORK, destination, address[1]),
            nft.payload(Header.TRANSPORT, _PORT_AT, _INET_SERVICE[1], second),
            nft.lookup(map_name, found=1),
            nft.set_meta(Meta.MARK),
            nft.verdict(nft.RETURN),
        ]
        yield nft.new_rule(number, name, "in", counted(expressions) if settings.counters else expressions)


def change(family: int, settings: FilterSettings, order: Order, elements: Iterable[MarkElement]) -> Iterator[bytearray]:
    """Put elements into the maps, or take them out."""
    by_map: dict[str, list[tuple[bytes, bytes, bytes]]] = {}
    for element in sorted(elements):
        ports = (element.port, element.port) if element.port else (0, _LAST_PORT)
        first, last = (_key(address, port) for address, port in zip((element.first, element.last), ports, strict=True))
        row = (first, last, struct.pack("=I", element.mark))
        by_map.setdefault(_map_name(element.protocol, any_port=not element.port), []).append(row)
    for name, rows in by_map.items():
        yield from nft.intervals(order, NFPROTO[family], settings.table, name, rows)


def _map_name(protocol: int, *, any_port: bool) -> str:
    return f"{PROTOCOL_WORD[protocol]}_map" + ("_any_port" if any_port else "")


def _key(address: bytes, port: int) -> bytes:
    return address + struct.pack("!HH", port, 0)
