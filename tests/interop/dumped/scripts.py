"""Commands, as dumps tell them."""

from pykeepalived.config.blocks.scripts import Script


def command(script: Script) -> str:
    """Each word in quotes."""
    return " ".join(f"'{word}'" for word in script.argv)


def owned(script: Script | None) -> str | None:
    """With the user and the group that run it."""
    return None if script is None else f"{command(script)}, uid:gid {script.uid}:{script.gid}"
