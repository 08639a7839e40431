"""What an instance counts; keepalived.stats and the JSON dump print it."""

from dataclasses import dataclass, field

from pykeepalived.wire.vrrp import Reason


@dataclass(slots=True)
class Statistics:
    """Counters of one instance since its start."""

    advert_rcvd: int = 0
    advert_sent: int = 0
    become_master: int = 0
    release_master: int = 0
    pri_zero_rcvd: int = 0
    pri_zero_sent: int = 0
    errors: dict[Reason, int] = field(default_factory=dict)

    @property
    def addr_list_err(self) -> int:
        """Adverts with other addresses, or another number of them, than ours."""
        return self.errors.get(Reason.ADDRESSES, 0) + self.errors.get(Reason.COUNT, 0)

    @property
    def auth_failure(self) -> int:
        """Adverts with a wrong password, or refused by what their authentication header says."""
        return self.errors.get(Reason.PASSWORD, 0) + self.errors.get(Reason.SEQUENCE, 0)

    def count(self, reason: Reason) -> None:
        """One more packet with this fault."""
        self.errors[reason] = self.errors.get(reason, 0) + 1
