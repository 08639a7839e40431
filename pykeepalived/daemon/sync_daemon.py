"""The kernel's IPVS sync daemons: which of the two shall run, and that they do.

One sends what connections there are, the other hears of them. Both live in the kernel and outlive us: they are compared
with what is wanted, and only what differs is stopped or started. They outlive their interface too, deaf and dumb: they
are started again when another one has its name.
"""

import errno
import socket
from collections.abc import Callable
from os import strerror
from typing import TYPE_CHECKING

from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds_ipvs import SyncDaemon
from pykeepalived.daemon.child import Journal
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import KernelError
from pykeepalived.ipvs_table import SyncDaemonRow, SyncState
from pykeepalived.kernel.ports import IpvsDaemons
from pykeepalived.units import SECOND

if TYPE_CHECKING:
    from pykeepalived.vrrp.effects import Word

_LOOK = 60 * SECOND  # at what others may have done to them
_SECOND_LOOK = 2 * SECOND  # a reload may have had another process of ours stop what we started
_FIRST_RETRY = SECOND
_LAST_CHANCES = 2  # at a stop
_COMMAND = {"start": "NEW_DAEMON(9)", "stop": "DEL_DAEMON(10)", "list": "GET_DAEMON(11)"}
BOTH = tuple(SyncState)


class SyncDaemons:
    """``want`` some of them; ``close`` stops them. Without IPVS in the kernel it is said once, and tried again."""

    def __init__(
        self,
        open_ipvs: Callable[[], IpvsDaemons],
        reactor: Reactor,
        journal: Journal,
        gone: Callable[[], None] = lambda: None,
        index_of: Callable[[str], int] = socket.if_nametoindex,
    ) -> None:
        """``gone`` is called when those that were ours run no more; ``index_of`` an interface may raise OSError."""
        self._open_ipvs = open_ipvs
        self._index_of = index_of
        self._indexes: dict[SyncState, int] = {}  # of the interfaces, when they were seen first
        self._gone = gone
        self._reactor = reactor
        self._journal = journal
        self._ipvs: IpvsDaemons | None = None
        self._wanted: dict[SyncState, SyncDaemonRow] | None = None  # None: they are none of our business
        self._told: dict[tuple[str, str], int] = {}  # failures that were logged
        self._done = False  # all was as wanted at the last look
        self._settled = False  # and at two of them: a difference is somebody else's doing
        self._retry = _FIRST_RETRY
        self._alarm = reactor.alarm(self._settle)

    def want(self, daemon: SyncDaemon | None, states: tuple[SyncState, ...]) -> None:
        """These shall run with the daemon's settings, and no others. None: ours, if there are any, are stopped."""
        wanted = {state: _row(daemon, state) for state in states} if daemon is not None else {}
        if wanted == self._wanted or (daemon is None and self._wanted is None):
            return
        self._wanted = wanted
        self._done = self._settled = False
        self._retry = _FIRST_RETRY
        self._alarm.set(self._reactor.now())  # after what is more urgent in this turn

    def take_over(self) -> None:
        """Those that run were ours: they are stopped, unless they are wanted by now."""
        if self._wanted is None:
            self._wanted = {}
            self._alarm.set(self._reactor.now())

    def look(self) -> None:
        """IPVS may have come."""
        if self._wanted is not None:
            self._settle()

    def close(self) -> None:
        """Stop them."""
        for _ in range(_LAST_CHANCES):
            if self._wanted is not None:
                self._wanted = {}
                self._settled = False
                self._settle()
        self._alarm.set(None)
        self._wanted = None

    def _settle(self) -> None:
        """Make it so; what fails is tried again, more and more slowly."""
        if self._wanted is None:
            return
        try:
            if self._ipvs is None:
                self._ipvs = self._open_ipvs()
            running = {row.state: row for row in self._ipvs.daemons()}
        except (KernelError, OSError) as error:
            done = not self._wanted and error.errno == errno.ENOENT  # without IPVS nothing runs
            if self._wanted:
                self._fail("list", "", error)
        else:
            done = self._change(self._ipvs, running, self._wanted)
            self._told.pop(("list", ""), None)
        self._settled, self._done = done and self._done, done
        if not done or self._wanted:
            pause = self._retry if not done else _LOOK if self._settled else _SECOND_LOOK
            self._alarm.set(self._reactor.now() + pause)
            self._retry = _FIRST_RETRY if done else min(2 * self._retry, _LOOK)
        else:
            self._wanted = None
            self._gone()

    def _change(
        self, ipvs: IpvsDaemons, running: dict[SyncState, SyncDaemonRow], all_wanted: dict[SyncState, SyncDaemonRow]
    ) -> bool:
        """Stop what is not wanted so, then start what does not run; whether all is as wanted."""
        done = True
        found = dict(running)
        for state, there in found.items():
            wanted = all_wanted.get(state)
            why = "was started otherwise by somebody else: it is put right"
            if wanted is not None and wanted.is_met_by(there):
                if self._stands_on(there):
                    continue
                why = f"has lost {there.interface}, which was made anew: it is started again"
            if self._settled:
                self._say(f"IPVS sync daemon ({state}) {why}")
            if self._order("stop", ipvs.stop_daemon, there):
                del running[state]
            else:
                done = False
        for state, row in all_wanted.items():
            if state in running:
                continue
            if self._settled and state not in found:
                self._say(f"IPVS sync daemon ({state}) was stopped by somebody else: it is started again")
            self._indexes.pop(state, None)
            done &= self._order("start", ipvs.start_daemon, row)
        return done

    def _stands_on(self, row: SyncDaemonRow) -> bool:
        """Whether its interface is the one it was started on; there may be none now."""
        try:
            index = self._index_of(row.interface)
        except OSError:
            index = 0
        return index in (0, self._indexes.setdefault(row.state, index))

    def _order(self, what: str, order: Callable[[SyncDaemonRow], None], row: SyncDaemonRow) -> bool:
        try:
            order(row)
        except (KernelError, OSError) as error:
            self._fail(what, row.state, error, row)
            return False
        self._told.pop((what, row.state), None)
        text = f"IPVS sync daemon ({row.state}) {'started' if what == 'start' else 'stopped'} on {row.interface}"
        self._journal.log(Log(f"{text}, syncid {row.syncid}", Level.DEBUG, Kind.IPVS, detail=True))
        return True

    def _fail(self, what: str, state: str, error: KernelError | OSError, row: SyncDaemonRow | None = None) -> None:
        """Said once, until it is otherwise."""
        number = error.errno or errno.EIO
        if self._told.get((what, state)) == number:
            return
        self._told[what, state] = number
        if what == "list":
            text = f"IPVS sync daemon: Can't initialize ipvs: {error} - it is started when IPVS is there"
        else:
            text = f"IPVS cmd {_COMMAND[what]} error: {strerror(number)}({number}) for the sync daemon ({state})"
        if row is not None and (remedy := _remedy(number, row)):
            text += f" - {remedy}"
        self._say(text)

    def _say(self, text: str) -> None:
        self._journal.log(Log(text, Level.WARNING, Kind.IPVS))


