"""SIGINT and SIGTERM: the first stops gracefully, the second at once. SIGQUIT stops at once."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["stop_signals"]

logger = logging.getLogger(__name__)

_AT_ONCE: Final = getattr(signal, "SIGQUIT", None)  # Windows has none
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, *(() if _AT_ONCE is None else (_AT_ONCE,)))


@contextmanager
def stop_signals(stop: Callable[[bool], None]) -> Iterator[None]:
    """Call ``stop(graceful)`` at these signals while the block runs; needs the loop of the main thread."""
    loop = asyncio.get_running_loop()
    count = 0

    def handle(number: signal.Signals) -> None:
        nonlocal count
        count += 1
        graceful = count == 1 and number != _AT_ONCE
        if graceful:
            logger.info("%s: finishing what runs; once more to stop at once", number.name)
        else:
            logger.info("%s: stopping at once", number.name)
        stop(graceful)

    for number in _SIGNALS:
        loop.add_signal_handler(number, handle, number)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
