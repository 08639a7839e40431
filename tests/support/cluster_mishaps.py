"""What may happen to a host, or to the link, in a random history."""

from typing import TYPE_CHECKING

from pykeepalived.units import MILLISECOND, SECOND
from pykeepalived.vrrp.events import AddressRemoved, RoutingRemoved
from pykeepalived.vrrp.replacement import replace
from tests.support.cluster_plans import INTERFACE, configuration_of

if TYPE_CHECKING:
    from tests.support.cluster import Cluster, Host


def pause(cluster: "Cluster", host: "Host") -> None:
    """The process stands still for a while."""
    if host.running and not host.paused:
        host.paused = True
        cluster.at(cluster.random.randrange(MILLISECOND, 6 * SECOND), cluster.resume, host)


def leap(cluster: "Cluster", host: "Host") -> None:
    """The machine was asleep: its clock jumps."""
    host.clock += cluster.random.randrange(10 * SECOND)
    if host.running and not host.paused:
        cluster.obey(host, host.routers.tick_all(cluster.now + host.clock), "tick")


def part(cluster: "Cluster", host: "Host") -> None:
    """The host is alone, or the link falls into halves."""
    for other in cluster.hosts if cluster.random.random() < 0.5 else [host]:
        cluster.apart[other.name] = cluster.random.randrange(2)
    cluster.at(cluster.random.randrange(5 * SECOND), cluster.apart.clear)


def fail(cluster: "Cluster", host: "Host") -> None:
    """The link goes down and up."""
    cluster.link(host, up=False)
    cluster.at(cluster.random.randrange(4 * SECOND), lambda: cluster.link(host, up=True))


def judge_ill(cluster: "Cluster", host: "Host") -> None:
    """The track script fails, and succeeds again."""
    cluster.tell_script(host, up=False)
    cluster.at(cluster.random.randrange(4 * SECOND), cluster.tell_script, host, True)


def lossy(cluster: "Cluster", host: "Host") -> None:
    """The link loses, doubles, delays and reorders."""
    del host
    chance = cluster.random
    cluster.loss, cluster.twice = chance.choice((0, 0.1, 0.5)), chance.choice((0, 0.2))
    cluster.slowest = chance.choice((0, 10, 400)) * MILLISECOND


def crash(cluster: "Cluster", host: "Host") -> None:
    """The process dies after so many more orders, and is started again."""
    if host.running:
        host.fuse = cluster.random.randrange(12)
        cluster.at(cluster.random.randrange(4 * SECOND), cluster.start, host)


def stop(cluster: "Cluster", host: "Host") -> None:
    """SIGTERM; started again later."""
    if host.running and not host.paused:
        cluster.obey(host, host.routers.stop(cluster.now + host.clock), "stop")
        if host.running:
            host.running = False
            cluster.holds_what_it_must(host)
        cluster.at(cluster.random.randrange(4 * SECOND), cluster.start, host)


def steal(cluster: "Cluster", host: "Host") -> None:
    """Somebody deletes a virtual address."""
    if host.holds:
        address = cluster.random.choice(sorted(host.holds))
        host.holds.discard(address)
        cluster.tell(host, AddressRemoved(INTERFACE, address, 24), "address")


def reload(cluster: "Cluster", host: "Host") -> None:
    """SIGHUP with another priority, and other things to carry."""
    if host.running and not host.paused:
        # who dies amid a reload does not know any more what it had to give back
        host.plan = host.plan.reloaded(cluster.random, whole=host.fuse is None)
        cluster.obey(host, replace(host.routers, configuration_of(host.plan), cluster.now + host.clock), "reload")


def unroute(cluster: "Cluster", host: "Host") -> None:
    """Somebody deletes a route."""
    if host.routes:
        route = cluster.random.choice(sorted(host.routes, key=str))
        host.routes.discard(route)
        cluster.tell(host, RoutingRemoved(route), "route")


def write(cluster: "Cluster", host: "Host") -> None:
    """The file that is tracked has another number, for a while or until the end."""
    cluster.write(host, cluster.random.choice((1, -20, 60, 300, -300)))
    if cluster.random.random() < 0.5:
        cluster.at(cluster.random.randrange(4 * SECOND), cluster.write, host, 0)


GENTLE = (fail, judge_ill, write, stop, steal, unroute, reload)
ROUGH = (pause, leap, part, lossy, crash)
