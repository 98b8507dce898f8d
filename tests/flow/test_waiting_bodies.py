"""Tasks that wait for tasks of their own: they lend their slots meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from hueyio import FileHuey, Huey, ResultTimeout, TaskException, chord
from hueyio.client.prepare import prepare
from hueyio.core import core_of
from hueyio.testing.storage.conformance.worker import eventually, soon
from tests.conftest import EACH_STORAGE, ServerOf
from tests.flow.conftest import maker
from tests.flow.test_isolation import make_suspect

_IN_A_FOLDER = pytest.mark.again("slots are lent by the consumer, whose waits in a folder are those in memory")


@pytest.fixture(params=["memory", pytest.param("file", marks=_IN_A_FOLDER), *EACH_STORAGE])
def make_huey(request: pytest.FixtureRequest, tmp_path: Path, server_of: ServerOf) -> Callable[..., Huey]:
    if request.param == "file":
        return lambda **options: FileHuey("flow", path=str(tmp_path / "flow"), **options)
    return maker(request.param, tmp_path, server_of)


@pytest.fixture
async def huey(make_huey: Callable[..., Huey]) -> AsyncIterator[Huey]:
    made = make_huey()
    yield made
    await asyncio.to_thread(made.sync.close)
    await made.close()


async def one_by_one(child: Any, x: int) -> list[int]:
    return [await (await child(x)) for _ in range(3)]


async def one_after_all(child: Any, x: int) -> list[int]:
    results = [await child(x) for _ in range(3)]
    return [await result.get(blocking=True, timeout=60) for result in results]


async def as_group(child: Any, x: int) -> list[int]:
    values: list[int] = await (await child.map([x, x, x]))
    return values


async def as_completed(child: Any, x: int) -> list[int]:
    return [value async for value in (await child.map([x, x, x])).as_completed()]


async def gathered(child: Any, x: int) -> list[int]:
    async def one() -> int:
        value: int = await (await child(x))
        return value

    return list(await asyncio.gather(one(), one(), one()))


async def first_completed(child: Any, x: int) -> list[int]:
    waiting = {asyncio.ensure_future(result.get(blocking=True)) for result in await child.map([x, x, x])}
    values: list[int] = []
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        values += [it.result() for it in done]
    return values


async def polled(child: Any, x: int) -> list[int]:
    results = await child.map([x, x, x])
    values: list[int] = []
    while len(values) < 3:
        try:
            values.append(await results[len(values)].get(blocking=True, timeout=0.05))
        except ResultTimeout:
            continue
    return values


async def followed(child: Any, x: int) -> list[int]:
    results = await child.map([x, x, x])
    for result in results:
        async for _ in result.updates():
            pass
    return [await result for result in results]


WAITS: Final[dict[str, Callable[[Any, int], Awaitable[list[int]]]]] = {
    "one by one": one_by_one,
    "one after all": one_after_all,
    "group": as_group,
    "as completed": as_completed,
    "gather": gathered,
    "first completed": first_completed,
    "polled": polled,
    "followed": followed,
}

BLOCKING_WAITS: Final[dict[str, Callable[[Any, int], list[int]]]] = {
    "one by one": lambda child, x: [child.sync(x).get(blocking=True) for _ in range(3)],
    "one after all": lambda child, x: [it.get(timeout=60) for it in [child.sync(x) for _ in range(3)]],
    "group": lambda child, x: child.sync.map([x, x, x]).get(blocking=True),
    "as completed": lambda child, x: list(child.sync.map([x, x, x]).as_completed()),
}


def declare_coroutines(huey: Huey, wait: str) -> Any:
    """Return a task that waits for three children, each of which waits for a child of its own."""

    @huey.task
    async def leaf(x: int) -> int:
        return x

    @huey.task
    async def child(x: int) -> int:
        return await (await leaf(x))

    @huey.task
    async def parent(x: int) -> int:
        return sum(await WAITS[wait](child, x))

    return parent


def declare_functions(huey: Huey, wait: str) -> Any:
    """Do the same with tasks that run in threads."""

    @huey.task
    def leaf(x: int) -> int:
        return x

    @huey.task
    def child(x: int) -> int:
        value: int = leaf.sync(x).get(blocking=True)
        return value

    @huey.task
    def parent(x: int) -> int:
        return sum(BLOCKING_WAITS[wait](child, x))

    return parent


@pytest.mark.parametrize("wait", WAITS)
async def test_parents_end_when_there_are_more_of_them_than_slots(huey: Huey, wait: str) -> None:
    parent = declare_coroutines(huey, wait)
    async with huey.create_consumer(workers=2, prefetch=1):
        assert await soon((await parent.map(range(8))).get(blocking=True)) == [3 * x for x in range(8)]


@pytest.mark.parametrize("wait", BLOCKING_WAITS)
async def test_parents_in_threads_end_when_there_are_more_of_them_than_threads(huey: Huey, wait: str) -> None:
    parent = declare_functions(huey, wait)
    async with huey.create_consumer(threads=2, prefetch=1):
        assert await soon((await parent.map(range(8))).get(blocking=True)) == [3 * x for x in range(8)]


@pytest.mark.parametrize("declare", [declare_coroutines, declare_functions])
async def test_parents_end_when_no_more_slots_may_be_lent(
    huey: Huey, declare: Callable[[Huey, str], Any], caplog: pytest.LogCaptureFixture
) -> None:
    parent = declare(huey, "group")
    async with huey.create_consumer(workers=2, threads=2, prefetch=0, max_lent=2, max_lent_threads=2):
        assert await soon((await parent.map(range(12))).get(blocking=True)) == [3 * x for x in range(12)]
    told = [it.getMessage() for it in caplog.records if "have lent their slots" in it.getMessage()]
    assert len(told) == 1
    assert told[0].startswith("2 ")


async def test_parents_end_when_several_consumers_are_at_their_bounds(huey: Huey) -> None:
    parent = declare_coroutines(huey, "group")
    options: dict[str, Any] = {"workers": 1, "prefetch": 1, "max_lent": 1}
    async with huey.create_consumer(**options), huey.create_consumer(**options), huey.create_consumer(**options):
        assert await soon((await parent.map(range(12))).get(blocking=True)) == [3 * x for x in range(12)]


async def test_chords_and_pipelines_end_when_no_more_slots_may_be_lent(huey: Huey) -> None:
    @huey.task
    async def add(x: int, y: int = 1) -> int:
        return x + y

    @huey.task
    async def total(values: list[int]) -> int:
        return sum(values)

    @huey.task
    async def by_chord(x: int) -> int:
        value: int = await (await huey.enqueue(chord([add.s(x), chord([add.s(x)], total)], total)))
        return value

    @huey.task
    async def by_pipeline(x: int) -> int:
        stages = await huey.enqueue(add.s(x).then(add, 10).then(add, 100))
        value: int = await stages[-1]
        return value

    async with huey.create_consumer(workers=1, prefetch=0, max_lent=1):
        chords, pipelines = await by_chord.map(range(4)), await by_pipeline.map(range(4))
        assert await soon(chords.get(blocking=True)) == [2 * x + 2 for x in range(4)]
        assert await soon(pipelines.get(blocking=True)) == [x + 111 for x in range(4)]


async def test_what_others_enqueued_is_found_when_all_stand_still(huey: Huey) -> None:
    @huey.task
    async def add(x: int, y: int = 1) -> int:
        return x + y

    @huey.task
    async def wait_for(awaited: str) -> int:
        value: int = await huey.result_of(awaited)
        return value

    stages = list(add.s(1).then(add, 10).stages())
    waits = await wait_for.map([stages[-1].id] * 2)
    await huey.enqueue(stages[0])
    async with huey.create_consumer(workers=1, prefetch=0, max_lent=1):
        assert 12 in await soon(asyncio.gather(*(it.get_raw_result(blocking=True) for it in waits)))


async def test_no_more_bodies_go_on_than_there_are_slots_when_they_lend_them(huey: Huey) -> None:
    running, most = 0, 0
    all_slots = asyncio.Barrier(3)

    @contextmanager
    def counted() -> Iterator[None]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        yield
        running -= 1

    async def work() -> None:
        with counted():
            for _ in range(5):
                await asyncio.sleep(0)

    @huey.task
    async def child() -> None:
        await work()

    @huey.task
    async def parent(number: int) -> None:
        with counted():
            if number < 3:
                await all_slots.wait()
        result = await child()
        await result.get(blocking=True)
        await work()

    async with huey.create_consumer(workers=3):
        results = [await parent(number) for number in range(20)]
        await soon(asyncio.gather(*(it.get(blocking=True) for it in results)))
    assert most == 3


async def test_one_body_runs_at_a_time_when_slots_are_not_lent(huey: Huey) -> None:
    began: list[str] = []

    @huey.task
    async def child() -> str:
        began.append("child")
        return "value"

    @huey.task
    async def parent() -> str:
        began.append("parent")
        result = await child()
        try:
            return await result.get(blocking=True, timeout=0.3)
        except ResultTimeout:
            began.append("waited in vain")
        return result.id

    async with huey.create_consumer(workers=1, lend_slots=False) as consumer:
        assert await soon(huey.result_of(await soon((await parent()).get(blocking=True)))) == "value"
        assert consumer.statistics().lent == {}
    assert began == ["parent", "waited in vain", "child"]


@pytest.mark.parametrize("kind", ["loop", "thread"])
async def test_lent_slots_are_counted_when_bodies_wait(huey: Huey, kind: str) -> None:
    began, over = asyncio.Event(), asyncio.Event()

    @huey.task
    async def slow() -> None:
        began.set()
        await over.wait()

    @huey.task(name="parent")
    async def parent() -> None:
        await (await slow())

    @huey.task(name="parent_in_thread")
    def parent_in_thread() -> None:
        slow.sync().get(blocking=True)

    async with huey.create_consumer(workers=2, threads=2) as consumer:
        waiting = await (parent if kind == "loop" else parent_in_thread)()

        async def is_lent() -> bool:
            return consumer.statistics().lent == {kind: 1}

        await eventually(is_lent)
        await soon(began.wait())
        assert consumer.statistics().running == ({"loop": 2} if kind == "loop" else {"loop": 1, "thread": 1})
        over.set()
        await soon(waiting.get(blocking=True))
        assert consumer.statistics().lent == {}


@pytest.mark.parametrize("kind", ["loop", "thread"])
async def test_slot_is_there_again_when_the_body_that_lent_it_runs_out_of_time(huey: Huey, kind: str) -> None:
    let_go = threading.Event()

    @huey.task
    async def never() -> None:
        await asyncio.Event().wait()

    @huey.task(timeout=0.3)
    async def parent() -> None:
        await (await never())

    @huey.task(timeout=0.3)
    def parent_in_thread() -> None:
        try:
            never.sync().get(timeout=60)
        finally:
            let_go.wait(60)

    @huey.task
    async def other(x: int) -> int:
        return x

    @huey.task
    def other_in_thread(x: int) -> int:
        return x

    ours, others = (parent, other) if kind == "loop" else (parent_in_thread, other_in_thread)
    async with huey.create_consumer(workers=5, threads=1, shutdown_timeout=0) as consumer:
        with pytest.raises(TaskException, match="TaskTimeout"):
            await soon((await ours()).get(blocking=True))
        assert consumer.statistics().lent == {}
        assert await soon((await others.map(range(5))).get(blocking=True)) == list(range(5))
        let_go.set()


async def test_waiting_body_goes_back_when_the_consumer_stops(huey: Huey) -> None:
    runs: list[str] = []
    waits = asyncio.Event()
    over = asyncio.Event()

    @huey.task
    async def child() -> str:
        waits.set()
        await over.wait()
        return "value"

    @huey.task
    async def parent() -> str:
        runs.append("parent")
        result = await child()
        return await result

    async with huey.create_consumer(workers=1, shutdown_timeout=0.2) as consumer:
        result = await parent()
        await soon(waits.wait())
        assert consumer.statistics().lent == {"loop": 1}
    assert await result.status() == "ready"
    over.set()
    async with huey.create_consumer(workers=1):
        assert await soon(result.get(blocking=True)) == "value"
    assert runs == ["parent", "parent"]


async def test_stop_waits_for_bodies_when_they_have_lent_their_slots(huey: Huey) -> None:
    waits, over = asyncio.Event(), asyncio.Event()

    @huey.task
    async def child() -> str:
        waits.set()
        await over.wait()
        return "value"

    @huey.task
    async def parent() -> str:
        return await (await child())

    async with huey.create_consumer(workers=1, shutdown_timeout=60) as consumer:
        result = await parent()
        await soon(waits.wait())
        consumer.stop()
        over.set()
    assert await result.get() == "value"


async def test_suspect_ends_when_it_waits_for_children(huey: Huey) -> None:
    @huey.task
    async def child(x: int) -> int:
        return x

    @huey.task
    async def suspect() -> list[int]:
        values: list[int] = await (await child.map([1, 2, 3]))
        return values

    task = suspect.s()
    await make_suspect(huey, prepare(core_of(huey), task))
    async with huey.create_consumer(workers=1):
        assert await soon(huey.result_of(task.id).get(blocking=True)) == [1, 2, 3]


async def test_suspect_ends_when_a_body_waits_for_it(huey: Huey) -> None:
    @huey.task
    async def suspect() -> str:
        return "innocent"

    runs, goes_on = asyncio.Event(), asyncio.Event()

    @huey.task
    async def parent(child: str) -> str:
        runs.set()
        await goes_on.wait()
        value: str = await huey.result_of(child)
        return value

    task = suspect.s()
    async with huey.create_consumer(workers=1, prefetch=0, lease=0.3):
        waiting = await parent(task.id)
        await soon(runs.wait())
        await make_suspect(huey, prepare(core_of(huey), task))
        goes_on.set()
        assert await soon(waiting.get(blocking=True)) == "innocent"


async def test_hooks_and_receivers_end_when_they_wait_for_tasks(huey: Huey) -> None:
    seen: list[int] = []

    @huey.task
    async def child(x: int) -> int:
        return x

    @huey.task(name="parent")
    async def parent(x: int) -> int:
        return x

    @huey.pre_execute()
    async def before(task: Any) -> None:
        if task.name == "parent":
            seen.append(await (await child(1)))

    @huey.signal("complete")
    async def receive(signal: str, task: Any) -> None:
        if task.name == "parent":
            seen.append(await (await child(2)))

    async with huey.create_consumer(workers=1):
        results = await parent.map(range(4))
        assert await soon(results.get(blocking=True)) == list(range(4))

        async def all_seen() -> bool:
            return len(seen) == 8

        await eventually(all_seen)
    assert sorted(seen) == [1] * 4 + [2] * 4
