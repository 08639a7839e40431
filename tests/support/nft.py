"""What ``nft`` lists of a namespace, without what differs from run to run."""

import json
import shutil
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "nftables"
"""keepalived's tables, as its version 2.2.7 makes them."""
LIST = ("nft", "-j", "list", "ruleset")
_CHANGING = {"handle", "packets", "bytes"}


def why_not() -> str | None:
    """What is missing, or None."""
    return None if shutil.which("nft") else "needs the command nft (package nftables)"


def listed(text: str) -> list[Any]:
    """Tables, sets, chains and rules in their order."""
    return [_plain(each) for each in json.loads(text)["nftables"] if "metainfo" not in each]


def golden(name: str) -> list[Any]:
    """What keepalived makes."""
    found: list[Any] = json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if key not in _CHANGING}
    return [_plain(each) for each in value] if isinstance(value, list) else value
