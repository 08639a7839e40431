"""Short words for tests: read a text on a machine that is not there."""

from pykeepalived.config.blocks.virtual_server import VirtualServer
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.load import Loaded, LoadOptions, load
from tests.config.machine import Machine

PATH = "/etc/keepalived/keepalived.conf"
COMMANDS = ("/usr/bin/true", "/usr/bin/notify", "/opt/check.sh")


def read(text: str | bytes, machine: Machine | None = None) -> Loaded:
    """The text, loaded."""
    machine = machine or Machine(commands=COMMANDS)
    machine.files[PATH] = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    return load(PATH, machine, LoadOptions())


def messages(loaded: Loaded) -> list[str]:
    """``line:column message`` of every mistake that counts."""
    return [
        (f"{each.span.line}:{each.span.column} " if each.span else "") + each.message
        for each in loaded.diagnostics
        if each.problem is not None
    ]


def sound(text: str, machine: Machine | None = None) -> Loaded:
    """The text, loaded; it must be without a mistake."""
    loaded = read(text, machine)
    assert messages(loaded) == []
    return loaded


def instance(lines: str, machine: Machine | None = None, before: str = "") -> VrrpInstance:
    """A sound instance with these lines added to the least it needs."""
    (found,) = sound(instance_text(lines, before), machine).configuration.vrrp_instance
    return found


def instance_text(lines: str, before: str = "", vip: str = "10.0.0.1") -> str:
    """The text of an instance with these lines added to the least it needs."""
    least = f"interface eth0\nvirtual_router_id 51\nvirtual_ipaddress {{\n{vip}\n}}"
    return f"{before}\nvrrp_instance VI_1 {{\n{least}\n{lines}\n}}\n"


def server(lines: str, real: str = "", machine: Machine | None = None) -> VirtualServer:
    """A sound virtual server with these lines added to the least it needs."""
    (found,) = sound(server_text(lines, real), machine).configuration.virtual_server
    return found


def server_text(lines: str, real: str = "", before: str = "") -> str:
    """The text of a virtual server with these lines added to the least it needs."""
    least = "" if "protocol" in lines else "protocol TCP\n"
    least += "" if "lvs_sched" in lines or "lb_algo" in lines else "lvs_sched rr\n"
    least += "" if "lvs_method" in lines or "lb_kind" in lines else "lvs_method NAT\n"
    return f"{before}\nvirtual_server 10.9.0.100 80 {{\n{least}{lines}\nreal_server 10.9.0.1 80 {{\n{real}\n}}\n}}\n"
