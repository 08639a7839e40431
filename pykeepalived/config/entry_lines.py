"""A line of a block of entries, by the grammar of that block. pyparsing comes only when a line needs it."""

from pykeepalived.config.lexer import Statement
from pykeepalived.config.raw import EntryGiven


def entry(grammar: str, statement: Statement, order: int = 0) -> EntryGiven:
    """A line by its grammar. The plain case, one word, needs none (and no pyparsing)."""
    if grammar in ("route", "rule"):
        from pykeepalived.config.grammar import routes, rules  # noqa: PLC0415 - 60 ms that a plain file need not spend

        parse = routes.parse if grammar == "route" else rules.parse
        return EntryGiven("", parse(statement.text), statement)
    if len(statement.words) == 1 and '"' not in statement.text:
        return EntryGiven(statement.words[0], (), statement, order)
    from pykeepalived.config.grammar import entries  # noqa: PLC0415 - 60 ms that a plain file need not spend

    subject, pieces = entries.parse(grammar, statement.text)
    return EntryGiven(subject, pieces, statement, order)
