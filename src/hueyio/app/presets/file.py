"""FileHuey."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Unpack

from hueyio.app.huey import Huey
from hueyio.app.options import HueyOptions
from hueyio.handles.options import check_names, merged, shows_options
from hueyio.storage.file import FileStorage

__all__ = ["FileHuey"]


class FileHueyOptions(HueyOptions, total=False):
    """What ``FileHuey`` takes beside its own; see ``FileStorage``."""

    fsync: bool
    timeout: float
    journal_mb: float
    dead_limit: int
    keep_ended: int
    keep_failed: int
    failed_bytes: int
    failed_ttl: float
    keep_history: int
    history_ttl: float
    clock: Callable[[], float]
    mode: int


class FileHuey(Huey):
    """Tasks in a folder, shared by all processes of one machine; see ``FileStorage``.

    Priorities are whole numbers from 0 to 65535, as in Huey; others raise ValueError where the task is enqueued.
    ``SqliteHuey`` does the same, faster, and with any priority.

    Example::

        huey = FileHuey("app", path="queue-of-app")
    """

    storage_class = FileStorage

    @shows_options(Huey, FileStorage, names=FileHueyOptions.__annotations__)
    def __init__(
        self,
        name: str = "huey",
        path: str | os.PathLike[str] = "huey",
        levels: int = 2,
        use_thread_lock: bool = False,
        *,
        storage_kwargs: dict[str, Any] | None = None,
        **options: Unpack[FileHueyOptions],
    ) -> None:
        check_names(type(self).__name__, options, FileHueyOptions.__annotations__)
        given: dict[str, Any] = {"path": path, "levels": levels, "use_thread_lock": use_thread_lock}
        super().__init__(name, **merged({**given, **options}, storage_kwargs))
