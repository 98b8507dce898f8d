"""The end of runs: what a batch of settlements changes.

Settlements are applied in order, each all or nothing: the fence and ``take`` are asked before anything is written.
Nearly all of them are plain: a Finish, or a Bury into the failed tasks, with at most a result and keys to delete, of
a task with nothing special in its header. A stretch of plain ones is one pass of each statement over all its rows. The
delete is also the fence: if it finds fewer tasks than it should, it is rolled back to its savepoint and the stretch is
applied one by one. A stretch of Release is put back together, in the order in which the tasks stood.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final, assert_never

from hueyio.storage.records import (
    Answer,
    Area,
    Bury,
    Defer,
    Delivery,
    EndKind,
    Finish,
    HistoryBatch,
    Lane,
    Receipt,
    Release,
    Settlement,
)
from hueyio.storage.shared.letters import unkept
from hueyio.storage.sqlite import past_runs
from hueyio.storage.sqlite.consuming import claim
from hueyio.storage.sqlite.dead import bury, bury_failed, hold_bounds
from hueyio.storage.sqlite.engine import tombstones
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.keys import delete, pop, store
from hueyio.storage.sqlite.latches import finish, note_result
from hueyio.storage.sqlite.many_rows import ManyRows
from hueyio.storage.sqlite.rows import TaskRow, header
from hueyio.storage.sqlite.statements import statements
from hueyio.storage.sqlite.tasks import add, again, any_suspect, arrived, holds_any, put_back, ring_ready, ring_suspects
from hueyio.storage.sqlite.waiting import end as end_all
from hueyio.storage.sqlite.waiting import tell
from hueyio.storage.sqlite.waiting_stages import with_later

__all__ = ["is_in_force", "settle", "settle_and_claim", "settle_one"]

_SQL = statements("settling.sql")
_REMOVE_PLAIN: Final = ManyRows(_SQL["remove_plain"])
_CODES: Final[dict[Answer, str]] = {"accepted": "a", "fired": "f", "stale": "s", "untaken": "u"}
_ENDS: Final = (Finish, Bury)
_ANSWERS: Final[dict[str, Answer]] = {code: answer for answer, code in _CODES.items()}


def settle(
    tx: Transaction,
    settlements: Sequence[Settlement],
    owner: str,
    number: int,
    history: HistoryBatch | None,
) -> list[Answer]:
    """Apply a batch of an owner, or repeat what it was told."""
    return _settle(tx, settlements, owner, number, history)[0]


def settle_and_claim(
    tx: Transaction,
    settlements: Sequence[Settlement],
    owner: str,
    number: int,
    history: HistoryBatch | None,
    room: Mapping[Lane, int],
) -> tuple[list[Answer], list[Delivery] | None]:
    """Do the same, and claim unless it was a repeat or there is no lease."""
    answers, is_applied = _settle(tx, settlements, owner, number, history)
    return answers, claim(tx, room, owner) if is_applied else None


def _settle(
    tx: Transaction, settlements: Sequence[Settlement], owner: str, number: int, history: HistoryBatch | None
) -> tuple[list[Answer], bool]:
    """Return the answers, and whether the batch was applied."""
    lease = tx.lease(owner)
    if lease is None:
        return _same("stale", settlements), False
    last, told, _ = lease
    if last == number:
        return [_ANSWERS[code] for code in told], False
    if not tx.keeps_failed:
        settlements = [unkept(it) if isinstance(it, Bury) and it.into == "failed" else it for it in settlements]
    answers: list[Answer] = []
    for plain, stretch in groupby(settlements, lambda it: _is_plain(it, owner)):
        batch = list(stretch)
        if plain and _finish_plain(tx, batch, owner):
            answers += _same("accepted", batch)
        else:
            answers.extend(_settle_one(tx, it, owner) for it in batch)
    burials = [it for it in settlements if isinstance(it, Bury)]
    if burials:
        hold_bounds(tx, burials)
    _ring_barred(tx, settlements, owner)
    if history is not None and tx.keep_history:
        past_runs.write(tx, history, settlements, answers)
    codes = "".join(_CODES[answer] for answer in answers)
    tx.execute(_SQL["settled"], (number, codes, tx.queue, owner))
    return answers, True


def settle_one(tx: Transaction, settlement: Settlement, history: HistoryBatch | None) -> Answer:
    """Apply a settlement by itself, without a number."""
    owner = settlement.receipt.owner
    if tx.lease(owner) is None:
        return "stale"
    answer = _settle_one(tx, settlement, owner)
    _ring_barred(tx, [settlement], owner)
    if history is not None and tx.keep_history:
        past_runs.write(tx, history, [settlement], [answer])
    return answer


def is_in_force(tx: Transaction, receipt: Receipt) -> bool:
    """Say whether a settlement of this receipt would not be stale now."""
    return tx.lease(receipt.owner) is not None and _in_force(tx, receipt, receipt.owner) is not None


def _same(answer: Answer, settlements: Sequence[Settlement]) -> list[Answer]:
    return [answer] * len(settlements)


def _is_plain(settlement: Settlement, owner: str) -> bool:
    receipt = settlement.receipt
    if receipt.deliveries or receipt.owner != owner:
        return False
    if isinstance(settlement, Finish):
        return not (settlement.follow_ups or settlement.also or settlement.take or settlement.latch)
    if isinstance(settlement, Bury):
        is_bound = settlement.follow_ups or settlement.also or settlement.latch
        return settlement.into == "failed" and not is_bound
    return False


def _finish_plain(tx: Transaction, batch: Sequence[Settlement], owner: str) -> bool:
    """End a stretch of plain tasks; False, with nothing changed, if one of them is not what it seems."""
    ends = [it for it in batch if isinstance(it, _ENDS)]
    buried = [(row, it) for it in batch if isinstance(it, Bury) and (row := _in_force(tx, it.receipt, owner))]
    tx.execute("SAVEPOINT plain")
    is_whole = _REMOVE_PLAIN.run(tx.execute, [(it.receipt.id,) for it in ends], (tx.queue, owner)) == len(ends)
    if not is_whole:
        tx.execute("ROLLBACK TO plain")
    tx.execute("RELEASE plain")
    if not is_whole:
        return False
    if buried:  # after the savepoint, which would write each of their pages once more
        bury_failed(tx, buried)
    store(tx, ((it.receipt.id, it.result, it.ttl) for it in ends))
    areas: set[Area] = {area for it in ends for area, _ in it.deletes}
    for area in areas:
        delete(tx, area, [key for it in ends for own, key in it.deletes if own == area])
    kinds: dict[str, EndKind] = {it.receipt.id: it.kind for it in ends}
    tombstones.note(tx, kinds)  # a task that is held is expected by nobody
    tell(tx, kinds)
    return True


def _settle_one(tx: Transaction, settlement: Settlement, owner: str) -> Answer:
    task = _in_force(tx, settlement.receipt, owner)
    if task is None:
        return "stale"
    match settlement:
        case Release():
            put_back(tx, [task._replace(deliveries=task.deliveries + settlement.counted)])
        case Defer(header=later):
            again(tx, task, later, task.data, started=bool(task.started))
        case Finish():
            return _finish(tx, task, settlement)
        case Bury():
            bury(tx, task, settlement)
            _end(tx, task, settlement)
            return _note_result(tx, settlement)
        case _:
            assert_never(settlement)
    return "accepted"


def _in_force(tx: Transaction, receipt: Receipt, owner: str) -> TaskRow | None:
    if receipt.owner != owner:
        return None
    row = tx.one(_SQL["in_force"], (tx.queue, receipt.id, owner, receipt.deliveries))
    return None if row is None else TaskRow._make(row)


def _finish(tx: Transaction, task: TaskRow, end: Finish) -> Answer:
    if end.take is not None and pop(tx, *end.take) is None:
        return "untaken"
    if any(entry.header.id == task.id for entry in end.follow_ups):
        _retry(tx, task, end)
    else:
        _end(tx, task, end)
    return _note_result(tx, end)


def _note_result(tx: Transaction, end: Finish | Bury) -> Answer:
    return "fired" if end.latch is not None and note_result(tx, end.latch, end.receipt.id) else "accepted"


def _retry(tx: Transaction, task: TaskRow, finish: Finish) -> None:
    """Let the task live on. Its own entry is not asked for its once token: it is the one that left it."""
    is_back = False
    for entry in finish.follow_ups:
        if entry.header.id != task.id:
            add(tx, [entry])
        elif not is_back:
            again(tx, task, *entry)
            is_back = True
    if finish.intermediate is not None:
        store(tx, [(task.id, finish.intermediate, finish.ttl)])
    _delete_all(tx, finish.deletes)


def _end(tx: Transaction, task: TaskRow, end: Finish | Bury) -> None:
    """Let the task be over, and with it what nobody else expects any more."""
    tx.execute(_SQL["remove"], (task.row,))
    if task.more is not None and not isinstance(end, Bury) and header(task).collects:
        finish(tx, task.id)  # a letter keeps it
    named = tx.unname(task.id)
    if end.follow_ups:
        add(tx, end.follow_ups)
    ids = [task.id, *(id for id in with_later(tx, end.also) if not tx.is_alive(id))]
    store(tx, [(id, end.result, end.ttl) for id in ids])
    arrived(tx, ids[1:])
    _delete_all(tx, end.deletes)
    end_all(tx, {**dict.fromkeys(named, "cancelled"), **dict.fromkeys(ids, end.kind)})


def _delete_all(tx: Transaction, keys: Iterable[tuple[Area, str]]) -> None:
    for area, key in keys:
        delete(tx, area, [key])


def _ring_barred(tx: Transaction, settlements: Sequence[Settlement], owner: str) -> None:
    """Ring for what the owner could not claim before.

    A suspect waits until its taker holds nothing, and whoever holds a suspect gets nothing else; the rings of that
    work may have been heard while it could not be claimed.
    """
    if any(it.receipt.deliveries > 0 for it in settlements):
        ring_ready(tx)
    if any_suspect(tx) and not holds_any(tx, owner):
        ring_suspects(tx)
