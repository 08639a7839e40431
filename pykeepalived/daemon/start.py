"""The start of the daemon, step by step, up to the point where the parent's loop takes over."""

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pykeepalived import __version__
from pykeepalived.daemon import assemble, journal
from pykeepalived.daemon.child import ChildOptions
from pykeepalived.daemon.exit_status import EXIT_FATAL, EXIT_MISSING_PERMISSION, EXIT_OK, EXIT_PROGRAM_ERROR
from pykeepalived.daemon.faults import describe
from pykeepalived.daemon.journal import Lines
from pykeepalived.daemon.loader import MEMORY, Loader, Outcome, read_value
from pykeepalived.daemon.parent import Parent, Plan
from pykeepalived.daemon.settings import Settings
from pykeepalived.daemon.signals import DUMPS
from pykeepalived.daemon.systemd import Systemd
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.errors import ConfigError, KernelError, ProcessError
from pykeepalived.kernel import processes
from pykeepalived.kernel.pidfile import AlreadyRunning, PidFile


def run(settings: Settings, environment: Mapping[str, str]) -> int:
    """Run the daemon; gives the exit status."""
    lines = _lines(settings, environment)
    settings = _absolute(settings)
    try:
        return _start(settings, environment, lines)
    except Exception as error:  # noqa: BLE001 - the log must have the reason; the children leave when we are gone
        return _refuse(lines, settings, f"Program error: {describe(error)}", EXIT_PROGRAM_ERROR)


def _start(settings: Settings, environment: Mapping[str, str], lines: Lines) -> int:
    processes.set_name("pykeepalived")
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until the parent's loop runs, Ctrl-C just ends us
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # whoever started us may ignore it: then no child's end can be told
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, *DUMPS})  # these wait for it
    _introduce(lines, settings)
    listener: socket.socket | None = None
    first_namespace: int | None = None
    if settings.namespace:
        listener, first_namespace = _process_events(), _own_namespace()
        try:
            processes.enter_network_namespace(settings.namespace)
        except KernelError as error:
            reason = f"Cannot enter network namespace {settings.namespace}: {os.strerror(error.errno)}"
            return _refuse(lines, settings, reason, EXIT_FATAL)
    roles = assemble.roles(settings)
    try:
        several = len(os.sched_getaffinity(0)) > 1  # processors; one is left to the reading alone
        maker = Loader(assemble.make_frames, (assemble.FRAMES,), idle=True) if settings.vrrp and several else None
        read = assemble.reader(settings)
        for role in roles if not several and len(roles) == 1 else ():
            role.warm()  # wanted in any case; what is shared with a loader costs more to write to
        loader = Loader(lambda: read(False, None), (*(role.key for role in roles), MEMORY))
        for role in roles if several else ():
            role.warm()  # while the loaders work
        outcome = loader.wait()
        if settings.vrrp:
            outcome = _with_frames(outcome, maker, wanted=settings.all or assemble.VRRP.key in outcome.parts)
    except ConfigError as error:
        return _refuse(lines, settings, str(error), EXIT_FATAL)
    except OSError as error:
        return _refuse(lines, settings, f"the loader cannot be started: {error.strerror}", EXIT_FATAL)
    for finding in outcome.findings:
        lines.log(finding)
    if outcome.refused:
        reason = f"The configuration cannot be run: {outcome.mistakes[0][1] if outcome.mistakes else 'see above'}"
        return _refuse(lines, settings, reason, outcome.start_code)
    for word in outcome.not_effective:
        lines.log(Log(f"{word}: not effective yet in pykeepalived", Level.NOTICE, Kind.CONFIGURATION))
    namespace = outcome.global_defs.net_namespace
    if namespace and not settings.namespace:
        listener, first_namespace = _process_events(), _own_namespace()
        try:
            processes.enter_network_namespace(namespace)
        except KernelError as error:
            reason = f"Cannot enter network namespace {namespace}: {os.strerror(error.errno)}"
            return _refuse(lines, settings, reason, EXIT_FATAL)
    parent_lines = lines.named(_idents(settings, outcome)["parent"])
    return _supervise(settings, environment, parent_lines, loader, outcome, listener, first_namespace)


def _process_events() -> socket.socket | None:
    """A socket for the VRRP process, made before another network namespace is entered: there the kernel has none."""
    from pykeepalived.kernel.process_events import open_socket  # noqa: PLC0415 - netlink is not for the loaders

    with contextlib.suppress(KernelError):
        return open_socket()
    return None


def _own_namespace() -> int:
    """The network namespace of the start, where net_namespace_ipvs may want the IPVS table."""
    from pykeepalived.kernel.namespaces import own_namespace  # noqa: PLC0415 - netlink is not for the loaders

    return own_namespace()


