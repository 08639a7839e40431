"""MISC_CHECK, FILE_CHECK and BFD_CHECK blocks as values: the program, file or session must be there."""

from typing import TYPE_CHECKING, Any

from pykeepalived.config.blocks.checkers import BfdCheck, CheckTiming, FileCheck, MiscCheck
from pykeepalived.config.cross.context import Context, nearest
from pykeepalived.config.cross.scripts import Scripts
from pykeepalived.config.raw import Given, Raw

if TYPE_CHECKING:
    from pykeepalived.config.cross.checkers import Above

_NEEDS = {"track_file": "file", "bfd_instance": "neighbor_ip"}
"""Block -> the keyword without which it is dropped."""


class Followers:
    """Reads them."""

    def __init__(self, context: Context, scripts: Scripts, root: Raw) -> None:
        self._context = context
        self._scripts = scripts
        self._defined: dict[str, dict[str, Raw]] = {}
        for name, needed in _NEEDS.items():
            found = self._defined[name] = {}
            for raw in root.named(name):
                if needed in raw.given or needed not in raw.table.keywords:
                    found.setdefault(raw.name, raw)

    def misc(self, raw: Raw, above: "Above", timing: CheckTiming) -> MiscCheck | None:
        """A program that checks; None when there is none that can be run."""
        given = raw.given.get("misc_path")
        if given is None:
            if "misc_path" not in raw.said:
                self._lacks(raw, "misc_path")
            return None
        script = self._scripts.command(given, raw.given.get("user"))
        if script is None:
            return None
        own: int = raw.value("misc_timeout")
        return MiscCheck(
            misc_path=script,
            timing=timing,
            misc_timeout=own,
            misc_dynamic=raw.value("misc_dynamic"),
            timeout=own or above.delay_loop,
        )

    def file(self, raw: Raw, above: "Above", timing: CheckTiming) -> FileCheck | None:  # noqa: ARG002
        """A file's number; None when the file is not defined above."""
        given = raw.given.get("track_file")
        if given is None:
            self._lacks(raw, "track_file")
            return None
        found = self._find("track_file", given, raw)
        if found is None:
            return None
        weight = raw.given.get("weight")
        return FileCheck(track_file=given.value, weight=_default_weight(found) if weight is None else weight.value)

    def bfd(self, raw: Raw, above: "Above", timing: CheckTiming) -> BfdCheck | None:  # noqa: ARG002
        """A session; None when it is not defined above, or not for checkers."""
        given = raw.given.get("name")
        if given is None:
            if "name" not in raw.said:
                self._lacks(raw, "name")
            return None
        found = self._find("bfd_instance", given, raw)
        if found is None:
            return None
        if "vrrp" in found.given and "checker" not in found.given:
            message = f"bfd_instance {given.value} tells VRRP alone - the checker is dropped"
            self._context.error(message, given.span(1), f"add a line to bfd_instance {given.value}: checker")
            return None
        alpha = raw.given.get("alpha")
        inherited: bool = above.values.get("alpha", False)
        return BfdCheck(name=given.value, alpha=inherited if alpha is None else alpha.value)

    def _find(self, block: str, given: Given, raw: Raw) -> Raw | None:
        name: str = given.value
        found = self._defined[block].get(name)
        if found is not None and found.order < raw.order:
            return found
        if found is not None:
            hint = f"{block} {name} is on line {found.head.line.number}: move it above the virtual_server"
        else:
            hint = nearest(name, self._defined[block]) or f"define it above: {block} {name} {{ ... }}"
        message = f"{block} {name} not found, ignoring the {raw.table.name}"
        self._context.error(message, given.span(1), hint)
        return None

    def _lacks(self, raw: Raw, keyword: str) -> None:
        message = f"{raw.table.name} has no {keyword} - the checker is dropped"
        self._context.error(message, raw.span(), f"add a line: {keyword} ...")


def _default_weight(track_file: Raw) -> int:
    """That of the track_file."""
    if "weight" not in track_file.table.keywords:
        return 1
    weight: Any = track_file.value("weight")
    if isinstance(weight, int):
        return weight
    value: int = weight.value
    return -value if weight.reverse else value
