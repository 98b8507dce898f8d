"""Latches in memory: chords that wait for their members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from hueyio.storage.memory.waiting_stages import WaitingStage, keep
from hueyio.storage.records import Enqueued, Entry, Header, Latch, LatchMark, MemberResults

__all__ = ["LiveLatch", "abandon", "enqueue_latched", "note_result", "take_back"]


class LiveLatch:
    """A latch with the results of its members, by position."""

    __slots__ = ("absent", "callback", "members", "size", "values")

    def __init__(self, latch: Latch) -> None:
        self.size = latch.size
        self.callback = latch.callback._replace(stages=())  # they stand with all others
        self.absent = latch.absent
        self.values: dict[int, bytes] = {}
        self.members: list[str] = []
        """The ids of those that have a result here."""

    def results(self) -> MemberResults:
        """List the results in order."""
        return tuple([self.values.get(position) for position in range(self.size)])


class _State(Protocol):
    """What a latch needs of the state that it is part of."""

    latches: dict[str, LiveLatch]
    expected: dict[str, set[str]]
    stages: dict[str, WaitingStage]

    @property
    def tasks(self) -> Mapping[str, object]: ...

    def enqueue(self, entries: Sequence[Entry]) -> list[Enqueued]: ...

    def expect(self, header: Header, ids: Iterable[str]) -> None: ...

    def unname(self, namer: str, ids: Iterable[str]) -> None: ...


def enqueue_latched(state: _State, entries: Sequence[Entry], latches: Sequence[Latch]) -> list[Enqueued]:
    """Make latches and add their members; members that cannot be added count as absent."""
    made = {latch.callback.header.id: latch for latch in latches if _make(state, latch)}
    answers = state.enqueue(entries)
    for (header, *_), it in zip(entries, answers, strict=True):
        if it.verdict != "added" and header.latch in made:
            _note_absent(state, header)
    for key, latch in made.items():
        if latch.size == 0:
            _fire(state, key)
    return answers


def note_result(state: _State, mark: LatchMark, id: str | None) -> bool:
    """Take a member's result; say whether it was the last and the callback is enqueued."""
    latch = state.latches.get(mark.key)
    if latch is None or mark.position in latch.values or not 0 <= mark.position < latch.size:
        return False
    latch.values[mark.position] = mark.value
    if id is not None:
        latch.members.append(id)
    return len(latch.values) == latch.size and _fire(state, mark.key)


def take_back(state: _State, header: Header) -> bool:
    """Take a member's result back, so that its next one counts; False if the callback has been enqueued, or is gone."""
    if header.latch is None or header.latch_index is None:
        return True  # it is no member
    latch = state.latches.get(header.latch)
    if latch is None or header.latch not in state.expected:
        return False
    if latch.values.pop(header.latch_index, None) is not None and header.id in latch.members:
        latch.members.remove(header.id)
    return True


def abandon(state: _State, header: Header) -> None:
    """Drop the latch of a deleted task: it can never be complete. So is the one that waits for its callback."""
    key = header.latch
    if key is None or key in state.tasks:
        return
    latch = state.latches.pop(key, None)
    if latch is not None:
        _drop_callback(state, latch.callback.header)
        abandon(state, latch.callback.header)


def _make(state: _State, latch: Latch) -> bool:
    header = latch.callback.header
    if header.id not in state.tasks and header.id not in state.expected:
        state.latches.pop(header.id, None)  # kept for the letter of an earlier callback
    if header.id in state.latches or header.id in state.tasks:
        return False
    state.latches[header.id] = LiveLatch(latch)
    state.expect(header, (header.id, *header.expects))
    keep(state, latch.callback.stages)
    return True


def _fire(state: _State, key: str) -> bool:
    callback = state.latches[key].callback
    (answer,) = state.enqueue([callback])
    if answer.verdict == "added":
        return True
    del state.latches[key]
    _drop_callback(state, callback.header)
    _note_absent(state, callback.header)
    return False


def _note_absent(state: _State, header: Header) -> None:
    latch = None if header.latch is None else state.latches.get(header.latch)
    if latch is not None and header.latch is not None and header.latch_index is not None:
        note_result(state, LatchMark(header.latch, header.latch_index, latch.absent), None)


def _drop_callback(state: _State, header: Header) -> None:
    state.unname(header.id, (header.id, *header.expects))
