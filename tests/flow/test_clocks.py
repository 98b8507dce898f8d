"""Hosts whose clocks are wrong: whatever compares moments does so on the storage's clock.

The host's clock is an hour ahead or behind, as ``time.time`` tells it; the server's is right. Nothing may run early or
expire for that, and what is counted (a delay, an expiry in seconds) is counted from the server's time: also in the
first call of a process, which knows nothing of the server yet.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from hueyio import Huey, RedisHuey, RetryTask, Snooze, TaskException, TaskWrapper, chord, crontab, group
from hueyio.core import core_of
from hueyio.storage.records import Entry
from tests.support.patience import until

RIGHT: Final = time.time
HALF_HOUR: Final = 1800.0
"""Seconds: whoever goes by a clock that is an hour off is on the wrong side of it."""

NEAR: Final = 60.0
"""Seconds that a test may take; far less than the clocks are off."""


@pytest.fixture(params=[3600.0, -3600.0], ids=["ahead", "behind"])
def host(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    """Set this host's clock wrong; say by how much."""
    monkeypatch.setattr(time, "time", lambda: RIGHT() + request.param)
    return float(request.param)


@pytest.fixture
async def huey(host: float, server: Any) -> AsyncIterator[Huey]:
    made = RedisHuey(uuid.uuid4().hex, url=server.url)
    yield made
    await made.close()


def moment(seconds: float) -> datetime:
    """Return the moment in so many seconds, by a clock that is right."""
    return datetime.fromtimestamp(RIGHT() + seconds, UTC)


def is_in(when: datetime | None, seconds: float) -> bool:
    return when is not None and abs(when.timestamp() - RIGHT() - seconds) < NEAR


async def scheduled(huey: Huey) -> list[Entry]:
    return await (await core_of(huey).session()).scan_tasks("scheduled")


def declare(huey: Huey) -> TaskWrapper[..., int]:
    @huey.task
    async def add(a: int, b: int = 0) -> int:
        return a + b

    return add


DELAYING: Final[dict[str, Callable[[Huey, TaskWrapper[..., int]], Awaitable[Any]]]] = {
    "schedule": lambda huey, add: add.schedule((1,), delay=HALF_HOUR),
    "options": lambda huey, add: add.options(delay=timedelta(seconds=HALF_HOUR))(1),
    "signature": lambda huey, add: huey.enqueue(add.s(1, delay=HALF_HOUR)),
    "many": lambda huey, add: huey.enqueue_many([add.s(1, delay=HALF_HOUR)]),
    "group": lambda huey, add: huey.enqueue(group([add.s(1, delay=HALF_HOUR)])),
    "chord": lambda huey, add: huey.enqueue(chord([add.s(1, delay=HALF_HOUR)], add.s())),
    "sync": lambda huey, add: asyncio.to_thread(lambda: add.options(delay=HALF_HOUR).sync(1)),
    "replace": lambda huey, add: add.options(delay=HALF_HOUR, unique="replace")(1),
}


@pytest.mark.parametrize("way", DELAYING)
async def test_delay_of_the_first_call_counts_from_the_servers_time(huey: Huey, way: str) -> None:
    await DELAYING[way](huey, declare(huey))
    (entry,) = await scheduled(huey)
    assert entry.header.eta is not None
    assert abs(entry.header.eta - RIGHT() - HALF_HOUR) < NEAR
    (task,) = await huey.scheduled()
    assert is_in(task.eta, HALF_HOUR)


async def test_delay_of_later_stages_and_members_counts_from_the_servers_time(huey: Huey) -> None:
    add = declare(huey)
    handler = add.s(3, delay=HALF_HOUR)
    await huey.enqueue(add.s(1).then(add.s(2, delay=HALF_HOUR)).error(handler))
    (head,) = await huey.pending()
    assert head.on_complete is not None
    assert head.on_error is not None
    assert is_in(head.on_complete.eta, HALF_HOUR)
    assert is_in(head.on_error.eta, HALF_HOUR)


async def test_eta_is_taken_as_it_is_given(huey: Huey) -> None:
    add = declare(huey)
    eta = moment(HALF_HOUR)
    await add.schedule((1,), eta=eta, expires=7200.0)
    (task,) = await huey.scheduled()
    assert task.eta == eta


async def test_reschedule_counts_from_the_servers_time(huey: Huey) -> None:
    result = await declare(huey)(1)
    again = await result.reschedule(delay=HALF_HOUR)
    (task,) = await huey.scheduled()
    assert task.id == again.id
    assert is_in(task.eta, HALF_HOUR)


