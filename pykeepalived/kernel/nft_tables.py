"""keepalived's tables in nf_tables, one a family: which sets, chains and rules they have. Pure.

    ip                                                ip6
    in    to a VIP: drop                              in    neighbour discovery: accept; to a VIP: drop
    out   IGMP of a VMAC: by its base                 out   MLD of a VMAC: by its base; its router solicitations: drop
          from a VIP: drop                                  neighbour discovery: accept; from a VIP: drop

A link-local VIP is one of its interface: those have sets, and chains that fe80::/10 goes to, of their own. A table has
only what its sets ask for. Nothing depends on what the rules of others do: a packet that is not dropped here is judged
by them as before.
"""

import struct
from collections.abc import Iterable, Iterator
from socket import AF_INET, AF_INET6

from pykeepalived.kernel import nft_messages as nft
from pykeepalived.kernel.nft_messages import Expression, Header, Hook, Meta, Order
from pykeepalived.kernel.ports import FilterElement, FilterSet, FilterSettings

NFPROTO: dict[int, int] = {AF_INET: 2, AF_INET6: 10}
FAMILY_WORD: dict[int, str] = {AF_INET: "ip", AF_INET6: "ip6"}

_IGMP, _ICMP6 = 2, 58
_ROUTER_SOLICIT, _NEIGHBOUR_SOLICIT, _NEIGHBOUR_ADVERT, _MLD2_REPORT = 133, 135, 136, 143
_LINK_LOCAL = bytes((0xFE, 0x80)) + bytes(14)
_LINK_LOCAL_MASK = bytes((0xFF, 0xC0)) + bytes(14)
_IFNAMSIZ = 16

# the nft program's types, and the lengths of their values; a key of two parts counts its parts in six bits each
_IPV4_ADDR, _IPV6_ADDR, _IFINDEX, _ICMP6_TYPE, _IFNAME = (7, 4), (8, 16), (20, 4), (29, 1), (41, _IFNAMSIZ)

ADDRESS: dict[int, tuple[tuple[int, int], int, int]] = {AF_INET: (_IPV4_ADDR, 12, 16), AF_INET6: (_IPV6_ADDR, 8, 24)}
"""Of a family: the type, and where source and destination stand in its header."""

_DISCOVERY = "neighbor-discovery"
_VMAC_SET = "vmac_set"
_LINK_LOCAL_SETS = {
    FilterSet.LINK_LOCAL: (_IFINDEX, Meta.IIF, Meta.OIF),
    FilterSet.LINK_LOCAL_NAME: (_IFNAME, Meta.IIFNAME, Meta.OIFNAME),
}
_BLOCKING = frozenset((FilterSet.VIPS, *_LINK_LOCAL_SETS))


def index_key(index: int) -> bytes:
    """An interface as sets of indices know it."""
    return struct.pack("=I", index)


def name_key(name: str) -> bytes:
    """An interface as sets of names know it."""
    return name.encode().ljust(_IFNAMSIZ, b"\0")


def table(
    family: int, settings: FilterSettings, sets: frozenset[FilterSet], elements: Iterable[FilterElement]
) -> list[bytearray]:
    """The whole table anew, whatever is there by its name."""
    name, number = settings.table, NFPROTO[family]
    return [
        nft.new_table(number, name),  # so that there is one to remove
        nft.table_named(Order.DELTABLE, number, name),
        nft.new_table(number, name),
        *_chains(family, settings, sets),
        *_sets(family, settings, sets),
        *change(family, settings, Order.NEWSETELEM, elements),
        *(
            nft.new_rule(number, name, chain, counted(expressions) if settings.counters else expressions)
            for chain, expressions in _rules(family, sets)
        ),
    ]


def change(
    family: int, settings: FilterSettings, order: Order, elements: Iterable[FilterElement]
) -> Iterator[bytearray]:
    """Put elements into the sets, or take them out."""
    by_set: dict[str, list[tuple[bytes, bytes]]] = {}
    for element in elements:
        by_set.setdefault(element.set, []).append((element.key, element.data))
        if element.set is FilterSet.VMACS and family == AF_INET6:
            by_set.setdefault(_VMAC_SET, []).append((element.key, b""))
    for name, keys in by_set.items():
        # a map's element is found by its key
        given = keys if order is Order.NEWSETELEM else [(key, b"") for key, _ in keys]
        yield from nft.elements(order, NFPROTO[family], settings.table, name, given)


def _chains(family: int, settings: FilterSettings, sets: frozenset[FilterSet]) -> Iterator[bytearray]:
    name, number = settings.table, NFPROTO[family]
    yield nft.new_chain(number, name, "out", Hook.OUTPUT, settings.priority)
    if sets & _BLOCKING:
        yield nft.new_chain(number, name, "in", Hook.INPUT, settings.priority)
        if family == AF_INET6:
            yield nft.new_chain(number, name, "in_link_local")
            yield nft.new_chain(number, name, "out_link_local")


