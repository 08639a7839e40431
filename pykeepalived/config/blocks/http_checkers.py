"""HTTP_GET and SSL_GET: requests, and what their responses must be."""

from collections.abc import Mapping

from pykeepalived.config.blocks.probing import TARGET, CheckTiming, Target, timing
from pykeepalived.config.kinds import Boolean, Choice, Flag, Hex, Word
from pykeepalived.config.kinds_lvs import Offset, Pattern, RegexOptions, StackSizes, StatusCodes
from pykeepalived.config.schema import Keyword, Repeat, block, keyword, option
from pykeepalived.records import record
from pykeepalived.units import SECOND

_GET: Mapping[str, Keyword] = {
    **TARGET,
    **timing(delay_before_retry=3 * SECOND, former=("nb_get_retry",)),
    "virtualhost": option(
        Word(),
        default=None,
        checked=True,
        inherit="virtualhost",
        repeat=Repeat.REPLACE,
        doc="The Host header of all urls; address and port of the target if there is none.",
    ),
}
_VERSIONS = Choice(("1.0", "1.0C", "1.1"), fold=True)


@block("url")
@record(frozen=True, slots=True, kw_only=True)
class HttpUrl:
    """One request and what its response must be."""

    path: str = keyword(Word(), repeat=Repeat.REPLACE, doc="What is asked for: /path?query.")
    digest: bytes | None = keyword(
        Hex(16), default=None, repeat=Repeat.FIRST, doc="The MD5 sum that the body must have."
    )
    status_code: tuple[tuple[int, int], ...] = keyword(
        StatusCodes(),
        default=((200, 299),),
        repeat=Repeat.COLLECT,
        doc="Codes and ranges of codes that are good; further lines add to them.",
    )
    virtualhost: str | None = keyword(
        Word(), default=None, inherit="virtualhost", repeat=Repeat.REPLACE, checked=True, doc="The Host header."
    )
    regex: str | None = keyword(
        Pattern(),
        default=None,
        doc="What the response must contain, as PCRE2 has it. Write \\\\d for \\d: escapes are decoded first.",
    )
    regex_no_match: bool = keyword(Flag(), default=False, doc="The response must not contain what regex describes.")
    regex_options: tuple[str, ...] = keyword(
        RegexOptions(), default=(), repeat=Repeat.COLLECT, doc="Options that PCRE2 compiles it with."
    )
    regex_min_offset: int = keyword(Offset(), default=0, unit="bytes", doc="Where in the response the search begins.")
    regex_max_offset: int | None = keyword(
        Offset(), default=None, unit="bytes", doc="The last place where a match may begin."
    )
    regex_stack: tuple[int, int] | None = keyword(
        StackSizes(), default=None, unit="bytes", doc="First and largest size of the stack of PCRE2."
    )


@block("url")
@record(frozen=True, slots=True, kw_only=True)
class HttpsUrl(HttpUrl):
    """One request over TLS and what its response must be."""

    tls_compliant: bool = keyword(
        Boolean(),
        default=False,
        inherit="tls_compliant",
        doc="The session ends with close_notify, as TLS wants.",
    )


@block("HTTP_GET", blocks=(HttpUrl,), passes=_GET)
@record(frozen=True, slots=True, kw_only=True)
class HttpGet:
    """Success is a good response to every url in turn."""

    target: Target
    timing: CheckTiming = CheckTiming(delay_before_retry=3 * SECOND)
    http_protocol: str = keyword(
        _VERSIONS,
        default="1.0",
        checked=True,
        doc="The request's version; 1.0C is 1.0 and asks to close the connection.",
    )
    enable_sni: bool = keyword(Boolean(), default=False, doc="Of use in SSL_GET alone: here is no TLS.")
    sni_name: str | None = keyword(
        Word(bare=""),
        default=None,
        repeat=Repeat.REPLACE,
        doc="Of use in SSL_GET alone, as enable_sni.",
    )
    fast_recovery: bool = keyword(
        Boolean(), default=False, doc="A server that starts or recovers is asked for all urls at once."
    )
    url: tuple[HttpUrl, ...] = ()


@block("SSL_GET", blocks=(HttpsUrl,), passes=_GET)
@record(frozen=True, slots=True, kw_only=True)
class SslGet:
    """Success is a good response over TLS to every url in turn; certificates are not checked."""

    target: Target
    timing: CheckTiming = CheckTiming(delay_before_retry=3 * SECOND)
    http_protocol: str = keyword(
        _VERSIONS,
        default="1.0",
        checked=True,
        doc="The request's version; 1.0C is 1.0 and asks to close the connection.",
    )
    enable_sni: bool = keyword(Boolean(), default=False, doc="The name of the host is told when the session begins.")
    sni_name: str | None = keyword(
        Word(bare=""),
        default=None,
        repeat=Repeat.REPLACE,
        doc="That name; virtualhost if the word is left out. It implies enable_sni.",
    )
    fast_recovery: bool = keyword(
        Boolean(),
        default=False,
        doc="A server that starts or recovers is asked for all urls at once.",
    )
    tls_compliant: bool = keyword(
        Boolean(),
        default=False,
        doc="Sessions end with close_notify, as TLS wants.",
    )
    url: tuple[HttpsUrl, ...] = ()
