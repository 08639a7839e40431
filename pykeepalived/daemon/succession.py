"""The processes of one role, one after the other: when the next one comes in the place of one that died, and what it is
given at its birth: the running part of the configuration, and the keepsake of the one before (``keepsake.py``).
"""

import os
from collections.abc import Callable, Iterable

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon.loader import write_value
from pykeepalived.daemon.reactor import Callback, Reactor
from pykeepalived.daemon.respawn import Respawn
from pykeepalived.daemon.roles import Role
from pykeepalived.effects import Level
from pykeepalived.units import SECOND

_AMENDMENTS = 16  # of one part: a process that starts reads them all


class Succession:
    """Of one role. ``start`` starts the next process, ``say`` logs a line."""

    def __init__(self, role: Role, reactor: Reactor, start: Callback, say: Callable[[str, Level], None]) -> None:
        self.role = role
        self.parts: tuple[int, ...] = ()
        """Descriptors of the pickled part, and of what amends it."""
        self._former: tuple[int, ...] = ()
        """Of the part before, while something may stand that no other names."""
        self.keepsake = os.memfd_create(f"{role.key} keepsake")
        self._reactor = reactor
        self._start = start
        self._say = say
        self._respawn = Respawn()
        self._alarm = reactor.alarm(start)

    # The part

    def take(self, part: int, *, amends: bool) -> None:
        """A new configuration's part, or what amends the one before."""
        if amends:
            self.parts = (*self.parts, part)
            return
        former, self.parts = self.parts, (part,)
        if self.has_left and not self.role.remembers and not self._former:
            self._former = former
        else:
            _close(former)

    @property
    def first_parts(self) -> tuple[int, ...]:
        """What a process is born with. Where something of the part before may stand it is that one, and goes by the
        reload that follows.
        """
        return self._former or self.parts

    def forget_former(self) -> bool:
        """Nothing stands of the part before, or a process is born with it, which is done once: it may be what kills it.
        Gives whether there was one.
        """
        former, self._former = self._former, ()
        _close(former)
        return bool(former)

    @property
    def is_long(self) -> bool:
        """Whether the part has been amended so often that the next one is to come whole."""
        return len(self.parts) > _AMENDMENTS

    # A death

    @property
    def has_left(self) -> bool:
        """Whether a process has made something that it has not taken away."""
        return os.fstat(self.keepsake).st_size > 0

    def died(self, lived: int) -> None:
        """The process has died, or could not be started: the next one comes now, or later."""
        delay = self._respawn.died(lived)
        text = f"Restart of {self.role.name} process delayed {delay // SECOND} seconds to limit respawn rate"
        self._say(text, Level.WARNING if delay else Level.INFO)
        if delay:
            self._alarm.set(self._reactor.now() + delay)
        else:
            self._reactor.soon(self._start)

    def wait_no_more(self) -> None:
        """The next one comes at once, or never."""
        self._alarm.set(None)

    # The end

    def settle(self) -> None:
        """The process has left in good order: the next one begins anew."""
        os.ftruncate(self.keepsake, 0)
        self.forget_former()

    def prepare_to_leave(self, global_defs: GlobalDefs) -> None:
        """The last process only takes away what there is. Where the keepsake names that it is given nothing to do."""
        if not self.role.remembers:
            return
        part = os.memfd_create(f"pykeepalived-{self.role.key}")
        self.take(part, amends=False)
        write_value(part, Configuration(global_defs=global_defs))

    def close(self) -> None:
        """In the process of another role."""
        _close((*self.parts, *self._former, self.keepsake))

    def be_born(self) -> None:
        """In the new process: it has what it is born with, and no more."""
        if self._former:
            _close(self.parts)


def _close(descriptors: Iterable[int]) -> None:
    for each in descriptors:
        os.close(each)
