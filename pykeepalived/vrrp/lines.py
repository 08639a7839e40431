"""Lines of the journal about one virtual router: its name before the words (as a rule), and in a field beside them.

The words that people search for are keepalived's, and so are the exceptions.
"""

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.units import MICROSECOND, MILLISECOND, SECOND

Fields = tuple[tuple[str, str], ...]


def fields(name: str) -> Fields:
    """What the journal has beside each line about that instance."""
    return (("VRRP_INSTANCE", name),)


def line(name: str, words: str, kind: Kind | None = None, level: Level = Level.INFO) -> Log:
    """Any line."""
    return Log(f"({name}) {words}", level, kind, fields=fields(name))


def detail(name: str, words: str) -> Log:
    """A line that appears only under --log-detail."""
    return Log(f"({name}) {words}", detail=True, fields=fields(name))


def packet(name: str, words: str, level: Level = Level.INFO) -> Log:
    """A line about adverts."""
    return line(name, words, Kind.VRRP_PACKET, level)


def why(name: str, cause: str) -> Log:
    """The cause of what the line before says."""
    return line(name, f"cause: {cause}")


def transition(name: str, words: str, former: str, state: str, cause: str) -> Log:
    """From one state into another."""
    beside = (*fields(name), ("VRRP_STATE", state), ("VRRP_PREVIOUS_STATE", former), ("CAUSE", cause))
    return Log(f"({name}) {words}", kind=Kind.VRRP_TRANSITION, fields=beside)


def priority(name: str, before: int, after: int, state: str, cause: str) -> Log:
    """Another effective priority."""
    words = f"({name}) Changing effective priority from {before} to {after}"
    return Log(words, kind=Kind.VRRP_PRIORITY, fields=(*fields(name), ("VRRP_STATE", state), ("CAUSE", cause)))


def interval_learnt(name: str, before: int, after: int) -> Log:
    """A BACKUP goes by the interval of its master."""
    old, new = before // MILLISECOND, after // MILLISECOND
    return detail(name, f"advertisement interval updated from {old}ms to {new}ms by master")


def interval_own(name: str, learnt: int, own: int) -> Log:
    """A MASTER goes by its own interval."""
    old, new = learnt // MILLISECOND, own // MILLISECOND
    return detail(name, f"changing advert interval from {old}ms to locally configured {new}ms")


def lower_discarded(name: str, sender: str, theirs: int) -> Log:
    """A BACKUP does not listen to a master that it would replace."""
    return packet(name, f"received lower priority ({theirs}) advert from {sender} - discarding")


def lower_heard(name: str, sender: str, theirs: int, ours: int, *, answered: bool) -> Log:
    """Another MASTER that must yield."""
    election = ", forcing new election" if answered else ""
    return packet(name, f"Received advert from {sender} with lower priority {theirs}, ours {ours}{election}")


def higher_heard(name: str, sender: str, theirs: int, ours: int) -> Log:
    """Another MASTER that we yield to."""
    if theirs == ours:
        words = f"Master received advert from {sender} with same priority {theirs} but higher IP address than ours"
    else:
        words = f"Master received advert from {sender} with higher priority {theirs}, ours {ours}"
    return packet(name, words)


def still_owner(name: str, sender: str) -> Log:
    """Another owner of our addresses goes on, though it should have yielded: then we do."""
    words = f"{sender} is still advertising as address owner, please resolve - reducing our priority"
    return Log(f"({name}) {words}", Level.ERROR, Kind.VRRP_PACKET)


def address_removed(name: str, entry: AddressEntry) -> Log:
    """Somebody deleted an address that the MASTER holds."""
    words = f"Netlink reflector reports IP {entry.address} removed from {entry.dev}"
    return Log(words, detail=True, fields=fields(name))


def preempt_delay_begins(name: str, delay: int) -> Log:
    """A master of lower priority is left alone."""
    return detail(name, f"start preempt delay ({_seconds(delay)})")


def expired(name: str, late: int) -> Log:
    """An advert is so late that a peer may have taken over (timer_expired_backup)."""
    return Log(f"VRRP thread timer expired {_seconds(late)} seconds ago", kind=Kind.STALL, fields=fields(name))


def _seconds(length: int) -> str:
    """``5.000000``."""
    return f"{length // SECOND}.{length % SECOND // MICROSECOND:06}"
