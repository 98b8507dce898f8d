"""A consumer inside Starlette: ``uvicorn in_starlette:app``, then ``curl localhost:8000/greet/Ada``."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from tasks import greet, huey, shout


async def greeting(request: Request) -> JSONResponse:
    """Enqueue two tasks and wait for both."""
    name = request.path_params["name"]
    soft, loud = await greet(name), await shout(name)
    return JSONResponse({"soft": await soft, "loud": await loud})


app = Starlette(routes=[Route("/greet/{name}", greeting)], lifespan=huey.lifespan_with_consumer(workers=20, threads=4))
