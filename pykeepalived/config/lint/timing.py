"""Advice on periods and timeouts."""

from collections.abc import Iterator

from pykeepalived.config.diagnostics import Diagnostic
from pykeepalived.config.kinds import seconds_text
from pykeepalived.config.lint.view import View, advice


def timeout_exceeds_interval(view: View) -> Iterator[Diagnostic]:
    """A check that may take longer than its period is still running when it should begin again."""
    for script in view.configuration.vrrp_script:
        raw = view.block("vrrp_script", script.name)
        if "timeout" in raw.given and script.timeout > script.interval:
            yield advice(
                "timeout-exceeds-interval",
                f"vrrp_script {script.name}: a run may take {seconds_text(script.timeout)} s and is due every "
                f"{seconds_text(script.interval)} s",
                raw.span("timeout", 1),
                f"use a timeout of at most {seconds_text(script.interval)}, or a longer interval",
            )
    for raw in view.root.named("virtual_server"):
        server = raw.given.get("delay_loop")
        for real in raw.named("real_server"):
            loop = real.given.get("delay_loop") or server
            for check in real.blocks:
                given = check.given.get("connect_timeout")
                period = check.given.get("delay_loop") or loop
                if given is not None and period is not None and given.value > period.value:
                    yield advice(
                        "timeout-exceeds-interval",
                        f"{check.table.name}: a check may take {seconds_text(given.value)} s to connect and is due "
                        f"every {seconds_text(period.value)} s",
                        check.span("connect_timeout", 1),
                        f"use a connect_timeout of at most {seconds_text(period.value)}, or a longer delay_loop",
                    )
