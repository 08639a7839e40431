"""Kinds of value that global_defs alone has: mail servers, CPU lists, FIFOs, the sync daemon, masks.

As the other kinds they know nothing of files, users or the machine.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv6Address
from typing import Any, ClassVar

from pykeepalived.config.kinds import (
    AF_INET6,
    IP,
    NOTHING,
    UINT_MAX,
    Address,
    Integer,
    Kind,
    Problem,
    Refused,
    ip_address,
    number,
    plain_address,
    word_text,
)
from pykeepalived.units import SECOND

SMTP_PORT = 25
DAY = 86400
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


def _collected(mistakes: list[Refused], kept: Any) -> Any:
    """The value when nothing was wrong; else the first mistake, with the others, and what stands all the same."""
    if not mistakes:
        return kept
    first, *others = mistakes
    first.also = tuple(others)
    first.kept = kept
    raise first


class _Composed(Kind):
    """Its values of several words write themselves."""

    __slots__ = ()

    def write(self, value: Any) -> str:
        """As the value says."""
        return str(value)


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class RealTimeLimit(Integer):
    """Microseconds of computing at real-time priority: the least that the kernel can tell apart is 2."""

    minimum: int = 1
    maximum: int = UINT_MAX

    def read(self, words: Sequence[str]) -> int:
        """The microseconds; 1 becomes 2 in silence."""
        return max(2, Integer.read(self, words))


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class MailServerKind(_Composed):
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class ReceiveBuffers:
    """How large the receive buffers of VRRP sockets are made: by a rule, or that many bytes."""

    policy: str = ""
    """``MTU`` or ``ADVERT``; empty with a size, or for the system's default."""
    size: int = 0

    def __str__(self) -> str:
        """As in the file."""
        return str(self.size) if self.size else self.policy


@dataclass(frozen=True, slots=True)
class ReceiveBuffersKind(_Composed):
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
            _collected(mistakes, NOTHING)
        value: ReceiveBuffers = _collected(mistakes, found)
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class FifoKind(_Composed):
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class LvsTimeouts:
    """How long IPVS remembers connections, in nanoseconds; 0 leaves what the kernel has."""

    tcp: int = 0
    tcpfin: int = 0
    udp: int = 0

    def __str__(self) -> str:
        """As in the file."""
        named = (("tcp", self.tcp), ("tcpfin", self.tcpfin), ("udp", self.udp))
        return " ".join(f"{name} {value // SECOND}" for name, value in named if value)


@dataclass(frozen=True, slots=True)
class LvsTimeoutsKind(_Composed):
    """``tcp SECS``, ``tcpfin SECS`` and ``udp SECS`` in any order, at least one."""

    longest: ClassVar[int] = 31 * DAY

    def read(self, words: Sequence[str]) -> LvsTimeouts:
        """What is given."""
        if len(words) < 2:
            raise Refused(
                "needs at least one time",
                -1,
                "write for example: tcp 900 tcpfin 120 udp 300",
                Problem.MISSING_PARAMETER,
            )
        found: dict[str, int] = {}

        def take(name: str, text: str, at: int) -> None:
            found[name] = bounded(text, 0, self.longest, at) * SECOND

        mistakes = _pairs(words, 0, ("tcp", "tcpfin", "udp"), take)
        value: LvsTimeouts = _collected(mistakes, LvsTimeouts(**found))
        return value

    def merged(self, earlier: Any, later: Any) -> LvsTimeouts:
        """The later times, and of the earlier ones those that are not given again."""
        return LvsTimeouts(
            tcp=later.tcp or earlier.tcp, tcpfin=later.tcpfin or earlier.tcpfin, udp=later.udp or earlier.udp
        )

    def expected(self) -> str:
        """The bounds."""
        return f"0..{self.longest} s"

    unit: ClassVar[str] = "s"

    def arguments(self) -> str:
        """The pairs."""
        return "[tcp SECS] [tcpfin SECS] [udp SECS]"


@dataclass(frozen=True, slots=True)
class SyncDaemon:
    """The kernel's threads that tell another director of connections. What is None is left to the kernel."""

    interface: str
    instance: str | None = None
    """The vrrp_instance whose state decides whether it sends or listens; without one it does both."""
    syncid: int | None = None
    """None: the instance's virtual_router_id, or 0."""
    maxlen: int | None = None
    port: int | None = None
    ttl: int | None = None
    group: IP | None = None

    def __str__(self) -> str:
        """As in the file."""
        named = (
            ("inst", None if self.instance is None else word_text(self.instance)),
            ("id", self.syncid),
            ("maxlen", self.maxlen),
            ("port", self.port),
            ("ttl", self.ttl),
            ("group", self.group),
        )
        given = [f"{name} {value}" for name, value in named if value is not None]
        return " ".join([word_text(self.interface), *given])


