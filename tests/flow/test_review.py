"""Defects that were found by attacking the consumer; each test names one."""

from __future__ import annotations

import asyncio
import functools
import gc
import json
import multiprocessing
import pickle
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from hueyio import (
    ConfigurationError,
    Huey,
    HueyException,
    MemoryHuey,
    RetryTask,
    Serializer,
    Task,
    TaskCancelled,
    TaskException,
)
from hueyio.handles.decorators import make_spec
from hueyio.messages.entry import make_entry
from hueyio.storage.contract import Session
from hueyio.storage.records import Entry, Header
from tests.support.patience import until


class JsonSerializer(Serializer):
    """A format that cannot hold the bytes of an exception."""

    def _serialize(self, value: Any) -> bytes:
        return json.dumps(value).encode()

    def _deserialize(self, data: bytes) -> Any:
        return json.loads(data)


async def test_error_in_a_format_without_bytes_is_kept_by_its_text(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey(serializer=JsonSerializer())

    @huey.task
    async def fail() -> None:
        raise ValueError("no")

    async with huey.create_consumer():
        with pytest.raises(TaskException, match="no"):
            await (await fail())
    await huey.close()


async def test_retry_that_asks_for_nonsense_is_a_failure(huey: Huey) -> None:
    @huey.task
    async def odd() -> None:
        raise RetryTask(eta=60)  # type: ignore[arg-type]

    async with huey.create_consumer():
        with pytest.raises(TaskException, match="takes a datetime as eta"):
            await (await odd())


@pytest.mark.parametrize(
    "setting",
    [{"retry_delay": 1e12}, {"priority": float("nan")}, {"priority": 2**70}, {"timeout": -1}, {"retries": -1}],
)
def test_setting_of_a_call_that_cannot_be_used_is_refused_at_the_call(setting: dict[str, Any]) -> None:
    @MemoryHuey().task
    async def work() -> None: ...

    with pytest.raises((ConfigurationError, ValueError), match=next(iter(setting))):
        work.options(**setting).s()


async def test_settlement_that_the_storage_cannot_take_stops_no_other(huey: Huey) -> None:
    @huey.task
    async def good(*args: Any) -> int:
        return 1

    @huey.task
    async def bad() -> None:
        raise ValueError("no")

    poisoned = bad.s()
    poisoned.on_error = good.s()
    # Past the checks of the enqueue: what SQLite cannot bind shows only when the handler is written.
    poisoned.on_error.priority = 2**2000
    entry = make_entry(poisoned, huey.registry, huey.serializer, huey.now())
    async with huey.create_consumer(workers=1, prefetch=0):
        await (await huey.session()).enqueue([entry])
        assert await (await good()) == 1
        with pytest.raises(TaskException):
            await huey.result_of(poisoned.id)


async def test_receivers_hear_of_tasks_that_are_not_run(huey: Huey) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    @huey.signal("revoked", "expired", "interrupted")
    async def hear(signal: str, task: Any) -> None:
        await heard.put(signal)

    started = asyncio.Event()

    @huey.task
    async def work() -> None:
        started.set()
        await asyncio.Event().wait()

    revoked = await work()
    await revoked.revoke()
    async with huey.create_consumer(shutdown_timeout=0):
        assert await heard.get() == "revoked"
        await work.options(expires=0)()
        assert await heard.get() == "expired"
        await work()
        await started.wait()
    assert await heard.get() == "interrupted"


@pytest.mark.parametrize("kind", [asyncio.CancelledError, SystemExit, KeyboardInterrupt])
async def test_receiver_that_raises_anything_changes_nothing(huey: Huey, kind: type[BaseException]) -> None:
    @huey.signal("executing")
    def thrower(signal: str, task: Any) -> None:
        raise kind

    @huey.task
    async def work() -> int:
        return 1

    async with huey.create_consumer(workers=1):
        assert await (await work()) == 1
        assert await (await work()) == 1


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


async def test_hidden_coroutine_function_is_run(huey: Huey) -> None:
    def decorate(function: Callable[[], Any]) -> Callable[[], Any]:
        @functools.wraps(function)
        def inner() -> Any:
            return function()

        return inner

    @huey.task
    @decorate
    async def hidden() -> str:
        await asyncio.sleep(0)
        return "ran"

    async with huey.create_consumer():
        assert await (await hidden()) == "ran"


def test_generator_function_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="generator"):

        @MemoryHuey().task
        def generate() -> Any:
            yield 1


USER: ContextVar[str] = ContextVar("USER", default="nobody")


@pytest.mark.parametrize("suspend", [False, True])
async def test_context_variable_of_one_task_is_not_seen_by_the_next(huey: Huey, suspend: bool) -> None:
    @huey.task
    async def log_in(name: str) -> str:
        USER.set(name)
        if suspend:
            await asyncio.sleep(0)
        return USER.get()

    @huey.task
    async def who() -> str:
        return USER.get()

    async with huey.create_consumer(workers=1):
        assert await (await log_in("alice")) == "alice"
        assert await (await who()) == "nobody"


