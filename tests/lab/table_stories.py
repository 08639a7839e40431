"""What files of the corpus lack, told as stories that both daemons play in the lab.

A story is a title, a file and steps; after each step that changes something both are looked at. FOLDER stands for a
folder of the daemon's own, with a script `exits NAME` that exits with what the file NAME says (0 if there is none), and
a script `any` that keeps its arguments.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.lab.side_by_side import Play
from tests.lab.world import Target

CHECKERS = ("-D", "-C")
WHOLE = ("-D",)

Step = Callable[[Play], None]


@dataclass(frozen=True, slots=True)
class TableStory:
    """What happens, in order: a start, the steps, a stop."""

    title: str
    file: str
    steps: tuple[Step, ...] = ()
    needs: tuple[str, ...] = ()
    """Keywords without which the story is another one."""
    options: tuple[str, ...] = CHECKERS
    interfaces: tuple[str, ...] = ()
    serving: tuple[Target, ...] = ()
    foreign: tuple[str, ...] = ()
    """Commands of ipvsadm that are given before the start."""
    apart: bool = False
    """Whether the table is in a namespace of its own, TABLE."""
    firewall: bool = False
    """Whether the tables of nftables are looked at as well."""
    judged: bool = False
    """Whether the first checks take servers in or out."""

    @property
    def name(self) -> str:
        """The title as a word."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


def reloads(name: str, file: str) -> Step:
    """Both are given another file."""
    return lambda stage: stage.reload(f"after {name}", _whole(file))


def says(name: str, text: str, *, what: str) -> Step:
    """The file that a script reads says something else, and the checks hear of it."""

    def act(stage: Play) -> None:
        for player in stage.players.values():
            part = player.director.folder / f"{name}.part"
            part.write_text(text)
            part.rename(player.director.folder / name)
        stage.settle(f"when {what}")

    return act


def runs(*command: str, what: str) -> Step:
    """A command on both hosts, and what comes of it."""

    def act(stage: Play) -> None:
        for player in stage.players.values():
            player.director.host.run(*command)
        stage.settle(f"when {what}")

    return act


def settles(what: str) -> Step:
    """Time until nothing changes any more."""
    return lambda stage: stage.settle(f"when {what}")


def tell(story: TableStory, stage: Play) -> None:
    """A whole story."""
    for player in stage.players.values():
        for command in story.foreign:
            player.director.host.run("ipvsadm", *command.split())
    stage.firewall = story.firewall
    stage.start("after the start", _whole(story.file), judged=story.judged)
    for step in story.steps:
        step(stage)
    stage.stop("after the stop")


def _whole(file: str) -> str:
    settings = "global_defs {\n    script_user root\n    enable_script_security\n    lvs_notify_fifo FOLDER/fifo\n}\n"
    return settings + file


def service(
    about: str, *servers: str, lines: str = "", sched: str = "rr", method: str = "NAT", protocol: str = "TCP"
) -> str:
    """A virtual_server block."""
    head = [f"virtual_server {about} {{", "delay_loop 1", "warmup 0", f"lvs_sched {sched}", f"lvs_method {method}"]
    if protocol:
        head.append(f"protocol {protocol}")
    return "\n".join([*head, *lines.splitlines(), *servers, "}", ""])


def server(about: str, *lines: str) -> str:
    """A real_server block."""
    return "\n".join([f"real_server {about} {{", *lines, "}"])


def script(name: str, *lines: str) -> str:
    """A MISC_CHECK that a file decides."""
    return "\n".join(["MISC_CHECK {", f'misc_path "FOLDER/exits {name}"', "misc_timeout 60", *lines, "}"])


WEB1, WEB2, WEB3 = (f"10.1.0.{number} 80" for number in (1, 2, 3))
MISC = ("virtual_server/real_server/MISC_CHECK",)
NEVER = ("delay_loop 1000000000", "warmup 1000000000")
"""A check that is not made."""
GROUP = ("virtual_server_group",)

