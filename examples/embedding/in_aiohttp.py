"""A consumer inside aiohttp: ``python in_aiohttp.py 8000``, then ``curl localhost:8000/greet/Ada``."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

from aiohttp import web
from tasks import greet, huey, shout


async def consumer(app: web.Application) -> AsyncIterator[None]:
    async with huey, huey.create_consumer(workers=20, threads=4):
        yield


async def greeting(request: web.Request) -> web.Response:
    """Enqueue two tasks and wait for both."""
    name = request.match_info["name"]
    soft, loud = await greet(name), await shout(name)
    return web.json_response({"soft": await soft, "loud": await loud})


app = web.Application()
app.cleanup_ctx.append(consumer)
app.router.add_get("/greet/{name}", greeting)

if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]))
