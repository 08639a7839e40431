"""Reads a file into a Configuration: the whole chain from the path to resolved values, and all that is wrong."""

import contextlib
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import field, replace

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.blocks.vrrp_sync_group import VrrpSyncGroup
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.cross import (
    bfd_instances,
    garp_groups,
    global_defs,
    groups,
    interfaces,
    server_groups,
    ssl,
    static_addresses,
    track_files,
    track_groups,
    track_processes,
    vrrp_scripts,
)
from pykeepalived.config.cross.context import Context
from pykeepalived.config.cross.followers import Followers
from pykeepalived.config.cross.instances import Instances
from pykeepalived.config.cross.routing import Routing
from pykeepalived.config.cross.scripts import Scripts
from pykeepalived.config.cross.servers import Servers
from pykeepalived.config.cross.trackers import Defined, Definitions
from pykeepalived.config.diagnostics import Diagnostic, Findings, Severity, exit_status
from pykeepalived.config.interpret import Interpreter
from pykeepalived.config.kept import Memory, Reading, ReadWhole, reading
from pykeepalived.config.kinds import Problem
from pykeepalived.config.lint.view import View
from pykeepalived.config.preprocess import ANY_OTHER, Preprocessor
from pykeepalived.config.raw import EntryGiven, Raw
from pykeepalived.config.surroundings import Surroundings, Unreadable
from pykeepalived.records import record


@record(frozen=True, slots=True)
class LoadOptions:
    """What the command line says about reading."""

    config_id: str = ""
    """Empty: the host name up to its first dot."""
    all_config: bool = False
    """``-e``: every include must be there."""
    lint: bool = False
    """Advice is wanted besides mistakes."""
    peers: tuple[str, ...] = ()
    """Files of other nodes, for the advice."""


@record(frozen=True, slots=True)
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
    files: tuple[str, ...] = ()
    """What was read, in that order."""
    reading: Reading | None = field(default=None, compare=False)
    """For the next reading."""


def load(path: str, surroundings: Surroundings, options: LoadOptions, memory: Memory | None = None) -> Loaded:
    """The configuration of that file and everything that is to be said about it. Never raises, whatever the bytes.

    Blocks like one before are not read again. Where something is to be said of such a block the whole file is read once
    more, block by block: then it is said of each, at its place.

    With what an earlier reading left in ``memory``, its virtual servers are not read again either; then the
    configuration holds the others alone, and ``reading`` says where the rest belongs. A file with a mistake is read
    whole.
    """
    if memory is not None:
        with contextlib.suppress(ReadWhole):
            loaded, recalled = _load(path, surroundings, options, remember=True, memory=memory)
            if not _meets(loaded, recalled) and not _has_errors(loaded.diagnostics):
                return loaded
    loaded, recalled = _load(path, surroundings, options, remember=True)
    if _meets(loaded, recalled):
        loaded, _ = _load(path, surroundings, options, remember=False)
    return loaded


def _load(
    path: str, surroundings: Surroundings, options: LoadOptions, *, remember: bool, memory: Memory | None = None
) -> tuple[Loaded, set[tuple[str, int]]]:
    """What comes of the file, and the lines of blocks that others are like and that stand for them."""
    findings = Findings()
    config_id = options.config_id or surroundings.host_name().partition(".")[0]
    preprocessor = Preprocessor(surroundings, findings, config_id, all_config=options.all_config, memory=memory)
    interpreter = Interpreter(preprocessor, path, findings, remember=remember, memory=memory)
    try:
        root = interpreter.run()
    except Unreadable as unreadable:
        return _unusable(path, unreadable, options), set()
    context = Context(surroundings, findings)
    namespace = root.given.get("net_namespace")
    entered = namespace is None or context.enter(namespace.value, namespace.span(1))
    configuration = cross(root, context)
    diagnostics = findings.all()
    fatal = any(each.fatal for each in diagnostics)
    if options.lint and not fatal:
        _advise(
            View(configuration, root, surroundings), path, options, _other_ids(preprocessor.ids, config_id), findings
        )
        diagnostics = findings.all()
    loaded = Loaded(
        configuration=configuration,
        diagnostics=diagnostics,
        # keepalived ends where it cannot enter its namespace, before anything is counted
        exit_code=exit_status(diagnostics) if entered else 0,
        not_effective=(*interpreter.not_effective.values(), *context.not_effective.values()),
        fatal=fatal,
        files=tuple(preprocessor.opened),
        reading=_reading(interpreter, context, memory),
    )
    return loaded, interpreter.recalled


def _meets(loaded: Loaded, lines: AbstractSet[tuple[str, int]]) -> bool:
    """Whether something is to be said of one of these lines."""
    places = ((each.span.file, each.span.line) for each in loaded.diagnostics if each.span is not None)
    return bool(lines) and not lines.isdisjoint(places)


def _has_errors(diagnostics: Sequence[Diagnostic]) -> bool:
    return any(each.severity is Severity.ERROR for each in diagnostics)


def _reading(interpreter: Interpreter, context: Context, memory: Memory | None) -> Reading | None:
    """What the next reading may keep; after a mistake, nothing."""
    servers, context.servers = context.servers, None  # who knows it again: nothing of what was read would be freed
    if servers is None or _has_errors(context.findings.all()):
        return None
    return reading(servers.global_defs, servers.resolved, interpreter.texts, interpreter.runs, memory)


