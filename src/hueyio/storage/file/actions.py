"""The steps that a journal can hold: what the memory storage does, and who waits for which ids.

What becomes of the state depends on the state, the arguments and the time of the step alone. A step that answers
``Unchanged`` did nothing, and is not written down.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from hueyio.named_tuple import NamedTuple
from hueyio.storage.file.state import FileState
from hueyio.storage.memory import consuming, counting, dead, limits, producing
from hueyio.storage.memory.actions import ACTIONS
from hueyio.storage.memory.settling import settle
from hueyio.storage.memory.waiting import find_end
from hueyio.storage.operations import OPERATIONS, Durability
from hueyio.storage.records import (
    RUNS_AGAIN,
    Answer,
    Bury,
    Counted,
    Delivery,
    Enqueued,
    Entry,
    HistoryBatch,
    Lane,
    Latch,
    Over,
    Promoted,
    Requeue,
    Requeued,
    Settlement,
)

__all__ = ["JOURNALED", "Unchanged"]

_CHANGES_IF_DONE: Final = (
    "acquire",
    "compare_delete",
    "compare_extend",
    "delete",
    "pop",
    "purge",
    "put_if_absent",
    "release",
    "renew",
    "report",
)
"""They change something if, and only if, their answer is neither False, None nor 0."""


class Unchanged(NamedTuple):
    """The answer of a step that did nothing."""

    answer: Any


def _enqueue(state: FileState, entries: Sequence[Entry], latches: Sequence[Latch]) -> list[Enqueued] | Unchanged:
    answers = producing.enqueue(state, entries, latches)
    return answers if latches or any(it.verdict == "added" for it in answers) else Unchanged(answers)


def _claim(state: FileState, room: Mapping[Lane, int], owner: str) -> list[Delivery] | Unchanged:
    return consuming.claim(state, room, owner) or Unchanged([])


def _claim_awaited(
    state: FileState, ids: Sequence[str], room: Mapping[Lane, int], owner: str, alone: bool
) -> list[Delivery] | Unchanged:
    return consuming.claim_awaited(state, ids, room, owner, alone) or Unchanged([])


def _reclaim(state: FileState, owner: str, beat: int, now: int) -> int | Unchanged | None:
    """Give an owner up if its heartbeat, ``now`` as its file says, is still ``beat``."""
    lease = state.leases.get(owner)
    if lease is None or now != beat:
        return Unchanged(None)
    return consuming.reclaim(state, owner, lease.beat)


def _take(state: FileState, key: str, rate: float, burst: int) -> float | Unchanged:
    wait = limits.take(state, key, rate, burst)
    return Unchanged(wait) if wait else wait


def _settle(
    state: FileState,
    settlements: Sequence[Settlement],
    owner: str,
    number: int,
    notes_members: bool = False,
    history: HistoryBatch | None = None,
) -> list[Answer]:
    """End runs. What a journal of 0.1.0 says lets no result of a chord's member expire: there it did not.

    Nor does it say which way its dead letters ended; most often their workers were lost.
    """
    state.notes_members = notes_members
    if not notes_members:
        settlements = [it._replace(kind="lost") if isinstance(it, Bury) else it for it in settlements]
    return settle(state, settlements, owner, number, history)


def _requeue(state: FileState, letters: Sequence[Requeue | str]) -> list[Requeued] | Unchanged:
    """Make tasks of letters again. What 0.1.0 wrote names them by their ids alone."""
    answers = dead.requeue(state, [Requeue(it) if isinstance(it, str) else it for it in letters])
    return answers if any(it in RUNS_AGAIN for it in answers) else Unchanged(answers)


def _promote(state: FileState, now: float, limit: int) -> Promoted | Unchanged:
    first = state.schedule.first_rank()
    if first is None or first > now or limit <= 0:
        shelves = (*state.shelves.values(), state.tokens)
        is_due = state.failed.is_due() or state.past_runs.is_due() or state.slots.is_due()
        if not (is_due or any(shelf.is_due() for shelf in shelves)):
            return Unchanged(Promoted(0, first))
    return consuming.promote(state, now, limit)


def _publish(state: FileState, owner: str, number: int, info: bytes, counted: Counted | None) -> bool | Unchanged:
    return counting.publish(state, owner, number, info, counted) or Unchanged(False)


def _exchange(
    state: FileState,
    client: str,
    wanted: Sequence[tuple[str, int]],
    unwanted: Sequence[tuple[str, int]],
    patient: Collection[str] = (),
) -> list[tuple[int, Over]] | Unchanged:
    """Register a client for ids, and take registrations back; answer what is over already.

    Ids of which nothing is known are registered only if they are among the ``patient``.
    """
    over: list[tuple[int, Over]] = []
    changed = bool(unwanted)
    for id, number in wanted:
        end = find_end(state, id, "wait" if id in patient else "return")
        if end is not None:
            over.append((number, end))
            changed = state.waiters.withdraw(client, id) or changed
        elif state.waiters.number_of(client, id) != number:
            state.waiters.enter(client, id, number)
            changed = True
    for id, number in unwanted:
        state.waiters.leave(client, id, number)
    return over if changed else Unchanged(over)


def _forget(state: FileState, clients: Sequence[str]) -> None:
    for client in clients:
        state.waiters.forget(client)


def _if_done(operation: Callable[..., Any]) -> Callable[..., Any]:
    def attempt(state: FileState, *args: Any) -> Any:
        answer = operation(state, *args)
        return Unchanged(answer) if answer is None or (isinstance(answer, int) and not answer) else answer

    return attempt


JOURNALED: Final[Mapping[str, Callable[..., Any]]] = {
    **{it.name: ACTIONS[it.name] for it in OPERATIONS.values() if it.durability is not Durability.READ},
    **{name: _if_done(ACTIONS[name]) for name in _CHANGES_IF_DONE},
    "claim": _claim,
    "claim_awaited": _claim_awaited,
    "enqueue": _enqueue,
    "exchange": _exchange,
    "forget": _forget,
    "promote": _promote,
    "publish": _publish,
    "reclaim": _reclaim,
    "requeue": _requeue,
    "settle": _settle,
    "take": _take,
}
"""The steps by the names under which the journal has them."""
