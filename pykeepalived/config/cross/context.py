"""What every cross check needs: where to report, and the machine as far as it matters."""

import difflib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from pykeepalived.config.diagnostics import Diagnostic, Findings, Severity, Span
from pykeepalived.config.kinds import Problem
from pykeepalived.config.surroundings import NetworkInterface, Surroundings

if TYPE_CHECKING:
    from pykeepalived.config.blocks.virtual_server import Service
    from pykeepalived.config.cross.servers import Servers
    from pykeepalived.config.raw import Raw

IPROUTE_FOLDERS = ("/etc/iproute2", "/usr/share/iproute2", "/usr/lib/iproute2")
"""That of the administrator, and those of distributions."""


class Context:
    """Shared by the checks of one load."""

    def __init__(self, surroundings: Surroundings, findings: Findings) -> None:
        self._surroundings = surroundings
        self.servers: Servers | None = None
        """Who has read the virtual servers."""
        self.asked = 0
        """How often something was asked for that other blocks say, or the machine."""
        self.findings = findings
        self.server: tuple[Service, Raw | None] | None = None
        """The virtual server that is being read, and the real server in it."""
        self.not_effective: dict[str, str] = {}
        self.dynamic_interfaces = False
        self.missing_interface = False
        """keepalived looks no further then."""
        self.namespace: str | None = None
        self.iproute_folders: tuple[str, ...] = IPROUTE_FOLDERS
        """Where iproute2's tables of names are; the first that has a name decides."""
        self._iproute: dict[str, dict[str, int]] = {}
        self._interfaces: Mapping[str, NetworkInterface] | None = None

    @property
    def surroundings(self) -> Surroundings:
        """The machine."""
        self.asked += 1
        return self._surroundings

    def error(
        self,
        message: str,
        span: Span | None,
        hint: str | None = None,
        problem: Problem = Problem.GENERAL_ERROR,
        *,
        fatal: bool = False,
    ) -> None:
        """A mistake that counts."""
        self.findings.add(Diagnostic(Severity.ERROR, message, span, hint, problem, fatal))

    def warning(self, message: str, span: Span | None, hint: str | None = None, problem: Problem | None = None) -> None:
        """Something to know. It counts for the test mode only with a problem."""
        self.findings.add(Diagnostic(Severity.WARNING, message, span, hint, problem))

    def server_words(self) -> str:
        """Which server is being read; nothing outside of them."""
        if self.server is None:
            return ""
        service, real = self.server
        return f"real server {' '.join(real.words)} of VS {service}" if real is not None else f"VS {service}"

    def interface(self, name: str) -> NetworkInterface | None:
        """The interface of that name, or None."""
        self.asked += 1
        return self._all_interfaces().get(name)

    def interface_hint(self, name: str) -> str:
        """What to do about a name no interface has."""
        names = [each for each, interface in self._all_interfaces().items() if not interface.loopback]
        if near := nearest(name, names):
            return near
        if names:
            return f"this machine has {', '.join(sorted(names)[:8])}"
        return "`ip link` lists the interfaces; dynamic_interfaces in global_defs allows one that comes later"

    def _all_interfaces(self) -> Mapping[str, NetworkInterface]:
        if self._interfaces is None:
            self._interfaces = self.surroundings.interfaces(self.namespace) or {}
        return self._interfaces

    def enter(self, namespace: str, span: Span) -> bool:
        """Looks at the interfaces of that network namespace from now on. False when there is none."""
        self._interfaces = self.surroundings.interfaces(namespace)
        self.namespace = namespace
        if self._interfaces is None:
            self.findings.add(
                Diagnostic(
                    Severity.ERROR,
                    f"there is no network namespace {namespace}",
                    span,
                    f"make it first: ip netns add {namespace}",
                    fatal=True,
                )
            )
        return self._interfaces is not None

    def move_iproute(self, etc: str | None, usr: str | None) -> None:
        """Looks for iproute2's tables in other folders: the administrator's, the distribution's."""
        own, *distribution = IPROUTE_FOLDERS
        self.iproute_folders = (etc or own, *([usr] if usr else distribution))

    def iproute_name(self, file: str, name: str) -> int | None:
        """The number of a name of iproute2's tables, or of a protocol of ``protocols``; None when there is none."""
        if file == "protocols":
            return self.surroundings.ip_protocol(name)
        return self.iproute_names(file).get(name)

    def iproute_names(self, file: str) -> Mapping[str, int]:
        """Every name of one of iproute2's tables."""
        self.asked += 1
        found = self._iproute.get(file)
        if found is None:
            found = self._iproute[file] = {}
            for folder in reversed(self.iproute_folders):
                found.update(self.surroundings.iproute_names(folder, file))
        return found


MANY_NAMES = 500


@lru_cache(maxsize=64)
def _nearest(name: str, names: tuple[str, ...]) -> list[str]:
    return difflib.get_close_matches(name, names, 1) if len(names) <= MANY_NAMES else []


def nearest(name: str, names: Iterable[str]) -> str | None:
    """A hint with the nearest of some names. Among very many there is none: it would take too long."""
    near = _nearest(name, tuple(islice(names, MANY_NAMES + 1)))
    return f"did you mean {near[0]}?" if near else None
