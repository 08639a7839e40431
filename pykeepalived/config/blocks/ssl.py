"""SSL: what SSL_GET shows of itself."""

from pykeepalived.config.kinds import Word
from pykeepalived.config.schema import Repeat, block, keyword
from pykeepalived.records import record


@block("SSL", process="checker")
@record(frozen=True, slots=True, kw_only=True)
class Ssl:
    """The client's certificate of all SSL_GET checkers."""

    password: str | None = keyword(
        Word(), default=None, checked=True, repeat=Repeat.REPLACE, doc="What opens the private key."
    )
    ca: str | None = keyword(
        Word(),
        arguments="PATH",
        default=None,
        checked=True,
        repeat=Repeat.REPLACE,
        doc="The file of certificates that are trusted.",
    )
    certificate: str | None = keyword(
        Word(),
        arguments="PATH",
        default=None,
        checked=True,
        repeat=Repeat.REPLACE,
        doc="The file of the certificate.",
    )
    key: str | None = keyword(
        Word(),
        arguments="PATH",
        default=None,
        checked=True,
        repeat=Repeat.REPLACE,
        doc="The file of the private key.",
    )
