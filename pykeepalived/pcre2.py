"""PCRE2, by the system's own library: patterns, and searches that are fed a response piece by piece.

It computes and touches nothing. A search is bounded in time and memory whatever the pattern and the data are: it looks
at a few places at a time, each has a limit of steps, and the processor time of the whole is counted.
"""

import ctypes
import time
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint32, c_void_p
from functools import cache, lru_cache

from pykeepalived.units import MILLISECOND

LIBRARY = "libpcre2-8.so.0"

STEPS = 100_000  # at one place; PCRE2's own limit is a hundred times as high
BUDGET = 100 * MILLISECOND  # of processor time, for one response
KEPT_MAX = 65536  # of what may be the beginning of a match

_PLACES = 512  # between two looks at the clock
_UNTIL_THE_END = 1 << 62

# pcre2.h
OPTIONS = {
    "allow_empty_class": 0x1,
    "alt_bsux": 0x2,
    "auto_callout": 0x4,
    "caseless": 0x8,
    "dollar_endonly": 0x10,
    "dotall": 0x20,
    "dupnames": 0x40,
    "extended": 0x80,
    "firstline": 0x100,
    "match_unset_backref": 0x200,
    "multiline": 0x400,
    "never_ucp": 0x800,
    "never_utf": 0x1000,
    "no_auto_capture": 0x2000,
    "no_auto_possess": 0x4000,
    "no_dotstar_anchor": 0x8000,
    "no_start_optimize": 0x10000,
    "ucp": 0x20000,
    "ungreedy": 0x40000,
    "utf": 0x80000,
    "never_backslash_c": 0x100000,
    "alt_circumflex": 0x200000,
    "alt_verbnames": 0x400000,
    "use_offset_limit": 0x800000,
}
_MATCH_INVALID_UTF = 0x4000000
_JIT_COMPLETE_AND_PARTIAL_HARD = 0x1 | 0x4
_PARTIAL_HARD = 0x20
_NO_MATCH, _PARTIAL = -1, -2
_INFO_ALL_OPTIONS, _INFO_MAX_LOOKBEHIND = 0, 15
_TROUBLES = {
    -47: f"it took more than {STEPS} steps at one place",
    -46: "its stack is too small (regex_stack)",
}


class PatternError(Exception):
    """PCRE2 does not understand the pattern; ``offset`` in bytes says where."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason, offset)
        self.reason = reason
        self.offset = offset


class _Library:
    """The functions that are needed, with their types."""

    def __init__(self) -> None:
        library = ctypes.CDLL(LIBRARY)

        def function(name: str, result: type | None, *arguments: type) -> "ctypes._NamedFuncPointer":
            found = library[f"pcre2_{name}_8"]
            found.restype, found.argtypes = result, arguments
            return found

        context = function("match_context_create", c_void_p, c_void_p)
        self.compile = function(
            "compile", c_void_p, c_char_p, c_size_t, c_uint32, POINTER(c_int), POINTER(c_size_t), c_void_p
        )
        self.code_free = function("code_free", None, c_void_p)
        self.jit_compile = function("jit_compile", c_int, c_void_p, c_uint32)
        self.pattern_info = function("pattern_info", c_int, c_void_p, c_uint32, c_void_p)
        self.match_data = function("match_data_create_from_pattern", c_void_p, c_void_p, c_void_p)
        self.match_data_free = function("match_data_free", None, c_void_p)
        self.ovector = function("get_ovector_pointer", POINTER(c_size_t), c_void_p)
        self.match = function("match", c_int, c_void_p, c_char_p, c_size_t, c_size_t, c_uint32, c_void_p, c_void_p)
        self.start_of_match = function("get_startchar", c_size_t, c_void_p)
        self.set_offset_limit = function("set_offset_limit", c_int, c_void_p, c_size_t)
        self._message = function("get_error_message", c_int, c_int, c_char_p, c_size_t)
        self._stack_create = function("jit_stack_create", c_void_p, c_size_t, c_size_t, c_void_p)
        self._stack_assign = function("jit_stack_assign", None, c_void_p, c_void_p, c_void_p)
        self.context = context(None)  # one search runs at a time
        function("set_match_limit", c_int, c_void_p, c_uint32)(self.context, STEPS)
        self._stack = (0, 0)

    def widen_stack(self, start: int, most: int) -> None:
        """The stack of all patterns is the largest that any of them asks for."""
        wanted = (max(start, self._stack[0]), max(most, self._stack[1]))
        if wanted != self._stack and (stack := self._stack_create(*wanted, None)) is not None:
            self._stack = wanted
            self._stack_assign(self.context, None, stack)

    def message(self, number: int) -> str:
        """What an error's number means."""
        text = ctypes.create_string_buffer(256)
        self._message(number, text, len(text))
        return text.value.decode(errors="replace")


@cache
def _library() -> _Library:
    return _Library()


