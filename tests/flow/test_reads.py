"""A read that is cancelled, or fails, destroys nothing: on every storage, whatever reads.

``HUEYIO_TEST_WAITS`` says how many waits are cancelled at random moments.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

from hueyio import (
    FileHuey,
    Huey,
    HueyException,
    MemoryHuey,
    ResultGroup,
    ResultTimeout,
    SerializationError,
    TaskException,
    chord,
)
from hueyio.app.base_storage import BaseStorage
from hueyio.core import core_of
from hueyio.handles.result import handles_on
from hueyio.messages.stored_result import Returned, write_ending
from hueyio.tasks.canvas import group
from tests.conftest import EACH_STORAGE, ServerOf
from tests.flow.conftest import maker
from tests.support.cancelling import run_until_wait
from tests.support.patience import until

WAITS: Final = int(os.environ.get("HUEYIO_TEST_WAITS", "300"))
MOST_STEPS: Final = 60
"""Waits that no read has."""

Make = Callable[..., Huey]
Read = Callable[[Huey, list[str]], Coroutine[Any, Any, Any]]


@pytest.fixture(params=["memory", "file", *EACH_STORAGE])
def make_huey(request: pytest.FixtureRequest, tmp_path: Path, server_of: ServerOf) -> Make:
    match request.param:
        case "memory":
            one = MemoryHuey()
            return lambda: one  # another would see nothing of it
        case "file":
            return partial(FileHuey, "flow", str(tmp_path / "queue"))
        case kind:
            return maker(kind, tmp_path, server_of)


@asynccontextmanager
async def opened(*hueys: Huey) -> AsyncIterator[None]:
    """Close them at the end."""
    try:
        yield
    finally:
        for huey in hueys:
            await huey.close()


async def leave_results(huey: Huey, start: int) -> list[str]:
    """Have three results in the storage, as tasks of these ids would leave them; return the ids."""
    ids = [f"task-{start + number}" for number in range(3)]
    session = await core_of(huey).session()
    items = {id: write_ending(Returned(f"value of {id}"), huey.serializer) for id in ids}
    await session.put("results", items, 600.0)
    return ids


def group_of(huey: Huey, ids: list[str]) -> ResultGroup[Any]:
    return handles_on(huey._producer, ids)


async def first_completed(huey: Huey, ids: list[str]) -> Any:
    """Return the first value; whoever has it has no wait before the end."""
    return await anext(group_of(huey, ids).as_completed())


async def wait_under_a_limit(huey: Huey, ids: list[str]) -> Any:
    async with asyncio.timeout(60):
        return await huey.result(ids[0], blocking=True)


READS: Final[dict[str, Read]] = {
    "await": lambda huey, ids: huey.result_of(ids[0]).get(blocking=True),
    "get": lambda huey, ids: huey.result_of(ids[0]).get(),
    "get with a timeout": lambda huey, ids: huey.result_of(ids[0]).get(blocking=True, timeout=60),
    "get that looks once": lambda huey, ids: huey.result_of(ids[0]).get(blocking=True, timeout=0),
    "raw": lambda huey, ids: huey.result_of(ids[0]).get_raw_result(),
    "raw, waiting": lambda huey, ids: huey.result_of(ids[0]).get_raw_result(blocking=True),
    "result": lambda huey, ids: huey.result(ids[0]),
    "result, waiting": lambda huey, ids: huey.result(ids[0], blocking=True),
    "under a limit": wait_under_a_limit,
    "group": lambda huey, ids: group_of(huey, ids).get(),
    "group, waiting": lambda huey, ids: group_of(huey, ids).get(blocking=True),
    "group, with a timeout": lambda huey, ids: group_of(huey, ids).get(True, 60),
    "as_completed": first_completed,
    "is_ready": lambda huey, ids: huey.result_of(ids[0]).is_ready(),
    "status": lambda huey, ids: huey.result_of(ids[0]).status(),
}


@pytest.mark.parametrize("read", READS)
async def test_value_is_still_there_when_its_read_is_cancelled_at_any_wait(make_huey: Make, read: str) -> None:
    huey, other = make_huey(), make_huey()
    async with opened(huey, other):
        for number in range(MOST_STEPS):
            ids = await leave_results(huey, 3 * number)
            if not await run_until_wait(number, READS[read](huey, ids)):
                break
            for id in ids:
                assert await other.result(id) == f"value of {id}", f"lost at wait {number}"
        else:
            pytest.fail(f"a read that waits {MOST_STEPS} times")


async def test_value_of_a_chord_is_still_there_when_its_read_is_cancelled_at_any_wait(make_huey: Make) -> None:
    huey, other = make_huey(), make_huey()

    @huey.task
    async def give(value: Any) -> Any:
        return value

    async with opened(huey, other), huey.create_consumer():
        for number in range(MOST_STEPS):
            made = await huey.enqueue(chord([give.s(1), give.s(2)], give.s()))
            members = [result.id for result in made.results]
            if not await run_until_wait(number, made.get(blocking=True)):
                break
            assert await other.result(made.callback.id, blocking=True, timeout=60) == [1, 2]
            assert [await other.result(id, blocking=True, timeout=60) for id in members] == [1, 2]


async def test_value_is_deleted_once_its_reader_has_it(make_huey: Make) -> None:
    huey = make_huey()
    async with opened(huey):
        (first, second, third) = await leave_results(huey, 0)
        assert await huey.result(first) == f"value of {first}"
        assert await huey.result(first) is None
        assert await huey.result_of(second).get_raw_result(blocking=True) == f"value of {second}"
        assert await huey.result_of(third).is_ready()
        assert set(await huey.all_results()) == {third}
        assert await group_of(huey, [third]).get() == [f"value of {third}"]
        assert await huey.result_count() == 0


async def test_value_is_deleted_when_the_huey_is_closed_at_once(make_huey: Make) -> None:
    huey, other = make_huey(), make_huey()
    async with opened(other):
        (id, *rest) = await leave_results(huey, 0)
        await huey.result(id)
        await huey.close()
        assert set(await other.all_results()) == set(rest)


async def test_id_that_is_used_again_at_once_keeps_its_new_value(make_huey: Make) -> None:
    huey = make_huey()
    give = huey.task(name="give")(lambda value: value)
    async with opened(huey):
        for value in range(5):
            await huey.put_result("one", value)
            assert await huey.result("one", blocking=True) == value
        async with huey.create_consumer():
            for value in range(5):
                assert await (await give.options(id="two")(value)) == value
                assert await (await huey.enqueue_many([give.s(value, id="three")])) == [value]
    immediate = MemoryHuey(immediate=True)
    give = immediate.task(name="give")(lambda value: value)
    for value in range(5):
        assert await (await give.options(id="two")(value)) == value
    await immediate.close()


async def test_handle_gives_the_value_again_after_a_cancelled_read(make_huey: Make) -> None:
    huey = make_huey()
    async with opened(huey):
        for number in range(MOST_STEPS):
            (id, *_) = await leave_results(huey, 3 * number)
            result = huey.result_of(id)
            if not await run_until_wait(number, result.get(blocking=True)):
                break
            assert await result == f"value of {id}"
            assert await result == f"value of {id}"


async def test_group_of_two_queues_reads_each_where_it_is(make_huey: Make) -> None:
    """Although their members have one id."""
    one, other = make_huey(), MemoryHuey("other")
    async with opened(one, other):
        for huey in (one, other):
            await huey.put_result("same", huey.name)
            await huey.put_result("more", huey.name)
        members = [handles_on(huey._producer, [id])[0] for id in ("same", "more") for huey in (one, other)]
        values = ResultGroup([members[0], members[1]])
        assert {value async for value in values.as_completed()} == {one.name, "other"}
        assert await ResultGroup(members[2:]).get(True, timeout=60) == [one.name, "other"]
        assert (await one.result_count(), await other.result_count()) == (0, 0)


async def test_values_of_a_group_stay_when_one_of_its_members_failed(make_huey: Make) -> None:
    huey, other = make_huey(), make_huey()

    @huey.task
    async def check(number: int) -> int:
        if number == 1:
            raise ValueError("one")
        return number

    async with opened(huey, other), huey.create_consumer():
        members = await huey.enqueue(group(check.s(number) for number in range(3)))
        with pytest.raises(TaskException, match="one"):
            await members
        assert [await other.result(members[at].id) for at in (0, 2)] == [0, 2]


async def test_values_of_a_group_stay_when_its_time_was_over(make_huey: Make) -> None:
    huey, other = make_huey(), make_huey()

    @huey.task
    async def give(value: int) -> int:
        return value

    async with opened(huey, other):
        async with huey.create_consumer():
            early = await give(1)
            assert await early.get(blocking=True, preserve=True) == 1
        late = await give(2)
        with pytest.raises(ResultTimeout):
            await ResultGroup([early, late]).get(blocking=True, timeout=0.01)
        assert await other.result(early.id) == 1


async def test_group_tells_of_each_member_what_a_read_of_it_alone_would(make_huey: Make) -> None:
    """Although the ends of those that were alive are awaited together, several hundred by one call."""
    huey = make_huey()

    @huey.task
    async def give(value: int) -> int:
        if value == 7:
            raise ValueError("seven")
        return value

    async with opened(huey), huey.create_consumer():
        results = list(await give.map(range(1_100)))
        with pytest.raises(TaskException, match="seven"):
            await ResultGroup(results).get(True, timeout=60)
        (failed,) = [results.pop(7)]
        twice = [*results, results[0]]
        assert await ResultGroup(twice) == [number for number in (*range(1_100), 0) if number != 7]
        assert await huey.result_count() == 0
        assert [await it for it in results[:3]] == [0, 1, 2]

        known, unknown = await give(1), huey.result_of("nobody's")
        assert await known.get(True, preserve=True) == 1
        for members in ([known, unknown, known], [unknown, known, known]):
            with pytest.raises(ResultTimeout, match=r"nobody's within 0\.2 s"):
                await ResultGroup(members).get(True, timeout=0.2)
        with pytest.raises(HueyException, match="nothing is known of task nobody's"):
            await ResultGroup([known, known, unknown])

        await until(failed.is_ready)
        broken = [await give(2), await give(3)]
        await until(broken[0].is_ready)
        session = await core_of(huey).session()
        again = huey.result_of(broken[0].id)
        await session.put("results", {again.id: b"\x80damaged"}, 600.0)
        await (await give(4))
        with pytest.raises(SerializationError, match=again.id):
            await group_of(huey, [broken[1].id, again.id])
        assert await huey.result(broken[1].id) == 3
        with pytest.raises(HueyException, match="timeout must be a number"):
            await ResultGroup(broken).get(True, timeout="1")  # type: ignore[call-overload]


async def test_values_that_as_completed_has_not_yielded_stay(make_huey: Make) -> None:
    huey, other = make_huey(), make_huey()
    async with opened(huey, other):
        ids = await leave_results(huey, 0)
        got = await first_completed(huey, ids)
        await huey.counts()  # waits until what was read is deleted
        assert set((await other.all_results()).keys()) == {id for id in ids if f"value of {id}" != got}


async def test_as_completed_takes_no_task_for_each_member_and_lets_the_loop_turn(make_huey: Make) -> None:
    huey = make_huey()
    turns, got, tasks = 0, [], 0

    @huey.task
    async def give(value: int) -> int:
        return value

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with opened(huey), huey.create_consumer():
        members = list(await give.map(range(600)))
        await ResultGroup(members[:500]).get(True, preserve=True)
        for it in members[:300]:
            it.reset()
        counting = asyncio.create_task(count_turns())
        async for value in ResultGroup([*members, members[0]]).as_completed():
            tasks = max(tasks, len(asyncio.all_tasks()))
            got.append(value)
            turns = 0 if len(got) == 1 else turns
        counting.cancel()
        assert sorted(got) == [0, *range(600)]
        assert turns >= 600 // 100 - 1
        assert tasks < 300, f"{tasks} tasks, of which some hundred are the consumer's slots"
        assert await huey.result_count() == 0


async def test_as_completed_tells_of_each_member_what_a_read_of_it_alone_would(make_huey: Make) -> None:
    huey = make_huey()
    give = huey.task(name="give")(lambda value: value)
    async with opened(huey), huey.create_consumer():
        known, broken = [await give(number) for number in range(3)], huey.result_of("nobody's")
        values = ResultGroup([broken, *known]).as_completed()
        with pytest.raises(HueyException, match="nothing is known of task nobody's"):
            assert sorted([await anext(values) for _ in range(4)]) == []
        broken = await give(7)
        await until(broken.is_ready)
        broken.reset()
        session = await core_of(huey).session()
        await session.put("results", {broken.id: b"\x80damaged"}, 600.0)
        with pytest.raises(SerializationError, match=broken.id):
            assert [value async for value in ResultGroup([broken, known[0]]).as_completed()] == []
        await huey.counts()
        assert broken.id in await huey.all_results()


async def test_error_of_an_attempt_stays_until_the_next_has_ended(make_huey: Make) -> None:
    """Its deletion would take the place's next content along: the value of the last attempt."""
    huey = make_huey()

    @huey.task(retries=1, retry_delay=600)
    async def fail() -> None:
        raise ValueError("first")

    async with opened(huey):
        async with huey.create_consumer():
            result = await fail()

            async def is_retrying() -> bool:
                return await result.status() == "retrying"

            await until(is_retrying)
        with pytest.raises(TaskException, match="first"):
            await result.get()
        assert await huey.result_count() == 1
        assert await result.is_ready() is False


