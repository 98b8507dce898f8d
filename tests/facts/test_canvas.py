"""Groups and chords, one step at a time, on every storage."""

from __future__ import annotations

from typing import Any

import pytest

from hueyio import SKIPPED, Error, Huey, TaskException, chord, group
from tests.facts.steps import later, run_all, run_next


class Tasks:
    """What the tests run."""

    def __init__(self, huey: Huey) -> None:
        @huey.task
        async def add(a: int, b: int) -> int:
            return a + b

        @huey.task
        async def nothing() -> None: ...

        @huey.task
        async def fail() -> None:
            raise ValueError("no")

        @huey.task
        async def total(values: list[int]) -> int:
            return sum(values)

        @huey.task
        async def collect(*args: Any, **kwargs: Any) -> list[Any]:
            return [*args, kwargs] if kwargs else list(args)

        self.add, self.nothing, self.fail, self.total, self.collect = add, nothing, fail, total, collect


@pytest.fixture
def tasks(huey: Huey) -> Tasks:
    return Tasks(huey)


async def test_group_is_in_the_order_of_its_members_whichever_runs_first(huey: Huey, tasks: Tasks) -> None:
    results = await huey.enqueue(group([tasks.add.s(1, 1, delay=60), tasks.add.s(2, 2), tasks.add.s(3, 3)]))
    assert await run_all(huey) == [4, 6]
    assert await results.get() == [None, 4, 6]
    await huey.read_schedule(later(61))
    assert await run_all(huey, later(61)) == [2]
    assert await results == [2, 4, 6]


async def test_callback_is_enqueued_once_after_the_last_member(huey: Huey, tasks: Tasks) -> None:
    members = [tasks.add.s(0, 0), tasks.add.s(1, 0), tasks.add.s(2, 0, delay=60)]
    result = await huey.enqueue(chord(members, tasks.collect.s("own", key="kept")))
    for number in range(2):
        assert await huey.result_of(result.callback.id).status() == "waiting"
        assert await run_next(huey) == number
    await huey.read_schedule(later(61))
    assert await run_next(huey, later(61)) == 2
    assert await huey.count() == 1
    assert await run_all(huey) == [["own", [0, 1, 2], {"key": "kept"}]]
    assert await result == ["own", [0, 1, 2], {"key": "kept"}]


async def test_members_say_how_they_ended(huey: Huey) -> None:
    failures: list[int] = []
    got: list[Any] = []
    tasks = Tasks(huey)

    @huey.task(retries=1)
    async def flaky() -> str:
        failures.append(1)
        if len(failures) == 1:
            raise ValueError("not yet")
        return "at last"

    @huey.task
    async def take(values: list[Any]) -> None:
        got.extend(values)

    revoked, late = tasks.add.s(1, 1), tasks.add.s(2, 2, expires=0)
    await huey.revoke(revoked)
    members = [tasks.add.s(1, 2), tasks.nothing.s(), tasks.fail.s(), revoked, late, flaky.s()]
    await huey.enqueue(chord(members, take))
    await run_all(huey)
    value, nothing, error, *skipped, last = got
    assert (value, nothing, last) == (3, None, "at last")
    assert isinstance(error, Error)
    assert all(it is SKIPPED for it in skipped)
    assert len(skipped) == 2


async def test_pipeline_counts_by_its_tail_and_a_dead_head_at_once(huey: Huey, tasks: Tasks) -> None:
    whole = tasks.add.s(1, 1).then(tasks.add, 10, delay=60)
    dead = tasks.fail.s().then(tasks.add, 10)
    result = await huey.enqueue(chord([dead, whole], tasks.collect))
    assert await run_all(huey) == [None, 2]
    assert await result.callback.status() == "waiting"
    await huey.read_schedule(later(61))
    values = (await run_all(huey, later(61)))[-1][0]
    assert isinstance(values[0], Error)
    assert values[1] == 12


async def test_chords_stand_in_chords(huey: Huey, tasks: Tasks) -> None:
    inner = chord([tasks.add.s(1, 1), tasks.add.s(2, 2)], tasks.total.s().then(tasks.add, 100))
    middle = chord([inner, tasks.add.s(3, 3)], tasks.total)
    result = await huey.enqueue(chord([middle, tasks.add.s(4, 4)], tasks.total))
    await run_all(huey)
    assert await result == 120


async def test_empty_chord_fires_with_an_empty_list(huey: Huey, tasks: Tasks) -> None:
    await huey.enqueue(chord([], tasks.collect))
    assert await run_all(huey) == [[[]]]


async def test_chord_that_is_enqueued_again_accumulates_nothing(huey: Huey, tasks: Tasks) -> None:
    made = chord([tasks.add.s(1, 1)], tasks.collect.s("own"))
    for _ in range(2):
        await huey.enqueue(made)
        assert await run_all(huey) == [2, ["own", [2]]]


async def test_no_latch_is_left_and_members_stay_readable(huey: Huey, tasks: Tasks) -> None:
    result = await huey.enqueue(chord([tasks.add.s(1, 1), tasks.fail.s()], tasks.collect))
    await run_all(huey)
    counts = await huey.counts()
    assert (counts.latches, counts.results) == (0, 3)
    assert await result.results[0] == 2
    with pytest.raises(TaskException, match="no"):
        await result.results[1]


async def test_delay_of_a_callback_counts_from_when_it_was_made(huey: Huey, tasks: Tasks) -> None:
    at = later(60)
    await huey.enqueue(chord([tasks.add.s(1, 1)], tasks.total.s(delay=60)))
    assert await run_all(huey, later(50)) == [2]
    (callback,) = await huey.scheduled()
    assert callback.eta is not None
    assert abs((callback.eta - at).total_seconds()) < 5
    await huey.read_schedule(later(61))
    assert await run_all(huey, later(61)) == [2]


async def test_group_in_a_chord_is_refused(huey: Huey, tasks: Tasks) -> None:
    members: Any = [group([tasks.add.s(1, 1)])]
    with pytest.raises(ValueError, match="a group"):
        await huey.enqueue(chord(members, tasks.total))
    assert await huey.count() == 0
