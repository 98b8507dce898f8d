"""A consumer inside FastAPI: ``uvicorn in_fastapi:app``, then ``curl localhost:8000/greet/Ada``."""

from __future__ import annotations

from fastapi import FastAPI
from tasks import greet, huey, shout

app = FastAPI(lifespan=huey.lifespan_with_consumer(workers=20, threads=4))


@app.get("/greet/{name}")
async def greeting(name: str) -> dict[str, str]:
    """Enqueue two tasks and wait for both."""
    soft, loud = await greet(name), await shout(name)
    return {"soft": await soft, "loud": await loud}
