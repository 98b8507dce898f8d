"""The four Hueys on Redis or Valkey."""

from hueyio.app import Huey
from hueyio.storage.redis import (
    PriorityRedisExpireStorage,
    PriorityRedisStorage,
    RedisExpireStorage,
    RedisStorage,
)

__all__ = ["PriorityRedisExpireHuey", "PriorityRedisHuey", "RedisExpireHuey", "RedisHuey"]


class RedisHuey(Huey):
    """Tasks in Redis or Valkey, shared by all machines that reach it; first come, first served, no priorities.

    ``url`` (``redis://``, ``rediss://``, ``unix://``), or a ``connection_pool``, or ``host``, ``port`` and what
    else redis-py's connections take.
    """

    storage_class = RedisStorage


class PriorityRedisHuey(RedisHuey):
    """``RedisHuey`` with priorities: any number, the highest first; first come, first served within one.

    Its queue and one of ``RedisHuey`` cannot have the same name: whichever comes second raises StorageError.
    """

    storage_class = PriorityRedisStorage


class RedisExpireHuey(RedisHuey):
    """``RedisHuey`` whose results stay for ``expire_time`` seconds (a day) and may be read any number of times."""

    storage_class = RedisExpireStorage


class PriorityRedisExpireHuey(RedisExpireHuey):
    """``PriorityRedisHuey`` and ``RedisExpireHuey`` in one."""

    storage_class = PriorityRedisExpireStorage
