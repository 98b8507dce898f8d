"""What process 1 of a container runs: passes signals on to the worker, and waits for whatever has ended.

A program of its own, without site-packages and without hueyio, so that it takes little memory: see ``process_one``.
"""

from __future__ import annotations

import os
import signal
import sys

__all__ = ["WATCHED", "serve"]

_OF_ITS_OWN = frozenset(
    {
        *(signal.SIGSEGV, signal.SIGILL, signal.SIGFPE, signal.SIGBUS, signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS),
        *(signal.SIGTTIN, signal.SIGTTOU, signal.SIGTSTP, signal.SIGKILL, signal.SIGSTOP),
    }
)
"""Signals that are about this process, its faults and its terminal, or cannot be waited for."""

WATCHED = signal.valid_signals() - _OF_ITS_OWN
"""Signals that ``serve`` waits for. They have to be blocked before the worker is started, or one may be missed."""


def serve(worker: int) -> int:
    """Serve until the worker has ended; return its exit code, or 128 and the number of the signal that ended it."""
    while True:
        number = signal.sigwait(WATCHED)
        if number != signal.SIGCHLD:
            os.kill(worker, number)  # it is there: nobody but this loop waits for it
        elif (status := _wait_for_all(worker)) is not None:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _wait_for_all(worker: int) -> int | None:
    """Wait for each process that has ended; return the worker's status if it is among them."""
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == worker:
            return status
        if pid == 0:
            return None


if __name__ == "__main__":
    sys.exit(serve(int(sys.argv[1])))
