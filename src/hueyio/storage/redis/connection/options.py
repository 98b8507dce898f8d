"""How to reach a server: settings, checked once, and the connections that are made from them.

Connections are redis-py's own objects, because they know TLS, sockets, users and credential providers. redis-py
repeats commands by itself and bounds every read; both is switched off here: a repeated claim strands tasks, and the
waits have bounds of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final, Literal, TypeAlias, cast

import redis
from redis import asyncio as redis_asyncio
from redis.asyncio import retry as redis_asyncio_retry
from redis.backoff import NoBackoff
from redis.retry import Retry

from hueyio.exceptions import ConfigurationError
from hueyio.named_tuple import NamedTuple
from hueyio.storage.redis.connection.inside_redis_py import PRIVATE_SETTINGS, Connection

__all__ = ["HEARTBEAT_TIMEOUT", "PlainAddress", "RedisOptions", "Transport"]

Transport: TypeAlias = Literal["tcp", "tls", "unix"]

_DEFAULT_TIMEOUT: Final = 5.0

HEARTBEAT_TIMEOUT: Final = 2.0
"""Seconds: a heartbeat that takes longer is a missed one; the next is due soon."""

_OURS: Final = PRIVATE_SETTINGS | {
    "connection_class", "max_connections", "socket_timeout", "socket_connect_timeout", "retry", "retry_on_timeout",
    "retry_on_error", "health_check_interval", "decode_responses", "encoding", "encoding_errors", "encoder_class",
    "parser_class", "protocol", "ssl", "timeout", "single_connection_client", "cache_config", "from_url",
    "queue_class", "unix_socket_path",
}  # fmt: skip
"""Settings that are decided here, or that are of a pool and not of a connection."""

_NUMBERS: Final = {"db": 2**31 - 1, "port": 2**16 - 1}
"""The largest values of settings that are whole numbers."""

_CLASSES: Final[dict[Transport, type[Connection]]] = {
    "tcp": redis_asyncio.Connection,
    "tls": redis_asyncio.SSLConnection,
    "unix": redis_asyncio.UnixDomainSocketConnection,
}
_BLOCKING_CLASSES: Final[dict[Transport, type[redis.Connection]]] = {
    "tcp": redis.Connection,
    "tls": redis.SSLConnection,
    "unix": cast("type[redis.Connection]", redis.UnixDomainSocketConnection),
}


_PLAIN: Final = frozenset(
    {
        "host", "port", "path", "db", "username", "password", "client_name", "driver_info", "lib_name", "lib_version",
        "socket_keepalive", "socket_keepalive_options", "socket_type", "socket_read_size",
    }
)  # fmt: skip
"""Settings with which ``PlainAddress`` says all that is needed to talk to the server."""


class PlainAddress(NamedTuple):
    """A server that can be reached with nothing but the standard library's sockets."""

    host: str
    port: int
    path: str
    """The Unix socket; empty: it is reached by TCP."""
    login: tuple[str, ...]
    client_name: str

    def __repr__(self) -> str:
        return f"<PlainAddress: {self.path or f'{self.host}:{self.port}'}>"  # the login is nobody's business


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisOptions:
    """Where a server is and how to talk to it."""

    transport: Transport
    settings: Mapping[str, Any] = field(repr=False)
    """What every connection is made with; a password may be among them."""
    timeout: float
    """How long a reply may take."""
    connect_timeout: float

    @classmethod
    def from_settings(cls, given: Mapping[str, Any]) -> RedisOptions:
        """Take what a connection of redis-py takes; raises ConfigurationError for what is unusable."""
        params = dict(given)
        transport = _read_transport(params)
        if params.get("unix_socket_path") is not None:
            params["path"] = params["unix_socket_path"]
        timeout = _read_seconds(params, "socket_timeout") or _DEFAULT_TIMEOUT
        connect_timeout = _read_seconds(params, "socket_connect_timeout") or timeout
        settings = {key: value for key, value in params.items() if key not in _OURS and value is not None}
        if params.keys().isdisjoint({"driver_info", "lib_name", "lib_version"}):
            settings["driver_info"] = _say_who_connects()
        elif params.get("driver_info", ...) is None:
            settings["driver_info"] = None  # nobody is to be told
        options = cls(transport=transport, settings=settings, timeout=timeout, connect_timeout=connect_timeout)
        options._check()
        return options

    def at(self, host: str, port: int) -> RedisOptions:
        """Return the same for another server."""
        return replace(self, settings={**self.settings, "host": host, "port": port})

    @property
    def address(self) -> str:
        """Say where the server is, without a password."""
        if self.transport == "unix":
            return f"{self.settings.get('path', '')}"
        return f"{self.settings.get('host', 'localhost')}:{self.settings.get('port', 6379)}"

    @property
    def db(self) -> int:
        """The number of the database."""
        return int(self.settings.get("db") or 0)

    def __str__(self) -> str:
        return f"Redis at {self.address}/{self.db}"

    def __hash__(self) -> int:
        return hash((self.transport, self.address))  # settings may hold anything

    def make_connection(self) -> Connection:
        """Make a connection for asyncio, not connected yet. It repeats nothing and bounds no read."""
        return _CLASSES[self.transport](
            **self.settings,
            socket_timeout=None,
            socket_connect_timeout=self.connect_timeout,
            retry=redis_asyncio_retry.Retry(NoBackoff(), 0),
            health_check_interval=0,
            protocol=2,
        )

    def make_blocking_client(self) -> redis.Redis:
        """Make a synchronous client with one connection and short time-outs, for a heartbeat."""
        pool = redis.ConnectionPool(
            connection_class=_BLOCKING_CLASSES[self.transport],
            **self.settings,
            socket_timeout=min(self.timeout, HEARTBEAT_TIMEOUT),
            socket_connect_timeout=min(self.connect_timeout, HEARTBEAT_TIMEOUT),
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
            protocol=2,
        )
        return redis.Redis(connection_pool=pool)

    def to_plain_address(self) -> PlainAddress | None:
        """Say how to reach the server without redis-py; None with TLS, and with settings of any other kind."""
        settings = self.settings
        username, password = settings.get("username"), settings.get("password")
        texts = [it for it in (username, password, settings.get("client_name")) if it is not None]
        if self.transport == "tls" or not settings.keys() <= _PLAIN or not all(isinstance(it, str) for it in texts):
            return None
        login = (username, password or "") if username else (password,) if password else ()
        return PlainAddress(
            host=str(settings.get("host", "localhost")),
            port=int(settings.get("port", 6379)),
            path=str(settings["path"]) if self.transport == "unix" else "",
            login=login,
            client_name=settings.get("client_name") or "",
        )

    def _check(self) -> None:
        """Find wrong settings where they are given, not at the first use."""
        for name, most in _NUMBERS.items():
            _check_number(name, self.settings.get(name), most)
        if any(letter.isspace() for letter in str(self.settings.get("client_name", ""))):
            raise ConfigurationError(f"client_name must have no spaces, not {self.settings['client_name']!r}")
        if self.transport == "unix" and not self.settings.keys().isdisjoint({"host", "port"}):
            raise ConfigurationError("give a unix socket, or host and port, not both")
        try:
            self.make_connection()
        except (TypeError, ValueError, redis.RedisError) as error:
            raise ConfigurationError(f"unusable Redis settings: {error}") from None


