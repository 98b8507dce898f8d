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

_FINISHED: Final = (TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED)

_WITHOUT_TRACEBACK: Final = {
    "cancelled": "hueyio.exceptions.TaskCancelled",
    "expired": "hueyio.exceptions.TaskExpired",
    "lost": "hueyio.exceptions.TaskLost",
}
"""The exceptions of tasks that did not end by one of their own."""

_FRAME: Final = '  File "'
_RAISED: Final = re.compile(r"[A-Za-z_][\w.]*(?=:|$)")
_CALLED: Final = re.compile(r"[A-Za-z_]\w*(?=\()")

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
    began = _begins_of(details, known)
    result = TaskResult(
        task=declared(details.name, call),
        id=details.id,
        status=status,
        enqueued_at=details.made,
        started_at=min(began, default=None),
        last_attempted_at=max(began, default=None),
        finished_at=_finished_at(details) if status in _FINISHED else None,
        args=list(known.args),
        kwargs=known.kwargs,
        backend=call.backend,
        errors=_errors_of(details),
        worker_ids=_workers_of(details, known.attempts),
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


def _begins_of(details: TaskDetails, known: _Known) -> list[datetime]:
    """Return when its attempts began, as far as that is remembered."""
    past = [it.started_at for it in details.timeline]
    if details.state == "running":
        return past if details.since is None else [*past, details.since]
    return past or [it for it in (known.started_at, details.since) if it is not None]


def _finished_at(details: TaskDetails) -> datetime | None:
    ends = [it.ended_at for it in details.timeline]
    return details.ended or max(ends, default=None)


def _errors_of(details: TaskDetails) -> list[Any]:
    """Return the errors of its attempts, or else why it ended otherwise than well."""
    attempts = [it for it in details.timeline if it.error]
    errors = [TaskError(exception_class_path=_raised_by(it), traceback=it.traceback or it.error) for it in attempts]
    if errors or _status_of(details.state) != TaskResultStatus.FAILED:
        return errors
    text = details.error or f"the task is {details.state}"
    path = _WITHOUT_TRACEBACK.get(details.state) or _named_in(text)
    return [TaskError(exception_class_path=path, traceback=text)]


def _raised_by(attempt: Attempt) -> str:
    """Return the path of the exception that ended an attempt: what stands below the last frame of its traceback."""
    lines = attempt.traceback.splitlines()
    frames = [at for at, line in enumerate(lines) if line.startswith(_FRAME)]
    below = next((line for line in lines[frames[-1] + 1 if frames else 0 :] if not line.startswith(" ")), "")
    found = _RAISED.match(below)
    return _named_in(attempt.error) if found is None else _path_of(found[0])


def _named_in(error: str) -> str:
    """Return the path of the exception of an error's first line, such as ``ValueError('no')``."""
    found = _CALLED.match(error)
    return "builtins.Exception" if found is None else _path_of(found[0])


def _path_of(name: str) -> str:
    return name if "." in name else f"builtins.{name}"


def _workers_of(details: TaskDetails, attempts: int) -> list[str]:
    """Return who ran each attempt; the one that ended it stands for those that are not remembered."""
    workers = [it.worker for it in details.timeline]
    if details.state == "running":
        workers.append(details.worker or "")
    missing = max(attempts - len(workers), 0)
    return [*[details.worker or ""] * missing, *workers]
