"""Names in the packet filter: chains of iptables, ipsets, tables of nftables."""

from collections.abc import Sequence
from typing import Any, ClassVar

from pykeepalived.config.kinds import Kind, Refused, word_text
from pykeepalived.records import record

CHAINS = ("INPUT", "OUTPUT")
SETS = ("keepalived", "keepalived6", "keepalived_if6", "keepalived_igmp", "keepalived_mld", "keepalived_nd")
LONGEST_CHAIN = 27
LONGEST_SET = 30
LONGEST_TABLE = 255


def _bounded(words: Sequence[str], least: int, longest: int, what: str) -> None:
    for index, word in enumerate(words):
        if not least <= len(word) <= longest:
            hint = f"a name of {what} has 1 to {longest} characters; this has {len(word)}"
            raise Refused(f"'{word}' cannot be the name of {what}", index, hint)


def _distinct(words: Sequence[str], what: str) -> None:
    for index, word in enumerate(words):
        if word in words[:index]:
            raise Refused(f"'{word}' stands twice", index, f"each of the {what} needs a name of its own")


class _Names(Kind):
    __slots__ = ()
    needs: ClassVar[int] = 0

    def write(self, value: Any) -> str:
        """The names."""
        return " ".join(map(word_text, value))


@record(frozen=True, slots=True)
class ChainNames(_Names):
    """The chains of incoming and outgoing packets; bare, those that every table filter has."""

    def read(self, words: Sequence[str]) -> tuple[str, ...]:
        """One or two names."""
        names = tuple(words[:2]) or CHAINS
        _bounded(names, 1, LONGEST_CHAIN, "a chain")
        _distinct(names, "chains")
        return names

    def arguments(self) -> str:
        """Two names."""
        return "[INCHAIN [OUTCHAIN]]"


@record(frozen=True, slots=True)
class IpsetNames(_Names):
    """The ipsets; those not named are named after the first. Bare: there shall be none."""

    def read(self, words: Sequence[str]) -> tuple[str, ...]:
        """Six names, or none."""
        given = tuple(words[: len(SETS)])
        if not given:
            return ()
        _bounded(given, 1, LONGEST_SET, "an ipset")
        names = (*given, *_derived(given)[len(given) :])
        _distinct(names, "ipsets")
        return names

    def arguments(self) -> str:
        """Six names."""
        return "[ADDR [ADDR6 [IF6 [IGMP [MLD [VMAC_ND]]]]]]"


def _derived(given: Sequence[str]) -> tuple[str, ...]:
    """The names as they would be if the first, and the second where there is one, were all that is given."""
    first = given[0]
    second = given[1] if len(given) > 1 else _with(first, "6")
    return (first, second, _with(second.removesuffix("6"), "_if6"), *(_with(first, f"_{end}") for end in _ENDS))


_ENDS = ("igmp", "mld", "nd")


def _with(name: str, end: str) -> str:
    return name[: LONGEST_SET - len(end)] + end


@record(frozen=True, slots=True)
class TableName(Kind):
    """A table of nftables; bare, or with an empty word, ``standard``."""

    standard: str
    needs: ClassVar[int] = 0

    def read(self, words: Sequence[str]) -> str:
        """The name."""
        name = (words[0] if words else "") or self.standard
        _bounded((name,), 1, LONGEST_TABLE, "a table")
        return name

    def arguments(self) -> str:
        """A name."""
        return "[TABLE]"
