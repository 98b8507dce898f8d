"""A consumer inside Litestar: ``uvicorn in_litestar:app``, then ``curl localhost:8000/greet/Ada``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar, get
from tasks import greet, huey, shout


@asynccontextmanager
async def consumer(app: Litestar) -> AsyncIterator[None]:
    async with huey, huey.create_consumer(workers=20, threads=4):
        yield


@get("/greet/{name:str}")
async def greeting(name: str) -> dict[str, str]:
    """Enqueue two tasks and wait for both."""
    soft, loud = await greet(name), await shout(name)
    return {"soft": await soft, "loud": await loud}


app = Litestar(route_handlers=[greeting], lifespan=[consumer])
