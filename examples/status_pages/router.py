"""A status page of the router that comes with hueyio.

uvicorn router:app
curl -X POST 'localhost:8000/reports?pages=20'
curl localhost:8000/tasks/ID
curl --no-buffer localhost:8000/tasks/ID/events
curl -X POST localhost:8000/tasks/ID/cancel
"""

from __future__ import annotations

from fastapi import FastAPI
from reports import huey, write_report

from hueyio.contrib.fastapi import task_router

# Or huey.lifespan, and workers beside it.
app = FastAPI(lifespan=huey.lifespan_with_consumer(workers=20))
app.include_router(task_router(huey), prefix="/tasks", tags=["tasks"])


@app.post("/reports", status_code=202)
async def order(pages: int) -> dict[str, str]:
    """Enqueue a report; answer at once with the id to ask for."""
    result = await write_report(pages)
    return {"id": result.id}
