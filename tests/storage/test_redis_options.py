"""How a Redis storage is set up, and what it says about itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import redis
from redis import asyncio as redis_asyncio
from tests.conftest import EACH_SERVER, SERVERS
from tests.support.servers import Server

from hueyio.exceptions import ConfigurationError, StorageUnavailable
from hueyio.storage.records import SHARED_RESULT_TTL, Header
from hueyio.storage.redis import RedisStorage
from hueyio.storage.redis.connection.arguments import read_deployment
from hueyio.storage.redis.connection.deployment import Standalone
from hueyio.storage.redis.layout import CLIENT_LENGTH, Flavour, Layout
from hueyio.storage.redis.scripts import read_script

blocking_sentinel: Any = redis.Sentinel  # without types
asyncio_sentinel: Any = redis_asyncio.Sentinel
SECRET = "s3cret-pass"
BY_SENTINELS = "Redis master 'm' by the Sentinels at a:1,b:2/3, queue 'app'"
REFUSED = r"Redis at 127\.0\.0\.1:1/0 cannot be reached: connection refused"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "Redis at localhost:6379/0, queue 'app'"),
        ({"url": f"redis://user:{SECRET}@host:7000/3"}, "Redis at host:7000/3, queue 'app'"),
        ({"url": f"rediss://:{SECRET}@host"}, "Redis at host:6379/0, queue 'app'"),
        ({"url": f"unix:///run/s?db=2&password={SECRET}"}, "Redis at /run/s/2, queue 'app'"),
        ({"host": "host", "port": 1, "db": 4, "password": SECRET}, "Redis at host:1/4, queue 'app'"),
        ({"unix_socket_path": "/run/s"}, "Redis at /run/s/0, queue 'app'"),
        ({"connection_pool": redis.ConnectionPool(host="host", password=SECRET)}, "Redis at host:6379/0, queue 'app'"),
        (
            {"connection_pool": redis_asyncio.ConnectionPool.from_url("unix:///run/s")},
            "Redis at /run/s/0, queue 'app'",
        ),
        ({"client": redis.Redis(host="host", port=3, db=2, password=SECRET)}, "Redis at host:3/2, queue 'app'"),
        ({"client": redis_asyncio.Redis.from_url("rediss://host:3")}, "Redis at host:3/0, queue 'app'"),
        ({"connection_pool": redis_asyncio.Redis(host="host")}, "Redis at host:6379/0, queue 'app'"),
        (
            {"client": redis_asyncio.RedisCluster(host="host", port=3, password=SECRET, ssl=True)},
            "Redis Cluster at host:3, queue 'app'",
        ),
        ({"client": blocking_sentinel([("a", 1), ("b", 2)], password=SECRET).master_for("m", db=3)}, BY_SENTINELS),
        ({"client": asyncio_sentinel([("a", 1), ("b", 2)]).master_for("m", ssl=True, db=3)}, BY_SENTINELS),
        ({"url": f"redis+sentinel://u:{SECRET}@a:1,b:2/m/3?sentinel_password={SECRET}"}, BY_SENTINELS),
        (
            {"url": "rediss+sentinel://a,[::1]/m"},
            "Redis master 'm' by the Sentinels at a:26379,::1:26379/0, queue 'app'",
        ),
        ({"url": f"rediss+cluster://:{SECRET}@a,b:2"}, "Redis Cluster at a:6379,b:2, queue 'app'"),
    ],
)
def test_storage_says_where_it_is_and_no_password(options: dict[str, Any], text: str) -> None:
    assert str(RedisStorage("app", **options)) == text


@pytest.mark.parametrize(
    "options",
    [
        {"url": "redis://host", "host": "other"},
        {"url": "redis://host", "connection_pool": redis.ConnectionPool()},
        {"connection_pool": redis.ConnectionPool(), "db": 1},
        {"client": redis.Redis(), "url": "redis://host"},
        {"url": "redis://host", "socket_timeout": 1},
    ],
)
def test_conflicting_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="only one of"):
        RedisStorage("app", **options)


@pytest.mark.parametrize(
    "options",
    [
        {"url": "http://host"},
        {"connection_pool": "redis://host"},
        {"client": blocking_sentinel([("host", 1)])},
        {"client": blocking_sentinel([("host", 1)]).slave_for("m")},
        {"url": "redis+sentinel://host"},
        {"url": "redis+sentinel:///m"},
        {"url": "redis+other://host"},
        {"url": "unix+cluster://host"},
        {"url": "redis+cluster://host/1"},
        {"url": "redis+cluster://host:many"},
        {"no_such_option": 1},
        {"port": "many"},
        {"read_timeout": 0},
        {"read_timeout": "long"},
        {"read_timeout": float("nan")},
        {"db": "first"},
        {"db": -1},
        {"port": 65536},
        {"client_name": "with spaces"},
        {"unix_socket_path": "/run/s", "host": "host"},
        {"url": 5},
        {"url": ""},
        {"notify_result": True},
        {"clean_name": False},
        {"dead_limit": -1},
        {"keep_ended": -1},
        {"keep_failed": -1},
        {"failed_bytes": -1},
        {"failed_ttl": -1},
        {"name": ""},
    ],
)
def test_unusable_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        RedisStorage(**{"name": "app", **options})


class _Diverted(redis_asyncio.Connection):
    """Goes elsewhere than its settings say, as the connections of a fake do."""


def test_connections_that_do_more_than_their_settings_say_are_refused() -> None:
    pool = redis_asyncio.ConnectionPool(_Diverted, host="nowhere")
    refused = pytest.raises(ConfigurationError, match=r"_Diverted: .* give a url, or in tests .* a MemoryHuey")
    with refused:
        RedisStorage("app", connection_pool=pool)
    with refused:
        RedisStorage("app", client=redis_asyncio.Redis(connection_pool=pool))


def test_options_that_are_none_count_as_not_given() -> None:
    storage = RedisStorage("app", url="redis://host", host=None, port=None, connection_pool=None, password=None)
    assert str(storage) == "Redis at host:6379/0, queue 'app'"


@pytest.fixture(params=EACH_SERVER)
def guarded_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Run a server that wants a password which nobody here knows."""
    server = Server(SERVERS[request.param])
    server.start()
    try:
        with redis.Redis.from_url(server.url) as admin:
            admin.config_set("requirepass", "another one")
        yield server
    finally:
        server.dispose()


