"""Servers nobody would want, and a few good ones beside them: ``python -m tests.support.hostile_servers``.

Each case has an address of its own on the loopback, the same port for all. A case says which checker meets it
(``kind``) and the lines of that checker's block; what the checker must find is the business of the tests.
"""

import asyncio
import contextlib
import os
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import TypeAlias

from tests.support.director import CHECKOUT
from tests.support.netns import Host

PORT = 8090
PATIENCE = 20.0  # how long a server that does nothing goes on doing it

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter
Handler = Callable[[Reader, Writer], Awaitable[None]]

BODY = b"hello, checker\n" * 400
DIGEST = md5(BODY, usedforsecurity=False).hexdigest()
OK = b"HTTP/1.0 200 OK\r\nServer: hostile\r\n"
GOOD = OK + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


@dataclass(frozen=True, slots=True)
class Case:
    """One server. ``handler`` None: nobody listens; ``tls``: how the stream below it is encrypted, if it is."""

    name: str
    kind: str  # TCP_CHECK, HTTP_GET, SSL_GET, SMTP_CHECK
    handler: Handler | None
    url: str = ""  # lines of the url block
    lines: str = ""  # lines of the checker's block
    tls: "Callable[[Path], ssl.SSLContext] | None" = None
    full: bool = False  # the queue of connections is full: nobody is let in

    @property
    def block(self) -> str:
        """The checker's block in a configuration."""
        url = f"url {{\npath /\n{self.url}\n}}\n" if self.kind in ("HTTP_GET", "SSL_GET") else ""
        return f"{self.kind} {{\n{url}{self.lines}\n}}\n"


# what a server does


