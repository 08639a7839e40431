"""The loader: a short-lived process that reads the configuration and hands compiled values back.

What it imports (the parser, scapy) and what it needs of memory goes with it, and a parser that crashes or hangs costs
one message. It writes into memory files made before the fork: a small outcome for the parent, and for each protocol
process its own part, which the parent hands on unread.
"""

import contextlib
import copyreg
import gc
import mmap
import os
import pickle
import resource
import select
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.configuration import Amendment, Configuration
from pykeepalived.daemon import signals
from pykeepalived.daemon.faults import describe
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import ConfigError
from pykeepalived.kernel import processes
from pykeepalived.kernel.frames import FrameTemplates
from pykeepalived.records import record
from pykeepalived.units import MILLISECOND, SECOND

if TYPE_CHECKING:
    from pykeepalived.config.kept import Memory

TIME_LIMIT = 60 * SECOND
MEMORY_LIMIT = 2 << 30
_IDLE = 19

MEMORY = "memory"
"""Among the parts: what the next reading may keep."""
_OUTCOME = "outcome"


@record(frozen=True, slots=True)
class Outcome:
    """What the parent needs to know of a configuration. The parts themselves stay pickled."""

    findings: tuple[Log, ...] = ()
    mistakes: tuple[tuple[str, str], ...] = ()  # what each is, and how it is told with its place
    exit_code: int = 0
    refused: bool = False  # a start must be refused, with
    start_code: int = 0  # as exit status
    not_effective: tuple[str, ...] = ()
    global_defs: GlobalDefs = GlobalDefs()
    scripts: frozenset[Script] = frozenset()
    parts: frozenset[str] = frozenset()  # keys of the roles that have something to do
    amended: frozenset[str] = frozenset()  # keys of the roles whose part is told by the one before
    ipvs_modules: tuple[str, ...] = ()
    frames: FrameTemplates | None = None


@dataclass(frozen=True, slots=True)
class Compiled:
    """What reading gave, in the loader's own process."""

    outcome: Outcome
    parts: "Mapping[str, Configuration | Amendment | FrameTemplates | Memory]" = field(default_factory=dict)


Read = Callable[[bool, int | None], Compiled]
"""Told whether frame templates are wanted, for scapy is slow to come, and where the reading before left its memory."""


