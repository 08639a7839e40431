"""Clients on the hosts of the lab: sockets of this process that live in another host's namespace.

No process is started for a request, so hundreds of them cost little in a guest.
"""

import contextlib
import socket
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Self

from tests.support.lab_echo import IPPROTO_SCTP
from tests.support.lab_network import Host, NetworkError

PROTOCOLS = {
    "TCP": (socket.SOCK_STREAM, socket.IPPROTO_TCP),
    "UDP": (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
    "SCTP": (socket.SOCK_STREAM, IPPROTO_SCTP),
}


class Conversation:
    """A connection (or a UDP socket) of a client to an echo server, from a source address of its own if given."""

    def __init__(
        self, client: Host, protocol: str, address: str, port: int, *, source: str = "", patience: float = 2
    ) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with client.inside():
            self.socket = socket.socket(family, *PROTOCOLS[protocol])
        self.socket.settimeout(patience)
        try:
            if source:
                self.socket.bind((source, 0))
            self.socket.connect((address, port))
        except OSError:
            self.socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def answerer(self, text: str = "hello") -> str:
        """Who answers now, or an empty string when nobody does."""
        try:
            self.socket.sendall(text.encode())
            name, _, echoed = self.socket.recv(4096).decode().partition(" ")
        except OSError:
            return ""
        return name if echoed == text else f"wrong: {name} {echoed}"


def answerers(
    client: Host, protocol: str, address: str, port: int, count: int, *, source: str = "", patience: float = 2
) -> list[str]:
    """Who answers several clients in turn, each with a socket of its own; an empty string where nobody did."""
    names = []
    for _ in range(count):
        name = ""
        with (
            contextlib.suppress(OSError),
            Conversation(client, protocol, address, port, source=source, patience=patience) as conversation,
        ):
            name = conversation.answerer()
        names.append(name)
    return names


def conversations(client: Host, address: str, port: int, names: Collection[str]) -> dict[str, Conversation]:
    """A TCP connection to each of some servers behind an address."""
    found: dict[str, Conversation] = {}
    for _ in range(50):
        one = Conversation(client, "TCP", address, port)
        name = one.answerer()
        if name in found or name not in names:
            one.socket.close()
        else:
            found[name] = one
        if len(found) == len(names):
            return found
    hang_up(found)
    raise NetworkError(f"only {set(found)} of {set(names)} answer")


def hang_up(held: Mapping[str, Conversation]) -> None:
    """End conversations."""
    for one in held.values():
        one.socket.close()


def page(client: Host, address: str, port: int = 80, *, seconds: float = 2, source: str = "") -> str:
    """Ask an address for its page, with a connection of its own; an empty string when none came."""
    answer = b""
    with (
        contextlib.suppress(OSError),
        Conversation(client, "TCP", address, port, source=source, patience=seconds) as conversation,
    ):
        conversation.socket.sendall(b"GET / HTTP/1.0\r\n\r\n")
        while part := conversation.socket.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    return body.decode().strip() if head.startswith(b"HTTP/1.1 200") else ""
