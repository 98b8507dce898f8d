"""What the log has of runs, and which task the application's own lines name, whoever runs them and wherever."""

from __future__ import annotations

import asyncio
import importlib
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import pytest

from hueyio import (
    CancelExecution,
    Huey,
    MemoryHuey,
    RetryTask,
    Snooze,
    Task,
    TaskException,
    TaskLogFilter,
    WorkerLost,
    current_task,
)
from hueyio.core import core_of
from hueyio.storage.records import Entry, Header

LINES = "hueyio.execution.run_log"

app_log = logging.getLogger("shop")


class _Kept(logging.Handler):
    """Keeps all records; that of pytest begins anew after the fixtures."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.addFilter(TaskLogFilter())

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[logging.LogRecord]]:
    """The records of this test, each with the task that it was written in."""
    caplog.set_level(logging.DEBUG, LINES)
    caplog.set_level(logging.INFO, "shop")
    handler = _Kept()
    logging.root.addHandler(handler)
    yield handler.records
    logging.root.removeHandler(handler)


@pytest.fixture(params=["consumer", "immediate", "by hand"])
async def runner(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Huey, Any]]:
    """A Huey, and what runs a call of one of its tasks to its end."""
    huey = MemoryHuey("shop", immediate=request.param == "immediate")

    async def run(call: Task) -> Any:
        result = await huey.enqueue(call)
        if request.param == "by hand":
            while (task := await huey.dequeue()) is not None:
                await huey.execute(task)
        elif request.param == "consumer":
            async with huey.create_consumer():
                with suppress(TaskException):
                    await result
        return result.id

    yield huey, run
    await huey.close()


def of(lines: list[logging.LogRecord], id: str) -> list[tuple[int, str]]:
    """The level and the text of each line about a run of this task, behind its name and id."""
    own = [it for it in lines if it.name == LINES and vars(it)["task_id"] == id]
    return [(it.levelno, it.getMessage().split(f" {id} ", 1)[1]) for it in own]


async def test_run_has_a_line_at_its_start_and_at_its_good_end(
    runner: tuple[Huey, Any], lines: list[logging.LogRecord]
) -> None:
    huey, run = runner

    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    id = await run(add.s(1, 2))
    begins, done = of(lines, id)
    assert begins == (logging.DEBUG, "begins, attempt 1 of 1")
    assert done[0] == logging.DEBUG
    assert done[1].startswith("is done after 0.")
    fields = vars([it for it in lines if it.name == LINES][-1])
    assert (fields["task"], fields["task_id"], fields["attempt"], fields["queue"]) == (add.path, id, 1, "shop")
    assert 0 <= fields["duration"] < 60


async def test_retried_failure_is_a_warning_and_the_last_an_error_with_one_traceback(
    runner: tuple[Huey, Any], lines: list[logging.LogRecord], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LINES)
    huey, run = runner

    @huey.task(retries=2)
    def pay() -> None:
        raise ValueError("no money")

    told = of(lines, await run(pay.s()))
    assert [level for level, _ in told] == [logging.WARNING, logging.WARNING, logging.ERROR]
    assert ["tried again at once: ValueError('no money')" in text for _, text in told] == [True, True, False]
    assert [text.split("attempt ")[1][:6] for _, text in told] == ["1 of 3", "2 of 3", "3 of 3"]
    records = [it for it in lines if it.levelno >= logging.WARNING]
    assert [it.exc_info is not None for it in records] == [False, False, True]
    assert [vars(it)["attempt"] for it in records] == [1, 2, 3]


async def test_retried_failure_has_its_traceback_where_debug_lines_are_logged(
    runner: tuple[Huey, Any], lines: list[logging.LogRecord]
) -> None:
    huey, run = runner

    @huey.task(retries=1)
    def pay() -> None:
        raise ValueError("no money")

    await run(pay.s())
    assert [it.exc_info is not None for it in lines if it.levelno >= logging.WARNING] == [True, True]


async def test_value_that_cannot_be_stored_is_one_error(
    runner: tuple[Huey, Any], lines: list[logging.LogRecord]
) -> None:
    huey, run = runner

    @huey.task
    def lock() -> Any:
        return threading.Lock()

    _, (level, text) = of(lines, await run(lock.s()))
    assert level == logging.ERROR
    assert "cannot" in text
    assert [it.levelno for it in lines if it.levelno >= logging.WARNING] == [logging.ERROR]


@pytest.mark.parametrize(
    ("error", "level", "text"),
    [
        (CancelExecution("no need", retry=False), logging.WARNING, "has cancelled itself after"),
        (KeyError("k"), logging.ERROR, "failed after"),
    ],
    ids=repr,
)
async def test_end_without_a_value_is_one_line(
    runner: tuple[Huey, Any], lines: list[logging.LogRecord], error: Exception, level: int, text: str
) -> None:
    huey, run = runner

    @huey.task
    async def work() -> None:
        raise error

    _, (told_level, told_text) = of(lines, await run(work.s()))
    assert told_level == level
    assert told_text.startswith(text)


async def test_timeout_is_an_error_with_the_place_where_the_body_was(
    runner: tuple[Huey, Any], lines: list[logging.LogRecord]
) -> None:
    huey, run = runner

    @huey.task(timeout=0.01)
    async def endless() -> None:
        await asyncio.Event().wait()

    _, (level, text) = of(lines, await run(endless.s()))
    assert level == logging.ERROR
    assert text.startswith("timed out after")
    assert lines[-1].exc_info is not None


async def test_expired_and_revoked_tasks_have_a_line(runner: tuple[Huey, Any], lines: list[logging.LogRecord]) -> None:
    huey, run = runner

    @huey.task
    async def work() -> None: ...

    stale = await run(work.options(expires=0).s())
    call = work.s()
    await huey.revoke(call)
    revoked = await run(call)
    ((level, text),) = of(lines, stale)
    assert (level, text.split(":")[0]) == (logging.WARNING, "has expired, it is not run")
    assert of(lines, revoked) == [(logging.INFO, "is revoked, it is not run")]


async def test_put_back_is_an_info_line_that_says_when_it_runs_again(lines: list[logging.LogRecord]) -> None:
    huey = MemoryHuey("shop")
    errors = [Snooze(3600), RetryTask(delay=3600)]

    @huey.task
    async def work(number: int) -> None:
        raise errors[number]

    for number, why in enumerate(["snoozes", "asks to be retried"]):
        result = await work(number)
        task = await huey.dequeue()
        assert task is not None
        await huey.execute(task)
        _, (level, text) = of(lines, result.id)
        assert level == logging.INFO
        assert text.startswith(f"{why}; put back 1 times, runs again in 3600 s, at ")
    await huey.close()


async def test_cancelled_task_has_a_line_queued_or_running(lines: list[logging.LogRecord]) -> None:
    huey = MemoryHuey("shop")
    began = asyncio.Event()

    @huey.task
    async def endless() -> None:
        began.set()
        await asyncio.Event().wait()

    queued = await endless()
    await queued.cancel()
    assert of(lines, queued.id) == [(logging.INFO, "is cancelled, it is not run")]
    async with huey.create_consumer():
        running = await endless()
        await began.wait()
        await running.cancel()
        with suppress(TaskException):
            await running
    level, text = of(lines, running.id)[-1]
    assert level == logging.INFO
    assert text.startswith("is cancelled after 0.")
    await huey.close()


async def test_body_that_the_stop_interrupts_has_a_line(lines: list[logging.LogRecord]) -> None:
    huey = MemoryHuey("shop")
    began = asyncio.Event()

    @huey.task
    async def endless() -> None:
        began.set()
        await asyncio.Event().wait()

    async with huey.create_consumer(shutdown_timeout=0):
        result = await endless()
        await began.wait()
    level, text = of(lines, result.id)[-1]
    assert (level, text.startswith("is interrupted by the stop after 0.")) == (logging.INFO, True)
    await huey.close()


async def test_good_end_is_an_info_line_where_a_consumer_logs_runs(
    huey: Huey, lines: list[logging.LogRecord], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LINES)

    @huey.task
    async def work() -> int:
        return 1

    async with huey.create_consumer(log_runs=True):
        result = await work()
        await result
    ((level, text),) = of(lines, result.id)
    assert (level, text.startswith("is done after 0.")) == (logging.INFO, True)


async def test_good_end_makes_no_record_where_the_level_is_off(
    huey: Huey, lines: list[logging.LogRecord], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LINES)

    @huey.task
    async def work() -> int:
        return 1

    async with huey.create_consumer():
        result = await work()
        await result
    assert of(lines, result.id) == []


async def test_line_about_a_hook_or_a_receiver_that_fails_has_the_fields_of_the_task(
    runner: tuple[Huey, Any], lines: list[logging.LogRecord]
) -> None:
    huey, run = runner

    @huey.signal("executing")
    def receive(*_: Any) -> None:
        raise ValueError("receiver")

    @huey.pre_execute()
    async def before(task: Task) -> None:
        raise ValueError("hook")

    @huey.task
    async def work() -> int:
        return 1

    id = await run(work.s())
    failed = [vars(it) for it in lines if it.levelno == logging.ERROR]
    assert [(it["task"], it["task_id"], it["attempt"], it["queue"]) for it in failed] == [
        (work.path, id, 1, "shop")
    ] * 2


async def lose_worker(huey: Huey, times: int) -> None:
    """Let so many owners die with what is queued."""
    session = await core_of(huey).session()
    for number in range(times):
        await session.register(f"dead {number}", b"{}")
        await session.claim({"loop": 1}, f"dead {number}")
        assert await session.reclaim(f"dead {number}", 0) == 1


async def test_task_whose_worker_died_is_named_when_it_begins_again(
    huey: Huey, lines: list[logging.LogRecord], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LINES)

    @huey.task
    async def work() -> int:
        return 1

    result = await work()
    await lose_worker(huey, 1)
    async with huey.create_consumer():
        await result
    text = "begins again, attempt 1 of 1: consumers died that held it, 1 of at most 3"
    assert of(lines, result.id) == [(logging.WARNING, text)]


async def test_task_that_is_lost_with_its_workers_is_an_error_with_its_name(
    huey: Huey, lines: list[logging.LogRecord]
) -> None:
    @huey.task
    async def work() -> int:
        return 1

    result = await work()
    await lose_worker(huey, 3)
    async with huey.create_consumer():
        with pytest.raises(WorkerLost):
            await result
    ((level, text),) = of(lines, result.id)
    assert (level, text.split(":")[0]) == (logging.ERROR, "is a dead letter")
    assert [vars(it)["task"] for it in lines if it.name == LINES] == [work.path]


async def test_message_that_cannot_be_read_is_an_error_with_its_id(huey: Huey, lines: list[logging.LogRecord]) -> None:
    entry = Entry(Header("damaged", "loop"), b"no message")
    await (await core_of(huey).session()).enqueue([entry])
    async with huey.create_consumer():
        with pytest.raises(TaskException):
            await huey.result_of("damaged")
    ((level, text),) = of(lines, "damaged")
    assert (level, text.split(":")[0]) == (logging.ERROR, "is a dead letter")


async def test_revocation_that_another_task_used_up_is_taken_back(huey: Huey, lines: list[logging.LogRecord]) -> None:
    @huey.task
    async def work() -> int:
        return 1

    await work.revoke(revoke_once=True)
    results = [await work(), await work()]  # claimed together: both find it
    async with huey.create_consumer():
        for result in results:
            with suppress(TaskException):
                await result
    told = [[text for level, text in of(lines, it.id) if level == logging.INFO] for it in results]
    revoked, taken_back = (
        "is revoked, it is not run",
        "is not revoked after all: another task has used that revocation up",
    )
    assert sorted(told, key=len) == [[revoked], [revoked, taken_back]]


# Which task the application's lines name


def names(lines: list[logging.LogRecord]) -> list[tuple[object, ...]]:
    own = [vars(it) for it in lines if it.name == "shop"]
    return [(it["task"], it["task_id"], it["attempt"], it["queue"]) for it in own]


@pytest.mark.parametrize("lane", ["coroutine", "thread", "loop"])
async def test_line_of_a_body_names_its_task_in_every_lane(
    runner: tuple[Huey, Any], lines: list[logging.LogRecord], lane: str
) -> None:
    huey, run = runner

    async def coroutine() -> None:
        app_log.info("at once")
        await asyncio.sleep(0)
        app_log.info("later")

    def function() -> None:
        app_log.info("at once")
        app_log.info("later")

    declared: Any = huey.task(coroutine) if lane == "coroutine" else huey.task(run_in=lane)(function)  # type: ignore[call-overload]
    id = await run(declared.s())
    app_log.info("outside")
    assert names(lines) == [(declared.path, id, 1, "shop")] * 2 + [("", "", "", "")]


async def test_line_of_what_a_body_starts_names_its_task(
    runner: tuple[Huey, Any], lines: list[logging.LogRecord]
) -> None:
    huey, run = runner

    async def inner() -> None:
        app_log.info("in a task of asyncio")

    @huey.task
    async def work() -> None:
        await asyncio.create_task(inner())
        await asyncio.to_thread(app_log.info, "in a thread")

    id = await run(work.s())
    assert names(lines) == [(work.path, id, 1, "shop")] * 2


async def test_line_of_a_hook_names_the_task(runner: tuple[Huey, Any], lines: list[logging.LogRecord]) -> None:
    huey, run = runner

    @huey.pre_execute()
    def before(task: Task) -> None:
        app_log.info("before")

    @huey.post_execute()
    async def after(task: Task, value: Any, error: BaseException | None) -> None:
        app_log.info("after")

    @huey.task
    def work() -> None:
        app_log.info("body")

    id = await run(work.s())
    assert names(lines) == [(work.path, id, 1, "shop")] * 3


async def test_line_of_a_retry_says_which_attempt_it_is(
    runner: tuple[Huey, Any], lines: list[logging.LogRecord]
) -> None:
    huey, run = runner

    @huey.task(retries=1)
    async def work() -> None:
        app_log.info("here")
        if current_task().attempt == 0:
            raise ValueError("once")

    await run(work.s())
    assert [it[2] for it in names(lines)] == [1, 2]


async def test_tasks_side_by_side_do_not_mix_their_lines(lines: list[logging.LogRecord]) -> None:
    huey = MemoryHuey("shop")
    meeting = asyncio.Barrier(3)

    @huey.task
    async def work() -> None:
        await meeting.wait()
        app_log.info("%s", current_task().id)
        await meeting.wait()
        app_log.info("%s", current_task().id)

    async with huey.create_consumer():
        await asyncio.gather(*[await work() for _ in range(3)])
    own = [it for it in lines if it.name == "shop"]
    assert len(own) == 6
    assert [vars(it)["task_id"] for it in own] == [it.getMessage() for it in own]
    await huey.close()


async def test_line_of_a_pool_process_names_its_task(
    lines: list[logging.LogRecord], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "process_app")
    monkeypatch.setenv("HUEYIO_TEST_HUEY", "hueyio.MemoryHuey('shop')")
    app = importlib.reload(importlib.import_module("tests.flow.process_app"))
    async with app.huey.create_consumer(pool=1):
        result = await app.log(logging.INFO)
        await result
    await app.huey.close()
    (fields,) = [vars(it) for it in lines if it.name == "process_app"]
    assert (fields["task"], fields["task_id"]) == (app.log.path, result.id)
    assert (fields["attempt"], fields["queue"]) == (1, "shop")


@pytest.fixture(params=["factory", "filter"])
def odd_logging(request: pytest.FixtureRequest) -> Iterator[None]:
    """Logging as an application may set it up, with which a line that has fields cannot be written, or none can."""
    factory = logging.getLogRecordFactory()

    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = factory(*args, **kwargs)
        record.task = "the application's own"
        return record

    def refuse(record: logging.LogRecord) -> bool:
        raise ValueError("a filter that fails")

    ours = logging.getLogger(LINES)
    if request.param == "factory":
        logging.setLogRecordFactory(make)
    else:
        ours.addFilter(refuse)
    yield
    logging.setLogRecordFactory(factory)
    ours.removeFilter(refuse)


async def test_logging_of_the_application_costs_no_task_its_end(
    odd_logging: None, runner: tuple[Huey, Any], caplog: pytest.LogCaptureFixture
) -> None:
    huey, run = runner
    attempts: list[int] = []

    @huey.task(retries=1)
    async def fail() -> None:
        attempts.append(1)
        raise ValueError("no")

    with suppress(TaskException):
        await run(fail.s())
    assert len(attempts) == 2
    (failed,) = (await huey.failed()).items if not huey.immediate else [None]
    assert failed is None or failed.kind == "failed"
    assert not any("could not be ended" in record.getMessage() for record in caplog.records)
