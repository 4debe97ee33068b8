"""Socket activation and readiness, in the protocols of systemd: sd_listen_fds(3) and sd_notify(3).

Two processes can accept from one socket, so a new one can start before the old one stops. While neither runs,
connections wait in the queue of the socket. Any program that speaks the protocols can hand over the socket.
"""

from __future__ import annotations

import os
import socket

from gallery.errors import Invalid

FIRST_FD = 3
"""File descriptor of the first socket that is handed over (SD_LISTEN_FDS_START)."""


def inherited_listener() -> socket.socket | None:
    """Return the listening socket that the starting program handed over, None if it did not.

    Removes the variables from the environment, so that child processes do not read them. Raises Invalid if
    there are several sockets, or one that is not TCP.
    """
    pid, count = os.environ.pop("LISTEN_PID", ""), os.environ.pop("LISTEN_FDS", "")
    if pid != str(os.getpid()):
        return None
    if count != "1":
        raise Invalid(f"{count} sockets were handed over; the socket unit must have one ListenStream=")
    os.set_inheritable(FIRST_FD, False)
    listener = socket.socket(fileno=FIRST_FD)
    if listener.family not in (socket.AF_INET, socket.AF_INET6) or listener.type != socket.SOCK_STREAM:
        listener.close()
        raise Invalid("the socket that was handed over is not TCP; use ListenStream=127.0.0.1:8000")
    return listener


def notify_ready() -> None:
    """Tell the service manager that requests are accepted, if it asked for that (Type=notify)."""
    if address := os.environ.pop("NOTIFY_SOCKET", ""):
        if address.startswith("@"):  # an abstract address
            address = "\0" + address[1:]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.sendto(b"READY=1", address)
