"""The end of runs in memory: what a batch of settlements changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from hueyio.storage.memory.dead import bury, find
from hueyio.storage.memory.keys import pop
from hueyio.storage.memory.latches import note_result
from hueyio.storage.memory.line import LiveTask
from hueyio.storage.memory.state import Lease, MemoryState
from hueyio.storage.memory.waiting_stages import with_later
from hueyio.storage.records import (
    Answer,
    Area,
    Bury,
    Defer,
    Finish,
    HistoryBatch,
    Receipt,
    Release,
    Settlement,
)
from hueyio.storage.shared.letters import unkept

__all__ = ["in_force", "settle"]


def settle(
    state: MemoryState,
    settlements: Sequence[Settlement],
    owner: str,
    number: int,
    history: HistoryBatch | None = None,
) -> list[Answer]:
    """Apply a batch of an owner, or repeat what it was told."""
    lease = state.leases.get(owner)
    if lease is None:
        return ["stale"] * len(settlements)
    if lease.number != number:
        lease.answers = [_settle_one(state, lease, settlement, owner) for settlement in settlements]
        lease.number = number
        if history is not None:
            state.past_runs.add(history, settlements, lease.answers)
    return list(lease.answers)


def in_force(lease: Lease, receipt: Receipt, owner: str) -> LiveTask | None:
    """Find the task that a receipt stands for, unless it is stale."""
    task = lease.held.get(receipt.id)
    if task is None or receipt.owner != owner or receipt.deliveries != task.deliveries:
        return None
    return task


def _settle_one(state: MemoryState, lease: Lease, settlement: Settlement, owner: str) -> Answer:
    task = in_force(lease, settlement.receipt, owner)
    if task is None:
        return "stale"
    if isinstance(settlement, Bury) and settlement.into == "failed" and not state.failed.are_kept:
        settlement = unkept(settlement)
    match settlement:
        case Finish():
            if settlement.take is not None and pop(state, *settlement.take) is None:
                return "untaken"
            state.let_go(task, owner, lease)
            _finish(state, task, settlement)
            return _note_result(state, settlement)
        case Release():
            state.let_go(task, owner, lease)
            task.deliveries += settlement.counted
            state.put_back(task)
        case Defer(header=header):
            state.let_go(task, owner, lease)
            state.again(task, header, task.data, started=task.started)
        case Bury():
            state.let_go(task, owner, lease)
            bury(state, task, settlement)
            _end(state, task, settlement)
            return _note_result(state, settlement)
        case _:
            assert_never(settlement)
    return "accepted"


def _note_result(state: MemoryState, end: Finish | Bury) -> Answer:
    member = end.receipt.id if state.notes_members else None
    return "fired" if end.latch is not None and note_result(state, end.latch, member) else "accepted"


def _finish(state: MemoryState, task: LiveTask, finish: Finish) -> None:
    if finish.follow_ups and any(it.header.id == task.header.id for it in finish.follow_ups):
        _retry(state, task, finish)
    else:
        _end(state, task, finish)


def _retry(state: MemoryState, task: LiveTask, finish: Finish) -> None:
    """Let the task live on. Its own entry is not asked for its once token: it is the one that left it."""
    id = task.header.id
    for entry in finish.follow_ups:
        if entry.header.id != id:
            state.enqueue([entry])
        elif task.line is None:
            state.again(task, *entry)
    if finish.intermediate is not None:
        state.areas["results"].put(id, finish.intermediate, finish.ttl)
    _delete_all(state, finish.deletes)


def _end(state: MemoryState, task: LiveTask, end: Finish | Bury) -> None:
    """Let the task be over, and with it what nobody else expects any more."""
    id = task.header.id
    state.forget(task, keeps_latch=isinstance(end, Bury) and find(state, id) is not None)
    if end.follow_ups:
        state.enqueue(end.follow_ups)
    state.store(id, end.result, end.ttl)
    also = with_later(state, end.also) if state.stages else end.also
    for other in also:  # left alone if somebody enqueued it meanwhile
        if other not in state.tasks:
            state.expected.pop(other, None)
            state.stages.pop(other, None)
            state.store(other, end.result, end.ttl)
    _delete_all(state, end.deletes)
    state.end(id, end.kind)
    for other in also:
        state.end(other, end.kind)
    if task.header.expects:
        state.unname(id, task.header.expects)


def _delete_all(state: MemoryState, keys: Iterable[tuple[Area, str]]) -> None:
    for area, key in keys:
        state.areas[area].discard(key)
