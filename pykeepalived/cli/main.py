"""The ``pykeepalived`` command."""

import os
import sys
from collections.abc import Sequence

from pykeepalived import seldom

seldom.stand_in()
from pykeepalived.cli import options  # noqa: E402 - which imports dataclasses
from pykeepalived.daemon.settings import Settings  # noqa: E402 - likewise


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] in (["-T"], ["--genhash"]):  # keepalived's, where it must come first as well
        from pykeepalived.cli import genhash  # noqa: PLC0415 - another program

        return genhash.main(words[1:])
    try:
        settings = options.parse(words)
    except options.UsageError as error:
        print(f"pykeepalived: {error}\nTry 'pykeepalived --help'.", file=sys.stderr)
        return 1
    if settings.help:
        print(options.help_text())
        return 0
    if settings.version:
        print(options.version_text())
        return 0
    if settings.signum is not None:
        return _signum(settings.signum)
    if (status := _question(settings)) is not None:
        return status
    from pykeepalived.daemon import start  # noqa: PLC0415 - nor does a test need the daemon

    return start.run(settings, os.environ)


def _question(settings: Settings) -> int | None:
    """Answers what starts no daemon; None when a daemon is wanted. The daemon needs none of these modules."""
    try:
        if settings.explain is not None or settings.list_keywords:
            from pykeepalived.cli import keywords  # noqa: PLC0415 - as said

            status = keywords.run(settings)
        elif settings.resolved or settings.diff is not None:
            from pykeepalived.cli import questions  # noqa: PLC0415 - likewise

            status = questions.run(settings)
        elif settings.config_test:
            from pykeepalived.cli import config_test  # noqa: PLC0415 - likewise

            return config_test.run(settings)
        else:
            return None
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough: | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13
    return status


def _signum(name: str) -> int:
    number = options.SIGNAL_NUMBERS.get(name)
    if number is None:
        print(f"Unknown sigfunc {name}", file=sys.stderr)
        return 1
    print(number)
    return 0
