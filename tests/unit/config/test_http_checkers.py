"""HTTP_GET and SSL_GET: urls, regular expressions, SNI."""

from dataclasses import replace

import pytest

from pykeepalived import pcre2
from pykeepalived.config.blocks.checkers import HttpGet, HttpsUrl, HttpUrl, SslGet
from pykeepalived.config.load import Loaded
from tests.config.reading import messages, read, server, server_text

KINDS = ["HTTP_GET", "SSL_GET"]


def get(name: str, lines: str, outer: str = "", real: str = "") -> HttpGet | SslGet:
    (found,) = server(outer, f"{real}\n{name} {{\n{lines}\n}}").real_server[0].checkers
    assert isinstance(found, HttpGet | SslGet)
    return found


def url(lines: str, name: str = "HTTP_GET") -> HttpUrl:
    (found,) = get(name, f"url {{\npath /\n{lines}\n}}").url
    return found


def loaded(lines: str) -> tuple[Loaded, HttpUrl]:
    result = read(server_text("", f"HTTP_GET {{\nurl {{\npath /\n{lines}\n}}\n}}"))
    (found,) = result.configuration.virtual_server[0].real_server[0].checkers
    assert isinstance(found, HttpGet)
    return result, found.url[0]


@pytest.mark.parametrize("name", KINDS)
def test_the_host_header_is_that_of_the_nearest_block(name: str) -> None:
    plain = "url {\npath /\n}"
    assert get(name, plain).url[0].virtualhost is None
    assert get(name, plain, "virtualhost vs").url[0].virtualhost == "vs"
    assert get(name, plain, "virtualhost vs", "virtualhost rs").url[0].virtualhost == "rs"
    assert get(name, f"{plain}\nvirtualhost check", "virtualhost vs").url[0].virtualhost == "check"
    own = "url {\npath /\nvirtualhost url\n}\nvirtualhost check"
    assert get(name, own, "virtualhost vs").url[0].virtualhost == "url"


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    ("lines", "enabled", "sent"),
    [
        ("", False, None),
        ("enable_sni", True, None),
        ("enable_sni off", False, None),
        ("sni_name", True, None),
        ("sni_name shop.example", True, "shop.example"),
        ("sni_name shop.example\nenable_sni off", True, "shop.example"),
    ],
)
def test_sni(name: str, lines: str, enabled: bool, sent: str | None) -> None:
    found = get(name, f"url {{\npath /\n}}\n{lines}")
    assert (found.enable_sni, found.sni_name) == (enabled, sent)


def test_tls_compliant_is_of_the_checker_or_of_one_url() -> None:
    found = get("SSL_GET", "url {\npath /a\n}\nurl {\npath /b\ntls_compliant off\n}\ntls_compliant")
    assert isinstance(found, SslGet)
    assert found.tls_compliant
    assert found.url == (HttpsUrl(path="/a", tls_compliant=True), HttpsUrl(path="/b", tls_compliant=False))
    assert get("SSL_GET", "url {\npath /a\ntls_compliant\n}").url == (HttpsUrl(path="/a", tls_compliant=True),)
    assert (
        "Unknown keyword 'tls_compliant'"
        in messages(read(server_text("", "HTTP_GET {\nurl {\npath /\n}\ntls_compliant\n}")))[0]
    )


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    ("lines", "counts"),
    [
        ("", ["has no url - the checker is dropped"]),
        ("url {\n}", ["has no url - the checker is dropped", "url without a path"]),
    ],
)
def test_a_checker_without_urls_is_dropped(name: str, lines: str, counts: list[str]) -> None:
    found = read(server_text("", f"{name} {{\n{lines}\n}}"))
    assert found.configuration.virtual_server[0].real_server[0].checkers == ()
    assert len(messages(found)) == len(counts)
    assert all(what in each for what, each in zip(counts, messages(found), strict=True))


@pytest.mark.parametrize(
    ("lines", "counts"),
    [
        ("http_protocol", "http_protocol needs one of 1.0, 1.0C, 1.1"),
        ("http_protocol 2", "unknown value '2'"),
        ("nb_get_retry 3", "'nb_get_retry' is deprecated"),
        ("virtualhost", "virtualhost needs a word"),
        ("sni_name a\nsni_name b", "sni_name is set already, this one replaces it"),
        ("url {\npath /\nvirtualhost\n}", "virtualhost needs a word"),
        ("url {\npath /\ndigest 12\n}", "'12' is not 32 hexadecimal digits"),
    ],
)
@pytest.mark.parametrize("name", KINDS)
def test_mistakes_of_a_request(name: str, lines: str, counts: str) -> None:
    found = read(server_text("", f"{name} {{\nurl {{\npath /\n}}\n{lines}\n}}"))
    assert found.exit_code == 5
    assert any(counts in each for each in messages(found)), messages(found)
    assert len(found.configuration.virtual_server[0].real_server[0].checkers) == 1


