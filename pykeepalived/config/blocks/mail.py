"""Settings of the mail that tells of changes."""

from pykeepalived.config.kinds import Boolean, Flag, Names, Timer, Word
from pykeepalived.config.kinds_global import MailServer, MailServerKind
from pykeepalived.config.schema import Repeat, keyword
from pykeepalived.records import record
from pykeepalived.units import SECOND


@record(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class Mail:
    """Who sends which mail to whom, by which host."""

    notification_email_from: str = keyword(
        Word(),
        default="",
        checked=True,
        arguments="EMAIL",
        effective=False,
        doc="The sender of mail; USER@HOSTNAME of the user that runs the daemon if not given.",
    )
    notification_email: tuple[str, ...] = keyword(
        Names(),
        default=(),
        repeat=Repeat.COLLECT,
        arguments="{ EMAIL ... }",
        effective=False,
        doc="Who gets the mail.",
    )
    smtp_server: MailServer | None = keyword(
        MailServerKind(),
        default=None,
        effective=False,
        doc="The host that takes the mail; its port is 25 if not given.",
    )
    smtp_helo_name: str = keyword(
        Word(bare=""),
        default="",
        arguments="STRING",
        effective=False,
        doc="The name this machine greets that host with.",
    )
    smtp_connect_timeout: int = keyword(
        Timer("0", "4294", places=0, zero_is="1"),
        default=30 * SECOND,
        effective=False,
        doc="How long a connection to that host may take.",
    )
    smtp_alert: bool | None = keyword(
        Boolean(), default=None, effective=False, doc="Default of smtp_alert_vrrp and smtp_alert_checker."
    )
    smtp_alert_vrrp: bool = keyword(
        Boolean(),
        default=False,
        inherit="smtp_alert",
        process="vrrp",
        effective=False,
        doc="Default of smtp_alert of VRRP instances and sync groups.",
    )
    smtp_alert_checker: bool | None = keyword(
        Boolean(),
        default=None,
        inherit="smtp_alert",
        process="checker",
        effective=False,
        doc="Default of smtp_alert of virtual and real servers.",
    )
    no_email_faults: bool = keyword(
        Flag(), default=False, process="vrrp", effective=False, doc="No mail tells of an instance in FAULT."
    )
    no_checker_emails: bool = keyword(
        Boolean(),
        default=False,
        process="checker",
        effective=False,
        doc="Mail tells of servers that are added or removed, and not of each checker.",
    )
