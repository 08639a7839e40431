"""The machine as the configuration may ask about it. The Linux side is in ``kernel/surroundings.py``."""

from collections.abc import Mapping
from typing import Protocol

from pykeepalived.config.blocks.ssl import Ssl
from pykeepalived.records import record


class Unreadable(Exception):  # noqa: N818 - a state of a file, told by its message
    """A file cannot be used; ``reason`` is for people, ``absent`` when there is none."""

    def __init__(self, reason: str, *, absent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.absent = absent


@record(frozen=True, slots=True)
class Account:
    """A user: its number, its group, its further groups."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...] = ()


@record(frozen=True, slots=True)
class NetworkInterface:
    """An interface of the machine."""

    name: str
    mtu: int = 1500
    loopback: bool = False
    driver: str = ""
    """What drives it, by the kernel's word: veth, macvlan, bridge; empty when it does not tell."""


@record(frozen=True, slots=True)
class PathElement:
    """One element of a path, from the root on: what a script's security is judged by."""

    path: str
    uid: int
    gid: int
    mode: int
    """Permission bits, with the sticky bit."""
    kind: str
    """``directory``, ``file``, ``link`` or ``other``."""


@record(frozen=True, slots=True)
class ScriptPath:
    """A command looked up.

    ``path`` is its folder with links followed and its own name: a program may do something else under another name.
    ``elements`` are all folders on the way to it and to what a link leads to, and last the file itself.
    """

    path: str
    elements: tuple[PathElement, ...]


class Surroundings(Protocol):
    """What may be asked."""

    def read_file(self, path: str) -> bytes:
        """The bytes of a regular file without execute bit, or Unreadable."""

    def mode(self, path: str) -> int | None:
        """The permission bits of a file, links followed; None when there is none."""

    def glob(self, pattern: str) -> list[str]:
        """Paths that match a pattern of ``*``, ``?`` and ``[...]``, sorted. A plain path that is absent gives none."""

    def real_path(self, path: str) -> str:
        """The path with links followed, to tell files apart."""

    def environment(self) -> Mapping[str, str]:
        """The environment's variables."""

    def host_name(self) -> str:
        """The node's name, whole."""

    def working_directory(self) -> str:
        """Where a relative path of the command line starts."""

    def interfaces(self, namespace: str | None) -> Mapping[str, NetworkInterface] | None:
        """The interfaces by name, of the own or of a named network namespace; None when there is no such namespace."""

    def addresses(self, namespace: str | None) -> Mapping[str, tuple[str, ...]]:
        """The addresses of the interfaces, by interface, with prefix lengths; empty where they are not known."""

    def user(self, name: str) -> Account | None:
        """The account of that name, or None."""

    def group(self, name: str) -> int | None:
        """The number of the group of that name, or None."""

    def process_account(self) -> Account:
        """The account we run under."""

    def script(self, name: str) -> ScriptPath | None:
        """The command of that path, or found in PATH; None when there is none."""

    def iproute_names(self, folder: str, file: str) -> Mapping[str, int]:
        """The names of one of iproute2's tables in that folder, such as rt_tables; empty when there is none."""

    def ip_protocol(self, name: str) -> int | None:
        """The number of the protocol above IP of that name, or None."""

    def host_known(self, name: str) -> bool:
        """Whether a host's name has an address."""

    def tls_troubles(self, settings: Ssl) -> Mapping[str, str]:
        """By keyword, what of the SSL block cannot be used, and why."""

    def cpus(self) -> int:
        """How many CPUs there are."""

    def random(self, low: int, high: int) -> int:
        """A random number within the bounds, both included."""


class AccountNames(Protocol):
    """The names of users and groups by their numbers."""

    def user_name(self, uid: int) -> str | None:
        """The name of the user of that number, or None."""

    def group_name(self, gid: int) -> str | None:
        """The name of the group of that number, or None."""
