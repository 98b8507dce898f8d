"""FileHuey."""

from __future__ import annotations

import os
from typing import Any, Unpack

from hueyio.app import Huey, HueyOptions
from hueyio.storage.file import FileStorage
from hueyio.storage.records import Entry
from hueyio.tasks.task import Task

__all__ = ["FileHuey"]


class FileHuey(Huey):
    """Tasks in a folder, shared by all processes of one machine; see ``FileStorage``.

    Priorities are whole numbers from 0 to 65535, as in Huey; others raise ValueError where the task is enqueued.
    ``SqliteHuey`` does the same, faster, and with any priority.
    """

    storage_class = FileStorage

    def __init__(
        self,
        name: str = "huey",
        path: str | os.PathLike[str] = "huey",
        levels: int = 2,
        use_thread_lock: bool = False,
        *,
        storage_kwargs: dict[str, Any] | None = None,
        **options: Unpack[HueyOptions],
    ) -> None:
        super().__init__(
            name,
            **options,
            path=path,
            levels=levels,
            use_thread_lock=use_thread_lock,
            **(storage_kwargs or {}),
        )

    def prepare(self, task: Task) -> Entry:
        """Check the priority, and do what every Huey does."""
        if isinstance(task, Task):
            for stage in task.stages():
                if stage.priority is not None:
                    stage.priority = _file_priority(stage)
        return super().prepare(task)


def _file_priority(task: Task) -> float:
    if not 0 <= (task.priority or 0) < 2**16:
        raise ValueError(f"task {task.name}: FileHuey takes priorities from 0 to 65535, not {task.priority!r}")
    return int(task.priority or 0)
