"""Where things meet: the roles with their services, how a configuration is read, the names and files of processes.

Imports of a service, of the parser and of scapy stand inside functions: each is paid for by the process that needs it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.configuration import Amendment, Configuration
from pykeepalived.daemon.child import ChildContext, Service
from pykeepalived.daemon.exit_status import EXIT_CONFIG, EXIT_NO_CONFIG
from pykeepalived.daemon.journal import PARENT_IDENT
from pykeepalived.daemon.loader import MEMORY, Compiled, Outcome, Read, finding, read_value
from pykeepalived.daemon.roles import Role
from pykeepalived.daemon.settings import Settings
from pykeepalived.effects import Level
from pykeepalived.kernel.capabilities import Capability

if TYPE_CHECKING:  # the parser must not come into the parent
    from pykeepalived.config.kept import Memory
    from pykeepalived.config.load import Loaded
    from pykeepalived.kernel.frames import FrameTemplates

FRAMES = "frames"
_RUN = "/run"
MODULES = Path("/sys/module")
IPVS_TABLE = Path("/proc/net/ip_vs")
_RUN_OWN = "/run/keepalived"


def _vrrp_service(context: ChildContext, part: Configuration) -> Service:
    from pykeepalived.daemon.vrrp_process import VrrpService  # noqa: PLC0415 - in its own process

    return VrrpService(context, part)


def _checker_service(context: ChildContext, part: Configuration) -> Service:
    from pykeepalived.daemon.checker_process import CheckerService  # noqa: PLC0415 - in its own process

    return CheckerService(context, part)


def _warm_vrrp() -> None:
    import pykeepalived.daemon.vrrp_process  # noqa: F401, PLC0415 - before the fork, shared by all


def _warm_checker() -> None:
    import pykeepalived.daemon.checker_process  # noqa: PLC0415 - before the fork, shared by all
    import pykeepalived.kernel.ipvs  # noqa: F401, PLC0415 - likewise


CHECKER = Role(
    name="Healthcheck",
    key="checkers",
    ident="Keepalived_healthcheckers",
    process_name="keepalived_lvs",
    capabilities=frozenset({Capability.NET_ADMIN, Capability.NET_RAW, Capability.NET_BIND_SERVICE}),
    make=_checker_service,
    warm=_warm_checker,
    remembers=True,
)
VRRP = Role(
    name="VRRP",
    key="vrrp",
    ident="Keepalived_vrrp",
    process_name="keepalived_vrrp",
    capabilities=frozenset({Capability.NET_ADMIN, Capability.NET_RAW}),
    make=_vrrp_service,
    warm=_warm_vrrp,
    realtime=True,
)
ROLES = (CHECKER, VRRP)  # in keepalived's order of start


def roles(settings: Settings) -> tuple[Role, ...]:
    """Those that -P and -C leave."""
    return tuple(role for role in ROLES if {"vrrp": settings.vrrp, "checkers": settings.check}[role.key])


def pid_files(settings: Settings, global_defs: GlobalDefs) -> dict[str, str]:
    """The pid file of each role, and of the parent under ``parent``."""
    own = global_defs.use_pid_dir or global_defs.instance or global_defs.net_namespace or settings.namespace
    folder = _RUN_OWN if own else _RUN
    suffix = "".join(f"_{part}" for part in (_namespace(settings, global_defs), global_defs.instance) if part)
    given = {"parent": settings.pid, "vrrp": settings.vrrp_pid, "checkers": settings.checkers_pid}
    names = {"parent": "keepalived", "vrrp": "vrrp", "checkers": "checkers"}
    return {key: given[key] or f"{folder}/{name}{suffix}.pid" for key, name in names.items()}


def idents(settings: Settings, global_defs: GlobalDefs) -> dict[str, str]:
    """The name in the log of each role, and of the parent under ``parent``."""
    suffix = "".join(f"_{part}" for part in (_namespace(settings, global_defs), global_defs.instance) if part)
    return {"parent": PARENT_IDENT + suffix} | {role.key: role.ident + suffix for role in ROLES}


def _namespace(settings: Settings, global_defs: GlobalDefs) -> str | None:
    return settings.namespace or global_defs.net_namespace


def reader(settings: Settings) -> Read:
    """What a loader does."""
    import pykeepalived.config.effective  # noqa: F401, PLC0415 - here once, not in each loader
    from pykeepalived.daemon.reading import load_configuration  # noqa: PLC0415 - nor does each import the parser

    def read(with_frames: bool, memory: int | None) -> Compiled:
        kept = None if memory is None else read_value(memory)
        return compiled(load_configuration(settings, kept), with_frames=with_frames)

    return read


def make_frames() -> Compiled:
    """What the other loader of a start does, beside the one that reads."""
    from pykeepalived.kernel.frames import make_templates  # noqa: PLC0415 - for scapy

    return Compiled(Outcome(), {FRAMES: make_templates()})


def compiled(loaded: "Loaded", *, with_frames: bool) -> Compiled:
    """What was read, as the parent and the roles want it."""
    from pykeepalived.config.diagnostics import Severity  # noqa: PLC0415 - the loader's alone
    from pykeepalived.config.effective import effective  # noqa: PLC0415 - likewise
    from pykeepalived.config.kept import leave  # noqa: PLC0415 - likewise
    from pykeepalived.kernel.frames import make_templates  # noqa: PLC0415 - likewise, for scapy

    levels = {Severity.ERROR: Level.ERROR, Severity.WARNING: Level.WARNING, Severity.NOTE: Level.INFO}
    findings = [finding(f"Opening file '{file}'.", Level.INFO, None) for file in loaded.files]
    mistakes = []
    for diagnostic in loaded.diagnostics:
        span = diagnostic.span
        message = diagnostic.message + (f" ({diagnostic.hint})" if diagnostic.hint else "")
        place = (span.file, span.line, span.column) if span else None
        line = finding(message, levels[diagnostic.severity], place)
        findings.append(line)
        if diagnostic.severity is Severity.ERROR:
            mistakes.append((diagnostic.message, line.message))
    configuration, left_out = effective(loaded.configuration)
    findings += [finding(sentence, Level.WARNING, None) for sentence in left_out]
    parts: dict[str, Configuration | Amendment | FrameTemplates | Memory] = {"vrrp": configuration.vrrp_part()}
    part: Configuration | Amendment = configuration.checker_part()
    kept_schedulers: list[str] = []
    if loaded.reading is not None:
        parts[MEMORY], runs, woven, kept_schedulers = leave(loaded.reading, configuration.virtual_server)
        if loaded.reading.amends:
            part = Amendment(configuration.checker_part(), runs, loaded.reading.memory.count, woven)
    parts[CHECKER.key] = part
    amends = isinstance(part, Amendment)
    static = configuration.static_ipaddress or configuration.static_routes or configuration.static_rules
    exist = {
        "vrrp": bool(configuration.vrrp_instance or static),
        "checkers": amends or bool(configuration.virtual_server),
    }
    outcome = Outcome(
        findings=tuple(findings),
        mistakes=tuple(mistakes),
        exit_code=loaded.exit_code,
        refused=loaded.fatal,
        start_code=EXIT_NO_CONFIG if _unread(loaded) else EXIT_CONFIG,
        not_effective=loaded.not_effective,
        global_defs=configuration.global_defs,
        scripts=configuration.scripts(),
        parts=frozenset(key for key, there in exist.items() if there),
        amended=frozenset({CHECKER.key} if amends else ()),
        ipvs_modules=_ipvs_modules(configuration, kept_schedulers),
        frames=make_templates() if with_frames and exist["vrrp"] else None,
    )
    return Compiled(outcome, parts)


def _ipvs_modules(configuration: Configuration, kept_schedulers: Iterable[str]) -> tuple[str, ...]:
    """Those of the schedulers and persistence engines; of what was kept, which has no engine, of the schedulers."""
    names = {*(server.lvs_sched for server in configuration.virtual_server), *kept_schedulers}
    names |= {f"pe_{each.persistence_engine}" for each in configuration.virtual_server if each.persistence_engine}
    return tuple(f"ip_vs_{name}" for name in sorted(names))


def _unread(loaded: "Loaded") -> bool:
    """Whether the file itself is what is missing: it has no place in a file, and there is nothing beside it."""
    from pykeepalived.config.kinds import Problem  # noqa: PLC0415 - the loader's alone

    if any(each.problem in {Problem.FILE_NOT_FOUND, Problem.INCLUDE_CHECK} for each in loaded.diagnostics):
        return True
    return len(loaded.diagnostics) == 1 and loaded.fatal and loaded.diagnostics[0].span is None


def prepare(role: Role, outcome: Outcome) -> None:
    """What only the parent may do for a role before it starts: load the kernel's modules for IPVS."""
    sync = outcome.global_defs.lvs_sync_daemon
    follows = role.key == VRRP.key and sync is not None and sync.instance is not None
    if follows or (role.key == CHECKER.key and "checkers" in outcome.parts):
        from pykeepalived.kernel.modules import load_module  # noqa: PLC0415 - only where IPVS is wanted

        if not IPVS_TABLE.exists():
            load_module("ip_vs")
        for module in outcome.ipvs_modules:
            if IPVS_TABLE.exists() and not (MODULES / module).exists():
                load_module(module)
