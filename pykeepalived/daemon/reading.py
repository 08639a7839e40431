"""Reads the configuration of this machine: the parser, the Linux surroundings and the command line's wishes meet."""

import gc

from pykeepalived.config.kept import Memory
from pykeepalived.config.load import Loaded, LoadOptions, load
from pykeepalived.config.surroundings import AccountNames
from pykeepalived.daemon.settings import Settings
from pykeepalived.kernel.surroundings import LinuxSurroundings


def account_names() -> AccountNames:
    """Users and groups of this machine, by number."""
    return LinuxSurroundings()


def load_configuration(settings: Settings, memory: Memory | None = None) -> Loaded:
    """Read the file, in this very process: one that names a network namespace leads the process there.

    ``memory`` is what the reading before has left.

    Reading makes many values and no cycles: looking for garbage meanwhile would cost as much as the reading itself.
    """
    options = LoadOptions(
        config_id=settings.config_id or "",
        all_config=settings.all_config,
        lint=settings.config_test and not settings.no_lint,
        peers=settings.peer,
    )
    enabled = gc.isenabled()
    gc.disable()
    try:
        return load(settings.use_file, LinuxSurroundings(), options, memory)
    finally:
        if enabled:
            gc.enable()
