"""Groups and chords, on every storage and in immediate mode."""

from __future__ import annotations

import copy
import pickle
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from hueyio import SKIPPED, CancelExecution, ChordResult, Error, Huey, ResultGroup, Task, TaskException, chord, group
from hueyio.core import core_of
from hueyio.exceptions import TaskRevoked


class Tasks:
    """What the tests run; ``calls`` is what the callbacks got."""

    def __init__(self, huey: Huey) -> None:
        self.calls: list[Any] = []
        self.failures = 0

        @huey.task()
        async def add(a: int, b: int) -> int:
            return a + b

        @huey.task()
        def nothing() -> None:
            return None

        @huey.task()
        async def fail(message: str = "boom") -> None:
            raise ValueError(message)

        @huey.task(retries=2)
        async def flaky() -> str:
            self.failures += 1
            if self.failures < 3:
                raise ValueError("not yet")
            return "at last"

        @huey.task()
        async def gather(*args: Any, **kwargs: Any) -> int:
            self.calls.append((*args, kwargs) if kwargs else args)
            return len(args[-1]) if isinstance(args[-1], list) else 0

        @huey.task()
        async def total(values: list[int]) -> int:
            return sum(values)

        self.add, self.nothing, self.fail, self.flaky = add, nothing, fail, flaky
        self.gather, self.total = gather, total


@pytest.fixture(params=[False, True], ids=["consumer", "immediate"])
async def huey(request: pytest.FixtureRequest, make_huey: Callable[..., Huey]) -> AsyncIterator[Huey]:
    made = make_huey(immediate=request.param)
    yield made
    await made.close()


@pytest.fixture
async def tasks(huey: Huey) -> AsyncIterator[Tasks]:
    made = Tasks(huey)
    if huey.immediate:
        yield made
        return
    async with huey.create_consumer(workers=4, threads=2):
        yield made


async def test_group_gives_values_in_member_order(huey: Huey, tasks: Tasks) -> None:
    members = group(tasks.add.s(index, 1) for index in range(5))
    results = await huey.enqueue(members)
    assert isinstance(results, ResultGroup)
    assert len(members) == len(results) == 5
    assert await results == [1, 2, 3, 4, 5]


async def test_group_counts_pipelines_by_their_tail(huey: Huey, tasks: Tasks) -> None:
    results = await huey.enqueue(group([tasks.add.s(1, 1).then(tasks.add, 10), tasks.add.s(2, 2)]))
    assert await results == [12, 4]


async def test_group_error_attaches_to_each_member(huey: Huey, tasks: Tasks) -> None:
    members = group([tasks.fail.s("one"), tasks.fail.s("two")])
    assert members.error(tasks.gather, "handler", [1]) is members
    results = await huey.enqueue(members)
    for result in results:
        with pytest.raises(TaskException):
            await result
        await huey.result(f"{result.id}:e0", blocking=True)
    assert sorted(str(call[-1]) for call in tasks.calls) == ["one", "two"]


async def test_chord_calls_its_callback_once_with_the_list_in_member_order(huey: Huey, tasks: Tasks) -> None:
    result = await huey.enqueue(chord([tasks.add.s(i, i) for i in range(4)], tasks.gather.s("own", key="kept")))
    assert isinstance(result, ChordResult)
    assert await result == 4
    assert tasks.calls == [("own", [0, 2, 4, 6], {"key": "kept"})]
    assert await result.results == [0, 2, 4, 6]
    assert await result.get() == await result(True) == await result.callback == 4
    assert result.pipeline_results is None
    assert (await huey.counts()).latches == 0


async def test_then_of_a_group_makes_a_chord(huey: Huey, tasks: Tasks) -> None:
    result = await huey.enqueue(group([tasks.add.s(1, 1), tasks.add.s(2, 2)]).then(tasks.gather, "own"))
    assert await result == 2
    assert tasks.calls == [("own", [2, 4])]


async def test_members_report_value_none_error_and_retried_value(huey: Huey, tasks: Tasks) -> None:
    members = [tasks.add.s(1, 1), tasks.nothing.s(), tasks.fail.s(), tasks.flaky.s()]
    assert await (await huey.enqueue(chord(members, tasks.gather))) == 4
    ((values,),) = tasks.calls
    value, nothing, error, flaky = values
    assert (value, nothing, flaky) == (2, None, "at last")
    assert isinstance(error, Error)
    assert error.metadata["error"] == "ValueError('boom')"
    assert error.metadata["task_id"] == members[2].id


