"""All that can be seen of a storage at one moment, in a form that can be compared."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, get_args

from hueyio.exceptions import LeaseLost
from hueyio.storage.contract import Session
from hueyio.storage.records import (
    AREAS,
    Area,
    Counted,
    Counters,
    Counts,
    Delivery,
    EndKind,
    Entry,
    Found,
    Header,
    Listed,
    ListedState,
    MemberResults,
)
from hueyio.storage.shared.counting import add_all
from hueyio.testing.storage.differential.choices import NAMES

__all__ = ["Snapshot", "look"]

_SPAN: Final = 3600
_PLACES: Final[tuple[Area, ...]] = ("locks", "windows")
"""Areas whose values tell the time, and so are never the same on two storages: only their keys are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What was seen; what has no order is sorted."""

    counts: Counts
    found: list[Found]
    queued: list[Entry]
    scheduled: list[Entry]
    running: list[Entry]
    listed: list[Listed]
    owners: list[tuple[str, int, bytes, int]]
    held: list[list[Delivery] | None]
    notices: list[tuple[frozenset[str], bool]]
    dead: list[tuple[Header, bytes, str]]
    letters: list[tuple[Header, bytes, str, EndKind | None, str]]
    history: list[tuple[tuple[str | None, ...], bytes]]
    found_ended: list[tuple[tuple[str | None, ...], bytes] | None]
    attempts: list[tuple[bytes, ...]]
    keys: dict[Area, list[tuple[str, bytes | None]]]
    member_results: list[MemberResults | None]
    holders: list[list[str]]
    paused_by: str | None
    notes: list[tuple[int, bytes]]
    counted: Counted
    enqueued: Counters

    def without_order(self) -> Snapshot:
        """Return the same without the order of the queue."""
        return replace(self, queued=sorted(self.queued, key=_id_of_entry))

    def check(self) -> None:
        """Hold it against the rules that need no model: every task is in one state, and has one owner."""
        ids = [entry.header.id for entry in (*self.queued, *self.scheduled, *self.running)]
        assert not [id for id, number in Counter(ids).items() if number > 1], f"a task is in two states: {ids}"
        held = sorted(delivery.receipt.id for deliveries in self.held for delivery in deliveries or ())
        assert held == sorted(entry.header.id for entry in self.running), "who runs is not who is held"
        counts = self.counts
        assert len(self.queued) == sum(counts.queued.values()) + counts.suspects
        assert (len(self.scheduled), len(self.running)) == (counts.scheduled, counts.running)
        alive = {it.id for it in self.found if it.state in ("queued", "scheduled", "running")}
        assert alive == set(ids), "the states of the ids do not agree with the lists"


async def look(session: Session, ids: Sequence[str], owners: Sequence[str], locks: Sequence[str]) -> Snapshot:
    """Ask everything, of these ids, owners and locks."""
    held = await asyncio.gather(*[_held(session, owner) for owner in owners])
    notices = await asyncio.gather(*[session.notices(owner, None) for owner in owners])
    holders = await asyncio.gather(*[session.holders(key) for key in locks])
    keys = await asyncio.gather(*[_keys(session, area) for area in AREAS])
    paused, notes = await session.paused(), await session.notes(5)
    first = notes[0].number if notes else 0
    counted, enqueued = await _sums(session)
    return Snapshot(
        counts=await session.counts(),
        found=await session.locate(ids),
        queued=await session.scan_tasks("queued"),
        scheduled=await session.scan_tasks("scheduled"),
        running=sorted(await session.scan_tasks("running"), key=_id_of_entry),
        listed=await _listed(session),
        owners=sorted((it.owner, it.beat, it.info, it.held) for it in await session.owners()),
        held=held,
        notices=[(it.cancelled, it.paused) for it in notices],
        dead=[(it.header, it.data, it.reason) for it in await session.dead()],
        letters=sorted(
            ((it.header, it.data, it.reason, it.kind, it.name) for it in (await session.failed(1000)).items), key=str
        ),
        history=[it[1:] for it in (await session.history(1000)).items],
        found_ended=[None if it is None else it[1:] for it in [await session.find_ended(id) for id in ids]],
        attempts=await session.attempts(ids),
        keys=dict(zip(AREAS, keys, strict=True)),
        member_results=await session.collect(ids),
        holders=[sorted(it) for it in holders],
        paused_by=None if paused is None else paused.by,
        notes=[(first - it.number, it.line) for it in notes],
        counted=counted,
        enqueued=enqueued,
    )


async def _listed(session: Session) -> list[Listed]:
    """Go through all lists; places are each storage's own."""
    found: list[Listed] = []
    for state in get_args(ListedState):
        part = await session.page(state, 3)
        found += part.items
        while part.next is not None:
            part = await session.page(state, 3, part.next)
            found += part.items
    return sorted((it._replace(place="") for it in found), key=str)


async def _held(session: Session, owner: str) -> list[Delivery] | None:
    try:
        return sorted(await session.held(owner), key=_id_of)
    except LeaseLost:
        return None


async def _keys(session: Session, area: Area) -> list[tuple[str, bytes | None]]:
    found = sorted(await session.scan_keys(area))
    return [(key, None if area in _PLACES else value) for key, value in found]


async def _sums(session: Session) -> tuple[Counted, Counters]:
    """Add up what was counted: the slots of a storage begin by its own clock."""
    sums, enqueued = Counted({}, {}, {}, {}), Counter[str]()
    last = int(await session.time() // _SPAN)
    for slot in await session.read_slots(_SPAN, last - 1, last):
        add_all(sums.totals, slot.totals)
        add_all(sums.names, slot.names)
        add_all(sums.failures, slot.failures)
        enqueued.update(slot.enqueued)
    for it in await session.read_counts(_SPAN, last - 1, last, NAMES):
        add_all(sums.tasks.setdefault(it.name, {}), it.counters)
    return sums, dict(enqueued)


def _id_of(delivery: Delivery) -> str:
    return delivery.receipt.id


def _id_of_entry(entry: Entry) -> str:
    return entry.header.id
