"""What the application may change in a worker's process, and what the worker needs of it.

The application runs when it is loaded, in hooks and in tasks, and it may do what a program does: set up logging, handle
signals, change the folder. What it sets for itself stays. What would silence the worker, or keep it from stopping or
starting anew, is set right after each of these, and once a second for what tasks do.

What the worker does not look at it does not depend on: warning filters, ``sys.excepthook`` and its relatives, the
handler of the loop's exceptions, standard streams, the policy for event loops.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final, NoReturn

from hueyio.consumer.side_log import side_log
from hueyio.worker.handlers import TakeBack, handling, needed_signals
from hueyio.worker.logs import keep_logging
from hueyio.worker.start_signals import take_from_app

__all__ = ["Surroundings"]

logger = logging.getLogger(__name__)

_REST: Final = 1.0
"""Seconds between two looks at what tasks may have changed."""

_LOG_TIME: Final = 2.0
"""Seconds that the log gets to take what was said."""


class Surroundings:
    """Of the process as it is when this is made: before the application is loaded."""

    def __init__(self) -> None:
        self._folder = os.getcwd()
        self._environment = dict(os.environ)
        self._take_back: TakeBack = take_from_app

    def mend(self) -> None:
        """Set right what code of the application has changed; in the main thread."""
        keep_logging()
        for number in self._take_back():
            logger.info("%s: the application set a handler, which is not called: the worker has its own", number.name)
        for number in needed_signals():
            logger.info("%s: it was not as Python sets it, which a worker needs; it is now", number.name)

    async def watch(self) -> None:
        """Set right what tasks change, until cancelled."""
        while True:
            await asyncio.sleep(_REST)
            self.mend()

    @contextmanager
    def handling(self, handlers: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[None]:
        """Have the running loop call these at signals, whatever the application does; the end of it is final."""
        try:
            with handling(handlers) as self._take_back:
                yield
        finally:
            self._take_back = _nothing

    def start_anew(self) -> NoReturn:
        """Become the program that the command line names, in this process, where it was started."""
        logger.info("starting anew")
        with suppress(OSError):  # that folder is gone: where the process is now will do
            os.chdir(self._folder)
        side_log.flush(_LOG_TIME)
        logging.shutdown()
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], self._environment)


def _nothing() -> list[signal.Signals]:
    """Stand in for what takes signals back, when the process is about to end."""
    return []
