"""One consumer process, as its supervisor sees it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from hueyio.storage.shared.background import make_task
from hueyio.worker.parent import FD_VARIABLE, FIRST_VARIABLE

__all__ = ["Child", "start_child"]

_FOR_SYSTEMD: Final = frozenset({"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"})
"""What is meant for the supervisor alone: a child that stops is not the service that stops."""


class Child:
    """A process and what it says. ``recycle`` is set when it asks to be replaced."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.pid = process.pid
        self.recycle = asyncio.Event()
        self._process = process
        self._began = time.monotonic()
        self._ready = asyncio.Event()
        self._ended = make_task(process.wait(), name=f"hueyio-child-{process.pid}")
        self._line = writer
        """Open for as long as this process lives: its end is what tells the child that it is alone."""
        self._listening = make_task(self._listen(reader))

    @property
    def is_ready(self) -> bool:
        """Whether it has said that it consumes."""
        return self._ready.is_set()

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._began

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self._process.returncode is None:
            self._process.send_signal(number)

    def replace(self) -> None:
        """Tell it to stop because another one consumes in its place."""
        self._line.write(b"replaced\n")
        self.send(signal.SIGTERM)

    async def wait_ready(self) -> bool:
        """Wait until it consumes; False if it ended before."""
        ready = make_task(self._ready.wait())
        await asyncio.wait([ready, self._ended], return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        return self._ready.is_set()

    async def wait_ended(self) -> int:
        """Wait for its end; return the exit code, or minus the signal that ended it."""
        code = await asyncio.shield(self._ended)
        self._line.close()
        return code

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionError):  # it ended before it read all; its end is waited for elsewhere
            async for line in reader:
                match line.strip():
                    case b"ready":
                        self._ready.set()
                    case b"recycle":
                        self.recycle.set()


async def start_child(command: Sequence[str], is_first: bool) -> Child:
    """Start a process that finds its line to this one in its environment; raises OSError."""
    ours, theirs = socket.socketpair()
    with theirs:
        number = theirs.fileno()
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                env=_environment(number, is_first),
                pass_fds=(number,),
                start_new_session=True,  # a Ctrl-C is for the supervisor
            )
        except OSError:
            ours.close()
            raise
    return Child(process, *await asyncio.open_connection(sock=ours))


def _environment(number: int, is_first: bool) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if name not in _FOR_SYSTEMD}
    return {**ours, FD_VARIABLE: str(number), **({FIRST_VARIABLE: "1"} if is_first else {})}
