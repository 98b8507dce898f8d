"""The machine that makes the steps up, takes each on both storages and compares.

Theory of operation. The memory storage is the model: short, without I/O, held to the contract by the conformance suite.
Each rule is one operation with the same arguments on both; answers, errors and afterwards everything that can be seen
must be the same. Waits that the model ends must end in the other within seconds, and no others. Whatever depends on
the time is put out of reach: times to live are longer than any machine runs, and ``promote`` gets a time made up.

Order is compared as far as the contract promises one: not between lanes, and not among tasks that were given back. So
from the first of these on, claims take all there is, and of several suspects none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hueyio.exceptions import LeaseLost
from hueyio.named_tuple import NamedTuple
from hueyio.storage.contract import Session, Storage
from hueyio.storage.memory import MemoryStorage
from hueyio.storage.records import (
    LANES,
    Answer,
    Area,
    Burial,
    Clearable,
    Counted,
    Delivery,
    Header,
    HistoryBatch,
    Lane,
    Over,
    Receipt,
    Release,
    Requeue,
    Settlement,
    Unknown,
)
from hueyio.testing.storage.conformance.worker import soon, start_waiting
from hueyio.testing.storage.differential.choices import (
    AREA,
    AREA_OF_VALUES,
    CLEARABLE,
    COUNTED,
    DATA,
    ID,
    IDS,
    KEY,
    LOCKS,
    OWNER,
    OWNERS,
    ROOM,
    TTL,
    entries,
    history_of,
    latches,
    receipts_of,
    settlements_of,
)
from hueyio.testing.storage.differential.snapshot import look

__all__ = ["StorageMachine"]

T = TypeVar("T")

_LEASE = 1e6
_DEAD_LIMIT = 10_000
_NO_HEADER = Header("a")


class _Waits(NamedTuple):
    """One wait, on both."""

    model: asyncio.Task[list[Over]]
    real: asyncio.Task[list[Over]]


class StorageMachine(RuleBasedStateMachine):
    """One storage beside the model, from empty queues on."""

    def __init__(self, storage: Storage, runner: asyncio.Runner) -> None:
        super().__init__()
        self._runner = runner
        self._storage = storage
        self._priorities = storage.capabilities.priorities
        self._numbers = dict.fromkeys(OWNERS, 0)
        self._last: dict[str, tuple[list[Settlement], HistoryBatch | None]] = {}
        self._waits: list[_Waits] = []
        self._is_ordered = True
        """Whether nothing was given back yet."""
        self._beats = {owner: storage.lease_keeper(owner) for owner in OWNERS}
        self._model, self._real = runner.run(self._open())
        self._model_beats = {owner: self._memory.lease_keeper(owner) for owner in OWNERS}

    def teardown(self) -> None:
        """Let go of everything."""
        self._runner.run(self._close())

    # --- producing

    @rule(data=st.data())
    def enqueue(self, data: st.DataObject) -> None:
        batch = data.draw(entries(self._priorities, 4))
        self._both(lambda it: it.enqueue(batch))

    @rule(data=st.data())
    def enqueue_with_latches(self, data: st.DataObject) -> None:
        batch, made = data.draw(entries(self._priorities)), data.draw(latches(self._priorities))
        self._both(lambda it: it.enqueue(batch, made))

    @rule(ids=st.lists(ID, min_size=1, max_size=3, unique=True), owner=OWNER)
    def cancel(self, ids: list[str], owner: str) -> None:
        self._is_ordered = False  # what is taken out of the middle may be given back
        self._both(lambda it: it.cancel(ids, owner), _by_id)

    # --- consuming

    @initialize()
    def begin(self) -> None:
        for owner in OWNERS:
            self.register(owner, b"")

    @rule(owner=OWNER, info=DATA)
    def register(self, owner: str, info: bytes) -> None:
        if self._both(lambda it: it.held(owner), _by_id) is LeaseLost:
            self._numbers[owner] = 0
            self._last.pop(owner, None)
        self._both(lambda it: it.register(owner, info))

    @rule(owner=OWNER)
    def deregister(self, owner: str) -> None:
        self._is_ordered = False
        self._both(lambda it: it.deregister(owner))

    @rule(owner=OWNER)
    def beat(self, owner: str) -> None:
        assert self._beats[owner].beat() == self._model_beats[owner].beat()

    @rule(owner=OWNER, late=st.booleans())
    def reclaim(self, owner: str, late: bool) -> None:
        beats = {it.owner: it.beat for it in self._runner.run(self._model.owners())}
        beat = beats.get(owner, 0) - late
        self._is_ordered = False
        self._both(lambda it: it.reclaim(owner, beat))

    @rule(owner=OWNER, room=ROOM)
    def claim(self, owner: str, room: Mapping[Lane, int]) -> None:
        self._claim(owner, room if self._is_ordered else dict.fromkeys(LANES, 100))

    @rule(owner=OWNER)
    def claim_all(self, owner: str) -> None:
        self._claim(owner, dict.fromkeys(LANES, 100))

    @rule(ids=st.lists(ID, max_size=4), room=ROOM, owner=OWNER, alone=st.booleans())
    def claim_awaited(self, ids: list[str], room: Mapping[Lane, int], owner: str, alone: bool) -> None:
        self._is_ordered = False  # as with cancel
        self._both(lambda it: it.claim_awaited(ids, room, owner, alone), _by_id)

    @rule(owner=OWNER, data=st.data())
    def start(self, owner: str, data: st.DataObject) -> None:
        receipts = [data.draw(receipts_of(it)) for it in self._draw_held(data, owner)]
        self._both(lambda it: it.start(receipts, owner))

    @rule(owner=OWNER, progress=DATA, data=st.data())
    def report(self, owner: str, progress: bytes, data: st.DataObject) -> None:
        receipts = [data.draw(receipts_of(it)) for it in self._draw_held(data, owner)]
        if receipts:
            self._both(lambda it: it.report(receipts[0], progress))

    @rule(owner=OWNER, data=st.data())
    def settle(self, owner: str, data: st.DataObject) -> None:
        settlements = [data.draw(settlements_of(it, self._priorities)) for it in self._draw_held(data, owner)]
        if settlements:
            self._numbers[owner] += 1
            history = data.draw(history_of(settlements))
            self._last[owner] = settlements, history
            self._is_ordered = self._is_ordered and not any(isinstance(it, Release) for it in settlements)
            self._both(lambda it: it.settle(settlements, owner, self._numbers[owner], history))

    @rule(owner=OWNER, room=ROOM, data=st.data())
    def settle_and_claim(self, owner: str, room: Mapping[Lane, int], data: st.DataObject) -> None:
        settlements = [data.draw(settlements_of(it, self._priorities)) for it in self._draw_held(data, owner)]
        if not settlements or self._runner.run(self._model.counts()).suspects:
            return
        self._numbers[owner] += 1
        self._last[owner] = settlements, None
        self._is_ordered = self._is_ordered and not any(isinstance(it, Release) for it in settlements)
        asked = room if self._is_ordered else dict.fromkeys(LANES, 100)
        read = _by_lane if self._is_ordered else _by_id
        self._both(
            lambda it: _settle_and_claim(it, settlements, owner, self._numbers[owner], asked),
            lambda both: (both[0], read(both[1])),
        )

    @precondition(lambda self: self._last)
    @rule(data=st.data())
    def settle_again(self, data: st.DataObject) -> None:
        owner = data.draw(st.sampled_from(sorted(self._last)))
        settlements, history = self._last[owner]
        self._both(lambda it: it.settle(settlements, owner, self._numbers[owner], history))

    @rule(now=st.sampled_from([5.0, 10.02, 25.0, 31.0]), limit=st.sampled_from([1, 2, 100]))
    def promote(self, now: float, limit: int) -> None:
        self._both(lambda it: it.promote(now, limit))

    # --- waiting

    @rule(ids=st.lists(ID, min_size=1, max_size=2, unique=True), unknown=st.sampled_from(["return", "wait"]))
    def wait(self, ids: list[str], unknown: Unknown) -> None:
        self._waits.append(self._runner.run(self._start_waiting(ids, unknown)))

    @precondition(lambda self: self._waits)
    @rule()
    def cancel_wait(self) -> None:
        self._runner.run(_cancel(self._waits.pop()))

    # --- keys and limits

    @rule(area=AREA_OF_VALUES, key=KEY, value=DATA, ttl=TTL)
    def put(self, area: Area, key: str, value: bytes, ttl: float | None) -> None:
        self._both(lambda it: it.put(area, {key: value}, ttl))

    @rule(area=AREA_OF_VALUES, key=KEY, value=DATA, ttl=TTL)
    def put_if_absent(self, area: Area, key: str, value: bytes, ttl: float | None) -> None:
        self._both(lambda it: it.put_if_absent(area, key, value, ttl))

    @rule(area=AREA_OF_VALUES, key=st.one_of(KEY, ID))
    def pop(self, area: Area, key: str) -> None:
        self._both(lambda it: it.peek(area, [key, "absent"]))
        self._both(lambda it: it.pop(area, key))

    @rule(area=AREA, keys=st.lists(st.one_of(KEY, ID, st.sampled_from(LOCKS)), max_size=2))
    def delete(self, area: Area, keys: list[str]) -> None:
        self._both(lambda it: it.delete(area, keys))

    @rule(area=AREA_OF_VALUES, key=KEY, expected=DATA, ttl=TTL)
    def compare(self, area: Area, key: str, expected: bytes, ttl: float | None) -> None:
        self._both(lambda it: it.compare_extend(area, key, expected, ttl))
        self._both(lambda it: it.compare_delete(area, key, expected))

    @rule(key=st.sampled_from(["n", "m"]), amount=st.integers(-3, 3), ttl=TTL)
    def add(self, key: str, amount: int, ttl: float | None) -> None:
        self._both(lambda it: it.add("data", key, amount, ttl))

    @rule(
        key=st.sampled_from(LOCKS),
        token=ID,
        size=st.integers(1, 2),
        owner=st.one_of(st.none(), OWNER),
        ttl=TTL,
    )
    def acquire(self, key: str, token: str, size: int, owner: str | None, ttl: float | None) -> None:
        self._both(lambda it: it.acquire(key, token, size, _LEASE, owner, ttl))

    @rule(key=st.sampled_from(LOCKS), token=ID, owner=st.one_of(st.none(), OWNER))
    def release(self, key: str, token: str, owner: str | None) -> None:
        self._both(lambda it: it.renew(key, token, _LEASE))
        self._both(lambda it: it.release(key, token, owner))

    @rule(key=KEY, burst=st.integers(1, 2))
    def take(self, key: str, burst: int) -> None:
        self._both(lambda it: it.take(key, 1e-6, burst), lambda wait: wait > 0)

    # --- dead letters and housekeeping

    @rule(ids=st.lists(ID, max_size=2, unique=True))
    def requeue(self, ids: list[str]) -> None:
        self._both(lambda it: it.requeue([Requeue(id) for id in ids]))

    @rule(ids=st.one_of(st.none(), st.lists(ID, max_size=2, unique=True)), store=st.sampled_from(["dead", "failed"]))
    def purge(self, ids: list[str] | None, store: Burial) -> None:
        self._both(lambda it: it.purge(ids, store))

    @rule(what=CLEARABLE)
    def clear(self, what: list[Clearable]) -> None:
        self._both(lambda it: it.clear(what))

    @rule(by=st.sampled_from(["", "ops", "ana maria@web 1"]))
    def pause(self, by: str) -> None:
        self._both(lambda it: it.pause(by))

    @rule()
    def resume(self) -> None:
        self._both(lambda it: it.resume())

    @rule(owner=OWNER, number=st.integers(1, 4), info=DATA, counted=COUNTED)
    def publish(self, owner: str, number: int, info: bytes, counted: Counted | None) -> None:
        self._both(lambda it: it.publish(owner, number, info, counted))

    @rule(line=DATA)
    def note(self, line: bytes) -> None:
        self._both(lambda it: it.note(line))

    # --- what must be the same after each step

    @invariant()
    def looks_the_same(self) -> None:
        model, real = self._runner.run(self._look())
        if not self._is_ordered:
            model, real = model.without_order(), real.without_order()
        different = [it.name for it in fields(model) if getattr(model, it.name) != getattr(real, it.name)]
        assert not different, "\n".join(
            f"{name}: the model has {getattr(model, name)}, the storage {getattr(real, name)}" for name in different
        )
        real.check()

    @invariant()
    def ends_the_same_waits(self) -> None:
        self._waits = self._runner.run(self._compare_waits())

    def _both(self, act: Callable[[Session], Awaitable[Any]], read: Callable[[Any], Any] = lambda it: it) -> Any:
        """Take a step on both; return the answer, or the class of the error."""
        model, real = self._runner.run(_answers(act, self._model, self._real))
        model, real = (it if isinstance(it, type) else read(it) for it in (model, real))
        assert real == model, f"the model answers {model}, the storage {real}"
        return model

    def _claim(self, owner: str, room: Mapping[Lane, int]) -> None:
        suspects = self._runner.run(self._model.counts()).suspects
        if suspects < 2:
            self._both(lambda it: it.claim(room, owner), _by_lane if self._is_ordered else _by_id)

    def _draw_held(self, data: st.DataObject, owner: str) -> list[Delivery]:
        """Choose of what an owner holds."""
        try:
            held = self._runner.run(self._model.held(owner))
        except LeaseLost:
            held = [Delivery(Receipt(owner, "a", 0), _NO_HEADER, b"")]
        if not held:
            return []
        return data.draw(st.lists(st.sampled_from(held), max_size=4, unique_by=lambda it: it.receipt.id))

    async def _open(self) -> tuple[Session, Session]:
        self._memory = MemoryStorage("model", dead_limit=_DEAD_LIMIT)
        return await self._memory.connect(), await self._storage.connect()

    async def _close(self) -> None:
        for waits in self._waits:
            await _cancel(waits)
        await self._real.close()
        for keeper in self._beats.values():
            keeper.close()

    async def _look(self) -> tuple[Any, Any]:
        return await look(self._model, IDS, OWNERS, LOCKS), await look(self._real, IDS, OWNERS, LOCKS)

    async def _start_waiting(self, ids: list[str], unknown: Unknown) -> _Waits:
        model = await start_waiting(self._model, *ids, unknown=unknown)
        return _Waits(model, await start_waiting(self._real, *ids, unknown=unknown))

    async def _compare_waits(self) -> list[_Waits]:
        await asyncio.sleep(0)
        left = []
        for waits in self._waits:
            if not waits.model.done() and waits.real.done() and _is_put_by_hand(waits.real.result()):
                waits.model.cancel()
                continue
            if not waits.model.done():
                assert not waits.real.done(), f"a wait ended that must go on: {waits.real.result()}"
                left.append(waits)
                continue
            assert await soon(waits.real) == await waits.model
        return left


def _is_put_by_hand(overs: list[Over]) -> bool:
    """Say whether a patient wait was asked again after somebody put a result, which in the model ends nothing."""
    return any(over.data is not None and over.kind is None for over in overs)


def _by_id(deliveries: list[Delivery]) -> list[Delivery]:
    return sorted(deliveries, key=lambda it: it.receipt.id)


def _by_lane(deliveries: list[Delivery]) -> list[Delivery]:
    return sorted(deliveries, key=lambda it: it.header.lane)


async def _answers(act: Callable[[Session], Awaitable[Any]], *sessions: Session) -> list[Any]:
    return [await _answer(act(session)) for session in sessions]


async def _answer(acting: Awaitable[Any]) -> Any:
    try:
        return await acting
    except LeaseLost as error:
        return type(error)


async def _settle_and_claim(
    session: Session, settlements: list[Settlement], owner: str, number: int, room: Mapping[Lane, int]
) -> tuple[list[Answer], list[Delivery]]:
    answers, deliveries = await session.settle_and_claim(settlements, owner, number, None, room)
    return answers, await session.claim(room, owner) if deliveries is None else deliveries


async def _cancel(waits: _Waits) -> None:
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
