"""Reads mutated files for as long as told to; each in a process of its own, held to a time and to a memory.

    python -m tests.config.fuzz --minutes 60 --keep FOLDER [--corpus FOLDER] [--seed N]

What breaks a bound, or ends other than by itself, is kept in the folder as a file, with what happened beside it.
"""

import argparse
import gc
import os
import pickle
import random
import resource
import signal
import sys
import time
import traceback
from pathlib import Path

from pykeepalived.config.diagnostics import render
from pykeepalived.config.dump import dump
from pykeepalived.config.load import LoadOptions, load
from tests.config.machine import Machine
from tests.config.mutations import mutations

CASES = Path(__file__).parent / "cases"
SECONDS = 2
"""Of the processor, for reading: the machine may be busy. All else that is done with a file has ten times as long."""
MEBIBYTES = 200
"""For reading; all else that is done with a file has twice as much."""
PATH = "/k.conf"


def read(text: str) -> None:
    """Everything that is done with a file."""
    machine = Machine({PATH: text.encode("utf-8", "surrogateescape")}, commands=("/usr/bin/true",))
    began = time.process_time()
    load(PATH, machine, LoadOptions())
    if (took := time.process_time() - began) > SECONDS:
        raise TimeoutError(f"reading took {took:.1f} s of the processor")
    if (most := resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024) > MEBIBYTES:
        raise MemoryError(f"reading took {most} MiB")
    loaded = load(PATH, machine, LoadOptions(lint=True))
    for diagnostic in loaded.diagnostics:
        render(diagnostic).encode()
    pickle.dumps(loaded.configuration)
    dump(loaded.configuration, machine)


def attempt(text: str) -> str | None:
    """What went wrong with it, or None."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        resource.setrlimit(resource.RLIMIT_CPU, (10 * SECONDS, 10 * SECONDS + 1))
        signal.alarm(20 * SECONDS)
        try:
            read(text)
        except BaseException:  # noqa: BLE001 - whatever it is, it is a finding
            os.write(writing, traceback.format_exc().encode()[-4000:])
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode("utf-8", "replace")
    _, status, used = os.wait4(pid, 0)
    if os.WIFSIGNALED(status):
        return f"ended by {signal.Signals(os.WTERMSIG(status)).name} after {used.ru_utime:.1f} s of the processor"
    if said:
        return said
    if used.ru_maxrss > 2 * MEBIBYTES * 1024:
        return f"took {used.ru_maxrss // 1024} MiB"
    return None


def main() -> int:
    """The exit status is 1 when something was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    wanted = parser.parse_args()
    files = sorted(CASES.glob("*.conf")) + (sorted(wanted.corpus.glob("*.conf")) if wanted.corpus else [])
    texts = [path.read_text(encoding="utf-8", errors="surrogateescape") for path in files]
    wanted.keep.mkdir(parents=True, exist_ok=True)
    read(texts[0])  # imports what there is to import, once for all
    gc.freeze()
    gc.disable()  # as the loader does
    end = time.monotonic() + 60 * wanted.minutes
    tried = found = 0
    for text in mutations(texts, wanted.seed, 1 << 40):
        if time.monotonic() >= end:
            break
        tried += 1
        if (what := attempt(text)) is not None:
            found += 1
            (wanted.keep / f"{tried}.conf").write_bytes(text.encode("utf-8", "surrogateescape"))
            (wanted.keep / f"{tried}.txt").write_text(what, encoding="utf-8")
            print(f"{tried}: {what.strip().splitlines()[-1]}", flush=True)
    print(f"seed {wanted.seed}: {tried} files of {len(texts)} texts, {found} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
