"""The operations of the contract as data, and a session that spells them once for every storage.

``OPERATIONS`` says of each operation what a storage has to know before it carries it out: whose it is, what it needs
of the disk, and whether it may be repeated. ``OperationSession`` has a typed method for each, which copies what
belongs to the caller and hands name and arguments to ``_do``. What the operations promise stands in ``contract``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import ModuleType
from typing import Any, Final, Literal, TypeAlias, TypeVar

from hueyio.storage.contract import Session
from hueyio.storage.records import (
    ALL_LETTERS,
    Answer,
    Area,
    Bell,
    Burial,
    Clearable,
    Counted,
    CountedSlot,
    CountedTask,
    Counts,
    Cursor,
    DeadLetter,
    Delivery,
    Described,
    Ended,
    Enqueued,
    Entry,
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
    Note,
    Notices,
    Over,
    Owner,
    Page,
    Pause,
    Promoted,
    Receipt,
    Requeue,
    Requeued,
    Settlement,
    Unknown,
    Wanted,
)

__all__ = ["OPERATIONS", "Durability", "Operation", "OperationSession", "Role", "actions_of", "durability_of"]

T = TypeVar("T")

Role: TypeAlias = Literal[
    "producing", "consuming", "waiting", "keys", "limits", "dead", "history", "looking", "counting"
]
"""The part of the contract that an operation belongs to; storages name their modules alike."""


class Durability(IntEnum):
    """What an operation needs of the disk. Of several that go together, the greatest counts."""

    READ = 0
    """It changes nothing."""
    VOLATILE = 1
    """It is written, but a power failure may undo it: the lease that it belongs to would be reclaimed anyway."""
    DURABLE = 2
    """It is on the disk before it is answered."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the contract."""

    name: str
    role: Role
    durability: Durability
    is_idempotent: bool
    """Whether it may be repeated after a lost reply: it changes nothing more, and the second answer is as good."""
    waits: bool = False
    """Whether it returns only when something happens; it may be cancelled at any time."""


_READ: Final = Durability.READ
_VOLATILE: Final = Durability.VOLATILE
_DURABLE: Final = Durability.DURABLE