def test_no_priorities() -> None:
    assert not RedisStorage("app").capabilities.priorities


def test_keys_of_different_names_never_run_into_each_other() -> None:
    """Huey cleans names, so that two of them may share keys; hueyio keeps every name as it is."""
    names = ["a", "a:", "a:b", "a%3Ab", "{a}", "a}", "*", "q:lock", "\u00fc", "\U0001f600", "a b", "\ud800", "A"]
    prefixes = {Layout(name).prefix for name in names}
    assert len(prefixes) == len(names)
    for prefix in prefixes:
        assert not any(other != prefix and other.startswith(prefix) for other in prefixes)
        assert prefix.count(b"{") == prefix.count(b"}") == 1


def test_lua_agrees_with_python_on_numbers() -> None:
    source = read_script("settle", Flavour()).source.decode()
    assert f"local SHARED_TTL = {SHARED_RESULT_TTL:g}\n" in source
    assert f"local CLIENT_LENGTH, ENTRY_LENGTH = {CLIENT_LENGTH}, {CLIENT_LENGTH + 8}\n" in source
    assert f"max_deliveries or {Header('').max_deliveries})" in source


async def test_unreachable_server_is_named_without_the_password() -> None:
    storage = RedisStorage("app", url=f"redis://:{SECRET}@127.0.0.1:1/0")
    with pytest.raises(StorageUnavailable, match=REFUSED) as caught:
        await storage.connect()
    assert SECRET not in _all_text(caught.value)


_SCHEMES = {
    "redis": "redis://{login}@host:6379/0",
    "tls": "rediss://{login}@host",
    "unix": "unix://{login}@/run/s?db=1",
    "sentinels": "redis+sentinel://{login}@a:1,b:2/m/0",
    "cluster": "rediss+cluster://{login}@a,b",
    "wrong scheme": "http://{login}@host",
    "wrong port": "redis://{login}@host:many",
    "no host": "redis+cluster://{login}@",
}