async def test_revoked_and_expired_members_report_skipped(huey: Huey, tasks: Tasks) -> None:
    members = [tasks.add.s(1, 1), tasks.add.s(2, 2), tasks.add.s(3, 3, expires=0)]
    await huey.revoke(members[1])
    result = await huey.enqueue(chord(members, tasks.gather))
    assert await result == 3
    ((values,),) = tasks.calls
    assert values == [2, SKIPPED, SKIPPED]
    assert values[1] is SKIPPED
    with pytest.raises(TaskRevoked):
        await result.results[1]


async def test_member_that_its_hook_cancels_reports_skipped(huey: Huey, tasks: Tasks) -> None:
    @huey.pre_execute()
    async def refuse(task: Task) -> None:
        if task.name == tasks.nothing.name:
            raise CancelExecution

    result = await huey.enqueue(chord([tasks.nothing.s(), tasks.add.s(1, 1)], tasks.gather))
    assert await result == 2
    assert tasks.calls == [([SKIPPED, 2],)]


async def test_delay_of_a_callback_counts_from_when_it_was_built(huey: Huey, tasks: Tasks) -> None:
    before = core_of(huey).now()
    callback = tasks.gather.s(delay=3600)
    assert callback.eta is not None
    assert before + 3600 <= callback.eta.timestamp() <= core_of(huey).now() + 3600
    result = await huey.enqueue(chord([tasks.add.s(1, 1)], callback))
    await result.results
    (waiting,) = await huey.scheduled()
    assert (waiting.id, waiting.eta) == (result.callback.id, callback.eta)


async def test_pipeline_member_counts_by_its_tail_and_a_dead_head_at_once(huey: Huey, tasks: Tasks) -> None:
    good = tasks.add.s(1, 1).then(tasks.add, 10)
    dead = tasks.fail.s().then(tasks.add, 10)
    assert await (await huey.enqueue(chord([good, dead], tasks.gather))) == 2
    ((values,),) = tasks.calls
    assert values[0] == 12
    assert values[1].metadata["task_id"] == dead.id


async def test_chords_nest_to_any_depth(huey: Huey, tasks: Tasks) -> None:
    inner = chord([tasks.add.s(1, 1), tasks.add.s(2, 2)], tasks.total).then(tasks.add, 100)
    middle = chord([inner, tasks.add.s(3, 3)], tasks.total)
    result = await huey.enqueue(chord([middle, tasks.add.s(4, 4), chord([], tasks.total)], tasks.gather))
    assert await result == 3
    assert tasks.calls == [([112, 8, 0],)]
    assert await result.results == [112, 8, 0]
    assert (await huey.counts()).latches == 0


async def test_failed_inner_callback_is_an_error_outside(huey: Huey, tasks: Tasks) -> None:
    inner = chord([tasks.add.s(1, 1)], tasks.add.s(1))  # adding a list to a number fails
    assert await (await huey.enqueue(chord([inner], tasks.gather))) == 1
    ((values,),) = tasks.calls
    assert isinstance(values[0], Error)


async def test_callback_pipeline_and_error_belong_to_the_callback(huey: Huey, tasks: Tasks) -> None:
    made = chord([tasks.add.s(1, 1)], tasks.total)
    assert made.then(tasks.add, 10) is made
    result = await huey.enqueue(made)
    assert result.pipeline_results is not None
    assert await result.pipeline_results == [2, 12]
    assert await result == 2
    failing = chord([tasks.add.s(1, 1)], tasks.add.s(1)).error(tasks.gather, "handler", [])
    result = await huey.enqueue(failing)
    with pytest.raises(TaskException):
        await result
    await huey.result(f"{result.callback.id}:e0", blocking=True)
    assert tasks.calls[0][0] == "handler"


async def test_empty_chord_fires_at_once(huey: Huey, tasks: Tasks) -> None:
    assert await (await huey.enqueue(chord([], tasks.gather.s("own")))) == 0
    assert tasks.calls == [("own", [])]


async def test_same_chord_object_twice_accumulates_nothing(huey: Huey, tasks: Tasks) -> None:
    made = chord([tasks.add.s(1, 1)], tasks.gather.s("own"))
    for _ in range(2):
        result = await huey.enqueue(made)
        assert await result == 1
        result.reset()
    assert tasks.calls == [("own", [2])] * 2
    assert made.callback.args == ("own",)


