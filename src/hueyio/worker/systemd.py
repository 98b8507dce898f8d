"""Tell systemd how the service is: ready, stopping, alive (sd_notify(3)).

The protocol is one datagram to the socket in ``NOTIFY_SOCKET``; without it nothing is sent. The library of systemd
itself is a C extension, so these few lines are our own.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time

__all__ = ["notify", "notify_reloading", "ping_watchdog", "watchdog_interval"]


def notify(state: str) -> None:
    """Send a state such as ``READY=1``; does nothing where nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sending:
        try:
            sending.sendto(state.encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)
        except OSError:
            return  # a service must not end because its manager does not listen


def notify_reloading() -> None:
    """Say that the service starts anew, in the same process: a service that says that it stops would be killed."""
    notify(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")


async def ping_watchdog() -> None:
    """Tell systemd's watchdog that the loop moves, for as long as it does: nobody else runs this coroutine."""
    interval = watchdog_interval()
    while interval is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(interval)


def watchdog_interval() -> float | None:
    """Return how often systemd wants to hear that the service is alive, in seconds: half of ``WatchdogSec``."""
    limit = os.environ.get("WATCHDOG_USEC", "")
    meant_for = os.environ.get("WATCHDOG_PID", str(os.getpid()))
    if not limit.isdecimal() or int(limit) == 0 or meant_for != str(os.getpid()):
        return None
    return int(limit) / 2_000_000
