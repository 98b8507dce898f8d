"""The log of a file stays short, and on a disk or a quota that is full the rest goes on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hueyio import StorageFull
from hueyio.storage.records import Entry, Finish, Header
from hueyio.storage.sqlite import SqliteStorage
from hueyio.storage.sqlite.engine.log_watch import LogWatch
from hueyio.storage.sqlite.engine.room import Room

READER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN")
connection.execute("SELECT count(*) FROM large").fetchone()
print("reads", flush=True)
sys.stdin.readline()
"""


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


@pytest.fixture
def connection(file: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as opened:
        opened.execute("PRAGMA journal_mode = wal")
        opened.execute("PRAGMA synchronous = OFF")
        opened.execute("PRAGMA journal_size_limit = 67108864")
        opened.execute("CREATE TABLE large (value)")
        yield opened


@contextlib.contextmanager
def reader(file: Path) -> Iterator[int]:
    """A process that keeps a transaction open; gives its id."""
    line = [sys.executable, "-c", READER, str(file)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "reads\n"
        yield child.pid
        child.communicate("\n")


def write_long(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO large VALUES (zeroblob(80000000))")
    connection.execute("DELETE FROM large")


def log_size(file: Path) -> int:
    return os.stat(f"{file}-wal").st_size


def test_long_log_is_cut_when_nobody_reads(file: Path, connection: sqlite3.Connection) -> None:
    write_long(connection)
    assert log_size(file) > 2**26
    LogWatch(lambda: str(file), Clock()).look(connection)
    assert log_size(file) == 0


@pytest.mark.again("it writes hundreds of MB; that the log is cut, and looked at, is shown beside it")
def test_reader_that_keeps_the_log_long_is_named_once(
    file: Path, connection: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    watch = LogWatch(lambda: str(file), clock)
    with reader(file) as pid:
        write_long(connection)
        for _ in range(6):
            watch.look(connection)
            clock.now += 1.0
        (said,) = [record.getMessage() for record in caplog.records]
        assert "because somebody keeps a transaction open" in said
        if os.path.exists("/proc/locks"):
            assert f"process {pid} (python" in said
        assert watch.pause > 0, "commits wait for company"
    watch.look(connection)
    assert (log_size(file), watch.pause) == (0, 0.0)
    assert caplog.messages[1:] == [f"SQLite file {file}: its log is short again"]


@pytest.mark.again("it writes hundreds of MB; that the log is cut, and looked at, is shown beside it")
def test_readers_that_come_and_go_are_not_named(
    file: Path, connection: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    watch = LogWatch(lambda: str(file), clock)
    for _ in range(5):
        with reader(file):
            write_long(connection)
            watch.look(connection)
        clock.now += 1.0
        watch.look(connection)
        clock.now += 1.0
    assert (caplog.messages, watch.pause) == ([], 0.0)


def test_log_has_its_full_length_when_there_were_some_commits(file: Path, connection: sqlite3.Connection) -> None:
    connection.executescript("PRAGMA synchronous = FULL; CREATE TABLE hueyio_keys (queue, area, key, value, expires)")
    watch = LogWatch(lambda: str(file), Clock(), pages=300)
    for number in range(31):
        connection.execute("INSERT INTO large VALUES (?)", (number,))
        watch.look(connection)
    assert log_size(file) < 300 * 4096
    connection.execute("INSERT INTO large VALUES (31)")
    watch.look(connection)
    length = log_size(file)
    assert length >= 300 * 4096
    connection.execute("INSERT INTO large VALUES (32)")
    assert (log_size(file), os.stat(file).st_size < 100_000) == (length, True), "it is written over"
    copy = file.with_name("after_a_crash.db")
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{file}{suffix}", f"{copy}{suffix}")
    with contextlib.closing(sqlite3.connect(copy)) as recovered:
        assert recovered.execute("SELECT value FROM large").fetchall() == [(number,) for number in range(33)]
        assert recovered.execute("SELECT count(*) FROM hueyio_keys").fetchone() == (0,)
        assert recovered.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_log_is_looked_at_once_a_second(file: Path, connection: sqlite3.Connection) -> None:
    watch = LogWatch(lambda: str(file), Clock())
    watch.look(connection)
    write_long(connection)
    watch.look(connection)
    assert log_size(file) > 2**26


async def test_log_is_left_alone_when_a_session_only_reads(file: Path, connection: sqlite3.Connection) -> None:
    """A dashboard beside a busy worker: it must take no lock, and copy no log."""
    said: list[str] = []

    class Traced(sqlite3.Connection):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.set_trace_callback(said.append)

    session = await SqliteStorage("app", file, factory=Traced).connect()
    write_long(connection)
    said.clear()
    for _ in range(40):
        await session.paused()
        await session.describe(["a"])
    assert {it.split()[0] for it in said} <= {"BEGIN", "SELECT", "COMMIT", "PRAGMA"}
    locks = ("BEGIN IMMEDIATE", "PRAGMA wal_checkpoint", "PRAGMA cache_size")
    assert not [it for it in said if it.startswith(locks)]
    assert log_size(file) > 2**26
    await session.close()


def test_room_is_made_by_a_checkpoint(file: Path, connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("INSERT INTO large VALUES (zeroblob(100000))")
    before = log_size(file)
    Room().make(connection)
    connection.execute("INSERT INTO large VALUES (1)")
    assert log_size(file) == before, "it begins anew in the room that it has"


def test_bound_of_the_application_stays(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA max_page_count = 500")
    Room().make(connection)
    assert connection.execute("PRAGMA max_page_count").fetchone() == (500,)


async def test_worker_goes_on_within_a_quota(file: Path) -> None:
    """The log may not grow, by the limit on the size of files: a batch that meets it is tried again."""
    storage = SqliteStorage("app", file)
    session = await storage.connect()
    await session.register("owner", b"")
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        for number in range(400):
            await session.enqueue([Entry(Header(f"t{number}"), bytes(500))])
            for it in await session.claim({"loop": 1}, "owner"):
                await session.settle([Finish(it.receipt, None)], "owner", number + 1)
        with pytest.raises(StorageFull, match="quota is full"):
            await session.enqueue([Entry(Header("large"), bytes(1_000_000))])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert await asyncio.to_thread(storage.lease_keeper("owner").beat)
    await session.close()
