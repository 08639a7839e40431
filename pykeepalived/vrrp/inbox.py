"""What one receive socket serves: virtual routers by VRID, and the packets that may simply be accepted again."""

from pykeepalived.vrrp.router import VirtualRouter


class Inbox(dict[int, list[VirtualRouter]]):
    """Which virtual routers one receive socket serves, by VRID; and the packet that each accepted last, where the same
    packet may come again with nothing to judge.
    """

    __slots__ = ("accepted",)

    def __init__(self) -> None:
        super().__init__()
        self.accepted: dict[object, VirtualRouter] = {}

    def remember(self, packet: object, router: VirtualRouter) -> None:
        """``router`` has accepted ``packet``; what it accepted before is forgotten."""
        for before in [known for known, owner in self.accepted.items() if owner is router]:
            del self.accepted[before]
        self.accepted[packet] = router
