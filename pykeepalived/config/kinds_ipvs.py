"""Kinds of value of IPVS as a whole: its timeouts and its sync daemon. Each is pairs of a name and a value."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pykeepalived.config.kinds import IP, Problem, Refused, plain_address, word_text
from pykeepalived.config.kinds_global import Composed, bounded, collected
from pykeepalived.records import record
from pykeepalived.units import SECOND

DAY = 86400


@record(frozen=True, slots=True)
class LvsTimeouts:
    """How long IPVS remembers connections, in nanoseconds; 0 leaves what the kernel has."""

    tcp: int = 0
    tcpfin: int = 0
    udp: int = 0

    def __str__(self) -> str:
        """As in the file."""
        named = (("tcp", self.tcp), ("tcpfin", self.tcpfin), ("udp", self.udp))
        return " ".join(f"{name} {value // SECOND}" for name, value in named if value)


@record(frozen=True, slots=True)
class LvsTimeoutsKind(Composed):
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
        value: LvsTimeouts = collected(mistakes, LvsTimeouts(**found))
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


@record(frozen=True, slots=True)
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


@record(frozen=True, slots=True)
class SyncDaemonKind(Composed):
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
        value: SyncDaemon = collected(mistakes, found)
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