@pytest.mark.parametrize("scheme", _SCHEMES)
@pytest.mark.parametrize("sign", ["#", "/", "?", "[", "]", "?a=b@", "@b/", "#?/["])
def test_url_whose_password_is_not_quoted_is_refused_and_not_shown(scheme: str, sign: str) -> None:
    for user in ("", "user"):
        for secret in ("s3cr3tpw", "6543210", "65432"):  # the last could be a port
            url = _SCHEMES[scheme].format(login=f"{user}:{secret}{sign}x{secret}")
            with pytest.raises(ConfigurationError, match="unusable Redis url") as caught:
                RedisStorage("app", url=url)
            assert secret not in _all_text(caught.value)
            assert caught.value.__context__ is None


@pytest.mark.parametrize("sign", ["#", "/", "?", "[", "@", "%", ":"])
def test_url_whose_password_is_quoted_is_taken(sign: str) -> None:
    login = f"user:{quote(f's3{sign}x', safe='')}"
    read = read_deployment(
        b"key",
        url=f"redis://{login}@host:1/2",
        connection_pool=None,
        client=None,
        client_name=None,
        connection_params={},
    )
    assert str(read) == "Redis at host:1/2"
    assert isinstance(read, Standalone)
    assert read.options.settings["password"] == f"s3{sign}x"
    assert f"s3{sign}x" not in repr(read.options) + repr(read.options.to_plain_address())


@pytest.mark.parametrize(
    "options",
    [
        {"url": f"redis://:{SECRET}@host".encode()},
        {"url": [f"redis://:{SECRET}@host"]},
        {"client": f"redis://:{SECRET}@host"},
        {"connection_pool": {"password": SECRET}},
        {"url": f"redis://:{SECRET}@host", "db": 1},
        {"host": "host", "password": SECRET, "credential_provider": object()},
        {"host": "host", "password": SECRET, "no_such_option": 1},
    ],
)
def test_password_is_not_shown_when_it_is_given_in_a_wrong_way(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RedisStorage("app", **options)
    assert SECRET not in _all_text(caught.value)


def test_unreachable_server_is_named_by_the_heartbeat_too() -> None:
    keeper = RedisStorage("app", url=f"redis://:{SECRET}@127.0.0.1:1/0").lease_keeper("owner")
    with pytest.raises(StorageUnavailable, match=REFUSED) as caught:
        keeper.beat()
    keeper.close()
    assert SECRET not in _all_text(caught.value)


async def test_unknown_host_is_unavailable() -> None:
    # The second where nobody says that there is no such name.
    with pytest.raises(StorageUnavailable, match=r"no-such-host\.invalid:6379/0 (cannot be reached|does not answer)"):
        await RedisStorage("app", host="no-such-host.invalid").connect()


@pytest.mark.parametrize("password", [None, SECRET])
async def test_refused_login_is_a_wrong_configuration(guarded_server: Server, password: str | None) -> None:
    storage = RedisStorage("app", host="127.0.0.1", port=guarded_server.port, password=password)
    with pytest.raises(ConfigurationError, match="refuses the login") as caught:
        await storage.connect()
    assert SECRET not in _all_text(caught.value)
    keeper = storage.lease_keeper("owner")
    with pytest.raises(ConfigurationError, match="refuses the login"):
        keeper.beat()
    keeper.close()


async def test_missing_database_is_a_wrong_configuration(server: Server) -> None:
    with pytest.raises(ConfigurationError, match="no such database"):
        await RedisStorage("app", host="127.0.0.1", port=server.port, db=100_000).connect()


@pytest.mark.parametrize("module", [redis, redis_asyncio])
async def test_settings_of_a_pool_are_used(server: Server, module: Any) -> None:
    pool = module.ConnectionPool.from_url(server.url, decode_responses=True, socket_timeout=3)
    session = await RedisStorage("app", connection_pool=pool).connect()
    await session.put("data", {"key": b"\xff"})
    assert await session.pop("data", "key") == b"\xff"
    await session.close()


def _all_text(error: BaseException | None) -> str:
    """Everything that a traceback would show of an error and of what caused it."""
    text = ""
    while error is not None:
        text += repr(error) + str(error)
        error = error.__cause__ or error.__context__
    return text
