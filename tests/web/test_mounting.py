"""The dashboard at home in the frameworks that people have: its links lead to itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from fastapi import FastAPI
from litestar import Litestar, asgi
from starlette.applications import Starlette
from starlette.routing import Mount

from hueyio import ConfigurationError, MemoryHuey
from hueyio.core import core_of
from hueyio.web.actions.jobs import AT_ONCE, jobs_of
from tests.web.conftest import Shop
from tests.web.site import visiting

IN_MEMORY = pytest.mark.parametrize("shop", ["memory"], indirect=True)


def in_starlette(shop: Shop) -> Any:
    return Starlette(routes=[Mount("/queue", shop.huey.dashboard(authorize="open"))])


def in_fastapi(shop: Shop) -> Any:
    app = FastAPI()
    app.mount("/queue", shop.huey.dashboard(authorize="open"))
    return app


def in_litestar(shop: Shop) -> Any:
    dashboard = shop.huey.dashboard(authorize="open", prefix="/queue")
    return Litestar([asgi("/queue", is_mount=True, copy_scope=True)(dashboard)], openapi_config=None)


def by_hand(shop: Shop) -> Any:
    """Mount it as Django's routers do: nothing is taken from the path, and nothing is told."""
    return shop.huey.dashboard(authorize="open", prefix="/queue/")


@IN_MEMORY
@pytest.mark.parametrize("mount", [in_starlette, in_fastapi, in_litestar, by_hand])
async def test_links_stay_below_the_path_at_which_it_is_mounted(shop: Shop, mount: Callable[[Shop], Any]) -> None:
    await shop.pack(1)
    async with visiting(mount(shop), f"/queue{shop.base}") as site:
        first = await site.client.get("/queue/")
        assert first.headers["location"] == f"{site.base}/overview"
        found = await site.crawl("tasks/ready")
        assert all(address.startswith("/queue/") for address in found)
        assert len(found) > 20
        assert await site.agree("act/pause") == "The queue is paused."


async def visited(app: Any, path: str) -> str:
    """Return where a path leads, or what stands at the head of its page."""
    async with visiting(app, "") as site:
        answer = await site.client.get(path)
        if answer.is_redirect:
            return str(answer.headers["location"])
        assert answer.status_code == 200, (path, answer.text)
        found = re.search(r"<title>([^<]*)</title>", answer.text)
        return answer.text if found is None else found[1]


@IN_MEMORY
async def test_prefix_with_the_name_of_a_queue_is_told_from_it(shop: Shop) -> None:
    """A proxy takes it away or leaves it, and each address is read in one way."""
    mails, queues = MemoryHuey("mails"), MemoryHuey("queue")
    app = queues.dashboard(mails, authorize="open", prefix="/queue")
    for asked, leads in {
        "/queue/queue/overview": "Overview · queue · hueyio",
        "/queue/overview": "Overview · queue · hueyio",  # the proxy has taken it away
        "/queue/mails/overview": "Overview · mails · hueyio",
        "/mails/overview": "Overview · mails · hueyio",
        "/queue/queue": "/queue/queue/overview",
        "/queue/": "/queue/queue/overview",
        "/": "/queue/queue/overview",
        "/queue/tasks": "/queue/queue/tasks/ready",
        "/queue/api/v1/queues": '{"queues":["queue","mails"]}',
        "/api/v1/queues": '{"queues":["queue","mails"]}',
        "/queue/find?q=x": "/queue/queue/tasks/failed?text=x",
    }.items():
        assert await visited(app, asked) == leads, asked
    async with visiting(app, "/queue/queue") as site:
        assert 'href="/queue/~static/' in (await site.client.get("/queue/overview")).text
        assert await site.agree("act/pause") == "The queue is paused."
    assert await queues.is_paused()
    at_api = MemoryHuey("shop").dashboard(authorize="open", prefix="/api")
    for asked in ("/api/v1/queues", "/api/api/v1/queues"):
        assert await visited(at_api, asked) == '{"queues":["shop"]}', asked
    for it in (mails, queues):
        await it.close()


@pytest.mark.parametrize(
    ("prefix", "names"),
    [("/shop", ["shop", "tasks"]), ("/shop/names", ["shop"]), ("/~static", ["shop"]), ("/a~2Fb/", ["a/b", "act"])],
)
def test_prefix_is_refused_when_an_address_could_be_read_in_two_ways(prefix: str, names: Sequence[str]) -> None:
    first, *others = [MemoryHuey(name) for name in names]
    with pytest.raises(ConfigurationError, match="prefix"):
        first.dashboard(*others, authorize="open", prefix=prefix)
    first.dashboard(*others, authorize="open", prefix="/queue")


async def test_what_goes_on_in_the_background_ends_with_the_huey_when_no_lifespan_is_told() -> None:
    """Frameworks do not tell what is mounted that they stop."""
    huey = MemoryHuey("shop")
    begun = asyncio.Event()
    told: list[bool] = []

    async def find(least: int | None, is_stopped: Callable[[], bool]) -> list[str]:
        return ["id"] * AT_ONCE * 2

    async def step(ids: Sequence[str]) -> None:
        begun.set()

    async def tell(is_whole: bool) -> str:
        told.append(is_whole)
        return "told"

    jobs = await jobs_of(core_of(huey))
    await jobs.run("Retry", "retry", find, step, tell)
    (job,) = jobs.shown()
    await begun.wait()
    await huey.close()
    assert len(told) == 1
    assert job.over_at is not None
