"""Facts that a virtual server is told."""

from dataclasses import dataclass

from pykeepalived.ipvs_table import ServerKey


@dataclass(frozen=True, slots=True)
class CheckerJudged:
    """A checker of a real server has changed its mind, or (not ``changed``) confirmed at its first result what was
    assumed of the server.
    """

    server: ServerKey
    up: bool
    changed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CheckerWeighed:
    """A checker of a real server adds another amount to its weight: ``change`` more than before. ``silent``: not
    logged.
    """

    server: ServerKey
    change: int
    silent: bool = False


VirtualServerEvent = CheckerJudged | CheckerWeighed
