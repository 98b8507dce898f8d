"""What changes while somebody looks is told once to each, by one reading for all."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hueyio import SqliteHuey
from hueyio.tasks.progress import Progress, write_progress
from hueyio.web.actions.jobs import AT_ONCE, jobs_of
from hueyio.web.live import Feed, Topics, feed_of, stop_feeds
from hueyio.web.redaction import Redaction
from hueyio.web.settings import Settings
from tests.support.consuming import Clock
from tests.web.conftest import Shop
from tests.web.site import visiting

OPEN = Redaction(Settings(authorize="open"))
IN_MEMORY = pytest.mark.parametrize("shop", ["memory"], indirect=True)


async def next_news(events: AsyncIterator[bytes]) -> dict[str, Any]:
    """Return what has changed next."""
    async for event in events:
        if event.startswith(b"data: "):
            news: dict[str, Any] = json.loads(event.removeprefix(b"data: "))
            return news
    raise AssertionError("the stream is over")


async def test_page_can_ask_what_there_is_now(shop: Shop) -> None:
    running = await shop.fill()
    async with visiting(shop.huey.dashboard(authorize="open"), shop.base) as site:
        told = json.loads(await site.get(f"events?once=1&figures=1&state=failed&since=0&task={running}"))
        assert told["counts"] == {"ready": "1", "scheduled": "2", "waiting": "1", "running": "1"}
        assert told["new"] == "4"
        assert told["task"] == {"state": "running", "progress": "", "fraction": None}
        assert [value for value, *_ in told["figures"]][-2:] == ["1", "1"]
        assert told["paused"] is False
        for since in ("yesterday", "nan", "inf", "1e300"):
            assert "since is a number" in await site.get(f"events?since={since}", 400)
        assert "no such list" in await site.get("events?state=lazy", 404)


@IN_MEMORY
async def test_streams_tell_what_changed_when_it_changes(shop: Shop) -> None:
    clock = Clock()
    feed = Feed(shop.core, await shop.session(), period=0.0, monotonic=clock)
    first, second = feed.follow(Topics(), OPEN), feed.follow(Topics(state="failed", since=1.0), OPEN)
    assert await anext(first) == b"retry: 1000\n\n"
    assert (await next_news(first))["counts"]["ready"] == "0"
    assert await anext(second) == b"retry: 1000\n\n"
    assert (await next_news(second))["new"] == ""
    await shop.pack(1)
    assert await next_news(first) == {"counts": {"ready": "1", "scheduled": "0", "waiting": "0", "running": "0"}}
    await shop.huey.pause()
    assert await next_news(first) == {"paused": True}
    await shop.huey.resume()
    await shop.fail(2)
    while "new" not in (news := await next_news(second)):
        pass
    assert news["new"] == "3"
    clock.now += 26
    rest = [event async for event in first]
    assert all(event.startswith((b":", b"data: ")) for event in rest)
    await feed.end_with_session()


async def test_little_is_read_beside_a_worker(tmp_path: Path) -> None:
    """Nothing that is counted by name, and of letters, which may be large, those that a page has not shown."""
    said: list[str] = []

    class Traced(sqlite3.Connection):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.set_trace_callback(said.append)

    async with SqliteHuey("shop", filename=str(tmp_path / "shop.db"), factory=Traced) as huey:
        shop = Shop(huey)
        await shop.fill()
        feed = Feed(shop.core, await shop.session())
        for since, new in ((1.0, "4"), (4e9, "")):
            said.clear()
            told = await feed.once(Topics(figures=True, state="failed", since=since), OPEN)
            assert (told["new"], len(told["figures"])) == (new, 6)
            assert len(said) < 60
            assert not [it for it in said if "row BETWEEN 'n" in it]
            letters = [it for it in said if "data, reason" in it and "x'' AS data" not in it]
            assert bool(letters) is bool(new)


@IN_MEMORY
async def test_progress_of_what_runs_and_of_what_goes_on_is_told(shop: Shop) -> None:
    running = await shop.fill()
    session = await shop.session()
    (held,) = await session.held("me")
    feed = Feed(shop.core, session, period=0.0)
    assert (await feed.once(Topics(state="running"), OPEN))["running"] == {"tasks": {running: None}, "all": True}
    await session.report(held.receipt, write_progress(Progress(0.25, "a quarter"), shop.core.serializer))
    told = (await feed.once(Topics(state="running"), OPEN))["running"]
    assert told == {"tasks": {running: [0.25, "25% a quarter"]}, "all": True}
    gate, second, steps = asyncio.Event(), asyncio.Event(), list[int]()

    async def find(least: int | None, is_stopped: Callable[[], bool]) -> list[str]:
        return ["id"] * AT_ONCE * 2

    async def step(ids: Sequence[str]) -> None:
        steps.append(len(ids))
        if len(steps) == 2:
            second.set()
            await gate.wait()

    async def tell(is_whole: bool) -> str:
        return "told"

    jobs = await jobs_of(shop.core)
    await jobs.run("Retry", "retry", find, step, tell)
    await second.wait()
    (job,) = jobs.shown()
    assert (await feed.once(Topics(), OPEN))["jobs"] == [[job.id, "100 of 2,000", 0.05, ""]]
    async with visiting(shop.huey.dashboard(authorize="open"), shop.base) as site:
        assert f'data-job="{job.id}"' in await site.get("audit")
    gate.set()
    await jobs.end_with_session()
    assert (await feed.once(Topics(), OPEN))["jobs"][0][3] == "told"


@IN_MEMORY
async def test_nothing_is_read_when_nobody_looks(shop: Shop) -> None:
    feed = await feed_of(shop.core)
    assert await feed_of(shop.core) is feed
    events = feed.follow(Topics(), OPEN)
    await anext(events)
    await next_news(events)
    stop_feeds([shop.core])
    assert [event async for event in events] == []
    reader = feed._reader
    assert reader is not None
    await feed.end_with_session()
    assert reader.done()
