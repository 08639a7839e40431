"""docs/architecture.md names modules that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_MODULE = re.compile(r"`([\w/*]+\.py)`")


def missing(text: str) -> list[str]:
    """The modules that a text names and the package does not have."""
    return [name for name in _MODULE.findall(text) if not [*(ROOT / "pykeepalived").rglob(name), *ROOT.glob(name)]]


def test_every_module_that_is_named_exists() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    assert len(_MODULE.findall(text)) > 50
    assert missing(text) == []
    assert missing("`vrrp/router.py` and `vrrp/no_router.py`") == ["vrrp/no_router.py"]
