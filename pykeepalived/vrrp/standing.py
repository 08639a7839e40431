"""How one instance stands in the election: its effective priority, and the intervals that follow from it."""

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.vrrp.timers import master_down_interval, skew_time
from pykeepalived.vrrp.tracking import Tracked, effective_priority
from pykeepalived.wire.vrrp import OWNER


class Standing:
    """Settings, and what the trackers make of the priority. ``yields``: an owner gives way to another one."""

    __slots__ = ("_interval", "_wait", "contributions", "instance", "priority", "tracked", "yields")

    def __init__(self, instance: VrrpInstance) -> None:
        self.instance = instance
        self.tracked: tuple[Tracked, ...] = ()
        self.contributions: dict[Tracked, int] = {}
        self.yields = False
        self.take(instance.priority)

    def take(self, priority: int) -> None:
        """Have this effective priority from now on."""
        self.priority = priority
        self._interval = -1  # master_down_interval was worked out for this interval, as it comes with each advert
        self._wait = 0

    def configure(self, instance: VrrpInstance) -> None:
        """Take new settings; the priority stays until it is worked out again."""
        self.instance = instance
        self._interval = -1
        self.yields = self.yields and instance.priority == OWNER

    def weigh(self, tracked: Tracked, contribution: int) -> None:
        """A tracker's share of the priority is another."""
        if contribution:
            self.contributions[tracked] = contribution
        else:
            self.contributions.pop(tracked, None)

    def worked_out(self) -> int:
        """The effective priority as it should be."""
        if self.yields:
            return OWNER - 1
        return effective_priority(self.instance.priority, sum(self.contributions.values()))

    def give_up_ownership(self) -> None:
        """Yield to another owner."""
        self.yields = True
        self.take(self.worked_out())

    def down_interval(self, advert_interval: int) -> int:
        """master_down_interval for a master's interval."""
        if advert_interval != self._interval:
            instance, priority = self.instance, self._skew_priority()
            self._interval = advert_interval
            self._wait = master_down_interval(instance.version, priority, advert_interval, instance.down_timer_adverts)
        return self._wait

    def skew_time(self, advert_interval: int) -> int:
        """The shorter wait, after a master that gave up."""
        return skew_time(self.instance.version, self._skew_priority(), advert_interval)

    def shortest_wait(self) -> int:
        """One interval and the shortest skew there is, for who is expected to be MASTER."""
        instance = self.instance
        return instance.advert_int + skew_time(instance.version, OWNER, instance.advert_int)

    def expires_at(self, advert_at: int) -> int:
        """When a peer may have taken over from a MASTER whose advert was due at ``advert_at`` (timer_expired_backup):
        three intervals and the skew after its last one.
        """
        instance = self.instance
        skew = skew_time(instance.version, instance.timer_expired_backup, instance.advert_int)
        return advert_at + 2 * instance.advert_int + skew

    def _skew_priority(self) -> int:
        """An owner that yields is as quick as ever."""
        return OWNER if self.instance.priority == OWNER else self.priority
