"""The file is removed, or another one put in its place, while sessions, waits and consumers are at it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hueyio import SqliteHuey
from hueyio.storage.records import Entry, Header
from hueyio.storage.sqlite import SqliteStorage
from hueyio.storage.sqlite.engine import place
from hueyio.storage.sqlite.engine.commits import Commits
from hueyio.storage.sqlite.engine.file import leave_file
from hueyio.storage.sqlite.engine.place import identify
from hueyio.storage.sqlite.session import SqliteSession

Exchange = Callable[[Path], None]
Connect = Callable[..., Awaitable[SqliteSession]]


def remove_all(file: Path) -> None:
    """As ``rm app.db*`` does."""
    for each in file.parent.glob(f"{file.name}*"):
        with contextlib.suppress(OSError):  # a folder
            each.unlink()


def remove_file_only(file: Path) -> None:
    """As ``rm app.db`` does, which leaves the log and its index behind."""
    file.unlink()


def put_another(file: Path) -> None:
    """Restore a backup of another day by a rename, with the log of the old file still there."""
    other = file.with_name("backup.db")
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE of_the_backup (x)")
        connection.commit()
    os.replace(other, file)


def move_away(file: Path) -> None:
    file.rename(file.with_name("moved.db"))


each_exchange = pytest.mark.parametrize("exchange", [remove_all, remove_file_only, put_another, move_away])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


@pytest.fixture
async def connect(file: Path) -> AsyncIterator[Connect]:
    async with contextlib.AsyncExitStack() as stack:

        async def connect_one(**options: Any) -> SqliteSession:
            session = await SqliteStorage("app", file, **options).connect()
            stack.push_async_callback(session.close)
            return session

        yield connect_one


def entry(id: str) -> Entry:
    return Entry(Header(id), id.encode())


def ids_in(file: Path) -> set[str]:
    with contextlib.closing(sqlite3.connect(file)) as other:
        return {id for (id,) in other.execute("SELECT id FROM hueyio_tasks")}


@pytest.mark.parametrize("fsync", [True, False], ids=["in the thread", "on the loop"])
@each_exchange
async def test_producer_writes_into_the_file_that_is_there(
    exchange: Exchange, fsync: bool, file: Path, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    session = await connect(fsync=fsync)
    await session.put("data", {"key": b"until it is on the loop"})
    await session.enqueue([entry("a")])
    exchange(file)
    await session.enqueue([entry("b")])
    await session.enqueue([entry("c")])
    assert ids_in(file) == {"b", "c"}
    assert sum((await session.counts()).queued.values()) == 2, "the reader follows"
    said = [record.getMessage() for record in caplog.records if "removed or exchanged" in record.getMessage()]
    assert len(said) == 1
    assert str(file) in said[0]


@each_exchange
async def test_what_joins_a_transaction_goes_into_the_file_that_is_there_now(
    exchange: Exchange, file: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await connect()
    loop = asyncio.get_running_loop()
    opened, exchanged = asyncio.Event(), threading.Event()
    set_synchronous = Commits._set_synchronous

    def set_and_sleep(*args: Any) -> None:
        set_synchronous(*args)
        loop.call_soon_threadsafe(opened.set)
        assert exchanged.wait(30)

    monkeypatch.setattr(Commits, "_set_synchronous", set_and_sleep)
    first = asyncio.ensure_future(session.put("data", {"k": b"first"}))
    await asyncio.wait_for(opened.wait(), 30)
    exchange(file)
    second = asyncio.ensure_future(session.enqueue([entry("a")]))
    await asyncio.sleep(0)  # so that it is sent
    exchanged.set()
    await asyncio.gather(first, second)
    assert ids_in(file) == {"a"}


@each_exchange
async def test_reader_that_comes_first_finds_the_new_file(exchange: Exchange, file: Path, connect: Connect) -> None:
    session = await connect()
    await session.enqueue([entry("a")])
    assert sum((await session.counts()).queued.values()) == 1
    exchange(file)
    assert sum((await session.counts()).queued.values()) == 0


async def test_log_of_the_old_file_is_not_taken_for_that_of_the_new_one(file: Path, connect: Connect) -> None:
    session = await connect()
    await session.enqueue([entry("a")])
    put_another(file)
    await session.enqueue([entry("b")])
    with contextlib.closing(sqlite3.connect(file)) as other:
        assert other.execute("SELECT count(*) FROM of_the_backup").fetchone() == (0,)
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_file_that_is_moved_away_has_all_that_was_written_to_it(file: Path, connect: Connect) -> None:
    session = await connect()
    await session.enqueue([entry("a")])
    move_away(file)
    await session.enqueue([entry("b")])
    await session.close()
    assert ids_in(file.with_name("moved.db")) == {"a"}


@each_exchange
async def test_heartbeat_says_that_the_lease_is_gone(exchange: Exchange, file: Path, connect: Connect) -> None:
    session = await connect()
    await session.register("me", b"")
    keeper = SqliteStorage("app", file).lease_keeper("me")
    assert await asyncio.to_thread(keeper.beat)
    exchange(file)
    assert not await asyncio.to_thread(keeper.beat)
    keeper.close()


@each_exchange
async def test_waits_are_asked_again(exchange: Exchange, file: Path, connect: Connect) -> None:
    waiting, producing = await connect(), await connect()
    await producing.enqueue([entry("a")])
    over = asyncio.create_task(waiting.await_outcomes(["a"]))
    work = asyncio.create_task(waiting.wait_for_work(["loop"], 60.0))
    assert await asyncio.wait_for(work, 30)
    work = asyncio.create_task(waiting.wait_for_work(["loop"], 60.0))
    exchange(file)
    assert [it.data for it in await asyncio.wait_for(over, 30)] == [None]
    await producing.enqueue([entry("b")])
    assert await asyncio.wait_for(work, 30)


@each_exchange
async def test_consumer_registers_again_and_goes_on(exchange: Exchange, file: Path) -> None:
    huey = SqliteHuey("app", filename=str(file))

    @huey.task(name="double")
    async def double(value: int) -> int:
        return 2 * value

    async with huey.create_consumer(workers=2, lease=1.5):
        assert await asyncio.wait_for(await double(1), 30) == 2
        exchange(file)
        assert await asyncio.wait_for(await double(2), 30) == 4
        assert await asyncio.wait_for(await double(3), 30) == 6
    await huey.close()


async def test_link_that_is_turned_to_another_file_counts(tmp_path: Path, connect: Connect, file: Path) -> None:
    os.symlink(tmp_path / "first.db", file)
    session = await connect()
    await session.enqueue([entry("a")])
    os.unlink(file)
    os.symlink(tmp_path / "second.db", file)
    await session.enqueue([entry("b")])
    assert (ids_in(tmp_path / "first.db"), ids_in(tmp_path / "second.db")) == ({"a"}, {"b"})


async def test_file_that_is_not_there_for_a_moment_is_not_made_anew(
    file: Path, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    session, other = await connect(), SqliteStorage("other", file.with_name("next.db"))
    made = await other.connect()
    await made.close()
    os.unlink(file)
    asyncio.get_running_loop().call_later(0.1, os.replace, file.with_name("next.db"), file)
    await session.enqueue([entry("b")])
    with contextlib.closing(sqlite3.connect(file)) as there:
        assert {name for (name,) in there.execute("SELECT name FROM hueyio_queues")} == {"other", "app"}


async def test_each_session_of_a_process_finds_the_new_file(file: Path) -> None:
    """Also one that was idle, and whose new file has the number of the old one, which nobody had open any more."""
    async with contextlib.AsyncExitStack() as stack:
        sessions: list[SqliteSession] = []
        for name in ("first", "second", "third"):
            sessions.append(await SqliteStorage(name, file).connect())
            stack.push_async_callback(sessions[-1].close)
            await sessions[-1].enqueue([entry("old")])
        remove_all(file)
        for session in reversed(sessions):
            await session.enqueue([entry("new")])
        for session in sessions:
            assert sum((await session.counts()).queued.values()) == 1
        assert ids_in(file) == {"new"}


async def test_log_of_the_new_file_is_left_alone_whatever_its_number(
    file: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process was faster: its log may have got the number of the old one as soon as that was closed."""
    session = await connect()
    await session.enqueue([entry("a")])
    await session.counts()  # by another connection, which finds the log there
    other = await SqliteStorage("app", file.with_name("next.db")).connect()
    await other.close()
    log = Path(f"{file}-wal")
    old, opened = identify(str(log)), contextlib.ExitStack()

    def leave_and_let_another_open(target: str, last: Callable[[sqlite3.Connection], None]) -> None:
        leave_file(target, last)
        make_log(log, old)
        connection = opened.enter_context(contextlib.closing(sqlite3.connect(file, check_same_thread=False)))
        connection.execute("CREATE TABLE of_another (x)")
        connection.commit()

    monkeypatch.setattr(place, "leave_file", leave_and_let_another_open)
    remove_all(file)
    os.replace(file.with_name("next.db"), file)
    with opened:
        await session.enqueue([entry("b")])
        assert ids_in(file) == {"b"}
        with contextlib.closing(sqlite3.connect(file)) as there:
            assert there.execute("SELECT count(*) FROM of_another").fetchone() == (0,)


def make_log(path: Path, identity: tuple[int, int] | None) -> None:
    """Make an empty log, with this number if the file system gives it to anybody."""
    made: list[Path] = []
    for number in range(100):
        made.append(path.with_name(f"made-{number}"))
        made[-1].touch()
        if identify(str(made[-1])) == identity:
            break
    os.replace(made.pop(), path)
    for other in made:
        other.unlink()
