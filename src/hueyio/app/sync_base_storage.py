"""The names of Huey's storage methods, for code that blocks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from hueyio.app.empty_data import EmptyData
from hueyio.handles.blocking import Blocking
from hueyio.storage.contract import Storage

__all__ = ["SyncBaseStorage"]


class SyncBaseStorage(Blocking):
    """Huey's storage methods; see ``BaseStorage``."""

    __slots__ = ()

    blocking = False
    """``dequeue`` never waits."""

    @property
    def storage(self) -> Storage:
        """The storage below."""
        storage: Storage = self._wrapped.storage
        return storage

    @property
    def name(self) -> str:
        """The queue's name."""
        name: str = self._wrapped.name
        return name

    @property
    def priority(self) -> bool:
        """Whether the storage has priorities."""
        priority: bool = self._wrapped.priority
        return priority

    # --- made from ``BaseStorage`` by `python -m tests.support.facade`; what is above is by hand

    def close(self) -> None:
        """Close the running loop's session; the next use opens another."""
        self._wait(self._wrapped.close())

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        """Add a message; higher priorities first, first come, first served within one."""
        self._wait(self._wrapped.enqueue(data, priority))

    def dequeue(self) -> bytes | None:
        """Take the first message; None if there is none."""
        answer: bytes | None = self._wait(self._wrapped.dequeue())
        return answer

    def queue_size(self) -> int:
        """Count the messages in the queue."""
        answer: int = self._wait(self._wrapped.queue_size())
        return answer

    def enqueued_items(self, limit: int | None = None) -> list[bytes]:
        """List messages in the order in which they would be dequeued."""
        answer: list[bytes] = self._wait(self._wrapped.enqueued_items(limit))
        return answer

    def flush_queue(self) -> None:
        """Delete all messages in the queue."""
        self._wait(self._wrapped.flush_queue())

    def add_to_schedule(self, data: bytes, ts: datetime | float) -> None:
        """Add a message for later."""
        self._wait(self._wrapped.add_to_schedule(data, ts))

    def read_schedule(self, ts: datetime | float) -> list[bytes]:
        """Take all messages that are due at ``ts``, the earliest first."""
        answer: list[bytes] = self._wait(self._wrapped.read_schedule(ts))
        return answer

    def schedule_size(self) -> int:
        """Count the messages in the schedule."""
        answer: int = self._wait(self._wrapped.schedule_size())
        return answer

    def scheduled_items(self, limit: int | None = None) -> list[bytes]:
        """List messages in the schedule, the earliest first."""
        answer: list[bytes] = self._wait(self._wrapped.scheduled_items(limit))
        return answer

    def flush_schedule(self) -> None:
        """Delete all messages in the schedule."""
        self._wait(self._wrapped.flush_schedule())

    def put_data(self, key: str | bytes, value: bytes, is_result: bool = False) -> None:
        """Write a value, over what was there."""
        self._wait(self._wrapped.put_data(key, value, is_result))

    def peek_data(self, key: str | bytes) -> bytes | type[EmptyData]:
        """Read a value; EmptyData if there is none."""
        answer: bytes | type[EmptyData] = self._wait(self._wrapped.peek_data(key))
        return answer

    def peek_many(self, keys: Iterable[str | bytes]) -> dict[str, bytes]:
        """Read the values that there are."""
        answer: dict[str, bytes] = self._wait(self._wrapped.peek_many(keys))
        return answer

    def pop_data(self, key: str | bytes) -> bytes | type[EmptyData]:
        """Read a value and delete it (but a result where the storage keeps results); EmptyData if there is none."""
        answer: bytes | type[EmptyData] = self._wait(self._wrapped.pop_data(key))
        return answer

    def delete_data(self, key: str | bytes) -> bool:
        """Delete a value; say whether it was there."""
        answer: bool = self._wait(self._wrapped.delete_data(key))
        return answer

    def has_data_for_key(self, key: str | bytes) -> bool:
        """Say whether there is a value."""
        answer: bool = self._wait(self._wrapped.has_data_for_key(key))
        return answer

    def put_if_empty(self, key: str | bytes, value: bytes, ttl: float | None = None) -> bool:
        """Write a value unless there is one; say whether it was written."""
        answer: bool = self._wait(self._wrapped.put_if_empty(key, value, ttl))
        return answer

    def wait_result(
        self, key: str | bytes, timeout: float | None = None, backoff: float = 1.15, max_delay: float = 1.0
    ) -> bool:
        """Wait until there is a value; False if there is none after ``timeout`` seconds.

        See ``BaseStorage.wait_result``.
        """
        answer: bool = self._wait(self._wrapped.wait_result(key, timeout, backoff, max_delay))
        return answer

    def result_store_size(self) -> int:
        """Count the values."""
        answer: int = self._wait(self._wrapped.result_store_size())
        return answer

    def result_items(self) -> dict[str, bytes]:
        """Read all values."""
        answer: dict[str, bytes] = self._wait(self._wrapped.result_items())
        return answer

    def flush_results(self) -> None:
        """Delete all values."""
        self._wait(self._wrapped.flush_results())

    def incr(self, key: str | bytes, amount: int = 1) -> int:
        """Add to a counter, which is no value, and return it."""
        answer: int = self._wait(self._wrapped.incr(key, amount))
        return answer

    def delete_counter(self, key: str | bytes) -> bool:
        """Delete a counter; say whether it was there."""
        answer: bool = self._wait(self._wrapped.delete_counter(key))
        return answer

    def flush_counters(self) -> None:
        """Delete all counters."""
        self._wait(self._wrapped.flush_counters())

    def flush_all(self) -> None:
        """Delete everything but what is running."""
        self._wait(self._wrapped.flush_all())
