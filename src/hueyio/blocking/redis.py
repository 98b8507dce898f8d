"""The four Hueys on Redis or Valkey, for a program without any ``async``."""

from __future__ import annotations

from typing import ClassVar, Unpack

from hueyio.app.presets import redis
from hueyio.app.sync_huey import SyncHuey
from hueyio.blocking.huey import Huey
from hueyio.handles.options import shows_options

__all__ = ["PriorityRedisExpireHuey", "PriorityRedisHuey", "RedisExpireHuey", "RedisHuey"]


class RedisHuey(Huey):
    """Tasks in Redis or Valkey; see ``hueyio.RedisHuey``."""

    __slots__ = ()

    _made_as: ClassVar[type[redis.RedisHuey]] = redis.RedisHuey

    @shows_options(redis.RedisHuey)
    def __init__(self, name: str = "huey", **options: Unpack[redis.RedisHueyOptions]) -> None:
        SyncHuey.__init__(self, self._made_as(name, **options))


class PriorityRedisHuey(RedisHuey):
    """``RedisHuey`` with priorities; see ``hueyio.PriorityRedisHuey``."""

    __slots__ = ()

    _made_as = redis.PriorityRedisHuey


class RedisExpireHuey(RedisHuey):
    """``RedisHuey`` whose results stay for a time; see ``hueyio.RedisExpireHuey``."""

    __slots__ = ()

    _expires_as: ClassVar[type[redis.RedisExpireHuey]] = redis.RedisExpireHuey

    @shows_options(redis.RedisExpireHuey)
    def __init__(self, name: str = "huey", **options: Unpack[redis.RedisExpireHueyOptions]) -> None:
        SyncHuey.__init__(self, self._expires_as(name, **options))


class PriorityRedisExpireHuey(RedisExpireHuey):
    """``PriorityRedisHuey`` and ``RedisExpireHuey`` in one; see ``hueyio.PriorityRedisExpireHuey``."""

    __slots__ = ()

    _expires_as = redis.PriorityRedisExpireHuey
