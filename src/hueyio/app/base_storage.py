"""The names of Huey's storage methods, for any storage of the contract: for scripts and tests, not for the hot path.

Huey's storages hand messages out for good and keep values under one set of keys; here that is said in the words of the
contract. Values that were put as results and other values are looked up by the same key, results last.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Coroutine, Iterable
from datetime import datetime
from typing import Any, Final

from hueyio.app.empty_data import EmptyData
from hueyio.app.sync_base_storage import SyncBaseStorage
from hueyio.control.take_value import take_value
from hueyio.exceptions import ConfigurationError, HueyException
from hueyio.handles.telling import telling
from hueyio.loops.carry_through import end_of
from hueyio.loops.sessions import Sessions
from hueyio.storage.contract import Session, Storage
from hueyio.storage.records import AREAS, LANES, Area, Delivery, Entry, Finish, Header
from hueyio.storage.stages import header_of_whole
from hueyio.tasks.given import items_of
from hueyio.tasks.task import aware

__all__ = ["BaseStorage"]

logger = logging.getLogger(__name__)

_COUNTER: Final = "counter:"
_VALUES: Final[tuple[Area, ...]] = ("data", "results")


@telling("storage.sync")
class BaseStorage:
    """Huey's storage methods as coroutines, on top of ``storage`` (``BaseStorage(huey.storage)``).

    Messages and values are bytes, keys are str or bytes. ``result_ttl`` (seconds, None: for ever, or the storage's own
    time) is for values put with ``is_result``. What ``dequeue`` and ``read_schedule`` return is gone from the storage;
    what a cancelled call took is put back.
    """

    blocking = False
    """``dequeue`` never waits."""

    def __init__(self, storage: Storage, result_ttl: float | None = None) -> None:
        if not isinstance(storage, Storage):
            raise ConfigurationError(f"BaseStorage needs a storage, such as huey.storage, not {storage!r}")
        self.storage = storage
        self.name = storage.name
        self.priority = storage.capabilities.priorities
        own_ttl = storage.capabilities.result_ttl
        self._keeps_results = own_ttl is not None
        self._result_ttl = own_ttl if result_ttl is None else result_ttl
        self._sessions = Sessions(storage)

    @property
    def sync(self) -> SyncBaseStorage:
        """The same methods for code that blocks, without ``await``."""
        return SyncBaseStorage(self)

    async def close(self) -> None:
        """Close the running loop's session; the next use opens another."""
        await self._sessions.close()

    # --- queue

    async def enqueue(self, data: bytes, priority: float | None = None) -> None:
        """Add a message; higher priorities first, first come, first served within one."""
        if priority and not self.priority:
            raise NotImplementedError(f"{self.storage} keeps a plain list, it has no priorities")
        rank = 0.0 if priority is None else _number("priority", priority)
        await self._add(data, Header(secrets.token_hex(16), priority=rank))

    async def dequeue(self) -> bytes | None:
        """Take the first message; None if there is none."""
        session = await self._session()
        taken = await _hand_over(session, _take_first(session))
        return taken[0].data if taken else None

    async def queue_size(self) -> int:
        """Count the messages in the queue."""
        counts = await (await self._session()).counts()
        return sum(counts.queued.values()) + counts.suspects

    async def enqueued_items(self, limit: int | None = None) -> list[bytes]:
        """List messages in the order in which they would be dequeued."""
        return [entry.data for entry in await (await self._session()).scan_tasks("queued", _checked_limit(limit))]

    async def flush_queue(self) -> None:
        """Delete all messages in the queue."""
        await (await self._session()).clear(["queue"])

    # --- schedule

    async def add_to_schedule(self, data: bytes, ts: datetime | float) -> None:
        """Add a message for later."""
        await self._add(data, Header(secrets.token_hex(16), eta=_seconds(ts)))

    async def read_schedule(self, ts: datetime | float) -> list[bytes]:
        """Take all messages that are due at ``ts``, the earliest first."""
        session = await self._session()
        until = _seconds(ts)
        due = [entry for entry in await session.scan_tasks("scheduled") if (entry.header.eta or 0.0) <= until]
        if not due:
            return []
        taken = await _hand_over(session, _take_all(session, [entry.header.id for entry in due]))
        mine = {delivery.receipt.id for delivery in taken}
        return [entry.data for entry in due if entry.header.id in mine]

    async def schedule_size(self) -> int:
        """Count the messages in the schedule."""
        return (await (await self._session()).counts()).scheduled

    async def scheduled_items(self, limit: int | None = None) -> list[bytes]:
        """List messages in the schedule, the earliest first."""
        return [entry.data for entry in await (await self._session()).scan_tasks("scheduled", _checked_limit(limit))]

    async def flush_schedule(self) -> None:
        """Delete all messages in the schedule."""
        await (await self._session()).clear(["schedule"])

    # --- values

    async def put_data(self, key: str | bytes, value: bytes, is_result: bool = False) -> None:
        """Write a value, over what was there."""
        area: Area = "results" if is_result else "data"
        await (await self._session()).put(area, {_text(key): value}, self._result_ttl if is_result else None)

    async def peek_data(self, key: str | bytes) -> bytes | type[EmptyData]:
        """Read a value; EmptyData if there is none."""
        return (await self.peek_many([key])).get(_text(key), EmptyData)

    async def peek_many(self, keys: Iterable[str | bytes]) -> dict[str, bytes]:
        """Read the values that there are."""
        wanted = [_text(key) for key in items_of(keys, "peek_many takes keys, such as ['a', 'b']")]
        session = await self._session()
        found: dict[str, bytes] = {}
        for area in reversed(_VALUES):
            values = await session.peek(area, wanted)
            found.update((key, value) for key, value in zip(wanted, values, strict=True) if value is not None)
        return found

    async def pop_data(self, key: str | bytes) -> bytes | type[EmptyData]:
        """Read a value and delete it (but a result where the storage keeps results); EmptyData if there is none."""
        session = await self._session()
        value = await take_value(session, "data", _text(key))
        if value is None:
            value = await self._take_result(session, _text(key))
        return EmptyData if value is None else value

    async def _take_result(self, session: Session, key: str) -> bytes | None:
        if self._keeps_results:
            return (await session.peek("results", [key]))[0]
        return await take_value(session, "results", key, self._result_ttl)

    async def delete_data(self, key: str | bytes) -> bool:
        """Delete a value; say whether it was there."""
        session = await self._session()
        return sum([await session.delete(area, [_text(key)]) for area in _VALUES]) > 0

    async def has_data_for_key(self, key: str | bytes) -> bool:
        """Say whether there is a value."""
        return bool(await self.peek_many([key]))

    async def put_if_empty(self, key: str | bytes, value: bytes, ttl: float | None = None) -> bool:
        """Write a value unless there is one; say whether it was written."""
        return await (await self._session()).put_if_absent("data", _text(key), value, ttl)

    async def wait_result(
        self, key: str | bytes, timeout: float | None = None, backoff: float = 1.15, max_delay: float = 1.0
    ) -> bool:
        """Wait until there is a value; False if there is none after ``timeout`` seconds.

        Looks now and then, at first after 0.05 s. Results of tasks are better awaited: ``await huey.result_of(id)``.
        """
        deadline = None if timeout is None else time.monotonic() + _number("timeout", timeout)
        delay = 0.05
        while not await self.has_data_for_key(key):
            left = delay if deadline is None else deadline - time.monotonic()
            if left <= 0:
                return False
            await asyncio.sleep(min(delay, left))
            delay = min(delay * backoff, max_delay)
        return True

    async def result_store_size(self) -> int:
        """Count the values."""
        return len(await self.result_items())

    async def result_items(self) -> dict[str, bytes]:
        """Read all values."""
        session = await self._session()
        return {key: value for area in reversed(_VALUES) for key, value in await session.scan_keys(area)}

    async def flush_results(self) -> None:
        """Delete all values."""
        await (await self._session()).clear(list(_VALUES))

    # --- counters

    async def incr(self, key: str | bytes, amount: int = 1) -> int:
        """Add to a counter, which is no value, and return it."""
        if isinstance(amount, bool) or not isinstance(amount, int):
            raise HueyException(f"amount must be a whole number, not {amount!r}")
        return await (await self._session()).add("windows", _COUNTER + _text(key), amount)

    async def delete_counter(self, key: str | bytes) -> bool:
        """Delete a counter; say whether it was there."""
        return await (await self._session()).delete("windows", [_COUNTER + _text(key)]) > 0

    async def flush_counters(self) -> None:
        """Delete all counters."""
        session = await self._session()
        counters = [key for key, _ in await session.scan_keys("windows") if key.startswith(_COUNTER)]
        await session.delete("windows", counters)

    async def flush_all(self) -> None:
        """Delete everything but what is running."""
        await (await self._session()).clear(["queue", "schedule", "dead", *AREAS])

    async def _session(self) -> Session:
        return await self._sessions.get()

    async def _add(self, data: bytes, header: Header) -> None:
        if not isinstance(data, bytes):
            raise TypeError(f"a message is bytes, not {type(data).__name__}")
        await (await self._session()).enqueue([Entry(header, data)])


