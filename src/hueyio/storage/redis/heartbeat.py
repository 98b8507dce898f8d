"""The heartbeat of one owner: synchronous, on a connection of its own, for a thread of its own."""

from __future__ import annotations

import redis

from hueyio.storage.beat_recipe import RedisBeat
from hueyio.storage.redis.connection.connecting import connect_blocking, find_blocking
from hueyio.storage.redis.connection.deployment import Address, Deployment
from hueyio.storage.redis.connection.errors import translate
from hueyio.storage.redis.connection.options import HEARTBEAT_TIMEOUT
from hueyio.storage.redis.layout import Layout
from hueyio.storage.redis.scripts import read_script

__all__ = ["RedisLeaseKeeper"]


class RedisLeaseKeeper:
    """Beats; time-outs are short and nothing is repeated, because the next beat is due soon.

    After any failure, and when a new master was announced, the server is looked for again.
    """

    def __init__(self, deployment: Deployment, layout: Layout, owner: str) -> None:
        self._deployment = deployment
        self._client: redis.Redis | None = None
        self._announced: Address | None = None
        """What had been announced when the connection was made."""
        self._owner = owner
        script = read_script("beat", layout.flavour)
        self._source = script.source.decode()
        self._keys = tuple([layout.key(key) for key in script.keys])

    def beat(self) -> bool:
        """Raise the owner's counter; False if the owner was given up."""
        try:
            if self._deployment.announced != self._announced:
                self.close()
            if self._client is None:
                self._announced = self._deployment.announced
                self._client = connect_blocking(self._deployment)
            return bool(self._client.eval(self._source, len(self._keys), *self._keys, self._owner) == 1)
        except Exception as error:
            self.close()
            raise translate(error, str(self._deployment)) from error

    def to_recipe(self) -> RedisBeat | None:
        """Say what a beat is on the server that is the right one now; None if more than a password is needed there."""
        self._announced = self._deployment.announced
        try:
            server = find_blocking(self._deployment)
        except Exception as error:
            raise translate(error, str(self._deployment)) from error
        address = server.to_plain_address()
        if address is None:
            return None
        return RedisBeat(
            host=address.host,
            port=address.port,
            path=address.path,
            login=address.login,
            client_name=address.client_name,
            db=server.db,
            timeout=min(server.timeout, HEARTBEAT_TIMEOUT),
            script=self._source,
            keys=tuple([key.decode() for key in self._keys]),
            argument=self._owner,
        )

    def has_moved(self) -> bool:
        """Say whether a new master was announced since."""
        return self._deployment.announced != self._announced

    def close(self) -> None:
        """Close the connection."""
        client, self._client = self._client, None
        if client is not None:
            client.connection_pool.disconnect()
