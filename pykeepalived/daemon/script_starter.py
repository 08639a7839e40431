"""A script starter: a process of the user whose scripts it starts, which the parent forks when the first one is to run.

Forking the parent for each script costs more than most scripts: its memory is large. A starter has become the user for
good, so it can start programs by ``posix_spawn``, which copies nothing. That waits until the program's file is
read, for ever where a file server is dead: then the starter waits, the parent does not.

    parent -> starter   number, NUL-separated words: start this      number alone: it has ended, take its status
    starter -> parent   number, process id or -errno                 number, status

It signals nobody while the parent lives; a script that ended stays a zombie until the parent has asked for its status,
so its process id and its group are its own until then.
"""

import contextlib
import errno
import os
import select
import signal
import socket
import struct
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from pykeepalived.daemon.exit_status import EXIT_OK, EXIT_PROGRAM_ERROR
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.records import record
from pykeepalived.units import MILLISECOND

_NAME = b"keepalived_exec"
_LONGEST = 64 * 1024  # of an order: as long as what a protocol process can ask for
_NUMBER = struct.Struct("=Q")
_ANSWER = struct.Struct("=Qi")
_NOBODY = 0  # the number of an answer that says why the starter cannot work
_END = 3  # its end of the socket
_NO_MEMORY = frozenset({errno.ENOBUFS, errno.ENOMEM})
_SIGNALS = tuple(map(int, signal.valid_signals()))


@record(frozen=True, slots=True)
class Identity:
    """As whom scripts run."""

    uid: int
    gid: int
    groups: tuple[int, ...]


@record(frozen=True, slots=True)
class Order:
    """A script that is to be started."""

    number: int  # from 1
    path: str
    data: bytes  # as the starter reads it


def order(number: int, words: Sequence[str]) -> Order:
    """To start this; raises OSError for what no program can be given."""
    try:
        encoded = [os.fsencode(word) for word in words]
    except UnicodeError:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL)) from None
    if any(b"\0" in word for word in encoded):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    data = _NUMBER.pack(number) + b"\0".join(encoded)
    if len(data) > _LONGEST:
        raise OSError(errno.E2BIG, os.strerror(errno.E2BIG))
    return Order(number, words[0], data)