# --- values of the user's own


@pytest.mark.parametrize("method", ["get", "get_raw"])
async def test_value_of_a_key_is_still_there_when_its_read_is_cancelled_at_any_wait(
    make_huey: Make, method: str
) -> None:
    huey, other = make_huey(), make_huey()
    async with opened(huey, other):
        for number in range(MOST_STEPS):
            await huey.put("key", number)
            if not await run_until_wait(number, getattr(huey, method)("key")):
                break
            assert await other.get("key") == number
        assert await other.get("key") is None


async def test_value_of_huey_s_storage_methods_is_still_there_when_its_read_is_cancelled_at_any_wait(
    make_huey: Make,
) -> None:
    huey = make_huey()
    async with opened(huey):
        storage = BaseStorage(huey.storage)
        for number in range(MOST_STEPS):
            for is_result in (False, True):
                await storage.put_data("key", b"%d" % number, is_result)
                came_so_far = await run_until_wait(number, storage.pop_data("key"))
                if came_so_far:
                    assert await storage.peek_data("key") == b"%d" % number
                await storage.delete_data("key")
            if not came_so_far:
                break
        await storage.close()


async def test_value_of_a_key_that_cannot_be_read_stays(make_huey: Make) -> None:
    huey = make_huey()
    async with opened(huey):
        await (await core_of(huey).session()).put("data", {"key": b"garbage"})
        with pytest.raises(SerializationError):
            await huey.get("key")
        assert await huey.get_raw("key") == b"garbage"


