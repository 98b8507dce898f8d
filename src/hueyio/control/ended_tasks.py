"""Tasks that have ended, the latest first: those of the history, and those that are kept as letters, as one list.

Theory of operation. A task that failed stands in both. Its letter is listed, because that is what can be retried; its
row of the history is left out. So is the row of an earlier end: of a task that is alive again, or that has ended in
another way since. A step reads a part of both lists, and merges them by when they were written, as far as both reach.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from hueyio.control.history import PastTask, ended_task, read_part
from hueyio.control.task_info import TaskInfo, info_of_ended, info_of_letter
from hueyio.control.wish import Wish
from hueyio.named_tuple import NamedTuple
from hueyio.storage.contract import Session
from hueyio.storage.records import Cursor, Found, Wanted
from hueyio.storage.shared.places import read_place, write_place
from hueyio.tasks.ids import made_at
from hueyio.tasks.states import state_of_end

__all__ = ["Row", "Step", "read_ended", "read_letters"]

_LOCATED: Final = 100
"""Ids that are looked up in one step of the storage: their messages come with the answer."""

_OVER: Final = "-"


class Row(NamedTuple):
    """A task in a list. ``place`` is what to ask for those behind it with."""

    task: TaskInfo
    place: str


class Step(NamedTuple):
    """What one step gave: a part of a list, and where that goes on; None: it was the last."""

    rows: list[Row]
    next: str | None


class _Side(NamedTuple):
    """Where one of the two lists goes on. ``at`` None: at its beginning."""

    at: Cursor | None = None
    is_over: bool = False


class _Item(NamedTuple):
    task: TaskInfo
    written_at: float
    place: Cursor


class _Part(NamedTuple):
    """A part of one of the lists, where it began, and where the list goes on."""

    items: list[_Item]
    start: _Side
    rest: _Side


async def read_letters(session: Session, wish: Wish, limit: int, inside: str | None) -> Step:
    """Read a part of what ended without success and is kept."""
    part = await _read_letters(session, wish, limit, _Side(None if inside is None else _read_cursor(inside)))
    rows = [Row(it.task, write_place(*it.place)) for it in part.items]
    return Step(rows, None if part.rest.at is None else write_place(*part.rest.at))


async def read_ended(session: Session, wish: Wish, limit: int, inside: str | None) -> Step:
    """Read a part of both lists."""
    letters, past = _read_sides(inside)
    if not _lists_letters(wish):
        letters = _Side(is_over=True)
    return _merge(await _read_letters(session, wish, limit, letters), await _read_past(session, wish, limit, past))


async def _read_letters(session: Session, wish: Wish, limit: int, start: _Side) -> _Part:
    if start.is_over:
        return _Part([], start, start)
    page = await session.failed(limit, start.at, wish.wanted)
    items = [_Item(info_of_letter(it), it.buried_at, (it.buried_at, it.header.id)) for it in page.items]
    return _Part(items, start, _Side(page.next, is_over=page.next is None))


async def _read_past(session: Session, wish: Wish, limit: int, start: _Side) -> _Part:
    if start.is_over:
        return _Part([], start, start)
    part = await read_part(session, limit, start.at)
    rows = [row for row in part.rows if _may_fit(row, wish)]
    tasks = {row.place: info_of_ended(ended_task(row)) for row in rows}
    last = await _last_ends(session, [row for row in rows if wish.fits(tasks[row.place])], _lists_letters(wish))
    items = [_Item(tasks[row.place], row.written_at, row.place) for row in last]
    is_over = part.next is None or _is_too_old(part.rows, wish.wanted)
    return _Part(items, start, _Side(None if is_over else part.next, is_over))


async def _last_ends(session: Session, rows: Sequence[PastTask], lists_letters: bool) -> list[PastTask]:
    """Leave out what ended again or is alive again, as far as that is known.

    An id that hueyio made is used once, and again only if its task is retried, which ends it without success first.
    """
    doubtful = [row.id for row in rows if row.run.kind != "done" or made_at(row.id) is None]
    found: dict[str, Found] = {}
    for at in range(0, len(doubtful), _LOCATED):
        found.update((it.id, it) for it in await session.locate(doubtful[at : at + _LOCATED]))
    last: dict[str, PastTask] = {}
    for row in rows:
        if row.id not in found or _is_last(row, found[row.id], lists_letters):
            last.setdefault(row.id, row)
    return list(last.values())


def _is_last(row: PastTask, found: Found, lists_letters: bool) -> bool:
    match found.state:
        case "queued" | "scheduled" | "running" | "expected":
            return False
        case "dead" if lists_letters:
            return False
        case _:
            return found.kind is None or found.kind == row.run.kind


def _lists_letters(wish: Wish) -> bool:
    """Say whether letters can be meant: they do not know who ended them."""
    return wish.worker is None and not wish.states <= {"done"}


def _may_fit(row: PastTask, wish: Wish) -> bool:
    since, until = wish.wanted.since, wish.wanted.until
    return (
        state_of_end(row.run.kind) in wish.states
        and (since is None or row.run.ended_at >= since)
        and (until is None or row.run.ended_at < until)
    )


def _is_too_old(rows: Sequence[PastTask], wanted: Wanted) -> bool:
    """Say whether all that follows was written, and so has ended, before what is wanted."""
    return wanted.since is not None and bool(rows) and rows[-1].written_at < wanted.since


def _merge(letters: _Part, past: _Part) -> Step:
    """Merge two parts, the latest first, up to where one of them ends and its list goes on."""
    parts = (letters, past)
    left = [deque(part.items) for part in parts]
    sides = [part.start for part in parts]
    rows: list[Row] = []
    while True:
        for which in (0, 1):
            if not left[which]:
                sides[which] = parts[which].rest
        heads = [which for which in (0, 1) if left[which]]
        if not heads or any(which not in heads and not sides[which].is_over for which in (0, 1)):
            break
        which = max(heads, key=lambda it: left[it][0].written_at)
        item = left[which].popleft()
        sides[which] = _Side(item.place)
        rows.append(Row(item.task, _write_sides(sides)))
    return Step(rows, None if all(side.is_over for side in sides) else _write_sides(sides))


def _write_sides(sides: Sequence[_Side]) -> str:
    return write_place(*[_OVER if side.is_over else "" if side.at is None else write_place(*side.at) for side in sides])


def _read_sides(inside: str | None) -> tuple[_Side, _Side]:
    if inside is None:
        return _Side(), _Side()
    letters, past = read_place(inside, str, str)
    return _read_side(letters), _read_side(past)


def _read_side(text: str) -> _Side:
    if text == _OVER:
        return _Side(is_over=True)
    return _Side(_read_cursor(text) if text else None)


def _read_cursor(text: str) -> Cursor:
    at, key = read_place(text, float, str)
    return at, key
