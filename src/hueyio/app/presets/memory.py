"""MemoryHuey."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

from hueyio.app.huey import Huey
from hueyio.app.options import HueyOptions
from hueyio.handles.options import check_names, shows_options
from hueyio.storage.memory import MemoryStorage

__all__ = ["MemoryHuey"]


class MemoryHueyOptions(HueyOptions, total=False):
    """What ``MemoryHuey`` takes; see ``MemoryStorage``."""

    dead_limit: int
    keep_ended: int
    keep_failed: int
    failed_bytes: int
    failed_ttl: float
    keep_history: int
    history_ttl: float
    clock: Callable[[], float]
    storage_class: type[Any] | None


class MemoryHuey(Huey):
    """Tasks in the memory of this process: for tests, and for an embedded consumer that may lose them.

    Example::

        huey = MemoryHuey("app")

        @huey.task
        async def double(number: int) -> int:
            return 2 * number

        async with huey.create_consumer():
            print(await (await double(4)))  # 8
    """

    storage_class = MemoryStorage

    @shows_options(Huey, MemoryStorage, names=MemoryHueyOptions.__annotations__)
    def __init__(self, name: str = "huey", **options: Unpack[MemoryHueyOptions]) -> None:
        check_names(type(self).__name__, options, MemoryHueyOptions.__annotations__)
        super().__init__(name, **options)