def _other_ids(ids: AbstractSet[str], own: str) -> AbstractSet[str]:
    """The config ids of other nodes. One that no line names reads the file as every such node does."""
    return ids - {own} if own in ids else ids - {ANY_OTHER}


def _advise(view: View, path: str, options: LoadOptions, ids: AbstractSet[str], findings: Findings) -> None:
    """What is no mistake and yet worth a word."""
    from pykeepalived.config.lint.rules import lint  # noqa: PLC0415 - wanted for a test of the file, not for a start
    from pykeepalived.config.peers import other_nodes  # noqa: PLC0415 - likewise

    for each in lint(replace(view, peers=tuple(other_nodes(path, view.surroundings, ids, options.peers)))):
        findings.add(each)


def cross(root: Raw, context: Context) -> Configuration:
    """The checks across keywords and blocks, and the values that come of them."""
    raw_globals = next(root.named("global_defs"), None)
    context.dynamic_interfaces = raw_globals is not None and "dynamic_interfaces" in raw_globals.given
    scripts = Scripts(context, raw_globals)
    settings = global_defs.resolve(root, raw_globals, context, scripts)
    context.move_iproute(settings.iproute_etc_dir, settings.iproute_usr_dir)
    files, defined_files = track_files.resolve(root, context)
    processes, defined_processes = track_processes.resolve(root, context)
    sessions, defined_sessions = bfd_instances.resolve(root, context)
    server_group = server_groups.resolve(root, context)
    followers = Followers(context, scripts, root, defined_files, sessions)
    context.servers = Servers(context, scripts, settings, server_group, followers)
    servers = context.servers.resolve(root)
    scripts.violation(counts=True)
    garp_group = garp_groups.resolve(root, context)
    linkbeat_interfaces = interfaces.linkbeat_interfaces(root, context)
    up_down_delays = interfaces.interface_up_down_delays(root, context)
    defined = vrrp_scripts.resolve(root, context, scripts)
    definitions = Definitions(defined, defined_files, defined_processes, defined_sessions)
    addresses = static_addresses.resolve(root, context)
    routing = Routing(root, context)
    resolver = Instances(context, scripts, settings, definitions, routing)
    instances = resolver.resolve(root)
    sync_groups, instances = groups.resolve(root, instances, resolver.left_out, context, scripts, settings, definitions)
    there = {each.name for each in instances}
    _unused(defined, instances, sync_groups, root, context)
    scripts.complain()
    # keepalived looks no further once an interface is missing: that class of mistake is then not counted
    scripts.violation(counts=not context.missing_interface)
    return Configuration(
        global_defs=global_defs.complete(settings, instances, raw_globals, context),
        vrrp_instance=tuple(instances),
        vrrp_sync_group=tuple(sync_groups),
        vrrp_script=tuple(each.script for each in defined.values() if each.script is not None),
        virtual_server_group=tuple(each for each in server_group.values() if each is not None),
        track_file=tuple(files),
        vrrp_track_process=tuple(processes),
        bfd_instance=tuple(sessions),
        track_group=tuple(track_groups.resolve(root, there, resolver.left_out, context)),
        static_ipaddress=tuple(addresses),
        static_routes=routing.routes(root),
        static_rules=routing.rules(root),
        virtual_server=tuple(servers),
        ssl=ssl.resolve(root, context),
        garp_group=garp_group,
        linkbeat_interfaces=linkbeat_interfaces,
        interface_up_down_delays=interfaces.cap(up_down_delays, instances, root, context),
    )


def _unused(
    defined: Mapping[str, Defined],
    instances: Sequence[VrrpInstance],
    sync_groups: Sequence[VrrpSyncGroup],
    root: Raw,
    context: Context,
) -> None:
    """Scripts that nothing tracks are not run."""
    used = {each.name for instance in instances for each in instance.track_script}
    used |= {each.name for group in sync_groups for each in group.track_script}
    tracked = {entry.subject for raw in root.blocks if "track_script" in raw.given for entry in _tracks(raw)}
    for raw in root.named("vrrp_script"):
        found = defined.get(raw.name)
        # of one that is tracked in vain it was said why
        if raw.name not in used and raw.name not in tracked and found is not None:
            hint = f"add {raw.name} to a track_script block, or remove it"
            context.warning(f"Warning - script {raw.name} is not used", raw.span(word=1), hint)


def _tracks(raw: Raw) -> Sequence[EntryGiven]:
    entries: Sequence[EntryGiven] = raw.given["track_script"].value
    return entries


def _unusable(path: str, unreadable: Unreadable, options: LoadOptions) -> Loaded:
    message = f"Config files missing '{path}'." if unreadable.absent else f"'{path}' {unreadable.reason}"
    problem = Problem.FILE_NOT_FOUND if options.all_config else None
    hint = "name the file with -f FILE" if unreadable.absent else None
    diagnostic = Diagnostic(Severity.ERROR, message, None, hint, problem, fatal=True)
    return Loaded(Configuration(), (diagnostic,), exit_status((diagnostic,)), fatal=True)
