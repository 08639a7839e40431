import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from difflib import unified_diff

from tests.interop.differences import DIFFERENCES, compared, resolved
from tests.interop.stage import MAKES
from tests.interop.stories import STORIES
from tests.interop.told import tell

MET = set()
names = [s for s in STORIES if not sys.argv[1:] or any(a in s.name for a in sys.argv[1:])]
both = ThreadPoolExecutor(24)
import time


def run(s, m):
    t = time.time()
    try:
        return {
            k: v for k, v in resolved(s, tell(s, MAKES[m]()), MET, ours=m == "ours").items() if compared(s, k)
        }, time.time() - t
    except BaseException as e:
        return e, time.time() - t


futs = [(s, both.submit(run, s, "keepalived"), both.submit(run, s, "ours")) for s in names]
for s, a, b in futs:
    (a, ta), (b, tb) = a.result(), b.result()
    print("=====", s.name, f"{ta:.1f} {tb:.1f}")
    bad = False
    for n, x in (("keepalived", a), ("ours", b)):
        if isinstance(x, BaseException):
            bad = True
            print(n, "FAILED")
            print(type(x).__name__, str(x)[:300])
            n = getattr(x, "__notes__", [])
            print(
                "\n".join([*n[:1], *n[1].splitlines()[-25:], *n[2].splitlines()[-8:]])
                if len(n) > 2
                else "".join(traceback.format_exception(x))[-2000:]
            )
    if bad:
        continue
    for k in sorted(set(a) | set(b)):
        d = "\n".join(unified_diff(a.get(k, []), b.get(k, []), "keepalived", "ours", lineterm="", n=1))
        if d:
            print("--", k)
            print(d)

print("STALE")
for d in DIFFERENCES:
    if d not in MET:
        print(d.reason, d.stories)
