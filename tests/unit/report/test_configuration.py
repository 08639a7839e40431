"""The configuration in lines: every object is there, times read as seconds, no password shows."""

from dataclasses import replace
from ipaddress import IPv4Address

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.blocks.authentication import AuthHmac
from pykeepalived.config.blocks.checkers import CheckTiming, Target, TcpCheck
from pykeepalived.config.blocks.trackers import TrackScript
from pykeepalived.config.blocks.virtual_server import RealServer, Service, VirtualServer
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.configuration import Configuration
from pykeepalived.config.kinds import AF_INET
from pykeepalived.config.kinds_vrrp import HmacKey, Ipvlan, Vmac
from pykeepalived.report.configuration import lines
from pykeepalived.units import SECOND

INSTANCE = VrrpInstance(
    name="VI_1",
    interface="eth0",
    virtual_router_id=51,
    advert_int=SECOND // 2,
    auth_type="PASS",
    auth_pass=b"secret",
    virtual_ipaddress=(AddressEntry(IPv4Address("10.0.0.100"), 24, "eth0"),),
    track_script=(TrackScript("chk", 7),),
)
REAL = RealServer(
    address=IPv4Address("10.0.0.2"),
    port=80,
    checkers=(TcpCheck(Target(IPv4Address("10.0.0.2"), 80), CheckTiming(delay_loop=3 * SECOND)),),
)
SERVER = VirtualServer(
    service=Service("address", IPv4Address("10.0.0.100"), 80, 6, 0, AF_INET), lvs_sched="rr", real_server=(REAL,)
)


def test_everything_is_there_and_reads_well() -> None:
    said = list(lines(Configuration(vrrp_instance=(INSTANCE,), virtual_server=(SERVER,))))
    assert said[0] == "------< Global definitions >------"
    at = said.index(" VRRP Instance = VI_1")
    assert said[at - 1] == "------< VRRP Topology >------"
    for line in (
        "   interface = eth0",
        "   family = IPv4",
        "   advert_int = 0.5 s",
        "   auth_pass = ********",
        "   virtual_ipaddress = 10.0.0.100/24",
        "   track_script = chk",
        "     weight = 7",
        "   nopreempt = off",
    ):
        assert line in said[at:]
    at = said.index(" Virtual server = [10.0.0.100]:tcp:80")
    for line in ("   lvs_sched = rr", "   real_server = 10.0.0.2 80", "         delay_loop = 3 s"):
        assert line in said[at:]
    assert "secret" not in "".join(said)


def test_keys_show_their_numbers_alone() -> None:
    signed = AuthHmac(key=(HmacKey(7, b"secret" * 6),), active_key=7, time_window=5 * SECOND)
    instance = replace(INSTANCE, auth_hmac=signed, use_vmac=Vmac(), use_ipvlan=Ipvlan("v", type="vepa"))
    said = list(lines(Configuration(vrrp_instance=(instance,))))
    for line in (
        "   auth_hmac = keys 7, active_key 7, time_window 5 s, mode enforce, anti_replay time",
        "   use_vmac = on",
        "   use_ipvlan = v vepa",
        "   garp_extra_if = 0",
    ):
        assert line in said
    assert "secret" not in "".join(said)
    assert signed.key[0].secret.hex() not in "".join(said)


def test_what_is_not_there_has_no_heading() -> None:
    said = list(lines(Configuration(vrrp_instance=(replace(INSTANCE, notify=None),))))
    assert not any("LVS" in line or "Scripts" in line or "notify =" in line for line in said)
