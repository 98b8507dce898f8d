"""A status page that is told: server-sent events, pushed as they come.

uvicorn events:app
curl -X POST 'localhost:8000/reports?pages=20'
curl --no-buffer localhost:8000/tasks/ID/events
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from reports import huey, write_report

from hueyio import Result, TaskException

# Or huey.lifespan, and workers beside it.
app = FastAPI(lifespan=huey.lifespan_with_consumer(workers=20))


@app.post("/reports", status_code=202)
async def order(pages: int) -> dict[str, str]:
    """Enqueue a report; answer at once with the id to ask for."""
    result = await write_report(pages)
    return {"id": result.id}


@app.get("/tasks/{id}/events")
async def events(id: str) -> StreamingResponse:
    """Push the progress of a task, and its end."""
    result = huey.result_of(id)
    if await result.status() == "unknown":
        raise HTTPException(404, f"nothing is known of task {id}")
    return StreamingResponse(follow(result), media_type="text/event-stream", headers={"Cache-Control": "no-cache"})


async def follow(result: Result[Any]) -> AsyncIterator[str]:
    """Yield an event for each report, and one for the end. When the client goes away, this is cancelled."""
    async for update in result.updates():
        yield event("progress", fraction=update.fraction, message=update.message)
    try:
        yield event("end", status=await result.status(), value=await result.get(preserve=True))
    except TaskException as error:
        yield event("end", status=await result.status(), error=error.metadata["error"])


def event(name: str, **data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data, default=str)}\n\n"
