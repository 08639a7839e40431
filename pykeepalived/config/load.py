"""Reads a file into a Configuration: the whole chain from the path to resolved values, and all that is wrong."""

from dataclasses import dataclass

from pykeepalived.config.configuration import Configuration
from pykeepalived.config.cross import global_defs, groups, vrrp_scripts
from pykeepalived.config.cross.context import Context
from pykeepalived.config.cross.instances import Instances
from pykeepalived.config.cross.scripts import Scripts
from pykeepalived.config.cross.servers import Servers
from pykeepalived.config.diagnostics import Diagnostic, Findings, Severity, exit_status
from pykeepalived.config.interpret import Interpreter
from pykeepalived.config.kinds import Problem
from pykeepalived.config.preprocess import Preprocessor
from pykeepalived.config.raw import Raw
from pykeepalived.config.surroundings import Surroundings, Unreadable


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What the command line says about reading."""

    config_id: str = ""
    """Empty: the host name up to its first dot."""
    all_config: bool = False
    """``-e``: every include must be there."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a file."""

    configuration: Configuration
    diagnostics: tuple[Diagnostic, ...]
    exit_code: int
    """What the test mode exits with."""
    not_effective: tuple[str, ...] = ()
    """Keywords known and not acted upon yet, each once, with its place."""
    fatal: bool = False
    """A start must be refused."""


def load(path: str, surroundings: Surroundings, options: LoadOptions) -> Loaded:
    """The configuration of that file and everything that is to be said about it. Never raises, whatever the bytes."""
    findings = Findings()
    config_id = options.config_id or surroundings.host_name().partition(".")[0]
    preprocessor = Preprocessor(surroundings, findings, config_id, all_config=options.all_config)
    interpreter = Interpreter(preprocessor.statements(path), findings)
    try:
        root = interpreter.run()
    except Unreadable as unreadable:
        return _unusable(path, unreadable, options)
    context = Context(surroundings, findings)
    configuration = cross(root, context)
    diagnostics = findings.all()
    return Loaded(
        configuration=configuration,
        diagnostics=diagnostics,
        exit_code=exit_status(diagnostics),
        not_effective=(*interpreter.not_effective.values(), *context.not_effective.values()),
        fatal=any(each.fatal for each in diagnostics),
    )


def cross(root: Raw, context: Context) -> Configuration:
    """The checks across keywords and blocks, and the values that come of them."""
    raw_globals = next(root.named("global_defs"), None)
    context.dynamic_interfaces = raw_globals is not None and "dynamic_interfaces" in raw_globals.given
    scripts = Scripts(context, raw_globals)
    settings = global_defs.resolve(root, raw_globals, context, scripts)
    servers = Servers(context, scripts, settings).resolve(root)
    scripts.violation(counts=True)
    defined = vrrp_scripts.resolve(root, context, scripts)
    resolver = Instances(context, scripts, settings, raw_globals, defined)
    instances = resolver.resolve(root)
    sync_groups, instances = groups.resolve(root, instances, resolver.left_out, context, scripts, settings, defined)
    # keepalived looks no further once an interface is missing: that class of mistake is then not counted
    scripts.violation(counts=not context.findings.has(Problem.BAD_IF))
    return Configuration(
        global_defs=settings,
        vrrp_instance=tuple(instances),
        vrrp_sync_group=tuple(sync_groups),
        vrrp_script=tuple(each.script for each in defined.values() if each.script is not None),
        virtual_server=tuple(servers),
    )


def _unusable(path: str, unreadable: Unreadable, options: LoadOptions) -> Loaded:
    message = f"Config files missing '{path}'." if unreadable.absent else f"'{path}' {unreadable.reason}"
    problem = Problem.FILE_NOT_FOUND if options.all_config else None
    hint = "name the file with -f FILE" if unreadable.absent else None
    diagnostic = Diagnostic(Severity.ERROR, message, None, hint, problem, fatal=True)
    return Loaded(Configuration(), (diagnostic,), exit_status((diagnostic,)), fatal=True)
