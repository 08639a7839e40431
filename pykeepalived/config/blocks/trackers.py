"""What an instance or a group follows, with the weight already resolved. Weight 0: a failure is a fault."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrackInterface:
    """An interface followed."""

    name: str
    weight: int = 0
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class TrackScript:
    """A vrrp_script followed."""

    name: str
    weight: int = 0
    reverse: bool = False
