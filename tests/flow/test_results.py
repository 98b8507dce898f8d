"""From a call to its result, through an embedded consumer, on every storage."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hueyio import (
    CancelExecution,
    Huey,
    NotEnqueuedWarning,
    ResultTimeout,
    RetryTask,
    Task,
    TaskArgumentError,
    TaskException,
    TaskExpired,
    TaskRevoked,
    UnknownTaskError,
)
from hueyio.client.prepare import prepare
from hueyio.core import core_of
from hueyio.messages.stored_result import Error
from tests.support.patience import until


def declare_add(huey: Huey) -> Any:
    @huey.task
    async def add(a: int, b: int) -> int:
        return a + b

    return add


async def test_awaited_result_is_the_value(huey: Huey) -> None:
    add = declare_add(huey)
    async with huey.create_consumer():
        result = await add(1, 2)
        assert await result == 3
        assert await result == 3


async def test_sync_task_runs_in_a_thread(huey: Huey) -> None:
    @huey.task()
    def where() -> str:
        return threading.current_thread().name

    async with huey.create_consumer():
        assert (await (await where())).startswith("hueyio-task")


async def test_value_that_was_read_is_gone_but_stays_in_its_handle(huey: Huey) -> None:
    add = declare_add(huey)
    async with huey.create_consumer():
        result = await add(1, 2)
        assert await result == 3
        assert await result.status() == "done"
        assert (await huey.counts()).results == 0
        other = huey.result_of(result.id)
        assert await other.status() == "done"
        assert await other is None


async def test_preserved_result_can_be_read_again(huey: Huey) -> None:
    add = declare_add(huey)
    async with huey.create_consumer():
        result = await add(1, 2)
        assert await result.get(blocking=True, preserve=True) == 3
        assert await huey.result(result.id, preserve=True) == 3
        assert await huey.result(result.id) == 3
        assert await huey.result(result.id) is None


async def test_unblocked_get_of_a_queued_task_is_none(huey: Huey) -> None:
    add = declare_add(huey)
    result = await add(1, 2)
    assert await result.get() is None
    assert await result() is None
    assert await result.status() == "ready"
    assert await huey.count() == 1
    with pytest.raises(TypeError, match="count"):
        len(huey)


@pytest.mark.parametrize("timeout", [0, 0.01])
async def test_wait_that_runs_out_raises_and_the_task_still_runs(huey: Huey, timeout: float) -> None:
    add = declare_add(huey)
    result = await add(1, 2)
    with pytest.raises(ResultTimeout, match=result.id):
        await result(blocking=True, timeout=timeout)
    async with huey.create_consumer():
        assert await result.get(blocking=True, timeout=30) == 3
    assert await huey.result_of(result.id).get(blocking=True, timeout=0) is None


async def test_wait_that_runs_out_revokes_where_asked(huey: Huey) -> None:
    add = declare_add(huey)
    result = await add(1, 2)
    with pytest.raises(ResultTimeout):
        await result.get(blocking=True, timeout=0.01, revoke_on_timeout=True)
    async with huey.create_consumer():
        with pytest.raises(TaskRevoked):
            await result
    assert await result.is_revoked() is False


async def test_none_that_is_not_stored_still_resolves(huey: Huey) -> None:
    @huey.task
    async def nothing() -> None:
        return None

    async with huey.create_consumer():
        result: Any = await nothing()
        assert await result is None
    assert (await huey.counts()).results == 0


async def test_failure_raises_with_its_metadata_and_cause(huey: Huey) -> None:
    @huey.task
    async def fail() -> None:
        raise ValueError("no")

    async with huey.create_consumer():
        result = await fail()
        with pytest.raises(TaskException) as caught:
            await result
    assert caught.value.metadata.keys() == {"error", "retries", "task_id", "traceback"}
    assert str(caught.value) == "ValueError('no')"
    assert "raise ValueError" in caught.value.metadata["traceback"]
    assert isinstance(caught.value.__cause__, ValueError)
    assert await result.status() == "failed"


async def test_error_of_a_retried_attempt_shows_to_get_and_not_to_await(huey: Huey) -> None:
    attempts: list[int] = []
    go_on = asyncio.Event()

    @huey.task(retries=1)
    async def flaky() -> str:
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError("first")
        await go_on.wait()
        return "second"

    async with huey.create_consumer():
        result = await flaky()
        awaited = asyncio.ensure_future(result_of(huey, result.id))
        reader = huey.result_of(result.id)
        await until(lambda: is_stored(huey))
        with pytest.raises(TaskException, match="first"):
            await reader.get()
        assert not awaited.done()
        go_on.set()
        assert await awaited == "second"
        # The handle that read the intermediate error looks again when it is awaited.
        assert await reader is None


async def is_stored(huey: Huey) -> bool:
    return (await huey.counts()).results == 1


async def result_of(huey: Huey, id: str) -> Any:
    return await huey.result_of(id)


async def test_retries_are_used_up_and_the_last_error_is_final(huey: Huey) -> None:
    attempts: list[int] = []

    @huey.task(retries=2, context=True)
    async def fail(task: Any = None) -> None:
        attempts.append(task.retries)
        raise ValueError(f"attempt {len(attempts)}")

    async with huey.create_consumer():
        with pytest.raises(TaskException, match="attempt 3") as caught:
            await (await fail())
    assert attempts == [2, 1, 0]
    assert caught.value.metadata["retries"] == 0


async def test_retry_after_a_delay_is_scheduled(huey: Huey) -> None:
    attempts: list[float] = []

    @huey.task(retries=1, retry_delay=0.2)
    async def flaky() -> int:
        attempts.append(time.monotonic())
        if len(attempts) == 1:
            raise ValueError
        return len(attempts)

    async with huey.create_consumer():
        assert await (await flaky()) == 2
    assert attempts[1] - attempts[0] >= 0.19


async def test_task_may_ask_for_its_retry(huey: Huey) -> None:
    attempts: list[int] = []

    @huey.task
    async def patient() -> int:
        attempts.append(1)
        if len(attempts) < 3:
            raise RetryTask(delay=0)
        return len(attempts)

    async with huey.create_consumer():
        assert await (await patient()) == 3


async def test_task_may_cancel_itself(huey: Huey) -> None:
    @huey.task(retries=5)
    def stop() -> None:
        raise CancelExecution(retry=False)

    async with huey.create_consumer():
        with pytest.raises(TaskException, match="CancelExecution"):
            await (await stop())


async def test_timeout_cancels_a_coroutine(huey: Huey) -> None:
    ended = asyncio.Event()

    @huey.task(timeout=0.05)
    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with huey.create_consumer():
        with pytest.raises(TaskException, match=r"longer than 0\.05 s"):
            await (await slow())
    assert ended.is_set()


async def test_timeout_error_of_the_body_is_no_timeout_of_ours(huey: Huey) -> None:
    @huey.task(timeout=60)
    async def mistaken() -> None:
        raise TimeoutError("mine")

    async with huey.create_consumer():
        with pytest.raises(TaskException, match="TimeoutError\\('mine'\\)"):
            await (await mistaken())


async def test_scheduled_task_starts_when_it_is_due(huey: Huey) -> None:
    @huey.task
    async def moment() -> float:
        return time.time()

    due = datetime.now(UTC) + timedelta(seconds=0.5)
    by_eta = await moment.schedule(eta=due)
    assert await by_eta.status() == "scheduled"  # also when it is due already: there is no consumer yet
    async with huey.create_consumer():
        by_delay = await moment.schedule(delay=0.1)
        short = await moment.schedule(0.1)
        bound = await moment.options(delay=0.1)()
        assert await by_eta >= due.timestamp()
        for result in (by_delay, short, bound):
            assert await result <= due.timestamp() + 60
    assert (await huey.counts()).scheduled == 0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ({"args": (1, 2)}, "needs an eta or a delay"),
        ({"args": (1, 2), "eta": datetime(2030, 1, 1), "delay": 1}, "not both"),
        ({"args": (1, 2), "eta": "tomorrow"}, "must be a datetime"),
        ({"args": (1,), "kwargs": [("b", 2)], "delay": 1}, "must be a dict"),
        ({"args": 1, "delay": 1}, "must be a tuple"),
    ],
)
def test_wrong_schedule_is_refused_at_the_call(huey: Huey, call: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        declare_add(huey).schedule(**call)


def test_wrong_arguments_are_refused_at_the_call(huey: Huey) -> None:
    add = declare_add(huey)
    with pytest.raises(TaskArgumentError, match=r"add\(a: .*missing a required argument: 'b'"):
        add(1)
    with pytest.raises(TaskArgumentError, match="argument 1 cannot be serialised"):
        add(threading.Lock(), 2)
    with pytest.raises(ValueError, match="not both"):
        add(1, 2, eta=datetime(2030, 1, 1), delay=1)


def test_dropped_call_warns_by_the_name_of_its_task(huey: Huey) -> None:
    add = declare_add(huey)
    calls = [add(1, 2)]
    with pytest.warns(NotEnqueuedWarning, match=r"\.add was called and not awaited: .*use add\.sync\(\.\.\.\)"):
        calls.clear()


async def test_task_of_another_huey_is_refused(huey: Huey) -> None:
    from hueyio import MemoryHuey

    other = declare_add(MemoryHuey("other"))
    with pytest.raises(UnknownTaskError, match="no task named"):
        await huey.enqueue(other.s(1, 2))


def test_two_tasks_of_one_name_are_refused(huey: Huey) -> None:
    declare_add(huey)
    with pytest.raises(ValueError, match="already"):
        declare_add(huey)
    add = declare_add_as(huey, "plus")
    assert add.name == "plus"
    assert add.unregister() is True
    assert add.unregister() is False
    with pytest.raises(UnknownTaskError):
        prepare(core_of(huey), add.s(1, 2))


def declare_add_as(huey: Huey, name: str) -> Any:
    @huey.task(name=name)
    async def add(a: int, b: int) -> int:
        return a + b

    return add


async def test_expired_task_is_not_run(huey: Huey) -> None:
    add = declare_add(huey)
    result = await add.options(expires=0)(1, 2)
    fresh = await add.options(expires=600)(1, 2)
    async with huey.create_consumer():
        with pytest.raises(TaskExpired):
            await result
        assert await fresh == 3
    assert await result.status() == "expired"


async def test_revoked_task_is_not_run_and_restored_one_is(huey: Huey) -> None:
    add = declare_add(huey)
    revoked, restored = await add(1, 2), await add(3, 4)
    await revoked.revoke()
    await restored.revoke()
    assert await revoked.is_revoked()
    assert await restored.restore() is True
    assert await restored.restore() is False
    async with huey.create_consumer():
        with pytest.raises(TaskRevoked):
            await revoked
        assert await restored == 7
    assert await revoked.status() == "cancelled"


async def test_revoked_function_runs_none_until_restored(huey: Huey) -> None:
    add = declare_add(huey)
    await add.revoke()
    assert await add.is_revoked()
    async with huey.create_consumer():
        with pytest.raises(TaskRevoked):
            await (await add(1, 2))
        assert await add.restore() is True
        assert await (await add(1, 2)) == 3


async def test_revocation_for_once_stops_exactly_one(huey: Huey) -> None:
    add = declare_add(huey)
    results = [await add(n, n) for n in range(5)]
    await add.revoke(revoke_once=True)
    async with huey.create_consumer():
        endings = await asyncio.gather(*results, return_exceptions=True)
    assert sum(isinstance(ending, TaskRevoked) for ending in endings) == 1
    assert sorted(ending for ending in endings if isinstance(ending, int))[:1] in ([0], [2])
    assert await add.is_revoked() is False


async def test_revocation_ends_by_itself(huey: Huey) -> None:
    add = declare_add(huey)
    until = datetime.now(UTC) + timedelta(hours=1)
    await add.revoke(revoke_until=until)
    assert await add.is_revoked(until - timedelta(seconds=1))
    assert not await add.is_revoked(until)


async def test_pipeline_hands_values_on(huey: Huey) -> None:
    add = declare_add(huey)
    group = await huey.enqueue(add.s(1, 2).then(add, 3).then(add, 4).then(add, 5))
    assert await group[2].status() == "waiting"
    async with huey.create_consumer():
        assert await group == [3, 6, 10, 15]
    assert (await huey.counts()).expected == 0


async def test_pipeline_that_breaks_tells_all_stages_after(huey: Huey) -> None:
    add = declare_add(huey)

    @huey.task
    async def fail(value: int) -> None:
        raise ValueError("broken")

    group = await huey.enqueue(add.s(1, 2).then(fail).then(add, 4).then(add, 5))
    async with huey.create_consumer():
        assert await group[0] == 3
        for position in (1, 2, 3):
            with pytest.raises(TaskException, match="broken") as caught:
                await group[position]
            assert caught.value.metadata["task_id"] == group[1].id
    counts = await huey.counts()
    assert (counts.expected, sum(counts.queued.values())) == (0, 0)


async def test_error_handler_gets_the_exception_of_each_attempt(huey: Huey) -> None:
    seen: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    @huey.task(retries=1)
    async def fail() -> None:
        raise ValueError("no")

    @huey.task
    async def alert(who: str, error: Exception) -> None:
        await seen.put((who, repr(error)))

    async with huey.create_consumer():
        result = await huey.enqueue(fail.s().error(alert, "me"))
        with pytest.raises(TaskException):
            await result
        assert [await seen.get() for _ in range(2)] == [("me", "ValueError('no')")] * 2


async def test_map_enqueues_many_in_one_write(huey: Huey) -> None:
    add = declare_add(huey)

    @huey.task
    def identity(value: Any) -> Any:
        return value

    async with huey.create_consumer():
        group = await add.map([(n, n * n) for n in range(100)])
        assert await group == [n + n * n for n in range(100)]
        assert await (await identity.map([1, [4, 5], (6,)])) == [1, [4, 5], 6]
    assert len(group) == 100
    assert next(iter(group)).id == group[0].id


async def test_call_local_is_the_function_itself(huey: Huey) -> None:
    @huey.task
    def double(n: int) -> int:
        """Twice as much."""
        return 2 * n

    assert await declare_add(huey).call_local(1, 2) == 3
    assert double.call_local(4) == 8
    assert (double.__doc__, double.__name__) == ("Twice as much.", "double")


async def test_result_that_cannot_be_serialised_is_a_failure_that_says_so(huey: Huey) -> None:
    @huey.task(retries=1)
    async def odd() -> Any:
        return threading.Lock()

    async with huey.create_consumer():
        with pytest.raises(TaskException, match=r"what task .*odd returned.*cannot be serialised"):
            await (await odd())


async def test_exception_that_cannot_be_serialised_is_kept_by_its_text(huey: Huey) -> None:
    class Odd(Exception):
        def __repr__(self) -> str:
            return "Odd!"

    @huey.task(retries=1)
    async def odd() -> Any:
        raise Odd

    @huey.task
    async def alert(error: Exception) -> str:
        return str(error)

    async with huey.create_consumer():
        result = await huey.enqueue(odd.s().error(alert))
        with pytest.raises(TaskException, match="Odd!") as caught:
            await result
        assert caught.value.__cause__ is None


@pytest.mark.parametrize("kind", [SystemExit, asyncio.CancelledError, GeneratorExit, StopIteration])
@pytest.mark.parametrize("lane", ["loop", "thread"])
async def test_strange_exception_of_a_body_is_its_failure(huey: Huey, kind: type[BaseException], lane: str) -> None:
    @huey.task(name="on_loop")
    async def on_loop() -> None:
        raise kind

    @huey.task(name="in_thread")
    def in_thread() -> None:
        raise kind

    add = declare_add(huey)
    async with huey.create_consumer(workers=1, threads=1):
        result = await (on_loop() if lane == "loop" else in_thread())
        with pytest.raises(TaskException):
            await result
        assert await (await add(1, 2)) == 3


async def test_body_that_raises_keyboard_interrupt_is_interrupted_and_comes_back(huey: Huey) -> None:
    attempts: list[int] = []

    @huey.task(context=True)
    async def interrupted(task: Task) -> int:
        attempts.append(task.attempt)
        if len(attempts) == 1:
            raise KeyboardInterrupt
        return task.retries

    async with huey.create_consumer():
        assert await (await interrupted.options(retries=2)()) == 2
    assert attempts == [0, 0]


async def test_results_can_be_switched_off(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey(results=False)
    ran = asyncio.Event()

    @huey.task
    async def work() -> int:
        ran.set()
        return 1

    async with huey.create_consumer():
        assert await work() is None
        assert await work.map([()]) is None
        assert await huey.enqueue(work.s().then(work)) is None
        await ran.wait()
    assert (await huey.counts()).results == 0


async def test_raw_error_is_public() -> None:
    assert Error({"error": "x"}).to_exception().args == ()


async def test_pending_and_scheduled_list_tasks(huey: Huey) -> None:
    add = declare_add(huey)
    await add(1, 2)
    await add.schedule((3, 4), delay=60)
    assert [task.args for task in await huey.pending()] == [(1, 2)]
    assert [task.args for task in await huey.scheduled()] == [(3, 4)]


async def test_explicit_id_that_is_alive_is_left_alone(huey: Huey) -> None:
    add = declare_add(huey)
    first = await add.options(id="one")(1, 2)
    again = await add(5, 5, id="one")
    assert await huey.count() == 1
    async with huey.create_consumer():
        assert await first == 3
        assert await again is None