async def _hand_over(session: Session, taking: Coroutine[Any, Any, list[Delivery]]) -> list[Delivery]:
    """Return what was taken; a caller who is cancelled meanwhile leaves it where it was."""
    task = asyncio.ensure_future(taking)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        try:
            taken = await end_of(task)
            await end_of(asyncio.ensure_future(session.enqueue([Entry(it.header, it.data) for it in taken])))
        except HueyException as error:  # whoever is cancelled has to end
            logger.warning("a read of the queue was cancelled, and what it took may be gone: %s", error)
        raise


async def _take_first(session: Session) -> list[Delivery]:
    owner = await _begin(session)
    try:
        for lane in LANES:
            taken = await _whole(session, await session.claim({lane: 1}, owner))
            if taken:
                await _finish(session, owner, taken)
                return taken
        return []
    finally:
        await session.deregister(owner)


async def _take_all(session: Session, ids: list[str]) -> list[Delivery]:
    owner = await _begin(session)
    try:
        taken = await _whole(session, await session.cancel(ids, owner))
        await _finish(session, owner, taken)
        return taken
    finally:
        await session.deregister(owner)


async def _whole(session: Session, taken: list[Delivery]) -> list[Delivery]:
    """Let messages have all that follows them: what stands in the storage goes with the task."""
    ids = [it.receipt.id for it in taken if it.following is not None]
    found = {it.id: it.data for it in await session.locate(ids)} if ids else {}
    whole = [it._replace(data=found.get(it.receipt.id) or it.data) for it in taken]
    return [it._replace(header=header_of_whole(it.header, it.data)) for it in whole]


async def _begin(session: Session) -> str:
    """Begin a lease of a single use: nobody sends its heartbeat."""
    owner = f"base-storage-{secrets.token_hex(8)}"
    await session.register(owner, b"")
    return owner


async def _finish(session: Session, owner: str, taken: list[Delivery]) -> None:
    if taken:
        await session.settle([Finish(delivery.receipt) for delivery in taken], owner, 1)


def _text(key: str | bytes) -> str:
    if not isinstance(key, (str, bytes)):
        raise HueyException(f"a key must be a text or bytes, not {key!r}")
    return key.decode() if isinstance(key, bytes) else key


def _seconds(ts: datetime | float) -> float:
    return aware(ts).timestamp() if isinstance(ts, datetime) else _number("ts", ts)


def _number(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise HueyException(f"{name} must be a number, not {value!r}")
    return float(value)


def _checked_limit(limit: int | None) -> int | None:
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        raise HueyException(f"limit must be a whole number of at least 0, or None for all, not {limit!r}")
    return limit
