"""From what hueyio knows of a task to Django's TaskResult. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from traceback import format_exception
from typing import Any, Final

from hueyio.contrib.django.calls import Call, Returned, header_of, read_call
from hueyio.contrib.django.framework import TaskError, TaskResult, TaskResultStatus
from hueyio.control.history import Attempt
from hueyio.control.task_details import TaskDetails
from hueyio.tasks.task import Task

__all__ = ["error_of", "result_of_call", "result_of_details"]

_READY: Final = ("ready", "scheduled", "waiting", "retrying")

_WITHOUT_TRACEBACK: Final = {
    "cancelled": "hueyio.exceptions.TaskCancelled",
    "expired": "hueyio.exceptions.TaskExpired",
    "lost": "hueyio.exceptions.TaskLost",
}
"""The exceptions of tasks that did not end by one of their own."""

_FRAME: Final = '  File "'
_RAISED: Final = re.compile(r"[A-Za-z_][\w.]*(?=:|$)")
_NAMED: Final = re.compile(r"\w+")

DeclaredTask = Callable[[str, Call], Any]
"""Returns the task of Django's of that path, with what its call says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Of whatever source it is."""

    args: Sequence[Any] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    header: str | None = None
    value: Any = None
    started_at: datetime | None = None
    attempts: int = 0


def result_of_call(task: Any, call: Task, enqueued_at: datetime | None) -> Any:
    """Return the result of a call that is about to be enqueued."""
    return TaskResult(
        task=task,
        id=call.id,
        status=TaskResultStatus.READY,
        enqueued_at=enqueued_at,
        started_at=None,
        last_attempted_at=None,
        finished_at=None,
        args=list(call.args),
        kwargs=dict(call.kwargs),
        backend=task.backend,
        errors=[],
        worker_ids=[],
    )


def result_of_details(details: TaskDetails, declared: DeclaredTask) -> Any:
    """Return what is known of a task as Django has it; None if that is nothing."""
    if details.state == "unknown" or not details.name:
        return None
    known, status = _known(details), _status_of(details.state)
    call = read_call(known.header)
    timeline = details.timeline
    began = [it.started_at for it in timeline] or [it for it in (known.started_at, details.since) if it is not None]
    runs = details.state == "running"
    if runs and details.since is not None:
        began = [*began, details.since]
    finished = None if status in (TaskResultStatus.READY, TaskResultStatus.RUNNING) else _finished_at(details)
    result = TaskResult(
        task=declared(details.name, call),
        id=details.id,
        status=status,
        enqueued_at=details.made,
        started_at=min(began, default=None),
        last_attempted_at=max(began, default=None),
        finished_at=finished,
        args=list(known.args),
        kwargs=known.kwargs,
        backend=call.backend,
        errors=_errors_of(details),
        worker_ids=_workers_of(timeline, details, known.attempts, runs),
    )
    if status == TaskResultStatus.SUCCESSFUL:
        object.__setattr__(result, "_return_value", known.value)
    return result


def error_of(error: BaseException) -> Any:
    """Return an exception as Django keeps it."""
    kind = type(error)
    path = f"{kind.__module__}.{kind.__qualname__}"
    return TaskError(exception_class_path=path, traceback="".join(format_exception(error)))


def _known(details: TaskDetails) -> _Known:
    if details.task is not None:
        task = details.task
        return _Known(args=task.args, kwargs=dict(task.kwargs), header=header_of(task))
    returned = None if details.returned is None else Returned.read(details.returned.value)
    if returned is None:
        return _Known()
    return _Known(
        args=returned.args,
        kwargs=dict(returned.kwargs),
        header=returned.header,
        value=returned.value,
        started_at=datetime.fromtimestamp(returned.started_at, UTC),
        attempts=returned.attempts,
    )


def _status_of(state: str) -> Any:
    if state in _READY:
        return TaskResultStatus.READY
    if state == "running":
        return TaskResultStatus.RUNNING
    return TaskResultStatus.SUCCESSFUL if state == "done" else TaskResultStatus.FAILED


def _finished_at(details: TaskDetails) -> datetime | None:
    ends = [it.ended_at for it in details.timeline]
    return details.ended or max(ends, default=None)


def _errors_of(details: TaskDetails) -> list[Any]:
    errors = [
        TaskError(exception_class_path=_raised_by(it), traceback=it.traceback or it.error)
        for it in details.timeline
        if it.error
    ]
    if not errors and details.state in _WITHOUT_TRACEBACK:
        path = _WITHOUT_TRACEBACK[details.state]
        errors = [TaskError(exception_class_path=path, traceback=details.error or f"the task is {details.state}")]
    return errors


def _raised_by(attempt: Attempt) -> str:
    """Return the path of the exception that ended an attempt: what stands below the last frame of its traceback."""
    lines = attempt.traceback.splitlines()
    frames = [at for at, line in enumerate(lines) if line.startswith(_FRAME)]
    below = next((line for line in lines[frames[-1] + 1 if frames else 0 :] if not line.startswith(" ")), "")
    found = _RAISED.match(below) or _NAMED.match(attempt.error)
    if found is None:
        return "builtins.Exception"
    return found[0] if "." in found[0] else f"builtins.{found[0]}"


def _workers_of(timeline: Sequence[Attempt], details: TaskDetails, attempts: int, runs: bool) -> list[str]:
    """Return who ran each attempt; the one that ended it stands for those that are not remembered."""
    workers = [it.worker for it in timeline]
    if runs:
        workers.append(details.worker or "")
    missing = max(attempts - len(workers), 0)
    return [*[details.worker or ""] * missing, *workers]
