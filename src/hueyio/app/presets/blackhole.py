"""BlackHoleHuey."""

from __future__ import annotations

from typing import Any

from hueyio.app.huey import Huey
from hueyio.app.options import HueyOptions
from hueyio.handles.options import shows_options
from hueyio.storage.blackhole import BlackHoleStorage

__all__ = ["BlackHoleHuey"]


class BlackHoleHuey(Huey):
    """Keeps nothing: tasks are checked and dropped, and no result ever comes; awaiting one raises HueyException.

    For switching the queue off without touching the code that uses it, whatever options that gives. A consumer can be
    started, and has nothing to do. In immediate mode tasks run, as in that of any Huey.

    Example::

        huey = BlackHoleHuey("app")
    """

    storage_class = BlackHoleStorage

    @shows_options(Huey, names=HueyOptions.__annotations__)
    def __init__(self, name: str = "huey", **options: Any) -> None:
        super().__init__(name, **options)
