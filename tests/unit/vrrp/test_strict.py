"""strict_mode as it runs; what it makes of a file is in the configuration's tests."""

from ipaddress import IPv4Address

import pytest

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.configuration import Configuration
from pykeepalived.units import SECOND
from pykeepalived.vrrp.adverts import messages
from pykeepalived.vrrp.effects import Announce, Effect, NotifyInstance, SendAdvert, Word
from pykeepalived.vrrp.events import AddressAdded, AdvertReceived, InterfaceChanged
from pykeepalived.vrrp.identity import receiver_of
from pykeepalived.vrrp.router import VirtualRouter
from pykeepalived.vrrp.routers import Routers
from pykeepalived.wire.vrrp import Reason
from tests.config.reading import instance
from tests.support.link import Received

NOW = 1_000_000_000_000
PEER = IPv4Address("10.0.0.2").packed


def started(own: VrrpInstance) -> tuple[Routers, VirtualRouter]:
    host = Routers(Configuration(vrrp_instance=(own,)))
    host.handle(InterfaceChanged("eth0", up=True), NOW)
    host.handle(AddressAdded("eth0", IPv4Address("10.0.0.8"), 24), NOW)
    host.start(NOW)
    (router,) = host.routers.values()
    return host, router


def heard(host: Routers, own: VrrpInstance, priority: int, at: int) -> list[Effect]:
    ((destination, data),) = messages(own, priority, PEER)
    return host.handle(AdvertReceived(receiver_of(own), Received(PEER, destination, 255, data, len(data))), at)


@pytest.mark.keyword("vrrp_instance.strict_mode")
@pytest.mark.parametrize("strict", [True, False])
def test_a_master_does_not_answer_an_advert_of_lower_priority(strict: bool) -> None:
    """RFC 3768 6.4.3: it is discarded; otherwise it is answered, as RFC 9568 has it, and addresses are announced."""
    own = instance("version 3\npriority 100" + ("\nstrict_mode" if strict else ""))
    host, router = started(own)
    host.tick_all(NOW + 4 * SECOND)
    effects = heard(host, own, 50, NOW + 4 * SECOND + 1)
    assert router.state.name == "MASTER"
    kinds = {type(effect) for effect in effects}
    assert (SendAdvert in kinds, Announce in kinds) == (not strict, not strict)
    # nor does it announce them later
    later = [
        effect for at in range(5, 12) for effect in host.tick_all(NOW + at * SECOND) if isinstance(effect, Announce)
    ]
    assert len(later) == (1 if strict else 2)
    assert any(isinstance(effect, NotifyInstance) and effect.word is Word.MASTER_RX_LOWER_PRI for effect in effects)


@pytest.mark.parametrize("strict", [True, False])
def test_an_owner_hears_nobody(strict: bool) -> None:
    own = instance("version 3\npriority 255" + ("\nstrict_mode" if strict else ""))
    host, router = started(own)
    host.tick_all(NOW + SECOND)
    effects = heard(host, own, 50, NOW + SECOND + 1)
    assert (effects == []) is strict
    assert router.statistics.errors == {Reason.OWNER_IGNORES if strict else Reason.TWO_MASTERS: 1}
    assert router.statistics.advert_rcvd == (0 if strict else 1)


def test_a_master_that_hears_a_higher_one_yields_without_a_word() -> None:
    own = instance("version 3\npriority 100\nstrict_mode")
    host, router = started(own)
    host.tick_all(NOW + 4 * SECOND)
    effects = heard(host, own, 150, NOW + 5 * SECOND)
    assert router.state.name == "BACKUP"
    assert not [effect for effect in effects if isinstance(effect, SendAdvert)]


def test_an_advert_with_a_password_is_not_for_strict_mode() -> None:
    own = instance("version 2\npriority 100\nstrict_mode")
    host, router = started(own)
    heard(host, instance("authentication {\nauth_type PASS\nauth_pass x\n}"), 150, NOW + SECOND)
    assert router.statistics.errors == {Reason.AUTH_TYPE: 1}


def test_preemption_is_at_once() -> None:
    own = instance("version 3\npriority 100\nstrict_mode")
    host, router = started(own)
    deadline = router.deadline
    heard(host, own, 50, NOW + SECOND)
    assert router.deadline == deadline
