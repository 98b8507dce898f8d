"""The hooks of one Huey: functions before and after each attempt, and around the life of a consumer.

A hook has a name, that of its function unless another is given; a second one of the same name takes the place of the
first. What a hook raises is logged and changes nothing, but for CancelExecution in a pre-execute hook. Middleware makes
a context manager around each attempt or enqueue, and has no name.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Final, Literal, TypeAlias, TypeVar, get_args

from hueyio.exceptions import HueyException
from hueyio.loops.ordered import OrderedThread
from hueyio.storage.shared.background import is_cancelled
from hueyio.tasks.enqueue import Enqueue
from hueyio.tasks.task import Task
from hueyio.tasks.typed_in import is_typed_in_again

__all__ = ["AttemptMiddleware", "EnqueueMiddleware", "Hook", "HookKind", "Hooks"]

M = TypeVar("M", bound=Callable[[Any], Any])

logger = logging.getLogger(__name__)

Hook: TypeAlias = Callable[..., Any]
HookKind: TypeAlias = Literal["pre_execute", "post_execute", "on_startup", "on_shutdown", "on_thread_startup"]
Manager: TypeAlias = AbstractContextManager[Any] | AbstractAsyncContextManager[Any]
AttemptMiddleware: TypeAlias = Callable[[Task], Manager]
EnqueueMiddleware: TypeAlias = Callable[[Enqueue], Manager]

_KINDS: Final[tuple[HookKind, ...]] = get_args(HookKind)


class Hooks:
    """The hooks of one Huey, by kind and name, each kind in the order of registration."""

    def __init__(self, thread: OrderedThread) -> None:
        self.thread = thread
        """Where sync hooks run that have no thread of their task: one at a time."""
        self._hooks: dict[HookKind, dict[str, Hook]] = {kind: {} for kind in _KINDS}
        self.around_attempt: tuple[AttemptMiddleware, ...] = ()
        """Middleware around attempts, the outermost first."""
        self.around_enqueue: tuple[EnqueueMiddleware, ...] = ()
        """Middleware around enqueues, the outermost first."""
        self.surround_tasks = False
        """Whether there is any before, after or around attempts; if not, all that they need is skipped."""

    def __getitem__(self, kind: HookKind) -> Mapping[str, Hook]:
        """Return the hooks of a kind by their names."""
        return self._hooks[kind]

    def register(self, kind: HookKind, hook: Hook, name: str | None) -> None:
        """Add a hook; raises HueyException if it cannot be called or has no name."""
        name = getattr(hook, "__name__", None) if name is None else name
        if not callable(hook):
            raise HueyException(f"only a function can be a {kind} hook, not {hook!r}")
        if not isinstance(name, str) or not name:
            raise HueyException(f"a {kind} hook needs a name: {kind}(name=...), not {name!r}")
        if kind == "on_thread_startup" and inspect.iscoroutinefunction(hook):
            raise HueyException(f"an on_thread_startup hook runs in a thread without a loop: {hook!r} must be plain")
        self._hooks[kind][name] = hook
        self._look()

    def unregister(self, kind: HookKind, hook: Hook | str) -> bool:
        """Remove a hook, given itself or its name; False if there is none."""
        hooks = self._hooks[kind]
        names = [hook] if isinstance(hook, str) else [name for name, known in hooks.items() if known == hook]
        found = [name for name in names if hooks.pop(name, None) is not None]
        self._look()
        return bool(found)

    def surround_attempts(self, middleware: AttemptMiddleware) -> None:
        """Add middleware around attempts, inside of what there is; raises HueyException if it can be none."""
        self.around_attempt = _with(self.around_attempt, middleware)
        self._look()

    def surround_enqueues(self, middleware: EnqueueMiddleware) -> None:
        """Add middleware around enqueues, inside of what there is; raises HueyException if it can be none."""
        self.around_enqueue = _with(self.around_enqueue, middleware)

    def let_attempts_be(self, middleware: AttemptMiddleware) -> bool:
        """Remove middleware around attempts; False if there is none."""
        before, self.around_attempt = self.around_attempt, _without(self.around_attempt, middleware)
        self._look()
        return before != self.around_attempt

    def let_enqueues_be(self, middleware: EnqueueMiddleware) -> bool:
        """Remove middleware around enqueues; False if there is none."""
        before, self.around_enqueue = self.around_enqueue, _without(self.around_enqueue, middleware)
        return before != self.around_enqueue

    async def run_life(
        self, kind: Literal["on_startup", "on_shutdown"], after_each: Callable[[], None] | None = None
    ) -> None:
        """Run the hooks of a consumer's start or end; ``after_each`` is called before anything is logged of one."""
        for name, hook in list(self._hooks[kind].items()):
            try:
                try:
                    answer = hook() if inspect.iscoroutinefunction(hook) else await self.thread.run(hook)
                    if inspect.isawaitable(answer):
                        await answer
                finally:
                    if after_each is not None:
                        after_each()
            except asyncio.CancelledError:
                if is_cancelled():
                    raise
                logger.exception("%s hook %s cancelled itself", kind, name)
            except BaseException:  # SystemExit too: a hook must not end the consumer
                logger.exception("%s hook %s failed", kind, name)

    def start_thread(self) -> None:
        """Run the hooks of a thread that is to run bodies, in it."""
        for name, hook in list(self._hooks["on_thread_startup"].items()):
            try:
                hook()
            except BaseException:  # SystemExit too: a hook must not end the thread, whose call is waited for
                logger.exception("on_thread_startup hook %s failed", name)

    def _look(self) -> None:
        hooks = self._hooks
        self.surround_tasks = bool(hooks["pre_execute"] or hooks["post_execute"] or self.around_attempt)


def _with(known: tuple[M, ...], middleware: M) -> tuple[M, ...]:
    """Return the middleware with one more; a second time it changes nothing."""
    made_by: Any = middleware
    if inspect.isasyncgenfunction(made_by) or inspect.isgeneratorfunction(made_by):
        decorator = "asynccontextmanager" if inspect.isasyncgenfunction(made_by) else "contextmanager"
        raise HueyException(f"put @{decorator} of contextlib below: {made_by!r} makes no context manager without it")
    is_other_class = isinstance(made_by, type) and not (hasattr(made_by, "__enter__") or hasattr(made_by, "__aenter__"))
    if not callable(made_by) or inspect.iscoroutinefunction(made_by) or is_other_class:
        raise HueyException(f"middleware is a function that makes a context manager, not {made_by!r}")
    others = tuple(it for it in known if not is_typed_in_again(middleware, it))
    return others if middleware in others else (*others, middleware)


def _without(known: tuple[M, ...], middleware: M) -> tuple[M, ...]:
    return tuple(other for other in known if other != middleware)
