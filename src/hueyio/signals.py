"""Signals: what happens to tasks, told to whoever connected.

A receiver is called with ``(signal, task, *args)``. Those of one signal come before those of all, each in the
order in which they connected. Async receivers run on the loop; sync ones one after another in a thread of their
own, so that they neither block the loop nor overtake each other. What a receiver raises is logged and changes
nothing. Receivers of an attempt's signals run in the one context of that attempt, those of other signals each in a
copy of the sender's: what one of these sets reaches nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Any, Final, TypeAlias

from hueyio.exceptions import HueyException
from hueyio.loops.ordered import OrderedThread
from hueyio.tasks.log_fields import log_about, log_fields
from hueyio.tasks.task import Task
from hueyio.tasks.typed_in import is_typed_in_again

__all__ = [
    "SIGNAL_CANCELED",
    "SIGNAL_COMPLETE",
    "SIGNAL_ENQUEUED",
    "SIGNAL_ERROR",
    "SIGNAL_EXECUTING",
    "SIGNAL_EXPIRED",
    "SIGNAL_INTERRUPTED",
    "SIGNAL_LOCKED",
    "SIGNAL_RATE_LIMITED",
    "SIGNAL_RETRYING",
    "SIGNAL_REVOKED",
    "SIGNAL_SCHEDULED",
    "SIGNAL_TIMEOUT",
]

logger = logging.getLogger(__name__)

SIGNAL_CANCELED: Final = "canceled"
SIGNAL_COMPLETE: Final = "complete"
SIGNAL_ENQUEUED: Final = "enqueued"
SIGNAL_ERROR: Final = "error"
SIGNAL_EXECUTING: Final = "executing"
SIGNAL_EXPIRED: Final = "expired"
SIGNAL_INTERRUPTED: Final = "interrupted"
SIGNAL_LOCKED: Final = "locked"
SIGNAL_RATE_LIMITED: Final = "rate-limited"
SIGNAL_RETRYING: Final = "retrying"
SIGNAL_REVOKED: Final = "revoked"
SIGNAL_SCHEDULED: Final = "scheduled"
SIGNAL_TIMEOUT: Final = "timeout"

Receiver: TypeAlias = Callable[..., Any]
_ANY: Final = "any"
_KNOWN: Final = frozenset(value for name, value in globals().items() if name.startswith("SIGNAL_"))


class Signals:
    """Who listens to what, at the Huey named ``queue``."""

    def __init__(self, queue: str = "") -> None:
        self._queue = queue
        self._receivers: dict[str, list[Receiver]] = {}
        self.thread = OrderedThread("hueyio-receivers")
        """Where sync receivers run, and the sync hooks of tasks that have no thread of their own: one at a time."""

    def __bool__(self) -> bool:
        """Say whether anybody listens to anything; senders skip all work if not."""
        return bool(self._receivers)

    def connect(self, receiver: Receiver, signals: tuple[str, ...]) -> None:
        """Call the receiver at these signals, or at all if none is given.

        One that is typed in again, because it was corrected, takes the place of the first.
        """
        if unknown := [signal for signal in signals if not isinstance(signal, str) or signal not in _KNOWN]:
            raise HueyException(f"there is no signal {unknown[0]!r}; signals: {', '.join(sorted(_KNOWN))}")
        if not callable(receiver):
            raise HueyException(f"only a function can be a receiver of signals, not {receiver!r}")
        for signal in signals or (_ANY,):
            others = [it for it in self._receivers.get(signal, ()) if not is_typed_in_again(receiver, it)]
            self._receivers[signal] = [*others, receiver]

    def disconnect(self, receiver: Receiver, signals: tuple[str, ...]) -> None:
        """Stop calling the receiver at these signals, or at any if none is given.

        Raises HueyException for a signal that nobody is connected to.
        """
        for signal in signals:
            if not isinstance(signal, str) or signal not in self._receivers:
                listened = ", ".join(sorted(self._receivers.keys() - {_ANY})) or "none"
                raise HueyException(f"nobody is connected to signal {signal!r}; signals with receivers: {listened}")
        for signal in signals or tuple(self._receivers):
            left = [known for known in self._receivers[signal] if known != receiver]
            if left:
                self._receivers[signal] = left
            else:
                del self._receivers[signal]

    async def send(
        self, signal: str, task: Task, *args: Any, call: Callable[..., Awaitable[None]] | None = None
    ) -> None:
        """Call everybody who listens to this signal, one after another; ``call`` calls each in an attempt's context."""
        call = self._call_apart if call is None else call
        for receiver in (*self._receivers.get(signal, ()), *self._receivers.get(_ANY, ())):
            try:
                await call(receiver, signal, task, *args)
            except asyncio.CancelledError as error:
                current = asyncio.current_task()
                if current is not None and current.cancelling():
                    raise
                self._log("receiver %r of signal %s cancelled itself, task %s %s", receiver, signal, task, error)
            except BaseException as error:  # SystemExit too: a receiver must not end the consumer, as a task must not
                self._log("receiver %r of signal %s failed, task %s %s", receiver, signal, task, error)

    async def _call_apart(self, receiver: Receiver, *args: Any) -> None:
        await self.thread.call_in(copy_context(), receiver, *args)

    def _log(self, text: str, receiver: Receiver, signal: str, task: Task, error: BaseException) -> None:
        fields = log_fields(task, self._queue)
        log_about(logger, logging.ERROR, text, receiver, signal, task.path, task.id, fields=fields, error=error)
