"""The heartbeat of one owner: synchronous, on a connection of its own, for a thread of its own."""

from __future__ import annotations

from hueyio.storage.redis.errors import translate
from hueyio.storage.redis.layout import Layout
from hueyio.storage.redis.options import RedisOptions
from hueyio.storage.redis.scripts import read_script

__all__ = ["RedisLeaseKeeper"]


class RedisLeaseKeeper:
    """Beats; time-outs are short and nothing is repeated, because the next beat is due soon."""

    def __init__(self, options: RedisOptions, layout: Layout, owner: str) -> None:
        self._options = options
        self._client = options.make_blocking_client()
        self._owner = owner
        script = read_script("beat", layout.flavour)
        self._source = script.source.decode()
        self._keys = tuple([layout.key(key) for key in script.keys])

    def beat(self) -> bool:
        """Raise the owner's counter; False if the owner was given up."""
        try:
            return bool(self._client.eval(self._source, len(self._keys), *self._keys, self._owner) == 1)
        except Exception as error:
            raise translate(error, str(self._options)) from error

    def close(self) -> None:
        """Close the connection."""
        self._client.connection_pool.disconnect()