def _absolute(settings: Settings) -> Settings:
    """A daemon leaves the folder it was started in; paths of the command line still mean what they meant there."""

    def absolute(path: str | None) -> str | None:
        return str(Path(path).absolute()) if path else None

    return replace(
        settings,
        use_file=str(Path(settings.use_file).absolute()),
        pid=absolute(settings.pid),
        vrrp_pid=absolute(settings.vrrp_pid),
        checkers_pid=absolute(settings.checkers_pid),
    )


def _with_frames(outcome: Outcome, maker: Loader | None, *, wanted: bool) -> Outcome:
    """What the other loader made, or makes now, if there is somebody to use it."""
    if not wanted or outcome.refused:
        if maker is not None:
            maker.give_up()
        return outcome
    if maker is None:
        maker = Loader(assemble.make_frames, (assemble.FRAMES,))
    maker.hurry()
    maker.wait()
    frames = read_value(maker.files[assemble.FRAMES])
    maker.close()
    return replace(outcome, frames=frames)


def _supervise(
    settings: Settings,
    environment: Mapping[str, str],
    lines: Lines,
    loader: Loader,
    outcome: Outcome,
    listener: socket.socket | None,
    first_namespace: int | None,
) -> int:
    """Be the only one, be a daemon, be the parent."""
    pid_files = assemble.pid_files(settings, outcome.global_defs)
    path = Path(pid_files["parent"])
    try:
        path.parent.mkdir(mode=0o755, exist_ok=True)
        pid_file = PidFile(path)
    except AlreadyRunning:
        return _refuse(lines, settings, "daemon is already running", EXIT_OK)
    except (OSError, ProcessError) as error:
        code = EXIT_FATAL if os.geteuid() == 0 else EXIT_MISSING_PERMISSION
        return _refuse(lines, settings, str(error), code)
    # before the pid changes: the watchdog's variables name it
    systemd = Systemd(environment, say=lambda text: lines.log(Log(text, Level.WARNING, Kind.PROCESS)))
    mask = settings.umask if settings.umask is not None else outcome.global_defs.umask
    if mask is not None:
        os.umask(mask)
    if not settings.dont_fork:
        _daemonise()
    pid_file.write()
    plan = Plan(
        roles=assemble.roles(settings),
        read=assemble.reader(settings),
        pid_files=pid_files,
        idents=_idents(settings, outcome),
        options=ChildOptions(
            settings.dont_release_vrrp, settings.dont_release_ipvs, settings.log_detail, settings.dump_conf
        ),
        environment=environment,
        all_roles=settings.all,
        dont_respawn=settings.dont_respawn,
        ignore_sigint=settings.ignore_sigint,
        prepare=assemble.prepare,
        pid_file=pid_file,
        process_events=listener,
        first_namespace=first_namespace,
    )
    if outcome.global_defs.process_name:
        processes.set_name(outcome.global_defs.process_name)
    parts, loader.files = loader.files, {}
    try:
        return Parent(plan, lines, systemd).run(outcome, parts)
    finally:
        pid_file.remove()


def _daemonise() -> None:
    """Go on in the background: a session of our own that can never have a terminal, in the root directory."""
    if os.fork() != 0:
        os._exit(EXIT_OK)
    os.setsid()
    if os.fork() != 0:
        os._exit(EXIT_OK)
    os.chdir("/")
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    if null > 2:
        os.close(null)


def _lines(settings: Settings, environment: Mapping[str, str]) -> Lines:
    sink = journal.choose(
        log_console=settings.log_console,
        no_syslog=settings.no_syslog,
        dont_fork=settings.dont_fork,
        facility=settings.log_facility,
        environment=environment,
    )
    return Lines(sink, journal.PARENT_IDENT, settings.log_detail)


def _idents(settings: Settings, outcome: Outcome) -> dict[str, str]:
    return assemble.idents(settings, outcome.global_defs)


def _introduce(lines: Lines, settings: Settings) -> None:
    """The first lines of the log."""
    host = os.uname()
    words = [sys.argv[0] or "pykeepalived", *settings.command_line]
    for text in (
        f"Starting Keepalived v{__version__} (pykeepalived)",
        f"Running on {host.sysname} {host.release} {host.version} (Python {sys.version.split()[0]})",
        "Command line: " + " ".join(f"'{word}'" for word in words),
        f"Configuration file {settings.use_file}",
    ):
        lines.log(Log(text, kind=Kind.PROCESS))
    for word in settings.not_effective:
        lines.log(Log(f"Option {word}: not effective yet in pykeepalived", Level.NOTICE, Kind.PROCESS))


def _refuse(lines: Lines, settings: Settings, reason: str, status: int) -> int:
    """No start. Whoever typed the command at a terminal is told there, too."""
    lines.log(Log(reason, Level.ERROR if status else Level.INFO, Kind.PROCESS))
    if not settings.dont_fork and sys.stderr is not None and sys.stderr.isatty():
        print(f"pykeepalived: {reason}", file=sys.stderr)
    return status
