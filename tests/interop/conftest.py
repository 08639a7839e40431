"""Interop rounds run side by side: an election is mostly waiting.

A test marked `concurrent` is called with its parameters alone, no fixtures. When the first of them is reached all the
selected ones start, each on a thread; every test then reports its own outcome.
"""

from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.support import keepalived, netns

ROUNDS_AT_ONCE = 16
_running: dict[str, Future[None]] = {}
_pool = ThreadPoolExecutor(ROUNDS_AT_ONCE, "round")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "concurrent: runs on a thread beside the other rounds; parameters only")


@pytest.fixture(autouse=True)
def _peer(request: pytest.FixtureRequest) -> None:
    """Skip a round, naming what is missing."""
    if request.node.get_closest_marker("concurrent") and (missing := netns.why_not() or keepalived.why_not()):
        pytest.skip(missing)


def _call(item: pytest.Function) -> None:
    item.obj(**item.callspec.params)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Start all rounds at the first one, then wait for this one's outcome."""
    if pyfuncitem.get_closest_marker("concurrent") is None:
        return None
    if not _running:
        for item in pyfuncitem.session.items:
            if isinstance(item, pytest.Function) and item.get_closest_marker("concurrent"):
                _running[item.nodeid] = _pool.submit(_call, item)
    _running[pyfuncitem.nodeid].result()
    return True


def pytest_sessionfinish() -> None:
    """Leave no round running when the session is interrupted."""
    _pool.shutdown(wait=True, cancel_futures=True)
