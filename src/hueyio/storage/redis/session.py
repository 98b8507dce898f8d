"""A session on Redis: its roles put together."""

from __future__ import annotations

from typing import Final

from hueyio.exceptions import ConfigurationError
from hueyio.storage.redis.consuming import RedisConsuming
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.dead import RedisDead
from hueyio.storage.redis.keys import RedisKeys
from hueyio.storage.redis.limits import RedisLimits
from hueyio.storage.redis.looking import RedisLooking, RedisWaiting
from hueyio.storage.redis.producing import RedisProducing

__all__ = ["RedisSession"]

_OLDEST: Final = "6.2"
"""The first that knows LPOP with a count, SMISMEMBER and ZMSCORE."""


class RedisSession(RedisProducing, RedisConsuming, RedisWaiting, RedisKeys, RedisLimits, RedisDead, RedisLooking):
    """All roles, bound to the loop that was running when it was opened."""

    def __init__(self, core: RedisCore) -> None:
        RedisProducing.__init__(self, core)
        RedisKeys.__init__(self, core)

    @classmethod
    async def open(cls, core: RedisCore, writer: str) -> RedisSession:
        """Connect for a storage of the class ``writer``.

        Raises StorageUnavailable, ConfigurationError, or StorageError where another kind of storage has tasks under
        this name.
        """
        await core.lifetime.begin()
        try:
            version = await core.through_outage(lambda: core.run("open", (writer,)), is_idempotent=True)
            if version is not None:
                raise ConfigurationError(
                    f"{core.deployment} is version {version.decode()} and lacks commands: "
                    f"hueyio needs Redis {_OLDEST} or later, or Valkey"
                )
            core.listen_for_successors()
        except BaseException:
            await core.lifetime.end()
            raise
        return cls(core)

    async def close(self) -> None:
        """Finish what is being written, wake every wait with SessionClosed, and let go of all connections."""
        await self._core.close()
