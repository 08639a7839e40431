"""What a process leaves to the one that is started in its place when it dies unasked: a few facts of what it found and
chose, so that its successor goes on with them.

They lie in a file in memory, which the parent made and hands to each process of the role in turn. The parent empties it
when one has left in good order: the next one then begins anew. Each fact has a line with its checksum, the long
ones behind the others: one that dies while it writes loses no more than one of those.
"""

import contextlib
import json
import os
from binascii import crc32
from typing import Any

_LONGEST = 16 << 20  # octets


class Keepsake:
    """``get`` what the former one kept, and ``keep`` for the next one. Values are JSON's."""

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = descriptor
        self._facts: dict[str, Any] = {}
        data = b"" if descriptor is None else os.pread(descriptor, _LONGEST, 0)
        for line in data.splitlines():
            with contextlib.suppress(ValueError):
                checksum, fact = line.split(b" ", 1)
                if int(checksum) == crc32(fact):
                    name, value = json.loads(fact)
                    self._facts.setdefault(name, value)  # a second one is left of what was there before

    def get(self, name: str) -> Any:
        """What was kept, or None."""
        return self._facts.get(name)

    def keep(self, name: str, value: Any) -> None:
        """Before it is acted upon: there may be no later."""
        if self._facts.get(name) == value:
            return
        self._facts[name] = value
        if self._descriptor is not None:
            facts = [json.dumps(fact, separators=(",", ":")).encode() for fact in self._facts.items()]
            data = b"".join(b"%d %s\n" % (crc32(fact), fact) for fact in sorted(facts, key=len))
            os.pwrite(self._descriptor, data, 0)
            os.ftruncate(self._descriptor, len(data))
