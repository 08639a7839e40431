"""Imports go upwards: the table of the layers, held against every module's import statements."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "pykeepalived"

GROUND = ("errors", "units", "effects", "events", "ipvs_table")
VALUES = ("config.blocks", "config.kinds", "config.schema", "config.configuration", "config.surroundings")
CORE = (
    *GROUND,
    "wire",
    "pcre2",
    "config.blocks",
    "config.kinds",
    "config.kinds_routes",
    "config.configuration",
    "config.difference",
)

EVERYWHERE = ("records",)  # how a value is declared; and the version, which is nothing of a module

# what each part may import of ours, besides itself; the longest fitting name counts
MAY: dict[str, tuple[str, ...]] = {
    "errors": (),
    "units": (),
    "records": (),
    "ipvs_table": ("config.blocks",),
    "effects": ("config.blocks.scripts",),  # values that orders carry
    "events": (),
    "pcre2": ("units",),
    "seldom": (),
    "wire": GROUND,
    "config": (*GROUND, "wire", "pcre2"),
    "config.blocks": (
        *("config.schema", "config.kinds", "config.kinds_global", "config.kinds_firewall", "config.kinds_ipvs"),
        *("config.kinds_lvs", "config.kinds_routes", "config.kinds_trackers", "config.kinds_vrrp", "errors", "units"),
    ),
    "config.kinds_routes": ("config.kinds",),
    "config.kinds": ("errors", "units"),
    "config.kinds_lvs": ("config.kinds",),
    "config.kinds_firewall": ("config.kinds",),
    "config.kinds_global": ("config.kinds",),
    "config.kinds_ipvs": ("config.kinds", "config.kinds_global", "units"),
    "config.kinds_trackers": ("config.kinds", "units"),
    "config.kinds_vrrp": ("config.kinds", "config.grammar", "errors", "units"),  # the grammar as it is needed
    "config.schema": ("config.kinds", "errors", "units"),
    "config.grammar": (
        "config.raw",
        "config.kinds",
        "config.kinds_routes",
        "config.schema",
        "config.blocks",
        "errors",
        "units",
    ),
    "vrrp": CORE,
    "trackers": CORE,
    "checkers": CORE,
    "lvs": CORE,
    "notify": (*CORE, "vrrp", "trackers", "checkers", "lvs"),
    "report": (*CORE, "vrrp", "trackers", "checkers", "lvs"),
    "kernel": (*GROUND, "wire", "config.blocks", "config.surroundings"),
    "daemon": (*CORE, "config", "vrrp", "trackers", "checkers", "lvs", "notify", "report", "kernel"),
    "cli": ("daemon", "config", "report", "errors", "seldom", "units"),
    "cli.genhash": ("wire", "cli.options", "kernel.tls", "errors"),
    "pages": ("cli.options", "cli.genhash", "config", "errors", "units"),
    "config.generate": ("pages",),  # a command of the source tree, nothing imports it
    "__main__": ("cli",),
}

# what touches the machine, and the parts that may
MACHINE = {"socket", "select", "subprocess", "signal", "os", "fcntl", "ctypes", "time", "random", "multiprocessing"}
MACHINE |= {"asyncio", "threading", "shutil", "glob", "pwd", "grp", "systemd", "pyroute2", "scapy", "secrets"}
TOUCHES = ("kernel", "daemon", "cli", "pcre2")  # pcre2 calls a library that computes, and measures itself
# constants of the protocols (AF_INET, IPPROTO_TCP, inet_pton) are pure
PURE = {"socket": {"AF_INET", "AF_INET6", "IPPROTO_TCP", "IPPROTO_UDP", "IPPROTO_SCTP", "inet_ntop", "inet_pton"}}
PURE["os"] = {"strerror"}

ONLY = {"pyparsing": ("config.grammar",), "scapy": ("kernel.frames",), "asyncio": (), "pyroute2": ("kernel",)}


def modules() -> dict[str, Path]:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        words = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(word for word in words if word != "__init__")] = path
    return found


MODULES = modules()


def imports(path: Path) -> list[tuple[str, str]]:
    """(module, name) of every import statement, wherever it stands."""
    found: list[tuple[str, str]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.extend((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.extend((node.module or "", alias.name) for alias in node.names)
    return found


def within(name: str, parts: tuple[str, ...]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def part_of(name: str) -> str:
    fitting = [part for part in MAY if within(name, (part,))]
    return max(fitting, key=len, default="")


def test_the_table_covers_the_package() -> None:
    assert len(MODULES) > 60
    assert [name for name in MODULES if name and not part_of(name)] == []


@pytest.mark.parametrize("name", sorted(name for name in MODULES if name))
def test_imports_go_upwards(name: str) -> None:
    part = part_of(name)
    for module, attribute in imports(MODULES[name]):
        if module.split(".")[0] != "pykeepalived":
            continue
        ours = module.removeprefix("pykeepalived").lstrip(".")
        whole = f"{ours}.{attribute}".strip(".") if f"{ours}.{attribute}".strip(".") in MODULES else ours
        if not whole or whole in EVERYWHERE:
            continue
        # within the configuration everything but the blocks, which must stay light, may know everything
        assert within(whole, (part,)) or within(whole, MAY[part]), f"{name} imports {whole}"


@pytest.mark.parametrize("name", sorted(name for name in MODULES if name))
def test_only_some_touch_the_machine(name: str) -> None:
    for module, attribute in imports(MODULES[name]):
        top = module.split(".")[0]
        if top in ONLY:
            assert within(name, ONLY[top]), f"{name} imports {module}"
        if top in MACHINE and not within(name, TOUCHES):
            allowed = attribute in PURE.get(top, set()) if attribute else top in PURE
            assert allowed, f"{name} imports {module}"


@pytest.mark.parametrize("name", sorted(name for name in MODULES if name and not within(name, TOUCHES)))
def test_pure_modules_use_only_what_is_pure(name: str) -> None:
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in PURE:
            assert node.attr in PURE[node.value.id], f"{name} uses {node.value.id}.{node.attr}"


def test_running_processes_hold_no_heavy_library() -> None:
    program = (
        "import sys\n"
        "import pykeepalived.cli.main, pykeepalived.daemon.start\n"
        "early = [name for name in sys.modules if name in ('pykeepalived.kernel.netlink', 'logging', 'ast')]\n"
        "assert not early, early  # the loaders are forked first, and wait for nothing that they do not need\n"
        "from pykeepalived.daemon import assemble\n"
        "for role in assemble.ROLES: role.warm()\n"
        "heavy = ('pyparsing', 'scapy', 'asyncio', 'pyroute2.iproute', 'pyroute2.ndb', 'pyroute2.netlink.generic',"
        " 'ssl', '_hashlib', 'argparse', 'ast', 'decimal', 'subprocess',"
        " 'pykeepalived.config.load', 'pykeepalived.config.interpret')\n"
        "held = [name for name in sys.modules if any(name == h or name.startswith(h + '.') for h in heavy)]\n"
        "assert not held, held\n"
        "assert 'pykeepalived.daemon.vrrp_process' in sys.modules and 'pykeepalived.kernel.netlink' in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=PACKAGE.parent, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
