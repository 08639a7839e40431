"""What the checks must find of the hostile servers: keepalived's line of each, and where ours is another on purpose.

Cases that depend on which of two packets comes first are in ``EITHER``: only the verdict is asked for.
"""

EXPECTED = {
    "Connection failed server {}.": {
        "http": "refuses",
        "https": "refuses",
    },
    "HTTP status code error to server {}.": {
        "http": (
            "wrong-host no-host 503 503-digest redirect continue status-of-letters status-missing status-999 "
            "status-long status-huge status-negative status-two-spaces status-tab status-glued status-alone "
            "status-of-nothing status-second-line status-empty-line-before not-http nothing-but-lines "
            "regex-wrong-status"
        ),
        "https": "503",
    },
    "MD5 digest error to server {}.": {
        "http": (
            "closes-in-the-body-digest length-too-short-whole length-none length-twice digest-of-another "
            "chunked-digest nul-in-the-header regex-with-digest"
        ),
        "https": "closes-in-the-body cut-in-the-body reset-in-the-body",
    },
    "Read error with server {}.": {
        "http": "reset-when-asked reset-in-the-status reset-in-the-header reset-in-the-body reset-at-the-end",
    },
    "Read, no data received from  server {}.": {
        "http": (
            "good-line-feeds closes-when-asked closes-in-the-status closes-after-the-status "
            "closes-in-the-header half-close no-header header-of-a-mebibyte header-of-many-lines "
            "header-endless-line header-endless"
        ),
        "https": "certificate-wanted",
    },
    "Regex match failed server {}.": {
        "http": (
            "regex-not-found regex-unwanted-found regex-beginning regex-end regex-end-of-all regex-other-case "
            "regex-line-begins regex-dot-no-line-feed regex-dollar-endonly regex-dollar-endonly-set "
            "regex-firstline regex-firstline-found regex-octets regex-torn-end regex-max-offset "
            "regex-max-offset-5 regex-max-offset-7 regex-max-offset-10 regex-max-offset-11 regex-offsets "
            "regex-catastrophe regex-nothing regex-empty"
        ),
    },
    "Remote Web server {} succeed on service.": {
        "http": (
            "good good-digest good-in-pieces good-to-the-end good-1.1 good-1.0C good-before-it-is-asked good-host "
            "good-host-of-the-url closes-after-the-header closes-in-the-body length-too-short length-too-long "
            "length-negative length-of-letters length-huge length-small-letters length-no-space length-first "
            "digest-of-nothing redirect-wanted continue-wanted chunked chunked-digest-raw nul-in-the-status "
            "nul-first nul-in-the-body header-long-line header-of-60-kib header-in-pieces header-end-in-pieces "
            "body-long regex-found regex-unwanted-not-found regex-header-is-no-body regex-caseless "
            "regex-multiline regex-dotall regex-extended regex-ungreedy regex-dollar regex-utf regex-ucp "
            "regex-digits regex-hexadecimal regex-group-back regex-torn regex-torn-lookbehind regex-min-offset "
            "regex-min-offset-reached regex-min-offset-passed regex-min-offset-lookbehind regex-beyond-the-length "
            "regex-within-the-length regex-catastrophe-unwanted regex-bad-utf regex-nul regex-stack"
        ),
        "https": (
            "good good-compliant good-1.2 good-1.3 good-long name name-of-its-own name-without-virtualhost "
            "name-of-the-url cut-at-the-end"
        ),
    },
    "Remote SMTP server {} succeed on service.": {
        "smtp": "good good-name host-block greeting-line-feed greeting-of-400-bytes greeting-two-lines rude-at-quit",
    },
    "SMTP_CHECK Bad HELO response from server {}": {
        "smtp": "wrong-name multi-line-helo many-lines-helo helo-550 helo-251 helo-220 helo-empty",
    },
    "SMTP_CHECK Bad greeting banner from server {}": {
        "smtp": (
            "multi-line-greeting greeting-554 greeting-421 greeting-220-alone greeting-2200 greeting-other "
            "greeting-space greeting-empty-line greeting-nul greeting-nul-first greeting-of-600-bytes "
            "greeting-of-4-kib greeting-long greeting-endless http"
        ),
    },
    "SMTP_CHECK Connection timeout to server {}": {
        "smtp": "full",
    },
    "SMTP_CHECK Could not connect to server {}": {
        "smtp": "refuses",
    },
    "SMTP_CHECK Read failure from server {}": {
        "smtp": (
            "closes-at-once closes-in-the-greeting closes-after-the-greeting closes-after-helo closes-before-quit "
            "reset-at-helo reset-at-quit half-close tls"
        ),
    },
    "SMTP_CHECK Read timeout from server {}": {
        "smtp": "greeting-trickles greeting-without-end silent silent-at-helo silent-at-quit",
    },
    "SSL handshake/communication error connecting to server {}.": {
        "https": "old-1.1 old-1.0 name-not-told name-wrong plain-first garbage alert half-a-hello half-close",
    },
    "SSL read error from server {}.": {
        "https": "no-data",
    },
    "TCP connection to {} failed.": {
        "tcp": "refuses",
    },
    "TCP connection to {} success.": {
        "tcp": "good closes-at-once talks",
    },
    "TCP connection to {} timeout.": {
        "tcp": "full",
    },
    "Timeout HTTP read server {}.": {
        "http": (
            "silent-in-the-header silent-in-the-body keeps-the-connection trickles-slowly trickles body-endless "
            "regex-endless"
        ),
    },
    "Timeout WEB read server {}.": {
        "http": "silent silent-when-asked",
    },
    "Timeout connecting server {}.": {
        "http": "full",
        "https": "plain half-a-hello-silent trickles-a-hello silent",
    },
    "Timeout SSL read server {}.": {
        "https": "silent-when-asked silent-in-the-body keeps-the-connection trickles body-endless",
    },
}