OPERATIONS: Final[Mapping[str, Operation]] = {
    it.name: it
    for it in (
        Operation("enqueue", "producing", _DURABLE, is_idempotent=True),  # an id that is alive is left alone
        Operation("cancel", "producing", _DURABLE, is_idempotent=False),  # hands over deliveries once
        Operation("locate", "producing", _READ, is_idempotent=True),
        Operation("register", "consuming", _DURABLE, is_idempotent=True),
        Operation("deregister", "consuming", _DURABLE, is_idempotent=True),
        Operation("owners", "consuming", _READ, is_idempotent=True),
        Operation("wait_for_work", "consuming", _READ, is_idempotent=True, waits=True),
        Operation("claim", "consuming", _VOLATILE, is_idempotent=False),  # held shows what a lost one took
        Operation("claim_awaited", "consuming", _VOLATILE, is_idempotent=False),  # as claim
        Operation("held", "consuming", _READ, is_idempotent=True),
        Operation("start", "consuming", _DURABLE, is_idempotent=True),
        Operation("settle", "consuming", _DURABLE, is_idempotent=True),  # its number tells a repeat
        Operation("notices", "consuming", _READ, is_idempotent=True, waits=True),
        Operation("promote", "consuming", _VOLATILE, is_idempotent=False),  # moves the next ones
        Operation("reclaim", "consuming", _DURABLE, is_idempotent=False),  # the second finds no lease
        Operation("report", "consuming", _VOLATILE, is_idempotent=True),
        Operation("collect", "consuming", _READ, is_idempotent=True),
        Operation("await_outcomes", "waiting", _READ, is_idempotent=True, waits=True),
        Operation("follow", "waiting", _READ, is_idempotent=True, waits=True),
        Operation("ended", "waiting", _READ, is_idempotent=True),
        Operation("put", "keys", _DURABLE, is_idempotent=True),
        Operation("put_if_absent", "keys", _DURABLE, is_idempotent=False),
        Operation("peek", "keys", _READ, is_idempotent=True),
        Operation("pop", "keys", _DURABLE, is_idempotent=False),
        Operation("delete", "keys", _DURABLE, is_idempotent=False),  # counts what was there
        Operation("compare_delete", "keys", _DURABLE, is_idempotent=False),
        Operation("compare_extend", "keys", _DURABLE, is_idempotent=True),
        Operation("add", "keys", _DURABLE, is_idempotent=False),
        Operation("acquire", "limits", _DURABLE, is_idempotent=True),  # the token has it already
        Operation("renew", "limits", _DURABLE, is_idempotent=True),
        Operation("release", "limits", _DURABLE, is_idempotent=False),
        Operation("holders", "limits", _READ, is_idempotent=True),
        Operation("take", "limits", _DURABLE, is_idempotent=False),
        Operation("dead", "dead", _READ, is_idempotent=True),
        Operation("failed", "dead", _READ, is_idempotent=True),
        Operation("requeue", "dead", _DURABLE, is_idempotent=False),  # the second finds none
        Operation("purge", "dead", _DURABLE, is_idempotent=False),  # counts
        Operation("history", "history", _READ, is_idempotent=True),
        Operation("find_ended", "history", _READ, is_idempotent=True),
        Operation("attempts", "history", _READ, is_idempotent=True),
        Operation("counts", "looking", _READ, is_idempotent=True),
        Operation("page", "looking", _READ, is_idempotent=True),
        Operation("describe", "looking", _READ, is_idempotent=True),
        Operation("scan_tasks", "looking", _READ, is_idempotent=True),
        Operation("scan_keys", "looking", _READ, is_idempotent=True),
        Operation("clear", "looking", _DURABLE, is_idempotent=True),
        Operation("pause", "looking", _DURABLE, is_idempotent=True),
        Operation("resume", "looking", _DURABLE, is_idempotent=True),
        Operation("paused", "looking", _READ, is_idempotent=True),
        Operation("note", "looking", _DURABLE, is_idempotent=False),  # the second is a line too
        Operation("notes", "looking", _READ, is_idempotent=True),
        Operation("time", "looking", _READ, is_idempotent=True),
        Operation("publish", "counting", _VOLATILE, is_idempotent=True),  # its number tells a repeat
        Operation("read_slots", "counting", _READ, is_idempotent=True),
        Operation("read_counts", "counting", _READ, is_idempotent=True),
        Operation("heads", "counting", _READ, is_idempotent=True),
    )
}
"""All 56, by their names."""


def durability_of(name: str, args: Sequence[Any]) -> Durability:
    """Say what this call of an operation needs of the disk.

    A result is deleted because its reader has it: it may come back, and then its time ends it.
    """
    if name == "delete" and args[0] == "results":
        return Durability.VOLATILE
    return OPERATIONS[name].durability


def actions_of(*modules: ModuleType) -> Mapping[str, Callable[..., Any]]:
    """Collect the functions of all operations that do not wait from the modules of a storage that export them.

    Each has the operation's name. Raises LookupError if one is missing.
    """
    exported = {name: getattr(module, name) for module in modules for name in module.__all__}
    return {name: exported[name] for name, operation in OPERATIONS.items() if not operation.waits}