@pytest.mark.parametrize("option", ["expires", "deadline"])
async def test_expiry_and_deadline_in_seconds_count_from_the_servers_time(huey: Huey, option: str) -> None:
    await declare(huey).options(**{option: HALF_HOUR})(1)  # type: ignore[arg-type]
    (task,) = await huey.pending()
    assert is_in(getattr(task, f"{option}_resolved"), HALF_HOUR)


async def test_consumer_runs_nothing_early_and_what_is_due_at_once(huey: Huey) -> None:
    add = declare(huey)
    early = await add.schedule((1,), eta=moment(HALF_HOUR))
    due = await add.schedule((2,), eta=moment(-HALF_HOUR))
    async with huey.create_consumer():
        assert await due == 2
        soon = await add.schedule((3,), delay=0.05)
        assert await soon == 3
        assert await early.status() == "scheduled"


@pytest.mark.parametrize("option", ["expires", "deadline"])
async def test_consumer_expires_nothing_early_and_what_is_over_at_once(huey: Huey, option: str) -> None:
    add = declare(huey)
    valid = await add.options(**{option: moment(HALF_HOUR)})(1)  # type: ignore[arg-type]
    over = await add.options(**{option: moment(-HALF_HOUR)})(2)  # type: ignore[arg-type]
    async with huey.create_consumer():
        assert await valid == 1
        with pytest.raises(TaskException):
            await over


async def test_deadline_leaves_the_body_its_time(huey: Huey) -> None:
    @huey.task(context=True)
    async def left(task: Any) -> float:
        return float(task.time_remaining)

    async with huey.create_consumer():
        assert abs(await (await left.options(deadline=HALF_HOUR)()) - HALF_HOUR) < NEAR


@pytest.mark.parametrize("how", ["failed", "asked", "snoozed"])
async def test_next_attempt_counts_from_the_servers_time(huey: Huey, how: str) -> None:
    @huey.task(retries=1, retry_delay=HALF_HOUR)
    async def again() -> None:
        match how:
            case "asked":
                raise RetryTask(delay=HALF_HOUR)
            case "snoozed":
                raise Snooze(HALF_HOUR)
            case _:
                raise ValueError("not yet")

    result = await again()
    async with huey.create_consumer():
        await until(lambda: _is_scheduled(huey, result.id))
    (task,) = await huey.scheduled()
    assert is_in(task.eta, HALF_HOUR)


async def _is_scheduled(huey: Huey, id: str) -> bool:
    return [task.id for task in await huey.scheduled()] == [id]


@pytest.mark.parametrize(("until_when", "is_revoked"), [(HALF_HOUR, True), (-HALF_HOUR, False)])
async def test_revocation_ends_by_the_servers_time(huey: Huey, until_when: float, is_revoked: bool) -> None:
    add = declare(huey)
    await add.revoke(revoke_until=moment(until_when))
    assert await add.is_revoked() is is_revoked


async def test_window_of_a_rate_limit_is_that_of_the_servers_time(huey: Huey) -> None:
    limit = huey.rate_limit("calls", 5, per=7200.0)
    await limit.acquire()
    assert await limit.current_usage() == 1
    (row,) = await (await core_of(huey).session()).scan_keys("windows")
    assert row[0] in {f"window:calls:{int((RIGHT() + off) // 7200)}" for off in (-NEAR, 0.0)}
    await limit.reset()
    assert await limit.current_usage() == 0


async def test_ticks_are_those_of_the_servers_time(huey: Huey) -> None:
    ticked = asyncio.Event()

    @huey.periodic_task(crontab(second="*"))
    async def tick() -> None:
        ticked.set()

    async with huey.create_consumer():
        await ticked.wait()
    ((_, token),) = await (await core_of(huey).session()).scan_keys("ticks")
    assert abs(float(token.rpartition(b":")[2]) - RIGHT()) < NEAR


async def test_host_that_is_set_to_another_time_meanwhile_changes_nothing(
    huey: Huey, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = declare(huey)
    async with huey.create_consumer():
        early = await add.schedule((1,), eta=moment(HALF_HOUR))
        monkeypatch.setattr(time, "time", lambda: RIGHT() + 86400.0)
        assert await (await add.schedule((2,), delay=0.01)) == 2
        assert await early.status() == "scheduled"


async def test_server_is_asked_again_before_a_delay_is_counted_if_that_was_long_ago(huey: Huey) -> None:
    add = declare(huey)
    assert await add(1) is not None
    clock: Any = core_of(huey).clock
    clock.ahead += 3600.0  # as if the server had been set to another time
    clock.doubt()
    await add.schedule((1,), delay=HALF_HOUR)
    (task,) = await huey.scheduled()
    assert is_in(task.eta, HALF_HOUR)
