"""``--config-test``: read the configuration, say what is wrong with it, and leave. Nothing is started or changed."""

import sys
from typing import TextIO

from pykeepalived.config.diagnostics import Severity, render
from pykeepalived.config.load import Loaded
from pykeepalived.daemon.exit_status import EXIT_FATAL, EXIT_NO_MEMORY, EXIT_PROGRAM_ERROR
from pykeepalived.daemon.reading import load_configuration
from pykeepalived.daemon.settings import Settings
from pykeepalived.errors import PykeepalivedError


def run(settings: Settings) -> int:
    """The exit status is keepalived's: 0 sound, 4 file or interface, 5 any mistake, 6 a script's security."""
    if settings.config_test_file is None:
        return _test(settings, sys.stderr)
    try:
        with open(settings.config_test_file, "a", encoding="utf-8") as report:  # noqa: PTH123 - plain
            return _test(settings, report)
    except OSError as error:
        print(f"pykeepalived: cannot write {settings.config_test_file}: {error.strerror}", file=sys.stderr)
        return EXIT_FATAL


def _test(settings: Settings, report: TextIO) -> int:
    terminal = report.isatty()
    try:
        loaded = load_configuration(settings)
    except MemoryError:
        print("error: the configuration needs more memory than there is", file=report)
        return EXIT_NO_MEMORY
    except (PykeepalivedError, OSError) as error:
        print(f"error: {error}", file=report)
        return EXIT_FATAL
    except Exception as error:  # noqa: BLE001 - a fault of ours must look like one, not like a verdict
        print(f"error: program error while reading the configuration: {type(error).__name__}: {error}", file=report)
        return EXIT_PROGRAM_ERROR
    for diagnostic in loaded.diagnostics:
        print(render(diagnostic, terminal), file=report)
    for word in loaded.not_effective:
        print(f"note: {word}: not effective yet in pykeepalived", file=report)
    if terminal:
        print(summary(settings.use_file, loaded), file=report)
    return loaded.exit_code


def summary(file: str, loaded: Loaded) -> str:
    """The last line for a person."""
    count = dict.fromkeys(Severity, 0)
    for diagnostic in loaded.diagnostics:
        count[diagnostic.severity] += 1
    configuration = loaded.configuration
    found = [
        _counted(number, word)
        for number, word in ((count[Severity.ERROR], "error"), (count[Severity.WARNING], "warning"))
        if number
    ]
    if loaded.not_effective:
        found.append(_counted(len(loaded.not_effective), "keyword") + " without effect yet")
    holds = [
        _counted(len(items), word)
        for items, word in (
            (configuration.vrrp_instance, "VRRP instance"),
            (configuration.virtual_server, "virtual server"),
        )
        if items
    ]
    verdict = "sound" if loaded.exit_code == 0 else f"not sound (exit status {loaded.exit_code})"
    return f"{file}: {verdict}: {', '.join(found) or 'no mistakes'}; {' and '.join(holds) or 'nothing to run'}"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
