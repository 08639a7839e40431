"""Advice on alert mail."""

from collections.abc import Iterator

from pykeepalived.config.diagnostics import Diagnostic
from pykeepalived.config.lint.view import View, advice

ALERTS = frozenset({"smtp_alert", "smtp_alert_vrrp", "smtp_alert_checker"})


def mail_to_nobody(view: View) -> Iterator[Diagnostic]:
    """Alerts need a server to go to and somebody to go to."""
    settings = next(view.root.named("global_defs"), None)
    said = settings.said.keys() | settings.given.keys() if settings is not None else set()
    missing = [word for word in ("smtp_server", "notification_email") if word not in said]
    if not missing:
        return
    for raw in (*view.root.blocks, *(real for each in view.root.named("virtual_server") for real in each.blocks)):
        for word in sorted(ALERTS & raw.given.keys()):
            given = raw.given[word]
            if given.value is True:
                yield advice(
                    "mail-to-nobody",
                    f"{word} is on, but global_defs has no {' and no '.join(missing)}: no mail is ever sent",
                    given.span(0),
                    f"add {' and '.join(missing)} to global_defs, or remove {word}",
                )
                return
