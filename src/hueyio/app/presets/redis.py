"""The four Hueys on Redis or Valkey."""

from __future__ import annotations

from typing import Any, Unpack

from hueyio.app.huey import Huey
from hueyio.app.options import HueyOptions
from hueyio.handles.options import check_names, merged, shows_options
from hueyio.storage.redis import (
    PriorityRedisExpireStorage,
    PriorityRedisStorage,
    RedisExpireStorage,
    RedisStorage,
)

__all__ = ["PriorityRedisExpireHuey", "PriorityRedisHuey", "RedisExpireHuey", "RedisHuey"]


class RedisHueyOptions(HueyOptions, total=False):
    """What ``RedisHuey`` takes; see ``RedisStorage``. The last ones are those of redis-py's connections."""

    url: str | None
    host: str | None
    port: int | None
    db: int | None
    username: str | None
    password: str | None
    connection_pool: Any
    client: Any
    client_name: str | None
    blocking: bool
    read_timeout: float
    dead_limit: int
    keep_ended: int
    keep_failed: int
    failed_bytes: int
    failed_ttl: float
    keep_history: int
    history_ttl: float
    outage_timeout: float
    storage_kwargs: dict[str, Any] | None
    unix_socket_path: str | None
    path: str | None
    credential_provider: Any
    driver_info: Any
    socket_timeout: float | None
    socket_connect_timeout: float | None
    socket_keepalive: bool | None
    socket_keepalive_options: Any
    socket_read_size: int
    socket_type: int
    ssl: bool
    ssl_keyfile: str | None
    ssl_certfile: str | None
    ssl_cert_reqs: Any
    ssl_include_verify_flags: Any
    ssl_exclude_verify_flags: Any
    ssl_ca_certs: str | None
    ssl_ca_data: str | None
    ssl_ca_path: str | None
    ssl_check_hostname: bool
    ssl_min_version: Any
    ssl_ciphers: str | None
    ssl_password: str | None


class RedisExpireHueyOptions(RedisHueyOptions, total=False):
    """What ``RedisExpireHuey`` takes."""

    expire_time: float


class RedisHuey(Huey):
    """Tasks in Redis or Valkey, shared by all machines that reach it; first come, first served, no priorities.

    ``url`` (``redis://``, ``rediss://``, ``unix://``), or a ``connection_pool``, or ``host``, ``port`` and what
    else redis-py's connections take; what is not listed may be in ``storage_kwargs``.

    Example::

        huey = RedisHuey("app", url="redis://localhost:6379/0")
    """

    storage_class = RedisStorage

    @shows_options(Huey, RedisStorage, RedisHueyOptions, names=RedisHueyOptions.__annotations__)
    def __init__(self, name: str = "huey", **options: Unpack[RedisHueyOptions]) -> None:
        _make(self, name, {**options}, RedisHueyOptions.__annotations__)


class PriorityRedisHuey(RedisHuey):
    """``RedisHuey`` with priorities: any number, the highest first; first come, first served within one.

    Its queue and one of ``RedisHuey`` cannot have the same name: whichever comes second raises StorageError.

    Example::

        huey = PriorityRedisHuey("app", url="redis://localhost:6379/0")

        @huey.task(priority=10)
        async def urgent() -> None: ...
    """

    storage_class = PriorityRedisStorage


class RedisExpireHuey(RedisHuey):
    """``RedisHuey`` whose results stay for ``expire_time`` seconds (a day) and may be read any number of times.

    Example::

        huey = RedisExpireHuey("app", url="redis://localhost:6379/0", expire_time=3600)
    """

    storage_class = RedisExpireStorage

    @shows_options(
        Huey, RedisStorage, RedisExpireStorage, RedisExpireHueyOptions, names=RedisExpireHueyOptions.__annotations__
    )
    def __init__(self, name: str = "huey", **options: Unpack[RedisExpireHueyOptions]) -> None:
        _make(self, name, {**options}, RedisExpireHueyOptions.__annotations__)


class PriorityRedisExpireHuey(RedisExpireHuey):
    """``PriorityRedisHuey`` and ``RedisExpireHuey`` in one."""

    storage_class = PriorityRedisExpireStorage


def _make(huey: RedisHuey, name: str, options: dict[str, Any], known: dict[str, Any]) -> None:
    check_names(type(huey).__name__, options, known)
    storage_kwargs = options.pop("storage_kwargs", None)
    Huey.__init__(huey, name, **merged(options, storage_kwargs))
