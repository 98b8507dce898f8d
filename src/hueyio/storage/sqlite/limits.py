"""Locks, semaphores and token buckets: values of the key table that are read, decided on and written back."""

from __future__ import annotations

from hueyio.storage.records import Area
from hueyio.storage.shared import permits
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.keys import any_in, delete, put, scan_keys

__all__ = ["acquire", "end_permits", "holders", "release", "renew", "take"]


def acquire(
    tx: Transaction, key: str, token: str, size: int, lease: float, owner: str | None, ttl: float | None
) -> bool:
    """Take one of ``size`` permits."""
    if owner is not None:
        tx.require_lease(owner)
    return _apply(tx, "locks", key, permits.acquire(tx.value("locks", key), token, size, lease, owner, ttl, tx.now))


def renew(tx: Transaction, key: str, token: str, lease: float) -> bool:
    """Prolong a permit that has no owner."""
    return _apply(tx, "locks", key, permits.renew(tx.value("locks", key), token, lease, tx.now))


def release(tx: Transaction, key: str, token: str, owner: str | None) -> bool:
    """Give a permit back, if this owner holds it."""
    return _apply(tx, "locks", key, permits.release(tx.value("locks", key), token, owner, tx.now))


def holders(tx: Transaction, key: str) -> list[str]:
    """List the tokens that hold a permit."""
    return permits.holders(tx.value("locks", key), tx.now)


def take(tx: Transaction, key: str, rate: float, burst: int) -> float:
    """Take a token from a bucket, or say how long to wait."""
    wait, change = permits.take(tx.value("windows", key), rate, burst, tx.now)
    _apply(tx, "windows", key, change)
    return wait


def end_permits(tx: Transaction, owner: str) -> None:
    """Let the permits of an owner whose lease has ended last only for their grace."""
    if any_in(tx, "locks"):
        for key, value in scan_keys(tx, "locks"):
            _apply(tx, "locks", key, permits.end_owner(value, owner, tx.now))


def _apply(tx: Transaction, area: Area, key: str, change: permits.Change) -> bool:
    if change.done:
        if change.value is None:
            delete(tx, area, [key])
        else:
            put(tx, area, {key: change.value}, change.ttl)
    return change.done
