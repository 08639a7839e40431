"""Characters that look like others: what a word processor, a web page or a chat makes of quotes, blanks and dashes."""

import re
import unicodedata

from pykeepalived.config.diagnostics import Diagnostic, Findings, Severity
from pykeepalived.config.lexer import Line

_QUOTES = dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u02ba", '"')
_APOSTROPHES = dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc", "'")
_DASHES = dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
_BLANKS = dict.fromkeys(
    "\u00a0\u0085\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B))), " "
)
_INVISIBLE = dict.fromkeys("\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", "")
_WIDE = {chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)}
# bytes of Windows' and Latin's tables in a file that is not UTF-8
_OF_BYTES = {0x93: '"', 0x94: '"', 0x91: "'", 0x92: "'", 0x96: "-", 0x97: "-", 0xA0: " "}
_BYTES = {chr(0xDC00 + byte): plain for byte, plain in _OF_BYTES.items()}
_PLAIN = {**_QUOTES, **_APOSTROPHES, **_DASHES, **_BLANKS, **_INVISIBLE, **_WIDE, **_BYTES}
_NEVER = {*_BLANKS, *_INVISIBLE, chr(0xDC00 + 0xA0)}
"""Not even between quotes, where the others are text."""
_FOUND = re.compile("[" + "".join(map(re.escape, _PLAIN)) + "]")


def look_for(line: Line, findings: Findings) -> None:
    """Warns of the first character of a line that was probably meant to be a plain one."""
    for found in _FOUND.finditer(line.text):
        at = found.start()
        character = found.group()
        if character not in _NEVER and line.text.count('"', 0, at) % 2:
            continue
        plain = _PLAIN[character]
        message = f"{_name(character)} stands here, and is no {_meant(plain)}"
        hint = f"type a plain {plain}" if plain.strip() else "type a plain blank" if plain else "remove it"
        hint += "; text that is pasted from a document often has such characters"
        findings.add_cause(Diagnostic(Severity.WARNING, message, line.span(at, at + 1), hint))
        return


def _meant(plain: str) -> str:
    return f"plain {plain}" if plain.strip() else "blank: it is part of the word" if plain else "visible character"


def _name(character: str) -> str:
    """``“ (U+201C LEFT DOUBLE QUOTATION MARK)``; the character itself only where it can be seen."""
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"the byte {code - 0xDC00:02X}, of a file that is not UTF-8,"
    name = f"U+{code:04X} {unicodedata.name(character, '')}".rstrip()
    return f"{character} ({name})" if character.isprintable() and character not in _NEVER else name
