"""net_namespace_ipvs: the network namespace of that name may be deleted and made anew. Our sockets stay in the former
one, which nobody sees any more, and this process may enter no other: it has another one started in its place.
"""

from errno import EACCES, EPERM

from pykeepalived.config.kinds_ipvs import SyncDaemon
from pykeepalived.daemon.child import ChildContext
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import KernelError
from pykeepalived.units import SECOND

_LOOK_EVERY = SECOND  # inotify tells of the name, and not of what is mounted on it


class NamespaceWatch:
    """``follow`` the name, if the IPVS table is where one leads to, until the ``end``."""

    def __init__(self, context: ChildContext) -> None:
        self._namespace = context.ipvs_namespace
        self._begin_anew = context.begin_anew
        self._journal = context.journal
        self._reactor = context.reactor
        self._alarm = context.reactor.alarm(self._look)
        self._sync_daemon: SyncDaemon | None = None
        self._away = self._namespace is not None and not self._namespace.opened  # and that was said

    def follow(self, sync_daemon: SyncDaemon | None) -> None:
        """A start or a reload, with this sync daemon."""
        self._sync_daemon = sync_daemon
        if self._namespace is not None:
            self._alarm.set(self._reactor.now() + _LOOK_EVERY)

    def end(self) -> None:
        """Look no more."""
        self._alarm.set(None)

    def _look(self) -> None:
        if self._namespace is None:
            return
        try:
            another = self._namespace.is_another()
        except KernelError as error:
            if not self._away:
                hidden = error.errno in (EACCES, EPERM)  # a link to the namespace of a process that is not ours
                meanwhile = "another one would not be noticed" if hidden else "IPVS is used where that name has led to"
                self._say(f"{error} - {meanwhile}", Level.WARNING)
            self._away = True
        else:
            if another:
                found = "another network namespace has this name now" if self._namespace.opened else "it is there now"
                self._say(f"{found}: the process begins anew in it{self._left_behind()}", Level.WARNING)
                self._begin_anew()
                return
            if self._away:
                self._say("the name is there again", Level.NOTICE)
            self._away = False
        self._alarm.set(self._reactor.now() + _LOOK_EVERY)

    def _left_behind(self) -> str:
        """The VRRP process does not begin anew: what it has in IPVS stays where it is."""
        if self._sync_daemon is None or self._sync_daemon.instance is None:
            return ""
        return f"; the sync daemon of {self._sync_daemon.instance} does when the daemon is started again"

    def _say(self, text: str, level: Level) -> None:
        name = "" if self._namespace is None else self._namespace.name
        self._journal.log(Log(f"net_namespace_ipvs {name}: {text}", level, Kind.IPVS))