EITHER = {
    "http": "reset-at-once closes-at-once",
    "https": "reset-at-once closes-at-once",
    "smtp": "reset-at-once",
}
"""The server goes while it is being connected to: it is down, by one line or another."""

OTHERWISE = {
    "http-trickles": "the whole of a response is bounded",
    "http-body-endless": "the whole of a response is bounded",
    "http-regex-endless": "the whole of a response is bounded",
    "https-body-endless": "keepalived reads on as long as data come without a pause",
    "smtp-greeting-trickles": "the whole of a dialogue is bounded",
    "http-header-of-60-kib": "headers up to 64 KiB are read, keepalived's end at 4 KiB",
    "https-trickles-a-hello": "keepalived says now this, now that it is no handshake",
    "https-silent-when-asked": "keepalived says now this, now that reading failed",
    "https-silent-in-the-body": "keepalived says now this, now that reading failed",
    "https-name-of-its-own": "2.2.7 has no sni_name yet",
    "smtp-greeting-nul": "refused at once, keepalived waits for a line that does not end",
    "smtp-greeting-nul-first": "refused at once, keepalived waits for a line that does not end",
    "smtp-greeting-of-600-bytes": "one line, keepalived says that its buffer is too small, again and again",
    "smtp-greeting-of-4-kib": "one line, keepalived says that its buffer is too small, again and again",
    "smtp-greeting-long": "one line, keepalived says that its buffer is too small, again and again",
    "smtp-greeting-endless": "one line, keepalived says that its buffer is too small, again and again",
}
"""Where keepalived 2.2.7 says something else, or nothing at all."""


def lines() -> dict[str, str]:
    """The line of each case, with {} for the target."""
    return {
        f"{kind}-{name}": line
        for line, kinds in EXPECTED.items()
        for kind, names in kinds.items()
        for name in names.split()
    }


def either() -> set[str]:
    """The names of those that are down by one line or another."""
    return {f"{kind}-{name}" for kind, names in EITHER.items() for name in names.split()}
