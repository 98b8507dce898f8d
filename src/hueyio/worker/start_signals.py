"""What signals do while no loop handles them: while a worker loads its apps, while it starts anew, and when it ends.

The default of each of them is the end of the process, in the kernel, without a word; and process 1 of a container does
not even get those that it has no handler for.
"""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType
from typing import Final

__all__ = ["HANDLED", "StoppedAtStart", "end_silently", "handle_at_start", "keep_pending", "take_from_app"]

logger = logging.getLogger(__name__)

_STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)

HANDLED: Final = (*_STOPPING, signal.SIGHUP, signal.SIGUSR1)
"""What a worker handles."""


class StoppedAtStart(KeyboardInterrupt):
    """A worker was told to stop before it ran; no ``except Exception`` of a module that is imported catches it."""


def handle_at_start() -> None:
    """Raise StoppedAtStart at SIGINT, SIGTERM and SIGQUIT, and survive the others, until a loop takes over."""
    if threading.current_thread() is not threading.main_thread():
        return  # Python has no handlers there; whoever runs this in a thread handles signals
    for number in HANDLED:
        signal.signal(number, _handle)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)


def end_silently() -> None:
    """Let what stops a worker end the process at once: it is about to end, and exit handlers of the app may hang.

    An exception that is raised there would be shown as an error of theirs.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in HANDLED:
        signal.signal(number, signal.SIG_DFL if number in _STOPPING else signal.SIG_IGN)


def take_from_app() -> list[signal.Signals]:
    """Take back the signals that the application handles since it was loaded, and return them."""
    known = (_handle, signal.default_int_handler)
    found = {number: signal.getsignal(number) for number in HANDLED}
    handle_at_start()
    return [number for number, handler in found.items() if callable(handler) and handler not in known]


def keep_pending() -> None:
    """Let signals wait until ``handle_at_start`` of the program that this process becomes by ``exec``."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)


def _handle(number: int, frame: FrameType | None) -> None:
    name = signal.Signals(number).name
    if number in _STOPPING:
        raise StoppedAtStart(name)
    logger.info("%s: not running yet", name)
