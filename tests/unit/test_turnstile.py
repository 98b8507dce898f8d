"""Many begin at once, and the loop comes round between them."""

from __future__ import annotations

import asyncio

from hueyio.storage.shared.turnstile import Turnstile


async def test_few_pass_at_once() -> None:
    turnstile = Turnstile(3)
    for _ in range(3):
        entering = turnstile.enter()
        try:
            entering.send(None)
        except StopIteration:
            continue
        raise AssertionError("it had to wait")


async def test_many_pass_a_few_each_turn_in_their_order() -> None:
    turnstile = Turnstile(3)
    passed: list[int] = []

    async def enter(number: int) -> None:
        await turnstile.enter()
        passed.append(number)

    entering = [asyncio.ensure_future(enter(number)) for number in range(10)]
    sizes: list[int] = []
    while len(passed) < 10:
        await asyncio.sleep(0)
        sizes.append(len(passed))
    assert passed == list(range(10))
    assert max(after - before for before, after in zip([0, *sizes], sizes, strict=False)) <= 3
    await asyncio.gather(*entering)


async def test_who_goes_away_holds_up_nobody() -> None:
    turnstile = Turnstile(1)
    entering = [asyncio.ensure_future(turnstile.enter()) for _ in range(5)]
    await asyncio.sleep(0)
    for it in entering[1:4]:
        it.cancel()
    await asyncio.wait_for(entering[4], 5)


async def test_who_begins_several_things_counts_as_so_many() -> None:
    turnstile = Turnstile(3)
    passed: list[int] = []

    async def enter(count: int) -> None:
        await turnstile.enter(count)
        passed.append(count)

    entering = [asyncio.ensure_future(enter(count)) for count in (2, 1, 2, 5, 1, 1)]
    turns: list[list[int]] = []
    while len(passed) < len(entering):
        seen = len(passed)
        await asyncio.sleep(0)
        turns.append(passed[seen:])
    assert [it for it in turns if it] == [[2, 1], [2], [5], [1, 1]]
    await asyncio.gather(*entering)
