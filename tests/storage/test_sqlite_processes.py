"""Several processes on one file: creation, wake-ups, kills, and ends without a close."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hueyio.storage.records import Entry, Finish, Header
from hueyio.storage.sqlite import SqliteStorage

PROGRAMS = Path(__file__).with_name("test_sqlite_programs.py")

KILLS = int(os.environ.get("HUEYIO_TEST_KILLS", "12"))
"""How often a producer is killed at some point of its commits."""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


@pytest.fixture
def start(file: Path) -> Iterator[Start]:
    """Start a program on the file; all of them are gone at the end."""
    with ExitStack() as stack:

        def start_one(command: str, *arguments: str, flags: tuple[str, ...] = ()) -> subprocess.Popen[str]:
            line = [sys.executable, *flags, str(PROGRAMS), command, str(file), *arguments]
            child = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            stack.enter_context(child)
            stack.callback(child.kill)
            return child

        yield start_one


def line_of(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


@pytest.mark.again("eight processes of the contract find no file at once, and share the tasks of what they made")
def test_many_processes_create_one_schema(start: Start, file: Path) -> None:
    children = [start("connect") for _ in range(6)]
    assert [child.communicate(timeout=60) for child in children] == [("", "")] * 6
    with sqlite3.connect(file) as other:
        assert other.execute("SELECT version FROM hueyio_meta").fetchall() == [(1,)]
        assert other.execute("SELECT name FROM hueyio_queues").fetchall() == [("app",)]
    other.close()


async def test_other_processes_are_woken(start: Start, file: Path) -> None:
    child = start("consume")
    assert await asyncio.to_thread(line_of, child) == "ready"
    session = await SqliteStorage("app", file).connect()
    for number in range(20):
        id = str(number)
        waiting = asyncio.ensure_future(session.await_outcomes([id, "stop"] if number == 19 else [id]))
        await session.enqueue([Entry(Header(id), b"value")])
        if number == 19:
            await session.enqueue([Entry(Header("stop"), b"stop")])
        assert (await asyncio.wait_for(waiting, 30.0))[0].data == b"value"
    await session.close()
    assert await asyncio.to_thread(child.wait, 60) == 0
    # Two that close at the same moment may each take the other for still there, and leave the log to the next.
    await (await SqliteStorage("app", file).connect()).close()
    assert os.listdir(file.parent) == ["app.db"]


async def test_a_commit_that_rings_nobody_is_found_all_the_same(file: Path) -> None:
    """An application that enqueues in its own transaction knows nothing of doorbells."""
    session = await SqliteStorage("app", file).connect()
    await session.wait_for_work(["thread"], 0)
    waiting = asyncio.ensure_future(session.wait_for_work(["thread"], 30.0))
    await session.peek("data", ["nothing"])
    with sqlite3.connect(file) as other:
        other.execute("UPDATE hueyio_queues SET thread = thread + 1")
    other.close()
    assert await waiting == {"thread"}
    await session.close()


async def test_waiters_that_died_are_forgotten(start: Start, file: Path) -> None:
    """A client that was killed leaves a registration; the first ring that it refuses takes it away."""
    session = await SqliteStorage("app", file).connect()
    await session.register("me", b"")
    await session.enqueue([Entry(Header("a"), b""), Entry(Header("b"), b"")])
    child = start("wait", "a", "b")
    assert await asyncio.to_thread(line_of, child) == "waiting"
    child.kill()
    await asyncio.to_thread(child.wait, 30)
    tasks = await session.claim({"loop": 2}, "me")
    await session.settle([Finish(tasks[0].receipt, b"value")], "me", 1)
    # The chore rides with the next transaction.
    await session.peek("data", ["nothing"])
    await session.put("data", {"key": b""})
    await session.close()
    with sqlite3.connect(file) as other:
        assert other.execute("SELECT count(*) FROM hueyio_waiting").fetchone() == (0,)
    other.close()


@pytest.mark.parametrize("name", ["short.db", "d" * 90 + ".db"])
async def test_a_long_path_has_its_doorbell_elsewhere(name: str, tmp_path: Path) -> None:
    first = await SqliteStorage("app", tmp_path / name).connect()
    second = await SqliteStorage("app", tmp_path / name).connect()
    waiting = asyncio.ensure_future(first.wait_for_work(["loop"], 30.0))
    await second.enqueue([Entry(Header("a"), b"")])
    assert await waiting == {"loop"}
    await first.close()
    await second.close()


async def test_kills_inside_commits_lose_nothing_that_was_acknowledged(start: Start, file: Path) -> None:
    acknowledged: list[str] = []
    for round_ in range(KILLS):
        child = start("produce", str(round_))
        assert child.stdout is not None
        # Killed at some point of its work: after a few more lines in each round.
        for _ in range(5 * (1 + round_ % 4)):
            acknowledged.append(await asyncio.to_thread(line_of, child))
        child.send_signal(signal.SIGKILL)
        # Not by communicate(), which knows nothing of what was read and not yet asked for.
        acknowledged += (await asyncio.to_thread(child.stdout.read)).split("\n")[:-1]
    with sqlite3.connect(file) as other:
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        present = {id for (id,) in other.execute("SELECT id FROM hueyio_tasks")}
    other.close()
    assert len(acknowledged) >= 8 * KILLS
    assert set(acknowledged) <= present
    assert len(present) % 5 == 0, "an enqueue of five is there whole or not at all"


def test_waiting_for_work_does_not_spin(start: Start) -> None:
    """Under 1 % in practice; the bound is only there to tell a slow look from a busy loop on any machine."""
    child = start("idle", "1")
    percent, errors = child.communicate(timeout=60)
    assert (float(percent) < 10.0, errors) == (True, "")


@pytest.mark.parametrize("command", ["forget", "forget_bare"])
def test_forgetting_to_close_prints_nothing_and_ends(command: str, start: Start, file: Path) -> None:
    child = start(command, flags=("-W", "error"))
    assert child.communicate(timeout=60) == ("done\n", "")
    assert child.returncode == 0
    assert [it.name for it in file.parent.iterdir()] == ["app.db"]
