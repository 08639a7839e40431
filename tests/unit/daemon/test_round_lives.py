"""Lives of all kinds of instances: with rounds and without them the same octets go out at the same time."""

import random
from collections import defaultdict
from collections.abc import Callable
from errno import ENETUNREACH
from functools import partial
from ipaddress import IPv4Address

import pytest

from pykeepalived.daemon.advert_rounds import AdvertRounds
from pykeepalived.daemon.vrrp_process import VrrpService
from pykeepalived.kernel.ports import Datagram
from pykeepalived.units import MILLISECOND, SECOND
from pykeepalived.vrrp.adverts import messages
from tests.support.fakes_vrrp import Bench, FakeSender
from tests.support.scenario import make_configuration, make_instance

MANY = 30
STEPS = 70
OWN, OTHER, PEER, SECOND_PEER = (f"10.0.0.{last}" for last in (1, 2, 7, 8))
KINDS = (
    *("version=3", "version=3", "version=3 interface=eth1"),
    *("version=2 auth_type=PASS auth_pass=one", "version=2 auth_type=AH auth_pass=one"),
    *(f"version=3 unicast_peer={PEER}", f"version=3 unicast_peer={PEER},{SECOND_PEER} unicast_ttl=9"),
)
TRACKED = "track_interface=eth1:-20"
OPTIONS = (
    *("advert_int=2", "garp_master_refresh=1", "garp_master_refresh=3", "track_script=S"),
    *("higher_prio_send_advert=yes", "lower_prio_no_advert=yes", "nopreempt=yes"),
)
ACTS = (
    *("hear", "hear", "hear", "hear", "silence", "link", "flap", "replaced", "renamed", "virtual", "source"),
    *("reload", "few", "same", "refuse all", "refuse one", "freeze", "script"),
)
Sent = tuple[int, bytes, bytes, bytes, int | None, int | None]


