"""Handles on a chord that was enqueued."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Generic, TypeVar, Unpack

from hueyio.handles.reading import ReadOptions, shows_read_options
from hueyio.handles.result import Result, ResultGroup

__all__ = ["ChordResult"]

R = TypeVar("R")


class ChordResult(Generic[R]):
    """Handles on a chord: awaited, it gives what the callback returned.

    ``results`` are those of the members (of a pipeline its last stage, of a chord its callback's), ``callback`` is that
    of the callback, ``pipeline_results`` those of the callback and of what follows it; None where nothing does.
    """

    __slots__ = ("callback", "pipeline_results", "results")

    def __init__(
        self, results: ResultGroup[Any], callback: Result[R], pipeline: ResultGroup[Any] | None = None
    ) -> None:
        self.results = results
        self.callback = callback
        self.pipeline_results = pipeline

    def __await__(self) -> Generator[Any, None, R]:
        return self.callback.__await__()

    @shows_read_options
    async def get(
        self, blocking: bool = False, timeout: float | None = None, **options: Unpack[ReadOptions]
    ) -> R | None:
        """Read the callback's result; see ``Result.get``."""
        return await self.callback.get(blocking, timeout, **options)

    __call__ = get

    def reset(self) -> None:
        """Forget what was read."""
        for result in (*self.results, *(self.pipeline_results or ()), self.callback):
            result.reset()

    def __repr__(self) -> str:
        return f"<ChordResult: {len(self.results)} tasks, callback {self.callback.id}>"
