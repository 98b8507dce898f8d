"""Tasks of Huey's are moved with all that they say, once each, whoever is killed in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import huey
import pytest
import sentry_sdk
from sentry_sdk.integrations.huey import HueyIntegration

from hueyio import MemoryHuey
from hueyio.migration.entries import with_token
from hueyio.migration.huey_values import HueyMessage, split_kwargs
from hueyio.migration.source import make_tokens
from hueyio.migration.transfer import Transfer
from tests.migration.conftest import source_of, transfer_from
from tests.migration.queues import Written
from tests.migration.tasks import Order

ORDER = "tests.migration.tasks.Order"


async def moved(written: Written, here: MemoryHuey, *trust: str, **options: Any) -> Transfer:
    """Move all that can be moved; return what did."""
    async with source_of(written) as source:
        transfer = await transfer_from(source, here, *trust, **options)
        await transfer.recover()
        await transfer.move_all()
        return transfer


async def drained(here: MemoryHuey) -> list[Any]:
    """Run all that is ready; return what the tasks returned, in order."""
    returned = []
    while (task := await here.dequeue()) is not None:
        returned.append(await here.execute(task))
    return returned


def left(transfer: Transfer) -> list[tuple[str, str, int]]:
    """List what was refused."""
    return [
        (name.rpartition(".")[2], refusal, count) for (name, refusal, _), count in sorted(transfer.tally.left.items())
    ]


async def test_tasks_come_with_all_that_they_say(written: Written, here: MemoryHuey) -> None:
    add, ship = written.tasks["add"], written.tasks["ship"]
    eta = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    plain = add(1, b=2, retries=3, retry_delay=5, retry_backoff=2, timeout=9)
    later = add.s(3, eta=eta, expires=60)
    written.huey.add_schedule(later)
    value = ship(Order(7), weight=Decimal("1.5"))
    piped = add.s(1).then(add, 10).then(add, 100).error(written.tasks["rescue"])
    written.huey.enqueue(piped)
    transfer = await moved(written, here, ORDER)
    assert (written.size, transfer.tally.tasks, transfer.tally.refused) == (0, 4, 0)
    tasks = {task.id: task for task in [*await here.pending(), *await here.scheduled()]}
    first = tasks[plain.id]
    assert (first.args, first.kwargs, first.retries, first.timeout) == ((1,), {"b": 2}, 3, 9)
    assert (first.retry_delay, first.retry_backoff) == (5, 2)
    assert tasks[later.id].eta == eta
    assert tasks[value.id].data == ((Order(7),), {"weight": Decimal("1.5")})
    stages = [*tasks[piped.id].stages()]
    assert [stage.id for stage in stages] == [piped.id, piped.on_complete.id, piped.on_complete.on_complete.id]
    assert stages[0].on_error is not None
    assert await drained(here) == [3, 7, 1, 11, 111]


@pytest.fixture
def sentry() -> Iterator[None]:
    """Let Sentry's integration for Huey change what Huey enqueues."""
    sentry_sdk.init(integrations=[HueyIntegration()], traces_sample_rate=1.0)  # without a DSN nothing is sent
    yield
    sentry_sdk.get_global_scope().set_client(None)


async def test_what_sentry_adds_to_calls_becomes_headers(written: Written, here: MemoryHuey, sentry: None) -> None:
    add = written.tasks["add"]
    with sentry_sdk.start_transaction(name="request"):
        written.huey.enqueue(add.s(1, 2).then(add, 10))
    transfer = await moved(written, here)
    assert (written.size, transfer.tally.refused) == (0, 0)
    (task,) = await here.pending()
    assert task.kwargs == {}
    assert set(task.headers) == {"sentry-trace", "baggage"}
    assert await drained(here) == [3, 13]


@pytest.mark.parametrize("value", [{"mine": "1"}, ["baggage"], None])
def test_argument_that_only_has_sentrys_name_stays(value: Any) -> None:
    message = HueyMessage("1", "add", kwargs={"sentry_headers": value, "b": 2})
    assert split_kwargs(message) == ({"sentry_headers": value, "b": 2}, {})


async def test_order_and_priorities_stay(written: Written, here: MemoryHuey) -> None:
    add = written.tasks["add"]
    for number in range(3):
        add(number)
    if written.has_priorities:
        add(7, priority=5)
    await moved(written, here)
    expected = [7, 0, 1, 2] if written.has_priorities else [0, 1, 2]
    assert await drained(here) == expected


async def test_relative_expiry_counts_from_where_huey_counts_it(written: Written, here: MemoryHuey) -> None:
    before = datetime.now(UTC)
    add = written.tasks["add"]
    ready, later = add(1, expires=60), add(2, delay=3600, expires=60)
    await moved(written, here)
    (first,), (second,) = await here.pending(), await here.scheduled()
    assert (first.id, second.id) == (ready.id, later.id)
    assert first.expires_resolved is not None
    assert second.expires_resolved is not None
    assert abs(first.expires_resolved - before - timedelta(seconds=60)) < timedelta(seconds=30)
    assert second.eta is not None
    assert second.expires_resolved - second.eta == timedelta(seconds=60)
    assert first.expires == 60  # a retry counts anew


