"""Tasks are listed and described by what the storage has: without the application, and without reading arguments."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hueyio import (
    ConfigurationError,
    Huey,
    HueyException,
    Inspector,
    MemoryHuey,
    SignedSerializer,
    Task,
    TaskInfo,
    TaskState,
    chord,
)
from hueyio.control.listing import list_tasks
from hueyio.control.wish import make_wish
from hueyio.core import core_of
from hueyio.messages.entry import make_entry
from hueyio.storage.records import Bury, Entry, Header
from tests.unit.test_glance import Trap

MAIL, PACK = f"{__name__}.shop.mail", f"{__name__}.shop.pack"


class Shop:
    """Tasks on one storage, driven by hand."""

    def __init__(self, huey: Huey) -> None:
        self.huey = huey
        self.mail: Any = huey.task(name="shop.mail", retries=3, retry_delay=60)(self._mail)
        self.pack: Any = huey.task(name="shop.pack")(self._pack)

    async def run_one(self) -> Any:
        """Take the next task and run it."""
        task = await self.huey.dequeue()
        assert task is not None
        return await self.huey.execute(task)

    async def ids(self, state: TaskState, **more: Any) -> list[str]:
        """List the ids of a state."""
        return [it.id for it in await list_all(self.huey, state, **more)]

    async def _mail(self, to: str) -> str:
        raise ValueError(f"no address of {to}")

    async def _pack(self, *what: Any) -> str:
        return f"packed {what}"


async def list_all(looking: Huey | Inspector, *states: TaskState, **more: Any) -> list[TaskInfo]:
    """Go through a list, whose pages are cut where the machine is slow."""
    page = await looking.tasks(states, **more)
    found = page.tasks
    while not page.complete:
        page = await looking.tasks(states, after=page.next, **more)
        found += page.tasks
    return found


@pytest.fixture
def shop(huey: Huey) -> Shop:
    return Shop(huey)


@pytest.fixture
async def inspector(huey: Huey) -> AsyncIterator[Inspector]:
    """Look at the same storage, with no Huey."""
    async with Inspector(huey.storage) as made:
        yield made


async def test_task_is_in_the_list_of_its_state_in_every_state(shop: Shop, inspector: Inspector) -> None:
    huey = shop.huey
    ready, later = await shop.pack(2), await shop.pack.options(delay=60)(3)
    stages = await huey.enqueue(shop.pack.s().then(shop.pack.s()))
    failing = await shop.mail.options(retries=0)("nobody")
    expired = await shop.pack.options(expires=0)(4)
    unknown = Task("elsewhere.sweep")
    await (await core_of(huey).session()).enqueue([make_entry(unknown, None, huey.serializer, 0.0)])
    listed = {
        "ready": [ready.id, stages[0].id, failing.id, expired.id, unknown.id],
        "scheduled": [later.id],
        "waiting": [stages[1].id],
    }
    for state, ids in listed.items():
        page = await inspector.tasks(state)  # type: ignore[arg-type]
        assert ([it.id for it in page.tasks], page.complete) == (ids, True)
        assert {it.state for it in page.tasks} == {state}
        assert await huey.tasks(state) == page  # type: ignore[arg-type]
    while (task := await huey.dequeue()) is not None:
        await huey.execute(task)
    assert await shop.ids("ready") == await shop.ids("waiting") == []
    assert await shop.ids("failed") == [failing.id]
    assert await shop.ids("expired") == [expired.id]
    put_off = {it.id: it.undeclared_since for it in (await inspector.tasks("scheduled", name="*")).tasks}
    assert (put_off[later.id], put_off[unknown.id] is not None) == (None, True)
    (failed,) = (await inspector.tasks(["failed", "lost"])).tasks
    assert (failed.name, failed.error, failed.attempt) == (MAIL, "ValueError('no address of nobody')", 1)
    assert failed.ended is not None
    assert abs(failed.ended - datetime.now(UTC)) < timedelta(minutes=5)


async def test_retry_is_listed_as_retrying_wherever_it_waits(shop: Shop, inspector: Inspector) -> None:
    later = await shop.mail("nobody")
    await shop.run_one()
    soon = await shop.mail.options(retry_delay=0)("nobody")
    await shop.run_one()
    found = {it.id: it for it in await list_all(inspector, "retrying")}
    assert set(found) == {later.id, soon.id}
    assert [found[it.id].attempt for it in (later, soon)] == [2, 2]
    assert await shop.ids("ready") == await shop.ids("scheduled") == []
    assert [await it.status() for it in (later, soon)] == ["retrying"] * 2
    details = await shop.huey.inspect(later.id)
    assert (details.state, details.attempt, details.attempts) == ("retrying", 2, 4)


async def test_requeued_task_has_the_same_state_in_the_list_and_in_its_handle(shop: Shop) -> None:
    failing = await shop.mail.options(retries=0)("nobody")
    await shop.run_one()
    await shop.huey.requeue(failing.id)
    failing.reset()
    (listed,) = await list_all(shop.huey, "ready", "retrying")
    assert (listed.state, listed.attempt) == (await failing.status(), 2)


async def test_names_and_errors_filter_a_list(shop: Shop) -> None:
    mail = await shop.mail.options(retries=0)("Bob")
    await shop.run_one()
    pack = await shop.pack(1)
    assert await shop.ids("ready", name="*.shop.*") == await shop.ids("ready", name=PACK) == [pack.id]
    assert await shop.ids("ready", text="PACK") == [pack.id]
    assert await shop.ids("ready", name="*.mail") == await shop.ids("ready", text="1") == []
    assert await shop.ids("failed", text="of bob", name="*.shop.[m]*") == [mail.id]
    assert await shop.ids("failed", text="Alice") == []
    now = datetime.now(UTC)
    assert await shop.ids("failed", since=now - timedelta(hours=1)) == [mail.id]
    assert await shop.ids("failed", until=now - timedelta(hours=1)) == []
    assert [it.id for it in (await shop.huey.failed(name="*.shop.*")).items] == [mail.id]
    assert (await shop.huey.failed(name="*.pack")).items == []


async def test_pages_of_several_states_join_to_the_whole(shop: Shop) -> None:
    for number in range(5):
        await shop.pack(number)
        await shop.pack.options(delay=60 + number)(number)
    whole = await list_all(shop.huey, "scheduled", "ready", limit=100)
    assert [it.state for it in whole] == ["ready"] * 5 + ["scheduled"] * 5
    for limit in (1, 3, 5, 10):
        assert len((await shop.huey.tasks(["ready", "scheduled"], limit=limit)).tasks) <= limit
        assert await list_all(shop.huey, "ready", "scheduled", limit=limit) == whole


async def test_search_is_cut_when_it_takes_too_long_and_goes_on_there() -> None:
    async with MemoryHuey("cut") as huey:
        shop = Shop(huey)
        await huey.enqueue_many([shop.pack.s(number) for number in range(1200)])
        needle = await shop.mail("nobody")
        session = await core_of(huey).session()
        clock = iter(range(100))
        wish = make_wish("ready", MAIL, None)
        first = await list_tasks(session, wish, 10, clock=lambda: float(next(clock)), patience=1.0)
        assert (first.tasks, first.complete) == ([], False)
        second = await list_tasks(session, wish, 10, first.next, clock=lambda: 0.0)
        assert ([it.id for it in second.tasks], second.complete) == ([needle.id], True)


async def test_all_is_told_of_a_task_by_its_id(shop: Shop, inspector: Inspector) -> None:
    huey = shop.huey
    members = [shop.pack.s(1), shop.pack.s(2)]
    result = (await huey.enqueue(chord(members, shop.pack.s()))).callback
    details = await inspector.task(result.id)
    assert (details.state, details.name, details.members, details.members_ended) == ("waiting", PACK, 2, 0)
    await shop.run_one()
    details = await huey.inspect(result.id)
    assert (details.state, details.members_ended) == ("waiting", 1)
    member = await huey.inspect(members[1].id)
    assert (member.state, member.chord, member.lane) == ("ready", result.id, "loop")
    assert member.task is not None
    assert (member.task.args, member.attempts) == ((2,), 1)
    bare = await inspector.task(members[1].id)
    assert (bare.task, bare.attempts, bare.name) == (None, None, PACK)
    stages = await huey.enqueue(shop.pack.s().then(shop.pack.s()))
    assert (await huey.inspect(stages[0].id)).then == (stages[1].id,)
    assert (await huey.inspect(stages[1].id)).waits_for == (stages[0].id,)
    assert (await huey.inspect(members[0].id)).state == "done"
    assert (await huey.inspect("never heard of")).state == "unknown"


async def test_error_of_a_task_that_failed_is_told(shop: Shop, inspector: Inspector) -> None:
    failing = await shop.mail.options(retries=0)("nobody")
    await shop.run_one()
    for details in (await shop.huey.inspect(failing.id), await inspector.task(failing.id)):
        assert (details.state, details.name, details.error) == (
            "failed",
            MAIL,
            "ValueError('no address of nobody')",
        )


async def test_progress_and_worker_are_told_while_a_task_runs(huey: Huey) -> None:
    reported = asyncio.Event()
    looked = asyncio.Event()

    @huey.task(name="shop.count", context=True)
    async def count(task: Any) -> None:
        await task.progress(0.5, "half")
        reported.set()
        await looked.wait()

    async with huey.create_consumer(workers=2):
        result = await count()
        await asyncio.wait_for(reported.wait(), 30)
        try:
            (running,) = (await huey.tasks("running")).tasks
            (consumer,) = await huey.consumers()
            details = await huey.inspect(result.id)
        finally:
            looked.set()
        await asyncio.wait_for(result.get(blocking=True), 30)
    assert (running.id, running.consumer, running.worker) == (
        result.id,
        consumer.id,
        f"{consumer.host}:{consumer.pid}",
    )
    assert running.progress == details.progress == (0.5, "half")


async def test_nothing_is_unpickled_when_tasks_are_listed(shop: Shop, inspector: Inspector, tmp_path: Any) -> None:
    await shop.pack(Trap(tmp_path / "ran"))
    (listed,) = (await shop.huey.tasks("ready", text="pack")).tasks
    assert listed.name == PACK
    assert (await inspector.task(listed.id)).name == PACK
    assert not (tmp_path / "ran").exists()


async def test_task_of_another_format_is_listed_and_described(huey: Huey, make_huey: Callable[..., Huey]) -> None:
    session = await core_of(huey).session()
    await session.enqueue([Entry(Header("odd", "thread", 0.0), b"\x00encrypted")])
    async with make_huey(serializer=SignedSerializer("secret")) as other:
        for looking in (huey,) if isinstance(huey, MemoryHuey) else (huey, other):
            (listed,) = (await looking.tasks("ready")).tasks
            assert (listed.id, listed.name, listed.lane) == ("odd", None, "thread")
            details = await looking.inspect("odd")
            assert (details.state, details.task, details.name) == ("ready", None, None)
            assert (await looking.tasks("ready", name="*")).tasks == []


async def test_letter_without_a_name_is_listed_by_that_of_its_message(shop: Shop) -> None:
    # As 0.1.0 buried them.
    huey = shop.huey
    result = await shop.pack(1)
    session = await core_of(huey).session()
    await session.register("old", b"{}")
    (taken,) = await session.claim({"loop": 1}, "old")
    await session.settle([Bury(taken.receipt, "lost", kind="lost")], "old", 1)
    (listed,) = (await huey.tasks("lost", name=PACK)).tasks
    assert (listed.id, listed.name, listed.error) == (result.id, PACK, "lost")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"state": "done"}, "there is no list of 'done' tasks, but of ready"),
        ({"state": "sleeping"}, "there is no list of 'sleeping' tasks"),
        ({"state": []}, "say which tasks to list"),
        ({"state": "ready", "limit": 0}, "at least 1"),
        ({"state": "ready", "after": "nowhere"}, "no place in this list"),
        ({"state": "ready", "after": "scheduled:1~2"}, "no place in this list"),
        ({"state": "ready", "name": 1}, "name must be a text"),
        ({"state": "failed", "since": 1}, "since must be a datetime"),
    ],
)
async def test_question_that_makes_no_sense_is_refused(asked: dict[str, Any], said: str) -> None:
    async with MemoryHuey("refused") as huey:
        with pytest.raises(HueyException, match=said):
            await huey.tasks(**asked)
    with pytest.raises(ConfigurationError, match="needs a storage"):
        Inspector("redis://")  # type: ignore[arg-type]


async def test_both_sides_are_listed_when_immediate_mode_uses_the_live_storage(make_huey: Callable[..., Huey]) -> None:
    async with make_huey(immediate=True, immediate_use_memory=False) as huey:
        shop = Shop(huey)
        later = await shop.pack.options(delay=60)(1)
        assert await shop.ids("scheduled") == [later.id]
        assert (await huey.inspect(later.id)).state == "scheduled"


def test_lists_are_there_for_callers_without_a_loop(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    shop = Shop(huey)
    result = shop.pack.sync(1)
    assert [it.id for it in huey.sync.tasks("ready").tasks] == [result.id]
    assert huey.sync.inspect(result.id).name == PACK
    inspector = Inspector(huey.storage)
    assert [it.id for it in inspector.sync.tasks("ready").tasks] == [result.id]
    assert inspector.sync.task(result.id).state == "ready"
    assert inspector.sync.counts().queued["loop"] == 1
    inspector.sync.close()
    huey.sync.close()
