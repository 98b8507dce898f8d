"""The thread that runs whole functions: their order, their answers, and what it leaves behind."""

from __future__ import annotations

import asyncio
import threading
import weakref

import pytest

from hueyio.storage.sqlite.engine.thread import SqliteThread


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


def test_nothing_is_kept_alive_while_the_thread_is_idle() -> None:
    class Held:
        def method(self) -> None:
            ran.set()

    ran, gone = threading.Event(), threading.Event()
    thread = SqliteThread("test")
    held = Held()
    weakref.finalize(held, gone.set)
    thread.post(held.method)
    del held
    assert ran.wait(5.0)
    assert gone.wait(5.0)
    thread.stop(lambda: None)
    thread.join(5.0)


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
