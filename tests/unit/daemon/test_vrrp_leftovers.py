"""What a VRRP process that died has left is taken away by one that comes only for that."""

from dataclasses import replace
from errno import ENOSPC
from ipaddress import IPv4Address

import pytest

from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds_ipvs import SyncDaemon
from pykeepalived.daemon.child import ChildOptions
from pykeepalived.daemon.vrrp_process import VrrpService
from pykeepalived.units import SECOND
from tests.config.reading import sound
from tests.support.fakes_vrrp import Bench

EVERYTHING = """
global_defs {
    enable_script_security
    script_user root
}
static_ipaddress {
    10.1.1.1/24 dev eth1
}
static_routes {
    10.2.0.0/16 via 10.0.0.2 dev eth0
}
vrrp_script ts {
    script /opt/check.sh
}
vrrp_sync_group SG {
    group {
        VI_1
        VI_2
    }
    notify_stop "/usr/bin/notify group"
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    no_accept
    notify_stop "/usr/bin/notify stop"
    notify_backup "/usr/bin/notify backup"
    virtual_ipaddress {
        10.0.0.100/24
    }
    virtual_routes {
        10.3.0.0/16 via 10.0.0.2 dev eth0
    }
    virtual_rules {
        from 10.4.0.0/16 table 100 preference 2000
    }
}
vrrp_instance VI_2 {
    interface eth1
    use_vmac
    virtual_router_id 52
    virtual_ipaddress {
        10.0.1.100/24
    }
}
vrrp_instance VI_3 {
    interface eth0
    virtual_router_id 53
    priority 255
    virtual_ipaddress {
        10.0.0.103/24
    }
    track_script {
        ts
    }
}
"""
OWN = {("eth0", "10.0.0.1", 24), ("eth1", "10.0.1.1", 24)}


def configured(text: str = EVERYTHING) -> Configuration:
    configuration = sound(text).configuration
    daemon = SyncDaemon("eth0", "VI_1", syncid=3)
    return replace(configuration, global_defs=replace(configuration.global_defs, lvs_sync_daemon=daemon))


class Dead(Bench):
    """A host whose VRRP process was MASTER, and is gone without a word."""

    def __init__(self, options: ChildOptions | None = None) -> None:
        super().__init__("eth0", "eth1")
        for link, address in (("eth0", "10.0.0.1"), ("eth1", "10.0.1.1")):
            self.kernel.give(link, IPv4Address(address), 24)
        self.former = VrrpService(self.context, configured(), self.kernel)
        self.former.start()
        for number in range(len(self.scripts.exits)):  # also the tracked one
            self.scripts.end(number)
        self.reactor.run_for(10 * SECOND)
        self.cut()
        after = Bench(options=options)
        for each in ("journal", "scripts", "reactor"):
            setattr(self, each, getattr(after, each))
        self.journal.trace = self.scripts.trace = self.kernel.trace
        self.readies.clear()
        fifo = self.context.fifo
        self.context = replace(after.context, to_leave=True, fifo=fifo, ready=lambda: self.readies.append(0))

    def clear(self) -> bool:
        """The next process comes and goes; whether it finishes."""
        finished: list[bool] = []
        service = VrrpService(self.context, configured(), self.kernel)
        service.start()
        service.stop(lambda: finished.append(True))
        self.reactor.turn()
        for number in range(len(self.scripts.exits)):
            self.scripts.end(number)
        self.reactor.turn()
        return bool(finished)


def test_everything_is_taken_away() -> None:
    dead = Dead()
    kernel = dead.kernel
    assert {place[1] for place in kernel.held} >= {"10.0.0.100", "10.0.0.103", "10.0.1.100", "10.1.1.1"}
    assert "vrrp.52" in kernel.links
    assert kernel.filter.tables
    assert kernel.sync.running
    assert dead.clear()
    assert set(kernel.held) == OWN
    assert set(kernel.links) == {"eth0", "eth1"}
    assert kernel.filter.tables == {}
    assert kernel.sync.running == {}
    removed = {each[1].split()[0] for each in kernel.trace if each[0] == "remove-route"}
    assert removed == {"10.3.0.0/16", "10.2.0.0/16"}
    assert [each[1] for each in kernel.trace if each[0] == "remove-rule"] == [
        "from 10.4.0.0/16 preference 2000 table 100"
    ]


def test_nothing_begins_and_others_hear_nothing() -> None:
    """Not even the owner of an address, who is MASTER at once."""
    dead = Dead()
    kernel = dead.kernel
    sent, sockets = len(kernel.sent), (len(kernel.senders), len(kernel.receivers))
    assert dead.clear()
    assert len(kernel.sent) == sent
    assert (len(kernel.senders), len(kernel.receivers)) == sockets
    assert dead.readies == []
    orders = {each[0] for each in kernel.trace}
    assert not orders & {"add", "add-route", "add-rule", "announce", "advert", "make link"}
    assert not [text for text in dead.journal.texts() if "STATE" in text]


def test_of_the_stop_it_tells_as_ever() -> None:
    """Whoever was told of a MASTER is to hear of its end."""
    dead = Dead()
    assert dead.clear()
    told = [each for each in dead.kernel.trace if each[0] in {"script", "fifo"}]
    assert told == [
        ("script", "/usr/bin/notify", "stop"),
        ("fifo", 'INSTANCE "VI_1" STOP 100'),
        ("fifo", 'INSTANCE "VI_2" STOP 100'),
        ("fifo", 'INSTANCE "VI_3" STOP 255'),
        ("script", "/usr/bin/notify", "group"),
        ("fifo", 'GROUP "SG" STOP 0'),
    ]


def test_when_it_comes_it_releases_whatever_the_options_say() -> None:
    """At a reload; at a stop with that option it is not called."""
    dead = Dead(ChildOptions(dont_release_vrrp=True))
    assert dead.clear()
    assert set(dead.kernel.held) == OWN
    assert set(dead.kernel.links) == {"eth0", "eth1"}


def test_one_that_is_ready_may_leave_something() -> None:
    bench = Bench("eth0")
    service = VrrpService(bench.context, Configuration(), bench.kernel)
    assert bench.context.keepsake.get("began") is None
    service.start()
    assert bench.context.keepsake.get("began")


def test_one_that_dies_in_its_start_may_leave_something_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a stop would leave an owner's addresses, which nobody speaks for."""
    bench = Bench("eth0", "eth1")
    for link, address in (("eth0", "10.0.0.1"), ("eth1", "10.0.1.1")):
        bench.kernel.give(link, IPv4Address(address), 24)

    def refuse(*_: object) -> None:
        raise OSError(ENOSPC, "fs.epoll.max_user_watches")

    monkeypatch.setattr(bench.reactor, "watch", refuse)
    service = VrrpService(bench.context, configured(), bench.kernel)
    with pytest.raises(OSError, match="max_user_watches"):
        service.start()
    assert "vrrp.52" in bench.kernel.links
    assert bench.context.keepsake.get("began")
