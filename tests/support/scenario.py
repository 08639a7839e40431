"""Scenarios: numbered steps in a file, an event in, effects out. This reads them; a new case is no code.

    A sentence that says what is shown.

    keyword vrrp_instance.priority

    instance VI_1 priority=100 virtual_ipaddress=10.0.0.100/24
    interface eth0 up 10.0.0.1/24

    1  0 start
         log (VI_1) Entering BACKUP STATE (init)
         ...
    2  0.5 heard 10.0.0.2 priority=150

Times are seconds since the start, to the nanosecond. A step's indented lines are its effects, all of them, in their
order. ``keyword`` names the keywords whose behaviour it shows. ``configuration NAME`` begins another one, for a
``reload NAME``.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from ipaddress import ip_address, ip_interface
from pathlib import Path
from typing import Any

from pykeepalived.config.blocks.addresses import AddressEntry, UnicastPeer
from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.blocks.trackers import TrackBfd, TrackFile, TrackInterface, TrackProcess, TrackScript
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.blocks.vrrp_script import VrrpScript
from pykeepalived.config.blocks.vrrp_sync_group import VrrpSyncGroup
from pykeepalived.config.configuration import Configuration
from pykeepalived.effects import Log
from pykeepalived.events import Tick
from pykeepalived.units import SECOND
from pykeepalived.vrrp.adverts import messages
from pykeepalived.vrrp.effects import (
    AddAddresses,
    AddRoutes,
    AddRules,
    Announce,
    AnnounceSource,
    BlockAddresses,
    CancelAnnouncements,
    Effect,
    NotifyGroup,
    NotifyInstance,
    RemoveAddresses,
    RemoveRoutes,
    RemoveRules,
    ReplaceRouters,
    SendAdvert,
    UnblockAddresses,
)
from pykeepalived.vrrp.events import (
    AddressAdded,
    AddressRemoved,
    InterfaceChanged,
    TrackBfdChanged,
    TrackFileChanged,
    TrackProcessChanged,
    TrackScriptChanged,
)
from pykeepalived.vrrp.identity import receiver_of
from pykeepalived.vrrp.replacement import replace
from pykeepalived.vrrp.routers import Routers
from pykeepalived.wire.vrrp import text
from tests.support.link import Received

BASE = 1_000_000_000_000

_TIMES = {
    "advert_int",
    "preempt_delay",
    "garp_master_delay",
    "garp_master_refresh",
    "garp_lower_prio_delay",
    "vrrp_startup_delay",
    "vrrp_delay_after_boot",
    "interval",
    "timeout",
}


@dataclass(slots=True)
class Step:
    """One step: when, what, and the effects it must have."""

    number: str
    at: int
    event: list[str]
    effects: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Scenario:
    """A file."""

    title: str
    configurations: dict[str, Configuration]
    facts: list[list[str]]
    steps: list[Step]
    keywords: list[str]


def _nanoseconds(text: str) -> int:
    """Seconds as written (``1``, ``.5``, ``0.01``), read as a decimal, never as a binary fraction."""
    return int(Decimal(text) * SECOND)


def read(path: Path) -> Scenario:
    """Read a file; whatever it does not know is an error."""
    scenario = Scenario("", {"": Configuration()}, [], [], [])
    name = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if not scenario.title:
            scenario.title = line
        elif line.startswith(" "):
            scenario.steps[-1].effects.append(line.strip())
        elif words[0].isdigit():
            scenario.steps.append(Step(words[0], BASE + _nanoseconds(words[1]), words[2:]))
        elif words[0] == "keyword":
            scenario.keywords.extend(words[1:])
        elif words[0] == "configuration":
            name = words[1]
            scenario.configurations[name] = Configuration()
        elif words[0] == "interface":
            scenario.facts.append(words)
        elif words[0] in _MAKERS:
            scenario.configurations[name] = _MAKERS[words[0]](scenario.configurations[name], words)
        else:
            raise ValueError(f"{path}: {line}")
    return scenario


def play(scenario: Scenario) -> list[tuple[Step, list[str]]]:
    """Each step with the effects that it really had."""
    host = Routers(scenario.configurations[""])
    for _, name, state, *addresses in scenario.facts:
        host.handle(InterfaceChanged(name, up=state == "up"), BASE)
        for address in addresses:
            host.handle(_added(name, address), BASE)
    played = []
    before = BASE
    for step in scenario.steps:
        if step.event[0] != "deadline":
            assert step.at >= before, f"step {step.number} goes back in time"
            before = step.at
        played.append((step, [render(effect) for effect in _happen(host, scenario, step)]))
    return played


def _happen(host: Routers, scenario: Scenario, step: Step) -> list[Effect]:
    now = step.at
    match step.event:
        case ["start"]:
            return host.start(now)
        case ["stop"]:
            return host.stop(now)
        case ["tick"]:
            return host.handle(Tick(), now)
        case ["reload", name]:
            return replace(host, scenario.configurations[name], now)
        case ["heard", source, *options]:
            return _heard(host, source, dict(option.split("=", 1) for option in options), now)
        case ["interface", name, state]:
            return host.handle(InterfaceChanged(name, up=state == "up", present=state != "gone"), now)
        case ["address", name, "+", address]:
            return host.handle(_added(name, address), now)
        case ["address", name, "-", address]:
            where = ip_interface(address)
            return host.handle(AddressRemoved(name, where.ip, where.network.prefixlen), now)
        case ["script", name, state]:
            return host.handle(TrackScriptChanged(name, up=state == "up"), now)
        case ["file", name, number]:
            return host.handle(TrackFileChanged(name, int(number)), now)
        case ["process", name, state]:
            return host.handle(TrackProcessChanged(name, up=state == "up"), now)
        case ["bfd", name, state]:
            return host.handle(TrackBfdChanged(name, up=state == "up"), now)
        case ["deadline", name]:
            # shows a deadline: the step fails unless it is exactly then
            deadline = host.routers[name].deadline
            assert deadline == now, f"step {step.number}: the deadline is at {((deadline or 0) - BASE) / 1e9:.9f}"
            return []
        case _:
            raise ValueError(f"step {step.number}: {step.event}")


def _heard(host: Routers, source: str, options: dict[str, str], now: int) -> list[Effect]:
    """An advert of the same virtual router from another host, unless the options say otherwise."""
    name = options.pop("for", next(iter(host.routers)))
    instance = host.routers[name].instance
    key = receiver_of(instance)
    ttl = int(options.pop("ttl", "255"))
    mask = options.pop("break", "")
    destination = options.pop("to", "")
    priority = int(options.pop("priority"))
    changed = dataclasses.replace(
        instance, **{word: _value(VrrpInstance, word, text) for word, text in options.items()}
    )
    packed = ip_address(source).packed
    wire_priority = priority
    (where, data), *_ = messages(changed, wire_priority, packed)
    if instance.unicast and host.routers[name].source:
        where = host.routers[name].source
        ours = dataclasses.replace(changed, unicast_peer=(UnicastPeer(ip_address(where)),))
        (_, data), *_ = messages(ours, wire_priority, packed)
    if destination:
        where = ip_address(destination).packed
    if mask:
        place, byte = (int(part, 0) for part in mask.split(":"))
        data = data[:place] + bytes((byte,)) + data[place + 1 :]
    return host.advert(key, Received(packed, where, ttl, data, len(data)), now)


def _added(name: str, address: str) -> AddressAdded:
    where = ip_interface(address)
    return AddressAdded(name, where.ip, where.network.prefixlen)


def render(effect: Effect) -> str:
    """One effect as a scenario writes it."""
    match effect:
        case Log(message, detail=detail):
            return f"{'detail' if detail else 'log'} {message}"
        case SendAdvert(name, priority, source):
            return f"advert {name} {priority} from {text(source)}"
        case AddAddresses(name, entries):
            return f"add {name} {_entries(entries)}"
        case RemoveAddresses(name, entries):
            return f"remove {name} {_entries(entries)}"
        case AddRoutes(name, routes, in_place):
            return f"{'replace' if in_place else 'add'} routes {name} {'; '.join(map(str, routes))}"
        case RemoveRoutes(name, routes):
            return f"remove routes {name} {'; '.join(map(str, routes))}"
        case AddRules(name, rules):
            return f"add rules {name} {'; '.join(map(str, rules))}"
        case RemoveRules(name, rules):
            return f"remove rules {name} {'; '.join(map(str, rules))}"
        case BlockAddresses(name, entries, by_name):
            return f"block {name} {_entries(entries)}{' by name' if by_name else ''}"
        case UnblockAddresses(name, entries):
            return f"unblock {name} {_entries(entries)}"
        case Announce(name, entries, rounds):
            return f"announce {name} {_entries(entries)} x{rounds}"
        case AnnounceSource(name, address):
            return f"announce {name} its own {address}"
        case CancelAnnouncements(name):
            return f"cancel {name}"
        case NotifyInstance(name, word, priority):
            return f"notify {name} {word} {priority}"
        case NotifyGroup(name, word):
            return f"notify group {name} {word}"
        case ReplaceRouters(kept, added):
            words = [f"{old}>{new.name}" if old != new.name else old for old, new in kept]
            return " ".join(("routers", *words, *(f"+{instance.name}" for instance in added)))


def _entries(entries: tuple[AddressEntry, ...]) -> str:
    return ",".join(f"{entry.address}@{entry.dev}" for entry in entries)


# --- configurations -------------------------------------------------------------------------------------------------


def make_instance(name: str, **options: str) -> VrrpInstance:
    """An instance by keywords as text; interface eth0, VRID 51 and the address 10.0.0.100/24 unless given."""
    options = {"interface": "eth0", "virtual_router_id": "51", "virtual_ipaddress": "10.0.0.100/24"} | options
    values: dict[str, Any] = {word: _value(VrrpInstance, word, text) for word, text in options.items()}
    for word in ("virtual_ipaddress", "virtual_ipaddress_excluded"):
        values[word] = tuple(
            dataclasses.replace(entry, dev=entry.dev or values["interface"]) for entry in values.get(word, ())
        )
    if any(entry.address.version == 6 for entry in values["virtual_ipaddress"]):
        values.setdefault("version", 3)
        values |= {"family": 10, "mcast_group": ip_address("ff02::12")}
    return VrrpInstance(name=name, **values)


def _options(words: list[str]) -> dict[str, str]:
    return {word.partition("=")[0]: word.partition("=")[2] for word in words}


def _value(cls: type, word: str, written: str) -> Any:
    known = {each.name: each for each in dataclasses.fields(cls)}[word]
    if word in {"virtual_ipaddress", "virtual_ipaddress_excluded"}:
        return tuple(_entry(part) for part in written.split(",") if part)
    if word == "unicast_peer":
        return tuple(UnicastPeer(ip_address(part)) for part in written.split(","))
    if word in _TRACKS:
        return tuple(_track(word, part) for part in written.split(","))
    if word == "group":
        return tuple(written.split(","))
    if word == "script" or (word.startswith("notify") and "Script" in str(known.type)):
        return Script((written,))
    if word in {"unicast_src_ip", "mcast_src_ip", "mcast_group"}:
        return ip_address(written)
    if word in _TIMES:
        return _nanoseconds(written)
    if word == "auth_pass":
        return written.encode()
    if word == "interface":
        return written
    if not written or written in {"yes", "no"}:
        return written != "no"
    return int(written) if written.lstrip("-").isdigit() else written


def _entry(written: str) -> AddressEntry:
    """``10.0.0.100/24``, ``10.0.0.100/24@eth1``, ``10.0.0.100/24!`` (no_track)."""
    no_track = written.endswith("!")
    where, _, dev = written.rstrip("!").partition("@")
    interface = ip_interface(where)
    return AddressEntry(interface.ip, interface.network.prefixlen, dev or None, no_track=no_track)


_TRACKS: dict[str, Callable[..., Any]] = {
    "track_interface": TrackInterface,
    "track_script": TrackScript,
    "track_file": TrackFile,
    "track_process": TrackProcess,
    "track_bfd": TrackBfd,
}


def _track(word: str, written: str) -> Any:
    """``eth1``, ``eth1:-20``, ``eth1:-20:reverse``."""
    name, *more = written.split(":")
    return _TRACKS[word](name, int(more[0]) if more else 0, reverse="reverse" in more)


def _add_instance(configuration: Configuration, words: list[str]) -> Configuration:
    instance = make_instance(words[1], **_options(words[2:]))
    return dataclasses.replace(configuration, vrrp_instance=(*configuration.vrrp_instance, instance))


def _add_group(configuration: Configuration, words: list[str]) -> Configuration:
    values = {word: _value(VrrpSyncGroup, word, text) for word, text in _options(words[2:]).items()}
    group = VrrpSyncGroup(name=words[1], **values)
    return dataclasses.replace(configuration, vrrp_sync_group=(*configuration.vrrp_sync_group, group))


def _add_script(configuration: Configuration, words: list[str]) -> Configuration:
    values = {word: _value(VrrpScript, word, text) for word, text in _options(words[2:]).items()}
    values.setdefault("script", Script((f"/{words[1]}",)))
    script = VrrpScript(name=words[1], **values)
    return dataclasses.replace(configuration, vrrp_script=(*configuration.vrrp_script, script))


def _set_global(configuration: Configuration, words: list[str]) -> Configuration:
    values = {word: _value(GlobalDefs, word, text) for word, text in _options(words[1:]).items()}
    return dataclasses.replace(configuration, global_defs=GlobalDefs(**values))


_MAKERS: dict[str, Callable[[Configuration, list[str]], Configuration]] = {
    "instance": _add_instance,
    "group": _add_group,
    "vrrp_script": _add_script,
    "global_defs": _set_global,
}


def make_configuration(*lines: str) -> Configuration:
    """A configuration from lines as in a scenario."""
    configuration = Configuration()
    for line in lines:
        words = line.split()
        configuration = _MAKERS[words[0]](configuration, words)
    return configuration
