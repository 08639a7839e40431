"""HMAC (RFC 2104) with a key that is used again and again: what depends on the key alone is worked out once."""

from functools import lru_cache

_BLOCK = 64
"""Bytes, of MD5 and of SHA-256; no key here is longer."""
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class KeyedHash:
    """HMAC of one key."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, name: str, key: bytes) -> None:
        import hashlib  # noqa: PLC0415 - it brings OpenSSL along: 4 MiB that only a configured key is worth

        padded = key.ljust(_BLOCK, b"\0")
        secure = name != "md5"  # or a machine that allows no MD5 refuses this one, too
        self._inner = hashlib.new(name, padded.translate(_INNER), usedforsecurity=secure)
        self._outer = hashlib.new(name, padded.translate(_OUTER), usedforsecurity=secure)

    def of(self, data: bytes) -> bytes:
        """The whole digest."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(data)
        outer.update(inner.digest())
        return outer.digest()


@lru_cache(maxsize=256)
def keyed_hash(name: str, key: bytes) -> KeyedHash:
    """The one for this key: instances often share theirs."""
    return KeyedHash(name, key)


def same(ours: bytes, theirs: bytes) -> bool:
    """Compare in a time that tells nothing."""
    from hmac import compare_digest  # noqa: PLC0415 - as above

    return compare_digest(ours, theirs)
