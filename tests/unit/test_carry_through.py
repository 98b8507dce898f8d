"""What must come to its end does, however often its caller is cancelled."""

from __future__ import annotations

import asyncio

import pytest

from hueyio.loops.carry_through import carry_through


async def test_value_is_returned_and_error_raised() -> None:
    async def fail() -> None:
        raise ValueError("x")

    assert await carry_through(asyncio.sleep(0, "value")) == "value"
    with pytest.raises(ValueError, match="x"):
        await carry_through(fail())


async def test_cancellations_are_raised_at_the_end_and_told_at_once() -> None:
    go_on, told, ended = asyncio.Event(), [], []

    async def work() -> None:
        await go_on.wait()
        ended.append(True)

    calling = asyncio.ensure_future(carry_through(work(), lambda: told.append(True)))
    for count in (1, 2, 3):
        await asyncio.sleep(0)
        calling.cancel()
        await asyncio.sleep(0)
        assert (len(told), ended) == (count, [])
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert ended == [True]


async def test_error_is_the_cause_of_the_cancellation() -> None:
    go_on = asyncio.Event()

    async def fail() -> None:
        await go_on.wait()
        raise ValueError("x")

    calling = asyncio.ensure_future(carry_through(fail()))
    await asyncio.sleep(0)
    calling.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError) as raised:
        await calling
    assert isinstance(raised.value.__cause__, ValueError)
