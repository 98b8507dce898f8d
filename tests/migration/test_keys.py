"""Results and revocations come along; locks and other values stay with Huey."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hueyio import MemoryHuey, TaskException
from hueyio.core import core_of
from hueyio.migration.keys import move_results, move_revocations
from hueyio.migration.transfer import Transfer
from tests.migration.conftest import source_of, transfer_from
from tests.migration.queues import KINDS, Written
from tests.migration.test_transfer import drained, moved


async def keys_moved(written: Written, here: MemoryHuey, *, is_dry: bool = False) -> Transfer:
    async with source_of(written) as source:
        transfer = await transfer_from(source, here, is_dry=is_dry)
        reading, session, tally = transfer.reading, transfer.session, transfer.tally
        tally.revocations += await move_revocations(session, source, reading, is_dry=is_dry)
        await move_results(core_of(here), session, source, reading, tally, is_dry=is_dry)
        return transfer


@pytest.mark.parametrize("written", KINDS, indirect=True)
async def test_results_are_read_here(written: Written, here: MemoryHuey) -> None:
    add = written.tasks["add"]
    value, failed = add(1, 2), add(1, "x")
    for _ in range(2):
        written.huey.execute(written.huey.dequeue())
    written.huey.put("mine", 1)
    with written.huey.lock_task("a"):
        tried = await keys_moved(written, here, is_dry=True)
        assert (tried.tally.results, tried.tally.keys_left) == (2, 2)
        assert await here.result_count() == 0
        transfer = await keys_moved(written, here)
    assert (transfer.tally.results, transfer.tally.keys_left) == (2, 2)
    assert await here.result(value.id) == 3
    with pytest.raises(TaskException, match="unsupported operand"):
        await here.result(failed.id)
    assert written.huey.get("mine") == 1
    if written.kind != "expire":  # where reading leaves it
        assert written.huey.result(value.id) is None


async def test_revoked_tasks_are_not_run_here(written: Written, here: MemoryHuey) -> None:
    add, total = written.tasks["add"], written.tasks["total"]
    revoked, once, later = add(1), add(2), add(3)
    revoked.revoke()
    written.huey.revoke_by_id(once.id, revoke_once=True)
    written.huey.revoke_by_id(later.id, revoke_until=datetime.now(UTC) + timedelta(hours=1))
    add(4)
    total([5])
    total.revoke()
    assert (await keys_moved(written, here)).tally.revocations == 1
    transfer = await moved(written, here)
    assert transfer.tally.revocations == 3
    assert (transfer.tally.tasks, await drained(here)) == (5, [None, None, None, 4, None])
    assert total.is_revoked()  # Huey's consumer may still run some
