"""A web server over TLS in the reactor of the one who asks it, so that both live in the same simulated time."""

import contextlib
import socket
import ssl

from pykeepalived.daemon.reactor import Reactor

RESPONSE = b"HTTP/1.0 200 OK\r\n\r\nhello"


class TlsWeb:
    """Answers each request with one page and says goodbye properly."""

    def __init__(self, reactor: Reactor, context: ssl.SSLContext) -> None:
        self.accepted = self.answered = 0
        self._reactor = reactor
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        reactor.watch(self._listener.fileno(), self._accept)

    def close(self) -> None:
        """No more."""
        self._reactor.unwatch(self._listener.fileno())
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                self._serve(self._listener.accept()[0])

    def _serve(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self.accepted += 1
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = self._context.wrap_bio(incoming, outgoing, server_side=True)

        def hear() -> None:
            data = b""
            with contextlib.suppress(OSError):
                data = connection.recv(65536)
            incoming.write(data)
            done = not data
            try:
                if data and session.read(65536):
                    session.write(RESPONSE)
                    self.answered += 1
                    done = True
                    session.unwrap()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                done = True
            with contextlib.suppress(OSError):
                connection.sendall(outgoing.read())
            if done:
                self._reactor.unwatch(connection.fileno())
                connection.close()

        self._reactor.watch(connection.fileno(), hear)
