"""Move what Huey keeps beside its tasks: results, and revocations.

Huey has one namespace for all: ``r:ID`` is the revocation of a task, ``rt:NAME`` that of all tasks of a name,
``NAME.lock.KEY`` a lock, ``chord:...`` of a chord, ``NAME.rl.KEY`` a rate limit. What is left are results under the ids
of their tasks, and values of ``huey.put``; an id that is a UUID, as Huey makes them, tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from hueyio.core import Core
from hueyio.exceptions import SerializationError
from hueyio.messages.revocation import Revocation, class_key, instance_key
from hueyio.messages.stored_result import Ending, Error, Returned, write_ending
from hueyio.migration.huey_values import HueyError
from hueyio.migration.reading import Reading, tasks_of
from hueyio.migration.source import Source
from hueyio.migration.tally import Tally
from hueyio.storage.contract import Session
from hueyio.tasks.task import Task

__all__ = ["carry_revocations", "move_results", "move_revocations"]

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OF_A_NAME: Final = "rt:"
_AT_ONCE: Final = 200


async def carry_revocations(session: Session, source: Source, reading: Reading, tasks: Sequence[Task]) -> int:
    """Bring the revocations of these tasks along, which are about to be enqueued; return how many there were."""
    ids = {it.id for task in tasks for it in tasks_of(task)}
    found = await source.values([instance_key(id) for id in ids])
    kept = {key: told for key, data in found.items() if (told := _read_revocation(reading, data)) is not None}
    if kept:
        await session.put("revocations", {key: it.to_bytes() for key, it in kept.items()})
        await source.delete(list(kept))
    return len(kept)


async def move_revocations(session: Session, source: Source, reading: Reading, *, is_dry: bool) -> int:
    """Copy the revocations of names that hueyio has none of; return how many there are.

    They stay in Huey's storage too: its consumer may still run tasks of that name.
    """
    names = [key for key in await source.keys() if key.startswith(_OF_A_NAME)]
    count = 0
    for key, data in (await source.values(names)).items():
        told = _read_revocation(reading, data)
        if told is not None:
            count += 1
            here = class_key(reading.name_of(key.removeprefix(_OF_A_NAME)))
            if not is_dry:
                await session.put_if_absent("revocations", here, told.to_bytes())
    return count


async def move_results(
    core: Core, session: Session, source: Source, reading: Reading, tally: Tally, *, is_dry: bool
) -> None:
    """Move the results that are stored under ids of tasks; count what else there is and stays."""
    keys = await source.keys()
    ids = [key for key in keys if _ID.fullmatch(key)]
    tally.keys_left += sum(1 for key in keys if not _ID.fullmatch(key) and not key.startswith(("r:", _OF_A_NAME)))
    for start in range(0, len(ids), _AT_ONCE):
        written: dict[str, bytes] = {}
        for id, data in (await source.values(ids[start : start + _AT_ONCE])).items():
            try:
                ending = _ending_of(reading.codec.read(data))
                written[id] = write_ending(ending, core.serializer.within("result", id))
            except SerializationError:
                tally.keys_left += 1
        tally.results += len(written)
        if written and not is_dry:
            await session.put("results", written, core.result_ttl)
            await source.delete(list(written))


def _ending_of(value: Any) -> Ending:
    if isinstance(value, HueyError):
        return Error(value.metadata if isinstance(value.metadata, dict) else {"error": repr(value.metadata)})
    return Returned(value)


def _read_revocation(reading: Reading, data: bytes) -> Revocation | None:
    try:
        until, once = reading.codec.read(data)
        moment = reading.moment(until)
        return Revocation(None if moment is None else moment.timestamp(), bool(once))
    except (SerializationError, TypeError, ValueError, AttributeError, OverflowError):
        return None  # whoever reads it in Huey fails alike
