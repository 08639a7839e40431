"""Trying things that cannot be taken back: in a child that is thrown away."""

import errno
import os
from collections.abc import Callable

from pykeepalived.errors import KernelError


def in_child(work: Callable[[], object]) -> str:
    """What ``work`` returned in a child, as text; a KernelError by its errno's name."""
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answer = str(work())
        except KernelError as error:
            answer = errno.errorcode[error.errno]
        except BaseException as error:  # noqa: BLE001 - told to the parent
            answer = repr(error)
        os.write(told, answer.encode())
        os._exit(0)
    os.close(told)
    with os.fdopen(ready) as reader:
        answer = reader.read()
    os.waitpid(child, 0)
    return answer
