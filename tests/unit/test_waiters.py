"""How the calls of one session share the registrations of a storage."""

from __future__ import annotations

import asyncio

import pytest

from hueyio.exceptions import StorageUnavailable
from hueyio.storage.records import Over
from hueyio.storage.shared.answers import Refused
from hueyio.storage.shared.waiters import AtOnce, Exchange, Waiters


class Asked:
    """Gathers what is sent to the storage."""

    def __init__(self, period: float = 1000.0) -> None:
        self.exchanges: asyncio.Queue[Exchange] = asyncio.Queue()
        self.at_once: list[Exchange] = []
        self.is_idle = False
        self.is_answered = asyncio.Event()
        self.waiters = Waiters(self.exchanges.put_nowait, period, AtOnce(lambda: self.is_idle, self.ask))

    async def ask(self, exchange: Exchange) -> None:
        self.is_idle = False
        self.at_once.append(exchange)
        await self.is_answered.wait()
        self.waiters.tell([(number, Over(id, b"value")) for id, number in exchange.wanted])

    async def next(self) -> Exchange:
        return await asyncio.wait_for(self.exchanges.get(), 20)


async def test_everything_that_is_awaited_is_asked_again_now_and_then() -> None:
    asked = Asked(period=0.001)
    waiting = asyncio.ensure_future(asked.waiters.wait(["a", "b"]))
    first = await asked.next()
    numbers = dict(first.wanted)
    assert sorted(numbers) == ["a", "b"]
    assert not first.again
    asked.waiters.tell([(numbers["a"], Over("a", b"value"))])
    only_b = [("b", numbers["b"])], frozenset("b")
    while ((exchange := await asked.next()).wanted, exchange.again) != only_b:
        assert sorted(id for id, _ in exchange.wanted) == ["a", "b"], "asked before this was told"
    for _ in range(3):
        exchange = await asked.next()
        assert (exchange.wanted, exchange.again) == only_b
    asked.waiters.tell([(numbers["b"], Over("b", None, kind="done"))])
    assert await waiting == [Over("a", b"value"), Over("b", None, kind="done")]
    assert not asked.waiters.is_awaited
    asked.waiters.close(RuntimeError("closed"))


async def test_wait_goes_on_when_it_cannot_be_asked_again() -> None:
    asked = Asked()
    waiting = asyncio.ensure_future(asked.waiters.wait(["a"]))
    await asked.next()
    asked.waiters.ask_again()
    (await asked.next()).answered(Refused(StorageUnavailable("away")))
    await asyncio.sleep(0)
    assert not waiting.done()
    other = asyncio.ensure_future(asked.waiters.wait(["b"]))
    await asyncio.sleep(0)
    asked.waiters.ask_again()
    (await asked.next()).answered(Refused(StorageUnavailable("away")))
    with pytest.raises(StorageUnavailable):
        await other
    assert not waiting.done()
    asked.waiters.close(RuntimeError("closed"))
    with pytest.raises(RuntimeError):
        await waiting


async def test_unknown_id_ends_those_calls_that_do_not_wait_for_it() -> None:
    asked = Asked()
    patient = asyncio.ensure_future(asked.waiters.wait(["a"], "wait"))
    first = await asked.next()
    assert first.patient == {"a"}
    hasty = asyncio.ensure_future(asked.waiters.wait(["a"]))
    second = await asked.next()
    assert (second.wanted, second.patient, second.again) == ([("a", 1)], frozenset(), frozenset("a"))
    second.answered([(1, Over("a", None))])
    third = await asked.next()
    assert (third.wanted, third.patient, third.again) == ([("a", 2)], frozenset("a"), frozenset())
    assert await hasty == [Over("a", None)]
    asked.waiters.tell([(1, Over("a", b"of another life"))])
    assert not patient.done()
    asked.waiters.tell([(2, Over("a", None, kind="lost"))])
    assert await patient == [Over("a", None, kind="lost")]
    asked.waiters.close(RuntimeError("closed"))


async def test_wait_that_is_alone_is_asked_at_once_and_others_of_its_turn_together() -> None:
    asked = Asked()
    asked.is_idle = True
    waiting = [asyncio.ensure_future(asked.waiters.wait([id])) for id in "abc"]
    await asyncio.sleep(0)
    assert [exchange.wanted for exchange in asked.at_once] == [[("a", 1)]]
    exchange = await asked.next()
    assert exchange.wanted == [("b", 2), ("c", 3)]
    asked.is_answered.set()
    assert await waiting[0] == [Over("a", b"value")]
    exchange.answered([(2, Over("b", None)), (3, Over("c", None))])
    assert await waiting[1] == [Over("b", None)]
    assert asked.exchanges.empty()
    asked.waiters.close(RuntimeError("closed"))


async def test_wait_that_joined_one_is_told_when_that_is_cancelled_before_its_answer() -> None:
    asked = Asked()
    asked.is_idle = True
    first = asyncio.ensure_future(asked.waiters.wait(["a"]))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(asked.waiters.wait(["a"]))
    await asyncio.sleep(0)
    first.cancel()
    exchange = await asked.next()
    assert (exchange.wanted, exchange.again, exchange.unwanted) == ([("a", 1)], frozenset("a"), [])
    exchange.answered([(1, Over("a", b"value"))])
    assert await second == [Over("a", b"value")]

    asked.is_idle = True
    alone = asyncio.ensure_future(asked.waiters.wait(["b"]))
    await asyncio.sleep(0)
    alone.cancel()
    assert (await asked.next()).unwanted == [("b", 2)]
    asked.waiters.close(RuntimeError("closed"))


async def test_ends_are_heard_one_by_one_and_the_call_returns_after_the_last() -> None:
    asked, heard = Asked(), list[Over]()
    hearing = asyncio.ensure_future(asked.waiters.hear(["a", "b", "a"], heard.append))
    exchange = await asked.next()
    numbers = dict(exchange.wanted)
    exchange.answered([(numbers["b"], Over("b", b"1"))])
    assert heard == [Over("b", b"1")]
    await asyncio.sleep(0)
    assert not hearing.done()
    asked.waiters.tell([(numbers["a"], Over("a", b"2"))])
    await hearing
    assert heard[1:] == [Over("a", b"2")]
    asked.waiters.close(RuntimeError("closed"))
