"""Revoke and restore tasks in a storage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from hueyio.core import Core
from hueyio.messages.revocation import STRAY_TTL, Revocation, class_key, instance_key, pick_revocation
from hueyio.storage.contract import Session
from hueyio.storage.records import State
from hueyio.tasks.given import check_switches
from hueyio.tasks.task import aware

__all__ = ["find_revoked_names", "is_revoked", "restore", "revoke", "revoke_all"]

_NOT_ALIVE: Final[tuple[State, ...]] = ("stored", "dead", "ended", "unknown")


async def revoke_all(core: Core, path: str, until: datetime | None, once: bool) -> None:
    """Revoke all tasks of a function."""
    await _write(core, await core.session(), class_key(path), until, once)


async def _write(core: Core, session: Session, key: str, until: datetime | None, once: bool) -> bytes:
    """Write over what was there before. A revocation with an end is forgotten a second after it."""
    check_switches({"revoke_once": once})
    revocation = Revocation(None if until is None else aware(until).timestamp(), once)
    ttl = None if revocation.until is None else max(revocation.until - core.now(), 0.0) + 1.0
    data = revocation.to_bytes()
    await session.put("revocations", {key: data}, ttl)
    return data


async def revoke(core: Core, task_id: str, until: datetime | None, once: bool) -> None:
    """Revoke one task. Where it is over already, or not yet there, nothing but time ends the revocation."""
    session = await core.session()
    key = instance_key(task_id)
    data = await _write(core, session, key, until, once)
    if until is None:
        # Looked up only now: a task that ends in between deletes the revocation itself.
        (found,) = await session.locate([task_id])
        if found.state in _NOT_ALIVE:
            await session.compare_extend("revocations", key, data, STRAY_TTL)


async def restore(core: Core, key: str) -> bool:
    """Take a revocation back; False if there is none under this key."""
    return await (await core.session()).delete("revocations", [key]) > 0


async def is_revoked(core: Core, keys: Sequence[str], at: float | None, peek: bool) -> bool:
    """Say whether one of the keys is revoked at a moment (epoch seconds); None: now.

    Without ``peek`` a revocation for once is used up, and those that are over are deleted.
    """
    session = await core.session()
    values = await session.peek("revocations", keys)
    now = core.now() if at is None else at
    picked = pick_revocation(tuple(keys), tuple(values), now)
    if peek:
        return picked is not None
    if picked is None:
        over = [key for key, value in zip(keys, values, strict=True) if value is not None]
        if over:
            await session.delete("revocations", over)
        return False
    return not picked[1].once or await restore(core, picked[0])


async def find_revoked_names(session: Session, most: int) -> list[str]:
    """List the names of which all tasks are revoked; looks at so many revocations."""
    prefix = class_key("")
    keys = [key for key, _ in await session.scan_keys("revocations", most)]
    return sorted(key.removeprefix(prefix) for key in keys if key.startswith(prefix))
