"""Django's task framework: ``django.tasks`` of Django 6, or the package ``django_tasks`` for the releases before it.

Both have the same names but for one, in modules of the same names. They are found here, and nowhere else.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

__all__ = [
    "FRAMEWORK",
    "BaseTaskBackend",
    "InvalidTask",
    "TaskContext",
    "TaskError",
    "TaskResult",
    "TaskResultDoesNotExist",
    "TaskResultStatus",
    "normalize_json",
    "task_backends",
    "task_enqueued",
    "task_finished",
    "task_started",
]

FRAMEWORK: Final = "django.tasks" if find_spec("django.tasks") is not None else "django_tasks"

_base: Final = import_module(f"{FRAMEWORK}.base")
_exceptions: Final = import_module(f"{FRAMEWORK}.exceptions")
_signals: Final = import_module(f"{FRAMEWORK}.signals")

BaseTaskBackend: Any = import_module(f"{FRAMEWORK}.backends.base").BaseTaskBackend
TaskContext: Any = _base.TaskContext
TaskError: Any = _base.TaskError
TaskResult: Any = _base.TaskResult
TaskResultStatus: Any = _base.TaskResultStatus
TaskResultDoesNotExist: Any = _exceptions.TaskResultDoesNotExist
InvalidTask: Any = getattr(_exceptions, "InvalidTask", None) or _exceptions.InvalidTaskError
normalize_json: Any = _base.normalize_json
task_backends: Any = import_module(FRAMEWORK).task_backends
task_enqueued: Any = _signals.task_enqueued
task_finished: Any = _signals.task_finished
task_started: Any = _signals.task_started
