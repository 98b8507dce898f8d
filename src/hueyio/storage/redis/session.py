"""A session on Redis: its roles put together."""

from __future__ import annotations

from hueyio.storage.redis.consuming import RedisConsuming
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.dead import RedisDead
from hueyio.storage.redis.keys import RedisKeys, RedisLimits
from hueyio.storage.redis.looking import RedisLooking, RedisWaiting
from hueyio.storage.redis.producing import RedisProducing
from hueyio.storage.redis.wire import pack

__all__ = ["RedisSession"]


class RedisSession(RedisProducing, RedisConsuming, RedisWaiting, RedisKeys, RedisLimits, RedisDead, RedisLooking):
    """All roles, bound to the loop that was running when it was opened."""

    def __init__(self, core: RedisCore) -> None:
        RedisProducing.__init__(self, core)
        RedisKeys.__init__(self, core)

    @classmethod
    async def open(cls, core: RedisCore) -> RedisSession:
        """Connect; raises StorageUnavailable or ConfigurationError."""
        await core.lifetime.begin()
        try:
            await core.wire.call(pack("PING"))  # an old server finds out only now that it wants a password
        except BaseException:
            await core.lifetime.end()
            raise
        return cls(core)

    async def close(self) -> None:
        """Finish what is being written, wake every wait with SessionClosed, and let go of all connections."""
        await self._core.close()
