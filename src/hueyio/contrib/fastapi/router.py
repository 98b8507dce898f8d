"""The addresses about tasks: where one is, its progress pushed, and its cancellation."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from hueyio.app import Huey
from hueyio.app.sync_huey import SyncHuey
from hueyio.contrib.fastapi.events import HEADERS, follow
from hueyio.contrib.fastapi.models import TaskCancellation, TaskStatus
from hueyio.contrib.fastapi.status import Looker
from hueyio.exceptions import ConfigurationError

__all__ = ["task_router"]

_LASTS: Final = 25.0

_UNKNOWN: Final[dict[int | str, dict[str, Any]]] = {404: {"description": "Nothing is known of a task of this id."}}

_EVENTS: Final[dict[int | str, dict[str, Any]]] = {
    **_UNKNOWN,
    200: {
        "description": "`progress` with a TaskProgress for each report, then `end` with a TaskStatus.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
}


def task_router(
    huey: Huey | SyncHuey,
    *,
    values: bool = True,
    errors: bool = True,
    cancel: bool = True,
    stream_time: float = _LASTS,
) -> APIRouter:
    """Make a router: ``GET /{task_id}``, ``GET /{task_id}/events`` and ``POST /{task_id}/cancel``.

    Whoever reaches it and has an id may ask: say who that is with ``dependencies``, which get ``task_id`` too. Without
    ``values`` nobody learns what tasks returned, without ``errors`` not why they failed; without ``cancel`` there is no
    such address. A stream of events ends after ``stream_time`` seconds, and browsers open it anew.

    Example::

        app = FastAPI(lifespan=huey.lifespan)
        app.include_router(task_router(huey), prefix="/tasks", dependencies=[Depends(current_user)])
    """
    if isinstance(stream_time, bool) or not isinstance(stream_time, (int, float)) or not stream_time > 0:
        raise ConfigurationError(f"stream_time must be a number of seconds > 0, not {stream_time!r}")
    plain = huey.aio if isinstance(huey, SyncHuey) else huey
    pages = _Pages(Looker(plain, values=values, errors=errors), stream_time)
    router = APIRouter()
    router.add_api_route("/{task_id}", pages.status, name="task_status", responses=_UNKNOWN)
    router.add_api_route(
        "/{task_id}/events", pages.events, name="task_events", responses=_EVENTS, response_class=StreamingResponse
    )
    if cancel:
        router.add_api_route(
            "/{task_id}/cancel", pages.cancel, name="cancel_task", responses=_UNKNOWN, methods=["POST"]
        )
    return router


class _Pages:
    """What is answered at each address; the docstrings are the descriptions of the API."""

    def __init__(self, looker: Looker, stream_time: float) -> None:
        self._looker = looker
        self._stream_time = stream_time

    async def status(self, task_id: str) -> TaskStatus:
        """Say where a task is, and what came of it."""
        return await self._looker.find(task_id)

    async def events(self, task_id: str) -> StreamingResponse:
        """Push each report of a task's progress, and its end."""
        await self._looker.find(task_id)  # 404 comes before the stream
        result = self._looker.huey.result_of(task_id)
        events = follow(result, self._looker.look, self._stream_time)
        return StreamingResponse(events, media_type="text/event-stream", headers=HEADERS)

    async def cancel(self, task_id: str) -> TaskCancellation:
        """Cancel a task wherever it is: queued, scheduled or running."""
        await self._looker.find(task_id)
        return TaskCancellation(id=task_id, cancelled=await self._looker.huey.cancel(task_id))
