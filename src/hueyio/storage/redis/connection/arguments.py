"""What the user says of where the server is, in any of four ways, becomes a deployment.

Pools and clients that the user gives are only asked for their settings, because their connections belong to a loop
and must not block.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlunsplit

from hueyio.exceptions import ConfigurationError
from hueyio.storage.redis.connection.deployment import Address, Cluster, Deployment, Sentinels, Standalone
from hueyio.storage.redis.connection.inside_redis_py import read_given
from hueyio.storage.redis.connection.options import RedisOptions
from hueyio.storage.redis.connection.url import read_port, read_settings, split_url, unusable

__all__ = ["read_deployment"]

_SENTINEL_PORT: Final = 26379
_REDIS_PORT: Final = 6379
_OF_A_CONNECTION: Final = (
    "host", "port", "path", "db", "username", "password", "credential_provider", "client_name", "driver_info",
    "connection_class", "ssl", "socket_",
)  # fmt: skip
"""How the names begin of what is taken from a pool or a client; the rest is how they manage connections."""
_GONE: Final = frozenset({"notify_result", "notify_result_ttl", "clean_name"})
"""Settings of Huey's storage that have nothing to decide any more."""
_SENTINEL_LOGIN: Final = {"sentinel_username": "username", "sentinel_password": "password"}


def read_deployment(
    key: bytes,
    *,
    url: str | None,
    connection_pool: Any,
    client: Any,
    client_name: str | None,
    connection_params: Mapping[str, Any],
) -> Deployment:
    """Take one of the ways to say where the server is; what is None was not given.

    ``key`` is any key of the queue: a cluster keeps it where its slot is. Raises ConfigurationError.
    """
    params = {key: value for key, value in connection_params.items() if value is not None}
    if gone := sorted(_GONE & params.keys()):
        raise ConfigurationError(f"no {gone[0]} here: waits are always notified, and names are kept as they are")
    if url is not None and not isinstance(url, str):
        raise ConfigurationError(f"url must be a text such as redis://localhost:6379/0, not {type(url).__name__}")
    ways = (
        ("url", url),
        ("connection_pool", connection_pool),
        ("client", client),
        ("connection params", params or None),
    )
    given = [name for name, value in ways if value is not None]
    if len(given) > 1:
        raise ConfigurationError(f"give only one of url, connection_pool, client and connection params, not {given}")
    extra = {} if client_name is None else {"client_name": client_name}
    if url is not None:
        return _read_url(url, key, extra)
    given_object = client if client is not None else connection_pool
    if given_object is not None:
        return _read_object(given_object, key, extra)
    return Standalone(RedisOptions.from_settings({**params, **extra}))


def _read_url(url: str, key: bytes, extra: Mapping[str, Any]) -> Deployment:
    parts = split_url(url)
    transport, _, kind = parts.scheme.partition("+")
    if not kind:
        return Standalone(RedisOptions.from_settings({**read_settings(url), **extra}))
    if transport not in ("redis", "rediss") or kind not in ("sentinel", "cluster"):
        raise unusable(
            "unknown scheme; there are redis://, rediss://, unix://, and redis+sentinel:// and redis+cluster://, "
            "or rediss+... with TLS"
        )
    addresses, settings = _read_hosts(parts, transport, _SENTINEL_PORT if kind == "sentinel" else _REDIS_PORT)
    settings |= extra
    if kind == "sentinel":
        return _make_sentinels(parts, addresses, settings)
    return _make_cluster(addresses, settings, key)


def _read_hosts(parts: SplitResult, transport: str, port: int) -> tuple[list[Address], dict[str, Any]]:
    """Read a url with several hosts; return them, and the settings that they share."""
    login, at, hosts = parts.netloc.rpartition("@")
    addresses = []
    for host in hosts.split(","):
        one = split_url(f"redis://{host}")
        if not one.hostname:
            raise unusable("a host is missing")
        addresses.append(Address(one.hostname, read_port(one) or port))
    *_, database = ("", *parts.path.strip("/").split("/"))
    path = f"/{database}" if database.isdigit() else ""
    settings = dict(read_settings(urlunsplit((transport, f"{login}{at}host", path, parts.query, ""))))
    del settings["host"]
    return addresses, settings


def _make_cluster(addresses: list[Address], settings: dict[str, Any], key: bytes) -> Cluster:
    options = RedisOptions.from_settings(settings)
    return Cluster(options, [options.at(*address) for address in addresses], key)


def _make_sentinels(parts: SplitResult, addresses: list[Address], settings: dict[str, Any]) -> Sentinels:
    master = unquote(parts.path.strip("/").split("/")[0])
    if not master:
        raise unusable("the name of the master is missing: redis+sentinel://host1,host2/name/0")
    login = {ours: settings.pop(theirs) for theirs, ours in _SENTINEL_LOGIN.items() if theirs in settings}
    return _sentinels(master, addresses, settings, login)


def _sentinels(
    master: str, addresses: list[Address], settings: Mapping[str, Any], sentinel_settings: Mapping[str, Any]
) -> Sentinels:
    """Sentinels share how they are reached with the master, but neither login nor database."""
    options = RedisOptions.from_settings(settings)
    shared = {name: value for name, value in settings.items() if name.startswith(("ssl", "socket_"))}
    shared["connection_class"] = settings.get("connection_class")
    sentinel = RedisOptions.from_settings({**shared, **sentinel_settings})
    return Sentinels(options, tuple([sentinel.at(*address) for address in addresses]), master)


def _read_object(given: Any, key: bytes, extra: Mapping[str, Any]) -> Deployment:
    """Read a pool, or a client for asyncio or for threads."""
    if hasattr(given, "discover_master"):
        raise ConfigurationError("a Sentinel serves several masters: give sentinel.master_for('its name') as client")
    found = read_given(given)
    if found is None:
        # Its repr may have a password.
        raise ConfigurationError(f"neither a connection pool nor a client of redis-py, but {type(given).__name__}")
    settings = {**_settings_of(found.settings), **extra}
    if found.nodes:
        shared = {name: value for name, value in settings.items() if name not in ("host", "port")}
        return _make_cluster([Address(*it) for it in found.nodes], shared, key)
    if not found.sentinels:
        return Standalone(RedisOptions.from_settings(settings))
    if not found.is_master:
        raise ConfigurationError(f"a queue lives on a master, not on replicas: use master_for({found.master!r})")
    sentinels = [_settings_of(it) for it in found.sentinels]
    addresses = [Address(it["host"], int(it.get("port") or _SENTINEL_PORT)) for it in sentinels]
    login = {name: sentinels[0].get(name) for name in ("username", "password", "credential_provider")}
    return _sentinels(found.master, addresses, settings, login)


def _settings_of(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kwargs.items() if name.startswith(_OF_A_CONNECTION)}
