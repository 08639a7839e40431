"""docs/advice.md: the rules behind the advice that a test of a file gives."""

from pykeepalived.config.lint.rules import RULES, reason

_INTRO = """# Advice

`pykeepalived -t` gives advice on what keepalived accepts and nobody means. Each piece ends in the name of its rule, in
brackets; it is a warning that never changes the exit status. `--no-lint` leaves it out, `--explain RULE` tells the
reason. Some rules compare nodes: those that the file itself names by `@id` lines, and those whose files `--peer` names.

| Rule | Why |
|---|---|"""


def advice_page() -> str:
    """The page."""
    return "\n".join([_INTRO, *(f"| `{name}` | {reason(name)} |" for name in RULES)]) + "\n"
