"""Settings of the processes themselves: names, priorities, CPUs, memory, limits, scripts around their life."""

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.kinds import Boolean, Command, Flag, Integer, Timer
from pykeepalived.config.kinds_global import CpuList, ProcessName, RealTimeLimit, RealTimePriority, Umask
from pykeepalived.config.schema import Repeat, keyword
from pykeepalived.records import record
from pykeepalived.units import SECOND

NO_PROCESS_YET = "bfd"


def _priority(process: str) -> int:
    nice: int = keyword(
        Integer(-20, 19),
        default=0,
        unit="nice",
        process=process,
        checked=True,
        effective=process != NO_PROCESS_YET,
        doc="The nice value of this process; below 0 it comes before others.",
    )
    return nice


def _no_swap(process: str) -> bool:
    locked: bool = keyword(
        Flag(),
        default=False,
        process=process,
        effective=process != NO_PROCESS_YET,
        doc="The memory of this process is never swapped out.",
    )
    return locked


def _rt_priority(process: str) -> int:
    priority: int = keyword(
        RealTimePriority(),
        default=0,
        process=process,
        checked=True,
        effective=process != NO_PROCESS_YET,
        doc="This process runs at that priority of SCHED_RR, ahead of all ordinary ones; 0 is not.",
    )
    return priority


def _cpu_affinity(process: str) -> tuple[int, ...]:
    cpus: tuple[int, ...] = keyword(
        CpuList(),
        default=(),
        process=process,
        checked=True,
        effective=process != NO_PROCESS_YET,
        doc="The CPUs this process may run on; all if not given.",
    )
    return cpus


def _rlimit_rttime(process: str) -> int:
    limit: int = keyword(
        RealTimeLimit(),
        default=10000,
        unit="us",
        process=process,
        former=(f"{process}_rlimit_rtime",),
        effective=process != NO_PROCESS_YET,
        doc="How long this process may compute at real-time priority without a pause.",
    )
    return limit


@record(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class Processes:
    """How the parent and its children run."""

    process_names: bool = keyword(Flag(), default=False, doc="The children are named after what they do.")
    process_name: str | None = keyword(ProcessName(), default=None, doc="The name of the parent.")
    vrrp_process_name: str | None = keyword(
        ProcessName(), default=None, process="vrrp", doc="The name of the VRRP child."
    )
    checker_process_name: str | None = keyword(
        ProcessName(),
        default=None,
        former=("lvs_process_name",),
        process="checker",
        doc="The name of the checker child.",
    )
    bfd_process_name: str | None = keyword(
        ProcessName(), default=None, process="bfd", effective=False, doc="The name of the BFD child."
    )
    umask: int | None = keyword(Umask(), default=None, doc="The mask of files created; 0177 if not given.")

    startup_script: Script | None = keyword(
        Command(),
        default=None,
        repeat=Repeat.FIRST,
        effective=False,
        doc="A command that the parent runs before the children start.",
    )
    startup_script_timeout: int = keyword(
        Timer("1", "1000", places=0),
        default=10 * SECOND,
        checked=True,
        effective=False,
        doc="How long the startup script may take before it is killed.",
    )
    shutdown_script: Script | None = keyword(
        Command(),
        default=None,
        repeat=Repeat.FIRST,
        effective=False,
        doc="A command that the parent runs when all children have ended.",
    )
    shutdown_script_timeout: int = keyword(
        Timer("1", "1000", places=0),
        default=10 * SECOND,
        checked=True,
        effective=False,
        doc="How long the shutdown script may take before it is killed.",
    )

    max_auto_priority: int = keyword(
        Integer(-1, 99, bare=99),
        default=0,
        doc="The highest real-time priority a process that was late may be raised to; 0 and -1 are none.",
    )
    min_auto_priority_delay: int = keyword(
        Integer(1, 10_000_000),
        default=1_000_000,
        unit="us",
        checked=True,
        doc="A timer later than this raises the priority of its process.",
    )

    vrrp_priority: int = _priority("vrrp")
    vrrp_no_swap: bool = _no_swap("vrrp")
    vrrp_rt_priority: int = _rt_priority("vrrp")
    vrrp_cpu_affinity: tuple[int, ...] = _cpu_affinity("vrrp")
    vrrp_rlimit_rttime: int = _rlimit_rttime("vrrp")
    checker_priority: int = _priority("checker")
    checker_no_swap: bool = _no_swap("checker")
    checker_rt_priority: int = _rt_priority("checker")
    checker_cpu_affinity: tuple[int, ...] = _cpu_affinity("checker")
    checker_rlimit_rttime: int = _rlimit_rttime("checker")
    bfd_priority: int = _priority("bfd")
    bfd_no_swap: bool = _no_swap("bfd")
    bfd_rt_priority: int = _rt_priority("bfd")
    bfd_cpu_affinity: tuple[int, ...] = _cpu_affinity("bfd")
    bfd_rlimit_rttime: int = _rlimit_rttime("bfd")

    use_symlink_paths: bool = keyword(Boolean(), default=False, doc="Symbolic links in paths of scripts are kept.")
    set_supplementary_groups: bool = keyword(
        Boolean(), default=False, doc="Scripts get the supplementary groups of their user."
    )
    enable_script_security: bool = keyword(
        Flag(), default=False, doc="Scripts of root that others could change are not run."
    )
    script_uid: int = 0
    script_gid: int = 0
