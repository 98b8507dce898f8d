"""Keep the worker from being process 1 of a container.

The kernel gives process 1 every process whose parent has ended: a program that a task started in the background, the
helper of a consumer process that was killed. Until it waits for them they stay as zombies, which count for the
container's limit of pids. A worker cannot wait for whatever has ended, because it would take the exit codes of the
processes that its own tasks started and wait for. So process 1 starts the worker, and becomes a program that has no
other children (``init_process.py``).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Final

from hueyio.worker import init_process
from hueyio.worker.start_signals import HANDLED

__all__ = ["leave_process_one"]

_PROGRAM: Final = str(init_process.__file__)


def leave_process_one() -> None:
    """Go on as a child of process 1 if this is process 1, which ends with the exit code of that child.

    Does nothing in any other process. Signals that come before the worker handles them wait until it does.
    """
    if os.getpid() != 1 or threading.active_count() > 1:  # a fork would lack the other threads
        return
    sys.stdout.flush()
    sys.stderr.flush()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*init_process.WATCHED, signal.SIGTTOU})
    worker = os.fork()
    if worker:
        with suppress(OSError):  # the same without, in more memory: what this process has loaded
            os.execv(sys.executable, [sys.executable, "-I", "-S", _PROGRAM, str(worker)])
        os._exit(init_process.serve(worker))
    _take_terminal()
    signal.pthread_sigmask(signal.SIG_SETMASK, before.union(HANDLED))


def _take_terminal() -> None:
    """Be the process group that hears Ctrl-C: both would hear it, and a worker that hears it twice stops at once."""
    os.setpgid(0, 0)
    with suppress(OSError):  # standard input is no terminal, or not ours
        os.tcsetpgrp(0, os.getpgrp())