class Pattern:
    """A compiled pattern. Raises PatternError, and OSError where the library is missing."""

    def __init__(self, pattern: bytes, options: tuple[str, ...]) -> None:
        self._pcre2 = _library()
        wanted = sum(OPTIONS[name] for name in {"use_offset_limit", *options})
        if "utf" in options:
            wanted |= _MATCH_INVALID_UTF  # what is no UTF-8 matches nothing
        number, offset = c_int(), c_size_t()
        self.code = self._pcre2.compile(pattern, len(pattern), wanted, byref(number), byref(offset), None)
        if self.code is None:
            raise PatternError(self._pcre2.message(number.value), offset.value)
        self._pcre2.jit_compile(self.code, _JIT_COMPLETE_AND_PARTIAL_HARD)  # where it may not, it goes without
        self.utf = bool(self._info(_INFO_ALL_OPTIONS) & OPTIONS["utf"])
        self.firstline = "firstline" in options
        self.lookbehind = max(self._info(_INFO_MAX_LOOKBEHIND) * (4 if self.utf else 1), 1)
        # what may depend on where the search began is not searched for in parts
        self.places = _UNTIL_THE_END if self.firstline or b"\\G" in pattern or b"(*" in pattern else _PLACES
        self.match_data = self._pcre2.match_data(self.code, None)
        self.ovector = self._pcre2.ovector(self.match_data)

    def __del__(self) -> None:
        """The library's memory is not ours to collect."""
        if getattr(self, "match_data", None):
            self._pcre2.match_data_free(self.match_data)
        if getattr(self, "code", None):
            self._pcre2.code_free(self.code)

    def _info(self, what: int) -> int:
        value = c_uint32()
        self._pcre2.pattern_info(self.code, what, byref(value))
        return value.value


@lru_cache(maxsize=4096)
def compiled(pattern: str, options: tuple[str, ...], stack: tuple[int, int] | None = None) -> Pattern:
    """A pattern of the configuration; many checkers share one."""
    made = Pattern(pattern.encode("utf-8", "surrogateescape"), options)
    if stack is not None:
        _library().widen_stack(*stack)
    return made


class Search:
    """Whether a pattern is in what is fed. A match that might go on with more data is none until they come."""

    __slots__ = ("_at", "_base", "_end_at", "_kept", "_last", "_pattern", "_spent", "found", "trouble")

    def __init__(self, pattern: Pattern, least: int = 0, most: int | None = None) -> None:
        """``least`` and ``most`` are the first and the last place where a match may begin."""
        self._pattern = pattern
        self._kept = b""
        self._base = 0  # where what is kept begins
        self._at = least  # where the search goes on
        self._last = _UNTIL_THE_END if most is None else most
        self._spent = 0
        self.found = False
        self.trouble = ""

    @property
    def over(self) -> bool:
        """Nothing more can change."""
        return self.found or bool(self.trouble) or self._at > self._last

    def feed(self, data: bytes) -> None:
        """Look at the next data."""
        if self.over or not data:
            return
        subject = self._kept + data
        held = _unfinished(subject) if self._pattern.utf else 0
        end = len(subject) - held
        at = self._look(subject[:end], self._at - self._base, end)
        if self.over:
            self._kept = b""
            return
        if self._pattern.firstline and at >= end and b"\n" in subject:
            self._last = -1
        if end - at > KEPT_MAX:
            self.trouble = "Regex partial match preserve too large - discarding"
        kept_from = max(0, min(at, end) - self._pattern.lookbehind)
        self._kept = subject[kept_from:]
        self._at = self._base + at
        self._base += kept_from

    def _may_begin(self, subject: bytes, at: int, start: int) -> bool:
        """Whether a match may begin there: the machine code of PCRE2 10.42 looks one place too far for partial ones."""
        if start > self._last - self._base:
            return False
        line_end = subject.find(b"\n", at) if self._pattern.firstline else -1
        return line_end < 0 or start <= line_end

    def _look(self, subject: bytes, at: int, end: int) -> int:
        """Look at every place of the subject; the place where the search will go on with more data."""
        pcre2, pattern = _library(), self._pattern
        last = self._last - self._base
        began = time.thread_time_ns() - self._spent
        while at < end and at <= last:
            stop = at + pattern.places
            if pattern.utf:
                stop = _next_character(subject, stop)
            pcre2.set_offset_limit(pcre2.context, min(stop - 1 if stop < end else end, last))
            result = pcre2.match(pattern.code, subject, end, at, _PARTIAL_HARD, pattern.match_data, pcre2.context)
            if result >= 0 and self._may_begin(subject, at, pcre2.start_of_match(pattern.match_data)):
                self.found = True
                return at
            if result >= 0:
                return end
            if result == _PARTIAL:
                return int(pattern.ovector[0])
            if result != _NO_MATCH:
                self.trouble = _TROUBLES.get(result) or pcre2.message(result)
                return at
            at = min(stop, end)
            self._spent = time.thread_time_ns() - began
            if self._spent > BUDGET:
                self.trouble = f"it took more than {BUDGET // MILLISECOND} ms of processor time"
                return at
        return at


def _unfinished(subject: bytes) -> int:
    """How many bytes at the end are the beginning of a character of UTF-8."""
    for back in range(1, min(3, len(subject)) + 1):
        octet = subject[-back]
        if octet >= 0xC0:
            length = 2 if octet < 0xE0 else 3 if octet < 0xF0 else 4
            return back if back < length else 0
        if octet < 0x80:
            return 0
    return 0


def _next_character(subject: bytes, at: int) -> int:
    """The first place from ``at`` on where a character may begin."""
    for place in range(at, min(at + 3, len(subject))):
        if subject[place] & 0xC0 != 0x80:
            return place
    return min(at + 3, len(subject))