class Loader:
    """One run of the loader."""

    def __init__(
        self, read: Callable[[], Compiled], keys: tuple[str, ...], limit: int = TIME_LIMIT, *, idle: bool = False
    ) -> None:
        """``idle``: nobody waits for it yet, so it has only what others leave of the processors until ``hurry``."""
        self.files: dict[str, int] = {}
        self.limit = limit
        self.pid = 0
        self._timed_out = False
        parent = os.getpid()
        try:
            for key in (*keys, _OUTCOME):
                self.files[key] = os.memfd_create(f"pykeepalived-{key}", os.MFD_CLOEXEC)
            self.pid = os.fork()
            if self.pid == 0:
                if idle:
                    os.nice(_IDLE)
                _read(read, self.files, parent)
            self.pidfd = os.pidfd_open(self.pid)
        except OSError:
            self.close()
            if self.pid:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            raise

    def hurry(self) -> None:
        """Somebody waits for it now."""
        with contextlib.suppress(OSError):  # without CAP_SYS_NICE it goes on as it is
            os.setpriority(os.PRIO_PROCESS, self.pid, os.getpriority(os.PRIO_PROCESS, 0))

    def wait(self) -> Outcome:
        """Wait for its end, as long as the limit, and give the outcome; raises ConfigError."""
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        if not poll.poll(self.limit // MILLISECOND):
            self.too_late()
        return self.result()

    def too_late(self) -> None:
        """Its time is over."""
        self._timed_out = True
        os.kill(self.pid, signal.SIGKILL)

    def give_up(self) -> None:
        """Its work is not wanted any more."""
        self.too_late()
        with contextlib.suppress(ConfigError):
            self.result()

    def result(self) -> Outcome:
        """The outcome, once it has ended; raises ConfigError when there is none. The parts stay open in ``files``."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self.pidfd)
        outcome_file = self.files.pop(_OUTCOME)
        try:
            return self._judge(status, outcome_file)
        except ConfigError:
            self.close()
            raise
        finally:
            os.close(outcome_file)

    def _judge(self, status: int, outcome_file: int) -> Outcome:
        if self._timed_out:
            raise ConfigError(f"reading the configuration took longer than {self.limit // SECOND} s and was ended")
        if os.WIFSIGNALED(status):
            raise ConfigError(f"the loader was ended by {signals.name_of(os.WTERMSIG(status))}")
        outcome = read_value(outcome_file)
        if not isinstance(outcome, Outcome):
            raise ConfigError(f"the loader failed: {outcome}")
        return outcome

    def close(self) -> None:
        """Give the parts' files back."""
        while self.files:
            os.close(self.files.popitem()[1])


def read_value(descriptor: int) -> Any:
    """What stands pickled in a memory file that our own loader wrote. Its offset is shared, so it is not used."""
    size = os.fstat(descriptor).st_size
    if not size:
        raise ConfigError("the loader ended without a word")
    with mmap.mmap(descriptor, size, mmap.MAP_SHARED | mmap.MAP_POPULATE, mmap.PROT_READ) as data:
        return pickle.loads(data)  # noqa: S301 - written by our own child into memory nobody else can reach


def read_part(descriptors: Sequence[int]) -> Configuration:
    """The part that stands in the first of these files, amended by each of the others in turn."""
    first, *amendments = descriptors
    part: Configuration = read_value(first)
    for descriptor in amendments:
        part = amended(part, read_value(descriptor))
    return part


def amended(former: Configuration, value: Configuration | Amendment) -> Configuration:
    """The part that a value from the loader means to whoever has ``former``."""
    return value.applied(former) if isinstance(value, Amendment) else value


def write_value(descriptor: int, value: object) -> None:
    """Pickle it into a memory file."""
    with os.fdopen(os.dup(descriptor), "wb") as file:
        pickler = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
        pickler.dispatch_table = copyreg.dispatch_table | {IPv4Address: _by_number}
        pickler.dump(value)


def _by_number(address: IPv4Address) -> tuple[type[IPv4Address], tuple[int]]:
    """How an address is made anew; by itself it would be by its text, which takes five times as long."""
    return IPv4Address, (int(address),)


def _read(read: Callable[[], Compiled], files: Mapping[str, int], parent: int) -> None:
    """The loader's whole life."""
    status = 70
    try:
        signal.set_wakeup_fd(-1)
        signals.reset(ignored=(signal.SIGHUP, *signals.DUMPS))
        processes.die_with_parent(parent, signal.SIGKILL)
        processes.set_name("keepalived_load")
        processes.keep_free_memory()
        gc.disable()  # garbage goes with the process, soon
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
        try:
            compiled = read()
            for key, part in compiled.parts.items():
                if key in files:
                    write_value(files[key], part)
            write_value(files[_OUTCOME], compiled.outcome)
            status = 0
        except MemoryError:
            write_value(files[_OUTCOME], f"the configuration needs more than {MEMORY_LIMIT >> 20} MiB of memory")
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent must hear of it
            write_value(files[_OUTCOME], describe(error))
    finally:
        os._exit(status)


def finding(message: str, level: Level, place: tuple[str, int, int] | None) -> Log:
    """A diagnostic as a line of the log, in keepalived's form, its place as fields too."""
    if place is None:
        return Log(message, level, Kind.CONFIGURATION)
    file, line, column = place
    fields = (("CONFIG_FILE", file), ("CONFIG_LINE", str(line)), ("CONFIG_COLUMN", str(column)))
    return Log(f"({file}: Line {line}) {message}", level, Kind.CONFIGURATION, fields=fields)
