"""Files with one line under test: a sound file around any keyword of any block, made from its path.

A frame has what the block cannot do without, but for the keyword under test itself.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pykeepalived.config.configuration import Configuration
from pykeepalived.config.diagnostics import Diagnostic, Findings
from pykeepalived.config.interpret import Interpreter
from pykeepalived.config.kinds import NOTHING
from pykeepalived.config.language import TOP
from pykeepalived.config.listing import Row
from pykeepalived.config.load import Loaded
from pykeepalived.config.preprocess import Preprocessor
from pykeepalived.config.raw import Raw
from pykeepalived.config.schema import Repeat
from tests.config.machine import Machine
from tests.config.reading import COMMANDS, PATH, read

INDENT = "   "
SECURE = ("global_defs {", "enable_script_security", "script_user root", "}")
_KEY = f"key 1 hex:{'ab' * 32}"
_VIP = ("virtual_ipaddress {", "10.0.0.1/24", "}")
_INSTANCE = ("vrrp_instance VI_1 {", "interface eth0", "virtual_router_id 51", *_VIP, "}")
_TRACKING = ("vrrp_instance VI_1 {", "interface eth0", "virtual_router_id 51", *_VIP, "track_script {", "s", "}", "}")
_FILE = ("track_file f {", "file /tmp/f", "}")
_BFD = ("bfd_instance b {", "neighbor_ip 10.0.0.9", "}")
_PROCESS = ("vrrp_track_process p {", "process nginx", "}")
_SCRIPT = ("vrrp_script s {", 'script "/opt/check.sh"', "}")
_SERVER = {
    "protocol": ("protocol TCP",),
    "lvs_sched": ("lvs_sched rr",),
    "lvs_method": ("lvs_method NAT",),
    "real_server": ("real_server 10.9.0.1 80 {", "}"),
}
_URL = ("url {", "path /", "}")


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a line of a block."""

    head: str = ""
    """The words between the block's keyword and its brace."""
    least: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Keyword -> its lines: what the block cannot do without."""
    before: Sequence[str] = ()
    """Lines before the outermost block."""
    after: Sequence[str] = ()


_REAL = "virtual_server/real_server"
FRAMES: dict[str, Frame] = {
    "": Frame(),
    "global_defs": Frame(),
    "track_group": Frame("t", after=_INSTANCE),
    "vrrp_sync_group": Frame("g", {"group": ("group {", "VI_1", "}")}, (*_INSTANCE, *SECURE)),
    "garp_group": Frame("", {"garp_interval": ("garp_interval 1",), "interface": ("interface eth1",)}),
    "vrrp_instance": Frame(
        "VI_1",
        {"interface": ("interface eth0",), "virtual_router_id": ("virtual_router_id 51",), "virtual_ipaddress": _VIP},
    ),
    "vrrp_instance/authentication": Frame("", {"auth_type": ("auth_type PASS",), "auth_pass": ("auth_pass secret",)}),
    "vrrp_instance/auth_hmac": Frame("", {"key": (_KEY,), "active_key": ("active_key 1",)}),
    "vrrp_script": Frame("s", {"script": ('script "/opt/check.sh"',)}, SECURE, _TRACKING),
    "vrrp_track_process": Frame("p", {"process": ("process nginx",)}),
    "SSL": Frame(),
    "bfd_instance": Frame("b", {"neighbor_ip": ("neighbor_ip 10.0.0.9",)}),
    "track_file": Frame("f", {"file": ("file /tmp/f",)}),
    "vrrp_track_file": Frame("f", {"file": ("file /tmp/f",)}),
    "virtual_server": Frame("10.9.0.100 80", _SERVER),
    _REAL: Frame("10.9.0.1 80"),
    f"{_REAL}/MISC_CHECK": Frame("", {"misc_path": ("misc_path /opt/check.sh",)}, SECURE),
    f"{_REAL}/SMTP_CHECK": Frame(),
    f"{_REAL}/SMTP_CHECK/host": Frame(),
    f"{_REAL}/TCP_CHECK": Frame(),
    f"{_REAL}/PING_CHECK": Frame(),
    f"{_REAL}/UDP_CHECK": Frame("", {"max_reply_length": ("max_reply_length 65535",)}),
    f"{_REAL}/DNS_CHECK": Frame(),
    f"{_REAL}/HTTP_GET": Frame("", {"url": _URL}),
    f"{_REAL}/HTTP_GET/url": Frame("", {"path": ("path /",)}),
    f"{_REAL}/SSL_GET": Frame("", {"url": _URL}),
    f"{_REAL}/SSL_GET/url": Frame("", {"path": ("path /",)}),
    f"{_REAL}/FILE_CHECK": Frame("", {"track_file": ("track_file f",)}, _FILE),
    f"{_REAL}/BFD_CHECK": Frame("", {"name": ("name b",)}, _BFD),
}
"""Every block of the language."""
_PEER = ("unicast_peer {", "10.0.0.2", "}")
EARLIER: dict[str, tuple[str, ...]] = {
    **{f"vrrp_instance/{name}": _PEER for name in ("unicast_src_ip", "unicast_ttl", "check_unicast_src")},
    "vrrp_instance/old_unicast_checksum": _PEER,
    "vrrp_instance/timer_expired_backup": ("nopreempt",),
    "vrrp_instance/vmac_xmit_base": ("use_vmac",),
    "virtual_server/sorry_server_inhibit": ("sorry_server 10.9.0.7 80",),
    "virtual_server/sorry_server_lvs_method": ("sorry_server 10.9.0.7 80",),
    **{f"virtual_server/{name}": (f"lvs_sched {name[:2]}",) for name in ("sh-port", "sh-fallback")},
    **{f"virtual_server/{name}": (f"lvs_sched {name[:2]}",) for name in ("mh-port", "mh-fallback")},
    "virtual_server/hashed": ("lvs_sched sh",),
    "virtual_server/ops": ("protocol UDP",),
}
"""Path of a keyword -> lines of its block that must stand before it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A file with a line under test, and where that line is."""

    text: str
    line: int
    without: str
    """The file without it."""

    def about(self, loaded: Loaded) -> list[Diagnostic]:
        """What is said of the line."""
        return [each for each in loaded.diagnostics if each.span is not None and each.span.line == self.line]


def parent(path: str) -> str:
    """The path of the block a keyword stands in."""
    return path.rpartition("/")[0]


def around(path: str, lines: Sequence[str], under_test: str, earlier: Sequence[str] = ()) -> tuple[list[str], int]:
    """A file with these lines in the block of that path, and how many lines stand before them."""
    frame = FRAMES[path]
    least = [line for word, each in frame.least.items() if word != under_test for line in each]
    block = [*least, *earlier, *lines]
    above = len(least) + len(earlier)
    inner = path
    before, after = list(frame.before), list(frame.after)
    while inner:
        name = inner.rpartition("/")[2]
        outer = FRAMES[parent(inner)]
        rest = [line for word, each in outer.least.items() if word != name for line in each] if parent(inner) else []
        block = [*rest, f"{name} {FRAMES[inner].head} {{", *block, "}"]
        above += len(rest) + 1
        inner = parent(inner)
        if inner:
            before, after = [*FRAMES[inner].before, *before], [*after, *FRAMES[inner].after]
    return [*before, *block, *after], len(before) + above


def place(row: Row, words: str, name: str = "") -> Place:
    """The file with the keyword of that row and these words behind it."""
    name = name or row.name
    block = parent(row.path)
    target = (row.target or row.path).rpartition("/")[2]
    earlier = EARLIER.get(row.target or row.path, ())
    earlier_file = list(SECURE) if needs_scripts(row) else []
    with_it, above = around(block, [f"{INDENT}{name} {words}".rstrip()], target, earlier)
    without, _ = around(block, [], target, earlier)
    lines = [*earlier_file, *with_it]
    return Place("\n".join(lines) + "\n", len(earlier_file) + above + 1, "\n".join([*earlier_file, *without]) + "\n")


def needs_scripts(row: Row) -> bool:
    """Whether it runs something: then the file says by whom, or that would be complained of."""
    return row.keyword is not None and row.keyword.kind.raw and not row.name.startswith("regex")


_WORD = re.compile(r'"[^"]*"|\S+')


def column(name: str, words: str, at: int) -> int:
    """Where the word of that number stands in its line; -1 is the keyword itself."""
    if at < 0:
        return len(INDENT) + 1
    starts = [found.start() for found in _WORD.finditer(words)]
    return len(INDENT) + len(name) + 2 + starts[at]


def count(words: str) -> int:
    """How many words they are."""
    return len(_WORD.findall(words))


def machine() -> Machine:
    """A machine that has what the samples name."""
    found = Machine(interfaces=("eth0", "eth1", "red"), commands=COMMANDS, drivers={"red": "vrf"})
    found.namespaces = {"blue": found.interfaces(None) or {}}
    return found


@cache
def loaded(text: str) -> Loaded:
    """The file on that machine."""
    return read(text, machine())


def configuration(text: str) -> Configuration:
    """What the file means."""
    return loaded(text).configuration


def given(row: Row, text: str) -> Any:
    """The value of that keyword as it stands in the last block of its path; NOTHING where there is none."""
    name = (row.target or row.path).rpartition("/")[2]
    found = raw(text, parent(row.path)).given.get(name)
    if found is None:
        return NOTHING
    if row.keyword is not None and row.keyword.repeat is Repeat.EACH:
        return found.value[-1].value
    return found.value


def raw(text: str, path: str) -> Raw:
    """The last block of that path, as it stands in the file."""
    surroundings = machine()
    surroundings.files[PATH] = text.encode("utf-8", "surrogateescape")
    findings = Findings()
    found = Interpreter(Preprocessor(surroundings, findings, "oracle"), PATH, findings).run()
    for name in path.split("/") if path else ():
        table = TOP[name].name if name in TOP and found.table.name != "virtual_server" else name
        *_, found = found.named(table)
    return found
