"""Two hosts that both own the addresses (priority 255), which is a mistake in a file.

The one with the lower address is to yield. It is given two adverts of ours, and a little more than an interval to hear
them; if it goes on even so, we yield.
"""

from dataclasses import dataclass

_ADVERTS_GIVEN = 2


@dataclass(frozen=True, slots=True)
class Rogue:
    """The other owner, with a lower address than ours."""

    advert_interval: int
    """The longer of its and ours."""
    adverts_left: int = _ADVERTS_GIVEN
    """How many of our own adverts it is still given."""
    until: int | None = None
    """It is on trial: an owner's advert before then makes us yield."""

    def heard_us(self, now: int) -> "Rogue":
        """One more advert of ours went out; after enough of them it is on trial."""
        if self.until is not None:
            return self
        left = self.adverts_left - 1
        return Rogue(self.advert_interval, left, now + self.advert_interval * 12 // 10 if left <= 0 else None)

    def goes_on(self, now: int) -> bool:
        """Whether an advert heard now means that it does not yield."""
        return self.until is not None and now < self.until

    def gone(self, now: int) -> bool:
        """Whether it has passed its trial in silence."""
        return self.until is not None and now >= self.until
