"""A stranger on the link of a random history: he sends what must be refused, and changes nothing by it.

He can make any packet, but knows no password and no key. He can send again what he recorded: where adverts are proved,
nobody who has judged one of them may take it for another.
"""

import random
from dataclasses import replace

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.kernel.ports import Datagram
from pykeepalived.units import SECOND
from pykeepalived.vrrp.adverts import messages
from pykeepalived.wire.hmac_trailer import sequence_at
from tests.support.link import received

_ADDRESS = bytes((10, 0, 0, 77))
_OTHER_KEY = bytes(32)
_WAYS = ("ttl", "version", "checksum", "type", "short", "noise", "interval", "secret", "cast")


def forged(chance: random.Random, instance: VrrpInstance, own: bytes, wall: int) -> Datagram:
    """A packet for a host with the address ``own`` that has something wrong."""
    way = chance.choice(_WAYS)
    source = chance.choice((_ADDRESS, bytes((10, 0, 0, chance.randint(1, 5)))))
    priority = chance.choice((0, 1, 100, 254, 255))
    packet = _made(_without_secret(instance), priority, source, own, wall)
    if way == "ttl" and not instance.unicast:
        return packet._replace(ttl=chance.choice((0, 64, 254)))
    if way == "version":
        other = replace(_without_secret(instance), version=3 if instance.version == 2 else 2)
        return _made(other, priority, source, own, wall)
    if way == "type":
        return packet._replace(data=bytes((packet.data[0] + 1,)) + packet.data[1:])
    if way == "short":
        return _of(packet, packet.data[: chance.randrange(len(packet.data))])
    if way == "noise":
        return _of(packet, packet.data[:2] + chance.randbytes(chance.randrange(30)))
    if way == "interval" and instance.version == 2:
        return _made(replace(_without_secret(instance), advert_int=7 * SECOND), priority, source, own, wall)
    if way == "secret" and (instance.auth_type or instance.auth_hmac is not None):
        return packet
    if way == "cast":
        return packet._replace(destination=instance.mcast_group.packed if instance.unicast else own)
    return packet._replace(data=packet.data[:6] + bytes((packet.data[6] ^ chance.randint(1, 255),)) + packet.data[7:])


def _without_secret(instance: VrrpInstance) -> VrrpInstance:
    """With another password and other keys: or there would be nothing wrong but what is made wrong."""
    if instance.auth_pass:
        return replace(instance, auth_pass=b"guess")
    settings = instance.auth_hmac
    if settings is None:
        return instance
    keys = tuple(replace(key, secret=_OTHER_KEY) for key in settings.key)
    return replace(instance, auth_hmac=replace(settings, key=keys))


def _made(instance: VrrpInstance, priority: int, source: bytes, own: bytes, wall: int) -> Datagram:
    sequence = sequence_at(wall) if instance.auth_hmac is not None else 1 << 20
    destination, data = messages(instance, priority, source, sequence=sequence)[0]
    return datagram(instance, source, own if instance.unicast else destination, data)


def datagram(instance: VrrpInstance, source: bytes, destination: bytes, data: bytes) -> Datagram:
    """What a receive socket hands up of a message."""
    if instance.auth_type != "AH":
        return Datagram(source, destination, 255, data, len(data))
    made = received(instance, source, destination, data)
    return Datagram(made.source, made.destination, made.ttl, made.data, made.length, made.headers)


def _of(packet: Datagram, data: bytes) -> Datagram:
    return packet._replace(data=data, length=len(data))
