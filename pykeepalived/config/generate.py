"""Writes the pages made from the tables: ``python -m pykeepalived.config.generate``; ``--check`` only compares.

Generated pages are never edited by hand.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pykeepalived.pages import advice, completion, json_schema, manual, reference

DOCS = Path(__file__).parents[2] / "docs"
PAGES: dict[str, Callable[[], str]] = {
    "keywords.md": reference.keywords_page,
    "advice.md": advice.advice_page,
    "man/keepalived.conf.5": manual.configuration_page,
    "man/pykeepalived.8": manual.daemon_page,
    "man/genhash.1": manual.genhash_page,
    "keepalived.schema.json": json_schema.schema_page,
    "completion/pykeepalived.bash": completion.bash,
    "completion/_pykeepalived": completion.zsh,
    "completion/pykeepalived.fish": completion.fish,
}


def main(arguments: Sequence[str], folder: Path = DOCS) -> int:
    """0, or 1 where --check finds a page that is not what the tables say."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m pykeepalived.config.generate [--check]", file=sys.stderr)
        return 2
    stale = [name for name, make in PAGES.items() if _text(folder / name) != make()]
    if arguments:
        for name in stale:
            print(
                f"docs/{name} is not what the tables say: run python -m pykeepalived.config.generate", file=sys.stderr
            )
        return 1 if stale else 0
    for name in stale:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PAGES[name](), encoding="utf-8")
        print(f"docs/{name}")
    return 0


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
