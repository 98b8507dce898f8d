"""A declared task for code that blocks: what ``add.sync`` is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Generic, ParamSpec, TypeVar, Unpack

from hueyio.handles.options import shows_options
from hueyio.handles.sync_result import SyncResult, SyncResultGroup, to_sync
from hueyio.loops.portal import block_here, block_on
from hueyio.tasks.declared import CallOptions, ScheduleOptions

__all__ = ["SyncTask"]

P = ParamSpec("P")
R = TypeVar("R")


class SyncTask(Generic[P, R]):
    """Call it to enqueue a call, and wait until that is written; each method does what that of ``TaskWrapper`` does."""

    __slots__ = ("_wrapped",)

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> SyncResult[R]:
        """Enqueue a call; return its handle (None without results)."""
        result: SyncResult[R] = to_sync(block_on(self._wrapped(*args, **kwargs)))
        return result

    @shows_options(CallOptions)
    def schedule(
        self,
        args: Any = None,
        kwargs: dict[str, Any] | None = None,
        eta: datetime | None = None,
        delay: float | timedelta | None = None,
        **options: Unpack[ScheduleOptions],
    ) -> SyncResult[R]:
        """Enqueue a call that starts later; see ``TaskWrapper.schedule``."""
        result: SyncResult[R] = to_sync(block_on(self._wrapped.schedule(args, kwargs, eta, delay, **options)))
        return result

    def enqueue_in(self, connection: Any, /, *args: P.args, **kwargs: P.kwargs) -> SyncResult[R]:
        """Enqueue a call as part of the transaction on your own SQLite connection; see ``Huey.enqueue_in``."""
        result: SyncResult[R] = to_sync(block_here(self._wrapped.enqueue_in(connection, *args, **kwargs)))
        return result

    def map(self, it: Iterable[Any]) -> SyncResultGroup[R]:
        """Enqueue one call for each element, all in one write."""
        group: SyncResultGroup[R] = to_sync(block_on(self._wrapped.map(it)))
        return group

    def revoke(self, revoke_until: datetime | None = None, revoke_once: bool = False) -> None:
        """Keep all calls from being run: for good, until a moment, or only the next."""
        block_on(self._wrapped.revoke(revoke_until, revoke_once))

    def restore(self) -> bool:
        """Take the revocation back; False if there is none."""
        restored: bool = block_on(self._wrapped.restore())
        return restored

    def is_revoked(self, timestamp: datetime | None = None, peek: bool = True) -> bool:
        """Say whether all calls are revoked, now or at a moment."""
        revoked: bool = block_on(self._wrapped.is_revoked(timestamp, peek))
        return revoked

    def __repr__(self) -> str:
        return f"<SyncTask {self._wrapped.path}>"
