"""Immediate mode from code that blocks: a ``def`` body runs in the thread of whoever made the call."""

from __future__ import annotations

import asyncio
import contextvars
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from hueyio import Huey, MemoryHuey, Task, TaskCancelled, TaskException, TaskTimeout, chord, group

here = threading.get_ident


@pytest.fixture
def huey() -> Iterator[Huey]:
    made = MemoryHuey("threads", immediate=True)
    yield made
    made.sync.close()


@pytest.fixture
def seen(huey: Huey) -> dict[str, int]:
    """Declare hooks that note the threads in which they run."""
    noted: dict[str, int] = {}

    @huey.pre_execute()
    def before(task: Task) -> None:
        noted["before"] = here()

    @huey.post_execute()
    def after(task: Task, value: Any, error: Any) -> None:
        noted["after"] = here()

    return noted


def declare_where(huey: Huey) -> Any:
    @huey.task
    def where(*args: Any) -> int:
        return here()

    return where


def test_body_runs_in_the_thread_of_a_blocking_call(huey: Huey) -> None:
    where = declare_where(huey)
    assert where.sync().get() == here()
    assert where.sync.map([1, 2]).get() == [here()] * 2
    assert huey.sync.enqueue(where.s()).get() == here()
    assert huey.sync.enqueue_many([where.s(), where.s()]).get() == [here()] * 2
    assert huey.sync.enqueue(where.s().then(where)).get() == [here()] * 2
    assert huey.sync.enqueue(group([where.s(), where.s()])).get() == [here()] * 2
    assert huey.sync.enqueue(chord([where.s()], where)).get() == here()


def test_hooks_run_in_the_thread_of_the_body(huey: Huey, seen: dict[str, int]) -> None:
    assert declare_where(huey).sync().get() == here()
    assert seen == {"before": here(), "after": here()}


def test_retries_and_error_handlers_run_there_too(huey: Huey) -> None:
    threads: list[int] = []

    @huey.task(retries=1)
    def fail() -> None:
        threads.append(here())
        raise ValueError("no")

    @huey.task
    def handle(error: Exception) -> None:
        threads.append(here())

    with pytest.raises(TaskException, match="no"):
        huey.sync.enqueue(fail.s().error(handle)).get()
    assert threads == [here()] * 4


def test_calls_nest_in_one_thread(huey: Huey, seen: dict[str, int]) -> None:
    @huey.task
    def count_down(number: int) -> list[int]:
        below = count_down.sync(number - 1).get() if number else None
        return [here(), *(below or ())]

    assert count_down.sync(5).get() == [here()] * 6
    assert seen == {"before": here(), "after": here()}


def test_lock_is_taken_in_the_body(huey: Huey) -> None:
    @huey.task
    def work() -> tuple[int, bool]:
        with huey.lock_task("one"), huey.limit("pool", 1):
            return here(), huey.sync.is_locked("one")

    for _ in range(2):
        assert work.sync().get() == (here(), True)
    assert not huey.sync.is_locked("one")


def test_connection_that_belongs_to_the_thread_serves_the_body(huey: Huey, seen: dict[str, int]) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:

        @huey.task
        def insert(value: int) -> None:
            connection.execute("INSERT INTO numbers VALUES (?)", (value,))

        @huey.post_execute()
        def look(task: Task, value: Any, error: Any) -> None:
            seen["rows"] = len(connection.execute("SELECT * FROM numbers").fetchall())

        connection.execute("CREATE TABLE numbers (value INTEGER)")
        insert.sync.map([1, 2])
        assert connection.execute("SELECT sum(value) FROM numbers").fetchone() == (3,)
        assert seen["rows"] == 2


def test_thread_local_values_and_context_are_those_of_the_caller(huey: Huey) -> None:
    local = threading.local()
    local.user = "ann"
    request: contextvars.ContextVar[str] = contextvars.ContextVar("request", default="none")
    request.set("of the caller")

    @huey.task
    def look() -> tuple[str, str]:
        return local.user, request.get()

    assert look.sync().get() == ("ann", "of the caller")


def test_coroutine_is_not_run_in_the_thread_of_the_call(huey: Huey) -> None:
    @huey.task
    async def where() -> int:
        return here()

    assert where.sync().get() != here()


async def test_awaited_call_runs_the_body_in_another_thread(huey: Huey, seen: dict[str, int]) -> None:
    where = declare_where(huey)
    found = await (await where())
    assert found != here()
    assert seen == {"before": found, "after": found}
    assert await asyncio.to_thread(lambda: where.sync().get() == here())
    await huey.close()


def test_many_threads_have_their_bodies_each(huey: Huey) -> None:
    where = declare_where(huey)
    answers: list[bool] = []
    start = threading.Barrier(8)

    def call() -> None:
        start.wait()
        answers.extend(where.sync().get() == here() for _ in range(10))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 80


def test_timeout_is_reported_after_the_body(huey: Huey) -> None:
    """Nobody can take the thread from its body; its value is dropped all the same."""
    ended: list[int] = []

    @huey.task(timeout=0.01, context=True)
    def work(task: Task) -> str:
        while not task.is_timed_out:
            pass
        ended.append(here())
        return "dropped"

    result = work.sync()
    assert ended == [here()]
    with pytest.raises(TaskException, match="ran longer than"):
        result.get()


def test_body_may_ask_whether_its_time_is_over(huey: Huey) -> None:
    raised: list[str] = []

    @huey.task(timeout=0.01, context=True)
    def work(task: Task) -> None:
        try:
            while True:
                task.check_timeout()
        except TaskTimeout as error:
            raised.append(str(error))
            raise

    with pytest.raises(TaskException, match="ran longer than"):
        work.sync().get()
    assert len(raised) == 1


def test_body_hears_that_it_was_cancelled(huey: Huey) -> None:
    started = threading.Event()

    @huey.task(context=True)
    def work(task: Task) -> None:
        started.set()
        while True:
            task.check_timeout()

    task = work.s()

    def cancel() -> None:
        started.wait()
        huey.sync.cancel(task)

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(TaskCancelled):
        huey.sync.enqueue(task).get()
    canceller.join()


@pytest.mark.parametrize("error", [SystemExit, GeneratorExit, StopIteration])
def test_whatever_a_body_raises_leaves_the_loop_of_blocking_calls(huey: Huey, error: type[BaseException]) -> None:
    @huey.task()
    def leave() -> None:
        raise error("no")

    with pytest.raises(TaskException, match=error.__name__):
        leave.sync().get()
    assert huey.sync.count() == 0
