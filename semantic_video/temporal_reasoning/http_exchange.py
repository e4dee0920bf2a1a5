"""One HTTP request and its answer under one deadline for everything.

The time-out of a socket starts anew with every byte, and looking up a name knows none. So the
exchange runs in a thread of its own: whoever waits stops waiting at the deadline and cuts the
connection, wherever the exchange is by then.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Mapping


def post(
    connection: http.client.HTTPConnection,
    path: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout_s: float,
    most_bytes: int,
) -> tuple[int, bytes]:
    """The status of the answer and, with status 200, its content up to ``most_bytes``.

    Args:
        connection: one that is not open yet; it is closed at the end.

    Raises:
        TimeoutError: the answer was not complete in time.
        OSError, http.client.HTTPException: the exchange failed.
    """
    exchange = _Exchange(connection, path, body, headers, most_bytes)
    thread = threading.Thread(target=exchange.run, name="http-exchange", daemon=True)
    thread.start()
    try:
        thread.join(timeout_s)
    finally:  # also when the user interrupts
        late = thread.is_alive()
        if late:
            exchange.give_up()
    if late:
        raise TimeoutError
    if exchange.failure is not None:
        raise exchange.failure
    return exchange.status, exchange.content


class _Exchange:
    def __init__(
        self,
        connection: http.client.HTTPConnection,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        most_bytes: int,
    ) -> None:
        self.status = 0
        self.content = b""
        self.failure: Exception | None = None
        self._connection = connection
        self._request = (path, body, dict(headers))
        self._most_bytes = most_bytes
        self._socket: socket.socket | None = None
        self._given_up = False
        self._lock = threading.Lock()

    def run(self) -> None:
        try:
            self._connection.connect()
            with self._lock:
                if self._given_up:  # nothing is sent that nobody waits for
                    return
                # The connection lets go of its socket when the server wants to close it.
                self._socket = self._connection.sock
            path, body, headers = self._request
            self._connection.request("POST", path, body, headers)
            response = self._connection.getresponse()
            self.status = response.status
            if response.status == 200:
                self.content = response.read(self._most_bytes)
        except Exception as error:  # raised where the answer is waited for
            self.failure = error
        finally:
            self._connection.close()

    def give_up(self) -> None:
        """Cut the connection, which wakes the thread wherever it reads or writes."""
        with self._lock:
            self._given_up = True
            own = self._socket
        if own is not None:
            with contextlib.suppress(OSError):
                # Of TLS, too, the connection underneath: its own goodbye would wait for an answer.
                socket.socket.shutdown(own, socket.SHUT_RDWR)
