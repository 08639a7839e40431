"""What the TLS sessions of checks have in common: the library's context, and the client's certificate.

Certificates of servers are not verified, as in keepalived: a check asks whether a service works, not who it is.
"""

import ssl
from collections.abc import Mapping

from pykeepalived.config.blocks.ssl import Ssl
from pykeepalived.errors import NO_ROOM
from pykeepalived.kernel.capabilities import words

_NO_CERTIFICATE = "it holds no certificate"
_NO_KEY = "it holds no private key, or password does not open it"


def client_context(settings: Ssl | None) -> tuple[ssl.SSLContext, Mapping[str, str]]:
    """The context of all sessions, and by keyword what of the SSL block cannot be used and why. Raises
    OSError when it is the machine that has no room for it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT")  # the library's own, as any other program has them
    troubles: dict[str, str] = {}
    if settings is None:
        return context, troubles
    if settings.ca is not None:
        try:
            context.load_verify_locations(settings.ca)
        except (OSError, ValueError) as error:
            troubles["ca"] = _reason(error, _NO_CERTIFICATE)
    if settings.certificate is not None and settings.key is not None:
        try:
            context.load_cert_chain(settings.certificate, settings.key, settings.password or "")
        except (OSError, ValueError) as error:
            keyword = _to_blame(settings)
            troubles[keyword] = _reason(error, _NO_CERTIFICATE if keyword == "certificate" else _NO_KEY)
    return context, troubles


def _to_blame(settings: Ssl) -> str:
    """The keyword whose file is not sound; the key when each is for itself: then it is not the certificate's."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(settings.certificate)
    except (OSError, ValueError):
        return "certificate"
    return "key"


def _reason(error: OSError | ValueError, otherwise: str) -> str:
    """The system's or the library's word, or what it means that the library has none. What passes is raised again."""
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and error.errno in NO_ROOM:
        raise error
    if isinstance(error, ssl.SSLError):
        return (error.reason or otherwise).replace("_", " ").lower()
    if isinstance(error, OSError) and error.errno:
        return words(error.errno)
    return str(error) or otherwise