def _sets(family: int, settings: FilterSettings, sets: frozenset[FilterSet]) -> Iterator[bytearray]:
    name, number = settings.table, NFPROTO[family]
    address = ADDRESS[family][0]
    if FilterSet.VMACS in sets:
        yield nft.new_set(number, name, FilterSet.VMACS, 1, _IFINDEX, _IFINDEX)
        if family == AF_INET6:
            yield nft.new_set(number, name, _VMAC_SET, 2, _IFINDEX)
    if sets & _BLOCKING:
        yield nft.new_set(number, name, FilterSet.VIPS, 3, address, big_endian=True)
        if family == AF_INET6:
            yield nft.new_set(number, name, _DISCOVERY, 4, _ICMP6_TYPE, constant=True)
            types = [(bytes((each,)), b"") for each in (_NEIGHBOUR_SOLICIT, _NEIGHBOUR_ADVERT)]
            yield from nft.elements(Order.NEWSETELEM, number, name, _DISCOVERY, types)
    for place, (each, (interface, _, _)) in enumerate(_LINK_LOCAL_SETS.items(), 5):
        if each in sets:
            key = (address[0] << 6 | interface[0], address[1] + interface[1])
            yield nft.new_set(number, name, each, place, key)


def _rules(family: int, sets: frozenset[FilterSet]) -> Iterator[tuple[str, list[Expression]]]:
    if FilterSet.VMACS in sets:
        yield from _relay(family)
    if not sets & _BLOCKING:
        return
    _, source, destination = ADDRESS[family]
    length = ADDRESS[family][0][1]
    if family == AF_INET6:
        discovery = [
            *(nft.payload(Header.NETWORK, 6, 1), nft.equal(bytes((_ICMP6,)))),
            *(nft.payload(Header.TRANSPORT, 0, 1), nft.lookup(_DISCOVERY), nft.verdict(nft.ACCEPT)),
        ]
        for chain, offset in (("in", destination), ("out", source)):
            address = nft.payload(Header.NETWORK, offset, length)
            yield chain, discovery
            yield (
                chain,
                [address, nft.masked(_LINK_LOCAL_MASK), nft.equal(_LINK_LOCAL), nft.goto(f"{chain}_link_local")],
            )
    for chain, offset in (("in", destination), ("out", source)):
        yield chain, [nft.payload(Header.NETWORK, offset, length), nft.lookup(FilterSet.VIPS), nft.verdict(nft.DROP)]
    for each, (_, incoming, outgoing) in _LINK_LOCAL_SETS.items():
        if each in sets:
            for chain, offset, interface in (("in", destination, incoming), ("out", source, outgoing)):
                address = nft.payload(Header.NETWORK, offset, length)
                yield (
                    f"{chain}_link_local",
                    [address, nft.meta(interface, 2), nft.lookup(each), nft.verdict(nft.DROP)],
                )


def _relay(family: int) -> Iterator[tuple[str, list[Expression]]]:
    """What a VMAC's own stack says of its groups goes out by the base; it asks for no routers."""
    _, _, destination = ADDRESS[family]
    length = ADDRESS[family][0][1]
    macvlan = [nft.meta(Meta.OIFKIND, 2), nft.equal(name_key("macvlan"), 2), nft.meta(Meta.OIF, 2)]
    reports = _icmp6(_MLD2_REPORT)
    if family == AF_INET:
        reports = [nft.payload(Header.NETWORK, 9, 1), nft.equal(bytes((_IGMP,)))]
    yield (
        "out",
        [
            *(*reports, nft.payload(Header.NETWORK, destination, length), *macvlan),
            *(nft.lookup(FilterSet.VMACS, 2, found=2), nft.duplicate(1, 2), nft.verdict(nft.DROP)),
        ],
    )
    if family == AF_INET6:
        yield "out", [*_icmp6(_ROUTER_SOLICIT), *macvlan, nft.lookup(_VMAC_SET, 2), nft.verdict(nft.DROP)]


def _icmp6(kind: int) -> list[Expression]:
    protocol = [nft.meta(Meta.L4PROTO), nft.equal(bytes((_ICMP6,)))]
    return [*protocol, nft.payload(Header.TRANSPORT, 0, 1), nft.equal(bytes((kind,)))]


def counted(expressions: list[Expression]) -> list[Expression]:
    """With a counter before the verdict, which is last."""
    return [*expressions[:-1], nft.counter(), expressions[-1]]