_SYNC_BOUNDS = {"id": (0, 255), "maxlen": (1, 65507), "port": (1, 65535), "ttl": (1, 255)}


@dataclass(frozen=True, slots=True)
class SyncDaemonKind(_Composed):
    """An interface, an instance, and numbers by name. The second and third word may stand without theirs."""

    def read(self, words: Sequence[str]) -> SyncDaemon:
        """What is given; each parameter that is wrong is left out."""
        if not words:
            raise Refused("needs an interface", -1, "write for example: eth0 VI_1", Problem.MISSING_PARAMETER)
        if len(words[0].encode("utf-8", "surrogateescape")) > 15:
            raise Refused(f"'{words[0]}' cannot be the name of an interface", hint="a name has 1 to 15 characters")
        found = SyncDaemon(words[0])
        names = ("inst", *_SYNC_BOUNDS, "group")
        at = 1
        early: list[Refused] = []
        if len(words) > at and words[at] not in names:
            found = replace(found, instance=words[at])
            at += 1
            if len(words) > at and words[at] not in names:
                found = self._bare_syncid(found, words[at], at, early)
                at += 1

        def take(name: str, text: str, at: int) -> None:
            nonlocal found
            found = self._with(found, name, text, at)

        mistakes = [*early, *_pairs(words, at, names, take)]
        if lacking := next((each for each in mistakes if each.problem is Problem.LACKS_WORD), None):
            raise lacking
        value: SyncDaemon = _collected(mistakes, found)
        return value

    @staticmethod
    def _bare_syncid(found: SyncDaemon, text: str, at: int, mistakes: list[Refused]) -> SyncDaemon:
        """The former way to give the syncid."""
        try:
            syncid = bounded(text, 0, 255, at)
        except Refused as refused:
            refused.hint = "write id and a number from 0 to 255"
            mistakes.append(refused)
            return found
        message = f"the syncid {text} without the word id is deprecated"
        mistakes.append(Refused(message, at, f"write id {text}", Problem.DEPRECATED))
        return replace(found, syncid=syncid)

    @staticmethod
    def _with(found: SyncDaemon, name: str, text: str, at: int) -> SyncDaemon:
        if name == "inst":
            if found.instance is not None:
                raise Refused(f"the instance is {found.instance} already", at, hint="name one instance")
            return replace(found, instance=text)
        if name == "group":
            try:
                group = plain_address(text)
            except Refused as refused:
                refused.word = at
                raise
            if not group.is_multicast:
                raise Refused(f"'{text}' is not a multicast address", at, "use an address from 224.0.0.0/4 or ff00::/8")
            return replace(found, group=group)
        value = bounded(text, *_SYNC_BOUNDS[name], at)
        match name:
            case "id":
                return replace(found, syncid=value)
            case "maxlen":
                return replace(found, maxlen=value)
            case "port":
                return replace(found, port=value)
            case _:
                return replace(found, ttl=value)

    def arguments(self) -> str:
        """The pairs."""
        return "IFNAME [[inst] INSTANCE] [id 0..255] [maxlen N] [port N] [ttl N] [group IPADDR]"


def _pairs(words: Sequence[str], at: int, names: Sequence[str], take: Callable[[str, str, int], None]) -> list[Refused]:
    """Hands over each name with its value; gives what is wrong."""
    mistakes: list[Refused] = []
    while at < len(words):
        name = words[at]
        if name not in names:
            mistakes.append(Refused(f"unknown option '{name}'", at, f"the options are {', '.join(names)}"))
            at += 1 if at + 1 == len(words) or words[at + 1] in names else 2  # with what may be its value
            continue
        if at + 1 == len(words):
            lacks = Problem.LACKS_WORD if name == "inst" else Problem.MISSING_PARAMETER
            mistakes.append(Refused(f"{name} has no value", at, f"write {name} and its value", lacks))
            break
        try:
            take(name, words[at + 1], at + 1)
        except Refused as refused:
            mistakes.append(refused)
        at += 2
    return mistakes