async def test_task_is_still_there_when_its_dequeue_is_cancelled_at_any_wait(make_huey: Make) -> None:
    huey = make_huey()
    give = huey.task(name="give")(lambda value: value)
    async with opened(huey):
        await give(7)
        for number in range(MOST_STEPS):
            if not await run_until_wait(number, huey.dequeue()):
                break
            assert await huey.count() == 1
        assert await huey.count() == 0


async def test_message_of_huey_s_storage_methods_is_still_there_when_its_read_is_cancelled_at_any_wait(
    make_huey: Make,
) -> None:
    huey = make_huey()
    async with opened(huey):
        storage = BaseStorage(huey.storage)
        await storage.enqueue(b"message")
        await storage.add_to_schedule(b"later", 100.0)
        for take in (storage.dequeue, partial(storage.read_schedule, 200.0)):
            for number in range(MOST_STEPS):
                if not await run_until_wait(number, take()):
                    break
                assert (await storage.enqueued_items(), await storage.scheduled_items())[take != storage.dequeue] != []
        assert (await storage.queue_size(), await storage.schedule_size()) == (0, 0)
        await storage.close()


# --- at random moments


async def test_no_value_is_lost_when_waits_are_cancelled_at_random_moments(make_huey: Make) -> None:
    huey = make_huey()
    chance = random.Random(7)

    @huey.task
    async def work(number: int) -> int:
        await asyncio.sleep(chance.uniform(0.0, 0.03))
        return number + 1000

    async def ask(number: int, id: str) -> tuple[int, bool]:
        """Ask for one value under short limits, as requests to an endpoint do, and then without one.

        Returns how often that was cancelled, and whether the value was right.
        """
        for cancelled in range(5):
            try:
                async with asyncio.timeout(chance.uniform(0.0, 0.03)):
                    return cancelled, await huey.result(id, blocking=True) == number + 1000
            except TimeoutError:
                continue
        return 5, await huey.result(id, blocking=True, timeout=60) == number + 1000

    cancelled, lost = 0, 0
    async with opened(huey), huey.create_consumer():
        while cancelled < WAITS:
            ids = [result.id for result in await work.map(range(100))]
            for count, is_right in await asyncio.gather(*map(ask, range(100), ids)):
                cancelled += count
                lost += not is_right
    assert lost == 0


class _Out(BaseException):
    """The time of a thread is over, as a web server's worker would say it."""


# On a busy machine the interruption comes before the call has begun.
@pytest.mark.filterwarnings(
    "ignore:coroutine 'fill' was never awaited", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_no_value_is_lost_when_blocking_waits_are_interrupted(make_huey: Make) -> None:
    huey, chance = make_huey(), random.Random(7)

    def end(number: int, frame: FrameType | None) -> None:
        raise _Out

    before = signal.signal(signal.SIGALRM, end)
    try:
        for number in range(20):
            id = f"task-{number}"
            signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.01, 0.03))
            with pytest.raises(_Out):
                huey.sync.result(id, blocking=True, timeout=5)
            huey.sync.put_result(id, number)
            assert huey.sync.result(id, blocking=True, timeout=60) == number
        # One that is interrupted while it begins goes on; its value then has two readers, and stays for a minute.
        assert huey.sync.result_count() < 5
    finally:
        signal.signal(signal.SIGALRM, before)
        huey.sync.close()
