"""Records are values as dataclasses are: built, compared, hashed, shown, copied, pickled, and never changed."""

import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from pykeepalived.records import light, record


@record(frozen=True, slots=True)
class Pair:
    """Two numbers and a secret."""

    first: int
    second: int = 2
    secret: str = dataclasses.field(default="x", compare=False, repr=False)


@record(frozen=True, slots=True, kw_only=True)
class Named:
    """By name alone."""

    name: str
    size: int = 1

    def __str__(self) -> str:
        return self.name


@light
@dataclasses.dataclass(frozen=True, slots=True)
class Leaf:
    """There are thousands."""

    number: int
    name: str | None = None
    seen: bool = False


@light
@dataclasses.dataclass(frozen=True, slots=True)
class Branch:
    """With leaves, some with none."""

    leaves: tuple[Leaf | Pair, ...] = ()
    span: int = 60_000_000_000


@record(frozen=True, slots=True)
class Tree:
    """A record that holds thousands."""

    branches: tuple[Branch, ...] = ()
    names: tuple[str, ...] = ()


@record(frozen=True, slots=True)
class Nothing:
    """No field."""


ANY_PAIR: Any = Pair
ANY_NAMED: Any = Named


def test_values_are_built_by_place_and_by_name() -> None:
    assert Pair(1) == Pair(first=1, second=2) == Pair(1, 2, "other")
    assert Pair(1).second == 2
    assert (Named(name="a").size, str(Named(name="a", size=3))) == (1, "a")
    assert Nothing() == Nothing()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (ANY_PAIR, "lacks 'first'"),
        (lambda: ANY_PAIR(1, 2, "3", 4), "takes 3 values"),
        (lambda: ANY_PAIR(1, first=1), "two values for 'first'"),
        (lambda: ANY_PAIR(1, third=3), "has no 'third'"),
        (lambda: ANY_NAMED("a"), "takes 0 values"),
        (lambda: ANY_NAMED(size=1), "lacks 'name'"),
    ],
)
def test_what_does_not_fit_is_refused(build: Callable[[], object], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        build()


def test_they_compare_hash_and_show_as_told() -> None:
    assert Pair(1) != Pair(2)
    assert ANY_PAIR(1) != (1, 2)
    assert hash(Pair(1, 2, "a")) == hash(Pair(1, 2, "b"))
    assert len({Pair(1), Pair(1, 2), Pair(3)}) == 2
    assert repr(Pair(1)) == "Pair(first=1, second=2)"
    assert hash(Nothing()) == hash(Nothing())


def test_they_are_frozen_small_and_travel() -> None:
    pair = Pair(1, 5, "s")
    with pytest.raises(dataclasses.FrozenInstanceError):
        pair.first = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del pair.first
    assert not hasattr(pair, "__dict__")
    copy = pickle.loads(pickle.dumps(pair))
    assert (copy, copy.secret) == (pair, "s")
    assert dataclasses.replace(pair, first=9) == Pair(9, 5)
    assert [each.name for each in dataclasses.fields(pair)] == ["first", "second", "secret"]
    match pair:
        case Pair(first, second):
            assert (first, second) == (1, 5)


LEAVES = tuple(Leaf(10**6 + number % 7, str(number) if number % 3 else None, bool(number % 2)) for number in range(90))
TREES = {
    "all-alike": Tree((Branch(),) * 100, ("a",) * 100),
    "each-with-one": Tree(tuple(Branch((leaf,)) for leaf in LEAVES)),
    "each-with-some": Tree(tuple(Branch(LEAVES[: number % 5], span=number) for number in range(90))),
    "one-with-all": Tree((Branch(LEAVES),)),
    "of-two-kinds": Tree(tuple(Branch((leaf, Pair(leaf.number))) for leaf in LEAVES)),
    "few": Tree((Branch(LEAVES[:3]),) * 3),
    "none": Tree(),
}


@pytest.mark.parametrize("tree", TREES.values(), ids=TREES)
def test_many_light_values_travel_together(tree: Tree) -> None:
    copy = pickle.loads(pickle.dumps(tree))
    assert copy == tree
    assert type(copy.branches) is tuple
    assert all(type(leaf.seen) is bool for branch in copy.branches for leaf in branch.leaves if isinstance(leaf, Leaf))


def test_thousands_take_little_room_in_a_pickle() -> None:
    tree = Tree(tuple(Branch((Leaf(number),)) for number in range(10_000)))
    assert len(pickle.dumps(tree, -1)) < 6 * 10_000


def test_what_stands_twice_is_one_value_on_the_way_and_after() -> None:
    leaf = Leaf(1)
    copy = pickle.loads(pickle.dumps(Tree(tuple(Branch((leaf,)) for _ in range(50)))))
    assert len({id(branch.leaves[0]) for branch in copy.branches}) == 1
    twice = pickle.loads(pickle.dumps(Tree((Branch(LEAVES + LEAVES),))))
    assert len({id(leaf) for leaf in twice.branches[0].leaves}) == len(LEAVES)
    once = pickle.loads(pickle.dumps(Tree((Branch(LEAVES),))))
    assert len({id(leaf.number) for leaf in once.branches[0].leaves}) == 7, "a number has the room of an object"
