"""Run a function inside a context manager, sync or async, that is entered anew for each run."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from types import TracebackType
from typing import Any

from hueyio.exceptions import ConfigurationError
from hueyio.loops.contexts import carry_over
from hueyio.loops.serving import run_on_loop
from hueyio.loops.threads import run_in
from hueyio.tasks.declared import is_async
from hueyio.tasks.signature import signature_of

__all__ = ["EnteredOnLoop", "run_inside"]


def run_inside(function: Callable[..., Any], manager: Any, as_argument: bool) -> Callable[..., Any]:
    """Return the function with ``with manager:`` (or ``async with``) around its body.

    ``manager`` is a context manager that can be entered many times, also at the same time, or a function that makes
    one for each run. With ``as_argument`` what entering gives is the first argument. A sync manager of a coroutine is
    entered on the loop, so that it must not block; an async one of a ``def`` function is entered on the loop while
    its thread waits. Raises ConfigurationError.
    """
    _check(manager)
    # An async function takes an async manager first, a sync one a sync manager.
    run = (
        _run_async(function, manager, as_argument) if is_async(function) else _run_sync(function, manager, as_argument)
    )
    functools.update_wrapper(run, function)
    signature = _without_first(function) if as_argument else signature_of(function).replace()
    run.__signature__ = signature  # type: ignore[attr-defined]
    return run


def _run_async(function: Callable[..., Any], manager: Any, as_argument: bool) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> Any:
        entered = _make(manager)
        if hasattr(type(entered), "__aenter__"):
            async with entered as value:
                return await function(*((value, *args) if as_argument else args), **kwargs)
        with entered as value:
            return await function(*((value, *args) if as_argument else args), **kwargs)

    return run


def _run_sync(function: Callable[..., Any], manager: Any, as_argument: bool) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        entered = _make(manager)
        with entered if hasattr(type(entered), "__enter__") else EnteredOnLoop(entered) as value:
            returned = function(*((value, *args) if as_argument else args), **kwargs)
            # A decorator may hide that it is a coroutine function: its body belongs inside of the manager too.
            return run_on_loop(returned) if inspect.iscoroutine(returned) else returned

    return run


class EnteredOnLoop:
    """An async context manager, entered and left on the loop by a thread that waits for it.

    The thread is in its own context meanwhile, so that the manager has another one, the same for both. The variables
    that are set here and there are carried over.
    """

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._context = copy_context()

    def __enter__(self) -> Any:
        async def enter() -> Any:
            return await self._manager.__aenter__()

        try:
            return run_on_loop(_run_inside(self._context, enter()))
        finally:
            carry_over(self._context)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        async def leave() -> Any:
            return await self._manager.__aexit__(kind, error, trace)

        self._context.run(carry_over, copy_context())
        try:
            return bool(run_on_loop(_run_inside(self._context, leave())))
        finally:
            carry_over(self._context)


async def _run_inside(context: Context, coroutine: Coroutine[Any, Any, Any]) -> Any:
    return await run_in(context, coroutine)


def _is_manager(value: Any) -> bool:
    return hasattr(type(value), "__enter__") or hasattr(type(value), "__aenter__")


def _make(manager: Any) -> Any:
    made = manager if _is_manager(manager) else manager()
    if not _is_manager(made):
        raise ConfigurationError(f"context_task: {manager!r} made no context manager but {made!r}")
    return made


def _check(manager: Any) -> None:
    made_for = {"contextmanager": inspect.isgeneratorfunction, "asynccontextmanager": inspect.isasyncgenfunction}
    for decorator, is_kind in made_for.items():
        if is_kind(manager):
            raise ConfigurationError(
                f"context_task: put @{decorator} of contextlib on {manager!r}; without it, it makes no context manager"
            )
    if inspect.iscoroutinefunction(manager) or hasattr(manager, "call_local"):
        raise ConfigurationError(
            f"context_task takes what makes a context manager, @huey.context_task(manager), and not {manager!r}"
        )
    if not (_is_manager(manager) or callable(manager)):
        raise ConfigurationError(f"context_task takes a context manager or a function that makes one, not {manager!r}")
    made_by = getattr(manager, "gen", None)
    if inspect.isgenerator(made_by) or inspect.isasyncgen(made_by):
        raise ConfigurationError(
            f"context_task: {made_by.__qualname__}() is used up after one run; give the function itself, without ()"
        )


def _without_first(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature as callers see it; the first parameter is what the context manager gives."""
    signature = signature_of(function)
    first, *others = signature.parameters.values() or [None]
    match first:
        case inspect.Parameter(kind=inspect.Parameter.POSITIONAL_ONLY | inspect.Parameter.POSITIONAL_OR_KEYWORD):
            return signature.replace(parameters=[each for each in others if each is not None])
        case inspect.Parameter(kind=inspect.Parameter.VAR_POSITIONAL):
            return signature
        case _:
            name = getattr(function, "__qualname__", repr(function))
            raise ConfigurationError(f"{name} has no first parameter for what as_argument passes")
