"""The batcher: many small calls become few large ones."""

from __future__ import annotations

import asyncio

import pytest

from hueyio.exceptions import SessionClosed, StorageUnavailable
from hueyio.storage.shared.batching import Batcher


class Recorder:
    """Acts by noting its batches; each result is the item again. Holds its breath while ``gate`` is closed."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.tasks: list[asyncio.Task[None]] = []
        self.batcher: Batcher[int, int] = Batcher(
            self.act, 10, lambda coroutine: self.tasks.append(asyncio.ensure_future(coroutine))
        )

    async def act(self, items: list[int]) -> list[int]:
        self.batches.append(items)
        await self.gate.wait()
        if 13 in items:
            raise StorageUnavailable("no luck")
        return list(items)


async def test_calls_of_one_turn_go_together() -> None:
    recorder = Recorder()
    assert await asyncio.gather(*[recorder.batcher.submit([n]) for n in range(3)]) == [[0], [1], [2]]
    assert recorder.batches == [[0, 1, 2]]


async def test_calls_that_come_while_a_batch_is_under_way_make_up_the_next() -> None:
    recorder = Recorder()
    recorder.gate.clear()
    first = recorder.batcher.submit([0])
    await asyncio.sleep(0)
    later = [recorder.batcher.submit([n]) for n in (1, 2)]
    recorder.gate.set()
    assert await asyncio.gather(first, *later) == [[0], [1], [2]]
    assert recorder.batches == [[0], [1, 2]]


async def test_who_was_answered_and_calls_again_is_in_the_next_round() -> None:
    recorder = Recorder()

    async def call_twice(number: int) -> None:
        await recorder.batcher.submit([number])
        await recorder.batcher.submit([number + 10])

    recorder.gate.clear()
    callers = [asyncio.ensure_future(call_twice(1))]
    for _ in range(2):
        await asyncio.sleep(0)  # the round of the first is under way
    callers.append(asyncio.ensure_future(call_twice(2)))
    await asyncio.sleep(0)
    recorder.gate.set()
    await asyncio.gather(*callers)
    assert recorder.batches == [[1], [2, 11], [12]]


async def test_one_call_is_not_split_unless_it_is_too_large() -> None:
    recorder = Recorder()
    sizes = [6, 6, 25]
    items = [list(range(100, 100 + size)) for size in sizes]
    assert await asyncio.gather(*[recorder.batcher.submit(it) for it in items]) == items
    assert [len(batch) for batch in recorder.batches] == [6, 6, 10, 10, 5]


async def test_error_reaches_those_of_its_batch_only() -> None:
    recorder = Recorder()
    bad, good = recorder.batcher.submit([13] * 10), recorder.batcher.submit([1])
    assert await good == [1]
    with pytest.raises(StorageUnavailable):
        await bad


async def test_cancelled_caller_does_not_stop_its_batch() -> None:
    recorder = Recorder()
    recorder.gate.clear()
    leaver, stayer = recorder.batcher.submit([1]), recorder.batcher.submit([2])
    await asyncio.sleep(0)
    leaver.cancel()
    recorder.gate.set()
    assert await stayer == [2]
    assert recorder.batches == [[1, 2]]


async def test_what_is_left_at_the_end_fails_clearly() -> None:
    recorder = Recorder()
    recorder.gate.clear()
    first = recorder.batcher.submit([1])
    await asyncio.sleep(0)
    second = recorder.batcher.submit([2])
    recorder.tasks[0].cancel()
    for left in (first, second):
        with pytest.raises(SessionClosed):
            await left
    await recorder.batcher.drain()
