"""MISC_CHECK, FILE_CHECK and BFD_CHECK blocks as values: the program, file or session must be there."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pykeepalived.config.blocks.bfd_instance import BfdInstance
from pykeepalived.config.blocks.checkers import BfdCheck, CheckTiming, FileCheck, MiscCheck
from pykeepalived.config.cross.context import Context, nearest
from pykeepalived.config.cross.scripts import Scripts
from pykeepalived.config.cross.trackers import Defined
from pykeepalived.config.raw import Given, Raw

if TYPE_CHECKING:
    from pykeepalived.config.cross.checkers import Above


class Followers:
    """Reads them."""

    def __init__(
        self,
        context: Context,
        scripts: Scripts,
        root: Raw,
        files: Mapping[str, Defined],
        sessions: Sequence[BfdInstance],
    ) -> None:
        self._context = context
        self._scripts = scripts
        self._files = files
        self._sessions = {each.name: each for each in sessions}
        self._raw_sessions = {raw.name: raw for raw in reversed(list(root.named("bfd_instance")))}

    def misc(self, raw: Raw, above: "Above", timing: CheckTiming) -> MiscCheck | None:
        """A program that checks; None when there is none that can be run."""
        self._context.asked += 1
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
        self._context.asked += 1
        given = raw.given.get("track_file")
        if given is None:
            self._lacks(raw, "track_file")
            return None
        name: str = given.value
        found = self._files.get(name)
        if found is None or found.order > raw.order:
            self._not_found("track_file", given, raw, found.order if found is not None else 0, self._files)
            return None
        if found.useless:
            self._useless(raw, given, f"track_file {name} {found.useless}")
            return None
        weight = raw.given.get("weight")
        return FileCheck(track_file=name, weight=found.weight if weight is None else weight.value)

    def bfd(self, raw: Raw, above: "Above", timing: CheckTiming) -> BfdCheck | None:  # noqa: ARG002
        """A session; None when it is not defined above, or not for checkers."""
        self._context.asked += 1
        given = raw.given.get("name")
        if given is None:
            if "name" not in raw.said:
                self._lacks(raw, "name")
            return None
        name: str = given.value
        defined = self._raw_sessions.get(name)
        if defined is None or defined.order > raw.order:
            self._not_found("bfd_instance", given, raw, defined.order if defined else 0, self._raw_sessions)
            return None
        session = self._sessions.get(name)
        if session is None:
            self._useless(raw, given, f"bfd_instance {name} is not usable")
            return None
        if not session.checker:
            message = f"bfd_instance {name} tells VRRP alone - the checker is dropped"
            self._context.error(message, given.span(1), f"add a line to bfd_instance {name}: checker")
            return None
        alpha = raw.given.get("alpha")
        inherited: bool = above.values.get("alpha", False)
        return BfdCheck(name=name, alpha=inherited if alpha is None else alpha.value)

    def _not_found(self, block: str, given: Given, raw: Raw, order: int, others: Iterable[str]) -> None:
        name: str = given.value
        if order:
            hint = f"{block} {name} stands further down: move it above the virtual_server"
        else:
            hint = nearest(name, others) or f"define it above: {block} {name} {{ ... }}"
        self._context.error(f"{block} {name} not found, ignoring the {raw.table.name}", given.span(1), hint)

    def _useless(self, raw: Raw, given: Given, reason: str) -> None:
        """What is wrong was said, and counted, where it is defined."""
        message = f"{reason} - the {raw.table.name} is dropped"
        self._context.warning(message, given.span(1), "mend it where it is defined")

    def _lacks(self, raw: Raw, keyword: str) -> None:
        message = f"{raw.table.name} has no {keyword} - the checker is dropped"
        self._context.error(message, raw.span(), f"add a line: {keyword} ...")
