"""How a task of Django's is run: its function, the signals around it, and what it leaves.

hueyio declares it with the signature that its callers see. Old connections are closed around it, as around a request.
"""

from __future__ import annotations

import inspect
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from hueyio.contrib.django.calls import Returned, header_of
from hueyio.contrib.django.connections import with_fresh_connections
from hueyio.contrib.django.framework import TaskContext, TaskResultStatus, normalize_json, task_finished, task_started
from hueyio.contrib.django.results import error_of, result_of_call
from hueyio.exceptions import CancelExecution, RetryTask, Snooze
from hueyio.execution.context import current_task
from hueyio.tasks.ids import made_at

__all__ = ["FUNCTION", "make_body"]

FUNCTION: Final = "django_function"
"""The attribute of a body that says of which function it is, and whether that takes the context."""

Read = Callable[[str | None], Any]
"""Makes a task of Django's from the header of a call."""

_ASKED: Final = (CancelExecution, RetryTask, Snooze)
"""What a function raises to say what shall become of it: no failure."""


def make_body(task: Any, sender: type[Any], read: Read, is_immediate: Callable[[], bool]) -> Callable[..., Any]:
    """Return what hueyio runs for a task of Django's; ``sender`` sends the signals."""
    make = _make_async if inspect.iscoroutinefunction(task.func) else _make_sync
    return _looking_like(task, with_fresh_connections(make(task, sender, read), is_immediate))


def _make_async(task: Any, sender: type[Any], read: Read) -> Callable[..., Any]:
    async def run_async(*args: Any, **kwargs: Any) -> Any:
        run = _Run(read)
        await task_started.asend(sender=sender, task_result=run.result)
        try:
            value = run.succeed(await task.func(*run.before(task), *args, **kwargs))
        except (Exception, SystemExit) as error:  # for the receivers of the end, and raised again
            if run.fail(error):
                await task_finished.asend(sender=sender, task_result=run.result)
            raise
        await task_finished.asend(sender=sender, task_result=run.result)
        return value

    return run_async


def _make_sync(task: Any, sender: type[Any], read: Read) -> Callable[..., Any]:
    def run_sync(*args: Any, **kwargs: Any) -> Any:
        run = _Run(read)
        task_started.send(sender=sender, task_result=run.result)
        try:
            value = run.succeed(task.func(*run.before(task), *args, **kwargs))
        except (Exception, SystemExit) as error:  # for the receivers of the end, and raised again
            if run.fail(error):
                task_finished.send(sender=sender, task_result=run.result)
            raise
        task_finished.send(sender=sender, task_result=run.result)
        return value

    return run_sync


class _Run:
    """One attempt, and its TaskResult as the receivers of signals and the function see it."""

    def __init__(self, read: Read) -> None:
        self._call = current_task()
        self._began = datetime.now(UTC)
        self._header = header_of(self._call)
        self.result = result_of_call(read(self._header), self._call, made_at(self._call.id))
        self._set(
            status=TaskResultStatus.RUNNING,
            started_at=self._began,
            last_attempted_at=self._began,
            worker_ids=[_this_process()] * (self._call.attempt + 1),
        )

    def before(self, task: Any) -> tuple[Any, ...]:
        """Return what the function gets before its arguments: the context, if it takes that."""
        return (TaskContext(task_result=self.result),) if task.takes_context else ()

    def succeed(self, value: Any) -> dict[str, Any]:
        """Note the value; return what is stored. Raises TypeError or ValueError for what is no JSON."""
        value = normalize_json(value)
        self._set(status=TaskResultStatus.SUCCESSFUL, finished_at=datetime.now(UTC), _return_value=value)
        returned = Returned(
            value=value,
            args=self.result.args,
            kwargs=self.result.kwargs,
            header=self._header or "",
            started_at=self._began.timestamp(),
            attempts=self._call.attempt + 1,
        )
        return {name: getattr(returned, name) for name in Returned.__dataclass_fields__}

    def fail(self, error: BaseException) -> bool:
        """Note the error; say whether the task has failed for good."""
        if isinstance(error, _ASKED) or self._call.retries > 0:
            return False
        errors = [*self.result.errors, error_of(error)]
        self._set(status=TaskResultStatus.FAILED, finished_at=datetime.now(UTC), errors=errors)
        return True

    def _set(self, **fields: Any) -> None:
        for name, value in fields.items():
            object.__setattr__(self.result, name, value)  # as Django's own backends do: it is frozen for users


def _looking_like(task: Any, run: Callable[..., Any]) -> Callable[..., Any]:
    """Let a body have the function's names, and the signature that callers see."""
    function = task.func
    signature = inspect.signature(function)
    if task.takes_context:
        signature = signature.replace(parameters=list(signature.parameters.values())[1:])
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(run, name, getattr(function, name))
    del run.__wrapped__  # type: ignore[attr-defined]  # what is inside takes what is shown
    run.__signature__ = signature  # type: ignore[attr-defined]
    setattr(run, FUNCTION, (function, task.takes_context))
    return run


def _this_process() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"
