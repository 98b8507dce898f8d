"""Storage on a Redis or Valkey server."""

from hueyio.storage.redis.storage import RedisStorage

__all__ = ["RedisStorage"]
