"""``--resolved`` and ``--diff``: what a file means on this node, and what a reload would do. Nothing is started."""

import dataclasses
import json
import sys
from typing import Any

from pykeepalived.cli.config_file import Failed, read, report
from pykeepalived.cli.screen import GREEN, RED, YELLOW, coloured, colours
from pykeepalived.config.as_json import as_json
from pykeepalived.config.difference import difference, lines
from pykeepalived.config.dump import dump
from pykeepalived.daemon.reading import account_names
from pykeepalived.daemon.settings import Settings

SAME, DIFFERENT, UNUSABLE = 0, 1, 2
"""The status of --diff, as that of diff(1)."""
_COLOURS = {"added": GREEN, "removed": RED, "changed": YELLOW}


def run(settings: Settings) -> int:
    """The exit status: of --resolved that of -t, of --diff 0, 1 or 2."""
    try:
        return _diff(settings, *settings.diff) if settings.diff is not None else _resolved(settings)
    except Failed as failed:
        print(f"error: {failed}", file=sys.stderr)
        return failed.status if settings.diff is None else UNUSABLE


def _resolved(settings: Settings) -> int:
    loaded = read(settings)
    report(loaded, sys.stderr)
    names = account_names()
    if settings.output == "json":
        print(json.dumps(as_json(loaded.configuration, names), indent=2))
    elif not loaded.fatal or loaded.files:
        data = f"# {settings.use_file} as this node gets it\n{dump(loaded.configuration, names)}"
        sys.stdout.buffer.write(data.encode("utf-8", "surrogateescape"))
    return loaded.exit_code


def _diff(settings: Settings, old: str, new: str) -> int:
    before = read(dataclasses.replace(settings, use_file=old))
    after = read(dataclasses.replace(settings, use_file=new))
    for loaded in (before, after):
        if loaded.files:
            report(loaded, sys.stderr)
        else:
            print(f"error: {loaded.diagnostics[0].message}", file=sys.stderr)
    for file, loaded in ((old, before), (new, after)):
        if loaded.fatal:
            print(f"error: {file} cannot be used: a start or a reload with it is refused", file=sys.stderr)
            return UNUSABLE
    found = lines(difference(before.configuration, after.configuration))
    changes = [_change(line) for line in found]
    if settings.output == "json":
        print(json.dumps({"old": old, "new": new, "same": not found, "changes": changes}, indent=2))
    else:
        colour = colours(sys.stdout)
        for line, change in zip(found, changes, strict=True):
            print(coloured(line, _COLOURS[change["change"]], on=colour))
        if not found:
            print("no difference: a reload would change nothing")
    return DIFFERENT if found else SAME


def _change(line: str) -> dict[str, Any]:
    """A line of the difference, taken apart."""
    what, _, told = line.partition(": ")
    kind = told if told in ("added", "removed") else "changed"
    return {"object": what, "change": kind, "keywords": told if kind == "changed" else None}
