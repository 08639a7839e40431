"""What a rule of the lint looks at, and what it answers with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.diagnostics import Diagnostic, Severity, Span
from pykeepalived.config.raw import Raw
from pykeepalived.config.surroundings import Surroundings
from pykeepalived.records import record


@record(frozen=True, slots=True)
class Peer:
    """Another node, as far as it matters here."""

    label: str
    """How it is called in messages: ``node lb2``, ``/tmp/lb2.conf``."""
    vrrp_instance: tuple[VrrpInstance, ...]


@dataclass(frozen=True, slots=True)
class View:
    """One file: its values, where they stand, and the other nodes as far as they are known."""

    configuration: Configuration
    root: Raw
    surroundings: Surroundings
    peers: tuple[Peer, ...] = ()
    named: dict[tuple[str, str], Raw] = field(default_factory=dict, repr=False)
    """Blocks by keyword and name, once they are looked for; the first of several."""

    def block(self, keyword: str, name: str) -> Raw:
        """The block of that keyword and name, as written; the root where there is none."""
        if not self.named:
            self.named.update({(raw.table.name, raw.name): raw for raw in reversed(self.root.blocks)})
        return self.named.get((keyword, name), self.root)


Rule = Callable[[View], Iterator[Diagnostic]]


def advice(rule: str, message: str, span: Span | None, hint: str) -> Diagnostic:
    """One piece of advice: a warning that does not count."""
    return Diagnostic(Severity.WARNING, message, span, hint, rule=rule)
