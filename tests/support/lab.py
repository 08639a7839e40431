"""A job in a User-Mode-Linux guest: a Linux kernel of its own, with IPVS, as an ordinary process of this machine.

The guest sees this machine's files, read-only, under an overlay in memory; one folder is shared for the job and its
results. It needs neither root nor KVM. `missing` says why a guest cannot run here; `run` runs one.
"""

import compileall
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, TextIO

CHECKOUT = Path(__file__).resolve().parents[2]
FIRST_PROCESS = CHECKOUT / "tests/lab/guest/init"
UNPACKED = CHECKOUT / ".lab"
"""Where script/packages unpacks programs that must not be installed as services of this machine."""
MEMORY_MIB = 1024

InitSystem = Literal["plain", "systemd"]


class LabError(Exception):
    """The guest ended, or was ended, without saying how its job went."""


@dataclass(frozen=True, slots=True)
class LabResult:
    """What a job in a guest came to."""

    exit_code: int
    output: str
    console: str
    seconds: float
    kept: str | None


def program(name: str) -> str | None:
    """The path of a program on this machine, among those unpacked for the lab first."""
    folders = [str(UNPACKED / "bin"), os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"]
    return shutil.which(name, path=os.pathsep.join(folders))


def required(name: str) -> str:
    """The path of a program that must be there."""
    path = program(name)
    if path is None:
        raise LabError(f"{name} is missing")
    return path


def modules() -> Path | None:
    """The folder of the guest kernel's modules."""
    folder = Path("/usr/lib/uml/modules")
    return folder if folder.is_dir() else None


def missing(init: InitSystem = "plain") -> str | None:
    """Why no guest can run on this machine, or None."""
    if program("linux.uml") is None or modules() is None:
        return "User-Mode-Linux is missing (Debian package user-mode-linux)"
    if program("modprobe") is None:
        return "modprobe is missing (Debian package kmod)"
    if init == "systemd" and not Path("/lib/systemd/systemd").exists():
        return "systemd is missing (Debian package systemd)"
    return None


def run(
    job: str,
    *,
    timeout: float = 120,
    init: InitSystem = "plain",
    environment: Mapping[str, str] | None = None,
    echo: TextIO | None = None,
    keep: str | None = None,
) -> LabResult:
    """Run the text of a script as root in a fresh guest and wait for it; with `echo`, pass its output on as it comes.

    The script may name its interpreter in a first line `#!`; otherwise it is run by `sh -eu`. It is ended with the
    guest after `timeout` seconds. `keep` names a file that it leaves in /lab, given back as the result's `kept`.
    """
    reason = missing(init)
    if reason is not None:
        raise LabError(reason)
    compileall.compile_dir(CHECKOUT / "pykeepalived", quiet=2)  # the guest would compile anew each time
    with tempfile.TemporaryDirectory(prefix="pykeepalived-lab-") as folder:
        share = Path(folder)
        _write_job(share / "job", job, environment or {})
        started = time.monotonic()
        with (share / "console").open("wb") as console, _guest(share, init, console) as guest:
            _follow(guest, share / "output", echo, started + timeout)
        return _result(share, time.monotonic() - started, timeout, keep)


def daemon_command() -> list[str]:
    """How to run the checkout's daemon on this machine and in its guests: installed script, or the module."""
    script = Path(sys.executable).parent / "pykeepalived"
    return [str(script)] if script.exists() else [sys.executable, "-m", "pykeepalived"]


def _write_job(path: Path, job: str, environment: Mapping[str, str]) -> None:
    """The job as an executable file: the environment it asks for, then the script itself beside it."""
    script = path.with_name("script")
    script.write_text(job if job.startswith("#!") else f"#!/bin/sh -eu\n{job}\n", encoding="utf-8")
    settings = {"PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1", "PYTHON": sys.executable, **environment}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    lines.append(f'export PATH={shlex.quote(str(UNPACKED / "bin"))}:"$PATH"')
    path.write_text("\n".join(["#!/bin/sh", *lines, "exec /lab/script", ""]), encoding="utf-8")
    for file in (path, script):
        file.chmod(0o755)


@contextlib.contextmanager
def _guest(share: Path, init: InitSystem, console: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A running guest, in a process group of its own that ends with the block."""
    command = [
        required("linux.uml"),
        f"mem={MEMORY_MIB}M",
        "rootfstype=hostfs",
        "rootflags=/",
        "ro",
        f"init={FIRST_PROCESS}",
        "con=null",
        "con0=null,fd:1",
        "quiet",
        "panic=1",
        "systemd.unified_cgroup_hierarchy=1",
        f"uml_dir={share}",
        "umid=guest",
        f"LAB_SHARE={share}",
        f"LAB_INIT={init}",
        f"LAB_MODULES={modules()}",
    ]
    guest = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=console,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={**os.environ, "TMPDIR": _memory_folder(share)},
    )
    try:
        yield guest
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(guest.pid, signal.SIGKILL)
        guest.wait()


def _memory_folder(share: Path) -> str:
    """Where the guest's memory lives: in memory where it fits, else beside the results."""
    memory = Path("/dev/shm")
    fits = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > (MEMORY_MIB + 64) << 20
    runs = fits and not os.statvfs(memory).f_flag & os.ST_NOEXEC  # the guest's programs run from that memory
    return str(memory if runs else share)


def _follow(guest: subprocess.Popen[bytes], output: Path, echo: TextIO | None, until: float) -> None:
    """Wait for the guest's end or for the time given, passing on what the job writes."""
    shown = 0
    ended = False
    while not ended and time.monotonic() < until:
        with contextlib.suppress(subprocess.TimeoutExpired):
            guest.wait(timeout=0.1)
            ended = True
        if echo is not None and output.exists():
            with output.open("rb") as file:
                file.seek(shown)
                text = file.read()
            shown += len(text)
            echo.write(text.decode(errors="replace"))
            echo.flush()


def _result(share: Path, seconds: float, timeout: float, keep: str | None) -> LabResult:
    """Read what the guest left."""
    console = _text(share / "console").replace("\r", "")
    output = _text(share / "output")
    status = _text(share / "status").strip()
    if not status:
        end = "was ended after its time" if seconds >= timeout else "ended"
        raise LabError(
            f"the guest {end} ({seconds:.0f} s) without a result"
            f"\n--- console\n{console[-4000:]}\n--- output\n{output[-8000:]}"
        )
    kept = share / keep if keep else None
    return LabResult(int(status), output, console, seconds, _text(kept) if kept and kept.exists() else None)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
