"""track_file blocks as values."""

from pykeepalived.config.blocks.track_file import TrackedFile
from pykeepalived.config.cross.context import Context
from pykeepalived.config.cross.trackers import Defined
from pykeepalived.config.raw import Raw


def resolve(root: Raw, context: Context) -> tuple[list[TrackedFile], dict[str, Defined]]:
    """The files, and what lines may follow; the first of a name counts."""
    files: list[TrackedFile] = []
    defined: dict[str, Defined] = {}
    for raw in root.named("track_file"):
        if raw.name in defined:
            continue
        weight = raw.value("weight")
        if "file" not in raw.given:
            hint = "add a line: file /path/of/the/file"
            context.error(f"No file set for track_file {raw.name} - ignoring", raw.span(word=1), hint)
            defined[raw.name] = Defined(raw.order, weight, useless="has no file")
            continue
        defined[raw.name] = Defined(raw.order, weight)
        files.append(
            TrackedFile(name=raw.name, file=raw.value("file"), weight=weight, init_file=raw.value("init_file"))
        )
    return files, defined
