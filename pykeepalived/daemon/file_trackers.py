"""The track_files of a process: their folders are watched, their numbers told when they change.

inotify tells at once what is written, renamed and deleted. What it cannot tell (a folder that comes later or is
replaced, a link that leads elsewhere, a file system without events) is found by a look once a second.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pykeepalived.config.blocks.track_file import TrackedFile
from pykeepalived.daemon.child import Journal
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import NO_ROOM, KernelError
from pykeepalived.kernel import small_files
from pykeepalived.kernel.capabilities import words
from pykeepalived.kernel.inotify import ANY, Inotify
from pykeepalived.trackers.file import LONGEST, number
from pykeepalived.units import SECOND

_LOOK_EVERY = SECOND
_RESTLESS = 3  # looks in a row that each see another file than the one before


@dataclass(slots=True)
class _File:
    """A file, the number that was told last, and what it looked like then. ``seen`` is the last look at it, and
    ``restless`` how many in a row saw another one. ``trouble`` is what was said of it.
    """

    config: TrackedFile
    number: int = 0
    signature: tuple[int, ...] = ()
    seen: tuple[int, ...] = ()
    restless: int = 0
    trouble: str = ""


@dataclass(slots=True)
class _Folder:
    """A folder with files of ours. ``watch`` is None while it cannot be watched."""

    path: str
    files: list[_File] = field(default_factory=list)
    watch: int | None = None
    identity: tuple[int, int] | None = None
    trouble: str = ""


class FileTrackers:
    """All files that somebody follows. ``told`` gets the name of a track_file and its new number. Who ``takes_over``
    from a process that died leaves the numbers that stand in the files at the start.
    """

    def __init__(
        self, reactor: Reactor, journal: Journal, told: Callable[[str, int], None], *, takes_over: bool = False
    ) -> None:
        self._reactor = reactor
        self._journal = journal
        self._told = told
        self._takes_over = takes_over
        self._files: dict[str, _File] = {}
        self._folders: dict[str, _Folder] = {}
        self._inotify: Inotify | None = None
        self._alarm = reactor.alarm(self._look)

    def replace(self, files: Iterable[TrackedFile]) -> dict[str, int]:
        """Follow these from now on; the number of each as it is now. Files that are new are made, if they are to be."""
        former, self._files = self._files, {}
        for config in files:
            known = former.get(config.name)
            if known is None or known.config.file != config.file:
                known = _File(config)
                self._make(config)
            known.config = config
            self._files[config.name] = known
        self._takes_over = False
        self._open()
        for file in self._files.values():
            self._read(file)
        return {name: file.number for name, file in self._files.items()}

    def stop(self) -> None:
        """Follow nothing any more."""
        self._files = {}
        self._open()

    # --- folders ------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        """Watch the folders that hold files of ours, and only these."""
        former, self._folders = self._folders, {}
        for file in self._files.values():
            path = str(Path(file.config.file).parent)
            if path not in self._folders:
                folder = self._folders[path] = former.get(path) or _Folder(path)
                folder.files = []
            self._folders[path].files.append(file)
        if self._folders and self._inotify is None:
            self._open_inotify()
        if not self._folders:
            self._close_inotify()
        for folder in self._folders.values():
            self._enter(folder)
        if self._inotify is not None:
            wanted = {folder.watch for folder in self._folders.values()}
            for folder in former.values():
                if folder.watch is not None and folder.watch not in wanted:
                    self._inotify.unwatch(folder.watch)
        self._alarm.set(self._reactor.now() + _LOOK_EVERY if self._folders else None)

    def _open_inotify(self) -> None:
        inotify = None
        try:
            inotify = Inotify()
            self._reactor.watch(inotify.fileno(), self._happened)
        except (KernelError, OSError) as error:
            self._say(f"{error}: tracked files are looked at once a second", Level.WARNING)
            if inotify is not None:
                inotify.close()
        else:
            self._inotify = inotify

    def _close_inotify(self) -> None:
        if self._inotify is not None:
            self._reactor.unwatch(self._inotify.fileno())
            self._inotify.close()
            self._inotify = None

    def _enter(self, folder: _Folder) -> bool:
        """See to it that the watch is on the folder that has this name now; whether that is another one than before."""
        try:
            found = Path(folder.path).stat()
            identity = found.st_dev, found.st_ino
            if identity == folder.identity:
                return False
            if self._inotify is not None:
                folder.watch = self._inotify.watch(folder.path)
        except (OSError, KernelError) as error:
            changed = folder.identity is not None
            folder.watch = folder.identity = None
            reason = words(error.errno or 0)
            if reason != folder.trouble:
                folder.trouble = reason
                names = ", ".join(file.config.name for file in folder.files)
                self._say(f"track_file {names}: folder {folder.path} cannot be watched yet: {reason}", Level.WARNING)
            return changed
        folder.identity = identity
        folder.trouble = ""
        return True

    def _happened(self) -> None:
        """There are events."""
        if self._inotify is None:
            return
        for watch, name in self._inotify.events():
            if watch == ANY:
                for file in self._files.values():
                    self._read_and_tell(file)
            for folder in [each for each in self._folders.values() if each.watch == watch]:
                if not name:
                    self._reenter(folder)
                for file in folder.files:
                    if name == Path(file.config.file).name:
                        self._read_and_tell(file)

    def _reenter(self, folder: _Folder) -> None:
        """It was deleted or moved: whatever has its name now is meant."""
        if folder.watch is not None and self._inotify is not None:
            self._inotify.unwatch(folder.watch)
        folder.watch = None
        folder.identity = (0, 0)
        if self._enter(folder):
            for file in folder.files:
                self._read_and_tell(file)

    def _look(self) -> None:
        """Once a second. What changed without an event is believed when it looks the same twice; of what never does,
        what it says while it stays as it is.
        """
        if self._folders:
            self._alarm.set(self._reactor.now() + _LOOK_EVERY)
        for folder in list(self._folders.values()):
            entered = self._enter(folder)
            for file in folder.files:
                signature = small_files.signature(file.config.file)
                changed = signature != file.signature
                file.restless = file.restless + 1 if changed and signature != file.seen else 0
                if entered or (changed and not file.restless and not _is_begun(folder, file.config.file)):
                    self._read_and_tell(file)
                elif file.restless >= _RESTLESS:
                    self._read_and_tell(file, restless=True)
                file.seen = signature

    # --- files --------------------------------------------------------------------------------------------------

    def _make(self, config: TrackedFile) -> None:
        """init_file."""
        initial = config.init_file
        if initial is None:
            return
        try:
            overwrite = initial.overwrite and not self._takes_over
            small_files.write(config.file, f"{initial.value}\n", overwrite=overwrite)
        except OSError as error:
            self._say(f"track_file {config.name}: cannot make {config.file}: {error.strerror}", Level.ERROR)

    def _read_and_tell(self, file: _File, *, restless: bool = False) -> None:
        before, known = file.number, file.signature
        self._read(file)
        if restless and not (small_files.has_content(file.signature) and _is_as_read(file)):
            file.number, file.signature = before, known
        if file.number != before:
            self._told(file.config.name, file.number)

    def _read(self, file: _File) -> None:
        """Its number now. What cannot be read is 0; what is no sensible number changes nothing."""
        path = file.config.file
        file.signature = file.seen = small_files.signature(path)
        trouble = ""
        try:
            found = number(small_files.read_start(path, LONGEST))
        except FileNotFoundError:
            found = 0
        except OSError as error:
            found, what = 0, "cannot be read, its number is 0"
            if error.errno in NO_ROOM:
                found, what = file.number, "cannot be read just now, its number stays"
                file.signature = ()  # it is looked at again
            cause = words(error.errno) if error.errno else error.strerror
            trouble = f"track_file {file.config.name}: {path} {what}: {cause}"
        if found is None:
            trouble = f"Invalid number read from {path} - ignoring"
        else:
            file.number = found
        if trouble and trouble != file.trouble:
            self._say(trouble, Level.WARNING)
        file.trouble = trouble

    def _say(self, message: str, level: Level) -> None:
        self._journal.log(Log(message, level, Kind.TRACKER))


def _is_as_read(file: _File) -> bool:
    """Whether it has not changed while it was read."""
    return small_files.signature(file.config.file) == file.signature


def _is_begun(folder: _Folder, path: str) -> bool:
    """Whether it is empty because somebody is about to write to it: an event will tell when that is done."""
    return folder.watch is not None and small_files.is_empty(path)
