"""Settings of what others may read or hear: FIFOs, dumps, SNMP, D-Bus."""

from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.kinds import Boolean, Command, Flag, Integer, Timer, Word
from pykeepalived.config.kinds_global import Fifo, FifoKind, OneWord
from pykeepalived.config.schema import Repeat, keyword
from pykeepalived.records import record
from pykeepalived.units import SECOND

_READER = "The reader of that FIFO; its path is appended."


def _dump_file(what: str) -> str | None:
    path: str | None = keyword(
        OneWord(filled=True),
        default=None,
        arguments="PATH",
        checked=True,
        effective=False,
        doc=f"Where {what} goes; with a / at its end it is a folder.",
    )
    return path


def _snmp(what: str, process: str = "", former: tuple[str, ...] = ()) -> bool:
    served: bool = keyword(Flag(), default=False, process=process, former=former, effective=False, doc=what)
    return served


@record(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class Reports:
    """What is told to whom."""

    notify_fifo: Fifo | None = keyword(
        FifoKind(),
        default=None,
        repeat=Repeat.FIRST,
        checked=True,
        doc="The FIFO that gets VRRP's and the checkers' events, and whose it is made.",
    )
    notify_fifo_script: Script | None = keyword(Command(), default=None, repeat=Repeat.FIRST, doc=_READER)
    vrrp_notify_fifo: Fifo | None = keyword(
        FifoKind(),
        default=None,
        repeat=Repeat.FIRST,
        process="vrrp",
        checked=True,
        doc="The FIFO that gets VRRP's events, and whose it is made.",
    )
    vrrp_notify_fifo_script: Script | None = keyword(
        Command(), default=None, repeat=Repeat.FIRST, process="vrrp", doc=_READER
    )
    lvs_notify_fifo: Fifo | None = keyword(
        FifoKind(),
        default=None,
        repeat=Repeat.FIRST,
        process="checker",
        checked=True,
        doc="The FIFO that gets the checkers' events, and whose it is made.",
    )
    lvs_notify_fifo_script: Script | None = keyword(
        Command(), default=None, repeat=Repeat.FIRST, process="checker", doc=_READER
    )
    vrrp_notify_priority_changes: bool = keyword(
        Boolean(), default=False, process="vrrp", doc="Default of notify_priority_changes."
    )
    fifo_write_vrrp_states_on_reload: bool = keyword(
        Flag(), default=False, process="vrrp", doc="A reload writes all states to the FIFOs."
    )

    state_dump_file: str | None = _dump_file("the dump of SIGUSR1")
    stats_dump_file: str | None = _dump_file("the dump of SIGUSR2")
    json_dump_file: str | None = _dump_file("the JSON dump")
    data_use_instance: bool = keyword(
        Boolean(), default=False, effective=False, doc="Names of dump files carry instance and namespace."
    )
    json_version: int = keyword(
        Integer(1, 2),
        default=1,
        effective=False,
        doc="The form of the JSON dump: 2 has instances and tracked processes apart.",
    )

    snmp_socket: str | None = keyword(
        OneWord(),
        default=None,
        arguments="SOCKET",
        repeat=Repeat.FIRST,
        checked=True,
        effective=False,
        doc="The socket of the AgentX master; unix:/var/agentx/master if not given.",
    )
    enable_traps: bool = _snmp("Changes are told by SNMP traps.")
    enable_snmp_vrrp: bool = _snmp(
        "SNMP serves the part of keepalived's MIB about VRRP.", "vrrp", ("enable_snmp_keepalived",)
    )
    enable_snmp_rfc: bool = _snmp("SNMP serves the MIBs of RFC 2787 and RFC 6527.", "vrrp")
    enable_snmp_rfcv2: bool = _snmp("SNMP serves the MIB of RFC 2787.", "vrrp")
    enable_snmp_rfcv3: bool = _snmp("SNMP serves the MIB of RFC 6527.", "vrrp")
    enable_snmp_checker: bool = _snmp("SNMP serves the part of keepalived's MIB about IPVS.", "checker")
    snmp_vs_stats_update_interval: int = keyword(
        Timer("0.001", "30"),
        default=5 * SECOND,
        process="checker",
        effective=False,
        doc="For SNMP, the numbers of a virtual server are read anew when they are older.",
    )
    snmp_rs_stats_update_interval: int = keyword(
        Timer("0.001", "30"),
        default=0,
        process="checker",
        effective=False,
        doc="For SNMP, the numbers of a real server are read anew when they are older.",
    )

    enable_dbus: bool = keyword(
        Flag(), default=False, process="vrrp", effective=False, doc="The state of VRRP can be asked for by D-Bus."
    )
    dbus_service_name: str = keyword(
        Word(),
        default="org.keepalived.Vrrp1",
        arguments="NAME",
        process="vrrp",
        checked=True,
        effective=False,
        doc="The name of the daemon on D-Bus.",
    )
    dbus_no_interface_name: str = keyword(
        Word(),
        default="none",
        arguments="NAME",
        process="vrrp",
        checked=True,
        effective=False,
        doc="What stands on D-Bus for the interface of an instance that has none.",
    )
