"""Text as troff wants it."""

from importlib.resources import files

_ESCAPES = str.maketrans(
    {"\\": "\\e", "-": "\\-", "~": "\\(ti", "^": "\\(ha", "'": "\\(aq", "`": "\\(ga", '"': "\\(dq"}
)


def text(plain: str) -> str:
    """One line of running text."""
    line = " ".join(plain.split()).translate(_ESCAPES)
    return f"\\&{line}" if line.startswith((".", "\\(aq")) else line


def bold(plain: str) -> str:
    """In bold."""
    return f"\\fB{text(plain)}\\fR" if plain else ""


def italic(plain: str) -> str:
    """Slanted: what is to be replaced."""
    return f"\\fI{text(plain)}\\fR" if plain else ""


def item(head: str, *body: str) -> list[str]:
    """A paragraph with a tag; both are troff already."""
    return [".TP", head, *(line for line in body if line)]


def frame(name: str, **parts: str) -> str:
    """The page written by hand, with the parts made from the tables in their places."""
    page = files("pykeepalived.pages").joinpath("frames", name).read_text(encoding="utf-8")
    for place, part in parts.items():
        mark = f'.\\" {place.upper()} HERE\n'
        if mark not in page:
            raise ValueError(f"{name} has no place for {place}")
        page = page.replace(mark, part)
    return page
