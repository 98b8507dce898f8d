"""BlackHoleHuey, for a program without any ``async``."""

from __future__ import annotations

from typing import Any

from hueyio.app.presets import blackhole
from hueyio.app.sync_huey import SyncHuey
from hueyio.blocking.huey import Huey
from hueyio.handles.options import shows_options

__all__ = ["BlackHoleHuey"]


class BlackHoleHuey(Huey):
    """Keeps nothing; see ``hueyio.BlackHoleHuey``."""

    __slots__ = ()

    @shows_options(blackhole.BlackHoleHuey)
    def __init__(self, name: str = "huey", **options: Any) -> None:
        SyncHuey.__init__(self, blackhole.BlackHoleHuey(name, **options))
