"""The guard that the other tests rely on: nothing leaves this machine."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

# Reserved for documentation (RFC 5737, RFC 2606): nobody is there.
OUTSIDE = ("192.0.2.1", 80)


def test_a_connection_to_another_machine_is_refused() -> None:
    with socket.socket() as outside, pytest.raises(PermissionError, match=r"192\.0\.2\.1"):
        outside.connect(OUTSIDE)


def test_a_name_is_not_looked_up() -> None:
    with pytest.raises(PermissionError, match=r"example\.org"):
        socket.getaddrinfo("example.org", 443)


def test_a_child_process_is_refused_too() -> None:
    code = f"import socket; socket.create_connection({OUTSIDE!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "A test reached for the network" in done.stderr


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
