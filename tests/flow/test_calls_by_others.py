"""Tasks that are handed over as callables, to frameworks that ask whether to await what they call."""

from __future__ import annotations

import asyncio
import functools
import inspect
import sqlite3
from collections.abc import Callable
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from starlette.background import BackgroundTasks

from hueyio import Huey, HueyException, MemoryHuey, SqliteHuey

QUESTIONS: list[Callable[[Any], bool]] = [inspect.iscoroutinefunction, asyncio.iscoroutinefunction]


def is_async(function: Any) -> bool:
    return any(ask(it) for ask in QUESTIONS for it in (function, function.__call__))


def declare(huey: Huey) -> tuple[Any, Any]:
    @huey.task
    async def send(to: str) -> str:
        return to

    @huey.task
    def thumbnail(path: str) -> str:
        return path

    return send, thumbnail


def test_whatever_has_to_be_awaited_says_so() -> None:
    huey = MemoryHuey("others")
    for task in declare(huey):
        forms = [task, task.options(priority=1), task.schedule, task.map, task.enqueue_in, task.revoke, task.restore]
        assert [form for form in forms if not is_async(form)] == []
        assert [form for form in (task.sync, task.sync.map, task.sync.schedule, task.s) if is_async(form)] == []
        assert not is_async(functools.wraps(task)(lambda: None))
    assert all(is_async(form) for form in (huey.by_name("shop.send"), huey.by_name("shop.send").options(delay=1)))
    public = [getattr(huey, name) for name in dir(huey) if not name.startswith("_") and name != "sync"]
    awaited = [
        it for it in public if inspect.ismethod(it) and str(it.__annotations__.get("return")).startswith("Coroutine[")
    ]
    assert len(awaited) == 4
    assert [it for it in awaited if not is_async(it)] == []
    blocking = [getattr(huey.sync, name) for name in dir(huey.sync) if not name.startswith("_")]
    assert [it for it in blocking if callable(it) and is_async(it)] == []


async def test_background_tasks_of_starlette_enqueue() -> None:
    huey = MemoryHuey("others")
    send, thumbnail = declare(huey)
    tasks = BackgroundTasks()
    for function in (send, thumbnail, send.options(priority=1)):
        tasks.add_task(function, "x")
    tasks.add_task(send.map, ["y", "z"])
    await tasks()
    assert await huey.count() == 5


async def test_job_of_apscheduler_enqueues() -> None:
    schedulers = import_module("apscheduler.schedulers.asyncio")
    enqueued = asyncio.Event()
    huey = MemoryHuey("others")
    send, _ = declare(huey)

    @huey.signal("enqueued")
    async def note(*args: Any) -> None:
        enqueued.set()

    scheduler = schedulers.AsyncIOScheduler(timezone="UTC")
    scheduler.start()
    scheduler.add_job(send, args=("x",))
    await enqueued.wait()
    scheduler.shutdown(wait=False)
    assert await huey.count() == 1


async def test_session_of_sqlalchemy_commits_or_rolls_back_the_task_with_its_rows(tmp_path: Path) -> None:
    sqlalchemy = import_module("sqlalchemy")
    aio = import_module("sqlalchemy.ext.asyncio")
    file = tmp_path / "app.db"
    huey = SqliteHuey("others", filename=file)
    send, _ = declare(huey)
    insert = sqlalchemy.text("INSERT INTO users VALUES (:name)")
    engine = aio.create_async_engine(f"sqlite+aiosqlite:///{file}")
    async with huey, engine.begin() as connection:
        await connection.execute(sqlalchemy.text("CREATE TABLE users (name TEXT)"))

    async def enqueue_async(make: Callable[[], Any], name: str, keep: bool, row_first: bool) -> None:
        async with make() as owner:
            if row_first:
                await owner.execute(insert, {"name": name})
            await send.enqueue_in(owner, name)
            if not row_first:
                await owner.execute(insert, {"name": name})
            await (owner.commit() if keep else owner.rollback())

    for kind, make in (("session", aio.async_sessionmaker(engine)), ("connection", engine.connect)):
        for row_first in (True, False):
            await enqueue_async(make, f"{kind} {row_first}", True, row_first)
            await enqueue_async(make, "lost", False, row_first)
    await engine.dispose()
    await asyncio.to_thread(_enqueue_sync, sqlalchemy, send, file, insert)
    async with huey:
        tasks = sorted(task.args[0] for task in await huey.pending())
        with pytest.raises(HueyException, match="sqlite3 or aiosqlite, a session"):
            await send.enqueue_in(object(), "x")
    assert tasks == sorted(_rows(file))
    assert len(tasks) == 6
    assert "lost" not in tasks


def _enqueue_sync(sqlalchemy: Any, send: Any, file: Path, insert: Any) -> None:
    engine = sqlalchemy.create_engine(f"sqlite:///{file}")
    for kind, make in (("session", lambda: sqlalchemy.orm.Session(engine)), ("connection", engine.connect)):
        for name, keep in ((f"blocking {kind}", True), ("lost", False)):
            with make() as owner:
                owner.execute(insert, {"name": name})
                send.sync.enqueue_in(owner, name)
                (owner.commit if keep else owner.rollback)()
    engine.dispose()


def _rows(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM users")]
