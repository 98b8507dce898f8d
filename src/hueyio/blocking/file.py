"""FileHuey, for a program without any ``async``."""

from __future__ import annotations

import os
from typing import Any, Unpack

from hueyio.app.presets import file
from hueyio.app.sync_huey import SyncHuey
from hueyio.blocking.huey import Huey
from hueyio.handles.options import shows_options

__all__ = ["FileHuey"]


class FileHuey(Huey):
    """Tasks in a folder, shared by all processes of one machine; see ``hueyio.FileHuey``."""

    __slots__ = ()

    @shows_options(file.FileHuey)
    def __init__(
        self,
        name: str = "huey",
        path: str | os.PathLike[str] = "huey",
        levels: int = 2,
        use_thread_lock: bool = False,
        *,
        storage_kwargs: dict[str, Any] | None = None,
        **options: Unpack[file.FileHueyOptions],
    ) -> None:
        made = file.FileHuey(name, path, levels, use_thread_lock, storage_kwargs=storage_kwargs, **options)
        SyncHuey.__init__(self, made)
