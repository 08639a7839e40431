"""A cell: one run of keepalived on a file of strangers, from its start to its dumps, that can harm nobody.

The daemon is the first process of namespaces of its own (processes, network, mounts, host name) under a root that holds
nothing but its libraries, its file, and for every command that the file names a program that does nothing. Killing
that first process ends everything; the folder of the root is removed with it. Nothing is known here of what the dumps
say.
"""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.support import keepalived
from tests.support.director import CHECKOUT, descendants
from tests.support.netns import why_not as no_namespaces

FILE = "/etc/keepalived/keepalived.conf"
HOST_NAME = "oracle"
ENVIRONMENT = {"PATH": "/usr/bin:/usr/sbin:/bin:/sbin", "TMPDIR": "/tmp"}
LIBRARIES = ("/usr/lib", "/usr/lib64")
DEVICES = ("null", "zero", "urandom", "random")
ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    "group": "root:x:0:\nadm:x:4:\nnogroup:x:65534:\n",
    "hosts": f"127.0.0.1 localhost\n127.0.1.1 {HOST_NAME}\n",
    "iproute2/rt_scopes": "0\tglobal\n255\tnowhere\n254\thost\n253\tlink\n200\tsite\n",
}
CHILDREN = {
    "Starting VRRP child process": "keepalived.data",
    "Starting Healthcheck child process": "keepalived_check.data",
    "Starting BFD child process": "keepalived_bfd.data",
}
"""What the parent logs of a child, and the dump that the child writes."""
PARENT = "keepalived_parent.data"
STARTED = ("Startup complete", "keepalived has no configuration to run")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be run, and the machine it is run on."""

    config: bytes
    interfaces: tuple[str, ...] = ()
    """Made as ends of cables, up, each with an IPv4 address of its own: an instance without is in FAULT."""
    commands: tuple[str, ...] = ()
    """Paths where a program that does nothing is to be."""
    namespaces: tuple[str, ...] = ()
    """Named network namespaces, with the same interfaces."""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """What became of one run."""

    log: str
    dumps: Mapping[str, str] = field(default_factory=dict)
    """The text of each dump by its file's name; empty where the daemon did not get so far."""
    failure: str = ""


@cache
def why_not() -> str | None:
    """Why there can be no cells here, or None."""
    if missing := no_namespaces() or keepalived.why_not():
        return missing
    for tool in ("unshare", "setpriv", "chroot", "gcc"):
        if subprocess.run(["which", tool], capture_output=True, check=False).returncode:
            return f"needs the command {tool}"
    return None


def may_hold(command: str) -> bool:
    """Whether a command of that path can be put into a cell."""
    path = os.path.normpath(command)
    places = (*LIBRARIES, "/lib", "/lib64", "/proc", "/dev", "/sys")
    return (
        path == command
        and path.startswith("/")
        and path != "/"
        and not any(path == place or path.startswith(place + "/") for place in places)
    )


def is_interface_name(name: str) -> bool:
    """Whether the kernel allows an interface of that name."""
    return re.fullmatch(r"[^\s/:]{1,15}", name) is not None and name not in {".", "..", "lo"}


class Programs:
    """What is compiled once: the program that does nothing, and the library that answers for IPVS."""

    def __init__(self, folder: Path) -> None:
        self.nothing = folder / "nothing"
        self.no_ipvs = folder / "no_ipvs.so"
        source = folder / "nothing.c"
        source.write_text("int main(void) { return 0; }\n")
        subprocess.run(["gcc", "-O2", "-o", self.nothing, source], check=True)
        shim = CHECKOUT / "benchmarks" / "no_ipvs.c"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", self.no_ipvs, shim], check=True)


def run(programs: Programs, wanted: Wanted, within: float = 20.0) -> Run:
    """Start keepalived on that file, collect its dumps, and end it."""
    with _started(programs, wanted) as (process, log, root):
        failure = _dump(process, log, root / "tmp", time.monotonic() + within)
        told = log.read_text(errors="replace")
        dumps = {} if failure else {each: (root / "tmp" / each).read_text(errors="replace") for each in _dumps(told)}
        return Run(told, dumps, failure)


def verdict(programs: Programs, wanted: Wanted, within: float = 20.0) -> int | None:
    """What the configuration test exits with; None when it does not end."""
    with _started(programs, wanted, "-t") as (process, _, _):
        try:
            return process.wait(within)
        except subprocess.TimeoutExpired:
            return None


