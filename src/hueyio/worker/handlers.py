"""Signals that the running loop is told of, in a worker and in a supervisor."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

__all__ = ["handling"]

_AFTERWARDS: Final[Mapping[signal.Signals, Any]] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}


@contextmanager
def handling(handlers: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[None]:
    """Have the running loop call these inside; afterwards the process is about to end.

    From then on SIGINT and SIGTERM do what they usually do, for an end that hangs, and the others nothing: they would
    spoil an exit code that is decided.
    """
    loop = asyncio.get_running_loop()
    for number, handler in handlers.items():
        signal.signal(number, lambda *_, handler=handler: loop.call_soon_threadsafe(handler))
    try:
        yield
    finally:
        # Not by the loop's own handlers: those are taken away by way of the default, which ends the process.
        for number in handlers:
            signal.signal(number, _AFTERWARDS.get(number, signal.SIG_IGN))
