"""HAProxy on two nodes behind one address: killed, restarted and hung, followed by a script and as a process."""

import signal
import time

import pytest

from tests.interop.stage import MAKES
from tests.support import haproxy
from tests.support.capture import now
from tests.support.haproxy import haproxy_pair

pytestmark = [
    pytest.mark.root,
    pytest.mark.interop,
    pytest.mark.long,
    pytest.mark.skipif(haproxy.why_not() is not None, reason=haproxy.why_not() or ""),
]


@pytest.mark.parametrize("make", ["ours", "keepalived"])
@pytest.mark.parametrize("tracker", ["script", "process"])
def test_the_address_follows_haproxy(make: str, tracker: str) -> None:
    """A killed HAProxy loses the address to the other node, and gets it back when it runs again."""
    with haproxy_pair(MAKES[make](), tracker) as nodes:
        left, right = (balancer.host for balancer in nodes.balancers)
        assert nodes.served_by("left", right)
        struck = time.monotonic()
        _, after_resignation = nodes.takeover(signal.SIGKILL)
        assert after_resignation >= haproxy.WIRE.skew(haproxy.LOW) / 1e9 - 0.01
        assert nodes.served_by("right", left)
        nodes.client.wait_page("right", struck)
        since = now()
        mending = time.monotonic()
        pages = nodes.client.pages(struck, mending)
        assert "-" in pages, "what was asked of a dead HAProxy has no answer"
        assert pages[-1] == "right"
        nodes.balancers[0].start()
        nodes.master("left", since=since)
        assert nodes.served_by("left", right)
        nodes.client.wait_page("left", mending)
        pages = nodes.client.pages(mending, time.monotonic())
        assert pages[0] == "right"
        assert pages[-1] == "left"
        assert pages.count("-") < len(pages) / 2, "the way back is planned: hardly a request is lost"


@pytest.mark.parametrize("make", ["ours", "keepalived"])
def test_a_hung_haproxy_is_noticed_by_a_script_alone(make: str) -> None:
    with haproxy_pair(MAKES[make](), "script") as nodes:
        nodes.takeover(signal.SIGSTOP)
        assert nodes.served_by("right", nodes.balancers[0].host)
        since = now()
        nodes.balancers[0].send(signal.SIGCONT)
        nodes.master("left", since=since)
    with haproxy_pair(MAKES[make](), "process") as nodes:
        since = now()
        nodes.balancers[0].send(signal.SIGSTOP)
        nodes.capture.wait_advert("left", since=since, count=6, within=60)
        assert not nodes.capture.adverts("right", since=since)
        nodes.balancers[0].send(signal.SIGCONT)


@pytest.mark.parametrize("make", ["ours", "keepalived"])
def test_a_restart_in_time_moves_nothing(make: str) -> None:
    """Started again within terminate_delay; the neighbour's HAProxy, on the same machine, is not taken for it."""
    with haproxy_pair(MAKES[make](), "process") as nodes:
        since = now()
        struck = time.monotonic()
        nodes.balancers[0].send(signal.SIGKILL)
        nodes.balancers[0].start()
        took = (now() - since) / 1e9
        time.sleep(2 * haproxy.TERMINATE_DELAY)
        if took > haproxy.TERMINATE_DELAY:
            pytest.skip(f"HAProxy took {took:.1f} s to start here")
        nodes.capture.wait_advert("left", since=now(), count=2, within=60)
        assert not nodes.capture.adverts("right", since=since)
        nodes.client.wait_page("left", struck)
        pages = nodes.client.pages(struck, time.monotonic())
        assert "right" not in pages
        assert pages[-1] == "left"
        nodes.balancers[1].send(signal.SIGKILL)
        nodes.directors[1].wait_log("Quorum lost for tracked process haproxy")
        assert not nodes.directors[0].logged("Quorum lost")
