"""What a protocol process is given, and what it must answer: the contract between its frame and its service."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon.keepsake import Keepsake
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.effects import Log
from pykeepalived.events import ScriptExited
from pykeepalived.kernel.frames import FrameTemplates
from pykeepalived.records import record

if TYPE_CHECKING:  # netlink is not for the loaders
    from pykeepalived.kernel.namespaces import NamedNamespace
    from pykeepalived.kernel.netlink import Opener


class Journal(Protocol):
    """Where lines go: the journal, syslog or the console."""

    def log(self, line: Log) -> None:
        """Write one line (or drop it when it is detail and nobody asked for detail). Never blocks, never raises."""


class Scripts(Protocol):
    """Scripts are started by the parent, which keeps its privileges; a child only asks by the configuration's words."""

    def run(
        self,
        script: Script,
        arguments: tuple[str, ...] = (),
        *,
        timeout: int | None = None,
        on_exit: Callable[[ScriptExited], None] | None = None,
    ) -> int:
        """Start it; a number for it. After ``timeout`` ns it is sent TERM, then KILL (behaviour.md 1.9). A script that
        cannot be started answers ``on_exit`` with status 127 and the obstacle.
        """

    def cut_short(self, number: int) -> None:
        """End one that is waited for as if its time were over; ``on_exit`` comes all the same."""


@record(frozen=True, slots=True)
class ChildOptions:
    """The command line's wishes that a protocol process heeds."""

    dont_release_vrrp: bool = False
    dont_release_ipvs: bool = False
    log_detail: int = 0
    dump_conf: bool = False


def _unheard(*_: str) -> None:
    """Where words go that nobody asked for."""


def _always() -> bool:
    """There is somebody."""
    return True


@dataclass(frozen=True, slots=True)
class ChildContext:
    """Everything a service may use of the outside world besides ``kernel/``."""

    reactor: Reactor
    journal: Journal
    scripts: Scripts
    options: ChildOptions
    frames: FrameTemplates
    ready: Callable[[], None]  # call once: initialised, so the parent may say READY=1
    status: Callable[[str], None] = _unheard  # a phrase for `systemctl status`: "VRRP: 1 MASTER, 2 BACKUP"
    fifo: Callable[[str], None] = _unheard  # a line for the notify FIFOs, after the scripts that were asked for before
    has_fifos: Callable[[], bool] = _always  # whether such lines go anywhere
    leaving: Callable[[], None] = _unheard  # call now and then while a long stop goes on: it is not cut off then
    process_events: socket.socket | None = None  # made where the kernel tells of processes, when that is not here
    ipvs_socket: "Opener | None" = None  # opens netlink sockets where the IPVS table is, when that is not here
    keepsake: Keepsake = field(default_factory=Keepsake)  # of a process that died, for the one in its place
    ipvs_namespace: "NamedNamespace | None" = None  # where the IPVS table is, when that has a name
    begin_anew: Callable[[], None] = _unheard  # have this process stopped in good order, and another one started
    to_leave: bool = False  # it only takes away what one that died has left: it is stopped as soon as it has begun


@runtime_checkable
class BfdListener(Protocol):
    """A service that follows BFD sessions."""

    def bfd_changed(self, name: str, *, up: bool) -> None:
        """The BFD process says that a session is up, or down."""


class Service(Protocol):
    """A protocol process's work. Constructed as ``NAMEService(context, part)`` after privileges were dropped."""

    def start(self) -> None:
        """Open sockets, read the kernel's state, tell the cores; call ``context.ready`` when that is done."""

    def reload(self, part: Configuration) -> None:
        """Apply a sound new configuration by difference; what did not change is not touched."""

    def stop(self, finished: Callable[[], None]) -> None:
        """Leave in good order (adverts of priority 0, addresses, IPVS table), then call ``finished``."""
