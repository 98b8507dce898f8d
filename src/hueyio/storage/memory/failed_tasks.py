"""Failed tasks in memory: the latest, as many as are kept, none for too long, and not too large together."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hueyio.storage.records import DeadLetter
from hueyio.storage.shared.letters import size_of

__all__ = ["FailedTasks"]

_MOST_DROPPED = 100
"""How many one sweep drops."""


class FailedTasks:
    """Letters by ids in the order of their burials. ``keep``, ``most_bytes`` or ``ttl`` 0: none."""

    __slots__ = ("_clock", "_letters", "_size", "keep", "most_bytes", "ttl")

    def __init__(self, clock: Callable[[], float], keep: int, ttl: float, most_bytes: int) -> None:
        self._clock = clock
        self._letters: dict[str, DeadLetter] = {}
        self._size = 0
        self.keep = keep
        self.ttl = ttl
        self.most_bytes = most_bytes

    @property
    def are_kept(self) -> bool:
        """Whether there is room for any."""
        return self.keep > 0 and self.ttl > 0 and self.most_bytes > 0

    def put(self, letter: DeadLetter) -> list[DeadLetter]:
        """Keep one; return the oldest, which give way to it."""
        self.pop(letter.header.id)
        self._letters[letter.header.id] = letter
        self._size += size_of(letter)
        dropped: list[DeadLetter] = []
        while len(self._letters) > self.keep or self._size > self.most_bytes:
            dropped += self._drop_oldest()
        return dropped

    def get(self, id: str) -> DeadLetter | None:
        """Find one; its time may be over."""
        return self._letters.get(id)

    def pop(self, id: str) -> bool:
        """Drop one; say whether it was there."""
        letter = self._letters.pop(id, None)
        if letter is not None:
            self._size -= size_of(letter)
        return letter is not None

    def is_due(self) -> bool:
        """Say whether the oldest is too old."""
        oldest = next(iter(self._letters.values()), None)
        return oldest is not None and oldest.buried_at <= self._clock() - self.ttl

    def sweep(self) -> list[DeadLetter]:
        """Drop some of those that are too old; return them."""
        dropped: list[DeadLetter] = []
        while len(dropped) < _MOST_DROPPED and self.is_due():
            dropped += self._drop_oldest()
        return dropped

    def clear(self) -> list[DeadLetter]:
        """Drop all; return them."""
        dropped = self.dump()
        self.load(())
        return dropped

    def dump(self) -> list[DeadLetter]:
        """List all, the oldest first."""
        return list(self._letters.values())

    def load(self, letters: Iterable[DeadLetter]) -> None:
        """Take what ``dump`` listed."""
        self._letters = {letter.header.id: letter for letter in letters}
        self._size = sum(map(size_of, self._letters.values()))

    def _drop_oldest(self) -> list[DeadLetter]:
        oldest = next(iter(self._letters.values()))
        self.pop(oldest.header.id)
        return [oldest]

    def __len__(self) -> int:
        return len(self._letters)
