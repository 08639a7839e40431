"""What of a configuration the daemon acts upon today. The language is read whole; what is not effective yet is taken
out here, so that no half of it runs, and every such thing is said once at the start.
"""

from dataclasses import replace

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.configuration import Configuration


def effective(configuration: Configuration) -> tuple[Configuration, tuple[str, ...]]:
    """The configuration to run, and what is to be said about what was taken out of it."""
    return _instances(_without_idle(configuration))


def _instances(configuration: Configuration) -> tuple[Configuration, tuple[str, ...]]:
    """Without the instances whose adverts we cannot send or judge, and without what only they need."""
    said: list[str] = []
    left_out: set[str] = set()
    instances = []
    for each in configuration.vrrp_instance:
        if reason := _cannot_run(each):
            left_out.add(each.name)
            said.append(f"({each.name}) {reason}")
        else:
            instances.append(each)
    groups = []
    for group in configuration.vrrp_sync_group:
        members = tuple(name for name in group.group if name not in left_out)
        said += [
            f"({group.name}) {name} is left out of the configuration and of the group"
            for name in group.group
            if name in left_out
        ]
        if members:
            groups.append(replace(group, group=members) if members != group.group else group)
    if tuple(instances) == configuration.vrrp_instance:
        return configuration, ()
    return replace(configuration, vrrp_instance=tuple(instances), vrrp_sync_group=tuple(groups)), tuple(said)


def _cannot_run(instance: VrrpInstance) -> str:
    """Why the instance is left out, or nothing."""
    settings = instance.auth_hmac
    if settings is not None and not settings.active_key and (settings.mode != "receive-only" or not settings.key):
        # unsigned adverts are refused by peers that sign theirs: they would become MASTER beside us
        return "auth_hmac has no key to sign with - the instance is left out, for its peers would not accept it"
    return ""


def _without_idle(configuration: Configuration) -> Configuration:
    """Without what no process looks at: the interpreter has said the names of these keywords."""
    return replace(
        configuration,
        bfd_instance=(),
    )
