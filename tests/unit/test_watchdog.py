"""A blocked loop is noticed while it is blocked, and whoever blocks it is named."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from hueyio.consumer.watchdog import LoopWatch, Watchdog, watch_loop
from tests.support.consuming import make_job

PATIENCE = 30.0


class News(logging.Handler):
    """Keeps what is logged; ``wait`` blocks its thread until a text was."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.fields: list[dict[str, Any]] = []
        self._arrived = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        with self._arrived:
            self.lines.append(record.getMessage())
            self.fields.append(vars(record))
            self._arrived.notify_all()

    def find(self, text: str) -> str | None:
        return next((line for line in self.lines if text in line), None)

    def wait(self, text: str) -> str:
        with self._arrived:
            assert self._arrived.wait_for(lambda: self.find(text), PATIENCE)
        found = self.find(text)
        assert found is not None
        return found


@pytest.fixture
def news() -> Iterator[News]:
    handler = News()
    logger = logging.getLogger("hueyio.consumer.watchdog")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


async def end(dog: Watchdog, *watches: LoopWatch) -> None:
    """Let the thread end, so that its last line is not in the log of the next test."""
    for one in watches:
        dog.remove(one)
    assert await dog.wait_ended(PATIENCE)


def no_job(task: asyncio.Task[Any]) -> None:
    return None


def block_here_until_told(news: News, text: str) -> str:
    return news.wait(text)


async def test_blocked_loop_is_named_with_its_line_while_it_is_blocked(news: News) -> None:
    current, job = asyncio.current_task(), make_job("7")
    watched = LoopWatch(lambda task: job if task is current else None, 0.1, None, lambda: None)
    dog = watch_loop(watched)
    try:
        line = block_here_until_told(news, "has been blocked")
    finally:
        await end(dog, watched)
    assert "by task work 7:" in line
    assert {(it["task"], it["task_id"]) for it in news.fields} == {("work", "7")}
    assert "block_here_until_told(news" in line
    assert "asyncio/base_events" not in line


async def test_asyncio_task_of_nobody_is_named_by_its_own_name(news: News) -> None:
    watched = LoopWatch(no_job, 0.1, None, lambda: None)
    dog = watch_loop(watched)

    async def block() -> str:
        return block_here_until_told(news, "has been blocked")

    try:
        line = await asyncio.create_task(block(), name="housekeeping")
    finally:
        await end(dog, watched)
    assert "by the asyncio task 'housekeeping'" in line


async def test_loop_that_stays_blocked_is_told_once_with_all_stacks(news: News) -> None:
    told = threading.Event()
    calls: list[int] = []

    def too_long() -> None:
        calls.append(1)
        told.set()

    watched = LoopWatch(no_job, 0.1, 0.3, too_long)
    dog = watch_loop(watched)
    try:
        assert told.wait(PATIENCE)
        await asyncio.to_thread(news.wait, "moves again")
    finally:
        await end(dog, watched)
    assert calls == [1]
    assert "thread MainThread:" in news.wait("hueyio-watchdog")


async def test_loop_that_moves_is_not_mentioned_and_its_lag_is_measured(news: News) -> None:
    watched = LoopWatch(no_job, 2.0, None, lambda: None)  # longer than a busy machine holds the loop up
    dog = watch_loop(watched)
    try:
        async with asyncio.timeout(PATIENCE):
            while dog.lag().last == 0.0:
                await asyncio.sleep(0)
    finally:
        await end(dog, watched)
    assert news.lines == []


async def test_one_thread_serves_all_consumers_of_a_loop() -> None:
    one, two = LoopWatch(no_job, 1.0, None, lambda: None), LoopWatch(no_job, 1.0, None, lambda: None)
    dog = watch_loop(one)
    assert watch_loop(two) is dog
    assert [thread.name for thread in threading.enumerate()].count("hueyio-watchdog") == 1
    dog.remove(one)
    assert await dog.wait_ended(0)  # there is no end to wait for: it watches for the other
    await end(dog, two)
    other = watch_loop(one)
    assert other is not dog
    await end(other, one)


async def test_last_line_is_logged_before_the_end(news: News) -> None:
    watched = LoopWatch(no_job, 0.1, None, lambda: None)
    dog = watch_loop(watched)
    block_here_until_told(news, "has been blocked")
    await end(dog, watched)
    assert "moves again" in news.lines[-1]


async def test_acts_while_a_log_handler_holds_its_lock(news: News) -> None:
    acted, told = threading.Event(), threading.Event()
    watched = LoopWatch(no_job, 0.1, 0.3, acted.set, told.set)
    dog = watch_loop(watched)
    news.acquire()  # as a thread of the user's does whose handler never returns
    try:
        assert acted.wait(PATIENCE)
        assert told.wait(PATIENCE)
        assert news.lines == []
    finally:
        news.release()
        await end(dog, watched)
