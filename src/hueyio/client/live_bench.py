"""Immediate mode on the live storage: what runs at once is in memory, everything else is where it always is.

Theory of operation. What is enqueued to run at once must not be seen by consumers of the live queue. So it goes into a
queue in memory; results, values, revocations, limits and the schedule are the live storage's. A chord is complete in
memory, with those of its parts that are due later: its members report to one place. Unique keys hold within this
process. Everything that is asked about an id is asked here first, then there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import add
from typing import Any, Final

from hueyio.storage.contract import Session
from hueyio.storage.memory.session import MemorySession
from hueyio.storage.memory.state import MemoryState
from hueyio.storage.operations import OperationSession
from hueyio.storage.records import (
    ALL_LETTERS,
    Answer,
    Bell,
    Bury,
    Counts,
    Cursor,
    DeadLetter,
    Defer,
    Delivery,
    Described,
    Ended,
    EndKind,
    Enqueued,
    Entry,
    Finish,
    Found,
    Header,
    HistoryBatch,
    HistoryEntry,
    Lane,
    Latch,
    ListedState,
    Listing,
    LiveState,
    MemberResults,
    Notices,
    Over,
    Page,
    Promoted,
    Receipt,
    Requeued,
    Settlement,
    Unknown,
    Wanted,
)

__all__ = ["LiveBench"]


class LiveBench(OperationSession):
    """The session of a live storage, with a queue in memory (``here``) before it (``there``)."""

    def __init__(self, state: MemoryState, there: Session) -> None:
        self.here = MemorySession(state, asyncio.get_running_loop())
        self.there = there
        self._state = state

    async def _do(self, name: str, /, *args: Any) -> Any:
        there = getattr(self.there, name)
        join = _JOINED.get(name)
        if join is None:
            return await there(*args)
        return join(await getattr(self.here, name)(*args), await there(*args))

    async def close(self) -> None:
        """Close what is here; whoever opened the other closes it."""
        await self.here.close()

    # Producing

    async def enqueue(self, entries: Sequence[Entry], latches: Sequence[Latch] = ()) -> list[Enqueued]:
        """Send to the live schedule what is due later."""
        later = [entry for entry in entries if _is_for_there(entry.header)]
        now = [entry for entry in entries if not _is_for_there(entry.header)]
        scheduled = iter(await self.there.enqueue(later) if later else [])
        queued = iter(await self.here.enqueue(now, latches) if now or latches else [])
        return [next(scheduled if _is_for_there(entry.header) else queued) for entry in entries]

    # Consuming: whoever drives tasks by hand, or cancels them, may get them from both

    async def claim(self, room: Mapping[Lane, int], owner: str) -> list[Delivery]:
        """Take from here what there is, then from there."""
        taken = await self.here.claim(room, owner)
        left: dict[Lane, int] = {
            lane: most - sum(it.header.lane == lane for it in taken) for lane, most in room.items()
        }
        return [*taken, *await self.there.claim(left, owner)]

    async def start(self, receipts: Sequence[Receipt], owner: str) -> list[bool]:
        """Start here what is held here."""
        here = await self.here.start(receipts, owner)
        others = [receipt for receipt, started in zip(receipts, here, strict=True) if not started]
        there = iter(await self.there.start(others, owner) if others else [])
        return [started or next(there) for started in here]

    async def settle(
        self, settlements: Sequence[Settlement], owner: str, number: int, history: HistoryBatch | None = None
    ) -> list[Answer]:
        """End here what is held here, and write there what it leaves; its history stays here, as its tombstone does."""
        ours = [it for it in settlements if self._is_held_here(it.receipt)]
        if settlements and not ours:
            return await self.there.settle(settlements, owner, number, history)
        others = [it for it in settlements if it not in ours]
        here = iter(await self._settle_here(ours, owner, number) if ours else [])
        there = iter(await self.there.settle(others, owner, number) if others else [])
        answers: list[Answer] = [next(here if it in ours else there) for it in settlements]
        if history is not None:
            with self._state.lock:
                self._state.past_runs.add(history, settlements, answers)
        return answers

    async def notices(self, owner: str, seen: Notices | None) -> Notices:
        return await self.there.notices(owner, seen)

    async def wait_for_work(self, bells: Collection[Bell], timeout: float) -> frozenset[Bell]:
        return await self.there.wait_for_work(bells, timeout)

    async def report(self, receipt: Receipt, data: bytes) -> bool:
        """Keep the progress where the task is held."""
        return await (self.here if self._is_held_here(receipt) else self.there).report(receipt, data)

    # Waiting

    async def await_outcomes(self, ids: Sequence[str], unknown: Unknown = "return") -> list[Over]:
        """Wait until they are over here, and then for what may go on there: a retry that is due later.

        What ended here left its result there, but its tombstone here.
        """
        await self.here.await_outcomes(ids)
        if unknown == "wait":
            known = await self.here.ended(ids)
            strangers = [id for id, kind in zip(ids, known.kinds, strict=True) if kind is None]
            await asyncio.gather(*map(self._await_either, strangers))
        there = await self.there.await_outcomes(ids)
        kinds = (await self.here.ended(ids)).kinds
        return [
            over if over.kind is not None or kind is None else over._replace(kind=kind)
            for over, kind in zip(there, kinds, strict=True)
        ]

    async def _await_either(self, id: str) -> None:
        """Wait for an id of which nothing is known here until it is over here or there."""
        waits = [asyncio.ensure_future(session.await_outcomes([id], "wait")) for session in (self.here, self.there)]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in done:
                wait.result()
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def follow(self, id: str, seen: bytes | None) -> bytes | None:
        """Follow it here, and then there."""
        progress = await self.here.follow(id, seen)
        return await self.there.follow(id, seen) if progress is None else progress

    # History

    async def history(self, limit: int, start: Cursor | None = None) -> Page[HistoryEntry]:
        """List what is here and there, as far as both have looked. A cursor names where each goes on."""
        starts: list[Cursor | None] = [None, None] if start is None else [(0.0, it) for it in start[1].split(" ")]
        pages: list[Page[HistoryEntry]] = [
            Page([]) if place == _NOWHERE else await session.history(limit, place)
            for session, place in zip((self.here, self.there), starts, strict=True)
        ]
        return _merge(pages, limit)

    async def find_ended(self, id: str) -> HistoryEntry | None:
        """Return the later one."""
        found = [it for session in (self.here, self.there) if (it := await session.find_ended(id)) is not None]
        return max(found, key=lambda entry: entry.place[0], default=None)

    # Looking

    async def dead(self, limit: int | None = None) -> list[DeadLetter]:
        return (await super().dead(limit))[:limit]

    async def failed(self, limit: int, after: Cursor | None = None, wanted: Wanted = ALL_LETTERS) -> Page[DeadLetter]:
        """List what is here and there; as far as both have looked, so that nothing is left out."""
        pages = [await session.failed(limit, after, wanted) for session in (self.here, self.there)]
        looked = max((page.next for page in pages if page.next is not None), default=None)
        found = sorted((it for page in pages for it in page.items), key=_place_of, reverse=True)
        whole = [it for it in found if looked is None or _place_of(it) >= looked]
        if len(whole) > limit:
            return Page(whole[:limit], _place_of(whole[limit - 1]))
        return Page(whole, looked)

    async def scan_tasks(self, state: LiveState, limit: int | None = None) -> list[Entry]:
        entries = await super().scan_tasks(state, limit)
        if state == "scheduled":
            entries.sort(key=lambda entry: entry.header.eta or 0.0)
        return entries[:limit]

    async def page(self, state: ListedState, limit: int, after: str | None = None) -> Listing:
        """List what is here, and then what is there."""
        if after is not None and after.startswith(_THERE):
            return _placed(await self.there.page(state, limit, after.removeprefix(_THERE) or None), _THERE)
        part = await self.here.page(state, limit, None if after is None else after.removeprefix(_HERE))
        placed = _placed(part, _HERE)
        return placed if placed.next is not None else placed._replace(next=_THERE)

    # The end of what is held here

    def _is_held_here(self, receipt: Receipt) -> bool:
        task = self._state.tasks.get(receipt.id)
        return task is not None and task.owner == receipt.owner

    async def _settle_here(self, settlements: Sequence[Settlement], owner: str, number: int) -> list[Answer]:
        answers: dict[Receipt, Answer] = {}
        ends: list[Settlement] = []
        for settlement in settlements:
            if await self._take(settlement):
                ends.append(_without_leavings(settlement))
            else:
                answers[settlement.receipt] = "untaken"
        try:
            # First, because whoever waits for a task looks there when it is over here.
            for settlement in settlements:
                if settlement.receipt not in answers:
                    await self._leave(settlement)
        finally:
            settled = await self.here.settle(ends, owner, number)
            for settlement in settlements:
                if _moves_there(settlement):
                    self._state.tombstones.discard(settlement.receipt.id)
        answers.update(zip([end.receipt for end in ends], settled, strict=True))
        return [answers[settlement.receipt] for settlement in settlements]

    async def _take(self, settlement: Settlement) -> bool:
        if not isinstance(settlement, Finish) or settlement.take is None:
            return True
        area, key = settlement.take
        return await self.there.delete(area, [key]) > 0

    async def _leave(self, settlement: Settlement) -> None:
        if isinstance(settlement, Defer) and _is_for_there(settlement.header):
            task = self._state.tasks[settlement.receipt.id]
            await self.there.enqueue([Entry(settlement.header, task.data)])
        if not isinstance(settlement, Finish | Bury):
            return
        result = settlement.result
        if isinstance(settlement, Finish) and result is None:
            result = settlement.intermediate
        if result is None:
            await self.there.delete("results", [settlement.receipt.id])
        else:
            items = dict.fromkeys((settlement.receipt.id, *settlement.also), result)
            await self.there.put("results", items, settlement.ttl)
        for area, key in settlement.deletes:
            await self.there.delete(area, [key])
        later = [entry for entry in settlement.follow_ups if _is_for_there(entry.header)]
        if later:
            await self.there.enqueue(later)


_NOWHERE: Final[Cursor] = (0.0, "-")
"""Where a history is at its end."""


def _is_for_there(header: Header) -> bool:
    return header.eta is not None and header.latch is None and not header.collects


def _moves_there(settlement: Settlement) -> bool:
    """Say whether the task itself goes on there, so that it has not ended."""
    match settlement:
        case Defer(header=header):
            return _is_for_there(header)
        case Finish(receipt=receipt, follow_ups=follow_ups):
            return any(it.header.id == receipt.id and _is_for_there(it.header) for it in follow_ups)
        case _:
            return False


def _without_leavings(settlement: Settlement) -> Settlement:
    match settlement:
        case Finish() | Bury():
            here = tuple(entry for entry in settlement.follow_ups if not _is_for_there(entry.header))
            if isinstance(settlement, Bury):
                return settlement._replace(result=None, deletes=(), follow_ups=here)
            return settlement._replace(result=None, intermediate=None, deletes=(), take=None, follow_ups=here)
        case Defer(receipt, header) if _is_for_there(header):
            return Finish(receipt)
        case _:
            return settlement


def _join_found(here: list[Found], there: list[Found]) -> list[Found]:
    return [_pick_found(*pair) for pair in zip(here, there, strict=True)]


def _pick_found(here: Found, there: Found) -> Found:
    """Choose what is said of an id; its result is there, but the tombstone of what ended here is here."""
    if here.state not in ("ended", "unknown"):
        return here
    if there.state == "unknown":
        return here
    return there._replace(kind=here.kind) if there.kind is None and there.state == "stored" else there


def _join_described(here: list[Described], there: list[Described]) -> list[Described]:
    return [
        ours if ours.found.state not in ("ended", "unknown") else its._replace(found=_pick_found(ours.found, its.found))
        for ours, its in zip(here, there, strict=True)
    ]


def _placed(part: Listing, side: str) -> Listing:
    """Say with each place on which side it is."""
    items = [it._replace(place=side + it.place) for it in part.items]
    return Listing(items, None if part.next is None else side + part.next)


def _place_of(letter: DeadLetter) -> Cursor:
    return letter.buried_at, letter.header.id


def _merge(pages: Sequence[Page[HistoryEntry]], limit: int) -> Page[HistoryEntry]:
    """Take the latest entries of two pages, until one has no more to show, or they have as many tasks."""
    rest = [deque(page.items) for page in pages]
    merged: list[HistoryEntry] = []
    while limit > 0 and all(entries or page.next is None for entries, page in zip(rest, pages, strict=True)):
        place = _next_of(rest, pages)
        if place is None:
            break
        entry = max((entries for entries in rest if entries), key=lambda entries: entries[0].place[0]).popleft()
        merged.append(entry._replace(place=(entry.place[0], place[1])))
        limit -= len(entry.ids)
    return Page(merged, _next_of(rest, pages))


def _next_of(rest: Sequence[deque[HistoryEntry]], pages: Sequence[Page[HistoryEntry]]) -> Cursor | None:
    """Name where both go on; None: nowhere."""
    following = [entries[0].place if entries else page.next for entries, page in zip(rest, pages, strict=True)]
    if not any(following):
        return None
    return 0.0, " ".join((place or _NOWHERE)[1] for place in following)


def _join_requeued(here: list[Requeued], there: list[Requeued]) -> list[Requeued]:
    return [other if found == "missing" else found for found, other in zip(here, there, strict=True)]


def _join_ended(here: Ended, there: Ended) -> Ended:
    kinds: list[EndKind | None] = [other or kind for kind, other in zip(here.kinds, there.kinds, strict=True)]
    return Ended(kinds, max((it for it in (here.since, there.since) if it is not None), default=None))


def _join_collected(here: list[MemberResults | None], there: list[MemberResults | None]) -> list[MemberResults | None]:
    return [other if found is None else found for found, other in zip(here, there, strict=True)]


def _join_promoted(here: Promoted, there: Promoted) -> Promoted:
    etas = [it.next_eta for it in (here, there) if it.next_eta is not None]
    sweeps = [it.sweep_in for it in (here, there) if it.sweep_in is not None]
    return Promoted(here.moved + there.moved, min(etas, default=None), min(sweeps, default=None))


def _join_counts(here: Counts, there: Counts) -> Counts:
    queued: dict[Lane, int] = {lane: count + here.queued[lane] for lane, count in there.queued.items()}
    return Counts(queued, *map(sum, zip(here[1:], there[1:], strict=True)))


_HERE: Final = "h"
_THERE: Final = "t"
"""What stands in front of the places of a list, by the side on which they are."""

_JOINED: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    **dict.fromkeys(("cancel", "held", "dead", "purge", "scan_tasks"), add),
    **dict.fromkeys(("register", "deregister", "clear"), lambda *_: None),
    "locate": _join_found,
    "describe": _join_described,
    "ended": _join_ended,
    "requeue": _join_requeued,
    "collect": _join_collected,
    "attempts": lambda here, there: [(*first, *then) for first, then in zip(here, there, strict=True)],
    "promote": _join_promoted,
    "counts": _join_counts,
}
"""The operations that are done here and then there, and what makes one answer of the two."""
