"""The Linux machine as the configuration may ask about it."""

import array
import fcntl
import glob
import grp
import os
import pwd
import random
import socket
import stat
import struct
from collections.abc import Callable, Mapping
from typing import TypeVar

from pykeepalived.config.blocks.ssl import Ssl
from pykeepalived.config.surroundings import Account, NetworkInterface, PathElement, ScriptPath, Unreadable
from pykeepalived.kernel.interface_addresses import interface_addresses

LARGEST = 64 * 1024 * 1024
IPROUTE_LARGEST = 1024 * 1024
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SIOCGIFFLAGS = 0x8913
_SIOCGIFMTU = 0x8921
_SIOCETHTOOL = 0x8946
_ETHTOOL_GDRVINFO = 3
_DRIVER = slice(4, 36)
_DRIVER_INFO_LENGTH = 196
_IFF_LOOPBACK = 0x8
_CLONE_NEWNET = 0x40000000
_NUMBERS = (("icmp", 1), ("igmp", 2), ("tcp", 6), ("udp", 17), ("gre", 47), ("esp", 50), ("ah", 51), ("sctp", 132))
_PROTOCOLS = dict((*_NUMBERS, ("ipv6-icmp", 58), ("vrrp", 112)))
_Answer = TypeVar("_Answer")


