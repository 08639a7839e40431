"""Reading a file for the operator's commands, and telling what is wrong with it."""

from typing import TextIO

from pykeepalived.cli.screen import colours
from pykeepalived.config.diagnostics import render
from pykeepalived.config.load import Loaded
from pykeepalived.daemon.exit_status import EXIT_FATAL, EXIT_NO_MEMORY, EXIT_PROGRAM_ERROR
from pykeepalived.daemon.reading import load_configuration
from pykeepalived.daemon.settings import Settings
from pykeepalived.errors import PykeepalivedError


class Failed(PykeepalivedError):  # noqa: N818 - what became of the reading
    """The file could not be read to its end; ``status`` is what to exit with."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def read(settings: Settings) -> Loaded:
    """The file, loaded, or Failed."""
    try:
        return load_configuration(settings)
    except MemoryError:
        raise Failed("the configuration needs more memory than there is", EXIT_NO_MEMORY) from None
    except (PykeepalivedError, OSError) as error:
        raise Failed(str(error), EXIT_FATAL) from None
    except Exception as error:  # a fault of ours must look like one, not like a verdict
        message = f"program error while reading the configuration: {type(error).__name__}: {error}"
        raise Failed(message, EXIT_PROGRAM_ERROR) from error


def report(loaded: Loaded, stream: TextIO) -> None:
    """Everything that is to be said about a file, for people."""
    colour = colours(stream)
    for diagnostic in loaded.diagnostics:
        print(render(diagnostic, colour), file=stream)
    for word in loaded.not_effective:
        print(f"note: {word}: not effective yet in pykeepalived", file=stream)