@pytest.mark.parametrize("written", ["list"], indirect=True)
async def test_moved_task_is_retried_as_any_other(written: Written, here: MemoryHuey) -> None:
    call = written.tasks["add"](1, "x", retries=1, retry_delay=3600)
    await moved(written, here)
    assert await drained(here) == [None]
    assert await here.result_of(call.id).status() == "retrying"
    (task,) = await here.scheduled()
    assert (task.id, task.retries, task.attempt) == (call.id, 0, 1)
    assert [it.id for it in (await here.tasks("retrying")).tasks] == [call.id]


async def test_what_cannot_be_moved_stays_for_huey(written: Written, here: MemoryHuey) -> None:
    here.unregister("tests.migration.tasks.total")
    written.tasks["total"]([1])
    written.tasks["ship"](Order(1))
    written.tasks["add"](1, 2)
    written.huey.storage.enqueue(b"no message")
    written.huey.enqueue(written.tasks["add"].s(1).then(written.tasks["total"]))
    transfer = await moved(written, here)
    assert transfer.tally.tasks == 1
    refused = [("?", "unreadable", 1), ("add", "undeclared", 1), ("ship", "unreadable", 1), ("total", "undeclared", 1)]
    assert left(transfer) == refused
    assert written.size == 4
    assert await drained(here) == [3]
    again = await moved(written, here, ORDER)
    assert (again.tally.tasks, written.size) == (1, 3)


async def test_id_that_is_alive_waits_for_its_end(written: Written, here: MemoryHuey) -> None:
    add = written.tasks["add"]
    call = add.s(1)
    written.huey.enqueue(call)
    written.huey.enqueue(add.s(2, id=call.id))
    first = await moved(written, here)
    assert (left(first), await drained(here)) == ([("add", "alive", 1)], [1])
    assert left(await moved(written, here)) == []
    assert await drained(here) == [2]


async def test_dry_run_changes_nothing(written: Written, here: MemoryHuey) -> None:
    members = [written.tasks["add"].s(it) for it in range(2)]
    written.huey.enqueue(huey.chord(members, written.tasks["total"]))
    written.huey.add_schedule(written.tasks["add"].s(1, delay=60))
    async with source_of(written) as source:
        page = await source.page("schedule", 0, 9)
        await source.take(dict(zip(make_tokens(1), page, strict=True)))
    transfer = await moved(written, here, is_dry=True)
    assert (transfer.tally.tasks, written.size, await here.count()) == (3, 2, 0)
    assert transfer.tally.moved["tests.migration.tasks.add", "aside"] == 1


@pytest.mark.parametrize("moment", ["taken", "enqueued", "run"])
async def test_import_that_is_killed_goes_on(written: Written, here: MemoryHuey, moment: str) -> None:
    add = written.tasks["add"]
    ids = [add(number).id for number in range(5)]
    async with source_of(written) as source:
        transfer = await transfer_from(source, here)
        page = await source.page("queue", 0, 3)
        tokens = dict(zip(make_tokens(3), page, strict=True))
        assert await source.take(tokens) == set(tokens)
        ready = [it for it in map(transfer.decide, page) if it is not None]
        entries = [with_token(it.entry, token) for token, it in zip(tokens, ready, strict=True)]
        if moment != "taken":
            await transfer.session.enqueue(entries)
        before = await drained(here) if moment == "run" else []
    assert written.size == 2
    transfer = await moved(written, here)
    assert (written.size, transfer.tally.tasks) == (0, 5)
    if moment != "run":
        assert sorted(task.id for task in await here.pending()) == sorted(ids)
    assert sorted([*before, *await drained(here)]) == [0, 1, 2, 3, 4]
    async with source_of(written) as source:
        assert await source.aside() == []


async def test_what_was_taken_is_given_back_when_it_cannot_be_moved(written: Written, here: MemoryHuey) -> None:
    add = written.tasks["add"]
    add(1)
    written.huey.add_schedule(add.s(2, delay=60))
    async with source_of(written) as source:
        held = [*await source.page("queue", 0, 9), *await source.page("schedule", 0, 9)]
        await source.take(dict(zip(make_tokens(2), held, strict=True)))
    assert written.size == 0
    here.unregister("tests.migration.tasks.add")
    assert (await moved(written, here)).tally.tasks == 0
    assert (written.huey.pending_count(), written.huey.scheduled_count()) == (1, 1)
    assert written.huey.execute(written.huey.dequeue()) == 1


async def test_take_of_all_or_none_takes_none_when_one_is_gone(written: Written, here: MemoryHuey) -> None:
    add = written.tasks["add"]
    first, second = add(1), add(2)
    written.huey.add_schedule(add.s(3, delay=60))
    async with source_of(written) as source:
        held = [*await source.page("queue", 0, 9), *await source.page("schedule", 0, 9)]
        assert written.huey.dequeue().id == first.id
        assert await source.take(dict(zip(make_tokens(3), held, strict=True)), all_or_none=True) == set()
        assert await source.aside() == []
    assert [task.id for task in written.huey.pending()] == [second.id]
    assert written.huey.scheduled_count() == 1


@pytest.mark.parametrize("written", ["sqlite", "file"], indirect=True)
async def test_two_imports_do_not_disturb_each_other(written: Written, here: MemoryHuey) -> None:
    written.tasks["add"](1)
    async with source_of(written) as source:
        (held,) = await source.page("queue", 0, 9)
        (token,) = make_tokens(1)
        await source.take({token: held})
        assert (await moved(written, here)).tally.tasks == 1  # takes it for that of one who was killed
        await source.drop([token])
        await source.give_back([token])
        assert await source.take({token: held}) == set()
    assert (written.size, await drained(here)) == (0, [1])
