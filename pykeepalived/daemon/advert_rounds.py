"""Adverts of many instances that are due at one instant go out in one go.

Hundreds of MASTERs advertise at few phases of their interval (`vrrp/own_adverts.py`). An alarm for each of them costs
more than its advert, so those of one instant share an alarm.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.vrrp_sockets import Port

_A_TURN = 64  # then the sockets are looked at again


class AdvertRounds:
    """Which ports advertise at which instant. ``advertise`` gets those that are due."""

    def __init__(self, reactor: Reactor, advertise: Callable[[Iterator[Port]], None]) -> None:
        self._reactor = reactor
        self._advertise = advertise
        self._rounds: dict[int, list[Port]] = {}

    def join(self, port: Port) -> None:
        """Advertise at the port's deadline, unless its ``round_at`` is another by then."""
        due_at = port.router.deadline
        if due_at is None:
            return
        members = self._rounds.get(due_at)
        if members is None:
            members = self._rounds[due_at] = []
            self._reactor.alarm(partial(self._due, due_at)).set(due_at)
        members.append(port)
        port.round_at = due_at

    def _due(self, due_at: int) -> None:
        members = iter(self._rounds.pop(due_at, ()))
        try:
            self._advertise(islice((port for port in members if port.round_at == due_at), _A_TURN))
        finally:  # a fault of one is not the others'
            if rest := list(members):
                self._rounds[due_at] = rest
                self._reactor.soon(partial(self._due, due_at))
