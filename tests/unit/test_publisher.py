"""How what was counted reaches the storage: once."""

from __future__ import annotations

import pytest

from hueyio.consumer.publisher import Publisher
from hueyio.exceptions import StorageUnavailable
from hueyio.loops.at_once import run_at_once
from hueyio.storage.contract import Session
from hueyio.storage.memory import MemoryStorage
from hueyio.storage.records import Counted


class Counter:
    """In the place of a tally: has been given what it hands over."""

    def __init__(self) -> None:
        self.parts: list[Counted] = []

    def take(self) -> list[Counted]:
        parts, self.parts = self.parts, []
        return parts


class LossySession:
    """One whose next replies get lost, with the calls or without."""

    def __init__(self, inner: Session) -> None:
        self.inner = inner
        self.lost: list[str] = []
        self.calls = 0

    async def publish(self, owner: str, number: int, info: bytes, counted: Counted | None = None) -> bool:
        self.calls += 1
        lost = self.lost.pop(0) if self.lost else None
        if lost == "call":
            raise StorageUnavailable("away")
        answer = await self.inner.publish(owner, number, info, counted)
        if lost == "reply":
            raise StorageUnavailable("the reply got lost")
        return answer


class Bench:
    def __init__(self, inner: Session) -> None:
        self.inner = inner
        self.session = LossySession(inner)
        self.tally = Counter()
        self.owner = "one"
        self.info = b"idle"
        self.publisher = Publisher(
            self.session,  # type: ignore[arg-type]
            lambda: self.owner,
            lambda: self.info,
            self.tally,  # type: ignore[arg-type]
        )

    def count(self, *done: int) -> None:
        self.tally.parts += [Counted({"done": it}, {"app.add": it}, {}, {"app.add": {"done": it}}) for it in done]

    def done(self) -> int:
        last = int(run_at_once(self.inner.time()) // 3600)
        return sum(it.totals["done"] for it in run_at_once(self.inner.read_slots(3600, last - 1, last)))


@pytest.fixture
async def bench() -> Bench:
    session = await MemoryStorage().connect()
    await session.register("one", b"idle")
    return Bench(session)


async def test_first_step_writes_nothing_since_the_lease_has_just_told_it(bench: Bench) -> None:
    assert run_at_once(bench.publisher.step()) > 0
    run_at_once(bench.publisher.step())
    assert bench.session.calls == 0
    bench.info = b"busy"
    run_at_once(bench.publisher.step())
    run_at_once(bench.publisher.step())
    assert bench.session.calls == 1
    assert [it.info for it in await bench.inner.owners()] == [b"busy"]


async def test_parts_are_all_written_when_there_are_several(bench: Bench) -> None:
    bench.count(1, 2, 4)
    run_at_once(bench.publisher.publish())
    bench.count(8)
    run_at_once(bench.publisher.publish())
    assert bench.done() == 15


@pytest.mark.parametrize("lost", [["call"], ["reply"], ["reply", "reply", "call"]])
async def test_counts_are_added_once_when_a_reply_gets_lost(bench: Bench, lost: list[str]) -> None:
    bench.count(1, 2)
    bench.session.lost = list(lost)
    for _ in lost:
        with pytest.raises(StorageUnavailable):
            run_at_once(bench.publisher.publish())
    bench.count(4)
    run_at_once(bench.publisher.publish())
    run_at_once(bench.publisher.publish())
    assert bench.done() == 7


async def test_counts_go_to_the_new_lease_when_the_old_one_is_gone(bench: Bench) -> None:
    run_at_once(bench.publisher.publish())
    await bench.inner.deregister("one")
    bench.count(1, 2)
    run_at_once(bench.publisher.publish())
    assert bench.done() == 0
    await bench.inner.register("two", b"idle")
    bench.owner = "two"
    run_at_once(bench.publisher.publish())
    assert bench.done() == 3


async def test_counts_are_never_added_twice_when_a_reply_and_the_lease_are_lost(bench: Bench) -> None:
    bench.count(1, 2)
    bench.session.lost = ["reply"]
    with pytest.raises(StorageUnavailable):
        run_at_once(bench.publisher.publish())
    await bench.inner.deregister("one")
    await bench.inner.register("two", b"idle")
    bench.owner = "two"
    run_at_once(bench.publisher.publish())
    assert bench.done() == 3


async def test_consumer_that_dies_loses_what_it_counted_since_its_last_write(bench: Bench) -> None:
    assert run_at_once(bench.publisher.step()) == run_at_once(bench.publisher.step()) == 5.0  # so that is the most
    bench.count(4, 8)
    bench.session.lost = ["reply"]
    with pytest.raises(StorageUnavailable):
        run_at_once(bench.publisher.step())  # the first part was written, and its consumer is killed before it knows
    successor = Bench(bench.inner)
    successor.owner = "two"
    await bench.inner.register("two", b"idle")
    successor.count(1)
    run_at_once(successor.publisher.publish())
    assert successor.done() == 5


async def test_nothing_is_counted_without_a_tally(bench: Bench) -> None:
    publisher = Publisher(bench.session, lambda: "one", lambda: b"info", None)  # type: ignore[arg-type]
    run_at_once(publisher.publish())
    assert [it.info for it in await bench.inner.owners()] == [b"info"]
