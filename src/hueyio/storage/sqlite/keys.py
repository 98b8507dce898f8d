"""Small values in named areas, results among them, each with its time to live."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from hueyio.storage.records import Area
from hueyio.storage.shared.sweeping import next_sweep
from hueyio.storage.sqlite.engine.transaction import AREA_NUMBERS, Transaction
from hueyio.storage.sqlite.many_rows import ManyRows
from hueyio.storage.sqlite.statements import statements

__all__ = [
    "add",
    "any_in",
    "compare_delete",
    "compare_extend",
    "delete",
    "peek",
    "pop",
    "put",
    "put_if_absent",
    "scan_keys",
    "shorten",
    "store",
    "sweep",
]

_SQL = statements("keys.sql")
_PUT: Final = ManyRows(_SQL["put"])
_DELETE: Final = ManyRows(_SQL["delete"])
_SWEPT: Final = (("over_keys", "sweep_key"), ("over_tokens", "sweep_token"), ("over_waiters", "sweep_waiter"))
_SWEEP_CHUNK: Final = 1_000


def put(tx: Transaction, area: Area, items: Mapping[str, bytes], ttl: float | None) -> None:
    """Write all items."""
    expires = _until(tx, ttl)
    number = AREA_NUMBERS[area]
    _PUT.run(tx.execute, [(tx.queue, number, key, value, expires) for key, value in items.items()])
    if area in ("revocations", "schedules") and items:
        tx.revoked += 1
        tx.noticed = True


def put_if_absent(tx: Transaction, area: Area, key: str, value: bytes, ttl: float | None) -> bool:
    """Write a value unless one is there."""
    if tx.value(area, key) is not None:
        return False
    put(tx, area, {key: value}, ttl)
    return True


def store(tx: Transaction, results: Iterable[tuple[str, bytes | None, float | None]]) -> None:
    """Write results (id, bytes, ttl) for many tasks; None deletes what was stored."""
    area = AREA_NUMBERS["results"]
    kept: list[tuple[object, ...]] = []
    gone: list[tuple[str]] = []
    for id, value, ttl in results:
        if value is None:
            gone.append((id,))
        else:
            kept.append((tx.queue, area, id, value, None if ttl is None else tx.now + ttl))
    _DELETE.run(tx.execute, gone, (tx.queue, area, 0.0))
    _PUT.run(tx.execute, kept)


def shorten(tx: Transaction, id: str, ttl: float) -> None:
    """Let a result expire after ``ttl``, if it would stay longer."""
    expires = tx.now + ttl
    tx.execute(_SQL["shorten"], (expires, tx.queue, AREA_NUMBERS["results"], id, expires))


def peek(tx: Transaction, area: Area, keys: Sequence[str]) -> list[bytes | None]:
    """Read values; None for what is not there."""
    return [tx.value(area, key) for key in keys]


def pop(tx: Transaction, area: Area, key: str) -> bytes | None:
    """Read and delete a value."""
    value = tx.value(area, key)
    if value is not None:
        delete(tx, area, [key])
    return value


def delete(tx: Transaction, area: Area, keys: Sequence[str]) -> int:
    """Delete keys; return how many were there."""
    number = AREA_NUMBERS[area]
    if not any_in(tx, area):
        return 0  # nearly always so for revocations, of which every end of a run deletes one
    return _DELETE.run(tx.execute, [(key,) for key in keys], (tx.queue, number, tx.now))


def any_in(tx: Transaction, area: Area) -> bool:
    """Say whether anything stands in an area, be its time over or not."""
    return tx.one(_SQL["any_in_area"], (tx.queue, AREA_NUMBERS[area])) is not None


def scan_keys(tx: Transaction, area: Area, limit: int | None = None) -> list[tuple[str, bytes]]:
    """List the keys of an area with their values."""
    room = -1 if limit is None else limit
    return tx.execute(_SQL["scan"], (tx.queue, AREA_NUMBERS[area], tx.now, room)).fetchall()


def compare_delete(tx: Transaction, area: Area, key: str, expected: bytes) -> bool:
    """Delete a key that holds exactly this."""
    return tx.value(area, key) == expected and delete(tx, area, [key]) == 1


def compare_extend(tx: Transaction, area: Area, key: str, expected: bytes, ttl: float | None) -> bool:
    """Give a key that holds exactly this a new time to live."""
    if tx.value(area, key) != expected:
        return False
    tx.execute(_SQL["extend"], (_until(tx, ttl), tx.queue, AREA_NUMBERS[area], key))
    return True


def add(tx: Transaction, area: Area, key: str, amount: int, ttl: float | None) -> int:
    """Add to a counter; raise ValueError, changing nothing, if the key holds no number."""
    old = tx.value(area, key)
    if old is None:
        put(tx, area, {key: b"%d" % amount}, ttl)
        return amount
    count = int(old) + amount
    tx.execute(_SQL["replace_value"], (b"%d" % count, tx.queue, AREA_NUMBERS[area], key))
    return count


def sweep(tx: Transaction) -> float | None:
    """Delete a bounded number of rows whose time is over; return after how many seconds to do it again."""
    most = 0
    for find, drop in _SWEPT:
        over = tx.execute(_SQL[find], (tx.queue, tx.now, _SWEEP_CHUNK)).fetchall()
        most = max(most, len(over))
        if over:
            tx.many(_SQL[drop], over)
    return next_sweep(most, _SWEEP_CHUNK)


def _until(tx: Transaction, ttl: float | None) -> float | None:
    return None if ttl is None else tx.now + ttl
