"""A line of a block of entries, by the grammar of that block. pyparsing comes only when a line needs it."""

from pykeepalived.config.lexer import Statement, word_places
from pykeepalived.config.raw import EntryGiven, Piece
from pykeepalived.config.schema import entry_options


def entry(grammar: str, statement: Statement, order: int = 0) -> EntryGiven:
    """A line by its grammar. One without quotes needs no pyparsing: its words are the tokens."""
    if grammar in ("route", "rule"):
        from pykeepalived.config.grammar import routes, rules  # noqa: PLC0415 - 60 ms that a plain file need not spend

        parse = routes.parse if grammar == "route" else rules.parse
        return EntryGiven("", parse(statement.text), statement)
    if '"' not in statement.text:
        return EntryGiven(statement.words[0], plain_pieces(grammar, statement), statement, order)
    from pykeepalived.config.grammar import entries  # noqa: PLC0415 - 60 ms that a plain file need not spend

    subject, pieces = entries.parse(grammar, statement.text)
    return EntryGiven(subject, pieces, statement, order)


def plain_pieces(grammar: str, statement: Statement) -> tuple[Piece, ...]:
    """The options of a line without quotes, as the grammar has them."""
    words = statement.words
    if len(words) == 1:
        return ()
    valued, flags = entry_options(grammar)
    places = word_places(statement.text)
    pieces = []
    at = 1
    while at < len(words):
        word, place = words[at], places[at][0]
        at += 1
        if word in valued:
            pieces.append(Piece(word, words[at] if at < len(words) else None, place))
            at += 1
        else:
            pieces.append(Piece(word, None, place) if word in flags else Piece("", word, place))
    return tuple(pieces)
