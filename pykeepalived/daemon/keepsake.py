"""What a process leaves to the one that is started in its place when it dies unasked: a few facts of what it found and
chose, so that its successor goes on with them.

They lie in a file in memory, which the parent made and hands to each process of the role in turn. The parent empties it
when one has left in good order: the next one then begins anew.
"""

import json
import os
from typing import Any

_LONGEST = 16 << 20  # octets


class Keepsake:
    """``get`` what the former one kept, and ``keep`` for the next one. Values are JSON's."""

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = descriptor
        self._facts: dict[str, Any] = {}
        if descriptor is not None:
            try:
                facts = json.loads(os.pread(descriptor, _LONGEST, 0) or b"{}")
            except ValueError:  # it died while it wrote
                facts = {}
            self._facts = facts

    def get(self, name: str) -> Any:
        """What was kept, or None."""
        return self._facts.get(name)

    def keep(self, name: str, value: Any) -> None:
        """Before it is acted upon: there may be no later."""
        if self._facts.get(name) == value:
            return
        self._facts[name] = value
        if self._descriptor is not None:
            data = json.dumps(self._facts, separators=(",", ":")).encode()
            os.pwrite(self._descriptor, data, 0)
            os.ftruncate(self._descriptor, len(data))
