"""Files and processes that a whole daemon follows, with the privileges it has left, through a reload."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.namespaces.daemon_machine import HEAD, MARKS, Machine, machine

pytestmark = MARKS
__all__ = ["machine"]

CONFIG = """
track_file load {{
    file {folder}/private/load
    weight {weight}
    init_file 3
}}
vrrp_track_process program {{
    process {name}
    weight 20
}}
bfd_instance peer {{
    neighbor_ip 10.91.1.2
}}
vrrp_instance VI_1 {{
    interface left
    virtual_router_id 51
    priority 100
    virtual_ipaddress {{
        10.91.1.100/24
    }}
    track_file {{
        load
    }}
    track_process {{
        program
    }}
    track_bfd {{
        peer weight 1
    }}
}}
"""


def priorities(machine: Machine) -> list[int]:
    return [int(each) for each in re.findall(r"effective priority from \d+ to (\d+)", machine.text)]


@pytest.mark.keyword("track_file.init_file", "vrrp_instance.track_file", "vrrp_instance.track_process")
def test_files_and_processes_move_the_priority(machine: Machine) -> None:
    folder = machine.folder
    private = folder / "private"  # of another program, that lets nobody in
    private.mkdir()
    load = private / "load"
    name = f"pk{machine.name}"[:15]
    machine.conf.write_text(HEAD + CONFIG.format(folder=folder, name=name, weight=-1))
    machine.start()
    machine.until(r"cause: started with priority 97")
    assert load.read_text() == "3\n"
    assert "track_bfd peer: there is no BFD process yet, the session counts as down" in machine.text
    shutil.chown(private, 65534, 65534)
    private.chmod(0o700)
    program = Path(shutil.copy("/bin/sleep", folder / name))
    with subprocess.Popen([program, "1000"]) as process:
        machine.until("to 117")
        load.write_text("-10\n")
        machine.until("to 130")
        machine.conf.write_text(HEAD + CONFIG.format(folder=folder, name=name, weight=-2))
        machine.send(1)
        machine.until("to 140")
        machine.until("Reload complete")
        process.kill()
    machine.until("to 120")
    load.write_text("500\n")
    machine.until("tracked file load now FAULT state")
    machine.until("cause: tracked file load has status -1000: track_file load says 500")
    load.unlink()
    machine.until(r"Entering BACKUP STATE\n")
    assert machine.end() == 0
    assert priorities(machine) == [97, 117, 130, 140, 120, 100]
    assert machine.text.count("The kernel does not tell of processes here") == 1
