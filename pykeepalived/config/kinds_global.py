"""Kinds of value that global_defs alone has: mail servers, CPU lists, FIFOs, masks.

As the other kinds they know nothing of files, users or the machine.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv6Address
from typing import Any

from pykeepalived.config.kinds import (
    AF_INET6,
    NOTHING,
    UINT_MAX,
    Address,
    Integer,
    Kind,
    Problem,
    Refused,
    ip_address,
    number,
    word_text,
)
from pykeepalived.records import record

SMTP_PORT = 25
RT_PRIORITY = (1, 99)
CPUS = 1024
"""As many CPUs as an affinity mask of the C library can hold."""
_UMASK_BITS = {
    "IRUSR": 0o400, "IWUSR": 0o200, "IXUSR": 0o100, "IRWXU": 0o700,
    "IRGRP": 0o040, "IWGRP": 0o020, "IXGRP": 0o010, "IRWXG": 0o070,
    "IROTH": 0o004, "IWOTH": 0o002, "IXOTH": 0o001, "IRWXO": 0o007,
}  # fmt: skip
_host_name = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?\.?").fullmatch


def bounded(text: str, minimum: int, maximum: int, word: int = 0) -> int:
    """A number within bounds."""
    try:
        return int(Integer(minimum, maximum).read((text,)))
    except Refused as refused:
        refused.word = word
        raise


def collected(mistakes: list[Refused], kept: Any) -> Any:
    """The value when nothing was wrong; else the first mistake, with the others, and what stands all the same."""
    if not mistakes:
        return kept
    first, *others = mistakes
    first.also = tuple(others)
    first.kept = kept
    raise first


class Composed(Kind):
    """Its values of several words write themselves."""

    __slots__ = ()

    def write(self, value: Any) -> str:
        """As the value says."""
        return str(value)


@record(frozen=True, slots=True)
class OneWord(Kind):
    """One word and no other, or one that is not empty."""

    filled: bool = False
    """An empty word, as between quotes, is none."""
    alone: bool = True
    """Words behind it are a mistake, and not passed over."""

    def read(self, words: Sequence[str]) -> str:
        """The word."""
        if not words:
            raise Refused("needs a word after it", -1, problem=Problem.LACKS_WORD)
        if self.alone and len(words) > 1:
            raise Refused("takes one word", 1, hint="put a name with blanks between double quotes")
        if self.filled and not words[0]:
            raise Refused("the word is empty", hint="write a name, or remove the line")
        return words[0]


@record(frozen=True, slots=True)
class ProcessName(Kind):
    """The name of a process: the kernel keeps 15 characters."""

    def read(self, words: Sequence[str]) -> str:
        """The name, cut short with an error."""
        if not words:
            raise Refused("needs a name", -1, problem=Problem.LACKS_WORD)
        if len(words[0]) > 15:
            raise Refused(
                f"process name {words[0]} has more than 15 characters, the first 15 are used",
                hint=f"write {words[0][:15]}, or a shorter name",
                kept=words[0][:15],
            )
        return words[0]

    def arguments(self) -> str:
        """A name."""
        return "NAME"


@record(frozen=True, slots=True)
class RealTimePriority(Kind):
    """A priority of SCHED_RR: what is out of its bounds is moved to the nearest of them."""

    def read(self, words: Sequence[str]) -> int:
        """The number."""
        if not words:
            raise Refused("needs a number", -1, problem=Problem.LACKS_WORD)
        value = number(words[0])
        low, high = RT_PRIORITY
        if low <= value <= high:
            return value
        kept = low if value < low else high
        raise Refused(
            f"number '{words[0]}' outside range [{low}, {high}], {kept} is used",
            hint=f"use a number from {low} to {high}",
            kept=kept,
        )

    def expected(self) -> str:
        """The bounds."""
        return "1..99"

    def arguments(self) -> str:
        """A number."""
        return "INT"


@record(frozen=True, slots=True)
class RealTimeLimit(Integer):
    """Microseconds of computing at real-time priority: the least that the kernel can tell apart is 2."""

    minimum: int = 1
    maximum: int = UINT_MAX

    def read(self, words: Sequence[str]) -> int:
        """The microseconds; 1 becomes 2 in silence."""
        return max(2, Integer.read(self, words))


@record(frozen=True, slots=True)
class CpuList(Kind):
    """CPUs by number. Whether the machine has them is not known here."""

    def read(self, words: Sequence[str]) -> tuple[int, ...]:
        """The numbers, each once; one that is none clears them all."""
        if not words:
            raise Refused("needs the number of a CPU", -1, problem=Problem.LACKS_WORD)
        found: list[int] = []
        for index, word in enumerate(words):
            try:
                found.append(bounded(word, 0, CPUS - 1, index))
            except Refused as refused:
                refused.kept = ()
                raise
        return tuple(sorted(set(found)))

    def write(self, value: Any) -> str:
        """The numbers."""
        return " ".join(map(str, value))

    def arguments(self) -> str:
        """Numbers of CPUs."""
        return "CPU ..."


@record(frozen=True, slots=True)
class MailServer:
    """The host that takes mail: an address, or a name to be looked up."""

    host: str
    port: int = SMTP_PORT

    @property
    def named(self) -> bool:
        """Whether the host is a name."""
        try:
            ip_address(self.host)
        except Refused:
            return True
        return False

    def __str__(self) -> str:
        """As in the file."""
        return word_text(self.host) + (f" {self.port}" if self.port != SMTP_PORT else "")


@record(frozen=True, slots=True)
class MailServerKind(Composed):
    """A host and, where given, a port."""

    def read(self, words: Sequence[str]) -> MailServer:
        """The pair."""
        if not words:
            raise Refused("needs the address or the name of a host", -1, problem=Problem.LACKS_WORD)
        server = MailServer(words[0], bounded(words[1], 1, 65535, 1) if len(words) > 1 else SMTP_PORT)
        if not server.named:
            return MailServer(str(ip_address(words[0])), server.port)
        if not _host_name(words[0]):
            raise Refused(
                f"'{words[0]}' is neither an address nor the name of a host",
                hint="write the address of the mail server without a prefix length, or its name",
            )
        return server

    def arguments(self) -> str:
        """Host and port."""
        return "IPADDR|DOMAIN [PORT]"


@record(frozen=True, slots=True)
class MulticastV6(Kind):
    """An IPv6 group; one that leaves the link is said to be wrong and used."""

    def read(self, words: Sequence[str]) -> IPv6Address:
        """The address."""
        group = Address(AF_INET6, multicast=True).read(words)
        assert isinstance(group, IPv6Address)  # noqa: S101 - of that family
        if group.packed[1] & 0xF != 2:
            raise Refused(
                f"{group} is not a link-local group, and is used all the same",
                hint="adverts must not leave the link: use a group of ff02::/16",
                kept=group,
            )
        return group

    def arguments(self) -> str:
        """A group."""
        return "IPV6_MULTICAST"


@record(frozen=True, slots=True)
class ReceiveBuffers:
    """How large the receive buffers of VRRP sockets are made: by a rule, or that many bytes."""

    policy: str = ""
    """``MTU`` or ``ADVERT``; empty with a size, or for the system's default."""
    size: int = 0

    def __str__(self) -> str:
        """As in the file."""
        return str(self.size) if self.size else self.policy