async def test_failed_callback_is_retried_with_the_same_list(huey: Huey, tasks: Tasks) -> None:
    seen: list[Any] = []

    @huey.task(retries=1)
    async def picky(values: list[int]) -> int:
        seen.append(list(values))
        if len(seen) == 1:
            raise ValueError("once more")
        return sum(values)

    assert await (await huey.enqueue(chord([tasks.add.s(1, 1), tasks.add.s(2, 2)], picky))) == 6
    assert seen == [[2, 4], [2, 4]]
    assert (await huey.counts()).latches == 0


async def test_bad_chords_are_refused_at_the_call(huey: Huey, tasks: Tasks) -> None:
    with pytest.raises(TypeError, match="how many"):
        chord((tasks.add.s(1, 1) for _ in range(2)), tasks.total)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a group"):
        await huey.enqueue(chord([group([tasks.add.s(1, 1)])], tasks.total))  # type: ignore[list-item]
    twice = tasks.add.s(1, 1)
    with pytest.raises(ValueError, match="twice"):
        await huey.enqueue(chord([twice, twice], tasks.total))
    with pytest.raises(TypeError, match="Tasks"):
        group([1])  # type: ignore[list-item]
    with pytest.raises(Exception, match="callback"):
        chord([], 1)  # type: ignore[arg-type]


async def test_results_that_are_not_kept_still_reach_the_callback(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey(results=False)
    tasks = Tasks(huey)
    async with huey.create_consumer():
        result = await huey.enqueue(chord([tasks.add.s(1, 1), tasks.nothing.s()], tasks.gather))
        assert await result is None
        assert await (await huey.enqueue(group([tasks.add.s(1, 1)]))) == [None]
    assert tasks.calls == [([2, None],)]
    await huey.close()


def test_skipped_survives_pickling_and_copying_by_identity() -> None:
    assert pickle.loads(pickle.dumps([SKIPPED]))[0] is SKIPPED
    assert copy.deepcopy({"a": SKIPPED})["a"] is SKIPPED
    assert repr(SKIPPED) == "SKIPPED"


async def test_signals_of_a_chord_come_in_this_order(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    tasks = Tasks(huey)
    sent: list[tuple[str, str]] = []
    huey.signal()(lambda signal, task, *args: sent.append((signal, task.name.rpartition(".")[2])))
    members = [tasks.add.s(1, 1), tasks.fail.s()]
    await huey.revoke(last := tasks.nothing.s())
    result = await huey.enqueue(chord([*members, last], tasks.total.s().error(tasks.gather, [])))
    async with huey.create_consumer(workers=1, threads=1):
        with pytest.raises(TaskException):
            await result
        await huey.result(f"{result.callback.id}:e0", blocking=True)
    assert sent[:3] == [("enqueued", "add"), ("enqueued", "fail"), ("enqueued", "nothing")]
    by_task = {name: [signal for signal, of in sent if of == name] for name in ("add", "fail", "nothing", "total")}
    assert by_task == {
        "add": ["enqueued", "executing", "complete"],
        "fail": ["enqueued", "executing", "error"],
        "nothing": ["enqueued", "revoked"],
        "total": ["enqueued", "executing", "error"],
    }
    fired = sent.index(("enqueued", "total"))
    assert fired > max(
        sent.index(("complete", "add")), sent.index(("error", "fail")), sent.index(("revoked", "nothing"))
    )
    assert sent[fired + 1 :] == [
        ("executing", "total"),
        ("error", "total"),
        ("enqueued", "gather"),
        ("executing", "gather"),
        ("complete", "gather"),
    ]
    await huey.close()


async def test_callback_is_told_of_also_when_the_last_member_is_cancelled(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    tasks = Tasks(huey)
    sent: list[tuple[str, str]] = []
    result = await huey.enqueue(chord([tasks.add.s(1, 1)], tasks.total))

    @huey.signal()
    async def hear(signal: str, task: Task) -> None:
        sent.append((signal, task.id))

    assert await result.results[0].cancel()
    assert sent == [("canceled", result.results[0].id), ("enqueued", result.callback.id)]
    await huey.close()


async def test_callback_knows_the_values(huey: Huey, tasks: Tasks) -> None:
    seen: list[Task] = []

    @huey.task(context=True)
    async def look(values: list[int], task: Task) -> None:
        seen.append(task)

    await (await huey.enqueue(chord([tasks.add.s(1, 1)], look)))
    assert (seen[0].values, seen[0].args) == ([2], ())
