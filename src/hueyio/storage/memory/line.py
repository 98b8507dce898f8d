"""Tasks in memory, and the order in which they stand."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Final

from hueyio.storage.records import Delivery, Header, Receipt

__all__ = ["Line", "LiveTask"]

_backs: Final = count(1)
_fronts: Final = count(-1, -1)


class LiveTask:
    """A task that is queued, scheduled or running. ``line`` is where it stands, ``owner`` who runs it."""

    __slots__ = ("cancelled", "data", "deliveries", "header", "line", "owner", "progress", "seat", "started")

    def __init__(self, header: Header, data: bytes) -> None:
        self.header = header
        self.data = data
        self.deliveries = 0
        self.started = False
        self.cancelled = False
        self.owner: str | None = None
        self.progress: bytes | None = None
        self.line: Line | None = None
        # The order among equals; a task that is put back takes its old seat, which is in front of all that follow.
        self.seat = 0

    @property
    def is_suspect(self) -> bool:
        """Whether it came back from owners that were given up, and has a single delivery left."""
        return self.deliveries > 0 and self.header.max_deliveries - self.deliveries == 1

    def take_seat(self) -> None:
        """Take a seat behind all others."""
        self.seat = next(_backs)

    def to_delivery(self, owner: str, unrevoked: bool, following: bytes | None) -> Delivery:
        """Describe it to its owner."""
        receipt = Receipt(owner, self.header.id, self.deliveries)
        return Delivery(receipt, self.header, self.data, self.started, self.cancelled, unrevoked, following)


class Line:
    """Tasks by rank, lowest first, then by seat.

    A heap from which tasks are also taken out of the middle: they stay in it as litter, known by their ``line`` and
    their seat, and the heap is built anew before litter is the larger part.
    """

    __slots__ = ("_heap", "_size")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, LiveTask]] = []
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def push(self, task: LiveTask, rank: float) -> None:
        """Put a task behind all of its rank."""
        task.line = self
        task.seat = seat = next(_backs)
        self._size += 1
        heappush(self._heap, (rank, seat, task))

    def put_back(self, task: LiveTask, rank: float) -> None:
        """Put a task where it stood before."""
        task.line = self
        self._size += 1
        heappush(self._heap, (rank, task.seat, task))

    def pop(self) -> LiveTask | None:
        """Take the first task out."""
        heap = self._heap
        while heap:
            _, seat, task = heappop(heap)
            if task.line is self and task.seat == seat:
                task.line = None
                self._size -= 1
                return task
        return None

    def first_rank(self) -> float | None:
        """Say the rank of the first task."""
        heap = self._heap
        while heap and not self._stands(heap[0]):
            heappop(heap)
        return heap[0][0] if heap else None

    def first(self) -> LiveTask | None:
        """Return the first task, which stays."""
        return None if self.first_rank() is None else self._heap[0][2]

    def first_of_last_rank(self) -> LiveTask | None:
        """Return the first of the tasks of the last rank; looks at all."""
        found = min((item for item in self._heap if self._stands(item)), key=lambda it: (-it[0], it[1]), default=None)
        return None if found is None else found[2]

    def take_out(self, task: LiveTask) -> None:
        """Take any task out."""
        task.line = None
        # Its litter keeps the old seat, by which it is told from the task itself when that comes back.
        task.seat = next(_fronts)
        self._size -= 1
        if len(self._heap) > 2 * self._size + 32:
            self._heap = [item for item in self._heap if self._stands(item)]
            heapify(self._heap)

    def in_order(self) -> list[LiveTask]:
        """List the tasks, the first first."""
        return [item[2] for item in sorted(self._heap) if self._stands(item)]

    def behind(self, rank: float, seat: int) -> Iterator[tuple[float, int, LiveTask]]:
        """Go through the tasks behind a place, in order, each with its own; nothing may change meanwhile.

        It looks at what stands before the place and at what it gives, not at the rest of the heap.
        """
        heap = self._heap
        front: list[tuple[float, int, int]] = []
        unseen = [0]
        while unseen or front:
            while unseen:
                at = unseen.pop()
                if at >= len(heap):
                    continue
                here = heap[at][:2]
                if here > (rank, seat):
                    heappush(front, (*here, at))
                else:
                    unseen += (2 * at + 1, 2 * at + 2)
            if front:
                at = heappop(front)[2]
                unseen += (2 * at + 1, 2 * at + 2)
                if self._stands(heap[at]):
                    yield heap[at]

    def _stands(self, item: tuple[float, int, LiveTask]) -> bool:
        return item[2].line is self and item[2].seat == item[1]