_GROUP = """
virtual_server_group all {
    10.9.1.1 80
    10.9.1.2-4 80
    10.9.1.8-10.9.1.9 81
    10.9.1.16/30 82
    10.9.1.30
    fwmark 5
}
"""
_GROUP_CHANGED = """
virtual_server_group all {
    10.9.1.1 80
    10.9.1.3-5 80
    10.9.1.16/31 82
    10.9.1.40 443
    fwmark 6
}
"""
_MARK = "virtual_server_group mark {\n    fwmark 7\n}\n"
_GROUP6 = """
virtual_server_group six {
    2001:db8::1 80
    2001:db8::10-12 80
    2001:db8::fe-2001:db8::101 81
    2001:db8:1::/126 82
    fwmark 8 inet6
}
"""
_BIG_GROUP = """
virtual_server_group many {
    10.9.2.1 80
    10.9.2.2-9 80
    10.9.2.20 443
}
"""
_VRRP = """
vrrp_instance VI_1 {
    interface lab0
    state MASTER
    virtual_router_id 77
    priority 200
    advert_int 1
    virtual_ipaddress {
        10.9.0.1/32
    }
}
"""
_QUORUM_SCRIPTS = 'quorum_up "FOLDER/any quorum up"\nquorum_down "FOLDER/any quorum down"'
_FLAGS = {
    "rr": "",
    "wrr": "",
    "lc": "",
    "wlc": "",
    "lblc": "",
    "lblcr": "",
    "dh": "",
    "sh": "sh-port\nsh-fallback",
    "mh": "mh-port\nmh-fallback",
    "sed": "",
    "nq": "",
    "fo": "flag-1",
    "ovf": "flag-2\nflag-3",
}
_METHODS = (
    "NAT",
    "DR",
    "TUN",
    "TUN type ipip",
    "TUN type gue port 6080",
    "TUN type gue port 6081 csum",
    "TUN type gue port 6082 remcsum",
    "TUN type gre",
    "TUN type gre csum",
)


def _entries(*lines: str) -> str:
    return "\n".join(["virtual_server_group all {", *lines, "}", ""])


def _both_protocols(*servers: str) -> str:
    return "".join(service("group all", *servers, method="NAT", protocol=protocol) for protocol in ("TCP", "UDP"))


def _every_scheduler() -> str:
    return "".join(
        service(f"10.9.0.{number} 80", server(WEB1, "weight 3"), server(WEB2), sched=sched, lines=lines)
        for number, (sched, lines) in enumerate(_FLAGS.items(), 1)
    )


def _every_method(family: int) -> str:
    about, net = ("10.9.0.1 80", "10.1.0.") if family == 4 else ("2001:db8::1 80", "2001:db8:1::")
    servers = [
        server(f"{net}{number} 80", f"lvs_method {method}", f"uthreshold {number}00", f"lthreshold {number}0")
        for number, method in enumerate(_METHODS, 1)
    ]
    return service(about, *servers)


def _notifying(about: str, *lines: str) -> str:
    return server(about, f'notify_up "FOLDER/any up {about}"', f'notify_down "FOLDER/any down {about}"', *lines)


def _judged_one_by_one(*lines: str, weights: tuple[int, int, int] = (1, 1, 1), checks: tuple[str, ...] = ()) -> str:
    return service(
        "10.9.0.1 80",
        *(
            _notifying(about, f"weight {weight}", script(name, *checks))
            for about, name, weight in zip((WEB1, WEB2, WEB3), ("one", "two", "three"), weights, strict=True)
        ),
        lines="\n".join(lines),
    )


def _alpha(*servers: str) -> str:
    return service("10.9.0.1 80", *servers, lines="alpha")


def _judged_both(*lines: str, own: str = "", first: str = "", second: str = "") -> str:
    return service(
        "10.9.0.1 80",
        *(
            _notifying(about, *own.splitlines(), *(script(name) for name in names.split()))
            for about, names in ((WEB1, f"one {first}"), (WEB2, f"two {second}"))
        ),
        lines="\n".join([_QUORUM_SCRIPTS, *lines]),
    )


_MISSING = 'MISC_CHECK {\nmisc_path "FOLDER/missing"\n}'
_FALL_AND_RISE = (
    says("three", "1", what="the third fails"),
    says("two", "1", what="the second fails"),
    says("one", "1", what="the first fails"),
    says("one", "0", what="the first is back"),
    says("two", "0", what="the second is back"),
    says("three", "0", what="the third is back"),
)

