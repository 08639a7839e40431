"""The SSL block as a value."""

from itertools import pairwise

from pykeepalived.config.blocks.ssl import Ssl
from pykeepalived.config.cross.context import Context
from pykeepalived.config.raw import Raw


def resolve(root: Raw, context: Context) -> Ssl | None:
    """The last SSL block, or None."""
    found = list(root.named("SSL"))
    if not found:
        return None
    for earlier, raw in pairwise(found):
        hint = f"it is also on line {earlier.head.line.number}; remove one of the two"
        context.error("SSL is there already, this one replaces it", raw.span(), hint)
    raw = found[-1]
    found_ssl = Ssl(**{name: raw.value(name) for name in raw.table.keywords})
    _check_files(raw, found_ssl, context)
    return found_ssl


def _check_files(raw: Raw, settings: Ssl, context: Context) -> None:
    """What cannot be used is said where it stands; the checks go on without it, for they would all fail."""
    for name in ("certificate", "key"):
        other = "key" if name == "certificate" else "certificate"
        if getattr(settings, name) is not None and getattr(settings, other) is None:
            context.warning(f"{name} does nothing without {other}", raw.span(name, 1), f"add a line: {other} PATH")
    for name, reason in context.surroundings.tls_troubles(settings).items():
        message = f"{name} {getattr(settings, name)} cannot be used: {reason} - checks go on without it"
        hint = "name a readable file in PEM form"
        if name == "key":
            hint += ", made for the certificate, and with password if it is encrypted"
        context.warning(message, raw.span(name, 1), hint)
