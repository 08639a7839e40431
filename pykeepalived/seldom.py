"""Modules of the standard library that others import at once and hardly ever use: each comes when it is used.

``dataclasses`` wants ``inspect`` for classes without a docstring, ``logging`` wants ``traceback`` for exceptions, words
are compared only once one is unknown, and few files have patterns of names or random numbers. They would stand in the
memory of every process, and each start would wait for them.
"""

import importlib
import sys
from types import ModuleType
from typing import Any

NAMES = ("inspect", "traceback", "difflib", "glob", "random")


class StandIn(ModuleType):
    """Is imported in place of the module, and has it imported for the first that asks for anything in it."""

    def __getattr__(self, name: str) -> Any:
        """What the module has under that name."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def stand_in() -> None:
    """To be called before anything imports the modules; those that are there stay."""
    for name in NAMES:
        sys.modules.setdefault(name, StandIn(name))
