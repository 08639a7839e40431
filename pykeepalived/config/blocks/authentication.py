"""authentication and auth_hmac: how the adverts of a virtual router are proved to be genuine."""

from typing import Literal

from pykeepalived.config.kinds import Choice, Integer, Password, Timer
from pykeepalived.config.kinds_vrrp import HmacKey, HmacKeyKind
from pykeepalived.config.schema import Repeat, block, keyword
from pykeepalived.records import record
from pykeepalived.units import SECOND


@block("authentication")
@record(frozen=True, slots=True, kw_only=True)
class Authentication:
    """Authentication as version 2 has it. Version 3 and strict mode have none."""

    auth_type: str = keyword(
        Choice(("PASS", "AH")), default="", doc="PASS sends the password as it is, AH signs with it; AH is IPv4 only."
    )
    auth_pass: bytes = keyword(
        Password(), default=b"", doc="The shared password; 8 bytes of it count.", arguments="STRING"
    )


@block("auth_hmac", since="keepalived 2.4")
@record(frozen=True, slots=True, kw_only=True)
class AuthHmac:
    """Adverts signed with HMAC-SHA256, in versions 2 and 3."""

    key: tuple[HmacKey, ...] = keyword(
        HmacKeyKind(),
        default=(),
        repeat=Repeat.EACH,
        doc="A key and its number, 32 to 64 bytes. A file of it must be readable by its owner alone.",
    )
    active_key: int = keyword(
        Integer(1, 255), default=0, doc="The number of the key that signs; without one the block has no effect."
    )
    time_window: int = keyword(
        Timer("1", "300", places=0),
        default=0,
        doc="How far clocks may differ; if not given, 3 adverts long, and 5 s at least.",
    )
    anti_replay: Literal["time", "monotonic"] = keyword(
        Choice(("time", "monotonic")),
        default="time",
        doc="What unmasks an old advert: its time, or a sequence that only rises.",
    )
    mode: Literal["enforce", "permissive", "receive-only"] = keyword(
        Choice(("enforce", "permissive", "receive-only")),
        default="enforce",
        doc="permissive accepts unsigned adverts too; receive-only also sends none that are signed.",
    )

    def __str__(self) -> str:
        keys = " ".join(str(key.id) for key in self.key) or "none"
        window = f"{self.time_window // SECOND} s"
        return (
            f"keys {keys}, active_key {self.active_key}, time_window {window}, mode {self.mode}, "
            f"anti_replay {self.anti_replay}"
        )