STORIES: tuple[TableStory, ...] = (
    TableStory(
        "every scheduler and its flags",
        _every_scheduler(),
        (reloads("a change of scheduler", _every_scheduler().replace("lvs_sched rr", "lvs_sched wlc")),),
    ),
    TableStory(
        "every way of forwarding",
        _every_method(4) + _every_method(6),
        (reloads("a change of limits", (_every_method(4) + _every_method(6)).replace("uthreshold 3", "uthreshold 4")),),
    ),
    TableStory(
        "persistence of every kind",
        service("10.9.0.1 80", server(WEB1), lines="persistence_timeout")
        + service("10.9.0.2 80", server(WEB1), lines="persistence_timeout 60\npersistence_granularity 255.255.0.0")
        + service("10.9.0.3 80", server(WEB1), lines="persistence_granularity 255.255.255.0")
        + service("10.9.0.4 5060", server("10.1.0.1 5060"), lines="persistence_engine sip", protocol="UDP")
        + service("10.9.0.5", server("10.1.0.1"), method="DR")
        + service("2001:db8::1 80", server("2001:db8:1::1 80"), lines="persistence_granularity 64")
        + service("fwmark 3", server("10.1.0.1"), lines="persistence_timeout 30", protocol="", method="DR")
        + service("10.9.0.6 53", server("10.1.0.1 53"), lines="ops", protocol="UDP")
        + service("10.9.0.7 3868", server("10.1.0.1 3868"), protocol="SCTP"),
        (
            reloads(
                "another persistence",
                service("10.9.0.1 80", server(WEB1), lines="persistence_timeout 77")
                + service("10.9.0.2 80", server(WEB1))
                + service("2001:db8::1 80", server("2001:db8:1::1 80"), lines="persistence_granularity 56"),
            ),
        ),
        needs=("virtual_server/persistence_engine",),
    ),
    TableStory(
        "families mixed by a tunnel",
        service("10.9.0.1 80", server("2001:db8:1::1 80"), server(WEB1), method="TUN")
        + service("2001:db8::1 80", server(WEB1), server("2001:db8:1::1 80"), method="TUN type gue port 6080"),
    ),
    TableStory(
        "a group of entries of every form",
        _GROUP + service("group all", server("10.1.0.1"), server("10.1.0.2", "weight 4"), method="DR"),
        needs=GROUP,
    ),
    TableStory(
        "a group that changes",
        _GROUP.replace("    10.9.1.30\n", "")
        + service("group all", server("10.1.0.1 8080"), server("10.1.0.2 8080", "weight 4"), method="NAT"),
        (
            reloads(
                "a change of the group",
                _GROUP_CHANGED
                + service("group all", server("10.1.0.2 8080", "weight 2"), server("10.1.0.3 8080"), method="NAT"),
            ),
        ),
        needs=GROUP,
    ),
    TableStory(
        "a group that changes before servers without a port",
        _entries("10.9.1.1-2 80") + service("group all", server("10.1.0.1"), server("10.1.0.2"), method="DR"),
        (
            reloads(
                "a change of the group",
                _entries("10.9.1.2-3 80") + service("group all", server("10.1.0.1"), server("10.1.0.2"), method="DR"),
            ),
        ),
        needs=GROUP,
    ),
    TableStory(
        "virtual servers of one group",
        _entries("10.9.1.1-2 80") + _both_protocols(server("10.1.0.1 80"), server("10.1.0.2 80")),
        (
            reloads(
                "a change of servers", _entries("10.9.1.1-2 80") + _both_protocols(server("10.1.0.2 80", "weight 3"))
            ),
        ),
        needs=GROUP,
    ),
    TableStory(
        "virtual servers that want the same of a group",
        _entries("10.9.1.1 80")
        + service("group all", server("10.1.0.1 80"), method="NAT")
        + service("group all", server("10.1.0.2 80"), method="NAT", sched="wrr")
        + _MARK
        + service("group mark", server("10.1.0.3 80"), protocol="")
        + service("group mark", server("2001:db8:1::3 80"), protocol=""),
        needs=GROUP,
    ),
    TableStory(
        "persistence of a group",
        _entries("10.9.1.1 80")
        + service("group all", server("10.1.0.1 80"), lines="persistence_granularity 255.255.255.0")
        + _MARK
        + service("group mark", server("2001:db8:1::3 80"), lines="persistence_granularity 64", protocol=""),
        needs=GROUP,
    ),
    TableStory(
        "a group of IPv6",
        _GROUP6 + service("group six", server("2001:db8:9::1"), server("2001:db8:9::2"), method="TUN"),
        needs=GROUP,
    ),
    TableStory(
        "a group whose servers fail",
        _GROUP
        + service(
            "group all",
            server("10.1.0.1", script("one")),
            server("10.1.0.2", "inhibit_on_failure", script("two")),
            lines=f"sorry_server 10.1.0.9\n{_QUORUM_SCRIPTS}",
            method="DR",
        ),
        (
            says("one", "1", what="the first fails"),
            says("two", "1", what="the second fails"),
            says("two", "0", what="the second is back"),
        ),
        needs=(*GROUP, *MISC),
    ),
    TableStory(
        "a group behind marks of nftables",
        "global_defs {\n nftables_ipvs\n}\n"
        + _BIG_GROUP
        + service("group many", server("10.1.0.1"), server("10.1.0.2"), method="DR"),
        (
            reloads(
                "a change of the group",
                "global_defs {\n nftables_ipvs\n}\n"
                + _BIG_GROUP.replace("10.9.2.2-9 80", "10.9.2.2-7 80")
                + service("group many", server("10.1.0.1"), method="DR"),
            ),
        ),
        needs=("global_defs/nftables_ipvs",),
        firewall=True,
    ),
    TableStory(
        "the sync daemon of an instance",
        "global_defs {\n lvs_sync_daemon lab0 VI_1 id 12 maxlen 1400 port 8850 ttl 3 group 224.0.0.91\n}\n"
        + _VRRP
        + service("10.9.0.1 80", server(WEB1)),
        (settles("it is MASTER"),),
        needs=("global_defs/lvs_sync_daemon",),
        options=WHOLE,
    ),
    TableStory(
        "the sync daemon of an instance with defaults",
        "global_defs {\n lvs_sync_daemon lab0 inst VI_1\n}\n" + _VRRP + service("10.9.0.1 80", server(WEB1)),
        (
            settles("it is MASTER"),
            reloads(
                "another number",
                "global_defs {\n lvs_sync_daemon lab0 VI_1 id 5\n}\n" + _VRRP + service("10.9.0.1 80", server(WEB1)),
            ),
        ),
        needs=("global_defs/lvs_sync_daemon",),
        options=WHOLE,
    ),
    TableStory(
        "the sync daemon of nobody",
        "global_defs {\n lvs_sync_daemon lab0 id 9\n}\n" + service("10.9.0.1 80", server(WEB1)),
        (reloads("its end", service("10.9.0.1 80", server(WEB1))),),
        needs=("global_defs/lvs_sync_daemon",),
        options=WHOLE,
    ),
    TableStory(
        "timeouts of connections",
        "global_defs {\n lvs_timeouts tcp 600 udp 77\n}\n" + service("10.9.0.1 80", server(WEB1)),
        (reloads("others", "global_defs {\n lvs_timeouts tcpfin 33\n}\n" + service("10.9.0.1 80", server(WEB1))),),
        needs=("global_defs/lvs_timeouts",),
    ),
    TableStory(
        "a table in another namespace",
        "net_namespace_ipvs TABLE\n"
        + service("10.9.0.1 80", server(WEB1, script("one")), server(WEB2), lines="sorry_server 10.1.0.9 80"),
        (says("one", "1", what="the first fails"),),
        needs=(*MISC, "net_namespace_ipvs"),
        apart=True,
    ),
    TableStory(
        "a table of somebody else",
        service("10.9.0.1 80", server(WEB1)),
        foreign=("-A -t 10.9.0.99:80 -s rr", "-a -t 10.9.0.99:80 -r 10.1.0.99:80 -m"),
    ),
    TableStory(
        "what a predecessor left",
        service("10.9.0.1 80", server(WEB1), server(WEB2)),
        foreign=("-A -t 10.9.0.1:80 -s wlc -p 50", "-a -t 10.9.0.1:80 -r 10.1.0.1:80 -m -w 9"),
    ),
    TableStory(
        "a table that is emptied first",
        "global_defs {\n lvs_flush\n}\n" + service("10.9.0.1 80", server(WEB1)),
        needs=("global_defs/lvs_flush",),
        foreign=("-A -t 10.9.0.99:80 -s rr", "-a -t 10.9.0.99:80 -r 10.1.0.99:80 -m"),
    ),
    TableStory(
        "a table that is emptied at the end",
        "global_defs {\n lvs_flush_on_stop\n}\n" + service("10.9.0.1 80", server(WEB1)),
        needs=("global_defs/lvs_flush_on_stop",),
        foreign=("-A -t 10.9.0.99:80 -s rr", "-a -t 10.9.0.99:80 -r 10.1.0.99:80 -m"),
    ),
    TableStory(
        "services that go whole at the end",
        "global_defs {\n lvs_flush_on_stop VS\n}\n" + service("10.9.0.1 80", server(WEB1)),
        needs=("global_defs/lvs_flush_on_stop",),
        foreign=("-A -t 10.9.0.99:80 -s rr", "-a -t 10.9.0.99:80 -r 10.1.0.99:80 -m"),
    ),
    TableStory(
        "a table that stays at the end",
        service("10.9.0.1 80", server(WEB1)),
        options=(*CHECKERS, "-I"),
    ),
    TableStory("three servers fall and rise", _judged_one_by_one(), _FALL_AND_RISE, needs=MISC),
    TableStory(
        "a quorum with hysteresis",
        _judged_one_by_one("quorum 4", "hysteresis 1", _QUORUM_SCRIPTS, weights=(3, 2, 1)),
        _FALL_AND_RISE,
        needs=MISC,
    ),
    TableStory(
        "a sorry server",
        _judged_one_by_one("sorry_server 10.1.0.9 80", "sorry_server_lvs_method DR", "quorum 2"),
        _FALL_AND_RISE,
        needs=MISC,
    ),
    TableStory(
        "a sorry server that keeps its place",
        _judged_one_by_one("sorry_server 10.1.0.9 80", "sorry_server_inhibit"),
        _FALL_AND_RISE,
        needs=MISC,
    ),
    TableStory(
        "servers that keep their place",
        _judged_one_by_one("inhibit_on_failure", "sorry_server 10.1.0.9 80", "quorum 2"),
        _FALL_AND_RISE,
        needs=MISC,
    ),
    TableStory(
        "alpha and omega",
        _judged_one_by_one("alpha", "omega", "sorry_server 10.1.0.9 80", _QUORUM_SCRIPTS),
        _FALL_AND_RISE[:3],
        needs=MISC,
        judged=True,
    ),
    TableStory(
        "an alpha server whose script is missing",
        _alpha(server(WEB1, _MISSING), server(WEB2, script("one"))),
        (reloads("another weight", _alpha(server(WEB1, "weight 5", _MISSING), server(WEB2, script("one")))),),
        needs=MISC,
        judged=True,
    ),
    TableStory(
        "alpha servers that nobody has judged",
        _alpha(server(WEB1, script("one", *NEVER)), server(WEB2, script("two", *NEVER))),
        (
            reloads(
                "another check of the first",
                _alpha(
                    server(WEB1, script("one", *NEVER), script("three", *NEVER)),
                    server(WEB2, "weight 5", script("two", *NEVER)),
                ),
            ),
        ),
        needs=MISC,
    ),
    TableStory(
        "other checks of alpha servers",
        _alpha(server(WEB1, script("one")), server(WEB2, script("two"))),
        (
            reloads(
                "another check of the first",
                _alpha(server(WEB1, script("one"), script("three", *NEVER)), server(WEB2, script("two"))),
            ),
            says("two", "1", what="the second fails"),
            reloads(
                "another check of the second",
                _alpha(server(WEB1, script("one")), server(WEB2, script("two"), script("three", *NEVER))),
            ),
        ),
        needs=MISC,
        judged=True,
    ),
    TableStory(
        "the first notices of servers",
        "global_defs {\n rs_init_notifies\n}\n" + _judged_one_by_one(),
        _FALL_AND_RISE[:1],
        needs=(*MISC, "global_defs/rs_init_notifies"),
    ),
    TableStory(
        "weights by scripts",
        _judged_one_by_one("sorry_server 10.1.0.9 80", "quorum 5", weights=(2, 4, 6), checks=("misc_dynamic",)),
        (
            says("one", "12", what="the first weighs 10"),
            says("two", "2", what="the second weighs nothing"),
            says("one", "255", what="the first weighs most"),
            says("three", "1", what="the third fails"),
            says("three", "7", what="the third weighs 5"),
            says("one", "0", what="the first weighs as the file says"),
        ),
        needs=(*MISC, "virtual_server/real_server/MISC_CHECK/misc_dynamic"),
    ),
    TableStory(
        "two scripts weigh one server",
        service(
            "10.9.0.1 80",
            server(WEB1, "weight 10", script("one", "misc_dynamic"), script("two", "misc_dynamic")),
            server(WEB2),
        ),
        (
            says("one", "15", what="one adds 3"),
            says("two", "6", what="the other takes 6"),
            says("one", "1", what="one fails"),
            says("two", "20", what="the other adds 8"),
            says("one", "0", what="one is content"),
        ),
        needs=(*MISC, "virtual_server/real_server/MISC_CHECK/misc_dynamic"),
    ),
    TableStory(
        "a file weighs a server",
        'track_file weigher {\n file "FOLDER/weigher"\n weight 2\n init_file 0\n}\n'
        'track_file judge {\n file "FOLDER/judge"\n weight 0\n init_file 0\n}\n'
        + service(
            "10.9.0.1 80",
            server(WEB1, "weight 10", "FILE_CHECK {\ntrack_file weigher\nweight 2\n}"),
            server(WEB2, "FILE_CHECK {\ntrack_file judge\n}"),
        ),
        (
            says("weigher", "5", what="it adds 10"),
            says("judge", "1", what="the second fails"),
            says("weigher", "-100", what="it takes more than there is"),
            says("judge", "0", what="the second is back"),
        ),
        needs=("virtual_server/real_server/FILE_CHECK",),
    ),
    TableStory(
        "checks wait for the address",
        service("10.9.0.1 80", server(WEB1, script("one")), server(WEB2, script("two")), lines="ha_suspend")
        + service("10.9.0.2 80", server(WEB1, script("one"))),
        (
            says("one", "1", what="the first fails"),
            runs("ip", "addr", "add", "10.9.0.1/32", "dev", "lab0", what="the address comes"),
            runs("ip", "addr", "del", "10.9.0.1/32", "dev", "lab0", what="the address goes"),
            says("one", "0", what="the first is back"),
            runs("ip", "addr", "add", "10.9.0.1/32", "dev", "lab0", what="the address comes again"),
        ),
        needs=(*MISC, "virtual_server/ha_suspend"),
    ),
    TableStory(
        "a reload while servers are down",
        _judged_one_by_one("sorry_server 10.1.0.9 80", "quorum 2", weights=(1, 2, 3)),
        (
            says("three", "1", what="the third fails"),
            reloads(
                "a change of weights", _judged_one_by_one("sorry_server 10.1.0.9 80", "quorum 2", weights=(4, 5, 6))
            ),
            says("two", "1", what="the second fails"),
            reloads("a greater quorum", _judged_one_by_one("sorry_server 10.1.0.9 80", "quorum 9", weights=(4, 5, 6))),
            reloads(
                "another sorry server", _judged_one_by_one("sorry_server 10.1.0.8 80", "quorum 9", weights=(4, 5, 6))
            ),
            reloads("no sorry server", _judged_one_by_one("quorum 9", weights=(4, 5, 6))),
            says("two", "0", what="the second is back"),
        ),
        needs=MISC,
    ),
    TableStory(
        "a reload removes the last living servers",
        service("10.9.0.1 80", server(WEB1, script("one")), server(WEB2), lines=_QUORUM_SCRIPTS)
        + service("10.9.0.2 80", server(WEB1, script("one")), server(WEB2), lines=_QUORUM_SCRIPTS),
        (
            says("one", "1", what="it fails"),
            reloads(
                "its removal",
                service("10.9.0.1 80", server(WEB1, script("one")), server(WEB3), lines=_QUORUM_SCRIPTS)
                + service("10.9.0.2 80", server(WEB1, script("one")), lines=_QUORUM_SCRIPTS),
            ),
        ),
        needs=MISC,
    ),
    TableStory(
        "a reload brings a server back",
        service("10.9.0.1 80", server(WEB1, script("one")), lines="sorry_server 10.1.0.9 80"),
        (
            says("one", "1", what="it fails"),
            reloads(
                "another check",
                service(
                    "10.9.0.1 80", server(WEB1, "weight 2", script("two", *NEVER)), lines="sorry_server 10.1.0.9 80"
                ),
            ),
        ),
        needs=MISC,
    ),
    TableStory(
        "a reload changes everything of a service",
        service("10.9.0.1 80", *map(_notifying, (WEB1, WEB2, WEB3)), lines=_QUORUM_SCRIPTS)
        + service("10.9.0.2 80", _notifying(WEB1), lines=_QUORUM_SCRIPTS),
        (
            reloads(
                "a change of servers",
                service(
                    "10.9.0.1 80",
                    _notifying(WEB3),
                    _notifying(WEB1, "weight 7"),
                    _notifying("10.1.0.4 80"),
                    lines=_QUORUM_SCRIPTS,
                )
                + service("10.9.0.3 80", server(WEB1)),
            ),
            reloads(
                "a change of the service",
                service("10.9.0.1 80", server(WEB3), server(WEB1), sched="wlc", lines="persistence_timeout 9"),
            ),
            reloads(
                "a change of the way of forwarding",
                service("10.9.0.1 80", server(WEB3), server(WEB1), sched="wlc", method="DR"),
            ),
            reloads(
                "a change to inhibit",
                service(
                    "10.9.0.1 80", server(WEB3), server(WEB1), sched="wlc", method="DR", lines="inhibit_on_failure"
                ),
            ),
        ),
    ),
    TableStory(
        "alpha comes and goes with reloads",
        _judged_both(),
        (
            says("one", "1", what="the first fails"),
            reloads("alpha", _judged_both("alpha")),
            says("two", "1", what="the second fails"),
            says("one", "0", what="the first is back"),
            reloads("no alpha", _judged_both()),
            says("two", "0", what="the second is back"),
        ),
        needs=MISC,
    ),
    TableStory(
        "a quorum changes while it is lost",
        _judged_both("quorum 2", "hysteresis 1", "sorry_server 10.1.0.9 80", own="weight 2"),
        (
            says("one", "1", what="the first fails"),
            says("two", "1", what="the second fails"),
            says("two", "0", what="the second is back"),
            reloads("less hysteresis", _judged_both("quorum 2", "sorry_server 10.1.0.9 80", own="weight 2")),
            reloads("a greater quorum", _judged_both("quorum 3", "sorry_server 10.1.0.9 80", own="weight 2")),
            reloads("the former quorum", _judged_both("quorum 2", "sorry_server 10.1.0.9 80", own="weight 2")),
            says("two", "1", what="the second fails again"),
        ),
        needs=MISC,
    ),
    TableStory(
        "servers that fail are to keep their place, or not any more",
        _judged_both("sorry_server 10.1.0.9 80"),
        (
            says("one", "1", what="the first fails"),
            reloads("inhibit_on_failure", _judged_both("sorry_server 10.1.0.9 80", "inhibit_on_failure")),
            says("two", "1", what="the second fails"),
            says("two", "0", what="the second is back"),
            reloads("its end", _judged_both("sorry_server 10.1.0.9 80")),
            reloads("it again", _judged_both("sorry_server 10.1.0.9 80", "inhibit_on_failure")),
            says("one", "0", what="the first is back"),
        ),
        needs=MISC,
    ),
    TableStory(
        "checks are to wait for an address that is away",
        _judged_both("ha_suspend"),
        (
            reloads("the end of ha_suspend", _judged_both()),
            says("one", "1", what="the first fails"),
            reloads("ha_suspend", _judged_both("ha_suspend")),
            says("one", "0", what="the first is back unseen"),
            runs("ip", "addr", "add", "10.9.0.1/32", "dev", "lab0", what="the address comes"),
        ),
        needs=(*MISC, "virtual_server/ha_suspend"),
    ),
    TableStory(
        "two checks judge a server, and a reload takes one away",
        _judged_both(first="three", second="four"),
        (
            says("one", "1", what="one fails"),
            says("three", "1", what="three fails"),
            says("one", "0", what="one is back"),
            reloads("the end of three", _judged_both(second="four")),
            says("four", "1", what="four fails"),
            reloads("another for four", _judged_both(second="five")),
            says("five", "1", what="five fails"),
        ),
        needs=MISC,
    ),
    TableStory(
        "servers that a reload drains",
        _judged_both("sorry_server 10.1.0.9 80"),
        (
            reloads("weight 0", _judged_both("sorry_server 10.1.0.9 80", own="weight 0")),
            reloads("weight 5", _judged_both("sorry_server 10.1.0.9 80", own="weight 5")),
        ),
        needs=MISC,
    ),
)
