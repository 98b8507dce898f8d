"""The consumer as a whole: its stop order, and the hazards that broke earlier designs."""

from __future__ import annotations

import asyncio
import gc
import logging
import pickle
import signal
import threading
from contextvars import ContextVar
from typing import Any

import pytest

from hueyio import ConfigurationError, Huey, HueyException, MemoryHuey, SessionClosed, TaskException
from hueyio.client.prepare import prepare
from hueyio.core import core_of
from hueyio.execution.policy import UNKNOWN_TASK_PATIENCE
from hueyio.messages.entry import make_entry
from hueyio.storage.memory.session import MemorySession
from hueyio.storage.memory.storage import MemoryStorage
from hueyio.storage.records import Entry, Header
from tests.support.patience import until


async def is_at(result: Any, status: str) -> bool:
    return bool(await result.status() == status)


class Gate:
    """A task that says when it has started and ends when it is let."""

    def __init__(self, huey: Huey) -> None:
        self.started: asyncio.Queue[int] = asyncio.Queue()
        self.open = asyncio.Event()
        self.ended: list[int] = []

        @huey.task
        async def wait(number: int) -> int:
            await self.started.put(number)
            await self.open.wait()
            self.ended.append(number)
            return number

        self.wait = wait


async def test_stop_while_all_slots_are_busy_lets_them_finish(huey: Huey) -> None:
    gate = Gate(huey)
    consumer = huey.create_consumer(workers=2, prefetch=2)
    async with consumer:
        await gate.wait.map(range(6))
        await gate.started.get()
        await gate.started.get()
        consumer.stop()
        gate.open.set()
        await consumer.wait_stopped()
    assert sorted(gate.ended) == [0, 1]
    counts = await huey.counts()
    assert (sum(counts.queued.values()), counts.running) == (4, 0)


async def test_immediate_stop_cancels_and_gives_back_unharmed(huey: Huey) -> None:
    gate = Gate(huey)
    consumer = huey.create_consumer(workers=2)
    await consumer.start()
    result = await gate.wait(1)
    await gate.started.get()
    consumer.stop(graceful=False)
    await consumer.wait_stopped()
    assert gate.ended == []
    (task,) = await huey.pending()
    assert (task.id, task.attempt) == (result.id, 0)
    gate.open.set()
    async with huey.create_consumer():
        assert await result == 1


async def test_grace_that_runs_out_cancels_what_still_runs(huey: Huey) -> None:
    """The grace is bounded."""
    gate = Gate(huey)
    async with huey.create_consumer(shutdown_timeout=0.05):
        await gate.wait(1)
        await gate.started.get()
    assert await huey.count() == 1


async def test_body_that_finishes_in_spite_of_its_cancellation_keeps_its_result(huey: Huey) -> None:
    started = asyncio.Event()

    @huey.task
    async def stuck() -> str:
        try:
            started.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "done all the same"
        return "never"

    async with huey.create_consumer(shutdown_timeout=0):
        result = await stuck()
        await started.wait()
    assert await result == "done all the same"


async def test_cancelled_run_stops_gracefully_and_is_cancelled(huey: Huey) -> None:
    gate = Gate(huey)
    running = asyncio.ensure_future(huey.create_consumer().run())
    result = await gate.wait(1)
    await gate.started.get()
    running.cancel()
    await asyncio.sleep(0)
    gate.open.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await result == 1


async def test_embedding_touches_no_signal_handler(huey: Huey) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with huey.create_consumer():
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


async def test_run_stops_at_a_signal_where_asked(huey: Huey) -> None:
    gate = Gate(huey)
    running = asyncio.ensure_future(huey.create_consumer().run(handle_signals=True))
    result = await gate.wait(1)
    await gate.started.get()
    gate.open.set()
    signal.raise_signal(signal.SIGTERM)
    await running
    assert await result == 1


async def test_consumer_is_used_once(huey: Huey) -> None:
    consumer = huey.create_consumer()
    async with consumer:
        pass
    with pytest.raises(HueyException, match="create another"):
        await consumer.start()


@pytest.mark.parametrize(
    "options",
    [{"workers": 0}, {"threads": 1.5}, {"lease": 0}, {"shutdown_timeout": -1}, {"prefetch": -1}, {"no_such": 1}],
)
def test_wrong_option_is_refused_by_its_name(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        MemoryHuey().create_consumer(**options)


async def test_embedding_app_that_raises_leaves_nothing_behind(huey: Huey) -> None:
    with pytest.raises(ZeroDivisionError):
        async with huey.create_consumer():
            raise ZeroDivisionError
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not any(name.startswith("hueyio-") and "sqlite" not in name and "session" not in name for name in names)


async def test_session_closed_under_the_consumer_is_raised_by_it(huey: Huey) -> None:
    consumer = huey.create_consumer()
    await consumer.start()
    await huey.close()
    with pytest.raises(SessionClosed):
        await consumer.wait_stopped()


async def test_consumer_that_is_cancelled_while_it_starts_does_not_live_on() -> None:
    reached = asyncio.Event()

    class SlowStorage(MemoryStorage):
        async def connect(self) -> MemorySession:
            reached.set()
            await asyncio.Event().wait()
            return await super().connect()

    consumer = MemoryHuey(storage_class=SlowStorage).create_consumer()
    starting = asyncio.ensure_future(consumer.run())
    await reached.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "hueyio-consumer"]


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


