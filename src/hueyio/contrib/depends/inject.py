"""Fill the dependencies of a task's function for each run of it, and close them after it.

Theory of operation. All dependencies of one run stand on one stack: they are closed in the opposite order of their
making, whatever becomes of the body, and also if one of them cannot be made or closed. Those that are generators see
the body's error at their ``yield``. What is inside decides: its error stands, whatever they do with it, as it does in
middleware. Only where the body ended well an error of closing is that of the attempt, because it may be a commit that
failed.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from typing import Any, TypeVar, assert_never, cast

from hueyio.contrib.depends.plan import Plan, make_plan
from hueyio.handles.context_manager import EnteredOnLoop
from hueyio.loops.serving import run_on_loop
from hueyio.storage.shared.background import is_cancelled
from hueyio.tasks.declared import is_async
from hueyio.tasks.signature import signature_of

__all__ = ["inject"]

F = TypeVar("F", bound=Callable[..., Any])

logger = logging.getLogger(__name__)


def inject(function: F) -> F:
    """Fill the parameters whose default is ``Depends(...)``, anew for each run; callers leave them out.

    It stands below ``@huey.task``. Each dependency is made once for a run, however many need it. Around an
    ``async def`` all run on the loop, so that a ``def`` among them must not block. Around a ``def`` task the plain ones
    run in its thread, and the others on the loop while it waits. Raises ConfigurationError.

    Example::

        async def connection() -> AsyncIterator[Connection]:
            async with pool.acquire() as connection:
                yield connection

        @huey.task
        @inject
        async def charge(order: int, connection: Connection = Depends(connection)) -> None:
            await connection.execute(...)

        await charge(7)
    """
    plan = make_plan(function)
    run = _around_async(function, plan) if is_async(function) else _around_sync(function, plan)
    functools.update_wrapper(run, function)
    signature = signature_of(function)
    left = [it for name, it in signature.parameters.items() if name not in plan.gives]
    run.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]
    return cast("F", run)


def _around_async(function: Callable[..., Any], plan: Plan) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> Any:
        wanted = plan.without(kwargs) if plan.gives.keys() & kwargs.keys() else plan
        inside: BaseException | None = None
        try:
            async with AsyncExitStack() as stack:
                try:
                    values = await _make_async(wanted, stack)
                    return await function(*args, **kwargs, **values)
                except BaseException as error:  # raised again: it is noted only
                    inside = error
                    raise
        except BaseException as raised:
            if not _is_outdone(raised, inside):
                raise
        assert inside is not None
        raise inside

    return run


def _around_sync(function: Callable[..., Any], plan: Plan) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        wanted = plan.without(kwargs) if plan.gives.keys() & kwargs.keys() else plan
        inside: BaseException | None = None
        try:
            with ExitStack() as stack:
                try:
                    returned = function(*args, **kwargs, **_make_sync(wanted, stack))
                    # A decorator may hide that it is a coroutine function: its body belongs inside too.
                    return run_on_loop(returned) if inspect.iscoroutine(returned) else returned
                except BaseException as error:  # raised again: it is noted only
                    inside = error
                    raise
        except BaseException as raised:
            if not _is_outdone(raised, inside):
                raise
        assert inside is not None
        raise inside

    return run


async def _make_async(plan: Plan, stack: AsyncExitStack) -> dict[str, Any]:
    values: list[Any] = []
    for step in plan.steps:
        made = step.make(**{name: values[at] for name, at in step.needs.items()})
        match step.kind:
            case "value":
                values.append(made)
            case "coroutine":
                values.append(await made)
            case "manager":
                values.append(stack.enter_context(made))
            case "async manager":
                values.append(await stack.enter_async_context(made))
            case _:
                assert_never(step.kind)
    return {name: values[at] for name, at in plan.gives.items()}


def _make_sync(plan: Plan, stack: ExitStack) -> dict[str, Any]:
    values: list[Any] = []
    for step in plan.steps:
        made = step.make(**{name: values[at] for name, at in step.needs.items()})
        match step.kind:
            case "value":
                values.append(made)
            case "coroutine":
                values.append(run_on_loop(made))
            case "manager":
                values.append(stack.enter_context(made))
            case "async manager":
                values.append(stack.enter_context(EnteredOnLoop(made)))
            case _:
                assert_never(step.kind)
    return {name: values[at] for name, at in plan.gives.items()}


def _is_outdone(raised: BaseException, inside: BaseException | None) -> bool:
    """Say whether the body's own error stands instead of what came out; then log what a dependency made of it.

    A cancellation that comes while they are closed stands above all.
    """
    if inside is None or raised is inside or (isinstance(raised, asyncio.CancelledError) and is_cancelled()):
        return False
    logger.error("a dependency failed while it was closed after %r", inside, exc_info=raised)
    return True
