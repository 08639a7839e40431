"""All rules of the lint, in the order they are asked."""

from pykeepalived.config.diagnostics import Diagnostic
from pykeepalived.config.lint import announcements, instances, mail, nodes, servers, timing
from pykeepalived.config.lint.view import Rule, View

RULES: dict[str, Rule] = {
    "owner-by-state": instances.owner_by_state,
    "nopreempt-weight": instances.nopreempt_weight,
    "weight-cut": instances.weight_cut,
    "prefix-route": instances.prefix_route,
    "foreign-label": instances.foreign_label,
    "reserved-name": instances.reserved_name,
    "equal-priority": nodes.equal_priority,
    "weight-never-moves": nodes.weight_never_moves,
    "nodes-differ": nodes.nodes_differ,
    "not-a-peer": nodes.not_a_peer,
    "timeout-exceeds-interval": timing.timeout_exceeds_interval,
    "announcement-flood": announcements.announcement_flood,
    "no-checker": servers.no_checker,
    "mail-to-nobody": mail.mail_to_nobody,
}
"""Name of a rule -> the rule; its docstring says why it is asked."""


def reason(name: str) -> str:
    """Why a rule is asked, in a sentence."""
    return " ".join((RULES[name].__doc__ or "").split())


def lint(view: View) -> tuple[Diagnostic, ...]:
    """Everything the rules have to say."""
    return tuple(each for rule in RULES.values() for each in rule(view))
