"""The Internet checksum of RFC 1071."""


def checksum(data: bytes) -> int:
    """The ones' complement of the ones' complement sum of 16-bit words; an odd last byte is padded with zero.

    A number modulo 65535 is the sum of its 16-bit digits with the carries folded in, which one division gives.
    """
    if len(data) % 2:
        data += b"\0"
    number = int.from_bytes(data, "big")
    folded = number % 0xFFFF
    if folded == 0 and number:
        folded = 0xFFFF  # the sum's other zero: only all-zero data sums to the true one
    return 0xFFFF - folded


def verifies(data: bytes) -> bool:
    """Whether ``data``, its checksum field included, sums to all ones."""
    return checksum(data) == 0
