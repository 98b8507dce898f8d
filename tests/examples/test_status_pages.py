"""The programs of the page "Status pages", served for real and asked over the network."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from hueyio import Huey
from tests.support.patience import until
from tests.support.servers import free_port

FOLDER = Path(__file__).parents[2] / "examples" / "status_pages"
MODULES = ("reports", "polling", "events", "router")
OUT_OF_REACH = 1000
"""Pages of a report that is not written in the time of a test."""


class Service:
    """One program as a server in this process, and a client of it."""

    def __init__(self, app: Any, port: int) -> None:
        self.port = port
        self.server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", lifespan="on", ws="none"))

    async def ask(self, path: str, method: str = "GET") -> tuple[int, Any]:
        """Send a request; return the code and the body of the answer."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        return await asyncio.to_thread(_open, request)

    async def order(self, pages: int) -> str:
        """Order a report; return its id."""
        code, answer = await self.ask(f"/reports?pages={pages}", "POST")
        assert code == 202
        return str(answer["id"])

    @asynccontextmanager
    async def events(self, id: str) -> AsyncIterator[AsyncIterator[tuple[str, Any]]]:
        """Follow a task, from when the server does; the connection is cut at the end of the block."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET /tasks/{id}/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        yield _read_events(reader)
        writer.close()
        await writer.wait_closed()


def _open(request: urllib.request.Request) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


async def _read_events(reader: asyncio.StreamReader) -> AsyncIterator[tuple[str, Any]]:
    name = ""
    while line := (await asyncio.wait_for(reader.readline(), 30)).decode():
        if line.startswith("event: "):
            name = line.removeprefix("event: ").strip()
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


@pytest.fixture
async def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[str], Any]]:
    """Start a program by its name; it is stopped at the end of the block."""
    monkeypatch.setenv("REPORTS_DB", str(tmp_path / "reports.db"))
    monkeypatch.syspath_prepend(str(FOLDER))

    @asynccontextmanager
    async def start(name: str) -> AsyncIterator[Service]:
        service = Service(importlib.import_module(name).app, free_port())
        running = asyncio.create_task(service.server.serve())
        await until(lambda: _is_true(service.server.started or running.done()))
        yield service
        service.server.should_exit = True
        await running

    yield start
    for module in MODULES:
        sys.modules.pop(module, None)


async def _is_true(value: bool) -> bool:
    return value


def declared() -> tuple[Huey, Any]:
    """Return the Huey and the task of the program that runs."""
    reports: Any = sys.modules["reports"]
    return reports.huey, reports.write_report


async def test_page_that_polls_shows_each_state(serve: Any) -> None:
    async with serve("polling") as service:
        id = await service.order(2)
        seen: list[str] = []

        async def is_over() -> bool:
            code, answer = await service.ask(f"/tasks/{id}")
            assert code == 200
            seen.append(answer["status"])
            return answer["status"] not in ("ready", "running")

        await until(is_over)
        assert await service.ask(f"/tasks/{id}") == (
            200,
            {"id": id, "status": "done", "value": "a report of 2 pages"},
        )
        huey, write_report = declared()
        failed = write_report.s(0)
        scheduled = await write_report.options(delay=3600)(3)
        expired = await write_report.options(expires=0)(3)
        cancelled = await write_report.options(delay=3600)(3)
        assert await cancelled.cancel()
        retried = write_report.s(0, retries=1, retry_delay=3600)
        first = write_report.s(OUT_OF_REACH)
        first.then(write_report)
        for task in (failed, retried, first):
            await huey.enqueue(task)
        wanted = {
            failed.id: ("failed", "ValueError('a report has at least one page')"),
            scheduled.id: ("scheduled", None),
            expired.id: ("expired", "TaskExpired"),
            cancelled.id: ("cancelled", "TaskCancelled"),
            retried.id: ("retrying", "ValueError('a report has at least one page')"),
            first.id: ("running", None),
            first.on_complete.id: ("waiting", None),
        }
        for id, (status, error) in wanted.items():
            await until(partial(_has_status, service, id, status))
            _, answer = await service.ask(f"/tasks/{id}")
            assert answer == {"id": id, "status": status, **({"error": error} if error else {})}
        assert await service.ask("/tasks/none") == (404, {"detail": "nothing is known of task none"})
        assert await huey.cancel(first.id)


async def _has_status(service: Service, id: str, status: str) -> bool:
    return bool((await service.ask(f"/tasks/{id}"))[1]["status"] == status)


TOLD = pytest.mark.parametrize("example", ["events", "router"])


@TOLD
async def test_page_that_is_told_gets_progress_and_end(serve: Any, example: str) -> None:
    async with serve(example) as service:
        huey, _ = declared()
        await huey.pause()  # a report that is done has no progress to be told of
        async with service.events(await service.order(3)) as events:
            await huey.resume()
            told = [event async for event in events]
        *progress, (name, end) = told
        assert (name, end["status"], end["value"]) == ("end", "done", "a report of 3 pages")
        assert {name for name, _ in progress} == {"progress"}
        fractions = [data["fraction"] for _, data in progress]
        assert fractions
        assert fractions == sorted(fractions)
        async with service.events(await service.order(0)) as events:
            ((name, end),) = [event async for event in events]
            error = "ValueError('a report has at least one page')"
            assert (name, end["status"], end["error"]) == ("end", "failed", error)
        assert (await service.ask("/tasks/none/events"))[0] == 404


@TOLD
async def test_page_that_is_told_leaves_nothing_behind_when_its_reader_goes(serve: Any, example: str) -> None:
    async with serve(example) as service:
        async with service.events(await service.order(1)) as events:
            assert [name async for name, _ in events][-1] == "end"
        id = await service.order(OUT_OF_REACH)
        await until(lambda: _is_running(id))
        before = asyncio.all_tasks()
        for _ in range(3):
            async with service.events(id) as events:
                assert (await anext(events))[0] == "progress"
                assert len(asyncio.all_tasks() - before) >= 1
            await until(lambda: _is_true(not asyncio.all_tasks() - before))
        huey, _ = declared()
        assert await huey.cancel(id)


async def _is_running(id: str) -> bool:
    return bool(await declared()[0].result_of(id).status() == "running")
