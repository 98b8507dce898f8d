"""The tasks of Django's framework that this process knows, by their paths.

Each is declared on every queue of ``HUEYIO``: with which queue or backend it is called is said by the call, perhaps in
another process than the one that runs it. Backends are made anew for each thread, so that none of them can keep this.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any, Final

from hueyio.app import Huey
from hueyio.contrib.django.bodies import FUNCTION, make_body
from hueyio.contrib.django.calls import Call, read_call
from hueyio.contrib.django.framework import TaskResultDoesNotExist
from hueyio.contrib.django.queues import all_hueys
from hueyio.core import core_of
from hueyio.tasks.declared import TaskOptions, TaskSpec

__all__ = ["declare", "task_of"]


def declare(task: Any, sender: type[Any]) -> None:
    """Let workers know a task; once, however many calls there are."""
    path = task.module_path
    _known[path] = task
    for huey in all_hueys().values():
        _declare_on(huey, path, task, sender)


def task_of(path: str, call: Call) -> Any:
    """Return the task of a path, as it was called; raises TaskResultDoesNotExist if the code has none."""
    if path not in _known:
        module = path.rpartition(".")[0]
        try:
            import_module(module)
        except ImportError as error:
            raise TaskResultDoesNotExist(f"there is no module {module!r} any more: {error}") from error
    if path not in _known:
        raise TaskResultDoesNotExist(f"there is no task {path!r}")
    return replace(_known[path], **call.changes())  # `using` would not take a run_after away


def _declare_on(huey: Huey, path: str, task: Any, sender: type[Any]) -> None:
    registry = core_of(huey).registry
    known = registry.get(path)
    ours = None if known is None else getattr(known.func, FUNCTION, None)
    if ours == (task.func, task.takes_context):
        return
    if ours is not None:
        registry.unregister(path)  # its module was imported anew
    body = make_body(task, sender, lambda header: task_of(path, read_call(header)), lambda: huey.immediate)
    registry.register(TaskSpec(path, body, TaskOptions(), task.func.__qualname__))


_known: Final[dict[str, Any]] = {}
