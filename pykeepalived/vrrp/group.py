"""A sync group: instances of which none is MASTER unless all are.

The member to which something happens moves first; the group then takes the others along, and is notified last.
"""

from typing import TYPE_CHECKING

from pykeepalived.config.blocks.vrrp_sync_group import VrrpSyncGroup
from pykeepalived.effects import Log
from pykeepalived.vrrp.effects import Effect, NotifyGroup, Word
from pykeepalived.vrrp.states import Backup, Fault, Init, Master
from pykeepalived.wire.vrrp import OWNER

if TYPE_CHECKING:
    from pykeepalived.vrrp.router import VirtualRouter


class SyncGroup:
    """One vrrp_sync_group. ``word`` is the state its scripts were last told, None before the first. ``mixed``: after a
    reload some members are MASTER and others still BACKUP.
    """

    __slots__ = ("config", "members", "mixed", "word")

    def __init__(self, config: VrrpSyncGroup, members: "list[VirtualRouter]") -> None:
        self.config = config
        self.members = members
        self.word: Word | None = None
        self.mixed = False

    @property
    def name(self) -> str:
        """The group's name."""
        return self.config.name

    def begin(self, at: int, effects: list[Effect], *, waited: bool) -> None:
        """Start all members: MASTER only when all members own their addresses; FAULT when one has a fault. A group that
        begins as BACKUP without having waited is told it before its members are.
        """
        faulty = next((member for member in self.members if member.faults), None)
        owners = all(member.instance.priority == OWNER for member in self.members)
        if faulty is None and not owners and not waited:
            self.tell(Word.BACKUP, effects)
        for member in self.members:
            if faulty is not None:
                follows = f"sync group {self.name} follows {faulty.name}"
                member.start_faulty(next(iter(member.faults.values()), follows), at, effects)
            else:
                member.start(at, effects, owner=owners, sooner=member.instance.state == "MASTER", waited=waited)
        if faulty is not None:
            self.tell(Word.FAULT, effects)
        elif not owners:
            self.tell(Word.BACKUP, effects)

    def join(self, member: "VirtualRouter", at: int, effects: list[Effect]) -> None:
        """Start a new member: the others run already."""
        if member.faults:
            member.start_faulty(next(iter(member.faults.values())), at, effects)
            self.follow_to_fault(member, at, effects)
        elif any(isinstance(other.state, Fault) for other in self.members):
            member.start_faulty(f"sync group {self.name} is in FAULT", at, effects)
        else:
            self.mixed = any(isinstance(other.state, Master) for other in self.members)
            member.start(at, effects, sooner=self.mixed)

    def lets_become_master(self, router: "VirtualRouter") -> bool:
        """Whether every other member wants to be MASTER as well."""
        return all(member is router or _wants_master(member) for member in self.members)

    def follow_to_master(self, first: "VirtualRouter", now: int, effects: list[Effect]) -> None:
        """``first`` has become MASTER, so all do."""
        others = [member for member in self.members if isinstance(member.state, (Backup, Init))]
        if others:
            self._say("Syncing instances to MASTER state", effects)
        for member in others:
            member.become_master(f"sync group {self.name} follows {first.name}", now, effects)
        self.tell(Word.MASTER, effects)

    def follow_to_backup(self, first: "VirtualRouter", now: int, effects: list[Effect], *, zero: bool = False) -> None:
        """``first`` is BACKUP now, so all are; ``zero``: it told the others that it gives up, so all do."""
        cause = f"sync group {self.name} follows {first.name}"
        others = [member for member in self.members if isinstance(member.state, (Master, Fault))]
        if others:
            self._say("Syncing instances to BACKUP state", effects)
        for member in self.members:
            if isinstance(member.state, Master):
                member.leave_master(cause, now, effects, zero=zero)
            elif isinstance(member.state, Fault):
                member.leave_fault(cause, now, effects)
            else:
                member.rewatch(now)
        self.tell(Word.BACKUP, effects)

    def follow_to_fault(self, first: "VirtualRouter", now: int, effects: list[Effect]) -> None:
        """``first`` is in FAULT, so all are."""
        others = [member for member in self.members if isinstance(member.state, (Backup, Master, Init))]
        if others:
            self._say("Syncing instances to FAULT state", effects)
        for member in others:
            if member.held:
                continue
            member.enter_fault(f"sync group {self.name} follows {first.name}", now, effects, follows=True)
        self.tell(Word.FAULT, effects)

    def tell(self, word: Word, effects: list[Effect]) -> None:
        """All members are in this state: notify the group's scripts, once for a change."""
        self.mixed = False
        if word is not self.word:
            self.word = word
            effects.append(NotifyGroup(self.name, word))

    def _say(self, message: str, effects: list[Effect]) -> None:
        effects.append(Log(f"VRRP_Group({self.name}) {message}"))


def _wants_master(router: "VirtualRouter") -> bool:
    state = router.state
    if isinstance(state, Backup):
        return state.wants_master
    return isinstance(state, Master) or (isinstance(state, Init) and state.master_at is not None)