class Starter:
    """The parent's end of one. ``answered`` gets (starter, number, value) of each answer; ``gone`` comes once, when the
    process has ended.
    """

    def __init__(
        self,
        reactor: Reactor,
        identity: Identity,
        environment: Mapping[bytes, bytes],
        answered: "Callable[[Starter, int, int], None]",
        gone: "Callable[[Starter], None]",
    ) -> None:
        """Fork it; raises OSError."""
        self.identity = identity
        self.current: Order | None = None  # what it is to start, and has not answered
        self.waited = 0  # for that, in whatever the parent counts
        self.running = 0  # scripts whose status it was not asked for
        self.retired = False  # it starts nothing more, and leaves after its last script
        self.obstacle = ""  # why it cannot be that user
        self.status = 0  # of its end
        self._reactor = reactor
        self._answered = answered
        self._gone = gone
        self._unsent: deque[bytes] = deque()
        self._insists = False  # on sending it
        self._owed = 0  # answers
        self._end, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self.pid = os.fork()
            if self.pid == 0:
                _live(theirs.fileno(), identity, environment)
        except OSError:
            self._end.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()
        self._end.setblocking(False)
        self._pidfd = -1
        try:
            self._pidfd = os.pidfd_open(self.pid)
            reactor.watch(self._pidfd, self._died)
            reactor.watch(self._end.fileno(), self._read)
        except OSError:
            self.kill()
            self._bury()
            raise

    def start(self, wanted: Order) -> None:
        """Have a script started. One at a time."""
        self.current, self.waited = wanted, 0
        self._send(wanted.data)

    def take_status(self, number: int) -> None:
        """The script has ended: let its status be told, and its process id be another's."""
        self._send(_NUMBER.pack(number))

    def dismiss(self) -> None:
        """Nothing more for it to do: it ends its scripts, if it has any, and leaves."""
        self.retired = True
        self._reactor.unwatch(self._end.fileno())
        self._end.close()

    def kill(self) -> None:
        """It does not leave; even one that waits for a dead file server can be killed."""
        os.kill(self.pid, signal.SIGKILL)  # not reaped yet, so the number is its own

    def release(self) -> None:
        """In a forked child: the descriptors are the parent's."""
        self._end.close()
        os.close(self._pidfd)

    def see_off(self, limit: int) -> None:
        """The daemon ends: wait for it, ``limit`` ns at the most. One that hangs is killed with what it starts."""
        self.dismiss()
        self._reactor.unwatch(self._pidfd)
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        if not poll.poll(max(limit, 0) // MILLISECOND):
            for child in self._children():
                with contextlib.suppress(ProcessLookupError):  # it does not hang, it was slow
                    os.kill(child, signal.SIGKILL)
            self.kill()
        os.waitpid(self.pid, 0)
        os.close(self._pidfd)
        self._pidfd = -1

    def _children(self) -> list[int]:
        try:
            return list(map(int, Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()))
        except OSError:  # a kernel without such lists
            return []

    def _send(self, data: bytes) -> None:
        self._unsent.append(data)
        self._flush()

    def _flush(self) -> None:
        """What does not go now goes when an answer comes: a full socket is one of a starter that has orders. Where
        the kernel has no memory for it nobody may answer: then it is tried again.
        """
        while self._unsent and self._end.fileno() >= 0:
            try:
                self._end.send(self._unsent[0], socket.MSG_NOSIGNAL)
            except OSError as error:
                if error.errno == errno.EMSGSIZE and self.current is not None:  # the machine allows small messages only
                    self._unsent.popleft()
                    self._answered(self, self.current.number, -error.errno)
                    continue
                if error.errno in _NO_MEMORY:
                    self._insists = True
                    self._reactor.watch(self._end.fileno(), self._read, self._flush)
                return  # full; or its end will be told
            self._unsent.popleft()
            self._owed += 1
        if self._insists and self._end.fileno() >= 0:
            self._insists = False
            self._reactor.watch(self._end.fileno(), self._read)

    def _read(self) -> None:
        while self._end.fileno() >= 0:
            try:
                answer = self._end.recv(_ANSWER.size)
            except BlockingIOError:
                return
            except ConnectionResetError:
                continue  # it left without reading all; what it said still waits
            if not answer:
                self._reactor.unwatch(self._end.fileno())  # its process will tell
                return
            number, value = _ANSWER.unpack(answer)
            self._owed -= 1
            if number == _NOBODY:
                self.obstacle = os.strerror(-value)
            else:
                self._answered(self, number, value)
            self._flush()
            if self._owed <= 0:
                return

    def _died(self) -> None:
        self._read()
        if self._pidfd >= 0:  # else that was the last script of the daemon
            self._bury()
            self._gone(self)

    def _bury(self) -> None:
        _, self.status = os.waitpid(self.pid, 0)
        for fd in (self._end.fileno(), self._pidfd):
            if fd >= 0:
                self._reactor.unwatch(fd)
        self._end.close()
        if self._pidfd >= 0:
            os.close(self._pidfd)


def _live(end: int, identity: Identity, environment: Mapping[bytes, bytes]) -> NoReturn:
    """The process from fork to exit. All signals are blocked: its end is that of the socket.

    Its memory is the parent's as long as neither writes to it, and the kernel lets nobody but root look into it. So it
    does little, without ctypes and enumerations, which would write to many pages.
    """
    try:
        os.dup2(end, _END, inheritable=False)
        os.setsid()
        os.closerange(_END + 1, os.sysconf("SC_OPEN_MAX"))
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        _set_name()
        try:
            _become(identity)
        except OSError as error:
            os.write(_END, _ANSWER.pack(_NOBODY, -(error.errno or errno.EPERM)))
        else:
            _serve(environment)
        os._exit(EXIT_OK)
    finally:
        os._exit(EXIT_PROGRAM_ERROR)  # nothing may return into the parent's code


def _set_name() -> None:
    """What ``ps`` shows."""
    try:
        name = os.open("/proc/self/comm", os.O_WRONLY)
    except OSError:
        return
    os.write(name, _NAME)
    os.close(name)


def _become(identity: Identity) -> None:
    if (os.geteuid(), os.getegid()) != (identity.uid, identity.gid) or identity.uid != 0 or identity.groups:
        os.setgroups(identity.groups)
        os.setresgid(identity.gid, identity.gid, identity.gid)
        os.setresuid(identity.uid, identity.uid, identity.uid)


def _serve(environment: Mapping[bytes, bytes]) -> None:
    """Do as the parent says until it is gone, which may be an error; then nothing goes on that it has asked for."""
    pids: dict[int, int] = {}
    try:
        while data := os.read(_END, _LONGEST):
            os.write(_END, _done(data, pids, environment))
    finally:
        for pid in pids.values():
            try:
                os.killpg(pid, signal.SIGTERM)
            except OSError:  # one that may do more than we
                continue


def _done(data: bytes, pids: dict[int, int], environment: Mapping[bytes, bytes]) -> bytes:
    """The answer to one message."""
    (number,) = _NUMBER.unpack_from(data)
    if len(data) == _NUMBER.size:
        _, value = os.waitpid(pids.pop(number), 0)
        return _ANSWER.pack(number, value)
    words = data[_NUMBER.size :].split(b"\0")
    try:
        value = os.posix_spawn(words[0], words, environment, setsid=True, setsigmask=(), setsigdef=_SIGNALS)
    except OSError as error:
        value = -(error.errno or errno.EINVAL)
    else:
        pids[number] = value
    return _ANSWER.pack(number, value)
