"""Middleware around enqueues, and headers that the calls of a body inherit."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request

from hueyio import (
    ConfigurationError,
    Enqueue,
    Huey,
    HueyException,
    MemoryHuey,
    SqliteHuey,
    StorageUnavailable,
    TaskArgumentError,
    TaskException,
    TaskNotUnique,
    chord,
    crontab,
    current_task,
    group,
)
from hueyio.client.around_enqueue import write_inside
from hueyio.core import core_of
from tests.flow.test_periodic import NOON, Fleet

both_kinds = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


class Seen:
    """Middleware that stamps each call, and notes what it saw."""

    def __init__(self, huey: Huey, is_async: bool = True) -> None:
        self.calls: list[Enqueue] = []
        self.errors: list[BaseException | None] = []

        @contextmanager
        def sync(calls: Enqueue) -> Iterator[None]:
            assert calls.enqueued is None
            self.calls.append(calls)
            for number, task in enumerate(calls.tasks):
                task.headers["stamp"] = str(number)
            try:
                yield
            except BaseException as error:  # swallowed, as far as it can be
                self.errors.append(error)
            else:
                self.errors.append(None)

        @asynccontextmanager
        async def on_loop(calls: Enqueue) -> AsyncIterator[None]:
            await asyncio.sleep(0)
            with sync(calls):
                yield
            await asyncio.sleep(0)

        self.middleware = huey.around_enqueue(on_loop if is_async else sync)

    @property
    def ids(self) -> list[tuple[str | None, ...] | None]:
        return [calls.enqueued for calls in self.calls]


def declare(huey: Huey) -> Any:
    @huey.task(name="look")
    async def look(*_: Any, **__: Any) -> dict[str, str]:
        return dict(current_task().headers)

    return look


@both_kinds
async def test_middleware_stamps_calls_and_sees_what_became_of_them(huey: Huey, is_async: bool) -> None:
    seen = Seen(huey, is_async)
    look = declare(huey)
    one = await look()
    mapped = await look.map([1, 2])
    grouped = await huey.enqueue(group([look.s(), look.s()]))
    many = await huey.enqueue_many([look.s()])
    later = await look.options(delay=1000, headers={"own": "1"})()
    assert seen.ids == [
        (one.id,),
        tuple(it.id for it in mapped),
        tuple(it.id for it in grouped),
        tuple(it.id for it in many),
        (later.id,),
    ]
    assert [task.headers for task in await huey.pending()] == [
        {"stamp": stamp} for stamp in ("0", "0", "1", "0", "1", "0")
    ]
    (scheduled,) = await huey.scheduled()
    assert scheduled.headers == {"own": "1", "stamp": "0"}
    assert seen.errors == [None] * 5


async def test_chord_is_one_write_with_its_callback(make_huey: Callable[..., Huey]) -> None:
    huey = make_huey()
    seen = Seen(huey)
    look = declare(huey)

    @huey.task(name="gather")
    async def gather(values: list[Any]) -> list[Any]:
        return [*values, dict(current_task().headers)]

    @huey.task(name="nest")
    async def nest(values: list[Any]) -> int:
        return len(values)

    async with huey, huey.create_consumer():
        result = await huey.enqueue(chord([look.s(), look.s().then(look)], gather))
        assert await result == [{"stamp": "0"}, {"stamp": "1"}, {"stamp": "2"}]
        nested = await huey.enqueue(chord([chord([], nest), look.s()], nest))
        assert await nested == 2
    assert [len(calls.tasks) for calls in seen.calls] == [3, 3]
    assert seen.ids == [tuple(task.id for task in calls.tasks) for calls in seen.calls]


async def test_middleware_sees_whose_unique_key_it_is(huey: Huey) -> None:
    seen = Seen(huey)
    look = declare(huey)
    first = await look.options(unique="skip")(1)
    await look.options(unique="skip")(1)
    replaced = await look.options(unique="replace")(1)
    with pytest.raises(TaskNotUnique):
        await look.options(unique="raise")(1)
    assert seen.ids == [(first.id,), (first.id,), (replaced.id,), None]
    assert [type(error) for error in seen.errors] == [type(None)] * 3 + [TaskNotUnique]
    (pending,) = await huey.pending()
    assert pending.headers == {"stamp": "0"}


@both_kinds
async def test_error_before_the_write_is_the_callers_and_nothing_is_written(huey: Huey, is_async: bool) -> None:
    outer = Seen(huey, is_async)
    failing = Failing(huey, is_async, before=True)
    look = declare(huey)
    with pytest.raises(ValueError, match="before"):
        await look()
    with pytest.raises(ValueError, match="before"):
        await look.map([1, 2])
    with pytest.raises(ValueError, match="before"):
        await huey.enqueue(chord([look.s()], look))
    assert [str(error) for error in outer.errors] == ["before"] * 3
    assert await huey.count() == 0
    assert huey.unregister_around_enqueue(failing.middleware)
    assert not huey.unregister_around_enqueue(failing.middleware)
    await look()
    assert await huey.count() == 1


@both_kinds
async def test_error_after_the_write_is_logged_because_the_calls_are_there(
    huey: Huey, is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    Failing(huey, is_async, before=False)
    result = await declare(huey)()
    assert [task.id for task in await huey.pending()] == [result.id]
    (record,) = [record for record in caplog.records if record.name == "hueyio.client.around_enqueue"]
    assert "middleware failed after <Enqueue of 1: " in record.getMessage()
    assert "which stands" in record.getMessage()


class Failing:
    """Middleware that raises on its way in or out."""

    def __init__(self, huey: Huey, is_async: bool, before: bool) -> None:
        @contextmanager
        def sync(calls: Enqueue) -> Iterator[None]:
            if before:
                raise ValueError("before")
            yield
            raise ValueError("after")

        @asynccontextmanager
        async def on_loop(calls: Enqueue) -> AsyncIterator[None]:
            with sync(calls):
                yield

        self.middleware = huey.around_enqueue(on_loop if is_async else sync)


async def test_write_that_fails_is_seen_and_raised() -> None:
    huey = MemoryHuey("failing")
    seen = Seen(huey)
    look = declare(huey)
    core_of(huey).refuse_storage("it is away")
    with pytest.raises(Exception, match="it is away"):
        await look()
    assert [str(error) for error in seen.errors] == ["it is away"]
    assert seen.ids == [None]


async def test_header_that_middleware_sets_wrongly_is_refused(huey: Huey) -> None:
    @huey.around_enqueue
    @contextmanager
    def wrong(calls: Enqueue) -> Iterator[None]:
        calls.tasks[0].headers["number"] = 5  # type: ignore[assignment]
        yield

    with pytest.raises(TaskArgumentError, match="header 'number' must be a text, not 5"):
        await declare(huey)()
    assert await huey.count() == 0


@pytest.mark.parametrize("where", ["enter", "leave"])
async def test_enqueue_that_is_cancelled_inside_its_middleware_leaves_all(where: str) -> None:
    huey = MemoryHuey("cancelled")
    outer = Seen(huey)
    reached = asyncio.Event()

    @huey.around_enqueue
    @asynccontextmanager
    async def slow(calls: Enqueue) -> AsyncIterator[None]:
        if where == "enter":
            reached.set()
            await asyncio.Event().wait()
        yield
        reached.set()
        await asyncio.Event().wait()

    async with huey:
        sending = asyncio.ensure_future(declare(huey)())
        await reached.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert [type(error) for error in outer.errors] == [asyncio.CancelledError]
        assert await huey.count() == (where == "leave")


async def test_call_in_a_transaction_is_surrounded(tmp_path: Path) -> None:
    path = str(tmp_path / "app.db")
    async with SqliteHuey("app", filename=path) as huey:
        seen = Seen(huey)
        look = declare(huey)
        await huey.count()
        with closing(sqlite3.connect(path)) as connection, connection:
            result = await look.enqueue_in(connection, 1)
        (pending,) = await huey.pending()
        assert (pending.id, pending.headers) == (result.id, {"stamp": "0"})
        assert seen.ids == [(result.id,)]


async def test_immediate_mode_leaves_the_middleware_before_it_runs_the_task() -> None:
    huey = MemoryHuey("immediate", immediate=True)
    seen = Seen(huey)

    @huey.task(name="errors")
    async def errors() -> tuple[int, dict[str, str]]:
        return len(seen.errors), dict(current_task().headers)

    assert await (await errors()) == (1, {"stamp": "0"})
    assert [await it for it in await errors.map([(), ()])] == [(2, {"stamp": "0"}), (2, {"stamp": "1"})]


def test_blocking_call_is_surrounded() -> None:
    huey = MemoryHuey("blocking", immediate=True)
    seen = Seen(huey)
    assert declare(huey).sync().get() == {"stamp": "0"}
    assert seen.errors == [None]
    huey.sync.close()


async def test_periodic_call_is_surrounded_by_each_consumer_that_fires_it(huey: Huey) -> None:
    seen = Seen(huey)

    @huey.periodic_task(crontab())
    async def tick() -> None: ...

    @huey.periodic_task(crontab())
    async def tock() -> None: ...

    fleet = await Fleet.on(huey, 2)
    await fleet.step(NOON)
    pending = {task.id: task.headers for task in await huey.pending()}
    assert sorted(headers["stamp"] for headers in pending.values()) == ["0", "1"]
    ids = [id for calls in seen.calls for id in calls.enqueued or ()]
    assert sorted(id for id in ids if id is not None) == sorted(pending)
    assert len(ids) == 4


async def test_middleware_that_fails_costs_a_tick_and_no_consumer(huey: Huey, caplog: pytest.LogCaptureFixture) -> None:
    failing = Failing(huey, is_async=True, before=True)

    @huey.periodic_task(crontab())
    async def tick() -> None: ...

    fleet = await Fleet.on(huey)
    await fleet.step(NOON)
    assert await huey.count() == 0
    assert "cannot be enqueued" in caplog.text
    huey.unregister_around_enqueue(failing.middleware)
    await fleet.step(NOON + 60)
    assert await huey.count() == 1


async def test_storage_that_is_away_lets_a_surrounded_tick_be_tried_again(huey: Huey) -> None:
    away = [True]

    @huey.around_enqueue
    @contextmanager
    def refuse(calls: Enqueue) -> Iterator[None]:
        if away.pop():
            raise StorageUnavailable("away")
        yield

    @huey.periodic_task(crontab())
    async def tick() -> None: ...

    fleet = await Fleet.on(huey)
    with pytest.raises(StorageUnavailable):
        await fleet.step(NOON)
    away.append(False)
    await fleet.step(NOON + 1)
    assert await huey.count() == 1


# Headers that the calls of a body inherit.


@pytest.mark.parametrize("lane", ["loop", "thread", "hook"])
async def test_calls_of_a_body_inherit_the_listed_headers_only(make_huey: Callable[..., Huey], lane: str) -> None:
    huey = make_huey(propagate=("traceparent", "locale"))
    look = declare(huey)
    given = {"traceparent": "00-1", "locale": "de", "secret": "no"}

    @huey.task(name="on_loop")
    async def on_loop() -> list[Any]:
        own = look.options(headers={"locale": "fr"}).s()
        await huey.enqueue(own)
        plain = look.s().then(look)
        await huey.enqueue(plain)
        return [own.headers, plain.headers, plain.on_complete.headers]

    @huey.task(name="in_thread")
    def in_thread() -> list[Any]:
        own = look.options(headers={"locale": "fr"}).s()
        huey.sync.enqueue(own)
        plain = look.s().then(look)
        huey.sync.enqueue(plain)
        return [own.headers, plain.headers, plain.on_complete.headers]

    async with huey, huey.create_consumer(threads=2):
        listed = {"traceparent": "00-1", "locale": "de"}
        if lane == "hook":
            called: asyncio.Queue[Any] = asyncio.Queue()

            @huey.pre_execute()
            async def call(task: Any) -> None:
                if task.name == "on_loop":
                    called.put_nowait(await look())

            await on_loop.options(headers=given)()
            assert await (await called.get()) == listed
            return
        parent = await (on_loop if lane == "loop" else in_thread).options(headers=given)()
        assert await parent == [{"traceparent": "00-1", "locale": "fr"}, listed, {}]
        assert await (await look()) == {}
    if lane == "thread":
        await asyncio.to_thread(huey.sync.close)


async def test_members_and_callback_of_a_chord_in_a_body_inherit(huey: Huey) -> None:
    made = MemoryHuey("chord", propagate=["trace"])
    look = declare(made)

    @made.task(name="gather")
    async def gather(values: list[Any]) -> list[Any]:
        return [*values, dict(current_task().headers)]

    @made.task(name="parent")
    async def parent() -> Any:
        return await (await made.enqueue(chord([look.s(), look.s()], gather)))

    async with made, made.create_consumer():
        assert await (await parent.options(headers={"trace": "1", "x": "2"})()) == [{"trace": "1"}] * 3


async def test_schedule_that_a_body_adds_inherits_nothing() -> None:
    huey = MemoryHuey("schedules", propagate=("trace",))
    look = declare(huey)

    @huey.task(name="parent")
    async def parent() -> None:
        await huey.schedules().add("nightly", look, "0 3 * * *")

    async with huey, huey.create_consumer():
        await (await parent.options(headers={"trace": "1"})()).get(blocking=True)
        result = await huey.schedules().run_now("nightly")
        assert await result == {}


async def test_middleware_sees_what_was_inherited_and_has_the_last_word() -> None:
    huey = MemoryHuey("order", propagate=("stamp", "trace"))
    look = declare(huey)
    Seen(huey)

    @huey.task(name="parent")
    async def parent() -> Any:
        return await (await look())

    async with huey, huey.create_consumer():
        assert await (await parent.options(headers={"trace": "1", "stamp": "x"})()) == {"trace": "1", "stamp": "0"}


@pytest.mark.parametrize("keys", ["traceparent", 5, None, ("a", 1), {"a": "b"}])
def test_propagated_keys_that_are_no_texts_are_refused(keys: Any) -> None:
    with pytest.raises(ConfigurationError, match="propagate must be a tuple of the keys of headers"):
        MemoryHuey("propagate", propagate=keys)


# All of it in every lane.


@pytest.fixture
async def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """The module of the tasks, imported here on the storage that the pool processes use."""
    source = f"hueyio.SqliteHuey('p', filename={str(tmp_path / 'app.db')!r}, propagate=['tenant'])"
    monkeypatch.setenv("HUEYIO_TEST_HUEY", source)
    monkeypatch.setenv("HUEYIO_TEST_PID", str(os.getpid()))
    import tests.flow.middleware_app as module

    module = importlib.reload(module)
    core_of(module.huey).home = module.__name__
    async with module.huey, module.huey.create_consumer(pool=1, threads=1):
        yield module
    await module.huey.close()


async def test_trace_that_is_set_where_a_call_is_made_is_in_the_bodys_context_in_every_lane(app: Any) -> None:
    app.TRACE.set("00-1")
    for task in (app.on_loop, app.in_thread, app.in_process):
        assert await (await task()) == "00-1"


@pytest.mark.parametrize("lane", ["on_loop", "in_thread", "in_process"])
async def test_trace_of_a_fastapi_middleware_is_in_headers_context_and_log_of_each_lane(
    app: Any, lane: str, caplog: pytest.LogCaptureFixture
) -> None:
    web = FastAPI()

    @web.middleware("http")
    async def read_trace(request: Request, call_next: Callable[[Request], Any]) -> Any:
        app.TRACE.set(request.headers["traceparent"])
        return await call_next(request)

    @web.post("/")
    async def enqueue() -> str:
        result = await getattr(app, lane)()
        return f"{result.task.headers} {await result}"

    answer = await post(web, {"traceparent": "00-1"})
    assert answer == "{'trace': '00-1'} 00-1"
    (line,) = [record for record in caplog.records if record.getMessage() == "said on the way"]
    assert line.__dict__["trace"] == "00-1"


async def post(web: FastAPI, headers: dict[str, str]) -> Any:
    """Send one request to a web application, without a server; return the value of its answer."""
    body = b""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal body
        body += message.get("body", b"")

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
    }
    await web(scope, receive, send)
    return json.loads(body)


async def test_middleware_of_a_process_is_entered_again_in_its_main_thread(app: Any) -> None:
    app.TRACE.set("00-1")
    thread, pid = await (await app.thread_in_process())
    assert thread == "00-1 in MainThread"
    assert pid != os.getpid()


async def test_middleware_sees_what_a_process_raises_and_cannot_swallow_it(
    app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(TaskException, match="KeyError"):
        await (await app.fail())
    told = [record.process == os.getpid() for record in caplog.records if record.name == "middleware_app"]
    assert told == [False, True]


@pytest.mark.parametrize("in_child", [True, False])
async def test_middleware_that_refuses_fails_the_attempt_in_the_process_too(app: Any, in_child: bool) -> None:
    with pytest.raises(TaskException, match="refused in") as caught:
        await (await app.in_process.options(headers={"refuse": str(in_child)})())
    assert (str(os.getpid()) in str(caught.value)) is not in_child


async def test_calls_of_a_body_in_a_process_inherit_and_are_stamped(app: Any) -> None:
    app.TRACE.set("00-1")
    headers = await (await app.ask_child.options(headers={"tenant": "acme", "x": "y"})())
    own = headers.pop("own")
    assert headers == {"tenant": "acme", "trace": "00-1"}
    assert "'x': 'y'" in own
    (child,) = await app.huey.scheduled()
    assert child.headers == {"tenant": "acme", "trace": "00-1"}


@pytest.mark.parametrize("where", ["before", "after"])
async def test_middleware_that_does_not_return_has_a_limit_where_nobody_waits_for_the_call(
    where: str, caplog: pytest.LogCaptureFixture
) -> None:
    huey = MemoryHuey("limit")
    written: list[str] = []

    @huey.around_enqueue
    @asynccontextmanager
    async def hang(calls: Enqueue) -> AsyncIterator[None]:
        if where == "before":
            await asyncio.Event().wait()
        yield
        await asyncio.Event().wait()

    async def write() -> list[str | None]:
        written.append("written")
        return ["id"]

    async def enqueue() -> list[str | None]:
        return await write_inside(core_of(huey), [declare(huey).s()], write, lambda ids: ids, 0.01)

    if where == "before":
        with pytest.raises(HueyException, match=r"hang had not returned after 0.01 s, and nothing was enqueued"):
            await enqueue()
        assert written == []
    else:
        assert await enqueue() == ["id"]
        (record,) = [it for it in caplog.records if it.name == "hueyio.client.around_enqueue"]
        assert record.exc_info is not None
        assert "hang was left, and had not returned after 0.01 s" in str(record.exc_info[1])
