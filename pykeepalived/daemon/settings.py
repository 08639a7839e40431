"""The command line's wishes, understood: what ``cli`` hands to the daemon."""

from pykeepalived.records import record

DEFAULT_FILE = "/etc/keepalived/keepalived.conf"
LOG_DAEMON = 3  # syslog(3)


@record(frozen=True, slots=True)
class Settings:
    """Attributes are keepalived's long options."""

    use_file: str = DEFAULT_FILE
    config_test: bool = False
    config_test_file: str | None = None
    config_id: str | None = None
    all_config: bool = False
    dont_fork: bool = False
    vrrp: bool = True
    check: bool = True
    all: bool = False
    dont_respawn: bool = False
    dont_release_vrrp: bool = False
    dont_release_ipvs: bool = False
    ignore_sigint: bool = False
    log_console: bool = False
    log_detail: int = 0
    dump_conf: bool = False
    no_syslog: bool = False
    log_facility: int = LOG_DAEMON
    pid: str | None = None
    vrrp_pid: str | None = None
    checkers_pid: str | None = None
    umask: int | None = None
    namespace: str | None = None
    signum: str | None = None
    explain: str | None = None
    list_keywords: bool = False
    no_lint: bool = False
    peer: tuple[str, ...] = ()
    resolved: bool = False
    diff: tuple[str, str] | None = None
    output: str = "text"
    """``--format``: text or json."""
    version: bool = False
    help: bool = False
    not_effective: tuple[str, ...] = ()
    command_line: tuple[str, ...] = ()
