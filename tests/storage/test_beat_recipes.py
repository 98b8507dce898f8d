"""What a storage says of its heartbeat as data does the same as the heartbeat, from a process that has no hueyio."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import redis
from tests.conftest import EACH_SERVER
from tests.support.deployments import SentinelGroup, ServerCluster
from tests.support.patience import until
from tests.support.servers import Server

from hueyio.consumer.beater import Beater, Report
from hueyio.consumer.heartbeat import Heartbeat, HeartbeatOptions
from hueyio.consumer.outage import Outage
from hueyio.consumer.side_log import side_log
from hueyio.storage.contract import Portable, Session, Storage
from hueyio.storage.file import FileStorage
from hueyio.storage.memory import MemoryStorage
from hueyio.storage.redis import RedisStorage
from hueyio.storage.sqlite import SqliteStorage

OWNER: Final = "owner-é"
SECRET: Final = "päss word"
PATIENCE: Final = 30.0

Make = Callable[[Path, pytest.FixtureRequest], Storage]


def on_server(kind: str, **how: Any) -> Make:
    def make(path: Path, request: pytest.FixtureRequest) -> Storage:
        server: Server = request.getfixturevalue("server_of")(kind)
        if "username" in how:
            with redis.Redis(port=server.port) as admin:
                admin.execute_command("ACL", "SETUSER", how["username"], "on", f">{SECRET}", "~*", "&*", "+@all")
        where = {"unix_socket_path": server.unix_url.removeprefix("unix://").partition("?")[0]} if "unix" in how else {
            "host": "127.0.0.1", "port": server.port
        }  # fmt: skip
        return RedisStorage(path.name, **where, **{name: it for name, it in how.items() if name != "unix"})

    return make


def in_cluster(path: Path, request: pytest.FixtureRequest) -> Storage:
    made: ServerCluster = request.getfixturevalue("cluster")
    return RedisStorage(path.name, url=made.url)


def by_sentinels(path: Path, request: pytest.FixtureRequest) -> Storage:
    made: SentinelGroup = request.getfixturevalue("sentinels")
    return RedisStorage(path.name, url=made.url)


def in_file(**how: Any) -> Make:
    return lambda path, _: SqliteStorage("an app", path / "test.db", **how)


STORAGES: Final[list[Any]] = [
    *(pytest.param(in_file(journal_mode=mode), id=f"sqlite {mode}") for mode in ("wal", "delete", "truncate")),
    pytest.param(lambda path, _: SqliteStorage("app", f"file:{path}/test.db?a=b", uri=True), id="sqlite uri"),
    pytest.param(lambda path, _: FileStorage("app", path / "folder"), id="file"),
    *(pytest.param(on_server(kind.values[0] if hasattr(kind, "values") else kind), id=str(n)) for n, kind in
      enumerate(EACH_SERVER)),
    pytest.param(on_server("redis", username="beater", password=SECRET, client_name="me", db=2), id="login and db"),
    pytest.param(on_server("redis", unix=True), id="unix socket"),
    pytest.param(in_cluster, id="cluster", marks=pytest.mark.deployment),
    pytest.param(by_sentinels, id="sentinels", marks=pytest.mark.deployment),
]  # fmt: skip


@pytest.fixture
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    made: Storage = request.param(tmp_path, request)
    return made


@pytest.fixture
async def session(storage: Storage) -> AsyncIterator[Session]:
    opened = await storage.connect()
    await opened.register(OWNER, b"")
    yield opened
    await opened.deregister(OWNER)
    await opened.close()


@pytest.fixture
def beater() -> Iterator[Beater]:
    made = Beater()
    yield made
    made.hang_up()
    made.wait_ended()


def read_one(beater: Beater) -> Report:
    reports = beater.read(PATIENCE)
    assert reports, "the beater has ended, or says nothing"
    return reports[-1]


async def until_it_beats(session: Session) -> None:
    async def beats() -> bool:
        (owner,) = await session.owners()
        return owner.beat >= 2

    await until(beats)


def order(beater: Beater, storage: Storage, interval: float = 0.05) -> None:
    keeper = storage.lease_keeper(OWNER)
    assert isinstance(keeper, Portable)
    recipe = keeper.to_recipe()
    assert recipe is not None
    beater.order(recipe, interval, None)
    keeper.close()


@pytest.mark.parametrize("storage", STORAGES, indirect=True)
async def test_recipe_raises_the_counter_until_the_owner_is_given_up(
    storage: Storage, session: Session, beater: Beater
) -> None:
    order(beater, storage)
    reports = [await asyncio.to_thread(read_one, beater) for _ in range(3)]
    assert [(report.alive, report.error) for report in reports] == 3 * [(True, None)]
    (owner,) = await session.owners()
    assert owner.beat >= 1
    await session.deregister(OWNER)
    while (report := await asyncio.to_thread(read_one, beater)).alive:
        pass
    assert report.error is None


async def test_recipe_follows_a_file_that_was_exchanged(beater: Beater, tmp_path: Path) -> None:
    storage, other = (SqliteStorage("app", tmp_path / name, journal_mode="delete") for name in ("a.db", "b.db"))
    for each in (storage, other):
        session = await each.connect()
        if each is storage:
            await session.register(OWNER, b"")
        await session.close()
    order(beater, storage)
    report = await asyncio.to_thread(read_one, beater)
    assert report.alive
    os.replace(tmp_path / "b.db", tmp_path / "a.db")
    while report.alive:
        report = await asyncio.to_thread(read_one, beater)
    assert report.error is None


@pytest.mark.parametrize(
    "storage",
    [
        pytest.param(lambda path, _: SqliteStorage("app", path / "a.db", factory=sqlite3.Connection), id="factory"),
        pytest.param(lambda path, _: SqliteStorage("app", "file:a.db", uri=True), id="relative uri"),
        pytest.param(lambda path, _: FileStorage("app", path, clock=lambda: 1.0), id="clock"),
        pytest.param(lambda path, _: RedisStorage(url="rediss://localhost"), id="tls"),
        pytest.param(
            lambda path, _: RedisStorage(credential_provider=redis.UsernamePasswordCredentialProvider("a", "b")),
            id="credential provider",
        ),
    ],
    indirect=True,
)
def test_what_cannot_be_said_as_data_has_no_recipe(storage: Storage) -> None:
    keeper = storage.lease_keeper(OWNER)
    assert isinstance(keeper, Portable)
    assert keeper.to_recipe() is None


def test_memory_has_no_recipe() -> None:
    assert not isinstance(MemoryStorage().lease_keeper(OWNER), Portable)


@pytest.mark.parametrize("storage", STORAGES[:1], indirect=True)
async def test_thread_beats_where_no_process_can_be_started(
    storage: Storage, session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    lost, ended = threading.Event(), threading.Event()
    options = HeartbeatOptions(lease=0.15, apart=True)
    heartbeat = Heartbeat(storage.lease_keeper(OWNER), options, lost.set, Outage(), ended.set)
    heartbeat.start()
    await until_it_beats(session)
    assert heartbeat.beater_pid is None
    await session.deregister(OWNER)
    assert await asyncio.to_thread(lost.wait, PATIENCE)
    assert await asyncio.to_thread(ended.wait, PATIENCE)
    side_log.flush(PATIENCE)
    assert "a thread sends the heartbeats, because no process can" in caplog.text


@pytest.mark.parametrize("storage", STORAGES[:1], indirect=True)
async def test_lease_that_is_given_up_gets_no_further_beat(storage: Storage, session: Session) -> None:
    lost, ended = threading.Event(), threading.Event()
    heartbeat = Heartbeat(
        storage.lease_keeper(OWNER), HeartbeatOptions(lease=0.15, apart=True), lost.set, Outage(), ended.set
    )
    heartbeat.start()
    await until_it_beats(session)
    assert heartbeat.beater_pid is not None
    heartbeat.give_up()
    assert lost.is_set()
    assert await asyncio.to_thread(ended.wait, PATIENCE)
    (before,) = await session.owners()
    await asyncio.sleep(0.2)  # more than three beats
    (after,) = await session.owners()
    assert after.beat == before.beat
