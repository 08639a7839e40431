"""A machine that is not there: the fake twin of the Linux surroundings."""

import fnmatch
import posixpath
from collections.abc import Mapping

from pykeepalived.config.blocks.ssl import Ssl
from pykeepalived.config.surroundings import Account, NetworkInterface, PathElement, ScriptPath, Unreadable

ROOT = Account("root", 0, 0, (0,))


class Machine:
    """Files, interfaces, users and commands as a test wants them."""

    def __init__(
        self,
        files: Mapping[str, str | bytes] | None = None,
        interfaces: Mapping[str, int] | tuple[str, ...] = ("eth0", "eth1"),
        commands: tuple[str, ...] = (),
        variables: Mapping[str, str] | None = None,
        host_name: str = "oracle",
        drivers: Mapping[str, str] | None = None,
    ) -> None:
        self.files = {path: text.encode() if isinstance(text, str) else text for path, text in (files or {}).items()}
        self._interfaces = {"lo": NetworkInterface("lo", 65536, loopback=True)}
        for name in interfaces:
            mtu = interfaces[name] if isinstance(interfaces, Mapping) else 1500
            self._interfaces[name] = NetworkInterface(name, mtu, driver=(drivers or {}).get(name, ""))
        self.commands = {name: element(name) for name in commands}
        self.folders: dict[str, PathElement] = {}
        self.users = {"root": ROOT, "nobody": Account("nobody", 65534, 65534, (65534,))}
        self.groups = {"root": 0, "adm": 4, "nogroup": 65534}
        self._variables = variables or {}
        self._host_name = host_name
        self.namespaces: dict[str, Mapping[str, NetworkInterface]] = {}
        self.executable: set[str] = set()
        self.iproute = {
            "/etc/iproute2/rt_scopes": {"local-net": 100},
            "/etc/iproute2/rt_tables": {"unspec": 0, "dmz": 300},
            "/etc/iproute2/rt_protos": {"static": 4, "bgp": 186},
            "/etc/iproute2/rt_realms": {"cosmos": 0, "paid": 7},
            "/etc/iproute2/rt_dsfield": {"AF11": 0x28, "EF": 0xB8},
            "/etc/iproute2/group": {"uplinks": 3},
        }
        self.hosts = {"localhost"}
        self.processors = 4
        self.interface_addresses: dict[str, tuple[str, ...]] = {}
        self.modes: dict[str, int] = {}
        self.tls: dict[str, str] = {}

    def read_file(self, path: str) -> bytes:
        path = posixpath.normpath(path)
        if path in self.executable:
            raise Unreadable("is executable, which a configuration must not be")
        if any(each.startswith(f"{path}/") for each in self.files):
            raise Unreadable("is a directory")
        if path not in self.files:
            raise Unreadable("does not exist", absent=True)
        return self.files[path]

    def mode(self, path: str) -> int | None:
        return self.modes.get(path, 0o600) if path in self.files else None

    def glob(self, pattern: str) -> list[str]:
        if not any(mark in pattern for mark in "*?["):
            plain = posixpath.normpath(pattern)
            there = plain in self.files and not pattern.endswith("/.")
            there = there or any(path.startswith(f"{plain}/") for path in self.files)
            return [pattern] if there else []
        depth = pattern.count("/")
        return sorted(p for p in self.files if p.count("/") == depth and fnmatch.fnmatchcase(p, pattern))

    def real_path(self, path: str) -> str:
        return posixpath.normpath(path)

    def environment(self) -> Mapping[str, str]:
        return self._variables

    def host_name(self) -> str:
        return self._host_name

    def working_directory(self) -> str:
        return "/"

    def interfaces(self, namespace: str | None) -> Mapping[str, NetworkInterface] | None:
        return self._interfaces if namespace is None else self.namespaces.get(namespace)

    def addresses(self, namespace: str | None) -> Mapping[str, tuple[str, ...]]:
        return self.interface_addresses if namespace is None else {}

    def user(self, name: str) -> Account | None:
        return self.users.get(name)

    def group(self, name: str) -> int | None:
        return self.groups.get(name)

    def user_name(self, uid: int) -> str | None:
        return next((name for name, account in self.users.items() if account.uid == uid), None)

    def group_name(self, gid: int) -> str | None:
        return next((name for name, number in self.groups.items() if number == gid), None)

    def process_account(self) -> Account:
        return ROOT

    def script(self, name: str) -> ScriptPath | None:
        for path in [name] if "/" in name else [f"/usr/bin/{name}"]:
            file = self.commands.get(path)
            if file is not None:
                parts = path.split("/")[:-1]
                folders = ["/".join(parts[: end + 1]) or "/" for end in range(len(parts))]
                way = [self.folders.get(folder, element(folder, kind="directory")) for folder in folders]
                return ScriptPath(path, (*way, file))
        return None

    def iproute_names(self, folder: str, file: str) -> Mapping[str, int]:
        return self.iproute.get(f"{folder}/{file}", {})

    def ip_protocol(self, name: str) -> int | None:
        return {"icmp": 1, "tcp": 6, "TCP": 6, "udp": 17, "gre": 47, "ipv6-icmp": 58, "vrrp": 112}.get(name)

    def host_known(self, name: str) -> bool:
        return name in self.hosts

    def tls_troubles(self, _settings: Ssl) -> Mapping[str, str]:
        return self.tls

    def cpus(self) -> int:
        return self.processors

    def random(self, low: int, high: int) -> int:
        return (low + high) // 2


def element(path: str, mode: int = 0o755, uid: int = 0, gid: int = 0, kind: str = "file") -> PathElement:
    """An element of a path, by default as an installed program has it."""
    return PathElement(path, uid, gid, mode, kind)
