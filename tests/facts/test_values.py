"""Values of the user's own: put, get and their kin, on every storage."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from hueyio import Huey, HueyException, SerializationError
from tests.facts.steps import consuming


async def test_value_is_gone_after_it_was_read(huey: Huey) -> None:
    await huey.put("key", {"a": [1]})
    assert await huey.get("key") == {"a": [1]}
    assert await huey.get("key") is None


async def test_value_stays_when_it_is_peeked_at(huey: Huey) -> None:
    await huey.put("key", 1)
    await huey.put("key", 2)
    assert await huey.get("key", peek=True) == 2
    assert await huey.get_raw("key", peek=True) == huey.serializer.serialize(2)
    assert await huey.get_raw("key") == huey.serializer.serialize(2)
    assert await huey.get_raw("key") is None


async def test_delete_says_whether_there_was_a_value(huey: Huey) -> None:
    await huey.put("key", None)
    assert await huey.delete("key") is True
    assert await huey.delete("key") is False


def test_put_if_empty_is_won_by_one_of_eight_threads(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    answers: list[bool] = []
    start = threading.Barrier(8)

    def race(number: int) -> None:
        start.wait()
        answers.append(asyncio.run(put(number)))

    async def put(number: int) -> bool:
        try:
            return await huey.put_if_empty("key", number)
        finally:
            await huey.close()

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False] * 7 + [True]


async def test_value_with_a_time_to_live_ends_by_itself(huey: Huey) -> None:
    assert await huey.put_if_empty("long", 1, ttl=600) is True
    assert await huey.put_if_empty("long", 2) is False
    assert await huey.put_if_empty("key", 1, ttl=0.05) is True
    async with asyncio.timeout(30):
        while not await huey.put_if_empty("key", 3):  # noqa: ASYNC110 (the storage's clock announces nothing)
            await asyncio.sleep(0.01)
    assert await huey.get("key") == 3
    assert await huey.get("long") == 1


async def test_no_key_meets_a_result_or_a_revocation(huey: Huey) -> None:
    @huey.task
    async def work() -> int:
        return 1

    result = await work()
    await huey.put(result.id, "mine")
    await huey.put(f"r:{result.id}", "mine")
    assert not await result.is_revoked()
    async with consuming(huey):
        assert await result == 1
    assert await huey.get(result.id) == "mine"


async def test_put_result_is_read_by_a_handle(huey: Huey) -> None:
    await huey.put_result("made", {"by": "hand"})
    assert await huey.result_count() == 1
    assert await huey.result_of("made") == {"by": "hand"}
    assert await huey.result("made") is None


@pytest.mark.parametrize("method", ["put", "get", "delete", "put_if_empty", "get_raw", "put_result"])
async def test_key_that_is_no_text_is_refused(huey: Huey, method: str) -> None:
    arguments: list[Any] = [5, 1] if "put" in method else [5]
    with pytest.raises(HueyException, match="a key must be a text, not 5"):
        await getattr(huey, method)(*arguments)


async def test_value_that_cannot_be_serialised_is_refused(huey: Huey) -> None:
    with pytest.raises(SerializationError, match="lock"):
        await huey.put("key", threading.Lock())
    with pytest.raises(HueyException, match="ttl must be seconds"):
        await huey.put_if_empty("key", 1, ttl=0)
