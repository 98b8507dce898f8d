"""Declare tasks and receivers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Literal, ParamSpec, TypeVar, overload

from hueyio.app.driving import Driving
from hueyio.handles.context_manager import run_inside
from hueyio.handles.decorators import ContextTaskDecorator, EnteredTaskDecorator, TaskDecorator, make_spec
from hueyio.handles.wrapper import AsyncTaskWrapper, TaskWrapper
from hueyio.signals import Receiver
from hueyio.tasks.declared import Lane
from hueyio.tasks.task import Expires
from hueyio.tasks.unique import UniqueKey, UniqueMode

__all__ = ["Declaring"]

P = ParamSpec("P")
R = TypeVar("R")


class Declaring(Driving):
    """The decorators."""

    def get_task_wrapper_class(self) -> type[TaskWrapper[..., Any]]:
        """Return the class of declared ``def`` tasks; ``AsyncTaskWrapper`` is that of ``async def`` ones."""
        return TaskWrapper

    @overload
    def task(self, func: AsyncTaskWrapper[P, R], /) -> AsyncTaskWrapper[P, R]: ...

    @overload
    def task(self, func: TaskWrapper[P, R], /) -> TaskWrapper[P, R]: ...  # type: ignore[overload-overlap]

    @overload
    def task(self, func: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTaskWrapper[P, R]: ...

    @overload
    def task(self, func: Callable[P, R], /) -> TaskWrapper[P, R]: ...

    @overload
    def task(  # pyright: ignore[reportOverlappingOverload] (a bool that is no literal has the plain types)
        self,
        *,
        retries: int = 0,
        retry_delay: float = 0,
        retry_backoff: float = 0,
        retry_max_delay: float | timedelta | None = None,
        retry_jitter: float = 0,
        priority: float | None = None,
        context: Literal[True],
        name: str | None = None,
        expires: Expires | None = None,
        timeout: float | None = None,
        deadline: Expires | None = None,
        run_in: Lane | None = None,
        at_most_once: bool = False,
        max_deliveries: int = 3,
        unique: UniqueMode | None = None,
        unique_key: UniqueKey | None = None,
        **settings: Any,
    ) -> ContextTaskDecorator: ...

    @overload
    def task(
        self,
        *,
        retries: int = 0,
        retry_delay: float = 0,
        retry_backoff: float = 0,
        retry_max_delay: float | timedelta | None = None,
        retry_jitter: float = 0,
        priority: float | None = None,
        context: bool = False,
        name: str | None = None,
        expires: Expires | None = None,
        timeout: float | None = None,
        deadline: Expires | None = None,
        run_in: Lane | None = None,
        at_most_once: bool = False,
        max_deliveries: int = 3,
        unique: UniqueMode | None = None,
        unique_key: UniqueKey | None = None,
        **settings: Any,
    ) -> TaskDecorator: ...

    def task(self, *functions: Callable[..., Any], **options: Any) -> Any:
        """Declare a function as a task: ``@huey.task``, or ``@huey.task(retries=3)``.

        The task's name is the function's module and name; ``name`` replaces the latter. ``context=True`` passes
        the Task to the parameter ``task``. See ``TaskOptions`` for the rest. Keywords that hueyio does not know stay
        readable on each Task. Raises ValueError if the name is taken.
        """

        def declare(function: Callable[..., Any]) -> TaskWrapper[..., Any]:
            return self._declare(function, options)

        return declare(*functions) if functions else TaskDecorator(declare)

    @overload
    def context_task(self, obj: Any, as_argument: Literal[False] = False, **options: Any) -> TaskDecorator: ...

    @overload
    def context_task(self, obj: Any, as_argument: Literal[True], **options: Any) -> EnteredTaskDecorator: ...

    def context_task(self, obj: Any, as_argument: bool = False, **options: Any) -> Any:
        """Declare a task whose body runs inside ``with obj:`` or ``async with obj:``; options are those of ``task``.

        ``obj`` is a context manager that can be entered many times, or a function that makes one for each run. With
        ``as_argument`` what entering gives becomes the body's first argument, and callers leave it out.
        """

        def declare(function: Callable[..., Any]) -> TaskWrapper[..., Any]:
            return self._declare(function, options, lambda inner: run_inside(inner, obj, as_argument))

        return EnteredTaskDecorator(declare) if as_argument else TaskDecorator(declare)

    def _declare(
        self,
        function: Callable[..., Any],
        options: dict[str, Any],
        around: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None,
    ) -> TaskWrapper[..., Any]:
        spec = make_spec(function, options, around)
        self.registry.register(spec)
        wrapper = self.get_task_wrapper_class()
        if spec.is_async and wrapper is TaskWrapper:
            wrapper = AsyncTaskWrapper
        return wrapper(self, spec)

    def unregister(self, name: str) -> bool:
        """Forget the task of that name; False if there is none."""
        return self.registry.unregister(name)

    def signal(self, *signals: str) -> Callable[[Receiver], Receiver]:
        """Connect a function to signals, or to all if none is given. Raises HueyException for an unknown one."""

        def connect(receiver: Receiver) -> Receiver:
            self.signals.connect(receiver, signals)
            return receiver

        return connect

    def disconnect_signal(self, receiver: Receiver, *signals: str) -> None:
        """Disconnect a function from signals, or from all if none is given."""
        self.signals.disconnect(receiver, signals)
