"""What the kernel refuses to do for a virtual router, in lines for the operator: one a cause, one when it is over."""

from errno import errorcode

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.kinds import IP
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.wire.vrrp import text


class Refusals:
    """The adverts of one instance that do not go out."""

    __slots__ = ("_errnos", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._errnos: dict[bytes, int] = {}

    def tell(self, destination: bytes, errno: int) -> list[Log]:
        """An advert was refused; ``errno`` 0: it goes out. Said once for a destination and a reason."""
        if self._errnos.get(destination, 0) == errno:
            return []
        to = f" to {text(destination)}" if destination else ""
        fields = (("VRRP_INSTANCE", self.name),)
        if errno == 0:
            del self._errnos[destination]
            return [Log(f"({self.name}) adverts{to} go out again", kind=Kind.VRRP_PACKET, fields=fields)]
        self._errnos[destination] = errno
        message = f"({self.name}) the kernel refuses to send adverts{to}: {_word(errno)}"
        return [Log(message, Level.ERROR, Kind.VRRP_PACKET, fields=fields)]


def address_refused(name: str, entry: AddressEntry, errno: int, *, adding: bool) -> Log:
    """An address could not be added, or removed."""
    verb = "add" if adding else "remove"
    message = f"({name}) the kernel refuses to {verb} {entry} dev {entry.dev}: {_word(errno)}"
    return Log(message, Level.ERROR, fields=(("VRRP_INSTANCE", name),))


def address_duplicate(interface: str, address: IP) -> Log:
    """The kernel asked the link, and another host answered that it has the address."""
    message = f"Address {address} on {interface} is another host's (duplicate address detection): it cannot be used"
    remedy = f"find that host, then remove the address and add it again: ip -6 addr show dev {interface} dadfailed"
    return Log(f"{message} ({remedy})", Level.ERROR)


def _word(errno: int) -> str:
    return errorcode.get(errno, str(errno))
