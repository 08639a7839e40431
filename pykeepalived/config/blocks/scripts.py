"""A command that was checked when the configuration was read: what the parent may run, and as whom."""

from pykeepalived.records import record


@record(frozen=True, slots=True)
class Script:
    """A command with its arguments and the user that runs it."""

    argv: tuple[str, ...]
    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()

    def __str__(self) -> str:
        """The command as in the file."""
        return " ".join(self.argv)
