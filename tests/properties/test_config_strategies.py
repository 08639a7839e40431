"""The random files reach the whole language: every kind of value and every grammar has a strategy of its own."""

from pykeepalived.config.kinds import Entries, Names
from pykeepalived.config.language import ROOT, TOP
from pykeepalived.config.schema import Block, Keyword, entry_table
from tests.support.config_strategies import OF_KIND, OPTIONS, SUBJECTS, VALUES


def _keywords(table: Block) -> list[tuple[str, Keyword]]:
    inner = [each for block in table.blocks.values() for each in _keywords(block)]
    return [*table.keywords.items(), *inner]


EVERY = [each for table in (ROOT, *TOP.values()) for each in _keywords(table)]


def _made(spec: Keyword) -> bool:
    return any(cls in OF_KIND for cls in type(spec.kind).__mro__)


def test_every_kind_of_value_is_made() -> None:
    plain = [(name, spec) for name, spec in EVERY if not isinstance(spec.kind, Entries | Names)]
    assert len(plain) > 400
    assert [name for name, spec in plain if name not in VALUES and not _made(spec)] == []


def test_every_grammar_is_made_with_its_options() -> None:
    grammars = {spec.kind.grammar for _, spec in EVERY if isinstance(spec.kind, Entries)}
    assert len(grammars) > 10
    assert sorted(grammars - SUBJECTS.keys()) == []
    for grammar in grammars:
        for name, spec in entry_table(grammar).keywords.items():
            assert (grammar, name) in OPTIONS or _made(spec), (grammar, name)