@cache
def _say_who_connects() -> redis.DriverInfo:
    """Return what a server is told of its client. redis-py would read its own version from disk for each connection."""
    return redis.DriverInfo()


def _check_number(name: str, value: Any, most: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not str(value).isdecimal() or int(value) > most:
        raise ConfigurationError(f"{name} must be a whole number from 0 to {most}, not {value!r}")


def _read_seconds(params: Mapping[str, Any], name: str) -> float:
    """Return seconds, which are a text in a URL; 0 where there are none."""
    value = params.get(name) or 0
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ConfigurationError(f"{name} must be seconds, not {value!r}") from None


def _read_transport(params: Mapping[str, Any]) -> Transport:
    kind = params.get("connection_class")
    if kind is not None and kind.__module__.partition(".")[0] != "redis":
        # A fake, or one that does more than its settings say: to go where those point would be somewhere else.
        raise ConfigurationError(
            f"cannot use connections of class {kind.__name__}: hueyio makes its own, and knows those of redis-py; give "
            "a url, or in tests without a server a MemoryHuey"
        )
    if kind is not None and issubclass(kind, (redis_asyncio.SSLConnection, redis.SSLConnection)):
        return "tls"
    if kind is not None and issubclass(
        kind, (redis_asyncio.UnixDomainSocketConnection, redis.UnixDomainSocketConnection)
    ):
        return "unix"
    if kind is not None and not issubclass(kind, (redis_asyncio.Connection, redis.Connection)):
        raise ConfigurationError(f"cannot use connections of class {kind.__name__}")
    if params.get("unix_socket_path") is not None:
        return "unix"
    return "tls" if params.get("ssl") else "tcp"
