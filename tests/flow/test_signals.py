"""The exact sequence of signals of every way in which a task ends, in a consumer and in immediate mode."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from hueyio import (
    SIGNAL_COMPLETE,
    SIGNAL_ERROR,
    CancelExecution,
    Huey,
    HueyException,
    RetryTask,
    Snooze,
    Task,
    TaskException,
)
from tests.support.patience import until


class Recorder:
    """Hears every signal, and knows when one has come."""

    def __init__(self, huey: Huey) -> None:
        self.heard: list[tuple[str, str]] = []
        self._news = asyncio.Condition()
        huey.signal()(self._hear)

    async def _hear(self, signal: str, task: Task, *args: Any) -> None:
        async with self._news:
            self.heard.append((task.name.rpartition(".")[2], signal))
            self._news.notify_all()

    async def wait_count(self, count: int) -> None:
        async with self._news, asyncio.timeout(30):
            await self._news.wait_for(lambda: len(self.heard) >= count)

    def of(self, name: str) -> list[str]:
        return [signal for heard, signal in self.heard if heard == name]


@pytest.fixture(params=["consumer", "immediate"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def huey(make_huey: Callable[..., Huey], mode: str) -> AsyncIterator[Huey]:
    made = make_huey(immediate=mode == "immediate")
    yield made
    await made.close()


async def run(huey: Huey, call: Task, count: int) -> Recorder:
    """Enqueue a call, run it to its end, and give back what was heard: so many signals."""
    recorder = Recorder(huey)
    if huey.immediate:
        await huey.enqueue(call)
    else:
        await huey.enqueue(call)  # before a consumer that might be quicker than its reply
        async with huey.create_consumer():
            await recorder.wait_count(count)
    assert len(recorder.heard) == count, recorder.heard
    return recorder


def declare(huey: Huey, error: BaseException | None = None, **options: Any) -> Any:
    async def work(*args: Any) -> int:
        if error is not None:
            raise error
        return 1

    return huey.task(name="work", **options)(work)


async def test_signals_of_a_success(huey: Huey) -> None:
    work = declare(huey)
    heard = await run(huey, work.s(), 3)
    assert heard.of("work") == ["enqueued", "executing", "complete"]


async def test_signals_of_a_failure(huey: Huey) -> None:
    work = declare(huey, ValueError())
    heard = await run(huey, work.s(), 3)
    assert heard.of("work") == ["enqueued", "executing", "error"]


async def test_signals_of_an_immediate_retry(huey: Huey) -> None:
    work = declare(huey, ValueError(), retries=1)
    heard = await run(huey, work.s(), 7)
    assert heard.of("work") == ["enqueued", "executing", "error", "retrying", "enqueued", "executing", "error"]


async def test_signals_of_a_delayed_retry(huey: Huey) -> None:
    work = declare(huey, ValueError(), retries=1, retry_delay=3600)
    heard = await run(huey, work.s(), 5)
    assert heard.of("work") == ["enqueued", "executing", "error", "retrying", "scheduled"]


async def test_retry_after_a_short_delay_is_scheduled_also_when_its_time_has_come_meanwhile(
    make_huey: Callable[..., Huey],
) -> None:
    huey = make_huey()
    work = declare(huey, ValueError(), retries=1, retry_delay=0.01)
    recorder = Recorder(huey)

    @huey.signal("retrying")
    async def dawdle(signal: str, task: Task) -> None:
        over = time.time() + 0.02

        async def is_over() -> bool:
            return time.time() > over

        await until(is_over)

    async with huey.create_consumer():
        await huey.enqueue(work.s())
        await recorder.wait_count(7)
    heard = recorder.of("work")
    assert sorted(heard) == ["enqueued", "error", "error", "executing", "executing", "retrying", "scheduled"]
    await huey.close()


async def test_signals_of_a_retry_that_was_asked_for(huey: Huey) -> None:
    work = declare(huey, RetryTask(delay=3600))
    heard = await run(huey, work.s(), 4)
    assert heard.of("work") == ["enqueued", "executing", "retrying", "scheduled"]


async def test_signals_of_a_snooze(huey: Huey) -> None:
    work = declare(huey, Snooze(3600))
    heard = await run(huey, work.s(), 3)
    assert heard.of("work") == ["enqueued", "executing", "scheduled"]


async def test_signals_of_a_body_that_cancels_itself(huey: Huey) -> None:
    work = declare(huey, CancelExecution())
    heard = await run(huey, work.s(), 3)
    assert heard.of("work") == ["enqueued", "executing", "canceled"]


async def test_signals_of_a_task_cancelled_by_its_hook(huey: Huey) -> None:
    work = declare(huey, retries=3)

    @huey.pre_execute()
    def refuse(task: Task) -> None:
        raise CancelExecution

    heard = await run(huey, work.s(), 3)
    assert heard.of("work") == ["enqueued", "executing", "canceled"]


async def test_signals_of_a_timeout(huey: Huey) -> None:
    @huey.task(name="work", timeout=0.01)
    async def work() -> None:
        await asyncio.Event().wait()

    heard = await run(huey, work.s(), 3)
    assert heard.of("work") == ["enqueued", "executing", "timeout"]


async def test_signals_of_a_revoked_task(huey: Huey) -> None:
    work = declare(huey)
    await work.revoke()
    heard = await run(huey, work.s(), 2)
    assert heard.of("work") == ["enqueued", "revoked"]


async def test_signals_of_an_expired_task(huey: Huey) -> None:
    work = declare(huey, expires=0)
    heard = await run(huey, work.s(), 2)
    assert heard.of("work") == ["enqueued", "expired"]


async def test_signals_of_a_pipeline(huey: Huey) -> None:
    work = declare(huey)

    @huey.task(name="after")
    async def after(*args: Any) -> None: ...

    heard = await run(huey, work.s().then(after), 6)
    assert heard.heard == [
        ("work", "enqueued"),
        ("work", "executing"),
        ("work", "complete"),
        ("after", "enqueued"),
        ("after", "executing"),
        ("after", "complete"),
    ]


async def test_signals_of_an_interrupted_task(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    started = asyncio.Event()

    @huey.task(name="work")
    async def work() -> None:
        started.set()
        await asyncio.Event().wait()

    recorder = Recorder(huey)
    consumer = huey.create_consumer(shutdown_timeout=0)
    await work()
    async with consumer:
        await started.wait()
        await huey.notify_interrupted_tasks()
        assert recorder.of("work")[-1] == "interrupted"
    assert recorder.of("work") == ["enqueued", "executing", "interrupted", "interrupted"]
    assert await huey.count() == 1
    await huey.close()


async def test_signals_and_hooks_stand_in_their_order(huey: Huey) -> None:
    order: list[str] = []
    result: list[Any] = []

    @huey.signal()
    async def hear(signal: str, task: Task, *args: Any) -> None:
        order.append(signal)
        if signal == SIGNAL_COMPLETE:
            result.append(await huey.result(task.id, preserve=True))

    @huey.pre_execute()
    def before(task: Task) -> None:
        order.append("pre")

    @huey.post_execute()
    async def after(task: Task, value: Any, error: BaseException | None) -> None:
        order.append(f"post {value}")

    @huey.task
    def work() -> int:
        order.append("body")
        return 5

    if huey.immediate:
        await work()
    else:
        await work()
        async with huey.create_consumer():
            await until(lambda: answer(bool(result)))
    assert order == ["enqueued", "executing", "pre", "body", "post 5", "complete"]
    assert result == [5]


async def answer(value: bool) -> bool:
    return value


async def test_disconnecting_from_one_signal_leaves_the_others(huey: Huey) -> None:
    heard: list[str] = []

    @huey.signal(SIGNAL_COMPLETE, SIGNAL_ERROR)
    async def hear(signal: str, task: Task, *args: Any) -> None:
        heard.append(signal)

    huey.disconnect_signal(hear, SIGNAL_COMPLETE)
    work = declare(huey, ValueError())

    @huey.task
    async def fine() -> int:
        return 1

    if huey.immediate:
        await huey.enqueue(work.s())
        await fine()
    else:
        async with huey.create_consumer():
            result = await work()
            with pytest.raises(TaskException):
                await result
            await (await fine())
    assert heard == [SIGNAL_ERROR]
    huey.disconnect_signal(hear)


def test_disconnecting_from_a_signal_nobody_connected_says_so(make_huey: Callable[..., Huey]) -> None:
    with pytest.raises(HueyException, match="nobody is connected to signal 'complete'"):
        make_huey().disconnect_signal(print, SIGNAL_COMPLETE)