class LinuxSurroundings:
    """Asks the machine we run on."""

    def __init__(self) -> None:
        self._elements: dict[str, PathElement] = {}

    def read_file(self, path: str) -> bytes:
        """The bytes of a regular file without execute bit, or Unreadable."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            raise Unreadable("does not exist", absent=True) from None
        except (OSError, ValueError) as error:
            raise Unreadable(f"cannot be read: {_reason(error)}") from None
        try:
            status = os.fstat(descriptor)
            if stat.S_ISDIR(status.st_mode):
                raise Unreadable("is a directory")
            if not stat.S_ISREG(status.st_mode):
                raise Unreadable("is no regular file")
            if status.st_mode & 0o111:
                raise Unreadable(f"is executable, which a configuration must not be (chmod a-x {path})")
            if status.st_size > LARGEST:
                raise Unreadable(f"is larger than {LARGEST // 1024 // 1024} MiB")
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(LARGEST)
        except OSError as error:
            raise Unreadable(f"cannot be read: {_reason(error)}") from None
        finally:
            os.close(descriptor)

    def mode(self, path: str) -> int | None:
        """The permission bits of a file, or None."""
        try:
            return stat.S_IMODE(os.stat(path).st_mode)  # noqa: PTH116 - strings are wanted
        except (OSError, ValueError):
            return None

    def glob(self, pattern: str) -> list[str]:
        """Paths that match, sorted."""
        try:
            if not glob.has_magic(pattern):
                return [pattern] if os.path.lexists(pattern) else []
            return sorted(glob.glob(pattern))  # noqa: PTH207 - plain strings, in keepalived's order
        except (OSError, ValueError):
            return []

    def real_path(self, path: str) -> str:
        """The path with links followed."""
        try:
            return os.path.realpath(path)
        except (OSError, ValueError):
            return path

    def environment(self) -> Mapping[str, str]:
        """The environment's variables."""
        return os.environ

    def host_name(self) -> str:
        """The node's name."""
        return os.uname().nodename

    def working_directory(self) -> str:
        """The current directory; the root when it is gone."""
        try:
            return os.getcwd()  # noqa: PTH109 - a string is wanted
        except OSError:
            return "/"

    def interfaces(self, namespace: str | None) -> Mapping[str, NetworkInterface] | None:
        """The interfaces by name, with MTU and whether they loop back."""
        return _in_namespace(namespace, _interfaces)

    def addresses(self, namespace: str | None) -> Mapping[str, tuple[str, ...]]:
        """The addresses by interface, with their prefix lengths."""
        return _in_namespace(namespace, interface_addresses) or {}

    def user(self, name: str) -> Account | None:
        """The account of that name, or None."""
        try:
            entry = pwd.getpwnam(name)
            groups = tuple(os.getgrouplist(name, entry.pw_gid))
        except (KeyError, ValueError, OSError):
            return None
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, groups)

    def group(self, name: str) -> int | None:
        """The number of the group of that name, or None."""
        try:
            return grp.getgrnam(name).gr_gid
        except (KeyError, ValueError, OSError):
            return None

    def user_name(self, uid: int) -> str | None:
        """The name of the user of that number, or None."""
        try:
            return pwd.getpwuid(uid).pw_name
        except (KeyError, OverflowError, OSError):
            return None

    def group_name(self, gid: int) -> str | None:
        """The name of the group of that number, or None."""
        try:
            return grp.getgrgid(gid).gr_name
        except (KeyError, OverflowError, OSError):
            return None

    def process_account(self) -> Account:
        """The account we run under."""
        uid = os.geteuid()
        try:
            name = pwd.getpwuid(uid).pw_name
        except KeyError:
            name = str(uid)
        return Account(name, uid, os.getegid())

    def script(self, name: str) -> ScriptPath | None:
        """The command of that path, or found in PATH."""
        if "\x00" in name:
            return None
        if "/" in name:
            return self._script_path(name)
        for folder in os.environ.get("PATH", DEFAULT_PATH).split(":"):
            found = self._script_path(os.path.join(folder or ".", name))  # noqa: PTH118 - strings are wanted
            if found is not None and found.elements[-1].kind == "file" and found.elements[-1].mode & 0o111:
                return found
        return None

    def _script_path(self, path: str) -> ScriptPath | None:
        try:
            # The name itself stays: many a program does something else under another name.
            # Debian's pidof is a link to killall5, which would kill every process of the machine.
            folder = os.path.realpath(os.path.dirname(path) or ".", strict=True)  # noqa: PTH120 - strings are wanted
            used = os.path.join(folder, os.path.basename(path))  # noqa: PTH118, PTH119 - likewise
            real = os.path.realpath(used, strict=True)
            way = [*_parents(folder), folder, *_parents(real)]
            elements = tuple(self._element(each) for each in (*dict.fromkeys(way), real))
        except (OSError, ValueError):
            return None
        return ScriptPath(used, elements)

    def _element(self, path: str) -> PathElement:
        element = self._elements.get(path)
        if element is None:
            status = os.lstat(path)
            kinds = {stat.S_IFDIR: "directory", stat.S_IFREG: "file", stat.S_IFLNK: "link"}
            kind = kinds.get(stat.S_IFMT(status.st_mode), "other")
            element = PathElement(path, status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode), kind)
            self._elements[path] = element
        return element

    def iproute_names(self, folder: str, file: str) -> Mapping[str, int]:
        """The names of one of iproute2's tables."""
        try:
            with open(f"{folder}/{file}", encoding="utf-8", errors="replace") as table:  # noqa: PTH123
                lines = table.read(IPROUTE_LARGEST).splitlines()
        except (OSError, ValueError):
            return {}
        found: dict[str, int] = {}
        for line in lines:
            words = line.partition("#")[0].split()
            if len(words) == 2 and (number := _any_base(words[0])) is not None:
                found.setdefault(words[1], number)
        return found

    def ip_protocol(self, name: str) -> int | None:
        """The number of a protocol of /etc/protocols; of the best known also on a machine without that file."""
        try:
            return socket.getprotobyname(name)
        except (OSError, ValueError):
            return _PROTOCOLS.get(name)

    def host_known(self, name: str) -> bool:
        """Whether a host's name has an address, as the resolver says now."""
        try:
            return bool(socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            return False

    def tls_troubles(self, settings: Ssl) -> Mapping[str, str]:
        """By keyword, what of the SSL block cannot be used, and why."""
        from pykeepalived.kernel.tls import client_context  # noqa: PLC0415 - it brings OpenSSL along

        try:
            return client_context(settings)[1]
        except OSError:  # no trouble of the files
            return {}

    def cpus(self) -> int:
        """How many CPUs there are."""
        return os.cpu_count() or 1

    def random(self, low: int, high: int) -> int:
        """A random number within the bounds."""
        return random.randint(low, high)  # noqa: S311 - ${_RANDOM} is no secret


def _in_namespace(namespace: str | None, ask: Callable[[], _Answer]) -> _Answer | None:
    """The answer that is got inside a named network namespace; None when there is no such namespace."""
    if namespace is None:
        return ask()
    if "/" in namespace or namespace in ("", ".", ".."):
        return None
    try:
        descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    import threading  # noqa: PLC0415 - of use with net_namespace alone

    found: list[_Answer] = []

    def inside() -> None:
        # the namespace is a thread's own: the rest of the process stays where it is
        if _setns(descriptor, _CLONE_NEWNET) == 0:
            found.append(ask())

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    os.close(descriptor)
    return found[0] if found else None


def _interfaces() -> Mapping[str, NetworkInterface]:
    found = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as asking:
        for _, name in socket.if_nameindex():
            request = struct.pack("16s16x", name.encode())
            try:
                flags = struct.unpack_from("H", fcntl.ioctl(asking, _SIOCGIFFLAGS, request), 16)[0]
                mtu = struct.unpack_from("i", fcntl.ioctl(asking, _SIOCGIFMTU, request), 16)[0]
            except OSError:
                continue  # gone meanwhile
            found[name] = NetworkInterface(name, mtu, bool(flags & _IFF_LOOPBACK), _driver(asking, name))
    return found


def _driver(asking: socket.socket, name: str) -> str:
    """The name of the driver as ethtool shows it."""
    answer = array.array("B", struct.pack("I", _ETHTOOL_GDRVINFO) + bytes(_DRIVER_INFO_LENGTH - 4))
    try:
        fcntl.ioctl(asking, _SIOCETHTOOL, struct.pack("16sP8x", name.encode(), answer.buffer_info()[0]))
    except OSError:
        return ""
    return answer.tobytes()[_DRIVER].partition(b"\0")[0].decode("ascii", "replace")


def _any_base(text: str) -> int | None:
    """A number as iproute2 writes them: decimal, or hexadecimal behind 0x."""
    try:
        return int(text, 16 if text[:2].lower() == "0x" else 10) if text.isascii() else None
    except ValueError:
        return None


def _parents(path: str) -> list[str]:
    """The folders above a path, the root first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: end + 1]) or "/" for end in range(len(parts))]


def _setns(descriptor: int, kind: int) -> int:
    """setns(2), which Python has from 3.12 on."""
    import ctypes  # noqa: PLC0415 - of use with net_namespace alone

    return int(ctypes.CDLL(None, use_errno=True).setns(descriptor, kind))


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else "its name is not possible"
