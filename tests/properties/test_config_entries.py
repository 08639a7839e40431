"""A line without quotes is cut by hand as the grammar of pyparsing cuts it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pykeepalived.config.entry_lines import plain_pieces
from pykeepalived.config.grammar import entries
from pykeepalived.config.lexer import WORDS, Line, Statement, split_words
from pykeepalived.config.schema import entry_table

GRAMMARS = ("address", "unicast_peer", "track_interface", "track_script", "track_file", "track_process", "track_bfd")
BLANKS = st.text(" \t", min_size=1, max_size=3)


def _lines(grammar: str) -> st.SearchStrategy[str]:
    words = st.sampled_from(entry_table(grammar).words()) | st.sampled_from(
        ["eth0", "10.0.0.1/24", "5", "-3", "devx", "+"]
    )
    rest = st.lists(st.tuples(BLANKS, words).map("".join), max_size=8).map("".join)
    return st.tuples(st.text(" \t", max_size=3), words, rest, st.text(" \t", max_size=2)).map("".join)


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_both_readings_agree(grammar: str) -> None:
    @given(_lines(grammar))
    def agree(text: str) -> None:
        words = split_words(text)
        subject, pieces = entries.parse(grammar, text)
        statement = Statement(WORDS, words, Line("f", 1, text, text), 0, len(text))
        assert (words[0], plain_pieces(grammar, statement)) == (subject, pieces)

    agree()
