"""Each action does what its page says, is noted, and says what it did; nobody else can take it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from markupsafe import escape

from hueyio import MemoryHuey, StorageUnavailable
from hueyio.core import core_of
from hueyio.limits.held import find_held
from hueyio.web.actions.jobs import AT_ONCE, Jobs
from hueyio.web.dashboard import VERBS
from hueyio.web.settings import PERMISSIONS
from tests.web.conftest import MAIL, Shop
from tests.web.site import FORM, visiting

IN_MEMORY = pytest.mark.parametrize("shop", ["memory"], indirect=True)


def operated(shop: Shop, **options: Any) -> Any:
    """Return the dashboard for somebody whose name is known."""
    return shop.huey.dashboard(authorize=lambda request: "operate", actor=lambda request: "ana", **options)


async def last_entry(shop: Shop) -> tuple[str, str, str, int | None]:
    (entry,) = await shop.huey.audit(1)
    return entry.actor, entry.action, entry.target, entry.count


async def failed(shop: Shop) -> int:
    return (await shop.huey.counts()).failed


async def test_failed_tasks_run_again_when_they_are_retried(shop: Shop) -> None:
    (one,) = await shop.fail()
    others = await shop.fail(3, "ValueError('no such id 17')")
    async with visiting(operated(shop), shop.base) as site:
        assert await site.act("retry", id=one) == "1 is ready."
        assert await last_entry(shop) == ("ana", "retry", one, 1)
        path = "act/retry?state=failed&error=ValueError&before=2099-01-01"
        page = await site.get(path)
        assert "Retry 3 tasks?" in page
        assert ">mail<" in page

        assert await site.agree(path) == "3 are ready."
        assert (await last_entry(shop))[1:] == ("retry", "failed; error ValueError", 3)
        assert await site.act("retry", id=[one, "gone"]) == "0 are ready. 1 was gone, 1 is alive already."
        assert "No task matches any more" in await site.get(path, 404)
    assert await failed(shop) == 0
    # They are listed as what they are: tasks that have failed before.
    assert {it.id for it in (await shop.huey.tasks(["ready", "retrying"])).tasks} == {one, *others}


@IN_MEMORY
async def test_what_failed_after_the_page_was_made_stays_when_all_that_match_are_retried(shop: Shop) -> None:
    await shop.fail(2)
    async with visiting(operated(shop), shop.base) as site:
        page = await site.get("tasks/failed")
        (before, *_) = [part.partition('"')[0] for part in page.split('name="before" value="')[1:]]
        await shop.fail(1)
        assert await site.agree("act/retry?" + f"state=failed&before={before}".replace("+", "%2B")) == "2 are ready."
    assert await failed(shop) == 1


@IN_MEMORY
async def test_failures_that_are_alike_are_retried_together(shop: Shop) -> None:
    for number in range(3):
        await shop.fail(1, f"ValueError('order {number} is gone')")
    await shop.fail(1, "KeyError('tea')")
    async with visiting(operated(shop), shop.base) as site:
        page = await site.get("failures")
        assert page.count('<td class="cut s-a">') == 2
        group = f"{MAIL} ValueError('order N is gone')"
        assert f'value="{escape(group)}"' in page, "in one line: browsers change line ends in forms"
        fields = {"state": "failed", "group": group, "before": "2099-01-01"}
        assert await site.act("retry", **fields) == "3 are ready."
        assert (await last_entry(shop))[2] == f"failed; alike: {group}"
    assert await failed(shop) == 1


async def test_failed_tasks_are_deleted_when_their_number_was_typed(shop: Shop) -> None:
    (one,) = await shop.fail()
    await shop.fail(3)
    path = "act/delete?state=failed&before=2099-01-01"
    async with visiting(operated(shop), shop.base) as site:
        assert await site.agree(f"act/delete?id={one}") == "Deleted 1 task."
        fields = await site.fields(path)
        assert "type 3 to confirm" in (await site.post("delete", fields, 400)).text
        assert await failed(shop) == 3
        assert await site.agree(path, typed="3") == "Deleted 3 tasks."
        assert await last_entry(shop) == ("ana", "purge", "failed", 3)
    assert await failed(shop) == 0


async def test_live_tasks_are_cancelled_one_by_one_and_all(shop: Shop) -> None:
    results = [await shop.pack(number) for number in range(4)]
    async with visiting(operated(shop), shop.base) as site:
        assert await site.agree(f"act/cancel?id={results[0].id}") == "1 task cancelled."
        assert await site.act("cancel", id=results[0].id) == "0 tasks cancelled. 1 had ended already."
        assert await site.agree("act/cancel?state=ready&all=1") == "3 tasks cancelled."
        assert (await last_entry(shop))[1:] == ("cancel", "ready", 3)
        assert "Select at least one task" in await site.get("act/cancel?state=ready", 400)
    assert await shop.huey.count() == 0


async def test_queue_is_paused_and_goes_on(shop: Shop) -> None:
    async with visiting(operated(shop), shop.base) as site:
        assert ">Pause queue</button>" in await site.get("overview"), "it can be undone, and so does not ask"
        assert await site.act("pause") == "The queue is paused."
        assert "Paused by <bdi>ana</bdi>" in await site.get("workers")
        assert await shop.huey.is_paused()
        assert await site.act("resume") == "The queue goes on."
        assert not await shop.huey.is_paused()
    assert [it.action for it in await shop.huey.audit()] == ["resume", "pause"]


async def test_names_and_tasks_are_revoked_and_restored(shop: Shop) -> None:
    result = await shop.mail("you")
    async with visiting(operated(shop), shop.base) as site:
        assert await site.agree(f"act/revoke?name={MAIL}") == f"{MAIL} is revoked."
        assert await shop.huey.is_revoked(shop.mail)
        assert MAIL.rpartition(".")[2] in await site.get("limits")
        assert await site.act("restore", name=MAIL) == f"{MAIL} is restored."
        assert not await shop.huey.is_revoked(shop.mail)
        assert await site.agree(f"act/revoke?id={result.id}") == f"{result.id} is revoked."
        assert await shop.huey.is_revoked(result.id)
        assert "Say an id or a name" in await site.get("act/revoke", 400)


async def test_schedules_are_run_paused_resumed_and_removed(shop: Shop) -> None:
    await shop.huey.schedules().add("tea", shop.pack, "0 16 * * *", args=(2,))
    await shop.huey.schedules().add("late", shop.pack, "0 16 * * *", catch_up=True)
    async with visiting(operated(shop), shop.base) as site:
        assert await site.act("run", name="tea") == "tea is enqueued."
        sweep = MAIL.replace("mail", "sweep")
        assert await site.act("run", code=sweep) == f"{sweep} is enqueued."
        page = await site.get("schedules")
        assert page.count(">Pause</button>") == 1
        assert page.count(">Pause…</button>") == 1, "what is to be made up would be lost: this one asks"
        assert await site.act("pause-schedule", name="tea") == "tea rests."
        assert [it.paused for it in await shop.huey.schedules().list()] == [False, True]
        assert await site.act("resume-schedule", name="tea") == "tea goes on."
        assert await site.agree("act/remove-schedule?name=tea") == "tea is removed."
        gone = await site.post("remove-schedule", {"token": await site.token(), "name": "tea"}, 404)
        assert "There is no stored schedule tea any more" in gone.text
    assert await shop.huey.count() == 2
    said = [it.action for it in await shop.huey.audit()]
    assert said == ["remove schedule", "resume schedule", "pause schedule", "run schedule", "run schedule"]


async def test_lock_is_freed_when_its_name_was_typed(shop: Shop) -> None:
    session = await shop.session()
    await session.acquire("lock:report", "somebody", 1, 60.0)
    async with visiting(operated(shop), shop.base) as site:
        await site.post("free", await site.fields("act/free?name=report"), 400)
        assert await find_held(session, 10)
        assert await site.agree("act/free?name=report", typed="report") == "report is free."
        assert await find_held(session, 10) == []
        assert await last_entry(shop) == ("ana", "free lock", "report", 1)


@IN_MEMORY
async def test_many_are_retried_in_the_background(shop: Shop) -> None:
    await shop.fail(AT_ONCE + 1)
    async with visiting(operated(shop), shop.base) as site:
        assert "background: more than 1,000 tasks" in await site.act("retry", state="failed", before="2099-01-01")
        jobs = shop.core.peek_beside_session(Jobs)
        assert jobs is not None
        await jobs.end_with_session()  # it ends after the step under way
        (job,) = jobs.shown()
        said = await site.get("limits")
    assert job.answer in said
    assert await failed(shop) == AT_ONCE + 1 - job.done
    assert (await last_entry(shop))[1:] == ("retry", "failed", job.done)


async def test_background_work_ends_after_the_step_under_way_when_it_is_stopped() -> None:
    jobs, begun, gate, done = Jobs(), asyncio.Event(), asyncio.Event(), []

    async def step(ids: Sequence[str]) -> None:
        done.append(len(ids))
        begun.set()
        await gate.wait()

    async def tell(is_whole: bool) -> str:
        return "all" if is_whole else "a part"

    async def find(least: int | None, is_stopped: Callable[[], bool]) -> list[str]:
        return ["id"] * AT_ONCE * 2

    assert "goes on in the background" in await jobs.run("Retry", "retry", find, step, tell)
    (job,) = jobs.shown()
    await begun.wait()
    assert jobs.find(job.id) is job
    job.is_stopped = True
    gate.set()
    await jobs.end_with_session()
    assert (job.answer, done, job.done) == ("a part", [100], 100)
    assert jobs.find(job.id) is jobs.find("nobody's") is None


@pytest.mark.parametrize("count", [300, AT_ONCE * 2])
async def test_what_was_done_before_a_failure_is_told(count: int) -> None:
    jobs, done, told = Jobs(), list[int](), list[tuple[bool, int]]()

    async def find(least: int | None, is_stopped: Callable[[], bool]) -> list[str]:
        return ["id"] * count

    async def step(ids: Sequence[str]) -> None:
        if len(done) == 2:
            raise StorageUnavailable("it is away")
        done.append(len(ids))

    async def tell(is_whole: bool) -> str:
        told.append((is_whole, sum(done)))
        return "told"

    with pytest.raises(StorageUnavailable) if count <= AT_ONCE else nullcontext():
        await jobs.run("Retry", "retry", find, step, tell)
    await asyncio.wait(
        [it.running for it in jobs.shown() if it.running] or [asyncio.ensure_future(jobs.end_with_session())]
    )
    assert told == [(False, 200)]


async def test_action_is_done_to_its_end_when_the_visitor_goes_away() -> None:
    jobs, begun, gate, told = Jobs(), asyncio.Event(), asyncio.Event(), []

    async def find(least: int | None, is_stopped: Callable[[], bool]) -> list[str]:
        return ["id"]

    async def step(ids: Sequence[str]) -> None:
        begun.set()
        await gate.wait()

    async def tell(is_whole: bool) -> str:
        told.append(is_whole)
        return "told"

    request = asyncio.ensure_future(jobs.run("Retry", "retry", find, step, tell))
    await begun.wait()
    request.cancel()
    await asyncio.wait([request])
    gate.set()
    await jobs.end_with_session()
    assert told == [True]


async def test_long_look_ends_when_it_is_stopped_and_is_done_in_the_background() -> None:
    jobs, looking, stopping, done = Jobs(), asyncio.Event(), asyncio.Event(), []

    async def find(least: int | None, is_stopped: Callable[[], bool]) -> list[str] | None:
        if least is not None:
            return None
        looking.set()
        await stopping.wait()
        assert is_stopped()
        return ["id"]

    async def step(ids: Sequence[str]) -> None:
        done.append(len(ids))

    async def tell(is_whole: bool) -> str:
        return "all" if is_whole else "a part"

    assert "a long list" in await jobs.run("Cancel", "cancel", find, step, tell)
    (job,) = jobs.shown()
    await looking.wait()
    job.is_stopped = True
    stopping.set()
    await jobs.end_with_session()
    assert (job.answer, done) == ("a part", [])


@IN_MEMORY
async def test_what_is_meant_does_not_move_while_somebody_thinks_it_over(shop: Shop) -> None:
    await shop.fail()
    await shop.mail.schedule(("you",), delay=600)
    async with visiting(operated(shop), shop.base) as site:
        fields = await site.fields("act/delete?state=failed&since=2h&all=1")
        assert datetime.fromisoformat(fields["since"]) < datetime.now(UTC) - timedelta(hours=1)
        assert datetime.fromisoformat(fields["before"]) <= datetime.now(UTC)
        assert (await site.fields("act/cancel?state=scheduled&all=1"))["all"] == "1"


# --- who may do what


@IN_MEMORY
async def test_each_action_is_for_those_who_may_take_it(shop: Shop) -> None:
    (id,) = await shop.fail()
    levels = {"none": 403, "read": 403}
    for level, status in levels.items():
        async with visiting(shop.huey.dashboard(authorize=lambda request, level=level: level), shop.base) as site:  # type: ignore[misc]
            for verb in VERBS:
                await site.get(f"act/{verb}?id={id}", status)
                await site.post(verb, {"id": id}, status)
    async with visiting(shop.huey.dashboard(authorize="open", read_only=True), shop.base) as site:
        for verb in VERBS:
            await site.post(verb, {"id": id}, 403)
        assert "may look, not act" in await site.get("overview")
    for permission in PERMISSIONS:
        app = operated(shop, actions=[it for it in PERMISSIONS if it != permission])
        async with visiting(app, shop.base) as site:
            for name, each in VERBS.items():
                answer = await site.client.get(f"{shop.base}/act/{name}?id={id}&name=x")
                assert (answer.status_code == 403) is (each.permission == permission), name  # stop: for all who may act
    assert await failed(shop) == 1
    assert await shop.huey.audit() == []


@IN_MEMORY
async def test_forms_of_other_sites_and_sessions_are_refused(shop: Shop) -> None:
    (id,) = await shop.fail()
    async with visiting(operated(shop), shop.base) as other:
        foreign = await other.token()
    async with visiting(operated(shop), shop.base) as site:
        token = await site.token()
        plain = {"content-type": FORM["content-type"]}
        for fields, headers in (
            ({}, FORM),
            ({"token": "0" * 64}, FORM),
            ({"token": foreign}, FORM),
            ({"token": token}, plain),
            ({"token": token}, {**plain, "sec-fetch-site": "cross-site"}),
            ({"token": token}, {**plain, "sec-fetch-site": "same-site"}),
            ({"token": token}, {**plain, "origin": "http://evil.test"}),
            ({"token": token}, {**plain, "origin": "null"}),
        ):
            await site.post("retry", {"id": id, **fields}, 403, headers)
        await site.post("retry", {"id": id, "token": token}, 415, {**FORM, "content-type": "text/plain"})
        await site.post("retry", {"id": "x" * 1_000_001, "token": token}, 413)
        assert await failed(shop) == 1
        await site.post("retry", {"id": id, "token": token}, 303, {**plain, "origin": "http://shop.test"})
        assert await failed(shop) == 0


@IN_MEMORY
async def test_visitor_is_led_back_to_a_page_of_the_dashboard_only(shop: Shop) -> None:
    async with visiting(operated(shop), shop.base) as site:
        token = await site.token()
        for wanted, where in (
            (f"{shop.base}/limits", f"{shop.base}/limits"),
            ("//evil.test/", f"{shop.base}/overview"),
            ("/\\evil.test", f"{shop.base}/overview"),
            ("https://evil.test/", f"{shop.base}/overview"),
            ("", f"{shop.base}/overview"),
        ):
            answer = await site.post("resume", {"token": token, "next": wanted})
            assert answer.headers["location"] == where


async def test_actions_reach_the_queue_that_the_address_names() -> None:
    shops = [Shop(MemoryHuey(name)) for name in ("one", "two")]
    app = shops[0].huey.dashboard(shops[1].huey, authorize="open")
    async with visiting(app, "/two") as site:
        assert "/one/overview" in await site.get("overview")
        await site.agree("act/pause")
    assert [await it.huey.is_paused() for it in shops] == [False, True]
    (entry,) = await shops[1].huey.audit()
    assert entry.actor == "dashboard from 203.0.113.9"
    for it in shops:
        await it.huey.close()
    assert core_of(shops[0].huey) is not core_of(shops[1].huey)
