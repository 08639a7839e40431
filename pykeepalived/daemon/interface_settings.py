"""Settings of the kernel that VRRP borrows while it runs: promote_secondaries, and no reports of groups on the link."""

import os
from errno import ENOENT

from pykeepalived.config.configuration import Configuration
from pykeepalived.daemon.child import Journal
from pykeepalived.effects import Level, Log
from pykeepalived.kernel.ports import Sysctls
from pykeepalived.kernel.sysctls import BorrowedSysctls

_LINK_LOCAL_REPORTS = "ipv4/igmp_link_local_mcast_reports"


class InterfaceSettings:
    """What is borrowed, and given back when nobody wants it any more."""

    def __init__(self, sysctls: Sysctls, journal: Journal) -> None:
        self._borrowed = BorrowedSysctls(sysctls)
        self._journal = journal
        self._promoting: frozenset[str] = frozenset()

    def start(self, configuration: Configuration) -> None:
        """Before the first socket joins its group, which the kernel would report."""
        if configuration.global_defs.disable_local_igmp:
            self._set(_LINK_LOCAL_REPORTS, "0")
        self.replace(configuration)

    def replace(self, configuration: Configuration) -> None:
        """As the instances want it. The reports of groups are a restart's to change."""
        promoting = frozenset(
            each.interface
            for each in configuration.vrrp_instance
            if each.promote_secondaries and each.interface and each.use_vmac is None  # a VMAC has it anyway
        )
        former, self._promoting = self._promoting, promoting
        for name in former - promoting:
            self._borrowed.give_back(_promote(name))
        for name in sorted(promoting - former):
            self._set(_promote(name), "1")

    def appeared(self, name: str) -> None:
        """Another interface of that name: it has settings of its own."""
        if name in self._promoting:
            self._borrowed.forget(_promote(name))
            self._set(_promote(name), "1")

    def give_back(self) -> None:
        """All of it."""
        self._borrowed.give_back()

    def _set(self, path: str, value: str) -> None:
        code = self._borrowed.set(path, value)
        if code in {0, ENOENT}:  # the interface may come later
            return
        setting = f"/proc/sys/net/{path}"
        text = f"Cannot write {value} to {setting}: {os.strerror(code)} (is /proc/sys read-only in this container?)"
        self._journal.log(Log(text, Level.ERROR))


def _promote(interface: str) -> str:
    return f"ipv4/conf/{interface}/promote_secondaries"
