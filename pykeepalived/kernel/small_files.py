"""Small files of other programs: read without ever waiting, and made without being led astray by a symbolic link."""

import os
import stat
from pathlib import Path

_MODE = 0o600
_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_STEP = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_MOST_LINKS = 40  # as the kernel has it


def read_start(path: str, length: int) -> bytes:
    """The first octets of a regular file. Anything else is not opened for reading. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(0, "it is not a regular file", path)
        return os.read(fd, length)
    finally:
        os.close(fd)


def signature(path: str) -> tuple[int, ...]:
    """What tells that it is another file, or has other content, than before; empty when there is none."""
    try:
        found = Path(path).stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def has_content(signature: tuple[int, ...]) -> bool:
    """Whether it is that of a file that is not empty."""
    return bool(signature) and signature[2] > 0


def is_empty(path: str) -> bool:
    """Whether there is an empty file of that very name."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and not found.st_size


def write(path: str, text: str, *, overwrite: bool) -> bool:
    """Make a file with this text, or with ``overwrite`` replace the text of one that is there. Whether that was done.

    Symbolic links are followed where only root can put them, and refused elsewhere; so are files with further names,
    and whatever is no regular file. Raises OSError.
    """
    folder, name = _final_folder(path)
    try:
        try:
            fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE, dir_fd=folder)
        except FileExistsError:
            if not overwrite:
                return False
            flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            fd = os.open(name, flags, dir_fd=folder)
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
                raise OSError(0, "it is not a regular file with one name", path)
            os.ftruncate(fd, 0)
            os.write(fd, text.encode())
        finally:
            os.close(fd)
    finally:
        os.close(folder)
    return True


def _final_folder(path: str) -> tuple[int, str]:
    """The folder that holds the file, walked to step by step, and the file's name in it."""
    words = [word for word in path.split("/") if word]
    links = 0
    here = os.open("/", _STEP)
    try:
        while words:
            name = words.pop(0)
            if (target := _link(here, name)) is not None:
                links += 1
                _may_follow(os.fstat(here), name, links)
                words[:0] = [word for word in target.split("/") if word]
                if target.startswith("/"):
                    here = _go(here, "/")
                continue
            if not words:
                return here, name
            here = _go(here, name)
    except BaseException:
        os.close(here)
        raise
    os.close(here)
    raise OSError(0, "it is a folder", path)


def _go(here: int, name: str) -> int:
    there = os.open(name, _STEP | os.O_NOFOLLOW, dir_fd=here)
    os.close(here)
    return there


def _link(folder: int, name: str) -> str | None:
    """Where a symbolic link leads, None for anything else."""
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError:
        return None


def _may_follow(folder: os.stat_result, name: str, links: int) -> None:
    """Nobody but root can have put that link into the folder, and there are not too many of them."""
    if links > _MOST_LINKS:
        raise OSError(0, "too many symbolic links", name)
    if folder.st_uid != 0 or folder.st_mode & _OTHERS:
        raise OSError(0, f"{name} is a symbolic link in a folder that others can write to", name)
