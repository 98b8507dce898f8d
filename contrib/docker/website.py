"""The site: it enqueues, and the worker runs. ``/tasks/ID`` says how a task is."""

from __future__ import annotations

from fastapi import FastAPI

from app import huey, send_invoice
from hueyio.contrib.fastapi import task_router

app = FastAPI(lifespan=huey.lifespan)
app.include_router(task_router(huey), prefix="/tasks")


@app.post("/orders/{order}", status_code=202)
async def place(order: int) -> dict[str, str]:
    """Take an order, and say which task sends its invoice."""
    return {"id": (await send_invoice(order)).id}


@app.get("/healthy")
async def healthy() -> str:
    """Answer, for the health check of the container."""
    return "yes"