class Life:
    """What ``seed`` decides. What goes out of each VRID and when, and what is said and announced."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.kinds = [self.chance.choice(KINDS) for _ in range(MANY)]
        self.options: dict[int, dict[str, str]] = {}
        self.sent: dict[int, list[Sent]] = defaultdict(list)
        self.said: list[tuple[int, str]] = []
        self.refusing: set[bytes] = set()
        self.scripts = 0
        self.bench = Bench("eth0", "eth1")
        self.bench.kernel.give("eth0", IPv4Address(OWN), 24)
        self.bench.kernel.give("eth1", IPv4Address("10.2.0.1"), 24)
        self.written = self.file(0.93)
        self.service = VrrpService(self.bench.context, make_configuration(*self.written), self.bench.kernel)

    def file(self, share: float) -> list[str]:
        """A configuration with about this share of the instances, and with some groups."""
        chance, self.options = self.chance, {}
        vrids = [vrid for vrid in range(1, MANY + 1) if chance.random() < share] or [1]
        lines = []
        for vrid in vrids:
            addresses = ",".join(f"10.1.{vrid}.{last}/32" for last in range(1, chance.randint(2, 4)))
            words = [*self.kinds[vrid - 1].split(), *(word for word in OPTIONS if chance.random() < 0.15)]
            words += [f"virtual_router_id={vrid}", f"virtual_ipaddress={addresses}", TRACKED]
            name = f"{chance.choice('VVVVW')}{vrid}"
            lines.append(f"instance {name} priority={chance.choice((100, 100, 90, 110, 255))} {' '.join(words)}")
            self.options[vrid] = dict(word.split("=") for word in words if not word.startswith("track"))
        names = [line.split()[1] for line in lines]
        chance.shuffle(names)
        for number in range(min(chance.randint(0, 3), len(names) // 6)):
            members = [names.pop() for _ in range(chance.randint(2, 6))]
            lines += [f"group G{number} group={','.join(members)}"]
        return [*lines, "vrrp_script S interval=1 weight=10"]

    def sender(self) -> Callable[[FakeSender, bytes, bytes, bytes], int]:
        """In place of ``FakeSender.send``."""

        def send(sender: FakeSender, source: bytes, destination: bytes, pdu: bytes) -> int:
            vrid = pdu[25 if sender.ah_password else 1]
            assert source[:2] != bytes((10, 1))  # a virtual address
            index = sender.interface.index if sender.interface else None
            self.sent[vrid].append((self.bench.reactor.time, source, destination, pdu, sender.ttl, index))
            refused = {destination, bytes((vrid,))} & self.refusing
            return ENETUNREACH if refused else self.bench.kernel.send_errno

        return send

    def look(self, act: Callable[[], object]) -> None:
        """Do something, and note what it gave."""
        act()
        bench = self.bench
        told = [*(f"{link} announces {address}" for link, address in bench.kernel.frames), *bench.journal.texts()]
        bench.kernel.frames.clear()
        bench.journal.lines.clear()
        # who of a group is first when many are due at one instant, nobody has promised
        whose = (" cause: ", "advertisement timeout")
        self.said += [(bench.reactor.time, text) for text in sorted(told) if not any(word in text for word in whose)]

    def hear(self) -> None:
        """Somebody advertises, rightly or wrongly."""
        vrid, source = self.chance.randint(1, MANY), self.chance.choice(("10.0.0.0", PEER))
        if vrid not in self.options or "AH" in self.kinds[vrid - 1]:
            return
        options = dict(self.options[vrid])
        if self.chance.random() < 0.3:
            options |= {"virtual_ipaddress": "10.9.9.9/32"}
        if self.chance.random() < 0.1 and "auth_pass" in options:
            options |= {"auth_pass": "other"}
        if unicast := "unicast_peer" in options:
            options, source = options | {"unicast_peer": OWN}, PEER
        priority, old = self.chance.choice((0, 50, 50, 100, 150, 255)), unicast and self.chance.random() < 0.5
        packed = IPv4Address(source).packed
        ((destination, data),) = messages(make_instance("X", **options), priority, packed, old_checksum=old)
        for key, inbox in self.service._routers.inboxes.items():
            if vrid in inbox and key in self.service._receivers._receivers:
                fd = self.service._receivers.receiver(key).fileno()
                self.bench.hear(Datagram(packed, destination, 255, data, len(data)), fd - 100)

    def act(self, what: str) -> None:
        """Something happens."""
        chance, kernel, reactor = self.chance, self.bench.kernel, self.bench.reactor
        link = chance.choice(("eth0", "eth1"))
        match what:
            case "hear":
                for _ in range(chance.choice((1, 3))):
                    self.look(self.hear)
            case "link":
                kernel.set_link(link, up=not kernel.links[link].up)
            case "flap" if kernel.links[link].up:
                kernel.set_link(link, up=False)
                kernel.set_link(link, up=True)
            case "replaced":
                self.replace_link()
            case "renamed":
                kernel.rename_link("eth1", "tmp0")
                self.look(self.bench.told)
                self.look(partial(reactor.run_for, chance.choice((0, SECOND))))
                kernel.rename_link("tmp0", "eth1")
            case "virtual":
                if held := sorted(place for place in kernel.held if place[1].startswith("10.1.")):
                    kernel.take(*chance.choice(held))
            case "source":
                self.change_address(chance.choice((OWN, OTHER)))
            case "reload" | "few" | "same":
                if what != "same":
                    self.written = self.file(0.93 if what == "reload" else 0.2)
                self.look(partial(self.service.reload, make_configuration(*self.written)))
            case "refuse all":
                kernel.send_errno = ENETUNREACH - kernel.send_errno
            case "refuse one":
                self.refusing ^= {chance.choice((IPv4Address(PEER).packed, bytes((chance.randint(1, MANY),))))}
            case "freeze":
                reactor.time += chance.choice((200, 900, 1100, 5000)) * MILLISECOND
                self.look(partial(reactor.run_for, 0))
            case "script":
                self.end_scripts()
        self.look(self.bench.told)

    def replace_link(self) -> None:
        """eth1 is made anew, maybe with the same index."""
        kernel, index = self.bench.kernel, self.bench.kernel.links["eth1"].index
        kernel.remove_link("eth1")
        for place in [place for place in kernel.held if place[0] == "eth1"]:
            del kernel.held[place]
        if self.chance.random() < 0.5:
            self.look(self.bench.told)
        kernel.add_link("eth1", self.chance.choice((index, index + 5)))
        kernel.give("eth1", IPv4Address("10.2.0.1"), 24)

    def change_address(self, address: str) -> None:
        """An address comes, or goes."""
        if ("eth0", address, 24) in self.bench.kernel.held:
            self.bench.kernel.take("eth0", address, 24)
        else:
            self.bench.kernel.give("eth0", IPv4Address(address), 24)

    def end_scripts(self) -> None:
        """Those that run report."""
        while self.scripts < len(self.bench.scripts.ran):
            if self.bench.scripts.exits[self.scripts] is not None:
                self.look(partial(self.bench.scripts.end, self.scripts, self.chance.choice((0, 0, 1))))
            self.scripts += 1

    def calm(self) -> None:
        """Whatever is wrong is put right."""
        kernel = self.bench.kernel
        kernel.send_errno = 0
        self.refusing.clear()
        for name, link in list(kernel.links.items()):
            if not link.up:
                kernel.set_link(name, up=True)
        if ("eth0", OWN, 24) not in kernel.held:
            self.change_address(OWN)
        self.look(self.bench.told)

    def live(self) -> int:
        """From the start to the stop. How many bundles were made."""
        chance, reactor, service = self.chance, self.bench.reactor, self.service
        self.look(service.start)
        for _ in range(STEPS):
            self.act(chance.choice(ACTS))
            length = chance.choice((1, 100, 400, 1000, 3000))
            if chance.random() < 0.6:
                self.calm()
                length += chance.choice((0, 6000))
            end = reactor.time + length * MILLISECOND
            while reactor.time < end:
                self.look(partial(reactor.run_for, 25 * MILLISECOND))
        service._catch_up()
        routers = service._routers.routers.values()
        self.said += [(router.statistics.advert_sent, router.name) for router in routers]
        bundles = len(self.bench.kernel.bundles)
        self.look(partial(service.stop, lambda: None))
        self.look(partial(reactor.run_for, SECOND))
        return bundles


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 300))])
def test_with_and_without_rounds_lives_are_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    bundles = []
    together, alone = Life(seed), Life(seed)
    for life in (together, alone):
        monkeypatch.setattr(FakeSender, "send", life.sender())
        bundles.append(life.live())
        monkeypatch.setattr(AdvertRounds, "join", lambda *_: False)
    assert bundles[0] > 5
    assert bundles[1] == 0
    assert together.sent == alone.sent
    assert together.said == alone.said