async def test_body_that_closes_its_huey_does_not_end_its_consumer(huey: Huey) -> None:
    @huey.task
    async def work(n: int) -> int:
        async with huey:  # as a helper may do that is used in scripts too
            await huey.put("key", n)
        return n

    async with huey.create_consumer():
        assert await (await work(1)) == 1
        assert await (await work(2)) == 2


async def test_coroutines_share_the_loop_and_threads_do_not_hold_them_up(huey: Huey) -> None:
    release = threading.Event()

    @huey.task
    def block() -> None:
        release.wait(60)

    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    async with huey.create_consumer(threads=2):
        blocked = await block.map([()] * 20)
        assert await (await add(1, 2)) == 3
        release.set()
        await blocked


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


async def enqueue_raw(huey: Huey, id: str, data: bytes, **header: Any) -> None:
    session = await core_of(huey).session()
    await session.enqueue([Entry(Header(id, **header), data)])


@pytest.mark.parametrize(
    "data", [b"", b"\x80garbage", pickle.dumps({"not": "a message"}), pickle.dumps((99, "i", "n"))]
)
async def test_unreadable_message_is_kept_and_its_waiters_told(huey: Huey, data: bytes) -> None:
    await enqueue_raw(huey, "bad", data, expects=("later",))
    async with huey.create_consumer():
        for id in ("bad", "later"):
            with pytest.raises(TaskException, match="cannot be read"):
                await huey.result_of(id)
    (letter,) = await huey.dead()
    assert (letter.id, letter.data, letter.task) == ("bad", data, None)


async def test_unknown_task_goes_back_and_runs_once_it_is_known(huey: Huey, caplog: pytest.LogCaptureFixture) -> None:
    async def add(a: int, b: int) -> int:
        return a + b

    wrapper = huey.task(add)
    result = await wrapper(1, 2)
    wrapper.unregister()
    async with huey.create_consumer():
        await until(lambda: is_at(result, "scheduled"))
        assert "is its module imported by the consumer?" in caplog.text
        huey.task(add)
        assert await result == 3


async def test_unknown_task_is_buried_after_a_day(huey: Huey) -> None:
    wrapper = huey.task(noop)
    entry = prepare(core_of(huey), wrapper.s())
    wrapper.unregister()
    header = entry.header._replace(first_seen=core_of(huey).now() - UNKNOWN_TASK_PATIENCE - 1, defers=2000)
    session = await core_of(huey).session()
    await session.enqueue([Entry(header, entry.data)])
    async with huey.create_consumer():
        with pytest.raises(TaskException, match="UnknownTask"):
            await huey.result_of(header.id)
    (letter,) = await huey.dead()
    assert "for 24 h" in letter.reason
    huey.task(noop)
    assert await huey.requeue([letter.id]) == {letter.id: "added"}
    async with huey.create_consumer():
        assert await huey.result_of(letter.id) == "ran"


async def noop() -> str:
    return "ran"


async def test_dead_letters_can_be_purged(huey: Huey) -> None:
    for number in range(3):
        await enqueue_raw(huey, f"bad{number}", b"?")
    async with huey.create_consumer():
        for number in range(3):
            with pytest.raises(TaskException):
                await huey.result_of(f"bad{number}")
    assert len(await huey.dead(limit=2)) == 2
    assert await huey.purge(["bad0"]) == 1
    assert await huey.purge() == 2
    assert await huey.dead() == []


async def test_revocation_reaches_what_is_prefetched(huey: Huey) -> None:
    gate = Gate(huey)
    async with huey.create_consumer(workers=1, prefetch=5):
        first = await gate.wait(0)
        await gate.started.get()
        second = await gate.wait(1)
        await until(lambda: is_at(second, "running"))
        await second.revoke()
        third = await gate.wait(2)
        await until(lambda: is_at(third, "running"))
        gate.open.set()
        assert await first == 0
        assert await third == 2
        if await second.status() == "cancelled":
            assert gate.ended == [0, 2]


async def test_failure_is_logged_with_its_task(huey: Huey, caplog: pytest.LogCaptureFixture) -> None:
    @huey.task
    async def fail() -> None:
        raise ValueError("no")

    async with huey.create_consumer():
        result = await fail()
        with pytest.raises(TaskException):
            await result
    record = next(record for record in caplog.records if record.levelno == logging.ERROR)
    assert result.id in record.getMessage()
    assert record.exc_info is not None


async def test_state_follows_the_life_of_the_consumer(huey: Huey) -> None:
    states: list[str] = []

    @huey.on_startup()
    async def starting() -> None:
        states.append(consumer.statistics().state)

    @huey.on_shutdown()
    async def stopping() -> None:
        states.append(consumer.statistics().state)

    consumer = huey.create_consumer()
    states.append(consumer.statistics().state)
    async with consumer:
        states.append(consumer.statistics().state)
    states.append(consumer.statistics().state)
    assert states == ["starting", "starting", "consuming", "stopping", "stopped"]


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
    entry = make_entry(poisoned, core_of(huey).registry.get(poisoned.path), huey.serializer, core_of(huey).now())
    async with huey.create_consumer(workers=1, prefetch=0):
        await (await core_of(huey).session()).enqueue([entry])
        assert await (await good()) == 1
        with pytest.raises(TaskException):
            await huey.result_of(poisoned.id)


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
