"""Lists of what ended, from the history and the kept ones, and what is told of the end of one task."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from hueyio import Huey, HueyException, Inspector, TaskInfo, TaskState, chord
from hueyio.control.ended_tasks import read_ended
from hueyio.control.listing import list_tasks
from hueyio.control.wish import make_wish
from hueyio.core import core_of


class Shop:
    """Two tasks; ``mail`` fails while ``broken``, and is tried twice."""

    def __init__(self, huey: Huey) -> None:
        self.huey = huey
        self.broken = True
        self.mail: Any = huey.task(name="mail", retries=1)(self._mail)
        self.pack: Any = huey.task(name="pack")(self._pack)

    async def run(self) -> None:
        """Run all that is ready, one after another."""
        while (task := await self.huey.dequeue()) is not None:
            await self.huey.execute(task)

    async def fill(self) -> dict[str, str]:
        """Let tasks end in every way that leaves no worker dead; return their ids and states."""
        ended: dict[str, str] = {}
        for number in range(3):
            good, bad, late, revoked = (
                await self.pack(number),
                await self.mail(),
                await self.expired(),
                await self.pack(),
            )
            await revoked.revoke()
            await self.run()
            ended |= {good.id: "done", bad.id: "failed", late.id: "expired", revoked.id: "cancelled"}
        return ended

    async def expired(self) -> Any:
        """Enqueue a call whose time is over."""
        return await self.pack.options(expires=0)()

    async def _mail(self) -> str:
        if self.broken:
            raise ValueError("no address")
        return "sent"

    async def _pack(self, *what: Any) -> None: ...


async def all_of(looking: Huey | Inspector, state: str, limit: int = 100, **wanted: Any) -> list[TaskInfo]:
    """Read page after page."""
    found: list[TaskInfo] = []
    after: str | None = None
    while True:
        page = await looking.tasks(state, limit=limit, after=after, **wanted)  # type: ignore[arg-type]
        assert len(page.tasks) <= limit
        found += page.tasks
        after = page.next
        if after is None:
            return found


async def test_each_task_that_ended_is_listed_once_the_latest_first(huey: Huey) -> None:
    shop = Shop(huey)
    ended = await shop.fill()
    async with Inspector(huey.storage) as inspector:
        everything = await all_of(inspector, "ended")
    assert {it.id: it.state for it in everything} == ended
    assert len(everything) == len(ended)
    times = [it.ended for it in everything if it.ended is not None]
    # A letter has the time at which it was written, the history that at which the run ended.
    assert all(later > earlier - timedelta(seconds=1) for later, earlier in pairwise(times))
    assert {it.id for it in everything[:4]} == set(list(ended)[-4:])
    for limit in (1, 3):
        assert await all_of(huey, "ended", limit) == everything
    done = [it for it in everything if it.state == "done"]
    assert await all_of(huey, "done", 2) == done
    assert {(it.name, it.attempt, it.error) for it in done} == {(shop.pack.path, 1, None)}
    assert all(it.worker and it.duration is not None for it in done)
    states: list[TaskState] = ["done", "expired"]
    assert {it.state for it in (await huey.tasks(states)).tasks} == set(states)
    (reason,) = {it.error for it in everything if it.state == "cancelled"}
    assert reason == "it was revoked"


async def test_filters_choose_among_what_ended(huey: Huey) -> None:
    shop = Shop(huey)
    ended = await shop.fill()
    now = datetime.now(UTC)
    for limit in (1, 100):
        assert {it.state for it in await all_of(huey, "ended", limit, name="*.mail")} == {"failed"}
        assert len(await all_of(huey, "ended", limit, text="NO ADDRESS")) == 3
        assert len(await all_of(huey, "done", limit, name="*.pack")) == 3
    assert await all_of(huey, "done", name="nobody.*") == []
    assert await all_of(huey, "ended", since=now + timedelta(hours=1)) == []
    assert len(await all_of(huey, "ended", 5, since=now - timedelta(hours=1), until=now + timedelta(hours=1))) == 12
    (good, *_) = await all_of(huey, "done")
    session = await core_of(huey).session()
    by_worker = make_wish("ended", None, None, worker=good.consumer)
    found = (await list_tasks(session, by_worker, 100)).tasks
    assert good.id in {it.id for it in found}
    assert {it.consumer for it in found} == {good.consumer}
    assert {it.id: it.state for it in found}.items() <= ended.items()
    (bad, *_) = await all_of(huey, "ended", name="*.mail")
    who = (await huey.inspect(bad.id)).worker
    found = (await list_tasks(session, make_wish("failed", None, None, worker=who), 100)).tasks
    assert [it.state for it in found] == ["failed"] * 3


async def test_task_is_listed_with_its_last_end_when_it_was_retried(huey: Huey) -> None:
    shop = Shop(huey)
    first, second = await shop.mail(), await shop.mail()
    await shop.run()
    await huey.requeue([first.id, second.id])
    assert await all_of(huey, "ended") == []
    shop.broken = False
    await shop.run()
    assert {it.id: it.state for it in await all_of(huey, "ended", 1)} == {first.id: "done", second.id: "done"}
    assert await all_of(huey, "failed") == []


async def test_id_of_the_users_own_is_listed_once_when_it_is_used_again(huey: Huey) -> None:
    shop = Shop(huey)
    for _ in range(3):
        await shop.pack.options(id="daily")()
        await shop.run()
    assert [it.id for it in await all_of(huey, "done")] == ["daily"]
    await shop.pack.options(id="daily")()
    assert await all_of(huey, "done") == []


@pytest.mark.parametrize(
    ("options", "states"), [({"keep_history": 0}, ["failed"]), ({"keep_failed": 0}, ["failed", "done"])]
)
async def test_ended_tasks_are_listed_from_what_is_kept(
    make_huey: Callable[..., Huey], options: dict[str, int], states: list[str]
) -> None:
    async with make_huey(**options) as huey:
        shop = Shop(huey)
        await shop.pack()
        await shop.run()
        await shop.mail()
        await shop.run()
        assert [it.state for it in await all_of(huey, "ended", 1)] == states


async def test_timeline_tells_of_all_attempts_and_the_end(huey: Huey) -> None:
    shop = Shop(huey)
    good, bad = await shop.pack(), await shop.mail()
    await shop.run()
    async with Inspector(huey.storage) as inspector:
        details = await inspector.task(bad.id)
        error = "ValueError('no address')"
        assert [(it.number, it.error) for it in details.timeline] == [(1, error), (2, error)]
        assert all("in _mail" in it.traceback and it.duration >= timedelta(0) for it in details.timeline)
        assert (details.state, details.attempt) == ("failed", 2)
        assert None not in (details.worker, details.since, details.ended)
        told = await inspector.task(good.id)
    assert (told.state, told.name, told.attempt, told.error) == ("done", shop.pack.path, 1, None)
    (attempt,) = told.timeline
    assert (attempt.number, attempt.error, attempt.started_at, attempt.ended_at) == (1, "", told.since, told.ended)
    await huey.requeue(bad.id)
    shop.broken = False
    waiting = await huey.inspect(bad.id)
    assert (waiting.state, waiting.ended, len(waiting.timeline)) == ("retrying", None, 2)
    await shop.run()
    done = await huey.inspect(bad.id)
    assert (done.state, [bool(it.error) for it in done.timeline]) == ("done", [True, True, False])


async def test_task_that_only_the_history_knows_is_known(make_huey: Callable[..., Huey]) -> None:
    async with make_huey(keep_ended=0, history_args=True) as huey:
        shop = Shop(huey)
        good, revoked = await shop.pack(17), await shop.pack()
        await revoked.revoke()
        await shop.run()
        details = await huey.inspect(good.id)
        assert (details.state, details.name, details.arguments) == ("done", shop.pack.path, "17")
        assert await huey.result_of(good.id).status() == "done"
        assert await huey.result_of(good.id) is None
        assert (await huey.inspect("never heard of")).state == "unknown"
        assert await huey.result_of("never heard of").status() == "unknown"
        gone = await huey.inspect(revoked.id)
        assert (gone.state, gone.is_revoked, gone.error is not None) == ("cancelled", True, True)


async def test_members_are_counted_for_each_of_them(huey: Huey) -> None:
    shop = Shop(huey)
    members = [shop.pack.s(number) for number in range(3)]
    await huey.enqueue(chord(members, shop.pack.s()))
    task = await huey.dequeue()
    assert task is not None
    await huey.execute(task)
    last = await huey.inspect(members[2].id)
    assert (last.state, last.members, last.members_ended) == ("ready", 3, 1)


@pytest.mark.parametrize("after", ["ended:1", "ended:a~b", "ended:1~2~3", "ended:~1.0%7Enowhere", "failed:-~-"])
async def test_place_that_is_none_is_refused(after: str, make_huey: Callable[..., Huey]) -> None:
    async with make_huey() as huey:
        with pytest.raises(HueyException):
            await huey.tasks("ended", after=after)


async def test_lists_that_are_filtered_away_still_come_to_their_end(huey: Huey) -> None:
    shop = Shop(huey)
    await shop.fill()
    session = await core_of(huey).session()
    wish = make_wish("ended", None, None, since=datetime.now(UTC) + timedelta(hours=1))
    inside: str | None = None
    for _ in range(30):
        step = await read_ended(session, wish, 1, inside)
        assert step.rows == []
        inside = step.next
        if inside is None:
            break
    assert inside is None