class OperationSession(Session, ABC):
    """A session whose operations go through ``_do``; a storage adds that, the four waits, and ``close``.

    Sequences become tuples and mappings dicts on the way, so that a caller who changes a list of his later changes
    nothing. The docstrings are those of the roles in ``contract``.
    """

    # T is what the calling method returns: a type checker takes it from there.
    @abstractmethod
    def _do(self, name: str, /, *args: Any) -> Awaitable[T]:  # pyright: ignore[reportInvalidTypeVarUse]
        """Carry out the operation of this name; ``args`` are all of its parameters, in order.

        Once this was called, a write is carried through even when nobody awaits it any more. A plain function that
        returns a future saves a coroutine for each call.
        """

    # Producing

    async def enqueue(self, entries: Sequence[Entry], latches: Sequence[Latch] = ()) -> list[Enqueued]:
        return await self._do("enqueue", tuple(entries), tuple(latches))

    async def cancel(self, ids: Sequence[str], owner: str) -> list[Delivery]:
        return await self._do("cancel", tuple(ids), owner)

    async def locate(self, ids: Sequence[str]) -> list[Found]:
        return await self._do("locate", tuple(ids))

    # Consuming

    async def register(self, owner: str, info: bytes) -> None:
        await self._do("register", owner, info)

    async def deregister(self, owner: str) -> None:
        await self._do("deregister", owner)

    async def owners(self) -> list[Owner]:
        return await self._do("owners")

    @abstractmethod
    async def wait_for_work(self, bells: Collection[Bell], timeout: float) -> frozenset[Bell]: ...

    async def claim(self, room: Mapping[Lane, int], owner: str) -> list[Delivery]:
        return await self._do("claim", dict(room), owner)

    async def claim_awaited(
        self, ids: Sequence[str], room: Mapping[Lane, int], owner: str, alone: bool
    ) -> list[Delivery]:
        return await self._do("claim_awaited", tuple(ids), dict(room), owner, alone)

    async def held(self, owner: str) -> list[Delivery]:
        return await self._do("held", owner)

    async def start(self, receipts: Sequence[Receipt], owner: str) -> list[bool]:
        return await self._do("start", tuple(receipts), owner)

    async def settle(
        self, settlements: Sequence[Settlement], owner: str, number: int, history: HistoryBatch | None = None
    ) -> list[Answer]:
        return await self._do("settle", tuple(settlements), owner, number, history)

    async def settle_and_claim(
        self,
        settlements: Sequence[Settlement],
        owner: str,
        number: int,
        history: HistoryBatch | None,
        room: Mapping[Lane, int],
    ) -> tuple[list[Answer], list[Delivery] | None]:
        return await self.settle(settlements, owner, number, history), None

    @abstractmethod
    async def notices(self, owner: str, seen: Notices | None) -> Notices: ...

    async def promote(self, now: float, limit: int) -> Promoted:
        return await self._do("promote", now, limit)

    async def reclaim(self, owner: str, beat: int) -> int | None:
        return await self._do("reclaim", owner, beat)

    async def report(self, receipt: Receipt, data: bytes) -> bool:
        return await self._do("report", receipt, data)

    async def collect(self, keys: Sequence[str]) -> list[MemberResults | None]:
        return await self._do("collect", tuple(keys))

    # Waiting

    @abstractmethod
    async def await_outcomes(self, ids: Sequence[str], unknown: Unknown = "return") -> list[Over]: ...

    @abstractmethod
    async def follow(self, id: str, seen: bytes | None) -> bytes | None: ...

    async def ended(self, ids: Sequence[str]) -> Ended:
        return await self._do("ended", tuple(ids))

    # Keys

    async def put(self, area: Area, items: Mapping[str, bytes], ttl: float | None = None) -> None:
        await self._do("put", area, dict(items), ttl)

    async def put_if_absent(self, area: Area, key: str, value: bytes, ttl: float | None = None) -> bool:
        return await self._do("put_if_absent", area, key, value, ttl)

    async def peek(self, area: Area, keys: Sequence[str]) -> list[bytes | None]:
        return await self._do("peek", area, tuple(keys))

    async def pop(self, area: Area, key: str) -> bytes | None:
        return await self._do("pop", area, key)

    async def delete(self, area: Area, keys: Sequence[str]) -> int:
        return await self._do("delete", area, tuple(keys))

    async def compare_delete(self, area: Area, key: str, expected: bytes) -> bool:
        return await self._do("compare_delete", area, key, expected)

    async def compare_extend(self, area: Area, key: str, expected: bytes, ttl: float | None) -> bool:
        return await self._do("compare_extend", area, key, expected, ttl)

    async def add(self, area: Area, key: str, amount: int = 1, ttl: float | None = None) -> int:
        return await self._do("add", area, key, amount, ttl)

    # Limits

    async def acquire(
        self, key: str, token: str, size: int, lease: float, owner: str | None = None, ttl: float | None = None
    ) -> bool:
        return await self._do("acquire", key, token, size, lease, owner, ttl)

    async def renew(self, key: str, token: str, lease: float) -> bool:
        return await self._do("renew", key, token, lease)

    async def release(self, key: str, token: str, owner: str | None = None) -> bool:
        return await self._do("release", key, token, owner)

    async def holders(self, key: str) -> list[str]:
        return await self._do("holders", key)

    async def take(self, key: str, rate: float, burst: int) -> float:
        return await self._do("take", key, rate, burst)

    # Dead

    async def dead(self, limit: int | None = None) -> list[DeadLetter]:
        return await self._do("dead", limit)

    async def failed(self, limit: int, after: Cursor | None = None, wanted: Wanted = ALL_LETTERS) -> Page[DeadLetter]:
        return await self._do("failed", limit, after, wanted)

    async def requeue(self, letters: Sequence[Requeue]) -> list[Requeued]:
        return await self._do("requeue", tuple(letters))

    async def purge(self, ids: Sequence[str] | None = None, store: Burial = "dead", until: float | None = None) -> int:
        return await self._do("purge", None if ids is None else tuple(ids), store, until)

    # History

    async def history(self, limit: int, start: Cursor | None = None) -> Page[HistoryEntry]:
        return await self._do("history", limit, start)

    async def find_ended(self, id: str) -> HistoryEntry | None:
        return await self._do("find_ended", id)

    async def attempts(self, ids: Sequence[str]) -> list[tuple[bytes, ...]]:
        return await self._do("attempts", tuple(ids))

    # Looking

    async def counts(self, most: int | None = None) -> Counts:
        return await self._do("counts", most)

    async def page(self, state: ListedState, limit: int, after: str | None = None) -> Listing:
        return await self._do("page", state, limit, after)

    async def describe(self, ids: Sequence[str]) -> list[Described]:
        return await self._do("describe", tuple(ids))

    async def scan_tasks(self, state: LiveState, limit: int | None = None) -> list[Entry]:
        return await self._do("scan_tasks", state, limit)

    async def scan_keys(self, area: Area, limit: int | None = None) -> list[tuple[str, bytes]]:
        return await self._do("scan_keys", area, limit)

    async def clear(self, what: Collection[Clearable]) -> None:
        await self._do("clear", tuple(what))

    async def pause(self, by: str = "") -> None:
        await self._do("pause", by)

    async def resume(self) -> None:
        await self._do("resume")

    async def paused(self) -> Pause | None:
        return await self._do("paused")

    async def note(self, line: bytes) -> None:
        await self._do("note", line)

    async def notes(self, limit: int, after: int | None = None) -> list[Note]:
        return await self._do("notes", limit, after)

    async def time(self) -> float:
        return await self._do("time")

    # Counting

    async def publish(self, owner: str, number: int, info: bytes, counted: Counted | None = None) -> bool:
        return await self._do("publish", owner, number, info, counted)

    async def read_slots(self, span: int, first: int, last: int) -> list[CountedSlot]:
        return await self._do("read_slots", span, first, last)

    async def read_counts(self, span: int, first: int, last: int, names: Sequence[str]) -> list[CountedTask]:
        return await self._do("read_counts", span, first, last, tuple(names))

    async def heads(self) -> list[Header]:
        return await self._do("heads")

    @abstractmethod
    async def close(self) -> None: ...
