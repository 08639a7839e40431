"""The other nodes' configurations: the same file read as another node reads it, or a file of its own.

Another node has interfaces, users and programs that this one cannot see: there they are taken to exist.
"""

from collections.abc import Iterator, Mapping

from pykeepalived.config.surroundings import Account, NetworkInterface, PathElement, ScriptPath, Surroundings


class AnyInterface(Mapping[str, NetworkInterface]):
    """Has every name."""

    def __getitem__(self, name: str) -> NetworkInterface:
        return NetworkInterface(name, loopback=name == "lo")

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

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
        self.scope = here.scope
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
