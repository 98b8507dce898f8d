"""What is specific to SQLite: the file, its locks, its limits, and what happens around forks and forgotten sessions."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tests.support.patience import until

from hueyio.exceptions import ConfigurationError, SessionClosed, StorageUnavailable
from hueyio.storage.contract import LeaseKeeper, Session, Storage
from hueyio.storage.operations import Durability
from hueyio.storage.records import Entry, Finish, Header, Over, Release
from hueyio.storage.sqlite import SqliteStorage
from hueyio.storage.sqlite.engine.registrations import register
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.session import SqliteSession

Connect = Callable[..., Awaitable[SqliteSession]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


@pytest.fixture
async def connect(file: Path) -> AsyncIterator[Connect]:
    """Open sessions that are closed at the end."""
    sessions: list[SqliteSession] = []

    async def open_session(name: str = "app", **options: object) -> SqliteSession:
        session = await SqliteStorage(name, file, **options).connect()  # type: ignore[arg-type]
        sessions.append(session)
        return session

    yield open_session
    for session in sessions:
        await session.close()


# Without syncs most operations run on the loop.
without_sync_too = pytest.mark.parametrize("fsync", [True, False], ids=["in the thread", "on the loop"])


def entries(*ids: str) -> list[Entry]:
    return [Entry(Header(id), id.encode()) for id in ids]


async def test_it_satisfies_the_protocols(file: Path, connect: Connect) -> None:
    storage: Storage = SqliteStorage("app", file)
    session: Session = await connect()
    keeper: LeaseKeeper = storage.lease_keeper("me")
    assert isinstance(storage, Storage)
    assert not keeper.beat()
    keeper.close()
    with pytest.raises(SessionClosed):
        keeper.beat()
    assert await session.owners() == []


def test_it_names_the_file_and_the_queue() -> None:
    assert str(SqliteStorage("app", "/x/app.db")) == "SQLite file /x/app.db, queue 'app'"
    assert str(SqliteStorage("app", "app.db")) == f"SQLite file {os.path.abspath('app.db')}, queue 'app'"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "\ud800"),
        ("filename", ""),
        ("filename", ":memory:"),
        ("filename", 7),
        ("cache_mb", 0),
        ("fsync", "no"),
        ("sync_on_loop", "yes"),
        ("journal_mode", "off"),
        ("timeout", -1),
        ("strict_fifo", 1),
        ("create_tables", "yes"),
        ("dead_limit", 0),
        ("keep_ended", -1),
        ("keep_failed", -1),
        ("keep_failed", True),
        ("failed_bytes", -1),
        ("failed_ttl", -1),
        ("failed_ttl", float("nan")),
        ("clock", 3),
        ("isolation_level", None),
        ("no_such_thing", 1),
    ],
)
def test_an_option_that_cannot_work_is_named(field: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=field):
        SqliteStorage(**{field: value})  # type: ignore[arg-type]


async def test_queues_share_a_file_and_nothing_else(connect: Connect) -> None:
    names = ["app", "app ", "q:lock", "*", "%", "'; DROP TABLE hueyio_tasks; --", 'a"b', "é\0x", "日本"]
    for name in names:
        session = await connect(name)
        await session.enqueue([Entry(Header("same"), name.encode())])
        await session.put("data", {"key": name.encode()})
        await session.register("me", name.encode())
    for name in names:
        session = await connect(name)
        assert [it.data for it in await session.claim({"loop": 10}, "me")] == [name.encode()]
        assert await session.peek("data", ["key"]) == [name.encode()]
        assert [it.info for it in await session.owners()] == [name.encode()]


async def test_hostile_ids_and_keys_are_only_names(connect: Connect) -> None:
    session = await connect()
    ids = ["", "a\0b", "a\0c", "a", "'", '"', "%", "_", "[a-z]", "-- x", "é", "日本", "x" * 10_000]
    await session.register("me", b"")
    assert {it.verdict for it in await session.enqueue(entries(*ids))} == {"added"}
    taken = await session.claim({"loop": 100}, "me")
    assert [it.receipt.id for it in taken] == ids
    assert set(await session.settle([Finish(it.receipt, it.data) for it in taken], "me", 1)) == {"accepted"}
    assert [it.data for it in await session.await_outcomes(ids)] == [id.encode() for id in ids]


async def test_5000_due_tasks_come_in_order(connect: Connect) -> None:
    session = await connect()
    await session.register("me", b"")
    numbers = [(number * 2_731) % 5_000 for number in range(5_000)]
    await session.enqueue([Entry(Header(str(number), eta=100.0 + number), b"") for number in numbers])
    moved = [await session.promote(10_000.0, 2_000) for _ in range(3)]
    assert [it.moved for it in moved] == [2_000, 2_000, 1_000]
    assert [it.next_eta for it in moved] == [2_100.0, 4_100.0, None]
    assert [int(it.receipt.id) for it in await session.claim({"loop": 5_000}, "me")] == list(range(5_000))


async def test_released_tasks_come_first_and_in_their_order(connect: Connect) -> None:
    session = await connect()
    await session.register("me", b"")
    await session.enqueue(entries(*"abcdef"))
    taken = await session.claim({"loop": 3}, "me")
    await session.settle([Release(it.receipt) for it in reversed(taken)], "me", 1)
    assert [it.receipt.id for it in await session.claim({"loop": 6}, "me")] == list("abcdef")


async def test_plain_endings_are_fenced_one_by_one(connect: Connect) -> None:
    """A stretch of plain endings is one statement; one stale receipt in it must not cost the others."""
    session = await connect()
    await session.register("me", b"")
    await session.enqueue(entries(*"abc"))
    taken = [it.receipt for it in await session.claim({"loop": 3}, "me")]
    batch = [taken[0], taken[1], taken[1], taken[2]._replace(deliveries=1), taken[2]._replace(owner="other"), taken[2]]
    answers = await session.settle([Finish(it, b"value") for it in batch], "me", 1)
    assert answers == ["accepted", "accepted", "stale", "stale", "stale", "accepted"]
    assert (await session.counts()).results == 3


async def test_operations_of_one_turn_share_a_commit(file: Path, connect: Connect) -> None:
    session = await connect()
    with sqlite3.connect(file, isolation_level=None) as other:
        (before,) = other.execute("PRAGMA data_version").fetchone()
        await asyncio.gather(*(session.enqueue(entries(str(number))) for number in range(200)))
        (counted,) = other.execute("SELECT loop FROM hueyio_queues").fetchone()
        assert other.execute("PRAGMA data_version").fetchone() != (before,)
    other.close()
    assert counted == 1


@without_sync_too
async def test_an_operation_that_fails_leaves_its_neighbours_alone(fsync: bool, connect: Connect) -> None:
    session = await connect(fsync=fsync)
    await session.put("data", {"text": b"no number"})
    answers = await asyncio.gather(
        session.enqueue(entries("a")),
        session.add("data", "text"),
        session.enqueue([Entry(Header("\ud800"), b"")]),
        session.claim({"loop": 1}, "nobody"),
        session.enqueue(entries("b")),
        return_exceptions=True,
    )
    assert [type(it).__name__ for it in answers] == ["list", "ValueError", "UnicodeEncodeError", "LeaseLost", "list"]
    assert [it.state for it in await session.locate(["a", "b"])] == ["queued", "queued"]
    assert await session.peek("data", ["text"]) == [b"no number"]


@without_sync_too
async def test_a_write_is_carried_through_when_its_caller_is_cancelled(fsync: bool, connect: Connect) -> None:
    session = await connect(fsync=fsync)
    await session.register("me", b"")
    await session.enqueue(entries("a"))
    claim = asyncio.ensure_future(session.claim({"loop": 1}, "me"))
    await asyncio.sleep(0)
    claim.cancel()
    assert [it.receipt.id for it in await session.held("me")] == ["a"]


def test_the_file_must_be_a_database(file: Path) -> None:
    file.write_bytes(b"this is a text file, and long enough to have a header of its own" * 20)
    with pytest.raises(ConfigurationError, match=r"app\.db is not an SQLite database"):
        asyncio.run(SqliteStorage("app", file).connect())


async def test_the_directory_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"away/app\.db: its directory does not exist"):
        await SqliteStorage("app", tmp_path / "away" / "app.db").connect()
    with pytest.raises(ConfigurationError, match="is a directory"):
        await SqliteStorage("app", tmp_path).connect()


async def test_the_file_must_be_writable(file: Path, connect: Connect) -> None:
    await connect()
    with pytest.raises(StorageUnavailable, match=r"app\.db\?mode=ro is read-only"):
        await SqliteStorage("app", f"file:{file}?mode=ro", uri=True).connect()


async def test_tables_are_not_made_when_that_is_off(file: Path, connect: Connect) -> None:
    with pytest.raises(ConfigurationError, match=r"app\.db has no hueyio tables; create_tables=True makes them"):
        await connect(create_tables=False)
    await connect()
    session = await connect(create_tables=False)
    assert (await session.counts()).running == 0


async def test_tables_of_another_version_are_refused(file: Path, connect: Connect) -> None:
    await (await connect()).close()
    with sqlite3.connect(file) as other:
        other.execute("UPDATE hueyio_meta SET version = 99")
    other.close()
    with pytest.raises(ConfigurationError, match="version 99"):
        await connect()


async def test_other_tables_of_the_application_are_left_alone(file: Path, connect: Connect) -> None:
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE tasks (mine TEXT)")
        other.execute("PRAGMA user_version = 7")
    session = await connect()
    await session.enqueue(entries("a"))
    assert other.execute("PRAGMA user_version").fetchone() == (7,)
    assert other.execute("SELECT count(*) FROM tasks").fetchone() == (0,)
    other.close()


@pytest.mark.parametrize("mode", ["delete", "truncate", "persist"])
async def test_other_journals_work_too(mode: str, file: Path, connect: Connect) -> None:
    producer, consumer = await connect(journal_mode=mode), await connect(journal_mode=mode)
    await consumer.register("me", b"")
    outcome = asyncio.ensure_future(producer.await_outcomes(["a"]))
    await producer.enqueue(entries("a"))
    assert await consumer.wait_for_work(["loop"], 5.0) == {"loop"}
    (task,) = await consumer.claim({"loop": 1}, "me")
    await consumer.settle([Finish(task.receipt, b"value")], "me", 1)
    assert [it.data for it in await outcome] == [b"value"]


@without_sync_too
async def test_a_foreign_lock_is_waited_for(fsync: bool, file: Path, connect: Connect) -> None:
    session = await connect(fsync=fsync)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writes = [asyncio.ensure_future(session.enqueue(entries(id))) for id in "ab"]
    opening = asyncio.ensure_future(connect("another"))
    # What only reads goes on.
    assert (await session.counts()).queued["loop"] == 0
    assert not any(it.done() for it in (*writes, opening))
    other.execute("COMMIT")
    other.close()
    assert [it.verdict for (it,) in await asyncio.gather(*writes)] == ["added", "added"]
    await opening


@without_sync_too
async def test_a_question_passes_a_write_that_waits_for_a_foreign_lock(
    fsync: bool, file: Path, connect: Connect
) -> None:
    session = await connect(timeout=60, fsync=fsync)
    await session.enqueue(entries("a"))
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        write = asyncio.ensure_future(session.enqueue(entries("b")))
        asked = (session.locate(["a", "b"]), session.peek("results", ["a"]), session.paused())
        found, _, _ = await asyncio.wait_for(asyncio.gather(*asked), 30)
        (again,) = await asyncio.wait_for(session.locate(["a"]), 30)
        assert ([it.state for it in found], again.state) == (["queued", "unknown"], "queued")
        assert not write.done()
        other.execute("COMMIT")
    assert [it.verdict for it in await write] == ["added"]


@without_sync_too
async def test_a_question_sees_the_write_whose_caller_was_cancelled(fsync: bool, file: Path, connect: Connect) -> None:
    session = await connect(timeout=60, fsync=fsync)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        write = asyncio.ensure_future(session.enqueue(entries("a")))
        await asyncio.wait_for(session.locate(["a"]), 30)
        write.cancel()
        await asyncio.wait([write])
        located = asyncio.ensure_future(session.locate(["a"]))
        await session.counts()  # in the reader's thread: the writer had time to answer
        assert not located.done()
        other.execute("COMMIT")
    assert [it.state for it in await located] == ["queued"]


async def test_an_operation_begins_with_the_write_lock(connect: Connect, file: Path) -> None:
    """And not with what it reads, which somebody else may have changed when it comes to write."""
    session = await connect(timeout=0.05)
    write = session._engine.writer.run
    begun: list[int] = []
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailable, match="is busy"):
        await write(lambda tx: begun.append(tx.queue), Durability.DURABLE)
    other.close()
    assert begun == []
    await write(lambda tx: begun.append(tx.queue), Durability.DURABLE)
    assert len(begun) == 1


async def test_threads_with_a_loop_each_run_every_task_once(file: Path, connect: Connect) -> None:
    ids = [str(number) for number in range(400)]
    await (await connect()).enqueue(entries(*ids))

    async def drain(owner: str) -> list[str]:
        session = await SqliteStorage("app", file).connect()
        await session.register(owner, b"")
        done: list[str] = []
        while batch := await session.claim({"loop": 5}, owner):
            await session.settle([Finish(it.receipt) for it in batch], owner, len(done) + 1)
            done += [it.receipt.id for it in batch]
        await session.close()
        return done

    shares = await asyncio.gather(*[asyncio.to_thread(asyncio.run, drain(f"thread {at}")) for at in range(8)])
    assert sorted(id for share in shares for id in share) == sorted(ids)


async def test_library_that_is_too_old_is_said_at_the_first_use(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(ConfigurationError, match=r"3\.35 or later is needed"):
        await SqliteStorage("app", file).connect()


@without_sync_too
async def test_a_foreign_lock_that_stays_is_an_error_until_it_goes(fsync: bool, file: Path, connect: Connect) -> None:
    session = await connect(timeout=0.05, fsync=fsync)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailable, match=r"app\.db is busy: another process held its write lock .* 0\.05 s"):
        await session.enqueue(entries("a"))
    with pytest.raises(StorageUnavailable, match="is busy"):
        await connect("another", timeout=0.05)
    with pytest.raises(StorageUnavailable, match="is busy"):
        SqliteStorage("app", file, timeout=0.05).lease_keeper("me").beat()
    other.execute("ROLLBACK")
    other.close()
    assert [it.verdict for it in await session.enqueue(entries("a"))] == ["added"]


class _SmallDisk(sqlite3.Connection):
    """A connection whose file may not grow beyond so many pages."""

    pages = 60

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.execute(f"PRAGMA max_page_count = {self.pages}")


async def test_a_full_disk_is_an_error_until_there_is_room(connect: Connect) -> None:
    session = await connect(factory=_SmallDisk)
    await session.register("me", b"")
    await session.enqueue(entries("a"))
    large = [Entry(Header("large"), b"x" * 1_000_000)]
    answers = await asyncio.gather(session.enqueue(large), session.enqueue(entries("b")), return_exceptions=True)
    assert isinstance(answers[0], StorageUnavailable)
    assert "app.db cannot grow: its disk or its quota is full" in str(answers[0])
    assert not isinstance(answers[1], BaseException), "what fits is written"
    taken = await session.claim({"loop": 10}, "me")
    assert [it.receipt.id for it in taken] == ["a", "b"]
    assert await session.settle([Finish(it.receipt, b"value") for it in taken], "me", 1) == ["accepted", "accepted"]


async def test_a_closed_session_says_so(connect: Connect) -> None:
    session = await connect()
    waits = [
        asyncio.ensure_future(session.wait_for_work(["loop"], 60.0)),
        asyncio.ensure_future(session.notices("me", await session.notices("me", None))),
        asyncio.ensure_future(session.await_outcomes(["later"])),
    ]
    await session.enqueue([Entry(Header("now", expects=("later",)), b"")])
    await session.close()
    await session.close()
    answers = await asyncio.gather(*waits, return_exceptions=True)
    assert [type(it) for it in answers[1:]] == [SessionClosed, SessionClosed]
    for call in (session.counts(), session.peek("data", ["x"]), session.wait_for_work(["loop"], 0)):
        with pytest.raises(SessionClosed, match="is closed"):
            await call


@without_sync_too
async def test_closing_writes_what_was_sent(fsync: bool, connect: Connect) -> None:
    session = await connect(fsync=fsync)
    write = asyncio.ensure_future(session.enqueue(entries("a")))
    await asyncio.sleep(0)
    await session.close()
    assert [it.verdict for it in await write] == ["added"]
    assert [it.state for it in await (await connect()).locate(["a"])] == ["queued"]


def test_sessions_of_two_loops_follow_each_other(file: Path) -> None:
    storage = SqliteStorage("app", file)
    kept: list[SqliteSession] = []

    async def first() -> None:
        kept.append(await storage.connect())
        await kept[0].enqueue(entries("a"))

    async def second() -> None:
        with pytest.raises(SessionClosed):
            await kept[0].enqueue(entries("b"))
        session = await storage.connect()
        assert [it.state for it in await session.locate(["a", "b"])] == ["queued", "unknown"]
        await session.close()

    asyncio.run(first())
    asyncio.run(second())


async def test_a_session_of_a_running_loop_is_no_other_loops(connect: Connect) -> None:
    session = await connect()

    async def use() -> None:
        with pytest.raises(SessionClosed, match="another event loop"):
            await session.enqueue(entries("a"))

    await asyncio.to_thread(asyncio.run, use())


@without_sync_too
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
async def test_a_forked_child_shares_nothing(fsync: bool, file: Path, connect: Connect) -> None:
    """The parent's connections are closed before the fork, so the child may open the same file."""
    session = await connect(fsync=fsync)
    keeper = SqliteStorage("app", file).lease_keeper("me")
    await session.register("me", b"")
    assert keeper.beat()
    waiting = asyncio.ensure_future(session.await_outcomes(["a"]))
    await session.enqueue(entries("a"))
    await session.counts()

    def in_child() -> None:
        assert keeper.beat()

        async def use() -> None:
            with pytest.raises(SessionClosed):
                await session.enqueue(entries("never"))
            own = await SqliteStorage("app", file).connect()
            (task,) = await own.claim({"loop": 1}, "me")
            await own.settle([Finish(task.receipt, b"child's")], "me", 1)
            await own.close()

        asyncio.run(use())

    child = os.fork()
    if child == 0:
        code = 1
        try:
            asyncio.set_event_loop(None)
            asyncio._set_running_loop(None)
            in_child()
            code = 0
        finally:
            os._exit(code)
    _, status = await asyncio.to_thread(os.waitpid, child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert [it.data for it in await waiting] == [b"child's"]
    assert [it.beat for it in await session.owners()] == [2]
    assert [it.state for it in await session.locate(["never"])] == ["unknown"]
    keeper.close()


async def test_waiters_are_told_also_beside_a_registration_that_came_too_late(tmp_path: Path) -> None:
    """Both go into one transaction; that nobody was registered there says nothing about others."""
    filename = str(tmp_path / "app.db")
    storage = SqliteStorage("app", filename)
    session, other = await storage.connect(), await storage.connect()
    await session.enqueue([Entry(Header("a"), b"")])
    waiting = asyncio.ensure_future(other.await_outcomes(["a"]))
    with contextlib.closing(sqlite3.connect(filename)) as connection:

        async def is_registered() -> bool:
            return connection.execute("SELECT 1 FROM hueyio_waiting").fetchone() is not None

        await until(is_registered)
        tx = Transaction(connection, 1, "client", time.time())
        assert register(tx, [("over", 1)]) == [(1, Over("over", None))]
        assert tx.any_waiting
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await session.close()
    await other.close()
