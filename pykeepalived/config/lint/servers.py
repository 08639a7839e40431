"""Advice on virtual and real servers."""

from collections.abc import Iterator

from pykeepalived.config.diagnostics import Diagnostic
from pykeepalived.config.lint.view import View, advice


def no_checker(view: View) -> Iterator[Diagnostic]:
    """A real server without a check is never taken out, however dead it is."""
    for raw in view.root.named("virtual_server"):
        servers = list(raw.named("real_server"))
        bare = [real for real in servers if not real.blocks]
        if bare and len(servers) > 1:
            count = "none" if len(bare) == len(servers) else f"{len(servers) - len(bare)}"
            yield advice(
                "no-checker",
                f"virtual_server {' '.join(raw.words[:3])}: {count} of {len(servers)} real servers "
                f"{'is' if count in ('none', '1') else 'are'} checked; one that dies keeps its connections",
                bare[0].span(),
                "add a check: TCP_CHECK { }",
            )
