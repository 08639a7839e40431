"""Scripts, files, processes and BFD sessions that are followed, as their sections tell them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from pykeepalived.config.blocks.bfd_instance import BfdInstance
from pykeepalived.config.blocks.checkers import FileCheck
from pykeepalived.config.blocks.track_file import TrackedFile
from pykeepalived.config.blocks.vrrp_script import VrrpScript
from pykeepalived.config.blocks.vrrp_track_process import VrrpTrackProcess
from pykeepalived.config.configuration import Configuration
from tests.interop.dumped.fields import Block, Fields, Value, flag, optional, read, seconds, yes
from tests.interop.dumped.scripts import command
from tests.interop.dumped.tree import Section

LISTS = ("Tracking instances", "VRRP instances", "Tracking VRRP instances", "Tracking RS", "VRRP member instances")
RUNNING = "changes while it runs"
EMPTY = "a heading without lines"
SCRIPT_IGNORED: Mapping[str, str] = {
    "Result": "a counter",
    "Insecure": "commands that are not safe are not in the dump at all",
    "Init state": RUNNING,
    "Status": RUNNING,
    "State": RUNNING,
    "VRRP instances": EMPTY,
}
PROCESS_IGNORED: Mapping[str, str] = {
    "Current processes": "a counter",
    "Have quorum": RUNNING,
    "Fork delay timer": RUNNING,
    "Terminate delay timer": RUNNING,
}
BFD_IGNORED: Mapping[str, str] = {"Bfd": RUNNING, "Tracking VRRP instances": EMPTY}
PATTERNS = (r"(Fork delay timer) (.*)", r"(Terminate delay timer) (.*)", r"(Bfd) is (.*)")


class Tracker(Protocol):
    """One line of a list of what is followed."""

    @property
    def name(self) -> str:
        """What is followed."""

    @property
    def weight(self) -> int:
        """What it adds."""

    @property
    def reverse(self) -> bool:
        """Whether the sign is turned."""


def weighted(name: str, weight: int, *, reverse: bool, comma: str = "") -> str:
    """A tracker with its weight."""
    return f"{name}{comma} weight {weight}{' reverse' if reverse else ''}"


def lines(trackers: Iterable[Tracker], comma: str = "") -> tuple[str, ...]:
    """A list of what is followed."""
    return tuple(weighted(each.name, each.weight, reverse=each.reverse, comma=comma) for each in trackers)


def blocks(vrrp: Sequence[Section], checker: Sequence[Section], configuration: Configuration) -> list[Block]:
    """All of them; a file is told by each process that follows it."""
    scripts = {name: _script_told(each) for name, each in objects(vrrp, "VRRP Scripts", "VRRP Script").items()}
    processes = objects(vrrp, "VRRP Track processes", "VRRP Track process")
    sessions = objects(vrrp, "VRRP Track BFDs", "VRRP Track BFD")
    return [
        Block(
            "vrrp_script",
            scripts,
            {each.name: _script(each, configuration) for each in configuration.vrrp_script},
            SCRIPT_IGNORED,
        ),
        _files(objects(vrrp, "VRRP Track files", "Track file"), configuration, vrrp=True),
        _files(objects(checker, "Checker track files", "Track file"), configuration, vrrp=False),
        Block(
            "vrrp_track_process",
            processes,
            {each.name: _process(each, configuration) for each in configuration.vrrp_track_process},
            PROCESS_IGNORED,
        ),
        Block(
            "bfd_instance as VRRP follows it",
            sessions,
            {
                each.name: _bfd(each, configuration)
                for each in configuration.bfd_instance
                if each.vrrp or not each.checker
            }
            if vrrp
            else {},
            BFD_IGNORED,
        ),
    ]


def objects(sections: Sequence[Section], section: str, heading: str) -> dict[str, Fields]:
    """What a section tells of each thing by its name."""
    found = {
        node.text.removeprefix(f"{heading} = "): read(node.children, PATTERNS, LISTS)
        for each in sections
        if each.name == section
        for node in each.nodes
    }
    for fields in found.values():
        fields["Tracking instances"] = tuple(sorted(fields.get("Tracking instances", ())))
    return found


def _script_told(fields: Fields) -> Fields:
    """With what keepalived means where it tells less."""
    if fields["Timeout"] == "0 sec":  # none given: the interval
        fields["Timeout"] = fields["Interval"]
    if not str(fields["Command"]).startswith("'"):  # a line that only a shell understands
        fields["Command"] = f"'/bin/sh' '-c' '{fields['Command']}'"
    return fields


def _script(script: VrrpScript, configuration: Configuration) -> Fields:
    return {
        "Command": command(script.script),
        "Interval": f"{seconds(script.interval)} sec",
        "Timeout": f"{seconds(script.timeout)} sec",
        "Weight": str(script.weight),
        "Rise": str(script.rise),
        "Fall": str(script.fall),
        "Script uid:gid": f"{script.script.uid}:{script.script.gid}",
        "Tracking instances": followers(configuration, "track_script", script.name),
    }


def _files(told: Mapping[str, Fields], configuration: Configuration, *, vrrp: bool) -> Block:
    ours = {each.name: _file(each, configuration, vrrp=vrrp) for each in configuration.track_file}
    if vrrp:
        return Block("track_file", told, ours if told else {})
    return Block("track_file of checkers", told, ours if told else {})


def _file(file: TrackedFile, configuration: Configuration, *, vrrp: bool) -> Fields:
    who = followers(configuration, "track_file", file.name) if vrrp else checking(configuration, file.name)
    first = str(file.init_file.value) if file.init_file else "0"  # no such file is there at first
    return {"File": file.file, "Status": first, "Weight": str(file.weight), "Tracking instances": who}


def _process(process: VrrpTrackProcess, configuration: Configuration) -> Fields:
    name, *parameters = process.process
    match = process.param_match
    return {
        "Process": name,
        **optional("Parameters", " ".join(parameters) or None),
        **({} if match in {"", "exact"} else {"Param match": match}),
        **flag("Param match", given=match == "exact" or (not match and bool(parameters))),
        "Min processes": str(process.quorum),
        **optional("Max processes", None if process.quorum_max is None else str(process.quorum_max)),
        "Weight": str(process.weight),
        "Terminate delay": f"{process.terminate_delay / 1e9:.6f}s",
        "Fork delay": f"{process.fork_delay / 1e9:.6f}s",
        "Full command": yes(process.full_command or bool(match) or bool(parameters)),
        "Tracking instances": followers(configuration, "track_process", process.name),
    }


def _bfd(session: BfdInstance, configuration: Configuration) -> Fields:
    return {
        "Weight": str(session.weight),
        "Tracking instances": followers(configuration, "track_bfd", session.name),
    }


def followers(configuration: Configuration, keyword: str, name: str) -> Value:
    """The instances that follow something, those of a group that follows it too, each with its weight."""
    found: dict[str, Tracker] = {}
    for group in configuration.vrrp_sync_group:
        for tracked in getattr(group, keyword):
            if tracked.name == name:
                found.update(dict.fromkeys(group.group, tracked))
    for instance in configuration.vrrp_instance:
        for tracked in getattr(instance, keyword):
            if tracked.name == name:
                found[instance.name] = tracked
    return tuple(
        sorted(weighted(who, tracked.weight, reverse=tracked.reverse, comma=",") for who, tracked in found.items())
    )


def checking(configuration: Configuration, name: str) -> Value:
    """The real servers whose checkers follow a file."""
    found = []
    for server in configuration.virtual_server:
        for real in server.real_server:
            for checker in real.checkers:
                if isinstance(checker, FileCheck) and checker.track_file == name:
                    who = f"{server.service} -> {server.real_server_text(real)}"
                    weight = checker.weight
                    turns = weight.reverse is (weight.value >= 0)
                    found.append(weighted(who, abs(weight.value), reverse=turns, comma=","))
    return tuple(sorted(found))
