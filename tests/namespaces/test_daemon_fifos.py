"""Notify FIFOs of a whole daemon: their owner, their reader, lines of both processes, the stop and reloads."""

import re
import signal
from pathlib import Path

from tests.namespaces.daemon_machine import HEAD, MARKS, OWNER, SERVERS, Machine, alive, machine, soon

pytestmark = MARKS
__all__ = ["machine"]

READER = """#!/bin/sh
echo "$$ $(id -u) $1" >> {folder}/{name}.started
while read -r line; do echo "$line" >> {folder}/{name}.lines; done < "$1"
"""
GLOBAL = """global_defs {{
    router_id test
    enable_script_security
    script_user root
    notify_fifo {folder}/all nobody nogroup
    notify_fifo_script "{folder}/all.reader" nobody nogroup
{more}
}}
"""
VRRP_FIFO = "    vrrp_notify_fifo {folder}/vrrp\n    vrrp_notify_fifo_script {folder}/vrrp.reader\n"
VS = "[10.91.1.100]:tcp:80"
VRRP_LINES = ['INSTANCE "VI_1" MASTER 255', 'INSTANCE "VI_1" STOP 255']
CHECKER_LINES = [f"VS {VS} UP", f"RS [10.91.1.2]:tcp:80 {VS} DOWN", f"VS {VS} DOWN"]


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def open_up(folder: Path) -> None:
    """An ordinary user writes what is there."""
    for name in ("all", "vrrp"):
        script = folder / f"{name}.reader"
        script.write_text(READER.format(folder=folder, name=name))
        script.chmod(0o755)
        for kind in ("started", "lines"):
            (folder / f"{name}.{kind}").touch()
            (folder / f"{name}.{kind}").chmod(0o666)


def test_fifos_with_owner_and_readers(machine: Machine) -> None:
    folder = machine.folder
    open_up(folder)
    machine.conf.write_text(GLOBAL.format(folder=folder, more=VRRP_FIFO.format(folder=folder)) + OWNER % "" + SERVERS)
    machine.start()
    machine.until("Startup complete")
    assert ((folder / "all").stat().st_uid, (folder / "all").stat().st_mode & 0o777) == (65534, 0o644)
    assert (folder / "vrrp").stat().st_uid == 0
    everything, own = folder / "all.lines", folder / "vrrp.lines"
    assert soon(lambda: len(lines(everything)) == 4)
    assert sorted(lines(everything)) == sorted([VRRP_LINES[0], *CHECKER_LINES])
    assert [line for line in lines(everything) if not line.startswith("INSTANCE")] == CHECKER_LINES
    assert lines(own) == VRRP_LINES[:1]
    started = lines(folder / "all.started")
    assert len(started) == 1
    pid, uid, path = started[0].split()
    assert (uid, path) == ("65534", f"{folder}/all")

    # a reload that takes one away: the other's reader goes on, and nothing is written
    other = int(lines(folder / "vrrp.started")[0].split()[0])
    machine.conf.write_text(GLOBAL.format(folder=folder, more="") + OWNER % "" + SERVERS)
    machine.send(signal.SIGHUP)
    machine.until("Reload complete", 2)
    assert not (folder / "vrrp").exists()
    assert soon(lambda: not alive(other))
    assert alive(int(pid))
    assert len(lines(everything)) == 4

    assert machine.end() == 0
    assert lines(folder / "all.started") == started
    assert lines(everything)[4:] == [VRRP_LINES[1]]
    assert lines(own) == VRRP_LINES[:1]
    assert not (folder / "all").exists()
    assert soon(lambda: not alive(int(pid)))
    assert not re.search("FIFO|died|Program error", machine.text)


def test_many_last_lines_are_not_lost(machine: Machine) -> None:
    fifo = machine.folder / "fifo"
    template = (OWNER % "").replace("virtual_ipaddress {\n        10.91.1.100/24\n    }", "")
    instances = "".join(
        template.replace("VI_1", f"VI_{vrid}").replace("virtual_router_id 51", f"virtual_router_id {vrid}")
        for vrid in range(1, 256)
    )
    machine.conf.write_text(HEAD.replace("router_id test", f"router_id test\n    notify_fifo {fifo}") + instances)
    machine.start()
    machine.until("Startup complete")
    with fifo.open("rb", buffering=0) as pipe:
        assert soon(lambda: "(VI_255) Entering MASTER STATE" in machine.text or machine.until(r"\(VI_255\) Entering"))
        assert machine.end() == 0
        got = pipe.read(1 << 20).decode().splitlines()
    assert sum(line.endswith(" MASTER 255") for line in got) == 255
    assert [line for line in got if " STOP " in line] == [f'INSTANCE "VI_{vrid}" STOP 255' for vrid in range(1, 256)]
