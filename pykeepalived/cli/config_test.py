"""``--config-test``: read the configuration, say what is wrong with it, and leave. Nothing is started or changed."""

import json
import sys
from typing import Any, TextIO

from pykeepalived.cli.config_file import Failed, read, report
from pykeepalived.config.diagnostics import Diagnostic, Severity, as_json
from pykeepalived.config.load import Loaded
from pykeepalived.daemon.exit_status import EXIT_FATAL
from pykeepalived.daemon.settings import Settings


def run(settings: Settings) -> int:
    """The exit status is keepalived's: 0 sound, 4 file or interface, 5 any mistake, 6 a script's security.

    What is said goes to standard error as keepalived's does, a JSON document to standard output; both to a file where
    one is named.
    """
    for peer in settings.peer:
        try:
            with open(peer, "rb"):  # noqa: PTH123 - plain
                pass
        except OSError as error:
            print(f"pykeepalived: cannot read {peer}: {error.strerror}", file=sys.stderr)
            return EXIT_FATAL
    if settings.config_test_file is None:
        return _test(settings, sys.stdout if settings.output == "json" else sys.stderr)
    try:
        with open(settings.config_test_file, "a", encoding="utf-8") as stream:  # noqa: PTH123 - plain
            return _test(settings, stream)
    except OSError as error:
        print(f"pykeepalived: cannot write {settings.config_test_file}: {error.strerror}", file=sys.stderr)
        return EXIT_FATAL


def _test(settings: Settings, stream: TextIO) -> int:
    try:
        loaded = read(settings)
    except Failed as failed:
        if settings.output == "json":
            finding = as_json(Diagnostic(Severity.ERROR, str(failed), fatal=True))
            unread = {"file": settings.use_file, "status": failed.status, "diagnostics": [finding], "not_effective": []}
            print(json.dumps(unread, indent=2), file=stream)
        else:
            print(f"error: {failed}", file=stream)
        return failed.status
    if settings.output == "json":
        print(json.dumps(document(settings.use_file, loaded), indent=2), file=stream)
        return loaded.exit_code
    report(loaded, stream)
    if stream.isatty():
        print(summary(settings.use_file, loaded), file=stream)
    return loaded.exit_code


def document(file: str, loaded: Loaded) -> dict[str, Any]:
    """The verdict for a program."""
    return {
        "file": file,
        "status": loaded.exit_code,
        "diagnostics": [as_json(each) for each in loaded.diagnostics],
        "not_effective": list(loaded.not_effective),
    }


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
