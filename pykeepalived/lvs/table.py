"""The IPVS table as it should be and as it is: the orders that are due, and what their answers mean.

The kernel is read once; from then on every answer is booked. A row that turns out to be otherwise than booked is booked
so and planned anew. Services that are nobody's of ours are known, and never touched.
"""

import errno
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from pykeepalived.config.blocks.virtual_server import Service, endpoint_text
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.ipvs_table import DestinationRow, IpvsOrder, ServerKey, ServiceRow, Verb
from pykeepalived.lvs.plan import plan
from pykeepalived.lvs.rows import ServiceTable, key_of

_COMMAND = {
    Verb.ADD_SERVICE: "NEW_SERVICE(1)",
    Verb.EDIT_SERVICE: "SET_SERVICE(2)",
    Verb.DELETE_SERVICE: "DEL_SERVICE(3)",
    Verb.ADD_SERVER: "NEW_DEST(5)",
    Verb.EDIT_SERVER: "SET_DEST(6)",
    Verb.DELETE_SERVER: "DEL_DEST(7)",
}
_MENDS = 3  # of one row, before it counts as refused

_Place = tuple[Service, ServerKey | None]
_Failure = tuple[str, int, ServiceRow | DestinationRow]


class Table:
    """``want`` and ``drop`` what is ours, carry out ``next_orders``, and tell it the answers by ``answered``."""

    __slots__ = (
        "_actual",
        "_describe",
        "_dirty",
        "_loaded",
        "_mended",
        "_overtaken",
        "_planned",
        "_planned_for",
        "_refused",
        "_told",
        "_turns",
        "_wanted",
    )

    def __init__(self, describe: Callable[[int], str]) -> None:
        """``describe`` is strerror(3)."""
        self._describe = describe
        self._wanted: dict[Service, ServiceTable] = {}
        self._actual: dict[Service, ServiceTable] = {}
        self._loaded = False
        self._dirty: dict[Service, set[ServerKey] | None] = {}  # None: the whole service
        self._turns: deque[Service] = deque()  # those that are dirty, in the order in which they became so
        self._planned: deque[IpvsOrder] = deque()
        self._planned_for: Service | None = None
        self._overtaken: set[ServerKey] = set()  # changed since the plan was made
        self._refused: dict[Service, set[ServerKey | None]] = {}  # None: the service itself
        self._mended: dict[Service, dict[ServerKey | None, int]] = {}
        self._told: dict[Service, dict[ServerKey | None, _Failure]] = {}  # those that were logged

    @property
    def loaded(self) -> bool:
        """Whether the kernel's table was read."""
        return self._loaded

    @property
    def pending(self) -> bool:
        """Whether orders are due."""
        return self._loaded and bool(self._planned or self._dirty)

    def load(self, rows: Iterable[tuple[ServiceRow, Sequence[DestinationRow]]]) -> None:
        """What the kernel holds now. All that is wanted is compared with it."""
        self._actual = {
            row.service: ServiceTable(row, {key_of(each): each for each in destinations}) for row, destinations in rows
        }
        self._loaded = True
        self._planned.clear()
        self._planned_for = None
        self._dirty = dict.fromkeys((*self._turns, *self._refused, *self._wanted))
        self._turns = deque(self._dirty)
        self._refused.clear()

    def unload(self, given: Iterable[IpvsOrder] = ()) -> None:
        """The kernel cannot be asked any more; ``given`` orders have no answer. All waits for the next ``load``."""
        self._loaded = False
        self._actual.clear()
        for order in (*given, *self._planned):
            self._mark(order.service.service)
        self._planned.clear()
        self._planned_for = None

    def want(self, table: ServiceTable, servers: Iterable[ServerKey] | None = None) -> None:
        """Our service shall be as ``table``, which its owner keeps; these servers (None: all) have changed."""
        service = table.row.service
        self._wanted[service] = table
        self._forgive(service, servers)
        self._touch(service, servers)

    def drop(self, table: ServiceTable) -> None:
        """Our service shall go, unless it is wanted otherwise by now."""
        service = table.row.service
        if self._wanted.get(service) is table:
            del self._wanted[service]
            self._forgive(service, None)
            self._touch(service, None)
            self._told.pop(service, None)

    def remove(self, services: Iterable[Service]) -> None:
        """These were ours in another life, and are wanted no more: they go, if they are there."""
        for service in services:
            self._touch(service, None)

    def services(self) -> dict[Service, None]:
        """Those that are ours, in the order in which they came."""
        return dict.fromkeys(self._wanted)

    def stuck(self) -> dict[Service, None]:
        """Those that were ours and shall go, but the kernel refused to remove them."""
        return dict.fromkeys(service for service in self._refused if service not in self._wanted)

    def strangers(self) -> tuple[Service, ...]:
        """Those in the kernel that are nobody's of ours."""
        return tuple(self._actual.keys() - self._wanted.keys())

    def booked(self, service: Service) -> ServiceTable | None:
        """Ours as the kernel holds it by all its answers; None while orders are due, or when it is not there."""
        if service in self._dirty or (self._planned and service == self._planned_for) or service not in self._wanted:
            return None
        return self._actual.get(service)

    def found(self, service: Service, table: ServiceTable | None) -> None:
        """A service of ours was read again, and is otherwise than booked."""
        if table is None:
            self._actual.pop(service, None)
        else:
            self._actual[service] = table
        self._touch(service, None)

    def retry_refused(self) -> None:
        """What was refused may be tried once more. A refusal that stays the same is not logged again."""
        refused, self._refused = self._refused, {}
        for service, keys in refused.items():
            for key in keys:
                self._forget_mends(service, key)
            self._touch(service, None if None in keys else [key for key in keys if key is not None])

    def next_orders(self, limit: int) -> list[IpvsOrder]:
        """The next orders, at most ``limit``. They count as given; ``answered`` must follow."""
        orders: list[IpvsOrder] = []
        if not self._loaded:
            return orders
        while len(orders) < limit:
            if not self._planned and not self._plan_next():
                break
            order = self._planned.popleft()
            if not self._is_refused(order) and not self._is_overtaken(order):
                orders.append(order)
        return orders

    def answered(self, orders: Sequence[IpvsOrder], failures: Iterable[tuple[int, int]]) -> list[Log]:
        """The kernel's answers: ``failures`` are places in ``orders`` with their errno; all others succeeded."""
        failed = dict(failures)
        logs: list[Log] = []
        for index, order in enumerate(orders):
            number = failed.get(index)
            if number is None:
                self._book(order)
            else:
                logs += self._failed(order, number)
        return logs

    # plans

    def _touch(self, service: Service, servers: Iterable[ServerKey] | None) -> None:
        planned = bool(self._planned) and service == self._planned_for
        if servers is None:
            if planned:
                self._planned.clear()
                self._planned_for = None
            self._mark(service)
            return
        if service not in self._dirty:
            self._turns.append(service)
        touched = self._dirty.setdefault(service, set())
        if touched is not None:
            touched.update(servers)
        if planned:
            self._overtaken.update(servers)

    def _mark(self, service: Service) -> None:
        """All of it is to be looked at."""
        if service not in self._dirty:
            self._turns.append(service)
        self._dirty[service] = None

    def _plan_next(self) -> bool:
        self._planned_for = None
        self._overtaken.clear()
        while self._turns:
            service = self._turns.popleft()
            touched = self._dirty.pop(service)
            self._planned.extend(plan(self._wanted.get(service), self._actual.get(service), touched))
            if self._planned:
                self._planned_for = service
                return True
        self._dirty.clear()  # gives back the room of ten thousand
        return False

    def _is_overtaken(self, order: IpvsOrder) -> bool:
        """Whether a later plan says what becomes of the server."""
        return bool(self._overtaken) and order.destination is not None and key_of(order.destination) in self._overtaken

    # answers

    def _book(self, order: IpvsOrder) -> None:
        """The order was carried out."""
        service = order.service.service
        if self._mended:
            self._forget_mends(*_place(order))
        if self._told:
            self._told.get(service, {}).pop(_place(order)[1], None)
        if order.destination is None:
            if order.verb == Verb.DELETE_SERVICE:
                self._actual.pop(service, None)
            elif service in self._actual:
                self._actual[service].row = order.service
            else:
                self._actual[service] = ServiceTable(order.service)
            return
        table = self._actual.get(service)
        if table is None:
            return
        if order.verb == Verb.DELETE_SERVER:
            table.destinations.pop(key_of(order.destination), None)
        else:
            table.destinations[key_of(order.destination)] = order.destination

    def _failed(self, order: IpvsOrder, number: int) -> list[Log]:
        place = _place(order)
        service, key = place
        if key is not None and self._is_refused(order):
            return []  # its service was refused in the same batch
        logs = self._tell(order, number)
        if not self._book_surprise(order, number):
            if order.verb not in (Verb.DELETE_SERVICE, Verb.DELETE_SERVER) or number not in (errno.ENOENT, errno.ESRCH):
                self._refuse(service, key)
            return logs
        mends = self._mended.setdefault(service, {})
        mends[key] = mends.get(key, 0) + 1
        if mends[key] > _MENDS:
            self._refuse(service, key)
        elif service not in self._actual:
            self._touch(service, None)
        else:
            self._touch(service, () if key is None else (key,))
        return logs

    def _book_surprise(self, order: IpvsOrder, number: int) -> bool:
        """The table is otherwise than booked: book what the errno says of it. False when it says nothing."""
        service = order.service.service
        table = self._actual.get(service)
        if number == errno.ESRCH and order.verb != Verb.ADD_SERVICE:
            self._actual.pop(service, None)  # the service is gone, and its servers
            return service in self._wanted
        if order.destination is None:
            if order.verb == Verb.ADD_SERVICE and number == errno.EEXIST:
                self._actual[service] = ServiceTable(replace(order.service, scheduler=""))
                return True
            return False
        if table is None:
            # its service could not be added
            return False
        key = key_of(order.destination)
        if order.verb == Verb.ADD_SERVER and number == errno.EEXIST:
            table.destinations[key] = replace(order.destination, weight=-1)
            return True
        if number == errno.ENOENT:
            table.destinations.pop(key, None)
            return order.verb == Verb.EDIT_SERVER
        return False

    def _refuse(self, service: Service, key: ServerKey | None) -> None:
        self._refused.setdefault(service, set()).add(key)

    def _is_refused(self, order: IpvsOrder) -> bool:
        if not self._refused:
            return False
        service, key = _place(order)
        refused = self._refused.get(service, ())
        # servers of a service that the kernel does not take cannot be added
        return key in refused or (key is not None and None in refused and service not in self._actual)

    def _forgive(self, service: Service, servers: Iterable[ServerKey] | None) -> None:
        """What is wanted has changed, so a refusal of before says nothing."""
        if not self._refused and not self._mended:
            return
        if servers is None:
            self._refused.pop(service, None)
            self._mended.pop(service, None)
            return
        for key in (None, *servers):
            if service in self._refused:
                self._refused[service].discard(key)
            self._forget_mends(service, key)

    def _forget_mends(self, service: Service, key: ServerKey | None) -> None:
        mends = self._mended.get(service)
        if mends is not None:
            mends.pop(key, None)

    def _tell(self, order: IpvsOrder, number: int) -> list[Log]:
        """One line for each failure, and no second one for the same row."""
        place, key = _place(order)
        refused = order.service if order.destination is None else replace(order.destination, weight=0)
        failure = (order.verb, number, refused)
        told = self._told.setdefault(place, {})
        if told.get(key) == failure:
            return []
        told[key] = failure
        service = str(order.service.service)
        fields: list[tuple[str, str]] = [("VIRTUAL_SERVER", service)]
        subject = f"VS {service}"
        if order.destination is not None:
            row = order.destination
            server = endpoint_text(row.address, order.service.service.protocol, row.port)
            fields.append(("REAL_SERVER", server))
            subject = f"service {server} of VS {service}"
        cause = self._describe(number)
        fields.append(("CAUSE", cause))
        line = f"IPVS cmd {_COMMAND[Verb(order.verb)]} error: {cause}({number}) for {subject}"
        if remedy := _remedy(order, number):
            line += f" - {remedy}"
        return [Log(line, Level.WARNING, Kind.IPVS, fields=tuple(fields))]


def _place(order: IpvsOrder) -> _Place:
    return order.service.service, None if order.destination is None else key_of(order.destination)


def _remedy(order: IpvsOrder, number: int) -> str:
    if order.destination is None and number == errno.ENOENT:
        scheduler, engine = order.service.scheduler, order.service.persistence_engine
        if engine:
            return (
                "the kernel does not know this scheduler or persistence engine:"
                f" modprobe -a ip_vs_{scheduler} ip_vs_pe_{engine}"
            )
        return f"the kernel does not know this scheduler: modprobe ip_vs_{scheduler}"
    if order.destination is not None and number == errno.EINVAL:
        return "the kernel takes unicast addresses that it has a route to"
    if order.destination is not None and number == errno.ERANGE:
        return "lthreshold is above uthreshold, which is 0 where none is given"
    if number == errno.EAFNOSUPPORT:
        return "this kernel's IPVS was built without IPv6"
    if number == errno.EPROTONOSUPPORT:
        return "this kernel's IPVS was built without this protocol"
    return ""
