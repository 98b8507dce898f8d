"""Which queues there are on a server, and which class wrote each: for whoever has an address and no app.

A session writes its kind to the queue that it opens, and so would make a queue of a name that was mistyped, or change
the kind of an empty one. This only reads, before anything is opened.
"""

from __future__ import annotations

from typing import Final

from hueyio.exceptions import HueyException
from hueyio.named_tuple import NamedTuple
from hueyio.storage.redis.connection.arguments import read_deployment
from hueyio.storage.redis.connection.command import pack
from hueyio.storage.redis.connection.wire import Wire
from hueyio.storage.redis.examining import find_neighbours
from hueyio.storage.redis.family import PriorityRedisExpireStorage, PriorityRedisStorage, RedisExpireStorage
from hueyio.storage.redis.layout import Layout
from hueyio.storage.redis.storage import RedisStorage
from hueyio.storage.shared.lifetime import Lifetime

__all__ = ["QueueLook", "find_storage", "look_for_queue"]

_CLASSES: Final[dict[str, type[RedisStorage]]] = {
    it.__name__: it for it in (RedisStorage, PriorityRedisStorage, RedisExpireStorage, PriorityRedisExpireStorage)
}


class QueueLook(NamedTuple):
    """``kind`` is the class that wrote the queue, such as ``PriorityRedisStorage``; None: there is no such queue.

    ``others`` are looked for only then.
    """

    kind: str | None
    others: list[str]


async def look_for_queue(url: str, name: str) -> QueueLook:
    """Look for a queue of this name. Raises StorageUnavailable or ConfigurationError."""
    layout = Layout(name)
    deployment = read_deployment(
        layout.prefix, url=url, connection_pool=None, client=None, client_name=None, connection_params={}
    )
    lifetime = Lifetime(_nothing)
    wire = Wire(deployment, lifetime, deployment.options.timeout, _nothing)
    await lifetime.begin()
    try:
        for marker in ("OWN_KIND", "OTHER_KIND"):
            written: bytes | None = await wire.call(pack("GET", layout.key(marker)))
            if written is not None:
                return QueueLook(written.decode(errors="replace"), [])
        return QueueLook(None, await find_neighbours(wire, "kind:*"))
    finally:
        await lifetime.end()


async def find_storage(url: str, name: str) -> RedisStorage:
    """Return the storage of a queue, of the class that wrote it; raises HueyException if there is no such queue.

    One that a subclass of the user's own wrote is a ``RedisStorage``.
    """
    found = await look_for_queue(url, name)
    if found.kind is None:
        raise HueyException(
            f"there is no queue {name!r} on this server; there are: {', '.join(found.others) or 'none'}"
        )
    return _CLASSES.get(found.kind, RedisStorage)(name, url=url)


def _nothing() -> None:
    """Stand in for what only a session needs."""
