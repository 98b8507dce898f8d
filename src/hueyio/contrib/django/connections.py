"""Around each attempt of a task that uses the database: connections that are too old or broken are closed.

Django does it around each request. A worker has no requests, so that a connection which the server has closed, or which
is older than CONN_MAX_AGE, would be used for ever.

A connection belongs to a thread. That of a ``def`` task is the one in which its body runs, also in a pool process.
Coroutines use the database in one thread for all of them, by asgiref, and there is nothing to close but there.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connections

from hueyio.contrib.django.calling_thread import in_calling_thread
from hueyio.handles.context_manager import run_inside

__all__ = ["with_fresh_connections"]


def with_fresh_connections(function: Callable[..., Any], is_immediate: Callable[[], bool]) -> Callable[..., Any]:
    """Return the function with old connections closed before and after its body, in whichever lane that runs.

    Not while ``is_immediate``: then the body has the caller's thread and connection, perhaps in a transaction.
    """
    return in_calling_thread(run_inside(function, _Fresh(is_immediate), as_argument=False))


class _Fresh:
    """Can be entered many times, also at the same time: it keeps nothing."""

    def __init__(self, is_immediate: Callable[[], bool]) -> None:
        self._is_immediate = is_immediate

    def __enter__(self) -> None:
        if not self._is_immediate():
            _close_old()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_immediate():
            _close_old()

    async def __aenter__(self) -> None:
        if not self._is_immediate():
            await sync_to_async(_close_old)()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_immediate():
            await sync_to_async(_close_old)()


def _close_old() -> None:
    """Do what Django's ``close_old_connections`` does, but leave those that are in a transaction: a test's own."""
    known: Any = connections
    for connection in known.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
