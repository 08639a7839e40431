"""What the kernel refuses to do for a virtual router, in lines for the operator: one a cause, one when it is over."""

import errno as errors
from errno import errorcode

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.kinds import IP
from pykeepalived.effects import Level, Log
from pykeepalived.vrrp import lines
from pykeepalived.vrrp.events import RoutingFailed, StaticTried
from pykeepalived.wire.vrrp import text

_REMEDIES = {
    errors.ENETUNREACH: "no interface has a network with its gateway: add an address of that network, or onlink",
    errors.EHOSTUNREACH: "no interface has a network with its gateway: add an address of that network, or onlink",
    errors.ENETDOWN: "its interface is down",
    errors.ENODEV: "its interface is not there, or it needs dev or via",
    errors.EOPNOTSUPP: "this kernel lacks what the line asks for, or the module is not loaded",
    errors.EAFNOSUPPORT: "this kernel has no IPv6, or it is disabled",
}


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
        if errno == 0:
            del self._errnos[destination]
            return [lines.packet(self.name, f"adverts{to} go out again")]
        self._errnos[destination] = errno
        return [lines.packet(self.name, f"the kernel refuses to send adverts{to}: {_word(errno)}", Level.ERROR)]


def address_refused(name: str, entry: AddressEntry, errno: int, *, adding: bool) -> Log:
    """An address could not be added, or removed."""
    verb = "add" if adding else "remove"
    message = f"{_owner(name)} the kernel refuses to {verb} {entry} dev {entry.dev}: {_word(errno)}"
    return Log(message, Level.ERROR, fields=lines.fields(name))


def address_duplicate(interface: str, address: IP) -> Log:
    """The kernel asked the link, and another host answered that it has the address."""
    message = f"Address {address} on {interface} is another host's (duplicate address detection): it cannot be used"
    remedy = f"find that host, then remove the address and add it again: ip -6 addr show dev {interface} dadfailed"
    return Log(f"{message} ({remedy})", Level.ERROR)


def routing_refused(event: RoutingFailed) -> Log:
    """A route or a rule could not be added, or removed."""
    name, entry = event.instance, event.entry
    what = "route" if isinstance(entry, RouteEntry) else "rule"
    verb = "add" if event.adding else "remove"
    message = f"{_owner(name)} the kernel refuses to {verb} {what} {entry}: {_explained(event.errno, event.words)}"
    return Log(message, Level.ERROR, fields=lines.fields(name) if name else ())


def static_refused(description: str, event: StaticTried) -> Log:
    """A static object could not be added."""
    explained = _explained(event.errno, event.words)
    return Log(f"The kernel refuses to add static {description}: {explained}", Level.ERROR)


def _owner(name: str) -> str:
    return f"({name})" if name else "Static:"


def _explained(errno: int, words: str) -> str:
    """The errno with the kernel's own words, or with what is to be done."""
    remedy = "; ".join(each for each in (words, _REMEDIES.get(errno, "")) if each)
    return _word(errno) + (f" ({remedy})" if remedy else "")


def _word(errno: int) -> str:
    return errorcode.get(errno, str(errno))
