"""What the parent inherits of processes that are not its own."""

import os
import time

from pykeepalived.daemon.children import bury_strangers


def ended_child() -> int:
    pid = os.fork()
    if pid == 0:
        os._exit(3)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid


def is_there(pid: int) -> bool:
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
    except ChildProcessError:
        return False


def test_only_what_nobody_else_waits_for_is_buried() -> None:
    bury_strangers({})  # without any child it is nothing
    strangers = [ended_child(), ended_child()]
    runs = os.fork()
    if runs == 0:
        time.sleep(60)
    ours = ended_child()
    bury_strangers({ours})
    assert not any(map(is_there, strangers))
    assert is_there(ours)
    os.kill(runs, 9)
    assert os.waitpid(ours, 0) == (ours, 3 << 8)
    assert os.waitpid(runs, 0) == (runs, 9)
