"""The router and the dependency about tasks, in applications of FastAPI's. A server stands in tests/examples."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Header, HTTPException

import hueyio
from hueyio import ConfigurationError, Huey, MemoryHuey, Task, TaskCancelled, blocking
from hueyio.contrib.fastapi import TaskStatus, task_router, task_status
from hueyio.testing import HueyQueue
from tests.conftest import EACH_SERVER
from tests.support.patience import until


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def app_with(huey: Any, **options: Any) -> FastAPI:
    app = FastAPI()
    app.include_router(task_router(huey, **options), prefix="/tasks")
    return app


async def test_status_says_where_a_task_is_and_what_came_of_it() -> None:
    huey = MemoryHuey("site")

    @huey.task(name="divide")
    async def divide(a: int, b: int) -> float:
        return a / b

    with HueyQueue(huey) as queue:
        done, failed = await divide(6, 3), await divide(1, 0)
        retried = await divide.options(retries=1, retry_delay=60)(1, 0)
        await queue.drain()
        ready, scheduled = await divide(1, 1), await divide.options(delay=60)(1, 1)
        cancelled = await divide(1, 1)
        async with client_of(app_with(huey)) as client:
            answer = await client.post(f"/tasks/{cancelled.id}/cancel")
            assert answer.json() == {"id": cancelled.id, "cancelled": True}
            error = "ZeroDivisionError('division by zero')"
            for result, status, value, why in (
                (done, "done", 2.0, None),
                (failed, "failed", None, error),
                (retried, "retrying", None, error),
                (ready, "ready", None, None),
                (scheduled, "scheduled", None, None),
                (cancelled, "cancelled", None, "somebody cancelled it"),
            ):
                for _ in range(2):  # nothing is read away
                    told = (await client.get(f"/tasks/{result.id}")).json()
                    assert told == {"id": result.id, "status": status, "progress": None, "value": value, "error": why}
            answer = await client.post(f"/tasks/{done.id}/cancel")
            assert answer.json() == {"id": done.id, "cancelled": False}


@pytest.mark.parametrize("id", ["none", "a%00b", "%ED%A0%80", "x" * 5000])
async def test_id_of_which_nothing_is_known_is_not_found(id: str) -> None:
    async with client_of(app_with(MemoryHuey("site"))) as client:
        answers = [await client.get(f"/tasks/{id}"), await client.get(f"/tasks/{id}/events")]
        answers.append(await client.post(f"/tasks/{id}/cancel"))
    assert [it.status_code for it in answers] == [404, 404, 404]
    assert answers[0].json()["detail"].startswith("nothing is known of task ")


@pytest.mark.parametrize("huey_source", ["memory", "sqlite", "file", *EACH_SERVER], indirect=True)
async def test_running_task_is_followed_and_cancelled(huey_source: str) -> None:
    huey: Huey = eval(huey_source, {"hueyio": hueyio})
    reported = asyncio.Event()

    @huey.task(context=True)
    async def endless(task: Task) -> None:
        await task.progress(0.5, "half")
        reported.set()
        await asyncio.Event().wait()

    app = app_with(huey, stream_time=0.05)
    async with huey, huey.create_consumer(), client_of(app) as client:
        result = await endless()
        await reported.wait()
        told = (await client.get(f"/tasks/{result.id}")).json()
        assert (told["status"], told["progress"]) == ("running", {"fraction": 0.5, "message": "half"})

        async def is_told() -> bool:
            answer = await client.get(f"/tasks/{result.id}/events")
            assert answer.headers["content-type"].startswith("text/event-stream")
            return events_of(answer.text) == [("progress", {"fraction": 0.5, "message": "half"})]

        for _ in range(2):  # a stream ends by itself, and each one begins with the latest report
            await until(is_told)
        assert (await client.post(f"/tasks/{result.id}/cancel")).json()["cancelled"]
        with pytest.raises(TaskCancelled):
            await result.get(blocking=True, preserve=True)

        async def is_over() -> bool:
            told = events_of((await client.get(f"/tasks/{result.id}/events")).text)
            return [(name, end["id"], end["status"]) for name, end in told] == [("end", result.id, "cancelled")]

        await until(is_over)


@pytest.mark.parametrize(("spec", "stream_time"), [("2.3", 600.0), ("2.4", 0.05)])
async def test_visitor_who_leaves_leaves_no_wait_behind(spec: str, stream_time: float) -> None:
    """With 2.3 a server tells that the visitor has gone; with 2.4 only what is sent next finds that out."""
    huey = MemoryHuey("site")
    work = huey.task(name="work")(lambda: None)
    gone = asyncio.Event()
    messages: list[Any] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if gone.is_set():
            raise OSError("nobody is there")

    result = await work()
    waits = huey.storage._state.followed.waits  # type: ignore[attr-defined]
    path = f"/tasks/{result.id}/events"
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": spec},
        "http_version": "1.1",
        "method": "GET",
    }
    scope |= {"path": path, "raw_path": path.encode(), "root_path": "", "query_string": b"", "headers": []}
    serving = asyncio.create_task(app_with(huey, stream_time=stream_time)(scope, receive, send))

    async def is_followed() -> bool:
        return bool(waits)

    await until(is_followed)
    gone.set()
    await asyncio.wait([serving])
    assert not waits
    assert spec == "2.4" or serving.exception() is None


def events_of(text: str) -> list[tuple[str, Any]]:
    """Return the events of a stream: their names and what they say."""
    parts = [part.split("\n") for part in text.split("\n\n") if part.startswith("event: ")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in parts]


@dataclass
class Report:
    pages: int
    made: datetime


async def test_value_of_any_kind_is_shown() -> None:
    huey = MemoryHuey("site")
    values: dict[str, Any] = {}

    @huey.task
    async def give(name: str) -> Any:
        return values[name]

    around: list[Any] = []
    around.append(around)
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    shown = {
        "nothing": (None, None),
        "class": (Report(2, moment), {"pages": 2, "made": "2030-01-01T00:00:00Z"}),
        "bytes": (b"\xff\x00", "_wA="),
        "numbers": ([1.5, math.inf, math.nan, Decimal("0.1")], [1.5, None, None, "0.1"]),
        "set": ({1}, [1]),
        "keys": ({(1, 2): "pair"}, {"1,2": "pair"}),
        "range": (slice(1, 2), "slice(1, 2, None)"),
        "circle": (around, "[[...]]"),
    }
    values |= {name: value for name, (value, _) in shown.items()}
    with HueyQueue(huey) as queue:
        results = {name: await give(name) for name in shown}
        await queue.drain(raise_errors=True)
        async with client_of(app_with(huey)) as client:
            for name, result in results.items():
                answer = (await client.get(f"/tasks/{result.id}")).json()
                assert (name, answer["status"], answer["value"]) == (name, "done", shown[name][1])
                ((_, end),) = events_of((await client.get(f"/tasks/{result.id}/events")).text)
                assert end == answer


async def test_router_says_and_does_no_more_than_it_may() -> None:
    huey = MemoryHuey("site")

    @huey.task
    async def divide(a: int, b: int) -> float:
        return a / b

    with HueyQueue(huey) as queue:
        done, failed = await divide(6, 3), await divide(1, 0)
        await queue.drain()
        async with client_of(app_with(huey, values=False, errors=False, cancel=False)) as client:
            answers = [(await client.get(f"/tasks/{result.id}")).json() for result in (done, failed)]
            assert [(it["status"], it["value"], it["error"]) for it in answers] == [
                ("done", None, None),
                ("failed", None, None),
            ]
            assert (await client.post(f"/tasks/{done.id}/cancel")).status_code == 404


async def test_dependencies_of_the_router_see_which_task_is_asked_for() -> None:
    huey = MemoryHuey("site", immediate=True)

    @huey.task
    async def answer() -> int:
        return 42

    mine, other = await answer(), await answer()
    owners = {mine.id: "ann"}

    async def owner_only(task_id: str, user: Annotated[str, Header()] = "") -> None:
        if owners.get(task_id) != user:
            raise HTTPException(403)

    app = FastAPI()
    app.include_router(task_router(huey), prefix="/tasks", dependencies=[Depends(owner_only)])
    async with client_of(app) as client:
        asked = [("ann", mine.id), ("bob", mine.id), ("ann", other.id)]
        codes = [(await client.get(f"/tasks/{id}", headers={"user": user})).status_code for user, id in asked]
        assert codes == [200, 403, 403]
        assert (await client.get(f"/tasks/{mine.id}/events", headers={"user": "bob"})).status_code == 403


def app_of(huey: Huey | blocking.Huey) -> FastAPI:
    app, found = FastAPI(), Depends(task_status(huey))

    @app.get("/orders/{task_id}")
    async def in_path(status: TaskStatus = found) -> dict[str, Any]:
        return {"status": status.status, "value": status.value}

    @app.get("/orders")
    async def in_query(status: TaskStatus = found) -> TaskStatus:
        return status

    return app


@pytest.mark.parametrize("make", [MemoryHuey, blocking.MemoryHuey])
async def test_status_is_a_dependency_of_addresses_of_the_applications_own(make: Any) -> None:
    huey = make("site", immediate=True)

    @huey.task()  # type: ignore[untyped-decorator]  # either of two
    def answer() -> int:
        return 42

    result = await (answer.aio if make is blocking.MemoryHuey else answer)()
    async with client_of(app_of(huey)) as client:
        assert (await client.get(f"/orders/{result.id}")).json() == {"status": "done", "value": 42}
        assert (await client.get("/orders", params={"task_id": result.id})).json()["value"] == 42
        assert [(await client.get(it)).status_code for it in ("/orders/none", "/orders")] == [404, 422]


def test_schema_of_the_application_has_the_answers() -> None:
    schema = app_with(MemoryHuey("site")).openapi()
    paths = schema["paths"]
    answered = {
        (path, method): it["responses"]["200"]["content"] for path, of in paths.items() for method, it in of.items()
    }
    name = "#/components/schemas/"
    assert answered == {
        ("/tasks/{task_id}", "get"): {"application/json": {"schema": {"$ref": f"{name}TaskStatus"}}},
        ("/tasks/{task_id}/events", "get"): {"text/event-stream": {"schema": {"type": "string"}}},
        ("/tasks/{task_id}/cancel", "post"): {"application/json": {"schema": {"$ref": f"{name}TaskCancellation"}}},
    }
    assert all("404" in it["responses"] for of in paths.values() for it in of.values())
    states = schema["components"]["schemas"]["TaskStatus"]["properties"]["status"]["enum"]
    assert {"ready", "running", "done", "failed"} < set(states)


@pytest.mark.parametrize("time", [0, -1, True, "25"])
def test_time_of_a_stream_must_be_one(time: Any) -> None:
    with pytest.raises(ConfigurationError, match="stream_time must be a number of seconds > 0, not "):
        task_router(MemoryHuey("site"), stream_time=time)
