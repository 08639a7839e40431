"""The protocol processes there are, and what tells one from another."""

import signal
from collections.abc import Callable

from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon.child import ChildContext, Service
from pykeepalived.kernel.capabilities import Capability
from pykeepalived.records import record

ServiceFactory = Callable[[ChildContext, Configuration], Service]

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@record(frozen=True, slots=True)
class Role:
    """One kind of protocol process. ``name`` is keepalived's word for it in log lines."""

    name: str
    key: str  # vrrp, checkers: as in its pid file
    ident: str
    process_name: str
    capabilities: frozenset[Capability]
    make: ServiceFactory
    warm: Callable[[], None]  # imports what its service needs, before the fork, so that all processes share it
    realtime: bool = False
    remembers: bool = False  # its keepsake names all that it has made; of another its part of the configuration does