@record(frozen=True, slots=True)
class ReceiveBuffersKind(Composed):
    """``MTU``, ``ADVERT`` or a number: a number beats both, and MTU beats ADVERT."""

    def read(self, words: Sequence[str]) -> ReceiveBuffers:
        """The rule or the size."""
        if not words:
            raise Refused("needs MTU, ADVERT or a number of bytes", -1, problem=Problem.LACKS_WORD)
        found = ReceiveBuffers()
        mistakes: list[Refused] = []
        for index, word in enumerate(words):
            try:
                found = self._with(found, word, index)
            except Refused as refused:
                found = found if refused.kept is NOTHING else refused.kept
                mistakes.append(refused)
        if mistakes and found == ReceiveBuffers():
            collected(mistakes, NOTHING)
        value: ReceiveBuffers = collected(mistakes, found)
        return value

    @staticmethod
    def _with(found: ReceiveBuffers, word: str, index: int) -> ReceiveBuffers:
        name = word.upper()
        if name in ("MTU", "ADVERT"):
            if found.size:
                raise Refused("a size is set, the policy is ignored", index, hint="leave one of the two out")
            if found.policy and found.policy != name:
                raise Refused(
                    "MTU and ADVERT exclude each other, MTU is used",
                    index,
                    hint="leave one of the two out",
                    kept=ReceiveBuffers("MTU"),
                )
            return ReceiveBuffers(name)
        if found.size:
            return found  # as any other word too many
        try:
            size = bounded(word, 0, UINT_MAX, index)
        except Refused as refused:
            refused.hint = "write MTU, ADVERT or a number of bytes"
            raise
        if not size:
            return found
        if found.policy:
            hint = "leave one of the two out"
            raise Refused("a size is set, the policy is ignored", index, hint, kept=ReceiveBuffers(size=size))
        return ReceiveBuffers(size=size)

    def merged(self, earlier: Any, later: Any) -> ReceiveBuffers:
        """What two lines make together."""
        return self._with(earlier, str(later), 0) if later != ReceiveBuffers() else earlier

    def arguments(self) -> str:
        """Words or a number."""
        return "MTU|ADVERT|BYTES"


