"""A consumer inside Litestar: ``uvicorn in_litestar:app``, then ``curl localhost:8000/greet/Ada``."""

from __future__ import annotations

from litestar import Litestar, get
from litestar.params import FromPath
from tasks import greet, huey, shout


@get("/greet/{name:str}")
async def greeting(name: FromPath[str]) -> dict[str, str]:
    """Enqueue two tasks and wait for both."""
    soft, loud = await greet(name), await shout(name)
    return {"soft": await soft, "loud": await loud}


app = Litestar(route_handlers=[greeting], lifespan=[huey.lifespan_with_consumer(workers=20, threads=4)])
