"""How the hosts of a random history are configured: what all of them have alike, and what each has for itself."""

import random
from dataclasses import dataclass, replace
from functools import lru_cache

from pykeepalived.config.blocks.authentication import AuthHmac
from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.config.configuration import Configuration
from tests.config.machine import Machine
from tests.config.reading import sound
from tests.support.scenario import make_configuration

INTERFACE = "eth0"
SCRIPT = "chk"
FILE = "load"
KEY = "0123456789abcdef" * 2

_OPTIONS = (
    "",
    " version=3",
    " nopreempt",
    " preempt_delay=1.5",
    " version=3 advert_int=0.5",
    " garp_lower_prio_repeat=0",
)
_PASSWORDS = {"PASS": " auth_type=PASS auth_pass=sesame", "AH": " auth_type=AH auth_pass=sesame"}
_TEXT = f"""
static_ipaddress {{
    10.9.0.1/24 dev {INTERFACE}
}}
static_routes {{
    10.9.1.0/24 via 10.0.0.200 dev {INTERFACE}
}}
vrrp_instance V1 {{
    interface {INTERFACE}
    virtual_router_id 1
    version 3
    auth_hmac {{
        key 1 {KEY}
        active_key 1
    }}
    virtual_ipaddress {{
        10.0.0.101/24
    }}
    virtual_routes {{
        10.8.0.0/24 via 10.0.0.200 dev {INTERFACE}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """What all hosts of a history have alike."""

    options: str
    instances: int
    script: str
    """The weight with which it is followed; empty: none is."""
    file: str
    """As with the script."""
    auth: str
    unicast: bool
    carries: bool
    """Whether there is more than addresses: routes, static objects, no_accept."""

    @property
    def proves(self) -> bool:
        """Whether no advert can be forged, or sent again."""
        return self.auth in {"AH", "hmac"}


@dataclass(frozen=True, slots=True)
class Plan:
    """How one host is configured."""

    kind: Kind
    number: int
    hosts: int
    """Which of how many it is, where it has to know its peers."""
    priority: int
    blocks: bool = False
    """no_accept."""
    routes: bool = False
    statics: str = ""
    """``own``: a static address and a route; ``shared``: the route that is virtual, too."""

    def reloaded(self, chance: random.Random, *, whole: bool) -> "Plan":
        """Another priority; and other things to carry, unless what is dropped may be forgotten (not ``whole``)."""
        plan = _carrying(self, chance) if whole else self
        return replace(plan, priority=chance.choice((50, 100, 150, 200)))


def kind_of(chance: random.Random) -> Kind:
    """A kind of history. Each feature is in some of them, so that most are cheap."""
    options = chance.choice(_OPTIONS)
    script = chance.choice(("", "", ":0", ":-40", ":30"))
    auth = chance.choice(("", "", "", "", "", "", "", "hmac", "AH", "PASS"))
    return Kind(
        options=options,
        instances=chance.choice((1, 1, 2)),
        script=script,
        file=chance.choice(("", ":0", ":1")) if script in {"", ":0"} else "",
        auth=auth if auth == "hmac" or "version=3" not in options else "",
        unicast=chance.random() < 0.1,
        carries=chance.random() < 0.3,
    )


def plan_of(kind: Kind, number: int, hosts: int, chance: random.Random) -> Plan:
    """A host's first configuration."""
    priority = 255 if number == 1 and chance.random() < 0.1 else chance.choice((50, 100, 100, 150, 200))
    which = (number, hosts) if kind.unicast else (0, 0)  # or many configurations would be made again
    return _carrying(Plan(kind, *which, priority), chance)


def _carrying(plan: Plan, chance: random.Random) -> Plan:
    if not plan.kind.carries:
        return plan
    return replace(
        plan,
        blocks=chance.random() < 0.4,
        routes=chance.random() < 0.5,
        statics=chance.choice(("", "", "own", "shared")),
    )


@lru_cache(maxsize=1)
def _parts() -> tuple[Configuration, AuthHmac, RouteEntry]:
    """What takes a parser: the static objects, the keys and the virtual route."""
    found = sound(_TEXT, Machine(interfaces=(INTERFACE,))).configuration
    (instance,) = found.vrrp_instance
    assert instance.auth_hmac is not None
    return found, instance.auth_hmac, instance.virtual_routes[0]


@lru_cache(maxsize=1 << 14)
def configuration_of(plan: Plan) -> Configuration:
    """One instance, or two in a group."""
    parsed, _, route = _parts()
    made = _alike(plan.kind, plan.number, plan.hosts)
    first, *others = made.vrrp_instance
    routes = (route,) if plan.routes else ()
    instances = [replace(first, priority=plan.priority, accept=not plan.blocks, virtual_routes=routes)]
    instances += [replace(other, priority=plan.priority, accept=not plan.blocks) for other in others]
    return replace(
        made,
        vrrp_instance=tuple(instances),
        static_ipaddress=parsed.static_ipaddress if plan.statics == "own" else (),
        static_routes={"": (), "own": parsed.static_routes, "shared": (route,)}[plan.statics],
    )


@lru_cache(maxsize=1 << 12)
def _alike(kind: Kind, number: int, hosts: int) -> Configuration:
    """What the hosts of a kind have alike; with unicast, all but their peers."""
    lines = [f"vrrp_script {SCRIPT}"] if kind.script else []
    settings = kind.options + _PASSWORDS.get(kind.auth, "")
    settings += f" track_script={SCRIPT}{kind.script}" if kind.script else ""
    settings += f" track_file={FILE}{kind.file}" if kind.file else ""
    if kind.unicast:
        peers = ",".join(f"10.0.0.{peer}" for peer in range(1, hosts + 1) if peer != number)
        settings += f" unicast_src_ip=10.0.0.{number} unicast_peer={peers}"
    names = [f"V{each}" for each in range(1, kind.instances + 1)]
    for each, name in enumerate(names, 1):
        address = f"virtual_ipaddress=10.0.0.{100 + each}/24"
        lines.append(f"instance {name} virtual_router_id={each} {address} {settings}")
    if len(names) > 1:
        lines.append(f"group G group={','.join(names)}")
    made = make_configuration(*lines)
    if kind.auth != "hmac":
        return made
    return replace(made, vrrp_instance=tuple(replace(each, auth_hmac=_parts()[1]) for each in made.vrrp_instance))
