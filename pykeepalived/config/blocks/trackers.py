"""What an instance or a group follows, with the weight already resolved. Weight 0: a failure is a fault."""

from pykeepalived.config.kinds import Flag, Integer, word_text
from pykeepalived.config.kinds_trackers import FILE_WEIGHT, TRACK_WEIGHT
from pykeepalived.config.schema import entry, keyword
from pykeepalived.records import record


def _weight(limit: int = TRACK_WEIGHT, words: str = "reverse|noreverse") -> int:
    weight: int = keyword(
        Integer(-limit, limit),
        default=0,
        arguments=f"INT [{words}]",
        doc="What it adds to the priority while up, or takes from it while down; 0 means that a failure is a fault.",
    )
    return weight


def _reverse(negated: str = "noreverse") -> bool:
    reverse: bool = keyword(Flag(), default=False, negated=negated, listed=False, doc="Turns the weight's sign.")
    return reverse


def _text(name: str, weight: int, *, reverse: bool, otherwise: str = " noreverse") -> str:
    """All is said, for what is left out is taken from the definition."""
    return f"{word_text(name)} weight {weight}{' reverse' if reverse else otherwise}"


@entry("track_interface", subject={})
@record(frozen=True, slots=True)
class TrackInterface:
    """An interface followed."""

    name: str
    weight: int = _weight(words="reverse")
    reverse: bool = _reverse(negated="")

    def entry_text(self) -> str:
        """As a line of the file."""
        if not self.weight and not self.reverse:
            return word_text(self.name)
        return _text(self.name, self.weight, reverse=self.reverse, otherwise="")


@entry("track_script", subject={})
@record(frozen=True, slots=True)
class TrackScript:
    """A vrrp_script followed."""

    name: str
    weight: int = _weight()
    reverse: bool = _reverse()

    def entry_text(self) -> str:
        """As a line of the file."""
        return _text(self.name, self.weight, reverse=self.reverse)


@entry("track_file", subject={})
@record(frozen=True, slots=True)
class TrackFile:
    """A track_file followed. Weight 0: a number other than 0 is a fault."""

    name: str
    weight: int = _weight(FILE_WEIGHT)
    reverse: bool = _reverse()

    def entry_text(self) -> str:
        """As a line of the file."""
        return _text(self.name, self.weight, reverse=self.reverse)


@entry("track_process", subject={})
@record(frozen=True, slots=True)
class TrackProcess:
    """A vrrp_track_process followed."""

    name: str
    weight: int = _weight(FILE_WEIGHT)
    reverse: bool = _reverse()

    def entry_text(self) -> str:
        """As a line of the file."""
        return _text(self.name, self.weight, reverse=self.reverse)


@entry("track_bfd", subject={})
@record(frozen=True, slots=True)
class TrackBfd:
    """A bfd_instance followed."""

    name: str
    weight: int = _weight()
    reverse: bool = _reverse()

    def entry_text(self) -> str:
        """As a line of the file."""
        return _text(self.name, self.weight, reverse=self.reverse)
