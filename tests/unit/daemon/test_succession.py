"""The processes of one role: their part, their keepsake, and when the next one comes."""

import os
from collections.abc import Iterator

import pytest

from pykeepalived.config.blocks.global_defs import GlobalDefs
from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon.loader import read_part, write_value
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.roles import Role, ServiceFactory
from pykeepalived.daemon.succession import Succession
from pykeepalived.effects import Level
from pykeepalived.kernel.capabilities import Capability
from pykeepalived.units import SECOND
from tests.support.fakes_vrrp import FakeReactor


class Line:
    """A succession whose processes only count."""

    def __init__(self, *, remembers: bool = False) -> None:
        self.reactor = FakeReactor()
        self.started = 0
        self.said: list[tuple[str, Level]] = []
        capabilities: frozenset[Capability] = frozenset()
        make: ServiceFactory = None  # type: ignore[assignment]
        role = Role("Little", "little", "i", "p", capabilities, make, lambda: None, remembers=remembers)
        reactor: Reactor = self.reactor  # type: ignore[assignment]
        self.succession = Succession(role, reactor, self.start, lambda *words: self.said.append(words))

    def start(self) -> None:
        self.started += 1

    def part(self, router_id: str) -> int:
        descriptor = os.memfd_create("part")
        write_value(descriptor, Configuration(global_defs=GlobalDefs(router_id=router_id)))
        return descriptor


def router_id(parts: tuple[int, ...]) -> str:
    return read_part(parts).global_defs.router_id or ""


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.succession.close()


def test_the_first_comes_at_once_and_the_others_later_and_later(line: Line) -> None:
    line.succession.died(0)
    assert line.started == 0  # not before the turn is over
    line.reactor.turn()
    assert line.started == 1
    for number, wait in enumerate((1, 2, 4), 2):
        line.succession.died(0)
        line.reactor.run_for(wait * SECOND - 1)
        assert line.started == number - 1
        line.reactor.run_for(1)
        assert line.started == number
    words = "Restart of Little process delayed {} seconds to limit respawn rate"
    assert line.said == [(words.format(wait), Level.WARNING if wait else Level.INFO) for wait in (0, 1, 2, 4)]


def test_one_that_is_not_waited_for_does_not_come(line: Line) -> None:
    line.succession.died(0)
    line.reactor.turn()
    line.succession.died(0)
    line.succession.wait_no_more()
    line.reactor.run_for(100 * SECOND)
    assert line.started == 1


def test_what_is_left_is_there_until_one_leaves_in_good_order(line: Line) -> None:
    assert not line.succession.has_left
    os.write(line.succession.keepsake, b"something")
    assert line.succession.has_left
    line.succession.settle()
    assert not line.succession.has_left


def test_a_part_that_is_whole_takes_the_place_of_all_before(line: Line) -> None:
    first = line.part("first")
    line.succession.take(first, amends=False)
    for _ in range(16):
        assert not line.succession.is_long
        line.succession.take(line.part("amendment"), amends=True)
    assert line.succession.is_long
    line.succession.take(line.part("whole"), amends=False)
    assert not line.succession.is_long
    assert router_id(line.succession.parts) == "whole"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(first)


@pytest.mark.parametrize("remembers", [False, True])
def test_where_something_may_stand_of_the_part_before_the_next_one_goes_on_from_there(remembers: bool) -> None:
    """Once: it may be what kills it. Where the keepsake names all that stands nobody needs it."""
    line = Line(remembers=remembers)
    succession = line.succession
    succession.take(line.part("a"), amends=False)
    succession.take(line.part("b"), amends=False)
    assert router_id(succession.first_parts) == "b"  # nobody has made anything
    os.write(succession.keepsake, b"something")
    for name in ("c", "d"):  # the second may not have been heard of
        succession.take(line.part(name), amends=False)
        assert router_id(succession.first_parts) == (name if remembers else "b")
        assert router_id(succession.parts) == name
    assert succession.forget_former() is not remembers
    assert router_id(succession.first_parts) == "d"
    assert not succession.forget_former()
    succession.take(line.part("e"), amends=False)
    succession.settle()  # it has taken away everything
    assert router_id(succession.first_parts) == "e"
    succession.close()


@pytest.mark.parametrize(("remembers", "name"), [(True, "defs"), (False, "running")])
def test_one_whose_keepsake_names_all_is_given_nothing_to_do_at_the_end(remembers: bool, name: str) -> None:
    line = Line(remembers=remembers)
    line.succession.take(line.part("running"), amends=False)
    line.succession.prepare_to_leave(GlobalDefs(router_id="defs"))
    assert read_part(line.succession.parts) == Configuration(global_defs=GlobalDefs(router_id=name))
    line.succession.close()
