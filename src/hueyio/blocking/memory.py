"""MemoryHuey, for a program without any ``async``."""

from __future__ import annotations

from typing import Unpack

from hueyio.app.presets import memory
from hueyio.app.sync_huey import SyncHuey
from hueyio.blocking.huey import Huey
from hueyio.handles.options import shows_options

__all__ = ["MemoryHuey"]


class MemoryHuey(Huey):
    """Tasks in the memory of this process; see ``hueyio.MemoryHuey``."""

    __slots__ = ()

    @shows_options(memory.MemoryHuey)
    def __init__(self, name: str = "huey", **options: Unpack[memory.MemoryHueyOptions]) -> None:
        SyncHuey.__init__(self, memory.MemoryHuey(name, **options))
