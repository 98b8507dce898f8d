"""A status page that asks again and again.

uvicorn polling:app
curl -X POST 'localhost:8000/reports?pages=20'
curl localhost:8000/tasks/ID
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, HTTPException
from reports import huey, write_report

from hueyio import TaskException

# Or huey.lifespan, and workers beside it.
app = FastAPI(lifespan=huey.lifespan_with_consumer(workers=20))


@app.post("/reports", status_code=202)
async def order(pages: int) -> dict[str, str]:
    """Enqueue a report; answer at once with the id to ask for."""
    result = await write_report(pages)
    return {"id": result.id}


@app.get("/tasks/{id}")
async def look(id: str) -> dict[str, Any]:
    """Say where a task is, and what came of it."""
    result = huey.result_of(id)
    status = await result.status()
    if status == "unknown":
        raise HTTPException(404, f"nothing is known of task {id}")
    answer: dict[str, Any] = {"id": id, "status": status}
    try:
        # Not blocking, so None while there is nothing; it stays for whoever asks next.
        value = await result.get(preserve=True)
    except TaskException as error:
        answer["error"] = error.metadata["error"]
    else:
        if status == "done":
            answer["value"] = value
    return answer