@contextlib.contextmanager
def _started(programs: Programs, wanted: Wanted, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], Path, Path]]:
    """A process that becomes the daemon, its log, its root; ended and gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="pyk-cell-") as name:
        root, log = Path(name) / "root", Path(name) / "log"
        script = Path(name) / "script"
        script.write_text(_furnish(programs, root, wanted, options))
        argv = ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child", "sh", "-eu"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*argv, script], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=_environment()
            )
        try:
            yield process, log, root
        finally:
            _end(process)


def _dumps(log: str) -> list[str]:
    """The files that the processes that were started write."""
    return [PARENT, *(dump for said, dump in CHILDREN.items() if said in log)]


def _environment() -> dict[str, str]:
    libraries = keepalived.program()[1]
    return {**ENVIRONMENT, **({"LD_LIBRARY_PATH": libraries} if libraries else {})}


def _furnish(programs: Programs, root: Path, wanted: Wanted, options: Sequence[str]) -> str:
    """Make the root's files, and the shell script that makes the rest from inside and becomes the daemon."""
    _files(programs, root, wanted)
    lines = [f"echo {HOST_NAME} > /proc/sys/kernel/hostname", f"mount --bind {root} {root}"]
    binary, libraries = keepalived.program()
    for folder in dict.fromkeys([*LIBRARIES, *filter(None, libraries.split(":"))]):
        if Path(folder).is_dir():
            (root / folder[1:]).mkdir(parents=True, exist_ok=True)
            lines += _read_only(folder, root)
    for file in (*(f"/dev/{device}" for device in DEVICES), str(binary)):
        place = root / file[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
        lines += [f"mount --bind {file} {place}"] if file.startswith("/dev") else _read_only(file, root)
    lines += [f"mount -t proc proc {root}/proc", *_network(root, wanted)]
    drop = "-sys_module,-sys_time,-sys_boot,-sys_rawio,-mknod"
    daemon = shlex.join([str(binary), "-n", "-l", "-D", "-f", FILE, *wanted.options, *options])
    lines.append(f"cd {root}; exec setpriv --bounding-set {drop} chroot {root} {daemon}")
    return "\n".join(lines)


def _files(programs: Programs, root: Path, wanted: Wanted) -> None:
    """What the daemon may read and run."""
    for folder in ("etc/keepalived", "etc/iproute2", "tmp", "run/netns", "proc", "dev", "usr/bin", "var/run"):
        (root / folder).mkdir(parents=True)
    (root / FILE[1:]).write_bytes(wanted.config)
    for name, text in ETC.items():
        (root / "etc" / name).write_text(text)
    (root / "no_ipvs.so").write_bytes(programs.no_ipvs.read_bytes())
    (root / "etc/ld.so.preload").write_text("/no_ipvs.so\n")
    for link in ("lib", "lib64"):
        (root / link).symlink_to(f"usr/{link}")
    for command in wanted.commands:
        place = root / command[1:]
        with contextlib.suppress(OSError):  # a folder in one line of the file, a command in another
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(programs.nothing.read_bytes())
            place.chmod(0o755)


def _network(root: Path, wanted: Wanted) -> list[str]:
    """The orders that make the interfaces, here and in the named namespaces."""
    lines = ["mkdir -p /run/netns", "mount -t tmpfs cell /run/netns"]
    lines += [f"ip netns add {shlex.quote(name)}" for name in wanted.namespaces]
    lines.append(f"mount --rbind /run/netns {root}/run/netns")
    for here in ("", *wanted.namespaces):
        call = f"ip -n {shlex.quote(here)}" if here else "ip"
        lines += [f"{call} -batch - <<'END'", "link set lo up"]
        for number, interface in enumerate(wanted.interfaces):
            lines.append(f"link add {interface} type veth peer name peer{number}")
            lines += [f"link set {each} up" for each in (interface, f"peer{number}")]
            lines.append(f"addr add 198.18.{number // 250}.{number % 250 + 1}/32 dev {interface}")
        lines.append("END")
    return lines


def _read_only(place: str, root: Path) -> list[str]:
    return [f"mount --bind {place} {root}{place}", f"mount -o remount,bind,ro {root}{place}"]


def _until(happened: Callable[[], bool], process: subprocess.Popen[bytes], end: float) -> bool:
    while not happened():
        if process.poll() is not None or time.monotonic() > end:
            return happened()
        time.sleep(0.02)
    return True


def _dump(process: subprocess.Popen[bytes], log: Path, folder: Path, end: float) -> str:
    """Wait for the start, ask for the dumps, wait for them; what went wrong, or nothing."""

    def told() -> str:
        return log.read_text(errors="replace")

    if not _until(lambda: any(words in told() for words in STARTED), process, end):
        return "no start"
    daemon = _first_process(process)
    if daemon is None:
        return "ended"
    os.kill(daemon, signal.SIGUSR1)
    wanted = _dumps(told())
    if not _until(lambda: all(_written(folder / name, process.pid) for name in wanted), process, end):
        return "no dump of " + ", ".join(name for name in wanted if not (folder / name).exists())
    return ""


def _written(file: Path, pid: int) -> bool:
    """Whether a file is there and no process of the cell writes to it any more."""
    if not file.exists():
        return False
    seen = file.stat()
    for each in descendants(pid)[1:]:
        with contextlib.suppress(OSError):
            for descriptor in Path(f"/proc/{each}/fd").iterdir():
                if _same(descriptor, seen):
                    return False
    return True


def _same(descriptor: Path, seen: os.stat_result) -> bool:
    try:
        found = descriptor.stat()
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == (seen.st_dev, seen.st_ino)


def _first_process(process: subprocess.Popen[bytes]) -> int | None:
    """The first process of the cell, of which all others are."""
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    except OSError:
        return None
    return int(children[0]) if children else None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the cell's first process; the kernel kills the others with it."""
    first = _first_process(process)
    with contextlib.suppress(ProcessLookupError):
        if first is not None:
            os.kill(first, signal.SIGKILL)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
