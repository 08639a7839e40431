"""What an instance or a group follows, with the weight already resolved. Weight 0: a failure is a fault."""

from dataclasses import dataclass

from pykeepalived.config.kinds import Flag, Integer
from pykeepalived.config.schema import entry, keyword

TRACK_WEIGHT = 253
FILE_WEIGHT = 254


def _weight(limit: int = TRACK_WEIGHT, *, noreverse: bool = True, effective: bool = True) -> int:
    words = "reverse|noreverse" if noreverse else "reverse"
    weight: int = keyword(
        Integer(-limit, limit),
        default=0,
        arguments=f"INT [{words}]",
        effective=effective,
        doc="What it adds to the priority while up, or takes from it while down; 0 means that a failure is a fault.",
    )
    return weight


def _reverse() -> bool:
    reverse: bool = keyword(Flag(), default=False, negated="noreverse", listed=False, doc="Turns the weight's sign.")
    return reverse


@entry("track_interface", subject={})
@dataclass(frozen=True, slots=True)
class TrackInterface:
    """An interface followed."""

    name: str
    weight: int = _weight(noreverse=False)
    reverse: bool = _reverse()


@entry("track_script", subject={})
@dataclass(frozen=True, slots=True)
class TrackScript:
    """A vrrp_script followed."""

    name: str
    weight: int = _weight()
    reverse: bool = _reverse()


@entry("track_file", subject={})
@dataclass(frozen=True, slots=True)
class TrackFile:
    """A track_file followed."""

    name: str
    weight: int = _weight(FILE_WEIGHT, effective=False)
    reverse: bool = _reverse()


@entry("track_process", subject={})
@dataclass(frozen=True, slots=True)
class TrackProcess:
    """A vrrp_track_process followed."""

    name: str
    weight: int = _weight(FILE_WEIGHT, effective=False)
    reverse: bool = _reverse()


@entry("track_bfd", subject={})
@dataclass(frozen=True, slots=True)
class TrackBfd:
    """A bfd_instance followed."""

    name: str
    weight: int = _weight(effective=False)
    reverse: bool = _reverse()
