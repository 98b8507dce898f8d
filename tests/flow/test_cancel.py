"""Cancel from outside, at-most-once, and ends that must not be swallowed, on every storage."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest

from hueyio import (
    ConfigurationError,
    Huey,
    HueyException,
    MemoryHuey,
    Task,
    TaskCancelled,
    TaskException,
    WorkerLost,
    current_task,
)
from hueyio.core import core_of
from hueyio.worker.loading import load_huey
from tests.support.patience import until


async def never_run(huey: Huey) -> Any:
    @huey.task(name="never")
    async def never() -> None:
        raise AssertionError("it ran")

    return never


async def test_queued_task_that_is_cancelled_never_runs(huey: Huey) -> None:
    never = await never_run(huey)
    heard: list[str] = []

    @huey.signal()
    async def hear(signal: str, task: Task, *args: Any) -> None:
        heard.append(signal)

    @huey.task
    async def after() -> None: ...

    group = await huey.enqueue(never.s().then(after))
    assert await huey.cancel(group[0]) is True
    async with huey.create_consumer():
        for result in group:
            with pytest.raises(TaskCancelled):
                await result
    assert heard == ["enqueued", "canceled"]
    assert await huey.count() == 0


async def test_scheduled_task_that_is_cancelled_is_gone(huey: Huey) -> None:
    never = await never_run(huey)
    result = await never.options(delay=3600)()
    assert await result.cancel()
    assert await huey.scheduled() == []
    with pytest.raises(TaskCancelled):
        await result


async def test_running_coroutine_is_cancelled(huey: Huey) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    @huey.task(retries=3)
    async def endless() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with huey.create_consumer():
        result = await endless()
        await started.wait()
        assert await result.cancel()
        with pytest.raises(TaskCancelled):
            await result
        assert ended.is_set()


async def test_body_that_looks_by_itself_whether_it_was_cancelled_is_cancelled(huey: Huey) -> None:
    started = asyncio.Event()

    @huey.task
    async def attentive() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            current_task().check_timeout()

    async with huey.create_consumer():
        result = await attentive()
        await started.wait()
        assert await result.cancel()
        with pytest.raises(TaskCancelled):
            await result
    assert await result.status() == "cancelled"


async def test_body_that_looks_by_itself_whether_its_time_is_over_has_timed_out(huey: Huey) -> None:
    ends: list[str] = []

    @huey.signal("complete", "timeout", "error")
    def note(signal: str, task: Any, error: BaseException | None = None) -> None:
        ends.append(signal)

    @huey.task(timeout=0.01)
    def attentive_thread() -> None:
        while True:
            current_task().check_timeout()

    @huey.task(timeout=0.01)
    async def attentive() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            current_task().check_timeout()

    async with huey.create_consumer(threads=1):
        for task in (attentive_thread, attentive):
            with pytest.raises(TaskException, match="TaskTimeout"):
                await (await task())
    assert ends == ["timeout"] * 2


async def test_body_that_cancels_itself_fails_once(huey: Huey) -> None:
    runs: list[int] = []

    @huey.task
    async def suicidal() -> None:
        runs.append(1)
        current = asyncio.current_task()
        assert current is not None
        current.cancel()
        await asyncio.sleep(0)

    @huey.task
    async def next_one() -> int:
        await asyncio.sleep(0)
        return 1

    async with huey.create_consumer(workers=1):
        with pytest.raises(TaskException, match="CancelledError"):
            await (await suicidal())
        assert await (await next_one()) == 1
    assert runs == [1]


async def test_running_thread_is_told_and_let_go(huey: Huey) -> None:
    started, ended = threading.Event(), threading.Event()

    @huey.task
    def endless() -> None:
        started.set()
        pause = threading.Event()
        try:
            while True:
                pause.wait(0.001)
                current_task().check_timeout()
        except TaskCancelled:
            ended.set()
            raise

    async with huey.create_consumer(threads=1):
        result = await endless()
        assert await asyncio.to_thread(started.wait, 30)
        assert await huey.cancel(result.id)
        with pytest.raises(TaskCancelled):
            await result
        assert await asyncio.to_thread(ended.wait, 30)


async def test_many_cancellations_of_one_task_are_one(huey: Huey) -> None:
    never = await never_run(huey)
    results = [await never() for _ in range(20)]
    answers = await asyncio.gather(*(huey.cancel(result) for result in results for _ in range(10)))
    assert all(answers)
    assert await results[0].cancel() is False
    assert [await result.status() for result in results] == ["cancelled"] * 20


async def test_cancellation_during_the_receivers_of_executing_is_heeded(huey: Huey) -> None:
    inside, go_on = asyncio.Event(), asyncio.Event()

    @huey.signal("executing")
    async def hold(signal: str, task: Any) -> None:
        inside.set()
        await go_on.wait()

    @huey.task
    async def work() -> int:
        return 1

    async def is_heard() -> bool:
        job = consumer._ledger.get(result.id)
        return job is not None and job.cancelled

    async with huey.create_consumer() as consumer:
        session = await core_of(huey).session()
        await session.register("canceller", b"{}")
        result = await work()
        await inside.wait()
        await session.cancel([result.id], "canceller")
        notices = await session.notices("canceller", None)
        assert notices.cancelled == frozenset()
        await until(is_heard)  # the notice is on its way to the consumer
        go_on.set()
        with pytest.raises(TaskCancelled):
            await result
        await session.deregister("canceller")


@pytest.mark.parametrize("what", [None, "", 3])
async def test_what_is_no_task_cannot_be_cancelled(what: Any) -> None:
    with pytest.raises(HueyException, match="can be cancelled"):
        await MemoryHuey("cancel").cancel(what)


async def test_id_that_is_enqueued_again_at_once_after_its_cancellation_runs(huey: Huey) -> None:
    started = asyncio.Event()

    @huey.task
    async def work(wait: bool) -> str:
        started.set()
        if wait:
            await asyncio.Event().wait()
        return "ran"

    async with huey.create_consumer():
        for _ in range(5):
            started.clear()
            result = await work.options(id="same")(True)
            await started.wait()
            await result.cancel()
            with pytest.raises(TaskCancelled):
                await result
            assert await (await work.options(id="same")(False)) == "ran"


async def test_task_that_ignores_its_cancellation_is_named_as_stuck(
    caplog: pytest.LogCaptureFixture,
) -> None:
    huey = MemoryHuey("stuck")
    started, release = asyncio.Event(), asyncio.Event()

    @huey.task
    async def stuck() -> int:
        started.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return 1

    consumer = huey.create_consumer()
    consumer._stuck._patience = 0.01
    async with consumer:
        result = await stuck()
        await started.wait()
        await result.cancel()
        await until(lambda: is_true(consumer.statistics().stuck == 1))
        assert any("is stuck" in record.getMessage() for record in caplog.records)
        release.set()
        assert await result == 1
        assert consumer.statistics().stuck == 0
    await huey.close()


async def is_true(value: bool) -> bool:
    return value


async def test_at_most_once_task_that_was_interrupted_is_lost(huey: Huey) -> None:
    started = asyncio.Event()
    runs: list[int] = []

    @huey.task(at_most_once=True, retries=2)
    async def once() -> None:
        runs.append(1)
        started.set()
        await asyncio.Event().wait()

    @huey.task(at_most_once=True)
    async def waits() -> str:
        return "ran"

    async with huey.create_consumer(workers=1, shutdown_timeout=0):
        lost, unstarted = await once(), await waits()
        await started.wait()
    async with huey.create_consumer():
        with pytest.raises(WorkerLost, match="at_most_once"):
            await lost
        assert await unstarted == "ran"
    assert runs == [1]
    assert len(await huey.dead()) == 1


async def test_at_most_once_task_whose_start_is_written_elsewhere_does_not_run(huey: Huey) -> None:
    never = await never_run(huey)
    core_of(huey).registry.find(never.path).options = never.spec.options.__class__(at_most_once=True)
    result = await never()
    session = await core_of(huey).session()
    await session.register("dead", b"")
    (delivery,) = await session.claim({"loop": 1}, "dead")
    assert await session.start([delivery.receipt], "dead") == [True]
    (owner,) = await session.owners()
    await session.reclaim("dead", owner.beat)
    async with huey.create_consumer():
        with pytest.raises(WorkerLost, match="cut short"):
            await result


async def test_at_most_once_failure_follows_its_retries(huey: Huey) -> None:
    runs: list[int] = []

    @huey.task(at_most_once=True, retries=1)
    async def flaky() -> int:
        runs.append(1)
        if len(runs) == 1:
            raise ValueError
        return len(runs)

    async with huey.create_consumer():
        assert await (await flaky()) == 2


async def test_consumer_whose_context_is_cancelled_twice_has_stopped_when_it_is_left() -> None:
    huey = MemoryHuey("twice")
    started = asyncio.Event()

    @huey.task
    async def endless() -> None:
        started.set()
        await asyncio.Event().wait()

    consumer = huey.create_consumer()

    async def embed() -> None:
        async with consumer:
            await endless()
            await asyncio.Event().wait()

    embedding = asyncio.ensure_future(embed())
    await started.wait()
    embedding.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    embedding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await embedding
    assert consumer.statistics().state == "stopped"
    assert await huey.count() == 1


async def test_receiver_that_ignores_its_cancellation_is_counted_at_the_stop(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hueyio.consumer.stop_times.MARGIN", 1.6)
    huey = MemoryHuey("stuck")
    started, release = asyncio.Event(), asyncio.Event()

    @huey.signal("executing")
    async def stuck(signal: str, task: Task) -> None:
        started.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    @huey.task
    async def work() -> None: ...

    consumer = huey.create_consumer(shutdown_timeout=0)
    async with consumer:
        await work()
        await started.wait()
    assert consumer.stuck == 1
    assert any("receivers or hooks in 1 slots" in record.getMessage() for record in caplog.records)
    release.set()
    await huey.close()


async def test_error_metadata_can_be_extended(huey: Huey, caplog: pytest.LogCaptureFixture) -> None:
    class Described(MemoryHuey):
        def build_error_result(self, task: Task, exception: BaseException) -> dict[str, Any]:
            if task.kwargs.get("broken"):
                raise RuntimeError("no description")
            return {**super().build_error_result(task, exception), "host": "here"}

    described = Described("described")

    @described.task
    async def fail(broken: bool = False) -> None:
        raise ValueError("no")

    async with described.create_consumer():
        with pytest.raises(TaskException, match="no") as caught:
            await (await fail())
        assert caught.value.metadata["host"] == "here"
        with caplog.at_level(logging.CRITICAL), pytest.raises(TaskException, match="no description"):
            await (await fail(broken=True))
    await described.close()


async def test_result_that_cannot_be_stored_is_named_itself() -> None:
    huey = MemoryHuey("immediate", immediate=True)

    @huey.task(retries=1)
    async def lock() -> Any:
        return threading.Lock()

    with pytest.raises(TaskException, match=r"lock.* cannot be serialised") as caught:
        await (await lock())
    assert "list cannot" not in str(caught.value)


def test_app_that_exits_at_its_import_is_refused_with_a_reason(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "exits_at_import.py").write_text("raise SystemExit('no settings')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"exits_at_import.*SystemExit\('no settings'\)"):
        load_huey("exits_at_import:huey")
