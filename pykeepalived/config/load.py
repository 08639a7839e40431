"""Reads a file into a Configuration: the whole chain from the path to resolved values, and all that is wrong."""

from dataclasses import dataclass

from pykeepalived.config.configuration import Configuration
from pykeepalived.config.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What the command line says about reading."""

    config_id: str = ""
    """Empty: the host name up to its first dot."""
    all_config: bool = False
    """``-e``: every include must be there."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a file."""

    configuration: Configuration
    diagnostics: tuple[Diagnostic, ...]
    exit_code: int
    """What the test mode exits with."""
    not_effective: tuple[str, ...] = ()
    """Keywords known and not acted upon yet, each once, with its place."""
    fatal: bool = False
    """A start must be refused."""