class InstanceSync:
    """The sync daemon that follows a VRRP instance: it sends while that is MASTER, and hears otherwise."""

    def __init__(self, daemons: SyncDaemons) -> None:
        self._daemons = daemons
        self._daemon: SyncDaemon | None = None
        self.instance = ""
        """Whom it follows; nobody has the empty name."""

    def configure(self, part: Configuration, *, master: Callable[[str], bool]) -> None:
        """A start or a reload; ``master`` tells whether that instance is."""
        daemon = part.global_defs.lvs_sync_daemon
        if daemon is not None and not any(each.name == daemon.instance for each in part.vrrp_instance):
            daemon = None
        self._daemon = daemon
        self.instance = "" if daemon is None or daemon.instance is None else daemon.instance
        self._want(master=bool(self.instance) and master(self.instance))

    def entered(self, word: "Word") -> None:
        """The instance was told of by that word."""
        from pykeepalived.vrrp.effects import Word  # noqa: PLC0415 - the checker process has no instance

        if word in {Word.MASTER, Word.BACKUP, Word.FAULT}:
            self._want(master=word is Word.MASTER)

    def close(self) -> None:
        """The end."""
        self.instance = ""
        self._daemons.close()

    def _want(self, *, master: bool) -> None:
        self._daemons.want(self._daemon, (SyncState.MASTER if master else SyncState.BACKUP,))


def _row(daemon: SyncDaemon, state: SyncState) -> SyncDaemonRow:
    return SyncDaemonRow(
        state,
        daemon.interface,
        daemon.syncid or 0,
        maxlen=daemon.maxlen or 0,
        port=daemon.port or 0,
        ttl=daemon.ttl or 0,
        group=daemon.group,
    )


def _remedy(number: int, row: SyncDaemonRow) -> str:
    """What the kernel means by it."""
    if number == errno.ENODEV:
        return f"there is no interface {row.interface}: check lvs_sync_daemon, or wait until the interface comes"
    if number == errno.EEXIST:
        return "another one runs: ipvsadm --list-daemon, ipvsadm --stop-daemon"
    if number == errno.EINVAL:
        return "the kernel refuses these settings, or the table has servers of another family than their service's"
    if number == errno.EADDRNOTAVAIL:
        return f"{row.interface} has no address to send from"
    return ""
