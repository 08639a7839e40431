"""Lines of a virtual_server_group: whatever is written of a range reads as the same; any word is read or refused."""

from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st

from pykeepalived.config.blocks.virtual_server_group import GroupEntry
from pykeepalived.config.grammar import ranges
from pykeepalived.config.kinds import IP, Refused

ADDRESSES = st.ip_addresses()
WORDS = st.text(st.sampled_from("0123456789abcdefx:.-/+ %"), min_size=1, max_size=40)


@given(ADDRESSES, st.integers(0, 2**20))
def test_a_range_is_written_as_it_is_read(first: IP, length: int) -> None:
    kind = IPv4Address if isinstance(first, IPv4Address) else IPv6Address
    last = kind(min(int(first) + length, 2**first.max_prefixlen - 1))
    text = GroupEntry(first, last).entry_text()
    assert (ranges.read(text) if "-" in text else (first, first)) == (first, last)


@given(ADDRESSES, st.integers(1, 128))
def test_a_network_holds_what_its_length_says(address: IP, length: int) -> None:
    length = min(length, address.max_prefixlen)
    hosts = address.max_prefixlen - length
    kind = IPv4Address if isinstance(address, IPv4Address) else IPv6Address
    network = kind(int(address) >> hosts << hosts)
    first, last = ranges.read(f"{network}/{length}")
    assert first == network
    assert int(last) - int(first) + 1 == 2**hosts


def outcome(text: str) -> tuple[IP, IP] | Refused:
    try:
        return ranges.read(text)
    except Refused as refused:
        return refused


@given(WORDS)
def test_any_word_is_read_or_refused(text: str) -> None:
    found = outcome(text)
    if isinstance(found, Refused):
        assert found.hint
        assert found.word == 0
    else:
        first, last = found
        assert first.version == last.version
        assert int(first) <= int(last)
