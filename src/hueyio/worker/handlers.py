"""Signals that the running loop is told of, in a worker and in a supervisor."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

__all__ = ["TakeBack", "handling", "needed_signals"]

TakeBack: TypeAlias = Callable[[], list[signal.Signals]]
"""Takes back the signals that other code handles by now, and returns them."""

_AFTERWARDS: Final[Mapping[signal.Signals, Any]] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}

_HARMFUL: Final[Mapping[signal.Signals, tuple[Any, Any]]] = {
    # The end of a worker without a word, at the first write to a server that has gone.
    signal.SIGPIPE: (signal.SIG_DFL, signal.SIG_IGN),
    # Nobody would learn how the processes of the pool end.
    signal.SIGCHLD: (signal.SIG_IGN, signal.SIG_DFL),
}
"""What an application may set that harms a worker, and what Python sets."""


@contextmanager
def handling(handlers: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[TakeBack]:
    """Have the running loop call these inside; afterwards the process is about to end.

    From then on SIGINT and SIGTERM do what they usually do, for an end that hangs, and the others nothing: they would
    spoil an exit code that is decided.
    """
    loop = asyncio.get_running_loop()
    ours = {number: _telling(loop, handler) for number, handler in handlers.items()}

    def take_back() -> list[signal.Signals]:
        lost = [number for number, tell in ours.items() if signal.getsignal(number) is not tell]
        for number in lost:
            _replace(loop, number, ours[number])
        return lost

    take_back()
    try:
        yield take_back
    finally:
        # Not by the loop's own handlers: those are taken away by way of the default, which ends the process.
        for number in handlers:
            signal.signal(number, _AFTERWARDS.get(number, signal.SIG_IGN))


def _replace(loop: asyncio.AbstractEventLoop, number: signal.Signals, tell: Callable[..., None]) -> None:
    """Handle a signal in place of other code, which may have had the loop call it."""
    # Blocked in this thread meanwhile: the loop takes its handler away by way of the default, which ends the process.
    usual = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        loop.remove_signal_handler(number)
        signal.signal(number, tell)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, usual)


def _telling(loop: asyncio.AbstractEventLoop, handler: Callable[[], None]) -> Callable[..., None]:
    def tell(*_: object) -> None:
        loop.call_soon_threadsafe(handler)

    return tell


def needed_signals() -> list[signal.Signals]:
    """Set what a worker cannot do without as Python sets it, and return what was set otherwise."""
    harmed = [number for number, (harmful, _) in _HARMFUL.items() if signal.getsignal(number) == harmful]
    for number in harmed:
        signal.signal(number, _HARMFUL[number][1])
    return harmed
