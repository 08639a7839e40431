"""What of a configuration the daemon acts upon today. The language is read whole; what is not effective yet is taken
out here, so that no half of it runs, and every such thing is said once at the start.
"""

from dataclasses import replace
from typing import TypeVar

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.blocks.vrrp_sync_group import VrrpSyncGroup
from pykeepalived.config.configuration import Configuration

_Follower = TypeVar("_Follower", VrrpInstance, VrrpSyncGroup)


def effective(configuration: Configuration) -> tuple[Configuration, tuple[str, ...]]:
    """The configuration to run, and what is to be said about what was taken out of it."""
    return _without_idle(configuration), ()


def _without_idle(configuration: Configuration) -> Configuration:
    """Without what no process looks at: the interpreter has said the names of these keywords."""
    return replace(
        configuration,
        vrrp_instance=tuple(map(_less_followed, configuration.vrrp_instance)),
        vrrp_sync_group=tuple(map(_less_followed, configuration.vrrp_sync_group)),
        track_file=(),
        vrrp_track_process=(),
        bfd_instance=(),
        track_group=(),
        static_ipaddress=(),
    )


def _less_followed(each: _Follower) -> _Follower:
    if not (each.track_file or each.track_process or each.track_bfd):
        return each
    return replace(each, track_file=(), track_process=(), track_bfd=())
