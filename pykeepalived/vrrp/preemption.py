"""Whether a BACKUP takes over from a master of lower priority, and when (nopreempt, preempt_delay)."""

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.vrrp import lines
from pykeepalived.vrrp.effects import Effect
from pykeepalived.wire.vrrp import OWNER


def never(instance: VrrpInstance) -> bool:
    """Whether any master may stay. An owner takes over all the same, and so does who is to start as MASTER."""
    return instance.nopreempt and instance.state != "MASTER" and instance.priority != OWNER


def left_alone_until(
    instance: VrrpInstance, ours: int, theirs: int, preempt_at: int | None, now: int, effects: list[Effect]
) -> int | None:
    """The end of the delay in which a master of that priority is left alone, None where there is no delay.

    ``preempt_at`` is what this said of the advert before.
    """
    if theirs >= ours or never(instance):
        if preempt_at is not None:
            effects.append(lines.detail(instance.name, "stop preempt delay"))
        return None
    if preempt_at is None and instance.preempt_delay > 0 and instance.state != "MASTER":
        effects.append(lines.preempt_delay_begins(instance.name, instance.preempt_delay))
        return now + instance.preempt_delay
    return preempt_at


def discards(instance: VrrpInstance, preempt_at: int | None, now: int) -> bool:
    """Whether adverts of a lower priority no longer count; ``preempt_at`` is the end of the delay."""
    return not never(instance) and (preempt_at is None or now >= preempt_at)
