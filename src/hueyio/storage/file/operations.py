"""The steps that a journal can hold, by the names under which it holds them.

What becomes of the state depends on the state, the arguments and the time of the step alone. A step that answers
``Unchanged`` did nothing, and is not written down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from hueyio.storage.file.state import FileState
from hueyio.storage.memory import areas, looking
from hueyio.storage.memory import claim as claiming
from hueyio.storage.memory.latches import enqueue_latched
from hueyio.storage.memory.settle import settle
from hueyio.storage.records import Delivery, Enqueued, Entry, Lane, Latch, Over, Promoted, Receipt

__all__ = ["OPERATIONS", "Unchanged"]


class Unchanged(NamedTuple):
    """The answer of a step that did nothing."""

    answer: Any


def _enqueue(state: FileState, entries: Sequence[Entry], latches: Sequence[Latch]) -> list[Enqueued] | Unchanged:
    if latches:
        return enqueue_latched(state, entries, latches)
    placed = state.enqueue(entries)
    return placed if any(it.verdict == "added" for it in placed) else Unchanged(placed)


def _claim(state: FileState, room: Mapping[Lane, int], owner: str) -> list[Delivery] | Unchanged:
    return claiming.claim(state, room, owner) or Unchanged([])


def _report(state: FileState, receipt: Receipt, data: bytes) -> bool | Unchanged:
    return claiming.report(state, receipt, data) or Unchanged(False)


def _reclaim(state: FileState, owner: str, beat: int, now: int) -> int | Unchanged | None:
    """Give an owner up if its heartbeat, ``now`` as its file says, is still ``beat``."""
    lease = state.leases.get(owner)
    if lease is None or now != beat:
        return Unchanged(None)
    return claiming.reclaim(state, owner, lease.beat)


def _take(state: FileState, key: str, rate: float, burst: int) -> float | Unchanged:
    wait = areas.take(state, key, rate, burst)
    return Unchanged(wait) if wait else wait


def _promote(state: FileState, now: float, limit: int) -> Promoted | Unchanged:
    first = state.schedule.first_rank()
    if first is None or first > now or limit <= 0:
        shelves = (*state.shelves.values(), state.tokens)
        if not any(shelf.is_due() for shelf in shelves):
            return Unchanged(Promoted(0, first))
    return claiming.promote(state, now, limit)


def _exchange(
    state: FileState, client: str, wanted: Sequence[tuple[str, int]], unwanted: Sequence[tuple[str, int]]
) -> list[tuple[int, Over]] | Unchanged:
    """Register a client for ids, and take registrations back; answer what is over already."""
    results = state.areas["results"]
    over = [(number, Over(id, results.get(id))) for id, number in wanted if not _is_live(state, id)]
    alive = [(id, number) for id, number in wanted if _is_live(state, id)]
    for id, number in alive:
        state.outcomes.enter(client, id, number)
    for id, number in unwanted:
        state.outcomes.leave(client, id, number)
    return over if alive or unwanted else Unchanged(over)


def _forget(state: FileState, clients: Sequence[str]) -> None:
    for client in clients:
        state.outcomes.forget(client)


def _is_live(state: FileState, id: str) -> bool:
    return id in state.tasks or id in state.expected


def _if_done(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Of an operation that changes something if, and only if, its answer is neither False, None nor 0."""

    def attempt(state: FileState, *args: Any) -> Any:
        answer = operation(state, *args)
        return Unchanged(answer) if answer is None or (isinstance(answer, int) and not answer) else answer

    return attempt


OPERATIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "acquire": _if_done(areas.acquire),
    "add": areas.add,
    "cancel": claiming.cancel,
    "claim": _claim,
    "clear": looking.clear,
    "compare_delete": _if_done(areas.compare_delete),
    "compare_extend": _if_done(areas.compare_extend),
    "delete": _if_done(areas.delete),
    "deregister": claiming.deregister,
    "enqueue": _enqueue,
    "exchange": _exchange,
    "forget": _forget,
    "pause": looking.pause,
    "pop": _if_done(areas.pop),
    "promote": _promote,
    "purge": _if_done(looking.purge),
    "put": areas.put,
    "put_if_absent": _if_done(areas.put_if_absent),
    "reclaim": _reclaim,
    "register": claiming.register,
    "release": _if_done(areas.release),
    "renew": _if_done(areas.renew),
    "report": _report,
    "requeue": _if_done(looking.requeue),
    "resume": looking.resume,
    "settle": settle,
    "start": claiming.start,
    "take": _take,
}
