"""Short words for tests: a text, and the statements that come of it."""

from collections.abc import Mapping

from pykeepalived.config.diagnostics import Diagnostic, Findings
from pykeepalived.config.lexer import CLOSE, OPEN, Statement
from pykeepalived.config.preprocess import Preprocessor
from tests.config.machine import Machine

MAIN = "/etc/k/main.conf"
VARIABLES = {"SITE": "lab", "HASH": "a#b", "NESTED": "${N}x", "WORDS": "two  words", "LINES": "two\nlines"}


def parsed(
    text: str | bytes,
    files: Mapping[str, str] | None = None,
    config_id: str = "node1",
    *,
    all_config: bool = False,
    executable: tuple[str, ...] = (),
) -> tuple[list[Statement], tuple[Diagnostic, ...]]:
    """What comes of a text. Other files stand beside the main one, or where their path says."""
    others = {path if path[0] == "/" else f"/etc/k/{path}": content for path, content in (files or {}).items()}
    machine = Machine({MAIN: text, **others}, variables=VARIABLES)
    machine.executable.update(f"/etc/k/{name}" for name in executable)
    findings = Findings()
    preprocessor = Preprocessor(machine, findings, config_id, all_config=all_config)
    return list(preprocessor.statements(MAIN)), findings.all()


def statements(
    text: str | bytes, files: Mapping[str, str] | None = None, config_id: str = "node1", *, all_config: bool = False
) -> tuple[list[str], list[str]]:
    """The statements as text, and the messages of what counts (warnings get a question mark)."""
    found, said = parsed(text, files, config_id, all_config=all_config)
    shown = ["{" if each.kind == OPEN else "}" if each.kind == CLOSE else "|".join(each.words) for each in found]
    return shown, [("" if each.problem else "? ") + each.message for each in said]


def sound(text: str | bytes, files: Mapping[str, str] | None = None) -> list[str]:
    """The statements of a text that is without a mistake."""
    shown, said = statements(text, files)
    assert said == []
    return shown
