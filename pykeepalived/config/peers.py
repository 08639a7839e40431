"""The other nodes' configurations: the same file read as another node reads it, or a file of its own.

Another node has interfaces, users and programs that this one cannot see: there they are taken to exist.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from pykeepalived.config.lint.view import Peer
from pykeepalived.config.load import LoadOptions, load
from pykeepalived.config.preprocess import ANY_OTHER
from pykeepalived.config.surroundings import Account, NetworkInterface, PathElement, ScriptPath, Surroundings

MOST = 8
"""Other nodes that are looked at."""


def other_nodes(path: str, here: Surroundings, ids: AbstractSet[str], files: Sequence[str]) -> Iterator[Peer]:
    """The other nodes: as the conditional lines of the file name them, and as files of their own."""
    elsewhere = OtherNode(here)
    for other in sorted(ids)[:MOST]:
        label = "the other node" if other == ANY_OTHER else f"node {other}"
        yield Peer(label, load(path, elsewhere, LoadOptions(config_id=other)).configuration.vrrp_instance)
    for file in files:
        yield Peer(file, load(file, elsewhere, LoadOptions()).configuration.vrrp_instance)


class AnyInterface(Mapping[str, NetworkInterface]):
    """Has every name."""

    def __getitem__(self, name: str) -> NetworkInterface:
        return NetworkInterface(name, loopback=name == "lo")

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True

    def get(self, name: str, default: object = None) -> NetworkInterface:  # noqa: ARG002
        """The interface of that name."""
        return self[name]


class OtherNode:
    """The machine of another node: this one's files, and whatever else a configuration asks for."""

    def __init__(self, here: Surroundings) -> None:
        self._here = here
        self.read_file = here.read_file
        self.glob = here.glob
        self.real_path = here.real_path
        self.environment = here.environment
        self.host_name = here.host_name
        self.working_directory = here.working_directory
        self.process_account = here.process_account
        self.group = here.group
        self.iproute_names = here.iproute_names
        self.ip_protocol = here.ip_protocol
        self.host_known = here.host_known
        self.cpus = here.cpus
        self.tls_troubles = here.tls_troubles
        self.random = here.random
        self.mode = here.mode

    def interfaces(self, namespace: str | None) -> Mapping[str, NetworkInterface] | None:  # noqa: ARG002
        """Every interface."""
        return AnyInterface()

    def addresses(self, namespace: str | None) -> Mapping[str, tuple[str, ...]]:  # noqa: ARG002
        """None that is known."""
        return {}

    def user(self, name: str) -> Account | None:
        """Every user, with a number of its own where this node has none."""
        return self._here.user(name) or Account(name, 65534, 65534)

    def script(self, name: str) -> ScriptPath | None:
        """Every program, safe."""
        return ScriptPath(name, (PathElement(name, 0, 0, 0o755, "file"),))
