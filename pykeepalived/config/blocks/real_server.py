"""real_server: a server behind a virtual server, and the sorry server that stands in for all of them."""

from dataclasses import dataclass

from pykeepalived.config.blocks.checkers import CHECKERS, AnyChecker, Checker, RunningCheck
from pykeepalived.config.blocks.probing import PERIOD, for_checkers
from pykeepalived.config.blocks.scripts import Script
from pykeepalived.config.kinds import INT_MAX, IP, UINT_MAX, Boolean, Command, Integer
from pykeepalived.config.kinds_lvs import LvsMethod, Method, OneWord
from pykeepalived.config.schema import Repeat, block, keyword, option
from pykeepalived.records import light, record


def endpoint_words(address: IP, port: int) -> str:
    """Address and port as they stand in the file."""
    return f"{address} {port}" if port else str(address)


@block(
    "real_server",
    arguments="IPADDR [PORT]",
    blocks=CHECKERS,
    passes={
        **for_checkers("virtual_server"),
        "delay_loop": option(PERIOD, inherit="delay_loop", doc="Default of delay_loop in the checkers."),
    },
)
@light
@dataclass(frozen=True, slots=True, kw_only=True)
class RealServer:
    """A server behind the virtual server."""

    address: IP
    port: int
    weight: int = keyword(
        Integer(0, INT_MAX),
        default=1,
        inherit="weight",
        doc="Its share of the connections; at 0 it gets no new ones.",
    )
    lvs_method: LvsMethod = keyword(Method(), default=LvsMethod(), inherit="lvs_method", doc="How packets reach it.")
    uthreshold: int = keyword(
        Integer(0, UINT_MAX), default=0, unit="connections", doc="No new ones above this many; 0 for no limit."
    )
    lthreshold: int = keyword(
        Integer(0, UINT_MAX), default=0, unit="connections", doc="New ones again once there are fewer than this."
    )
    inhibit_on_failure: bool = keyword(
        Boolean(),
        default=False,
        inherit="inhibit_on_failure",
        doc="On failure it keeps its place with weight 0, and its connections with it.",
    )
    alpha: bool = keyword(Boolean(), default=False, inherit="alpha", doc="It counts as down until it was checked.")
    notify_up: Script | None = keyword(Command(), default=None, repeat=Repeat.FIRST, doc="Run when it comes up.")
    notify_down: Script | None = keyword(Command(), default=None, repeat=Repeat.FIRST, doc="Run when it goes down.")
    smtp_alert: bool = keyword(
        Boolean(),
        default=True,
        inherit="smtp_alert_checker",
        effective=False,
        doc="A mail is sent when it comes up or goes down; unlike elsewhere, this is on if nothing is said.",
    )
    snmp_name: str | None = keyword(OneWord(), default=None, effective=False, doc="What SNMP calls it.")
    checkers: tuple[AnyChecker, ...] = ()
    untested: tuple[str, ...] = ()
    """Of checkers with alpha that cannot be run: each keeps it out, for nobody can show that it is up."""

    @property
    def probes(self) -> list[Checker]:
        """The checkers that ask a target, and that the daemon carries out."""
        return [each for each in self.checkers if isinstance(each, Checker)]

    @property
    def running(self) -> list[RunningCheck]:
        """All checkers that the daemon carries out."""
        return [each for each in self.checkers if isinstance(each, RunningCheck)]

    def head_text(self) -> str:
        """The words between the keyword and the brace."""
        return endpoint_words(self.address, self.port)


@record(frozen=True, slots=True, kw_only=True)
class SorryServer:
    """The server that answers when there is no quorum."""

    address: IP
    port: int
    lvs_method: LvsMethod = LvsMethod()
    inhibit: bool = False