async def _request(reader: Reader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


def answer(*pieces: bytes, pause: float = 0.0) -> Handler:
    """Read the request, send the pieces, close."""

    async def handler(reader: Reader, writer: Writer) -> None:
        await _request(reader)
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(pause)
            writer.write(piece)
            await writer.drain()

    return handler


def first(data: bytes) -> Handler:
    """Send before anything was asked, end this side, and let the other go on."""

    async def handler(reader: Reader, writer: Writer) -> None:
        writer.write(data)
        await writer.drain()
        if data:
            writer.write_eof()
            await reader.read()

    return handler


def reset(data: bytes = b"", *, asked: bool = True) -> Handler:
    """Reset the connection after so much of an answer."""

    async def handler(reader: Reader, writer: Writer) -> None:
        if asked:
            await _request(reader)
        if data:
            writer.write(data)
            await writer.drain()
            await asyncio.sleep(0.2)  # so that the data are read before the reset
        _reset_at_close(writer)

    return handler


def _reset_at_close(writer: Writer) -> None:
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def silent(data: bytes = b"", *, asked: bool = False) -> Handler:
    """Say this much, then nothing, and keep the connection."""

    async def handler(reader: Reader, writer: Writer) -> None:
        if asked:
            await _request(reader)
        if data:
            writer.write(data)
        await asyncio.sleep(PATIENCE)

    return handler


def trickle(data: bytes, pause: float, *, asked: bool = True) -> Handler:
    """A byte now and then."""

    async def handler(reader: Reader, writer: Writer) -> None:
        if asked:
            await _request(reader)
        for octet in data:
            writer.write(bytes((octet,)))
            await writer.drain()
            await asyncio.sleep(pause)

    return handler


def endless(head: bytes, again: bytes, pause: float = 0.002) -> Handler:
    """The same again and again until the other side has had enough."""

    async def handler(reader: Reader, writer: Writer) -> None:
        await _request(reader)
        writer.write(head)
        while True:
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(pause)

    return handler


def recovers() -> Handler:
    """Busy when asked first, well from then on."""
    asked = 0

    async def handler(reader: Reader, writer: Writer) -> None:
        nonlocal asked
        await _request(reader)
        asked += 1
        writer.write(GOOD if asked > 1 else b"HTTP/1.0 503 Busy\r\n\r\n")

    return handler


async def half_close(reader: Reader, writer: Writer) -> None:
    """Ends its side at once, and answers nothing; reads on."""
    writer.write_eof()
    await reader.read()


async def keep_open(reader: Reader, writer: Writer) -> None:
    """A whole response, after which the connection stays."""
    await _request(reader)
    writer.write(GOOD)
    await asyncio.sleep(PATIENCE)


async def by_host(reader: Reader, writer: Writer) -> None:
    """200 when the right virtual host is asked for, else 404."""
    right = b"\r\nHost: shop.example\r\n" in await _request(reader)
    writer.write(GOOD if right else b"HTTP/1.0 404 Not Found\r\n\r\n")


def smtp(greeting: bytes = b"220 mail.example ESMTP\r\n", helo: bytes = b"250 mail.example\r\n") -> Handler:
    """A small SMTP server with its own idea of answers."""

    async def handler(reader: Reader, writer: Writer) -> None:
        writer.write(greeting)
        await writer.drain()
        while line := await reader.readline():
            if line.upper().startswith((b"HELO ", b"EHLO ")):
                writer.write(helo)
            elif line.upper().startswith(b"QUIT"):
                writer.write(b"221 bye\r\n")
                await writer.drain()
                return
            else:
                writer.write(b"502 what\r\n")
            await writer.drain()

    return handler


# TLS


def contexts(folder: Path) -> ssl.SSLContext:
    """A server's context with a certificate of another name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


def _version(version: ssl.TLSVersion) -> Callable[[Path], ssl.SSLContext]:
    def made(folder: Path) -> ssl.SSLContext:
        context = contexts(folder)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = version
        if version < ssl.TLSVersion.TLSv1_3:
            context.minimum_version = version
        return context

    return made


def _no_version_before(version: ssl.TLSVersion) -> Callable[[Path], ssl.SSLContext]:
    def made(folder: Path) -> ssl.SSLContext:
        context = contexts(folder)
        context.minimum_version = version
        return context

    return made


def _wants_name(folder: Path) -> ssl.SSLContext:
    """The handshake fails unless the right name is asked for."""
    context = contexts(folder)

    def named(_connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> int | None:
        return None if name == "shop.example" else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    context.sni_callback = named
    return context


def _refuses_names(folder: Path) -> ssl.SSLContext:
    context = contexts(folder)

    def named(_connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> int | None:
        return None if name is None else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    context.sni_callback = named
    return context


def _wants_certificate(folder: Path) -> ssl.SSLContext:
    context = contexts(folder)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(folder / "certificate.pem")
    return context


def certificate(folder: Path) -> None:
    """A key, the same behind a passphrase, and a certificate of a name that nobody asks for, expired long ago."""
    config = folder / "openssl.cnf"
    config.write_text(
        f"[ca]\ndefault_ca=own\n[own]\nnew_certs_dir={folder}\ndatabase={folder}/index\nserial={folder}/serial\n"
        "default_md=sha256\npolicy=any\nunique_subject=no\n[any]\ncommonName=supplied\n"
        "[req]\ndistinguished_name=name\n[name]\n"
    )
    (folder / "index").touch()
    (folder / "serial").write_text("01\n")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "key.pem")
    openssl("pkey", "-in", "key.pem", "-aes128", "-passout", "pass:secret", "-out", "locked.pem")
    openssl("req", "-config", "openssl.cnf", "-new", "-key", "key.pem", "-subj", "/CN=other.example", "-out", "r.pem")
    dates = ("-startdate", "20010101000000Z", "-enddate", "20020101000000Z")
    openssl(
        *("ca", "-batch", "-config", "openssl.cnf", "-selfsign", "-keyfile", "key.pem", "-in", "r.pem", "-notext"),
        *(*dates, "-out", "certificate.pem"),
    )


_ALERT = b"\x15\x03\x03\x00\x02\x02\x28"  # fatal handshake_failure
_SERVER_HELLO = b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + b"r" * 20  # begins, and is not whole

_DIGEST = f"digest {DIGEST}"
_LONG_LINE = b"X-Long: " + b"y" * 8000


def _http() -> list[Case]:
    def get(name: str, handler: Handler | None, url: str = "", lines: str = "", *, full: bool = False) -> Case:
        return Case(f"http-{name}", "HTTP_GET", handler, url, lines, full=full)

    head, tail = GOOD[:30], GOOD[30:]
    return [
        get("recovers", recovers()),
        get("recovers-digest", recovers(), _DIGEST),
        get("recovers-regex", recovers(), 'regex "checker"'),
        get("recovers-whole", recovers(), _DIGEST + '\nregex "checker"'),
        get("good", answer(GOOD)),
        get("good-digest", answer(GOOD), _DIGEST),
        get("good-in-pieces", answer(*(GOOD[at : at + 700] for at in range(0, len(GOOD), 700)), pause=0.02), _DIGEST),
        get("good-to-the-end", answer(OK + b"\r\n" + BODY), _DIGEST),
        get("good-line-feeds", answer(b"HTTP/1.0 200 OK\nServer: x\n\n" + BODY), _DIGEST),
        get("good-1.1", answer(GOOD.replace(b"1.0", b"1.1", 1)), _DIGEST, "http_protocol 1.1"),
        get("good-1.0C", answer(GOOD), _DIGEST, "http_protocol 1.0C"),
        get("good-before-it-is-asked", first(GOOD)),
        get("good-host", by_host, lines="virtualhost shop.example"),
        get("good-host-of-the-url", by_host, "virtualhost shop.example", "virtualhost other.example"),
        get("wrong-host", by_host, lines="virtualhost other.example"),
        get("no-host", by_host),
        get("refuses", None),
        get("full", None, full=True),
        get("reset-at-once", reset(asked=False)),
        get("reset-when-asked", reset()),
        get("reset-in-the-status", reset(b"HTTP/1.0 20")),
        get("reset-in-the-header", reset(OK)),
        get("reset-in-the-body", reset(GOOD[:900])),
        get("reset-at-the-end", reset(GOOD)),
        get("closes-at-once", first(b"")),
        get("closes-when-asked", answer(b"")),
        get("closes-in-the-status", answer(b"HTTP/1.0 20")),
        get("closes-after-the-status", answer(b"HTTP/1.0 200 OK\r\n")),
        get("closes-in-the-header", answer(OK)),
        get("closes-after-the-header", answer(OK + b"\r\n")),
        get("closes-in-the-body", answer(GOOD[:900])),
        get("closes-in-the-body-digest", answer(GOOD[:900]), _DIGEST),
        get("half-close", half_close),
        get("silent", silent()),
        get("silent-when-asked", silent(asked=True)),
        get("silent-in-the-header", silent(OK, asked=True)),
        get("silent-in-the-body", silent(GOOD[:900], asked=True)),
        get("keeps-the-connection", keep_open),
        get("trickles-slowly", trickle(GOOD, 6.0)),
        get("trickles", trickle(GOOD, 0.5)),
        get("length-too-short", answer(OK + b"Content-Length: 5\r\n\r\n" + BODY), "digest " + _md5(BODY[:5])),
        get("length-too-short-whole", answer(OK + b"Content-Length: 5\r\n\r\n" + BODY), _DIGEST),
        get("length-too-long", answer(OK + b"Content-Length: 999999\r\n\r\n" + BODY), _DIGEST),
        get("length-none", answer(OK + b"Content-Length: 0\r\n\r\n" + BODY), _DIGEST),
        get("length-negative", answer(OK + b"Content-Length: -5\r\n\r\n" + BODY), _DIGEST),
        get("length-of-letters", answer(OK + b"Content-Length: five\r\n\r\n" + BODY), _DIGEST),
        get("length-huge", answer(OK + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n" + BODY), _DIGEST),
        get("length-twice", answer(OK + b"Content-Length: 5\r\nContent-Length: 6000\r\n\r\n" + BODY), _DIGEST),
        get("length-small-letters", answer(OK + b"content-length: 5\r\n\r\n" + BODY), _DIGEST),
        get("length-no-space", answer(OK + b"Content-Length:5\r\n\r\n" + BODY), "digest " + _md5(BODY[:5])),
        get("length-first", answer(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n" + BODY), "digest " + _md5(BODY[:5])),
        get("digest-of-another", answer(GOOD.replace(b"hello", b"hallo", 1)), _DIGEST),
        get("digest-of-nothing", answer(OK + b"\r\n"), "digest " + _md5(b"")),
        get("503", answer(b"HTTP/1.0 503 Busy\r\n\r\n" + BODY)),
        get("503-digest", answer(b"HTTP/1.0 503 Busy\r\n\r\n" + BODY), _DIGEST),
        get("redirect", answer(b"HTTP/1.0 302 Found\r\nLocation: /elsewhere\r\n\r\n")),
        get("redirect-wanted", answer(b"HTTP/1.0 302 Found\r\nLocation: /\r\n\r\n"), "status_code 200 300-310 404"),
        get("continue", answer(b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD)),
        get("continue-wanted", answer(b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD), "status_code 100"),
        get("chunked", answer(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")),
        get(
            "chunked-digest",
            answer(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
            "digest " + _md5(b"hello"),
        ),
        get(
            "chunked-digest-raw",
            answer(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
            "digest " + _md5(b"5\r\nhello\r\n0\r\n\r\n"),
        ),
        get("status-of-letters", answer(b"HTTP/1.0 abc OK\r\n\r\n")),
        get("status-missing", answer(b"HTTP/1.0\r\n\r\n")),
        get("status-999", answer(b"HTTP/1.0 999 OK\r\n\r\n")),
        get("status-long", answer(b"HTTP/1.0 2000 OK\r\n\r\n")),
        get("status-huge", answer(b"HTTP/1.0 4294967496 OK\r\n\r\n")),
        get("status-negative", answer(b"HTTP/1.0 -200 OK\r\n\r\n")),
        get("status-two-spaces", answer(b"HTTP/1.0  200 OK\r\n\r\n")),
        get("status-tab", answer(b"HTTP/1.0\t200 OK\r\n\r\n")),
        get("status-glued", answer(b"HTTP/1.0 200OK\r\n\r\n")),
        get("status-alone", answer(b"HTTP/1.0 200\r\n\r\n")),
        get("status-of-nothing", answer(b" 200\r\n\r\n")),
        get("status-second-line", answer(b"HTTP/1.0\r\nX 200 OK\r\n\r\n")),
        get("status-empty-line-before", answer(b"\r\n" + GOOD)),
        get("not-http", answer(b"SSH-2.0-OpenSSH 200\r\n\r\n")),
        get("no-header", answer(BODY)),
        get("nothing-but-lines", answer(b"\r\n\r\n")),
        get("nul-in-the-status", answer(b"HTTP/1.0\x00 200 OK\r\n\r\n")),
        get("nul-first", answer(b"\x00HTTP/1.0 200 OK\r\n\r\n")),
        get(
            "nul-in-the-header",
            answer(OK + b"X: a\x00b\r\nContent-Length: 5\r\n\r\n" + BODY),
            "digest " + _md5(BODY[:5]),
        ),
        get("nul-in-the-body", answer(OK + b"\r\na\x00b"), "digest " + _md5(b"a\x00b")),
        get("header-long-line", answer(OK + _LONG_LINE[:2500] + b"\r\n\r\n" + BODY), _DIGEST),
        get("header-of-60-kib", answer(OK + (_LONG_LINE + b"\r\n") * 7 + b"\r\n" + BODY), _DIGEST),
        get("header-of-a-mebibyte", answer(OK + b"X: " + b"y" * 2**20 + b"\r\n\r\n" + BODY), _DIGEST),
        get("header-of-many-lines", answer(OK + b"X: y\r\n" * 40_000 + b"\r\n" + BODY), _DIGEST),
        get("header-endless-line", endless(OK, b"y" * 4000)),
        get("header-endless", endless(OK, b"X: y\r\n" * 500)),
        get("header-in-pieces", answer(head, tail, pause=0.3), _DIGEST),
        get("header-end-in-pieces", answer(OK + b"\r", b"\n" + BODY, pause=0.3), _DIGEST),
        get("body-endless", endless(OK + b"\r\n", BODY)),
        get("body-long", answer(OK + b"\r\n" + BODY * 500), "digest " + _md5(BODY * 500)),
        *_regex(get),
    ]


def _regex(get: Callable[..., Case]) -> list[Case]:
    text = b"alpha beta gamma\nline two: 42\n" + "smörgås\n".encode() + b"x" * 5000 + b"omega\n"
    plain = answer(OK + b"\r\n" + text)
    length = answer(OK + b"Content-Length: 11\r\n\r\n" + text)
    torn = answer(OK + b"\r\nalpha be", b"ta gamma", pause=0.3)
    backwards = b"a" * 40 + b"!"

    def regex(name: str, pattern: str, more: str = "", handler: Handler = plain) -> Case:
        return get(f"regex-{name}", handler, f'regex "{pattern}"\n{more}')

    return [
        regex("found", "beta"),
        regex("not-found", "delta"),
        regex("unwanted-found", "beta", "regex_no_match"),
        regex("unwanted-not-found", "delta", "regex_no_match"),
        regex("header-is-no-body", "hostile"),
        regex("beginning", "^alpha"),
        regex("end", "omega\\\\s*$"),
        regex("end-of-all", "omega\\\\n\\\\z"),
        regex("other-case", "BETA"),
        regex("caseless", "BETA", "regex_options caseless"),
        regex("line-begins", "^line"),
        regex("multiline", "^line", "regex_options multiline"),
        regex("dot-no-line-feed", "gamma.line"),
        regex("dotall", "gamma.line", "regex_options dotall"),
        regex("extended", "gam ma", "regex_options extended"),
        regex("ungreedy", "a.*a beta", "regex_options ungreedy"),
        regex("dollar", "42$", "regex_options multiline"),
        regex("dollar-endonly", "omega$"),
        regex("dollar-endonly-set", "omega$", "regex_options dollar_endonly"),
        regex("firstline", "42", "regex_options firstline"),
        regex("firstline-found", "gamma", "regex_options firstline"),
        regex("utf", "sm.rg.s", "regex_options utf"),
        regex("octets", "sm.rg.s"),
        regex("ucp", "sm\\\\wrg\\\\ws", "regex_options utf ucp"),
        regex("digits", "two: \\\\d+"),
        regex("hexadecimal", "two\\x3a 42"),
        regex("group-back", "(.)\\\\1{4000}"),
        regex("torn", "alpha beta gamma", "", torn),
        regex("torn-end", "gamma$", "", torn),
        regex("torn-lookbehind", "(?<=alpha b)eta", "", torn),
        regex("min-offset", "alpha", "regex_min_offset 1"),
        regex("min-offset-reached", "beta", "regex_min_offset 6"),
        regex("min-offset-passed", "beta", "regex_min_offset 7"),
        regex("min-offset-lookbehind", "(?<= )beta", "regex_min_offset 6"),
        regex("max-offset", "beta", "regex_max_offset 6"),
        regex("max-offset-5", "beta", "regex_max_offset 5"),
        regex("max-offset-7", "beta", "regex_max_offset 7"),
        regex("max-offset-10", "beta", "regex_max_offset 10"),
        regex("max-offset-11", "beta", "regex_max_offset 11"),
        regex("offsets", "gamma", "regex_min_offset 11\nregex_max_offset 12"),
        regex("beyond-the-length", "gamma", "", length),
        regex("within-the-length", "beta", "", length),
        regex("catastrophe", "(a+)+$", "", answer(OK + b"\r\n" + backwards)),
        regex("catastrophe-unwanted", "(a+)+$", "regex_no_match", answer(OK + b"\r\n" + backwards)),
        regex("bad-utf", "x", "regex_options utf", answer(OK + b"\r\n\xff\xfex")),
        regex("nul", "a\\\\x00b", "", answer(OK + b"\r\nxa\x00b")),
        regex("nothing", "^$", "", answer(OK + b"\r\n")),
        regex("empty", "", "", answer(OK + b"\r\n")),
        regex("with-digest", "beta", _DIGEST),
        regex("wrong-status", "beta", "", answer(b"HTTP/1.0 500 No\r\n\r\n" + text)),
        regex("stack", "beta", "regex_stack 1024 65536"),
        regex("endless", "beta", "", endless(OK + b"\r\n", b"beta")),
    ]


def _https() -> list[Case]:
    def get(
        name: str,
        handler: Handler | None,
        url: str = "",
        lines: str = "",
        tls: Callable[[Path], ssl.SSLContext] | None = None,
    ) -> Case:
        return Case(f"https-{name}", "SSL_GET", handler, url, lines, tls)

    versions = ssl.TLSVersion
    return [
        get("good", answer(GOOD), _DIGEST, tls=contexts),
        get("good-compliant", answer(GOOD), _DIGEST, "tls_compliant", contexts),
        get("good-1.2", answer(GOOD), _DIGEST, tls=_version(versions.TLSv1_2)),
        get("good-1.3", answer(GOOD), _DIGEST, tls=_no_version_before(versions.TLSv1_3)),
        get("good-long", answer(OK + b"\r\n" + BODY * 500), "digest " + _md5(BODY * 500), tls=contexts),
        get("old-1.1", answer(GOOD), _DIGEST, tls=_version(versions.TLSv1_1)),
        get("old-1.0", answer(GOOD), _DIGEST, tls=_version(versions.TLSv1)),
        get("name", answer(GOOD), lines="enable_sni\nvirtualhost shop.example", tls=_wants_name),
        get("name-of-its-own", answer(GOOD), lines="sni_name shop.example", tls=_wants_name),
        get("name-not-told", answer(GOOD), lines="virtualhost shop.example", tls=_wants_name),
        get("name-wrong", answer(GOOD), lines="sni_name other.example", tls=_wants_name),
        get("name-without-virtualhost", answer(GOOD), lines="enable_sni", tls=_refuses_names),
        get("name-of-the-url", answer(GOOD), "virtualhost shop.example", "enable_sni", _wants_name),
        get("certificate-wanted", answer(GOOD), tls=_wants_certificate),
        get("503", answer(b"HTTP/1.0 503 Busy\r\n\r\n"), tls=contexts),
        get("no-data", answer(b""), tls=contexts),
        get("closes-in-the-body", answer(GOOD[:900]), _DIGEST, tls=contexts),
        get("cut-in-the-body", cut(GOOD[:900]), _DIGEST, tls=contexts),
        get("cut-at-the-end", cut(GOOD), _DIGEST, tls=contexts),
        get("reset-in-the-body", reset(GOOD[:900]), _DIGEST, tls=contexts),
        get("silent-when-asked", silent(asked=True), tls=contexts),
        get("silent-in-the-body", silent(GOOD[:900], asked=True), tls=contexts),
        get("keeps-the-connection", keep_open, tls=contexts),
        get("trickles", trickle(GOOD, 0.5), tls=contexts),
        get("body-endless", endless(OK + b"\r\n", BODY), tls=contexts),
        get("refuses", None),
        get("plain", answer(GOOD)),
        get("plain-first", first(GOOD)),
        get("garbage", first(b"\x00\xff" * 500)),
        get("alert", first(_ALERT)),
        get("half-a-hello", first(_SERVER_HELLO)),
        get("half-a-hello-silent", silent(_SERVER_HELLO)),
        get("trickles-a-hello", trickle(_SERVER_HELLO, 0.5, asked=False)),
        get("silent", silent()),
        get("closes-at-once", first(b"")),
        get("half-close", half_close),
        get("reset-at-once", reset(asked=False)),
    ]


def cut(data: bytes) -> Handler:
    """End a TLS stream below TLS: no close_notify."""

    async def handler(reader: Reader, writer: Writer) -> None:
        await _request(reader)
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(0.1)
        os.dup2(_null(), writer.get_extra_info("socket").fileno())  # the last descriptor of the connection goes

    return handler


def _null() -> int:
    return os.open(os.devnull, os.O_RDWR)


def _smtp() -> list[Case]:
    def mail(name: str, handler: Handler | None, lines: str = "", *, full: bool = False) -> Case:
        return Case(f"smtp-{name}", "SMTP_CHECK", handler, "", lines, full=full)

    async def helo_of_a_name(reader: Reader, writer: Writer) -> None:
        writer.write(b"220 mail.example\r\n")
        right = await reader.readline() == b"HELO probe.example\r\n"
        writer.write(b"250 well\r\n" if right else b"550 who\r\n")
        await reader.readline()
        writer.write(b"221 bye\r\n")

    async def closes_after_helo(reader: Reader, writer: Writer) -> None:
        writer.write(b"220 mail.example\r\n")
        await reader.readline()
        writer.write(b"250 well\r\n")

    async def closes_before_quit(reader: Reader, writer: Writer) -> None:
        writer.write(b"220 mail.example\r\n250 well\r\n")
        await writer.drain()
        await reader.readline()

    async def no_bye(reader: Reader, writer: Writer) -> None:
        writer.write(b"220 mail.example\r\n")
        await reader.readline()
        writer.write(b"250 well\r\n")
        await reader.readline()
        await asyncio.sleep(PATIENCE)

    async def rude_bye(reader: Reader, writer: Writer) -> None:
        writer.write(b"220 mail.example\r\n")
        await reader.readline()
        writer.write(b"250 well\r\n")
        await reader.readline()
        writer.write(b"500 stay\r\n")
        await reader.read()

    async def reset_at_helo(reader: Reader, writer: Writer) -> None:
        writer.write(b"220 mail.example\r\n")
        await reader.readline()
        _reset_at_close(writer)

    async def reset_at_quit(reader: Reader, writer: Writer) -> None:
        writer.write(b"220 mail.example\r\n")
        await reader.readline()
        writer.write(b"250 well\r\n")
        await reader.readline()
        _reset_at_close(writer)

    async def silent_at_helo(reader: Reader, writer: Writer) -> None:
        writer.write(b"220 mail.example\r\n")
        await reader.readline()
        await asyncio.sleep(PATIENCE)

    many = b"".join(b"250-EXTENSION%d\r\n" % number for number in range(20)) + b"250 last\r\n"
    return [
        mail("good", smtp()),
        mail("good-name", helo_of_a_name, "helo_name probe.example"),
        mail("wrong-name", helo_of_a_name),
        mail("host-block", helo_of_a_name, "host {\nconnect_timeout 1.5\n}\nhelo_name probe.example"),
        mail("multi-line-greeting", smtp(b"220-mail.example\r\n220-be nice\r\n220 go on\r\n")),
        mail("multi-line-helo", smtp(helo=b"250-mail.example\r\n250-SIZE\r\n250 HELP\r\n")),
        mail("many-lines-helo", smtp(helo=many)),
        mail("greeting-554", smtp(b"554 no\r\n")),
        mail("greeting-421", smtp(b"421 busy\r\n")),
        mail("greeting-220-alone", smtp(b"220\r\n")),
        mail("greeting-2200", smtp(b"2200 x\r\n")),
        mail("greeting-line-feed", smtp(b"220 mail.example\n")),
        mail("greeting-other", smtp(b"hello\r\n")),
        mail("greeting-space", smtp(b" 220 mail.example\r\n")),
        mail("greeting-empty-line", smtp(b"\r\n220 mail.example\r\n")),
        mail("greeting-nul", smtp(b"220 mail\x00example\r\n")),
        mail("greeting-nul-first", smtp(b"\x00220 mail.example\r\n")),
        mail("greeting-of-400-bytes", smtp(b"220 " + b"x" * 394 + b"\r\n")),
        mail("greeting-of-600-bytes", smtp(b"220 " + b"x" * 594 + b"\r\n")),
        mail("greeting-of-4-kib", smtp(b"220 " + b"x" * 4090 + b"\r\n")),
        mail("greeting-long", smtp(b"220 " + b"x" * 200_000 + b"\r\n")),
        mail("greeting-in-pieces", trickle(b"220 mail\r\n250 well\r\n221 bye\r\n", 0.05, asked=False)),
        mail("greeting-trickles", trickle(b"220 mail.example\r\n250 well\r\n", 0.5, asked=False)),
        mail("greeting-without-end", silent(b"220 mail.example")),
        mail("greeting-endless", smtp(b"220 " + b"x" * 3_000_000)),
        mail("greeting-two-lines", smtp(b"220 mail.example\r\n554 no\r\n")),
        mail("helo-550", smtp(helo=b"550 no\r\n")),
        mail("helo-251", smtp(helo=b"251 well\r\n")),
        mail("helo-220", smtp(helo=b"220 well\r\n")),
        mail("helo-empty", smtp(helo=b"\r\n")),
        mail("silent", silent()),
        mail("silent-at-helo", silent_at_helo),
        mail("silent-at-quit", no_bye),
        mail("rude-at-quit", rude_bye),
        mail("closes-at-once", first(b"")),
        mail("closes-in-the-greeting", first(b"220 mail")),
        mail("closes-after-the-greeting", first(b"220 mail.example\r\n")),
        mail("closes-after-helo", closes_after_helo),
        mail("closes-before-quit", closes_before_quit),
        mail("reset-at-once", reset(asked=False)),
        mail("reset-at-helo", reset_at_helo),
        mail("reset-at-quit", reset_at_quit),
        mail("half-close", half_close),
        mail("refuses", None),
        mail("full", None, full=True),
        mail("http", first(GOOD)),
        mail("tls", first(_ALERT)),
    ]


def _tcp() -> list[Case]:
    def tcp(name: str, handler: Handler | None, *, full: bool = False) -> Case:
        return Case(f"tcp-{name}", "TCP_CHECK", handler, full=full)

    return [
        tcp("good", silent()),
        tcp("closes-at-once", first(b"")),
        tcp("reset-at-once", reset(asked=False)),
        tcp("talks", first(GOOD)),
        tcp("refuses", None),
        tcp("full", None, full=True),
    ]


def _md5(data: bytes) -> str:
    return md5(data, usedforsecurity=False).hexdigest()


CASES = {case.name: case for case in (*_tcp(), *_http(), *_https(), *_smtp())}


def address(name: str) -> str:
    """Where a case is served."""
    number = list(CASES).index(name)
    return f"127.66.{number // 250}.{number % 250 + 1}"


@contextlib.contextmanager
def serving(host: Host) -> Iterator[None]:
    """All servers, in a host of a test."""
    argv = [sys.executable, "-W", "ignore", "-m", "tests.support.hostile_servers"]
    with host.popen(argv, stdout=subprocess.PIPE, cwd=CHECKOUT) as servers:
        try:
            assert servers.stdout is not None
            assert servers.stdout.readline() == b"ready\n"
            yield
        finally:
            servers.kill()


def config(timing: str) -> str:
    """A virtual server with all of them; ``timing`` are lines of every checker."""
    text = ["virtual_server 10.99.0.1 80 {", "lvs_sched rr", "protocol TCP"]
    for name, case in CASES.items():
        block = case.block.replace("{\n", "{\n" + timing, 1)
        text += [f"real_server {address(name)} {PORT} {{", block, "}"]
    return "\n".join(["global_defs {", "}", *text, "}", ""])


# carrying it out


async def serve(folder: Path) -> None:
    """Serve all cases until killed."""
    kept: list[object] = []
    for case in CASES.values():
        where = (address(case.name), PORT)
        if case.full:
            kept.append(_full(where))
        elif case.handler is not None:
            context = None if case.tls is None else case.tls(folder)
            kept.append(await asyncio.start_server(_answering(case.handler), *where, ssl=context, backlog=64))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def _answering(handler: Handler) -> Callable[[Reader, Writer], Awaitable[None]]:
    async def answered(reader: Reader, writer: Writer) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ssl.SSLError):
            try:
                await handler(reader, writer)
            finally:
                writer.close()
                await writer.wait_closed()

    return answered


def _full(where: tuple[str, int]) -> list[socket.socket]:
    """A listener that accepts nobody, its queue filled."""
    listener = socket.create_server(where, backlog=0)
    waiting = []
    for _ in range(3):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(where)
        waiting.append(one)
    return [listener, *waiting]


def main() -> None:
    """Make a certificate, serve; the folder may be given."""
    with tempfile.TemporaryDirectory(prefix="pyk-hostile-") as made:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else made)
        if not (folder / "certificate.pem").exists():
            certificate(folder)
        asyncio.run(serve(folder))


if __name__ == "__main__":
    main()
