"""Refuse every network connection that leaves this machine, in the process that imports this.

On the path of every Python process that the tests start, so that the interpreter imports it by
itself.
"""

from __future__ import annotations

import ipaddress
import sys
from typing import Any


def _refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    # An audit hook sees every way to a socket, also one that bypasses the `socket` module.
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in {"socket.connect", "socket.sendto"} and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if not _is_here(host):
        raise PermissionError(f"A test reached for the network: {event} {host!r}")


def _is_here(host: str | bytes | None) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        return False  # a name to look up


sys.addaudithook(_refuse_network)
