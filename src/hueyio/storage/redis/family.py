"""The other Redis storages: with priorities, with results that are kept for a time, and with both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Final

from hueyio.exceptions import ConfigurationError
from hueyio.storage.contract import Capabilities
from hueyio.storage.redis.layout import Flavour
from hueyio.storage.redis.storage import RedisStorage

__all__ = ["PriorityRedisExpireStorage", "PriorityRedisStorage", "RedisExpireStorage"]

_DAY: Final = 86400


class PriorityRedisStorage(RedisStorage):
    """Like ``RedisStorage``, but the highest priority comes first; first come, first served within one.

    Its ready queues are sorted sets. It and ``RedisStorage`` cannot share a name while there are tasks.
    """

    _flavour: ClassVar[Flavour] = Flavour(queue="sorted")


class RedisExpireStorage(RedisStorage):
    """Like ``RedisStorage``, but a result is kept for a time and may be read any number of times.

    ===============  ===============================================
    ``expire_time``  seconds for which a result is kept, read or not
    ===============  ===============================================
    """

    _flavour: ClassVar[Flavour] = Flavour(results="kept")

    def __init__(self, name: str = "huey", expire_time: float = _DAY, **options: Any) -> None:
        if isinstance(expire_time, bool) or not isinstance(expire_time, (int, float)) or not expire_time > 0:
            raise ConfigurationError(f"expire_time must be seconds > 0, not {expire_time!r}")
        super().__init__(name, **options)
        self.expire_time = float(expire_time)

    @property
    def capabilities(self) -> Capabilities:
        """Those of the queue, and results that stay."""
        return replace(super().capabilities, result_ttl=self.expire_time)


class PriorityRedisExpireStorage(RedisExpireStorage):
    """``PriorityRedisStorage`` and ``RedisExpireStorage`` in one."""

    _flavour: ClassVar[Flavour] = Flavour(queue="sorted", results="kept")
