"""Advice on gratuitous ARP and unsolicited neighbour advertisements."""

from collections.abc import Iterator

from pykeepalived.config.diagnostics import Diagnostic
from pykeepalived.config.lint.view import View, advice
from pykeepalived.units import SECOND

MOST_A_SECOND = 100
MOST_IN_A_BURST = 5000


def announcement_flood(view: View) -> Iterator[Diagnostic]:
    """Switches and routers learn from every announcement: thousands in a moment are dropped, or worse, handled."""
    for instance in view.configuration.vrrp_instance:
        raw = view.block("vrrp_instance", instance.name)
        addresses = len(instance.virtual_ipaddress) + len(instance.virtual_ipaddress_excluded)
        burst = addresses * instance.garp_master_repeat
        if burst > MOST_IN_A_BURST:
            yield advice(
                "announcement-flood",
                f"({instance.name}) becoming MASTER sends {burst} announcements at once: {addresses} addresses, "
                f"{instance.garp_master_repeat} times each",
                raw.span("garp_master_repeat", 1),
                "lower garp_master_repeat, or set vrrp_garp_interval",
            )
        if not instance.garp_master_refresh:
            continue
        rate = addresses * instance.garp_master_refresh_repeat * SECOND // instance.garp_master_refresh
        if rate > MOST_A_SECOND:
            yield advice(
                "announcement-flood",
                f"({instance.name}) repeats {rate} announcements a second for as long as it is MASTER",
                raw.span("garp_master_refresh", 1),
                "raise garp_master_refresh: 60 is enough for any switch",
            )
