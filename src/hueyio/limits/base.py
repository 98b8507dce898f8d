"""What locks, semaphores and rate limits have in common: a decorator and a context manager of both kinds.

``async with`` works everywhere. A plain ``with``, and the decorator on a ``def`` function, work in every thread that
runs no loop: in that of a task they wait while the consumer's loop asks the storage, elsewhere for that of ``sync``.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import threading
from collections.abc import Callable, Coroutine, Hashable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast

from hueyio.exceptions import ConfigurationError
from hueyio.limits.blocking import block_in_body
from hueyio.storage.texts import check_text
from hueyio.tasks.declared import is_async, is_generator
from hueyio.tasks.signature import signature_of

__all__ = ["Guard"]

F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S")
T = TypeVar("T")


class Guard(Generic[S]):
    """Something to enter before a body and to leave after it. ``S`` is what must be known to leave."""

    def __init__(self, name: str, key: Callable[..., object] | None = None) -> None:
        if callable(name):
            raise ConfigurationError(f"write @huey.lock_task(name) and the like with parentheses, above {name!r}")
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"{type(self).__name__} needs a name that is not empty, not {name!r}")
        if key is not None and not callable(key):
            raise ConfigurationError(f"key of {name!r} must be a function of the task's arguments, not {key!r}")
        self.name = check_text("the name", name)
        self._key = key
        self._entered: dict[Hashable, list[S]] = {}

    async def enter(self) -> S:
        """Enter, or raise."""
        raise NotImplementedError

    async def leave(self, state: S) -> None:
        """Leave what ``enter`` returned."""
        raise NotImplementedError

    def of(self, key: object) -> Self:
        """Return the same for one key: each has its own count."""
        one = copy.copy(self)
        one.name = check_text("the name", f"{self.name}:{key}")
        one._key = None
        one._entered = {}
        return one

    def __call__(self, func: F) -> F:
        """Guard each run of a task; stands below ``@huey.task``."""
        if not callable(func) or hasattr(func, "call_local"):
            raise ConfigurationError(f"{self.name!r} guards a function: put it below @huey.task, not above")
        if is_generator(func):
            raise ConfigurationError(f"{self.name!r} guards no generator function: calling {func!r} would run nothing")
        guarded = self._guard_async(func) if is_async(func) else self._guard_sync(func)
        functools.update_wrapper(guarded, func)
        guarded.__signature__ = signature_of(func).replace()  # type: ignore[attr-defined]  # it takes the same
        return cast("F", guarded)

    def _guard_async(self, func: Callable[..., Any]) -> Callable[..., Any]:
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            guard = self._for_call(args, kwargs)
            state = await guard.enter()
            try:
                return await func(*args, **kwargs)
            finally:
                await guard.leave(state)

        return guarded

    def _guard_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            guard = self._for_call(args, kwargs)
            state = block_in_body(guard.enter(), self.name)
            try:
                value = func(*args, **kwargs)
            except BaseException:
                block_in_body(guard.leave(state), self.name)
                raise
            if inspect.iscoroutine(value):  # a decorator hides that it is a coroutine function: all is still to be done
                return guard._end(value, state)
            block_in_body(guard.leave(state), self.name)
            return value

        return guarded

    async def _end(self, body: Coroutine[Any, Any, T], state: S) -> T:
        try:
            return await body
        finally:
            await self.leave(state)

    def _for_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Self:
        return self if self._key is None else self.of(self._key(*args, **kwargs))

    async def __aenter__(self) -> Self:
        self._push(asyncio.current_task(), await self.enter())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.leave(self._pop(asyncio.current_task()))

    def __enter__(self) -> Self:
        self._push(threading.get_ident(), block_in_body(self.enter(), self.name))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        block_in_body(self.leave(self._pop(threading.get_ident())), self.name)

    def _push(self, who: Hashable, state: S) -> None:
        self._entered.setdefault(who, []).append(state)

    def _pop(self, who: Hashable) -> S:
        states = self._entered[who]
        state = states.pop()
        if not states:
            del self._entered[who]
        return state
