"""Pauses and the audit log where an earlier hueyio has been: what it wrote is read, and it obeys what is written."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import pytest
import redis
from tests.support.servers import Server

from hueyio.exceptions import ConfigurationError
from hueyio.storage.records import NOTES_KEPT, Pause
from hueyio.storage.redis import RedisStorage
from hueyio.storage.redis.layout import Layout
from hueyio.storage.sqlite import SqliteStorage


async def test_pause_of_an_earlier_version_is_one_by_nobody_in_a_file(tmp_path: Path) -> None:
    session = await SqliteStorage("app", tmp_path / "app.db").connect()
    await session.pause("ana")
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
        (paused,) = connection.execute("SELECT paused FROM hueyio_queues").fetchone()
        assert bool(int(paused))  # all that 0.1.0 asks
        for written in (0, 1):  # it resumes, and pauses again
            connection.execute("UPDATE hueyio_queues SET paused = ?", (written,))
            connection.commit()
            assert await session.paused() == (Pause() if written else None)
    await session.resume()
    assert await session.paused() is None
    await session.close()


async def test_file_of_an_earlier_version_gets_a_place_for_the_audit_log(tmp_path: Path) -> None:
    file = tmp_path / "app.db"
    before = await SqliteStorage("app", file).connect()
    await before.pause()
    await before.close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE hueyio_audit")
        for column in ("paused_by", "paused_at"):
            connection.execute(f"ALTER TABLE hueyio_queues DROP COLUMN {column}")
        connection.execute("UPDATE hueyio_queues SET paused = 1")
        connection.commit()
    with pytest.raises(ConfigurationError, match="create_tables=True"):
        await SqliteStorage("app", file, create_tables=False).connect()
    session = await SqliteStorage("app", file).connect()
    assert await session.paused() == Pause()
    await session.note(b"line")
    assert [it.line for it in await session.notes(10)] == [b"line"]
    await session.close()


async def test_queues_of_a_file_have_audit_logs_of_their_own(tmp_path: Path) -> None:
    sessions = [await SqliteStorage(name, tmp_path / "app.db").connect() for name in ("a", "b")]
    for session, line in zip(sessions, (b"a", b"b"), strict=True):
        await session.note(line)
    assert [[it.line for it in await session.notes(NOTES_KEPT)] for session in sessions] == [[b"a"], [b"b"]]
    for session in sessions:
        await session.close()


async def test_pause_of_an_earlier_version_is_one_by_nobody_on_a_server(server: Server) -> None:
    name = uuid.uuid4().hex
    session = await RedisStorage(name, url=server.url).connect()
    with redis.Redis.from_url(server.url) as admin:
        admin.set(Layout(name).key("PAUSED"), 1)
        assert await session.paused() == Pause()
        await session.pause("ana maria")
        assert admin.exists(Layout(name).key("PAUSED"))  # all that 0.1.0 asks
    paused = await session.paused()
    assert paused is not None
    assert paused.by == "ana maria"
    await session.resume()
    assert await session.paused() is None
    await session.close()
