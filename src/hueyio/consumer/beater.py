"""The process that sends the heartbeats of one owner, as its worker sees it; ``beater_process`` is the other end."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from hueyio.named_tuple import NamedTuple
from hueyio.storage.beat_recipe import BeatRecipe

__all__ = ["Beater", "Report"]

_PROGRAM: Final = os.path.join(os.path.dirname(os.path.abspath(__file__)), "beater_process.py")

_FOR_THE_WORKER: Final = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)  # Windows lacks some
]
"""What terminals and service managers send to a whole group."""

_END_TIME: Final = 1.0
"""Seconds in which it ends by itself; a beat may be under way."""


class Report(NamedTuple):
    """What came of one beat."""

    at: float
    """The monotonic time, which is the same in both processes."""
    alive: bool = False
    """False, without an error: the owner was given up."""
    error: str | None = None
    stopped: bool = False
    """It was not sent, because this process was stopped."""


class Beater:
    """One process and the line to it. ``kill`` and ``hang_up`` may be called from any thread and wait for nothing."""

    def __init__(self) -> None:
        """Start it; raises OSError."""
        if (
            sys.platform == "win32"
            or not sys.executable
            or getattr(sys, "frozen", False)
            or not os.path.isfile(_PROGRAM)
        ):
            raise OSError("there is no Python interpreter that could be started beside this process")
        self._line, theirs = socket.socketpair()
        self._line.setblocking(False)
        self._rest = b""
        # The child inherits the mask of this thread.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _FOR_THE_WORKER)
        try:
            self._process = _start(theirs.fileno())
        except BaseException:
            self._line.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def order(self, recipe: BeatRecipe, interval: float, max_block: float | None) -> None:
        """Have it beat by this recipe from now on, and kill this process after ``max_block`` seconds without a sign."""
        kind = type(recipe).__name__
        self._say({"kind": kind, "recipe": list(recipe), "interval": interval, "max_block": max_block})

    def give_sign(self, running: Sequence[str]) -> None:
        """Say that this process lives, and what it runs, for the line that tells of its end."""
        self._say({"running": list(running)})

    def read(self, timeout: float) -> list[Report] | None:
        """Return what it reports within so many seconds; None when it has ended."""
        poll = select.poll()
        poll.register(self._line, select.POLLIN)
        if not poll.poll(timeout * 1000):
            return []
        try:
            data = self._line.recv(1 << 20)
        except BlockingIOError:
            return []
        except OSError:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [Report(**json.loads(line)) for line in lines] if data else None

    def hang_up(self) -> None:
        """Have it end after the beat under way; also for a copy of the line that a forked process holds."""
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)

    def kill(self) -> None:
        """End it at once: no further beat."""
        self._process.kill()

    def wait_ended(self) -> None:
        """Wait until it has ended, after ``hang_up`` or ``kill``, and let go of the line."""
        try:
            self._process.wait(_END_TIME)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            self._line.close()

    def _say(self, words: dict[str, object]) -> None:
        with contextlib.suppress(OSError):  # it has ended, which ``read`` tells, or does not listen, and will not beat
            self._line.sendall(json.dumps(words).encode() + b"\n")


def _start(number: int) -> subprocess.Popen[bytes]:
    # -I -S: neither the environment nor site-packages have a say, and it starts in some 20 ms.
    command = [sys.executable, "-I", "-S", _PROGRAM, str(number), str(os.getpid())]
    return subprocess.Popen(command, pass_fds=(number,), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
