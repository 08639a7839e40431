"""Modules that come when they are used."""

import subprocess
import sys

import pytest

from pykeepalived import seldom


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\nfrom pykeepalived import seldom\nseldom.stand_in()\n{program}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("name", seldom.NAMES)
def test_an_import_brings_a_stand_in_and_a_use_the_module(name: str) -> None:
    program = (
        f"import {name} as first\n"
        "assert isinstance(first, seldom.StandIn)\n"
        "first.__all__\n"
        f"import {name} as second\n"
        "assert not isinstance(second, seldom.StandIn)\n"
        "assert all(getattr(first, each) is getattr(second, each) for each in second.__all__)\n"
    )
    assert run(program) == ""


def test_a_name_may_be_taken_out_of_a_stand_in() -> None:
    program = "from difflib import get_close_matches\nprint(get_close_matches('weigth', ['weight', 'port']))\n"
    assert run(program) == "['weight']\n"


def test_a_name_that_the_module_lacks_is_an_attribute_error() -> None:
    program = "import inspect\ntry:\n    inspect.nothing\nexcept AttributeError as error:\n    print(error)\n"
    assert run(program) == "module 'inspect' has no attribute 'nothing'\n"


def test_a_dataclass_without_a_docstring_has_its_signature() -> None:
    program = (
        "from dataclasses import dataclass\nassert 'ast' not in sys.modules\n"
        "@dataclass\nclass Pair:\n    left: int\n    right: int = 2\n"
        "print(Pair.__doc__)\n"
    )
    assert run(program) == "Pair(left: int, right: int = 2)\n"


def test_a_module_that_is_there_stays() -> None:
    program = (
        "import traceback\ntraceback.print_exc\nmodule = sys.modules['traceback']\n"
        "seldom.stand_in()\nprint(sys.modules['traceback'] is module)\n"
    )
    assert run(program) == "True\n"
