"""Files broken as an operator would break them, what is said about each, and what keepalived says: docs/diagnostics.md.

``python -m tests.config.broken_files`` writes the page anew; with ``--record`` keepalived is asked again.
"""

import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from pykeepalived.config.diagnostics import render
from pykeepalived.config.load import Loaded, LoadOptions, load
from tests.config.machine import Machine, element
from tests.support import keepalived

FOLDER = Path(__file__).parent / "broken"
PAGE = Path(__file__).parents[2] / "docs" / "diagnostics.md"
PATH = "/etc/keepalived/keepalived.conf"
COMMANDS = ("/usr/bin/true", "/usr/bin/test")
MOST_LINES = 12
_HEAD = """# What is said about a broken file

Each file below is broken in one way that operators break files in. Under it stands what `pykeepalived -t` answers, and
what keepalived {version} answers to the same file. The page is written from the files in `tests/config/broken` by
`python -m tests.config.broken_files`; a test holds it fresh.
"""


@dataclass(frozen=True)
class Broken:
    """One broken file and what its answer must hold."""

    name: str
    title: str
    lines: list[int]
    remedy: str
    makes: dict[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The file."""
        return (FOLDER / f"{self.name}.conf").read_text(encoding="utf-8")

    def loaded(self) -> Loaded:
        """What we make of it."""
        machine = Machine({PATH: self.text}, ("eth0",), COMMANDS)
        machine.commands.update({path: element(path, mode=mode) for path, mode in self.makes.items()})
        return load(PATH, machine, LoadOptions())

    def answer(self) -> str:
        """What we say, and the exit status."""
        loaded = self.loaded()
        return "\n".join([*map(render, loaded.diagnostics), f"exit status {loaded.exit_code}"])

    def recorded(self) -> str:
        """What keepalived said, and its exit status."""
        return (FOLDER / f"{self.name}.keepalived").read_text(encoding="utf-8").rstrip("\n")


def all_of_them() -> list[Broken]:
    """Every file, in the order of the page."""
    with (FOLDER / "index.toml").open("rb") as file:
        return [Broken(name, **entry) for name, entry in tomllib.load(file).items()]


def ask_keepalived(broken: Broken) -> str:
    """Keepalived's answer, in a network namespace that has eth0."""
    with tempfile.TemporaryDirectory(dir="/run") as folder:
        file = Path(folder) / "keepalived.conf"
        file.write_text(broken.text, encoding="utf-8")
        shell = (
            "mount -t tmpfs none /tmp; hostname oracle\n"
            "ip link set lo up; ip link add eth0 type veth peer name peer0; ip link set eth0 up; ip link set peer0 up\n"
            + "".join(f"printf '#!/bin/sh\\n' > {path}; chmod {mode:o} {path}\n" for path, mode in broken.makes.items())
            + f"exec timeout 10 {keepalived.binary()} -t -f {file}"
        )
        done = subprocess.run(
            ["unshare", "-n", "-u", "-m", "sh", "-c", shell], capture_output=True, text=True, check=False
        )
        said = done.stderr.replace(str(file), PATH).splitlines()
    return "\n".join([*_folded(said), f"exit status {done.returncode}"])


def _folded(said: list[str]) -> list[str]:
    """Its lines, each once with how often it came, and not too many."""
    times = {line: said.count(line) for line in said}
    lines = [line if count == 1 else f"{line}   [{count} times]" for line, count in times.items()]
    return [each[:160] for each in lines[:MOST_LINES]] + (
        [f"... {len(lines) - MOST_LINES} more lines"] * (len(lines) > MOST_LINES)
    )


def page() -> str:
    """docs/diagnostics.md."""
    parts = [_HEAD.format(version="2.2.7")]
    for broken in all_of_them():
        parts.append(f"## {broken.title}\n\n```\n{_numbered(broken.text)}\n```\n")
        parts.append(f"pykeepalived:\n\n```\n{broken.answer()}\n```\n")
        parts.append(f"keepalived:\n\n```\n{broken.recorded()}\n```\n")
    return "\n".join(parts)


def _numbered(text: str) -> str:
    return "\n".join(f"{number:3d}  {line}".rstrip() for number, line in enumerate(text.rstrip("\n").split("\n"), 1))


def main() -> None:
    """Write the page, after asking keepalived if told to."""
    if "--record" in sys.argv[1:]:
        for broken in all_of_them():
            (FOLDER / f"{broken.name}.keepalived").write_text(ask_keepalived(broken) + "\n", encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