@record(frozen=True, slots=True)
class Fifo:
    """A named pipe, and whose it is made."""

    path: str
    user: str = ""
    group: str = ""
    owner: tuple[int, int] | None = None
    """The numbers of user and group, when a user is named."""

    def __str__(self) -> str:
        """As in the file."""
        return " ".join(word_text(each) for each in (self.path, self.user, self.group) if each)


@record(frozen=True, slots=True)
class FifoKind(Composed):
    """A path, and the user and group that shall own the pipe."""

    def read(self, words: Sequence[str]) -> Fifo:
        """The words; whether user and group exist is not known here."""
        if not words:
            raise Refused("needs the path of a FIFO", -1, problem=Problem.LACKS_WORD)
        user, group = (*words[1:3], "", "")[:2]
        return Fifo(words[0], user, group)

    def arguments(self) -> str:
        """A path, and whose it is."""
        return "PATH [USER [GROUP]]"


@record(frozen=True, slots=True)
class Umask(Kind):
    """A mask of permission bits: a number of any base, or names of bits joined by ``|``."""

    def read(self, words: Sequence[str]) -> int:
        """The mask."""
        if not words:
            raise Refused("needs a mask", -1, problem=Problem.LACKS_WORD)
        text = "".join(words)
        hint = "write an octal number such as 0177, or bits such as IXUSR|IRWXG"
        if words[0][:1].isdigit():
            if len(words) > 1:
                raise Refused("takes one number", 1, hint=hint)
            if (value := _number_of_any_base(text)) is None or value > 0o777:
                raise Refused(f"invalid value '{text}'", hint=hint)
            return value
        mask = 0
        for name in text.split("|"):
            if name not in _UMASK_BITS:
                at = next((index for index, word in enumerate(words) if name and name in word), 0)
                raise Refused(f"unknown bit '{name}'", at, hint=hint)
            mask |= _UMASK_BITS[name]
        return mask

    def write(self, value: Any) -> str:
        """Octal digits."""
        return f"0{value:03o}"

    def expected(self) -> str:
        """The bounds."""
        return "0..0777"

    def arguments(self) -> str:
        """A number, or bits."""
        return "NUMBER|BITS"


def _number_of_any_base(text: str) -> int | None:
    """As C reads it: ``0x1f``, ``0177``, ``127``."""
    base = 16 if text[:2].lower() == "0x" else 8 if text[0] == "0" else 10
    try:
        return int(text, base) if text.isascii() and "_" not in text else None
    except ValueError:
        return None
