"""Storage on Redis or Valkey."""

from hueyio.storage.redis.family import PriorityRedisExpireStorage, PriorityRedisStorage, RedisExpireStorage
from hueyio.storage.redis.storage import RedisStorage

__all__ = ["PriorityRedisExpireStorage", "PriorityRedisStorage", "RedisExpireStorage", "RedisStorage"]
