"""The kinds of value that only virtual servers and their checkers have: methods, payloads, patterns, status codes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import AddressValueError, IPv4Address
from typing import Any, ClassVar, Literal

from pykeepalived.config.kinds import (
    NOTHING,
    Entries,
    Kind,
    Problem,
    Refused,
    Word,
    number,
)
from pykeepalived.records import record

SIZE_MAX = 2**64 - 1
LABEL_MAX = 63
NAME_MAX = 253


@record(frozen=True, slots=True)
class LvsMethod:
    """How packets reach a real server."""

    forward: Literal["NAT", "DR", "TUN"] = "NAT"
    tunnel_type: Literal["ipip", "gue", "gre"] = "ipip"
    tunnel_port: int = 0
    checksum: Literal["nocsum", "csum", "remcsum"] = "nocsum"

    def __str__(self) -> str:
        """As it stands in the file."""
        return Method().write(self)


@record(frozen=True, slots=True)
class Method(Kind):
    """A forwarding method, and how the tunnel is made."""

    def read(self, words: Sequence[str]) -> LvsMethod:
        """The method. Where an option is wrong, the method without it is kept."""
        if not words:
            raise Refused("needs a forwarding method", -1, "write NAT, DR or TUN", Problem.LACKS_WORD)
        forward = words[0]
        if forward not in ("NAT", "DR", "TUN"):
            meant = forward.upper()
            hint = f"write {meant}: case matters here" if meant in ("NAT", "DR", "TUN") else "write NAT, DR or TUN"
            raise Refused(f"unknown forwarding method '{forward}'", 0, hint)
        method = LvsMethod(forward)  # type: ignore[arg-type]
        if len(words) == 1:
            return method
        tunnel = _tunnel(words, method)
        if method.forward != "TUN":
            hint = "remove them, or write TUN"
            raise Refused(f"{forward} has no tunnel, its options are ignored", 1, hint, problem=None, kept=method)
        return tunnel

    def write(self, value: Any) -> str:
        """The method, and what differs from a plain tunnel."""
        said = [value.forward]
        if value.tunnel_type != "ipip":
            said += ["type", value.tunnel_type]
        if value.tunnel_port:
            said += ["port", str(value.tunnel_port)]
        if value.checksum != "nocsum":
            said.append(value.checksum)
        return " ".join(said)

    def expected(self) -> str:
        """The methods."""
        return "NAT|DR|TUN"

    def arguments(self) -> str:
        """The method and the options of a tunnel."""
        return "NAT|DR|TUN [type ipip|gue|gre] [port N] [nocsum|csum|remcsum]"


def _tunnel(words: Sequence[str], plain: LvsMethod) -> LvsMethod:
    """The options behind TUN. They are looked at behind the other methods as well."""
    method = plain
    at = 1
    while at < len(words):
        word = words[at]
        value = words[at + 1] if at + 1 < len(words) else None
        if word in ("nocsum", "csum", "remcsum"):
            method = replace(method, checksum=word)  # type: ignore[arg-type]
            at += 1
            continue
        if word not in ("type", "port"):
            hint = "write TUN [type ipip|gue|gre] [port N] [nocsum|csum|remcsum]"
            raise Refused(f"unknown option '{word}' of a tunnel - ignored", at, hint, kept=plain)
        if value is None:
            raise Refused(f"{word} lacks its value", at, f"write {_TUNNEL_HINT[word]}", kept=plain)
        if word == "type":
            if value not in ("ipip", "gue", "gre"):
                raise Refused(f"unknown type of tunnel '{value}'", at + 1, "write ipip, gue or gre", kept=plain)
            method = replace(method, tunnel_type=value)  # type: ignore[arg-type]
        else:
            method = replace(method, tunnel_port=_tunnel_port(value, at + 1, plain))
        at += 2
    return _whole(method)


_TUNNEL_HINT = {"type": "type ipip, type gue or type gre", "port": "port and a number from 1 to 65535"}


def _tunnel_port(text: str, word: int, plain: LvsMethod) -> int:
    try:
        port = number(text)
    except Refused as refused:
        port, hint = 0, refused.hint
    else:
        hint = "use a number from 1 to 65535"
    if not 1 <= port <= 65535:
        message = f"'{text}' is no port from 1 to 65535"
        kept = plain if plain.forward != "TUN" else NOTHING
        raise Refused(message, word, hint, Problem.INVALID_NUMBER, kept=kept)
    return port


def _whole(method: LvsMethod) -> LvsMethod:
    """Options that must go together, or must not."""
    kind, checksum = method.tunnel_type, method.checksum
    if (kind == "gue") != bool(method.tunnel_port):
        # a gue tunnel cannot do without: another kind of tunnel would reach nobody
        usable = kind != "gue" or method.forward != "TUN"
        kept = replace(method, tunnel_type="ipip" if kind == "gue" else kind, tunnel_port=0) if usable else NOTHING
        message = "a port goes with the type gue, and with nothing else"
        raise Refused(message, 1, "write TUN type gue port N", kept=kept)
    if (kind == "ipip" and checksum in ("csum", "remcsum")) or (kind == "gre" and checksum == "remcsum"):
        kept = replace(method, checksum="nocsum")
        raise Refused(f"{kind} has no {checksum} - ignored", 1, f"remove {checksum}", kept=kept)
    return method


@record(frozen=True, slots=True)
class Granularity(Kind):
    """What makes clients one: a netmask of IPv4, or the length of an IPv6 prefix."""

    def read(self, words: Sequence[str]) -> IPv4Address | int:
        """The netmask, or the number."""
        if not words:
            raise Refused("needs a netmask or a prefix length", -1, problem=Problem.LACKS_WORD)
        text = words[0]
        if "." in text:
            try:
                return IPv4Address(text)
            except (AddressValueError, ValueError):
                raise Refused(f"invalid netmask '{text}'", 0, "write four numbers, as 255.255.255.0") from None
        bits = number(text)
        if not 1 <= bits <= 128:
            hint = "use 1 to 128 for IPv6, and a netmask such as 255.255.255.0 for IPv4"
            raise Refused(f"number '{text}' outside range [1, 128]", 0, hint, Problem.INVALID_NUMBER)
        return bits

    def arguments(self) -> str:
        """Either."""
        return "NETMASK|PREFIXLEN"


@dataclass(frozen=True, slots=True)
class Cut(Kind):
    """A word that is cut where it is too long, and that is an error."""

    longest: int

    def read(self, words: Sequence[str]) -> str:
        """The word."""
        if not words:
            raise Refused("needs a word after it", -1, problem=Problem.LACKS_WORD)
        word = words[0]
        if len(word) > self.longest:
            hint = f"at most {self.longest} characters count: {word[: self.longest]}"
            raise Refused(f"'{word}' is too long, truncating", 0, hint, kept=word[: self.longest])
        return word

    def arguments(self) -> str:
        """A word."""
        return "STRING"


@record(frozen=True, slots=True)
class OneWord(Kind):
    """Exactly one word; ``longest`` refuses a longer one."""

    longest: int = 0

    def read(self, words: Sequence[str]) -> str:
        """The word."""
        if len(words) != 1:
            hint = "write one word" if not words else "put a name with blanks between double quotes"
            raise Refused("needs exactly one word", 1 if words else -1, hint)
        if self.longest and len(words[0]) > self.longest:
            raise Refused(f"'{words[0]}' is too long", 0, f"use at most {self.longest} characters")
        return words[0]

    def arguments(self) -> str:
        """A word."""
        return "STRING"


_DIGITS = "0123456789abcdef"


def _nibbles(words: Sequence[str], allowed: str) -> list[str]:
    """The pairs of digits: two that stand together make a byte, one alone is the lower half of one."""
    pairs = []
    for index, word in enumerate(" ".join(words).lower().split()):
        for at, character in enumerate(word):
            if character not in allowed:
                wild = ", and x for any" if "x" in allowed else ""
                hint = f"write pairs of hexadecimal digits{wild}: 0a 1b ff; no 0x before them"
                raise Refused(f"'{character}' is no hexadecimal digit", min(index, len(words) - 1), hint)
            if at % 2 == 0:
                pairs.append(character)
            else:
                pairs[-1] += character
    if not pairs:
        raise Refused("there are no hexadecimal digits in it", 0, "write pairs of hexadecimal digits: 0a 1b ff")
    return [pair if len(pair) == 2 else "0" + pair for pair in pairs]


@record(frozen=True, slots=True)
class HexBytes(Kind):
    """Bytes in hexadecimal digits, any number of words."""

    def read(self, words: Sequence[str]) -> bytes:
        """The bytes."""
        if not words:
            raise Refused("needs hexadecimal digits", -1, problem=Problem.MISSING_PARAMETER)
        return bytes.fromhex("".join(_nibbles(words, _DIGITS)))

    def write(self, value: Any) -> str:
        """The digits."""
        return bytes(value).hex()

    def arguments(self) -> str:
        """Digits."""
        return "HEX ..."


@record(frozen=True, slots=True)
class HexPattern:
    """Bytes of which some halves may be anything: a bit counts where the mask has it."""

    value: bytes = b""
    mask: bytes = b""

    def matches(self, data: bytes) -> bool:
        """Whether the data begins like this, as far as it goes."""
        return all(byte & mask == value for byte, value, mask in zip(data, self.value, self.mask, strict=False))


@record(frozen=True, slots=True)
class HexReply(Kind):
    """Bytes in hexadecimal digits with ``x`` for any; none at all is any answer."""

    needs: ClassVar[int] = 0

    def read(self, words: Sequence[str]) -> HexPattern:
        """The pattern."""
        if not words:
            return HexPattern()
        pairs = _nibbles(words, _DIGITS + "x")
        return HexPattern(
            bytes.fromhex("".join(pairs).replace("x", "0")),
            bytes.fromhex("".join("0" if nibble == "x" else "f" for pair in pairs for nibble in pair)),
        )

    def write(self, value: Any) -> str:
        """The digits."""
        pairs = zip(value.value.hex(), value.mask.hex(), strict=True)
        return "".join(digit if mask == "f" else "x" for digit, mask in pairs)

    def arguments(self) -> str:
        """Digits, or nothing."""
        return "[HEX ...]"


@record(frozen=True, slots=True)
class StatusCodes(Kind):
    """Status codes of HTTP and ranges of them: ``200 204 300-302``."""

    def read(self, words: Sequence[str]) -> tuple[tuple[int, int], ...]:
        """Pairs of first and last. What is wrong is left out, the others stand."""
        if not words:
            raise Refused("has no codes after it and is ignored", -1, "write codes or ranges: 200-299 404", None)
        found: list[tuple[int, int]] = []
        wrong: list[int] = []
        for index, word in enumerate(words):
            first, dash, last = word.partition("-")
            if not (first.isascii() and first.isdigit() and (not dash or (last.isascii() and last.isdigit()))):
                wrong.append(index)
                continue
            low, high = int(first), int(last) if dash else int(first)
            if 100 <= low <= high <= 599:
                found.append((low, high))
            else:
                wrong.append(index)
        if wrong:
            bad = ", ".join(f"'{words[index]}'" for index in wrong)
            hint = "use codes from 100 to 599, in a range the lower first: 200-299"
            kept = tuple(found) if found else NOTHING
            raise Refused(f"{bad} outside range [100, 599]", wrong[0], hint, Problem.INVALID_NUMBER, kept)
        return tuple(found)

    def expected(self) -> str:
        """The bounds."""
        return "100..599"

    def write(self, value: Any) -> str:
        """The codes and ranges."""
        return " ".join(str(low) if low == high else f"{low}-{high}" for low, high in value)

    def arguments(self) -> str:
        """Numbers and ranges."""
        return "INT[-INT] ..."


@record(frozen=True, slots=True)
class Pattern(Kind):
    """A regular expression: one word by the rules of a shell, with the escapes of C decoded before PCRE2 sees it."""

    raw: ClassVar[bool] = True

    def read(self, words: Sequence[str]) -> str:
        """The expression."""
        if len(words) != 1:
            hint = "write one expression between quotes"
            raise Refused("needs exactly one word and is ignored", 1 if words else -1, hint, None)
        return words[0]

    def write(self, value: Any) -> str:
        """Between quotes, so that the same comes back."""
        return '"' + "".join(_c_escaped(character) for character in value) + '"'

    def arguments(self) -> str:
        """An expression."""
        return "QUOTED"


def _c_escaped(character: str) -> str:
    if character == "\\":
        return "\\\\"
    code = ord(character)
    if character in '"$' or (character.isascii() and not character.isprintable()) or 0xDC80 <= code <= 0xDCFF:
        return f"\\{code & 0xFF:03o}"  # always three digits: of hexadecimal ones any number is read
    return character


REGEX_OPTIONS = (
    *("allow_empty_class", "alt_bsux", "auto_callout", "caseless", "dollar_endonly", "dotall", "dupnames"),
    *("extended", "firstline", "match_unset_backref", "multiline", "never_ucp", "never_utf", "no_auto_capture"),
    *("no_auto_possess", "no_dotstar_anchor", "no_start_optimize", "ucp", "ungreedy", "utf", "never_backslash_c"),
    *("alt_circumflex", "alt_verbnames", "use_offset_limit"),
)


@record(frozen=True, slots=True)
class RegexOptions(Kind):
    """Options of PCRE2."""

    needs: ClassVar[int] = 0

    def read(self, words: Sequence[str]) -> tuple[str, ...]:
        """The options. Unknown words are left out and do not count as a mistake."""
        for index, word in enumerate(words):
            if word not in REGEX_OPTIONS:
                hint = f"write {word.lower()}" if word.lower() in REGEX_OPTIONS else f"known: {' '.join(REGEX_OPTIONS)}"
                kept = tuple(each for each in words if each in REGEX_OPTIONS)
                raise Refused(f"unknown option '{word}' is ignored", index, hint, None, kept)
        return tuple(words)

    def write(self, value: Any) -> str:
        """The options."""
        return " ".join(value)

    def arguments(self) -> str:
        """Words."""
        return "OPTION ..."


@record(frozen=True, slots=True)
class Offset(Kind):
    """A place in a body, in bytes. A wrong one does not count as a mistake and is ignored."""

    def read(self, words: Sequence[str]) -> int:
        """The number."""
        if len(words) != 1:
            at = 1 if words else -1
            raise Refused("needs one number and is ignored", at, "write a number of bytes", None)
        return _size(words[0], 0)

    def expected(self) -> str:
        """The least."""
        return "0.."

    def arguments(self) -> str:
        """A number."""
        return "INT"


def _size(text: str, index: int) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > SIZE_MAX:
        raise Refused(f"invalid number '{text}' is ignored", index, "write a number of bytes", None)
    return int(text)


@record(frozen=True, slots=True)
class StackSizes(Kind):
    """The least and the largest size of PCRE2's stack, in bytes. Wrong ones do not count as a mistake."""

    def read(self, words: Sequence[str]) -> tuple[int, int]:
        """The pair."""
        if len(words) != 2:
            at = 2 if len(words) > 2 else -1
            raise Refused("needs two numbers and is ignored", at, "write the size to begin with and the largest", None)
        start, most = _size(words[0], 0), _size(words[1], 1)
        if not 0 < start <= most:
            raise Refused(f"'{start} {most}' is ignored: the first is above the second, or 0", 0, "exchange them", None)
        return start, most

    def write(self, value: Any) -> str:
        """The numbers."""
        return f"{value[0]} {value[1]}"

    def arguments(self) -> str:
        """Two numbers."""
        return "START MAX"


@record(frozen=True, slots=True)
class DnsName(Word):
    """A domain name as it can be asked for."""

    def read(self, words: Sequence[str]) -> str:
        """The name."""
        name = Word.read(self, words)
        labels = name.removesuffix(".").split(".")
        if len(name) > 1 and "" in labels:
            raise Refused(f"'{name}' has an empty label - ignoring", 0, "there is a point too many")
        longest = max((len(label.encode("utf-8", "surrogateescape")) for label in labels), default=0)
        if longest > LABEL_MAX or len(name.encode("utf-8", "surrogateescape").removesuffix(b".")) > NAME_MAX:
            hint = f"a label has at most {LABEL_MAX} characters, a name at most {NAME_MAX}"
            raise Refused(f"'{name}' is too long - ignoring", 0, hint)
        return name

    def arguments(self) -> str:
        """A name."""
        return "DOMAIN"


@record(frozen=True, slots=True)
class NamedEntries(Entries):
    """A block of lines that has a name, and that may be there more than once."""

    def arguments(self) -> str:
        """The name and the block."""
        return "NAME { ... }"
