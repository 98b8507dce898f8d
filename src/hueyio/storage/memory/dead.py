"""Dead letters and failed tasks in memory."""

from __future__ import annotations

from collections.abc import Sequence

from hueyio.storage.memory.latches import take_back
from hueyio.storage.memory.line import LiveTask
from hueyio.storage.memory.state import MemoryState
from hueyio.storage.memory.waiting_stages import whole
from hueyio.storage.records import Burial, Bury, Cursor, DeadLetter, Page, Requeue, Requeued, Wanted
from hueyio.storage.shared.letters import cannot_be_wanted, page_of
from hueyio.storage.stages import header_of_whole

__all__ = ["bury", "dead", "failed", "find", "purge", "requeue"]


def bury(state: MemoryState, task: LiveTask, burial: Bury) -> None:
    """Keep a task as a letter, with its later stages; an older one of the same id gives way."""
    id = task.header.id
    data = whole(state, task.header, task.data if burial.again is None else burial.again)
    header = header_of_whole(task.header, data)
    letter = DeadLetter(header, data, burial.reason, state.clock(), burial.kind, burial.name)
    state.dead.pop(id, None)
    state.failed.pop(id)
    if burial.into == "failed":
        state.drop_letters(state.failed.put(letter))
        return
    state.dead[id] = letter
    while len(state.dead) > state.dead_limit:
        dropped = next(iter(state.dead))
        state.drop_letters([state.dead.pop(dropped)])
        state.dead_dropped += 1
        state.note_dropped(dropped)


def dead(state: MemoryState, limit: int | None) -> list[DeadLetter]:
    """List dead letters, the latest first."""
    return list(reversed(state.dead.values()))[:limit]


def failed(state: MemoryState, limit: int, after: Cursor | None, wanted: Wanted) -> Page[DeadLetter]:
    """List letters of both stores, the latest first."""
    if cannot_be_wanted(limit, wanted):
        return Page([])
    letters = sorted((*state.dead.values(), *state.failed.dump()), key=_place, reverse=True)
    rest = [
        letter
        for letter in letters
        if (after is None or _place(letter) < after) and (wanted.until is None or letter.buried_at < wanted.until)
    ]
    return page_of(rest, limit, wanted)


def find(state: MemoryState, id: str) -> DeadLetter | None:
    """Find the letter of an id."""
    return state.dead.get(id) or state.failed.get(id)


def requeue(state: MemoryState, letters: Sequence[Requeue]) -> list[Requeued]:
    """Make tasks of letters again."""
    return [_requeue_one(state, it) for it in letters]


def purge(state: MemoryState, ids: Sequence[str] | None, store: Burial = "dead", until: float | None = None) -> int:
    """Delete letters of one store; return how many."""
    there = state.dead if store == "dead" else {it.header.id: it for it in state.failed.dump()}
    letters = [there[id] for id in dict.fromkeys(there if ids is None else ids) if id in there]
    letters = [it for it in letters if until is None or it.buried_at < until]
    for letter in letters:
        state.dead.pop(letter.header.id, None)
        state.failed.pop(letter.header.id)
    state.drop_letters(letters)
    return len(letters)


def _place(letter: DeadLetter) -> Cursor:
    return letter.buried_at, letter.header.id


def _requeue_one(state: MemoryState, asked: Requeue) -> Requeued:
    letter = find(state, asked.id)
    if letter is None or asked.buried_at not in (None, letter.buried_at):
        return "missing"
    if letter.header.collects and asked.id in state.expected:
        return "alive"  # a new chord has begun under its id
    data = letter.data if asked.data is None else asked.data
    answer = state.add(letter.renewed(), data, asks_token=False)
    if answer.verdict != "added":
        return "alive" if answer.verdict == "alive" else "taken"
    state.dead.pop(asked.id, None)
    state.failed.pop(asked.id)
    is_counted = take_back(state, letter.header)
    state.areas["results"].discard(asked.id)
    for over in letter.header.expects:
        if over not in state.tasks:
            state.areas["results"].discard(over)
    for over in (asked.id, *letter.header.expects):
        state.tombstones.discard(over)
    return "added" if is_counted else "late"
