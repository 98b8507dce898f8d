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
