"""The ``pykeepalived`` command."""

import os
import sys
from collections.abc import Sequence

from pykeepalived.cli import options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit status."""
    try:
        settings = options.parse(sys.argv[1:] if arguments is None else arguments)
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
    if settings.config_test:
        from pykeepalived.cli import config_test  # noqa: PLC0415 - the daemon does not need it

        return config_test.run(settings)
    from pykeepalived.daemon import start  # noqa: PLC0415 - nor does a test need the daemon

    return start.run(settings, os.environ)


def _signum(name: str) -> int:
    number = options.SIGNAL_NUMBERS.get(name)
    if number is None:
        print(f"Unknown sigfunc {name}", file=sys.stderr)
        return 1
    print(number)
    return 0
