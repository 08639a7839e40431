"""What the checks of a process believe, for the process that takes over from it when it dies: else dead servers would
come back into the table, and living ones with alpha would leave it, until each was checked again.

Kept is what is something else than before a first check. Of all others it is known that this is so: their servers have
their retries before a failure is believed.
"""

from collections.abc import Iterable, Mapping

from pykeepalived.daemon.keepsake import Keepsake
from pykeepalived.daemon.served import Kept, Served

_NAME = "beliefs"


class Beliefs:
    """``keep`` now and then; ``of`` tells at the start what was kept."""

    def __init__(self, keepsake: Keepsake) -> None:
        self._keepsake = keepsake

    def of(self, virtual_server: str) -> Mapping[str, Kept] | None:
        """Of the checks of a virtual server, by their places; None where nothing was kept of any."""
        found = self._keepsake.get(_NAME)
        return None if found is None else dict(map(_kept, found.get(virtual_server, "").split()))

    def keep(self, all_served: Iterable[Served]) -> None:
        """A word for each, for lists would take ten times the memory."""
        found = ((served.core.name, " ".join(map(_word, served.believed_otherwise()))) for served in all_served)
        self._keepsake.keep(_NAME, {name: words for name, words in found if words})


def _word(found: tuple[str, Kept]) -> str:
    place, kept = found
    return f"{place}{'+' if kept.up else '-'}{kept.status or ''}"


def _kept(word: str) -> tuple[str, Kept]:
    up = "+" in word
    place, _, status = word.partition("+" if up else "-")
    return place, Kept(up, int(status or 0))
