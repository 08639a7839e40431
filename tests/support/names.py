"""Names of a checker's servers that stand as they are."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Names:
    """As ``checkers.probe.Names`` wants them."""

    target: str
    real_server: str
    virtual_server: str