def test_sessions_of_ended_loops_are_dropped(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    loops: list[weakref.ref[Any]] = []

    @huey.task
    async def work() -> None: ...

    async def enqueue() -> None:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        await work()

    for _ in range(10):
        asyncio.run(enqueue())
    gc.collect()
    assert sum(loop() is not None for loop in loops) <= 2


async def test_function_that_moved_to_another_lane_is_run_as_fast(huey: Huey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hueyio.consumer.fetcher._LONGEST_WAIT", 600.0)

    def plain(number: int) -> int:
        return number

    declared = huey.task(name="moved")(plain)
    group = await declared.map(range(60))
    declared.unregister()

    async def moved(number: int) -> int:
        return number

    moved.__module__ = plain.__module__
    huey.task(name="moved")(moved)
    # Far below the wait at the bell, which is a third of the lease.
    async with huey.create_consumer(threads=2, lease=1800), asyncio.timeout(60):
        assert await group == list(range(60))


async def test_consumer_that_is_cancelled_while_it_starts_does_not_live_on() -> None:
    reached = asyncio.Event()

    class SlowHuey(MemoryHuey):
        async def session(self) -> Session:
            reached.set()
            await asyncio.Event().wait()
            return await super().session()

    consumer = SlowHuey().create_consumer()
    starting = asyncio.ensure_future(consumer.run())
    await reached.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "hueyio-consumer"]


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
        session = await huey.session()
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


async def test_revocation_for_once_used_up_by_another_leaves_nobody_behind(huey: Huey) -> None:
    @huey.task
    async def work() -> int:
        return 1

    await work.revoke(revoke_once=True)
    group = await work.map([()] * 400)
    async with huey.create_consumer(workers=200, prefetch=200):
        endings = await asyncio.gather(*group, return_exceptions=True)
    assert sum(ending == 1 for ending in endings) == 399


async def test_two_consumers_in_one_loop_share_the_work(huey: Huey) -> None:
    meeting = asyncio.Barrier(2)

    @huey.task
    async def meet() -> int:
        await meeting.wait()
        return 1

    # Each consumer takes one at a time, so that two that meet are on two consumers.
    async with huey.create_consumer(workers=1, prefetch=0), huey.create_consumer(workers=1, prefetch=0):
        await asyncio.sleep(0)
        assert await (await meet.map([()] * 4)) == [1] * 4


def run_in_child(answers: Any) -> None:
    async def main() -> Any:
        async with asyncio.timeout(20):
            return await (await FORKED())

    answers.put(asyncio.run(main()))


FORKED_HUEY = MemoryHuey("forked", immediate=True)


@FORKED_HUEY.task
def FORKED() -> int:  # noqa: N802
    return 1


async def test_body_that_closes_its_huey_does_not_end_its_consumer(huey: Huey) -> None:
    @huey.task
    async def work(n: int) -> int:
        async with huey:  # as a helper may do that is used in scripts too
            await huey.put("key", n)
        return n

    async with huey.create_consumer():
        assert await (await work(1)) == 1
        assert await (await work(2)) == 2


class Exiting:
    """A value that ends the program when it is written."""

    def __reduce__(self) -> Any:
        raise SystemExit(1)


async def test_value_that_ends_the_program_when_it_is_written_is_a_failure(huey: Huey) -> None:
    @huey.task
    async def work() -> Any:
        return Exiting()

    async with huey.create_consumer():
        with pytest.raises(TaskException, match="cannot be serialised"):
            await (await work())


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_threads_work_after_a_fork() -> None:
    async def main() -> Any:
        return await (await FORKED())

    assert asyncio.run(main()) == 1
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=run_in_child, args=(answers,))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    assert answers.get() == 1


@pytest.mark.parametrize(
    "data",
    [pickle.dumps((1, "id", "name", 5)), pickle.dumps((1, "id", "name", (), {}, 0, 0, 0.0, 0.0, None, None, "noon"))],
)
async def test_message_with_fields_of_the_wrong_kind_is_a_dead_letter_that_can_be_listed(
    huey: Huey, data: bytes
) -> None:
    session = await huey.session()
    await session.enqueue([Entry(Header("odd"), data)])
    assert await huey.pending() == []
    async with huey.create_consumer():
        with pytest.raises(TaskException, match="cannot be read"):
            await huey.result_of("odd")
    (letter,) = await huey.dead()
    assert (letter.id, letter.task) == ("odd", None)


@pytest.mark.parametrize("fields", [{"priority": "high"}, {"id": 5}, {"id": ""}, {"timeout": -1}, {"retries": "x"}])
async def test_task_that_was_built_by_hand_is_checked_at_the_enqueue(huey: Huey, fields: dict[str, Any]) -> None:
    @huey.task
    async def work() -> None: ...

    with pytest.raises(ConfigurationError, match=next(iter(fields))):
        await huey.enqueue(Task(work.name, **fields))
    with pytest.raises(HueyException, match="only a Task"):
        await huey.enqueue("work")  # type: ignore[call-overload]


async def test_immediate_stop_prints_no_traceback(huey: Huey, caplog: pytest.LogCaptureFixture) -> None:
    started = asyncio.Event()

    @huey.task
    async def work() -> None:
        started.set()
        await asyncio.Event().wait()

    consumer = huey.create_consumer()
    await consumer.start()
    await work()
    await started.wait()
    consumer.stop()
    await asyncio.sleep(0.01)  # into the grace
    consumer.stop(graceful=False)
    await consumer.wait_stopped()
    gc.collect()
    assert [record for record in caplog.records if record.name == "asyncio"] == []


@pytest.mark.parametrize("option", ["unique", "task_base"])
def test_option_that_would_do_nothing_is_refused(option: str) -> None:
    with pytest.raises(ConfigurationError, match=option):
        make_spec(run_in_child, {option: True})
