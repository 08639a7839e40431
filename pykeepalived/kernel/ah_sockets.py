"""The raw sockets of VRRP under an authentication header (auth_type AH, IPv4 alone).

What it covers includes the IP header: the receiver hands that up, the sender signs when it has made it.
"""

from collections.abc import Mapping, Sequence

from pykeepalived.kernel.ports import Datagram, Heard, Interface
from pykeepalived.kernel.send_sockets import SendSockets
from pykeepalived.kernel.vrrp_sockets import LinuxAdvertReceiver, LinuxAdvertSender, Prepared
from pykeepalived.wire import ah
from pykeepalived.wire.vrrp import Expected

_LEAST_PDU = 8


class AhAdvertReceiver(LinuxAdvertReceiver):
    """Receives adverts under an authentication header, which may be wrong but must be one."""

    protocol = ah.IPPROTO_AH
    vrid_behind = ah.LENGTH

    def guard(self, wanted: Mapping[int, Expected | None]) -> None:
        """No more is dropped: what is behind an authentication header must be proved first."""

    def receive_many(self) -> Sequence[Heard]:
        """What waits, at most MANY, one by one: each must be proved."""
        return self._receive_each()

    def receive(self) -> Datagram | None:
        """The next datagram, its headers apart from its message."""
        while (datagram := self._receive4()) is not None:
            data = datagram.data
            if ah.is_ours(data) and len(data) >= ah.LENGTH + _LEAST_PDU:
                header = (self._buffer[0] & 15) * 4
                return datagram._replace(
                    data=data[ah.LENGTH :],
                    length=datagram.length - ah.LENGTH,
                    headers=bytes(self._view[: header + ah.LENGTH]),
                )
            self.dropped += 1
        return None


class AhAdvertSender(LinuxAdvertSender):
    """Sends adverts that begin with an authentication header, and fills in its ICV."""

    __slots__ = ("_key", "_multicast")

    protocol = ah.IPPROTO_AH

    def __init__(
        self,
        family: int,
        interface: Interface | None,
        *,
        multicast: bool,
        ttl: int | None,
        password: bytes,
        sockets: SendSockets | None = None,
    ) -> None:
        super().__init__(family, interface, multicast=multicast, ttl=ttl, sockets=sockets)
        self._key = ah.Key(password)
        self._multicast = multicast

    def _ready(self, source: bytes, destination: bytes, pdu: bytes) -> Prepared:
        """A header without its ICV and the message behind it come in. No two are alike."""
        self._prepared.clear()
        prepared = super()._ready(source, destination, pdu)
        self._key.seal(prepared.letter.octets, multicast=self._multicast)
        return prepared
