"""One transaction under way: its connection, and what must be written or told at its end.

An operation is a function of a ``Transaction``. It decides first whether it is refused, then writes, so that a
refusal leaves nothing behind. What it rings and whom it tells is collected here, and nobody is told before the commit.

The counters of the queue's row are raised once. Whoever adds tasks needs the last place from that row first, so the
update that raises them returns it: ``places`` is told what the tasks will raise, and ``finish`` writes only what came
out differently, or was raised later.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from operator import add
from typing import Any, Final, TypeAlias

from hueyio.exceptions import LeaseLost
from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import (
    AREAS,
    DEAD_LIMIT,
    FAILED_BYTES,
    FAILED_TTL,
    HISTORY_TTL,
    KEEP_ENDED,
    KEEP_FAILED,
    KEEP_HISTORY,
    LANES,
    Area,
    Bell,
    EndKind,
    Over,
)
from hueyio.storage.sqlite.statements import statements

__all__ = ["AREA_NUMBERS", "BELLS", "Raised", "TakesLong", "Transaction"]

AREA_NUMBERS: Final[dict[Area, int]] = {area: number for number, area in enumerate(AREAS)}
BELLS: Final[tuple[Bell, ...]] = (*LANES, "schedule")

_SQL = statements("transaction.sql")


class Raised(NamedTuple):
    """The bells that are rung, and how many tasks were added to each lane."""

    rung: set[Bell]
    entered: Sequence[int]


_Counters: TypeAlias = tuple[int | None, set[Bell], int, list[int]]
"""The last place, the bells, revocations, tasks by lane."""

_NOTHING: Final = Raised(set(), (0,) * len(LANES))


class TakesLong(Exception):
    """What was asked may take long, and this transaction holds up the loop."""


class Transaction:
    """Owned by whoever uses the writer's connection; ends with the commit."""

    __slots__ = (
        "_any_expected", "_any_stages", "_any_waiting", "_last", "_written", "answered", "client", "connection",
        "dead_limit", "emptied", "ended", "entered", "epoch", "execute", "failed_bytes", "failed_ttl", "history_ttl",
        "is_brief", "keep_ended", "keep_failed", "keep_history", "mail", "many", "noticed", "now", "queue", "revoked",
        "rung", "told",
    )  # fmt: skip

    def __init__(
        self,
        connection: sqlite3.Connection,
        queue: int,
        client: str,
        now: float,
        dead_limit: int = DEAD_LIMIT,
        keep_ended: int = KEEP_ENDED,
        keep_failed: int = KEEP_FAILED,
        failed_ttl: float = FAILED_TTL,
        failed_bytes: int = FAILED_BYTES,
        keep_history: int = KEEP_HISTORY,
        history_ttl: float = HISTORY_TTL,
    ) -> None:
        self.connection = connection
        self.execute = connection.execute
        self.many = connection.executemany
        self.queue = queue
        self.client = client
        self.now = now
        self.dead_limit = dead_limit
        self.keep_ended = keep_ended
        self.keep_failed = keep_failed
        self.failed_ttl = failed_ttl
        self.failed_bytes = failed_bytes
        self.keep_history = keep_history if history_ttl > 0 else 0
        self.history_ttl = history_ttl
        self.is_brief = False
        """Whether it holds up the loop."""
        self.ended: dict[str, EndKind | None] = {}
        """Which way ids ended in this transaction; None: they live again."""
        self.entered = [0] * len(LANES)
        """How many tasks were added to each lane."""
        self.rung: set[Bell] = set()
        self.emptied: set[Bell] = set()
        """Bells that need not be heard: a claim of this transaction took all that they ring for."""
        self.answered: dict[Bell, int] = {}
        """The numbers of bells at which claims found all that they had rung for."""
        self.epoch = 0
        """Which file this is, of those that stood at the path."""
        self.noticed = False
        self.revoked = 0
        self.mail: list[tuple[int, Over]] = []
        """What this very client waited for, with the numbers of its registrations."""
        self.told: set[str] = set()
        """Other clients, whose rows now hold the outcome."""
        self._last: int | None = None
        self._written: _Counters = (None, set(), 0, [0] * len(LANES))
        self._any_waiting: bool | None = None
        self._any_expected: bool | None = None
        self._any_stages: bool | None = None

    def one(self, sql: str, parameters: Sequence[Any]) -> Any:
        """Return the only row, or None."""
        return self.execute(sql, parameters).fetchone()

    def take_time(self) -> None:
        """Say that what follows may read or write any number of rows. Raises TakesLong where that will not do."""
        if self.is_brief:
            raise TakesLong

    def places(self, count: int, expected: Raised = _NOTHING) -> int:
        """Reserve so many places; return the first of them. ``expected`` is what those who get them will raise."""
        if self._last is None:
            return self._reserve(count, expected)
        first = self._last + 1
        self._last += count
        return first

    def _reserve(self, count: int, expected: Raised) -> int:
        rung, entered, revoked = self.rung | expected.rung, _sum(self.entered, expected.entered), self.revoked
        counters = count, *_rings(rung), revoked, *entered
        # fetchall, because a statement that RETURNs must be run to its end.
        ((last, any_expected),) = self.execute(_SQL["reserve"], (*counters, self.queue)).fetchall()
        self._last = last
        self._written = last, rung, revoked, entered
        self._any_expected = bool(any_expected)
        return int(last - count + 1)

    def ring(self, bells: Iterable[Bell]) -> None:
        """Ring bells with the commit."""
        self.rung.update(bells)
        if self.emptied:
            self.emptied.difference_update(bells)

    def note(self, raised: Raised) -> None:
        """Note what was raised."""
        self.ring(raised.rung)
        self.entered = _sum(self.entered, raised.entered)

    def lease(self, owner: str) -> tuple[int, str, int] | None:
        """Return of a live lease the number of the last settle batch, what that was answered, and the heartbeat."""
        lease: tuple[int, str, int] | None = self.one(_SQL["lease"], (self.queue, owner))
        return lease

    def require_lease(self, owner: str) -> None:
        """Raise LeaseLost unless the owner has a live lease."""
        if self.lease(owner) is None:
            raise LeaseLost(f"owner {owner!r} has no live lease: it was given up, or never registered")

    @property
    def keeps_failed(self) -> bool:
        """Whether there is room for any failed task."""
        return self.keep_failed > 0 and self.failed_ttl > 0 and self.failed_bytes > 0

    @property
    def any_waiting(self) -> bool:
        """Whether anybody waits for any id of the queue; most transactions need to know no more."""
        if self._any_waiting is None:
            self._any_waiting = self.one(_SQL["any_waiting"], (self.queue,)) is not None
        return self._any_waiting

    @any_waiting.setter
    def any_waiting(self, known: bool) -> None:
        self._any_waiting = known

    @property
    def any_expected(self) -> bool:
        """Whether any id of the queue is expected."""
        if self._any_expected is None:
            self._any_expected = self.one(_SQL["any_expected"], (self.queue,)) is not None
        return self._any_expected

    @property
    def any_stages(self) -> bool:
        """Whether a later stage of any pipeline of the queue stands here; its id is expected."""
        if not self.any_expected:
            return False
        if self._any_stages is None:
            self._any_stages = self.one(_SQL["any_stage"], (self.queue,)) is not None
        return self._any_stages

    def is_live(self, id: str) -> bool:
        """Whether the id is alive or expected."""
        return self.one(_SQL["is_live"], (self.queue, id, self.queue, id)) is not None

    def is_alive(self, id: str) -> bool:
        """Whether the id is queued, scheduled or running."""
        return self.place_of(id) is not None

    def place_of(self, id: str) -> int | None:
        """Where a live task stands."""
        row = self.one(_SQL["place_of"], (self.queue, id))
        return row[0] if row else None

    def value(self, area: Area, key: str) -> bytes | None:
        """What stands under a key, if its time is not over."""
        row = self.one(_SQL["value"], (self.queue, AREA_NUMBERS[area], key, self.now))
        return row[0] if row else None

    def unname(self, namer: str) -> list[str]:
        """Let a task expect nothing more; return what it expected."""
        if not self.any_expected:
            return []
        return [id for (id,) in self.execute(_SQL["no_longer_named"], (self.queue, namer)).fetchall()]

    def expect(self, ids: Iterable[str], namer: str) -> None:
        """Write that these ids will follow, unless they are alive."""
        later = [id for id in ids if not self.is_alive(id)]
        if later:
            self.many(_SQL["expect"], [(self.queue, id, namer) for id in later])
            self._any_expected = True

    def name_chain(self, ids: Sequence[str]) -> None:
        """Write that each of these stages will follow the one before; they stand here."""
        if ids:
            pairs = zip(ids[1:], ids, strict=False)
            self.many(_SQL["expect"], [(self.queue, id, namer) for id, namer in pairs])
            self._any_expected = self._any_stages = True

    def first_eta(self) -> float | None:
        """When the first of the schedule is due."""
        row = self.one(_SQL["first_eta"], (self.queue,))
        return row[0] if row else None

    def finish(self) -> None:
        """Write the counters that this transaction raised and has not written yet."""
        raised = self._last, self.rung, self.revoked, self.entered
        if raised != self._written:
            last, rung, revoked, entered = self._written
            rings = [now - before for now, before in zip(_rings(self.rung), _rings(rung), strict=True)]
            lanes = [now - before for now, before in zip(self.entered, entered, strict=True)]
            more = (self._last or 0) - (last or 0), *rings, self.revoked - revoked, *lanes
            self.execute(_SQL["raise_counters"], (*more, self.queue))


def _rings(rung: set[Bell]) -> list[int]:
    return [bell in rung for bell in BELLS]


def _sum(counts: Sequence[int], others: Sequence[int]) -> list[int]:
    return list(map(add, counts, others))
