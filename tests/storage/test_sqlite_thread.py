"""The private names of aiosqlite that ``sqlite_thread`` stands on, and what it makes of them."""

from __future__ import annotations

import asyncio
import queue
import threading
from importlib.metadata import version

import pytest
from aiosqlite import core

from hueyio.storage.sqlite.thread import SqliteThread

ADVICE = "aiosqlite has changed: adapt storage/sqlite/thread.py, or narrow the range in pyproject.toml"


def test_aiosqlite_is_of_the_known_series() -> None:
    assert version("aiosqlite").startswith("0.22."), ADVICE


def test_the_private_names_are_there() -> None:
    connection = core.Connection(lambda: pytest.fail("nothing was to be opened"), 0)
    assert isinstance(connection._thread, threading.Thread), ADVICE
    assert isinstance(connection._tx, queue.SimpleQueue), ADVICE
    assert connection._connection is None, ADVICE
    assert hasattr(core, "_STOP_RUNNING_SENTINEL"), ADVICE


def test_the_thread_takes_pairs_and_ends_at_the_sentinel() -> None:
    connection = core.Connection(lambda: pytest.fail("nothing was to be opened"), 0)
    done: list[str] = []
    connection._tx.put_nowait((None, lambda: done.append("ran")))
    connection._tx.put_nowait((None, lambda: core._STOP_RUNNING_SENTINEL))
    connection._thread.daemon = True
    connection._thread.start()
    connection._thread.join(5.0)
    assert done == ["ran"], ADVICE
    assert not connection._thread.is_alive(), ADVICE


async def test_functions_run_in_order_and_answer() -> None:
    thread = SqliteThread("test")
    done: list[str] = []
    thread.post(lambda: done.append("first"))
    names = thread.run(lambda: threading.current_thread().name)
    fails = thread.run(lambda: 1 // 0)
    thread.stop(lambda: done.append("last"))
    thread.stop(lambda: done.append("never"))
    assert await names == "test"
    with pytest.raises(ZeroDivisionError):
        await fails
    thread.join(5.0)
    assert done == ["first", "last"]


def test_an_answer_for_a_closed_loop_is_dropped(capfd: pytest.CaptureFixture[str]) -> None:
    may_go = threading.Event()
    threads: list[SqliteThread] = []

    async def leave() -> None:
        thread = SqliteThread("test")
        threads.append(thread)
        thread.run(may_go.wait)

    asyncio.run(leave())
    threads[0].stop(lambda: None)
    may_go.set()
    threads[0].join(5.0)
    assert capfd.readouterr() == ("", "")