def test_status_codes_that_are_good_stand_beside_bad_ones() -> None:
    result, found = loaded("status_code 200 x 300-299 404")
    assert found.status_code == ((200, 200), (404, 404))
    assert "'x', '300-299' outside range [100, 599]" in messages(result)[0]
    result, found = loaded("status_code")
    assert found.status_code == ((200, 299),)
    assert result.exit_code == 0
    assert "status_code has no codes after it" in result.diagnostics[0].message


@pytest.mark.parametrize(
    ("written", "regex"),
    [
        ('"abc"', "abc"),
        ("abc", "abc"),
        ('""', ""),
        (r'"a\\d+\\.x"', r"a\d+\.x"),
        (r'"a\x41\042b"', 'aA"b'),
        (r'"a\x4142\xe9"', "aB\udce9"),
        (r"'a b'", "a b"),
        (r'"a\tb"', "a\tb"),
        ('"a{2}#!"', "a{2}#!"),
    ],
)
def test_a_regex_is_decoded_once(written: str, regex: str) -> None:
    assert url(f"regex {written}").regex == regex


def test_options_of_a_regex() -> None:
    found = url(
        'regex "a"\nregex_options caseless multiline\nregex_options dotall caseless\n'
        "regex_no_match\nregex_min_offset 5\nregex_max_offset 90\nregex_stack 100 2000"
    )
    assert found == HttpUrl(
        path="/",
        regex="a",
        regex_options=("caseless", "multiline", "dotall"),
        regex_no_match=True,
        regex_min_offset=5,
        regex_max_offset=90,
        regex_stack=(100, 2000),
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("regex", "regex needs exactly one word"),
        ('regex "a" "b"', "needs exactly one word"),
        ("regex_options caseles", "unknown option 'caseles' is ignored"),
        ("regex_min_offset x", "invalid number 'x' is ignored"),
        ("regex_max_offset -1", "invalid number '-1' is ignored"),
        ("regex_min_offset", "needs one number"),
        ("regex_stack 5", "needs two numbers"),
        ("regex_stack 10 5", "the first is above the second"),
        ("regex_stack x 5", "invalid number 'x'"),
    ],
)
def test_what_is_wrong_with_a_regex_is_said_and_does_not_count(lines: str, message: str) -> None:
    result, found = loaded(f"{lines}\n{'' if lines.startswith('regex ') or lines == 'regex' else 'regex z'}")
    assert result.exit_code == 0
    assert any(message in each.message for each in result.diagnostics), result.diagnostics
    assert all(each.hint for each in result.diagnostics)
    assert replace(found, regex=None) == HttpUrl(path="/")


def test_a_search_that_ends_before_it_begins_is_said() -> None:
    """And neither bound counts, as in keepalived."""
    result, found = loaded('regex "a"\nregex_min_offset 9\nregex_max_offset 8')
    assert (found.regex_min_offset, found.regex_max_offset) == (0, None)
    assert "both are ignored" in result.diagnostics[0].message
    result, found = loaded('regex "a"\nregex_min_offset 8\nregex_max_offset 8')
    assert (found.regex_min_offset, found.regex_max_offset, len(result.diagnostics)) == (8, 8, 0)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('regex "a(b"', "Invalid regex: 'a(b' at offset 3: missing closing parenthesis - it is ignored"),
        ('regex "a\\\\Cb"\nregex_options never_backslash_c', r"using \C is disabled"),
        ("regex_no_match", "regex_no_match does nothing without regex"),
        ("regex_options utf", "regex_options does nothing without regex"),
    ],
)
def test_a_pattern_that_is_none_is_said_with_its_place(lines: str, message: str) -> None:
    """The url is judged without it and its options, and the test mode is content, as keepalived's is."""
    result, found = loaded(lines)
    assert result.exit_code == 0
    (said,) = result.diagnostics
    assert message in said.message
    assert (said.span is not None, said.hint is not None) == (True, True)
    assert found == HttpUrl(path="/")


def test_without_the_library_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcre2, "LIBRARY", "libnone.so.0")
    pcre2._library.cache_clear()
    pcre2.compiled.cache_clear()
    result, found = loaded('regex "never compiled before"')
    pcre2._library.cache_clear()
    assert found.regex is None
    assert "regex needs libnone.so.0, which is not installed" in result.diagnostics[0].message


@pytest.mark.parametrize(("name", "well"), [("a" * 63 + ".example", True), ("a" * 64 + ".example", False)])
@pytest.mark.parametrize("line", ["sni_name {}", "enable_sni\nvirtualhost {}"])
def test_a_name_that_tls_cannot_send_is_said(name: str, line: str, *, well: bool) -> None:
    text = server_text("", f"SSL_GET {{\n{line.format(name)}\nurl {{\npath /\n}}\n}}")
    said = [each.message for each in read(text).diagnostics if "server name" in each.message]
    assert said == ([] if well else [f"'{name}' can be no server name of TLS: the check of this url fails"])
