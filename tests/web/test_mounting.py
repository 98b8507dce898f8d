"""The dashboard at home in the frameworks that people have: its links lead to itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from fastapi import FastAPI
from litestar import Litestar, asgi
from starlette.applications import Starlette
from starlette.routing import Mount

from hueyio import MemoryHuey
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
