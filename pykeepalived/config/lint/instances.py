"""Advice on one instance by itself: priorities, weights, addresses, names."""

import re
from collections.abc import Iterator
from ipaddress import ip_interface
from typing import cast

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.trackers import TrackBfd, TrackFile, TrackInterface, TrackProcess, TrackScript
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.diagnostics import Diagnostic, Span
from pykeepalived.config.lint.view import View, advice
from pykeepalived.config.raw import EntryGiven, Raw

OWNER = 255
HIGHEST = 254
LOWEST = 1
_OWN_INTERFACE = re.compile(r"vrrp6?\.[0-9]+")


def weights(instance: VrrpInstance) -> list[int]:
    """The weights of everything it tracks, where they are not 0; one that is reversed with its sign turned."""
    trackers: tuple[TrackInterface | TrackScript | TrackProcess | TrackBfd | TrackFile, ...] = (
        *instance.track_interface,
        *instance.track_script,
        *instance.track_process,
        *instance.track_bfd,
        *instance.track_file,
    )
    return [-each.weight if each.reverse else each.weight for each in trackers if each.weight]


def bounds(instance: VrrpInstance) -> tuple[int, int]:
    """The lowest and the highest effective priority that the trackers can bring about, before they are cut."""
    if any(each.weight for each in instance.track_file):
        return LOWEST, HIGHEST  # a file may hold any number
    moved = weights(instance)
    return (
        instance.priority + sum(each for each in moved if each < 0),
        instance.priority + sum(each for each in moved if each > 0),
    )


def owner_by_state(view: View) -> Iterator[Diagnostic]:
    """State MASTER without a priority means priority 255: the owner of the addresses, who never gives way."""
    for instance in view.configuration.vrrp_instance:
        raw = view.block("vrrp_instance", instance.name)
        if instance.priority == OWNER and "priority" not in raw.said and "state" in raw.given:
            yield advice(
                "owner-by-state",
                f"({instance.name}) state MASTER without a priority makes it {OWNER}, that of the addresses' owner",
                raw.span("state"),
                "add a line: priority N, higher than on the other routers; state MASTER is then of little use",
            )


def nopreempt_weight(view: View) -> Iterator[Diagnostic]:
    """A router that does not preempt leaves a MASTER alone, however low the weights bring its priority."""
    for instance in view.configuration.vrrp_instance:
        if not instance.nopreempt or not weights(instance):
            continue
        yield advice(
            "nopreempt-weight",
            f"({instance.name}) nopreempt and trackers with weights: a lower priority makes no other router take over",
            view.block("vrrp_instance", instance.name).span("nopreempt"),
            "track without weights, so that a failure is a fault, or remove nopreempt on every router",
        )


def weight_cut(view: View) -> Iterator[Diagnostic]:
    """An effective priority stays within 1 to 254: what weights add beyond is lost."""
    for instance in view.configuration.vrrp_instance:
        if instance.priority == OWNER:
            continue
        lowest, highest = bounds(instance)
        if lowest >= LOWEST and highest <= HIGHEST:
            continue
        beyond = f"{highest} is cut to {HIGHEST}" if highest > HIGHEST else f"{lowest} is cut to {LOWEST}"
        yield advice(
            "weight-cut",
            f"({instance.name}) weights bring the priority {instance.priority} out of range: {beyond}",
            view.block("vrrp_instance", instance.name).span("priority", 1),
            "choose a priority with room for the weights",
        )


def prefix_route(view: View) -> Iterator[Diagnostic]:
    """An address with a short prefix brings a route to its whole network, there only while MASTER."""
    interfaces = view.surroundings.addresses(view.configuration.global_defs.net_namespace)
    for instance in view.configuration.vrrp_instance:
        raw = view.block("vrrp_instance", instance.name)
        for entry in (*instance.virtual_ipaddress, *instance.virtual_ipaddress_excluded):
            dev = entry.dev or instance.interface
            if dev is None or not interfaces.get(dev) or entry.noprefixroute or entry.peer is not None:
                continue
            network = ip_interface(f"{entry.address}/{entry.prefix_length}").network
            if network.prefixlen == network.max_prefixlen or entry.address.is_link_local:
                continue
            if any(entry.address in ip_interface(each).network for each in interfaces[dev]):
                continue
            yield advice(
                "prefix-route",
                f"({instance.name}) {entry} brings a route to {network} through {dev}, which has no other "
                "address there",
                _line(raw, entry),
                f"write {entry.address}/{network.max_prefixlen}, unless the route is wanted",
            )


def _line(raw: Raw, entry: AddressEntry) -> Span:
    """Where an address of an instance stands."""
    for keyword in ("virtual_ipaddress", "virtual_ipaddress_excluded"):
        given = raw.given.get(keyword)
        for line in given.value if given is not None else ():
            if line.subject.partition("/")[0] == str(entry.address):
                return cast("EntryGiven", line).span()
    return raw.span("virtual_ipaddress")


def foreign_label(view: View) -> Iterator[Diagnostic]:
    """Old programs such as ifconfig show an address only when its label begins with its interface."""
    for instance in view.configuration.vrrp_instance:
        for entry in (*instance.virtual_ipaddress, *instance.virtual_ipaddress_excluded):
            dev = entry.dev or instance.interface
            if entry.label is None or dev is None or entry.label == dev or entry.label.startswith(f"{dev}:"):
                continue
            yield advice(
                "foreign-label",
                f"({instance.name}) the label {entry.label} of {entry} does not begin with {dev}:",
                _line(view.block("vrrp_instance", instance.name), entry),
                f"write label {dev}:NAME; ifconfig does not show the address otherwise",
            )


def reserved_name(view: View) -> Iterator[Diagnostic]:
    """Names of interfaces that are made for a VMAC, and names with blanks, which scripts take for several words."""
    for instance in view.configuration.vrrp_instance:
        raw = view.block("vrrp_instance", instance.name)
        if instance.interface and _OWN_INTERFACE.fullmatch(instance.interface):
            yield advice(
                "reserved-name",
                f"({instance.name}) {instance.interface} is a name that is given to interfaces made for use_vmac",
                raw.span("interface", 1),
                "name the interface it stands on, and add use_vmac",
            )
    for keyword, named in (
        ("vrrp_instance", view.configuration.vrrp_instance),
        ("vrrp_sync_group", view.configuration.vrrp_sync_group),
    ):
        for each in named:
            if each.name.split() != [each.name]:
                yield advice(
                    "reserved-name",
                    f"the name '{each.name}' holds blanks: scripts may take it for several words",
                    view.block(keyword, each.name).span(word=1),
                    "write - or _ for the blank",
                )
