"""When a MASTER announces its addresses (behaviour 1.7), and which ones on further links."""

from dataclasses import replace

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.vrrp import carried
from pykeepalived.vrrp.effects import Announce, Effect
from pykeepalived.vrrp.states import Duties


def planned(instance: VrrpInstance, now: int) -> Duties:
    """What is still to be announced by who has become MASTER: a second burst, then whatever comes again and again."""
    delay, refresh, extra = instance.garp_master_delay, instance.garp_master_refresh, instance.garp_extra_if.interval
    return Duties(
        announce_at=now + delay if delay and instance.garp_master_repeat else None,
        refresh_at=now + delay + refresh if refresh and instance.garp_master_refresh_repeat else None,
        extra_at=now + extra if extra and on_further_links(instance) else None,
    )


def announce(instance: VrrpInstance, rounds: int, effects: list[Effect]) -> None:
    """A burst: all addresses, so many times."""
    entries = carried.addresses(instance)
    if rounds and entries:
        effects.append(Announce(instance.name, entries, rounds))


def announce_due(instance: VrrpInstance, duties: Duties, now: int, effects: list[Effect]) -> Duties:
    """Announce what is due, and say what is due then."""
    if duties.announce_at is not None and now >= duties.announce_at:
        announce(instance, instance.garp_master_repeat, effects)
        duties = replace(duties, announce_at=None)
    if duties.refresh_at is not None and now >= duties.refresh_at:
        announce(instance, instance.garp_master_refresh_repeat, effects)
        duties = replace(duties, refresh_at=again(duties.refresh_at, instance.garp_master_refresh, now))
    if duties.extra_at is not None and now >= duties.extra_at:
        if further := on_further_links(instance):
            effects.append(Announce(instance.name, further, 1))
        duties = replace(duties, extra_at=again(duties.extra_at, instance.garp_extra_if.interval, now))
    if duties.lower_prio_announce_at is not None and now >= duties.lower_prio_announce_at:
        announce(instance, instance.garp_lower_prio_repeat, effects)
        duties = replace(duties, lower_prio_announce_at=None)
    return duties


def take_back(instance: VrrpInstance, duties: Duties, now: int, effects: list[Effect]) -> Duties:
    """Another MASTER that must yield was heard: a burst now, and one after garp_lower_prio_delay."""
    announce(instance, instance.garp_lower_prio_repeat, effects)
    if not instance.garp_lower_prio_repeat or not instance.garp_lower_prio_delay:
        return duties
    return replace(duties, lower_prio_announce_at=now + instance.garp_lower_prio_delay)


def on_further_links(instance: VrrpInstance) -> tuple[AddressEntry, ...]:
    """One address on each link that no advert of ours leaves from: garp_extra_if keeps the switches there informed."""
    extra = instance.garp_extra_if
    first: dict[str | None, AddressEntry] = {}
    for entry in carried.addresses(instance):
        if entry.dev != instance.exchange_interface and (extra.everywhere or entry.use_vmac):
            first.setdefault(entry.dev, entry)
    return tuple(first.values())


def again(due_at: int, period: int, now: int) -> int | None:
    """When something periodic is due next: from the due time, so that nothing drifts; never twice for one stall."""
    in_time = due_at + period
    return None if not period else in_time if in_time > now else now + period


def replanned(duties: Duties, former: VrrpInstance, instance: VrrpInstance, now: int) -> Duties:
    """After a reload: what comes again and again follows the new settings, if they have changed."""
    fresh = planned(instance, now)
    if _refresh(former) != _refresh(instance):
        duties = replace(duties, refresh_at=fresh.refresh_at)
    if _extra(former) != _extra(instance):
        duties = replace(duties, extra_at=fresh.extra_at)
    return duties


def _refresh(instance: VrrpInstance) -> tuple[int, int]:
    return instance.garp_master_refresh, instance.garp_master_refresh_repeat


def _extra(instance: VrrpInstance) -> tuple[int, bool]:
    return instance.garp_extra_if.interval, bool(on_further_links(instance))
