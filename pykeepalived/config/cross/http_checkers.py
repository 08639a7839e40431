"""HTTP_GET and SSL_GET blocks as values: urls with what they inherit."""

from typing import TYPE_CHECKING, Any

from pykeepalived.config.blocks.checkers import CheckTiming, HttpGet, HttpsUrl, HttpUrl, SslGet, Target
from pykeepalived.config.cross.context import Context
from pykeepalived.config.raw import Raw

if TYPE_CHECKING:
    from pykeepalived.config.cross.checkers import Above


class HttpCheckers:
    """Reads them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def get(self, raw: Raw, above: "Above", target: Target, timing: CheckTiming) -> HttpGet | None:
        """An HTTP_GET with its urls."""
        urls = self._urls(raw, above)
        if not urls:
            return None
        values = [self._url(url, virtualhost) for url, virtualhost in urls]
        return HttpGet(
            target=target,
            timing=timing,
            **self._request(raw),
            url=tuple(HttpUrl(**each) for each in values),
        )

    def ssl_get(self, raw: Raw, above: "Above", target: Target, timing: CheckTiming) -> SslGet | None:
        """An SSL_GET with its urls."""
        urls = self._urls(raw, above)
        if not urls:
            return None
        compliant = raw.value("tls_compliant")
        values = []
        for url, virtualhost in urls:
            given = url.given.get("tls_compliant")
            own = compliant if given is None else given.value
            values.append({**self._url(url, virtualhost), "tls_compliant": own})
        request = self._request(raw)
        if request["enable_sni"]:
            for (url, _), each in zip(urls, values, strict=True):
                self._check_server_name(request["sni_name"] or each["virtualhost"], url)
        return SslGet(
            target=target,
            timing=timing,
            **request,
            tls_compliant=compliant,
            url=tuple(HttpsUrl(**each) for each in values),
        )

    def _request(self, raw: Raw) -> dict[str, Any]:
        sni = raw.given.get("sni_name")
        return {
            "http_protocol": raw.value("http_protocol"),
            "fast_recovery": raw.value("fast_recovery"),
            "enable_sni": sni is not None or raw.value("enable_sni"),
            "sni_name": (sni.value or None) if sni is not None else None,
        }

    def _check_server_name(self, name: str | None, url: Raw) -> None:
        """TLS sends names of the DNS alone."""
        try:
            (name or "").encode("idna")
        except UnicodeError:
            message = f"'{name}' can be no server name of TLS: the check of this url fails"
            self._context.warning(message, url.span(), "a label has at most 63 characters, and none is empty")

    def _urls(self, raw: Raw, above: "Above") -> list[tuple[Raw, str | None]]:
        """The urls that can be used, each with its Host header."""
        found = []
        virtualhost = above.value(raw, "virtualhost")
        blocks = list(raw.named("url"))
        for url in blocks:
            given = url.given.get("virtualhost")
            if "path" in url.given:
                found.append((url, virtualhost if given is None else given.value))
            elif "path" not in url.said:
                self._context.error("url without a path - it is dropped", url.span(), "add a line: path /")
        if not found:
            hint = "add a block: url { path / }" if not blocks else "mend one of its urls"
            self._context.error(f"{raw.table.name} has no url - the checker is dropped", raw.span(), hint)
        return found

    def _url(self, raw: Raw, virtualhost: str | None) -> dict[str, Any]:
        given = {name: each.value for name, each in raw.given.items() if name != "tls_compliant"}
        given["virtualhost"] = virtualhost
        if "regex_options" in given:
            given["regex_options"] = tuple(dict.fromkeys(given["regex_options"]))
        if "regex" in given:
            self._check_pattern(raw, given)
        elif alone := next((name for name in given if name.startswith("regex_")), None):
            self._context.warning(f"{alone} does nothing without regex", raw.span(alone), "add a line: regex PATTERN")
        if "regex" not in given:
            given = {name: value for name, value in given.items() if not name.startswith("regex_")}
        most = given.get("regex_max_offset")
        if most is not None and most < given.get("regex_min_offset", 0):
            message = "regex_max_offset is below regex_min_offset: both are ignored"
            self._context.warning(message, raw.span("regex_max_offset", 1), "exchange the two")
            del given["regex_min_offset"], given["regex_max_offset"]
        return given

    def _check_pattern(self, raw: Raw, given: dict[str, Any]) -> None:
        """A pattern that PCRE2 does not understand is left out: the url is judged without it, as in keepalived."""
        from pykeepalived import pcre2  # noqa: PLC0415 - only a regex is worth ctypes

        pattern = given["regex"]
        try:
            pcre2.compiled(pattern, given.get("regex_options", ()))
        except pcre2.PatternError as error:
            message = f"Invalid regex: '{pattern}' at offset {error.offset}: {error.reason} - it is ignored"
            hint = "mend the pattern; in it \\\\ stands for one backslash (man pcre2pattern)"
        except OSError:
            message = f"regex needs {pcre2.LIBRARY}, which is not installed - it is ignored"
            hint = "install it: apt install libpcre2-8-0, or dnf install pcre2"
        else:
            return
        self._context.warning(message, raw.span("regex", 1), hint)
        del given["regex"]
