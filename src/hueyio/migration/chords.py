"""Put chords of Huey's together from their members. No I/O.

Huey has no record of a chord: each member says which chord it is of, how many there are, which one it is, and what the
callback is. The end of the callback may itself be a member of another chord. A chord can be moved whole, while none of
its members has begun: then all of them are in the queue.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from hueyio.migration.huey_values import ChordPlace, HueyMessage, chord_place

__all__ = ["Chords", "FoundChord", "Member"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Member(Generic[T]):
    """A member that is in the queue: its message, and by what the caller knows it."""

    message: HueyMessage
    held: T


@dataclass(frozen=True, slots=True)
class FoundChord(Generic[T]):
    """A chord with all members, in their order; one of them may be a chord."""

    callback: HueyMessage
    members: tuple[Any, ...]

    def all_members(self) -> Iterator[Member[T]]:
        """Yield the members that are tasks, those of chords inside too."""
        for it in self.members:
            if isinstance(it, FoundChord):
                yield from it.all_members()
            else:
                yield it


@dataclass(slots=True)
class _Parts(Generic[T]):
    """What is known of one chord: by position a member, or the id of a chord inside."""

    place: ChordPlace
    found: dict[int, Member[T] | str] = field(default_factory=dict)


class Chords(Generic[T]):
    """Collects members, and says which chords are whole."""

    def __init__(self) -> None:
        self._parts: dict[str, _Parts[T]] = {}
        self._roots: set[str] = set()

    def add(self, place: ChordPlace, member: Member[T]) -> None:
        """Take a member in, with all chords around it; raises ValueError if their places cannot be read."""
        around = [place]
        while (outer := chord_place(around[-1].callback)) is not None:
            around.append(outer)
        inner: Member[T] | str = member
        for it in around:
            self._parts.setdefault(it.chord, _Parts(it)).found[it.position] = inner
            inner = it.chord
        self._roots.add(around[-1].chord)

    def split(self) -> tuple[list[FoundChord[T]], list[Member[T]]]:
        """Return the chords that are whole, and all members of those that are not."""
        whole: list[FoundChord[T]] = []
        others: list[Member[T]] = []
        for root in self._roots:
            found = self._find(root)
            if found is None:
                others += self._members_of(root)
            else:
                whole.append(found)
        return whole, others

    def _find(self, chord: str) -> FoundChord[T] | None:
        parts = self._parts[chord]
        members: list[Any] = []
        for position in range(parts.place.size):
            it = parts.found.get(position)
            member = self._find(it) if isinstance(it, str) else it
            if member is None:
                return None
            members.append(member)
        return FoundChord(parts.place.callback, tuple(members))

    def _members_of(self, chord: str) -> Iterator[Member[T]]:
        for it in self._parts[chord].found.values():
            if isinstance(it, str):
                yield from self._members_of(it)
            else:
                yield it
