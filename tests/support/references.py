"""References to tests as pages write them: ``tests/unit/test_layers.py::test_layers``, or the file of a scenario."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


def trouble(reference: str) -> str:
    """Why a reference leads nowhere; empty when it leads to a test, or to the file of one."""
    name, _, function = reference.partition("::")
    path = ROOT / name
    if not path.is_file():
        return f"{reference}: there is no such file"
    if path.suffix != ".py":
        return ""
    return (
        "" if function.startswith("test_") and function in _functions(path) else f"{reference}: there is no such test"
    )


@cache
def _functions(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
