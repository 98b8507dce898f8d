"""Events, transactions and check-ins of Sentry, with its SDK."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from hueyio import Huey, MemoryHuey, RetryTask, TaskException, crontab
from hueyio.contrib.sentry import instrument, uninstrument
from hueyio.testing import HueyQueue


class Inbox(Transport):
    """Where Sentry's client sends to: what it sent."""

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.sent: list[dict[str, Any]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        for item in envelope.items:
            payload = item.payload.json
            if isinstance(payload, dict):
                self.sent.append({"kind": item.type, **payload})

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [it for it in self.sent if it["kind"] == kind]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    inbox = Inbox()
    sentry_sdk.init(
        dsn="https://key@sentry.invalid/1",
        transport=inbox,
        traces_sample_rate=1.0,
        auto_enabling_integrations=False,
        enable_db_query_source=False,
    )
    yield inbox
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)


@pytest.fixture
def huey(inbox: Inbox) -> Huey:
    huey = MemoryHuey("shop")
    instrument(huey)
    return huey


def value_of(event: dict[str, Any]) -> str:
    return str(event["exception"]["values"][-1]["value"])


async def test_task_that_fails_for_good_is_one_event(huey: Huey, inbox: Inbox) -> None:
    @huey.task(name="charge", retries=2)
    async def charge() -> None:
        raise ValueError("no money")

    async with huey, huey.create_consumer():
        result = await charge()
        with pytest.raises(TaskException):
            await result
    (event,) = inbox.of("event")
    assert value_of(event) == "no money"
    assert event["tags"] == {"hueyio.queue": "shop", "hueyio.task": charge.path, "hueyio.task_id": result.id}
    assert event["contexts"]["hueyio"] == {"attempt": 3, "retries": 0}
    assert event["transaction"] == charge.path


async def test_every_attempt_is_an_event_when_asked_for(inbox: Inbox) -> None:
    huey = MemoryHuey("shop", immediate=True)
    instrument(huey, every_attempt=True, arguments=True)

    @huey.task(retries=2)
    async def charge(order: int, *, gift: bool) -> None:
        raise ValueError("no money")

    await charge(7, gift=True)
    events = inbox.of("event")
    assert [it["contexts"]["hueyio"]["attempt"] for it in events] == [1, 2, 3]
    assert events[0]["contexts"]["hueyio"]["args"] == ["7"]
    assert events[0]["contexts"]["hueyio"]["kwargs"] == {"gift": "True"}


@pytest.mark.parametrize("lane", ["coroutine", "thread"])
async def test_time_out_is_one_event(huey: Huey, inbox: Inbox, lane: str) -> None:
    release = threading.Event()

    async def hang() -> None:
        await asyncio.Event().wait()

    body: Any = hang if lane == "coroutine" else lambda: release.wait(20)
    stuck = huey.task(name="stuck", timeout=0.05)(body)
    async with huey, huey.create_consumer():
        try:
            with pytest.raises(TaskException):
                await (await stuck())
        finally:
            release.set()
    (event,) = inbox.of("event")
    assert event["exception"]["values"][-1]["type"] == "TaskTimeout"


async def test_tags_of_concurrent_tasks_do_not_mix(huey: Huey, inbox: Inbox) -> None:
    together = asyncio.Barrier(2)
    in_threads = threading.Barrier(2)

    @huey.task(name="loop")
    async def on_loop(who: str) -> None:
        await together.wait()
        sentry_sdk.set_tag("who", who)
        sentry_sdk.add_breadcrumb(message=who)
        await together.wait()
        raise ValueError(who)

    @huey.task(name="thread")
    def in_thread(who: str) -> None:
        in_threads.wait(20)
        sentry_sdk.set_tag("who", who)
        sentry_sdk.add_breadcrumb(message=who)
        in_threads.wait(20)
        raise ValueError(who)

    async with huey, huey.create_consumer():
        for task, names in ((on_loop, ("a", "b")), (in_thread, ("c", "d"))):
            results = await task.map(names)
            for result in results:
                with pytest.raises(TaskException):
                    await result
    events = inbox.of("event")
    assert {(it["tags"]["who"], value_of(it)) for it in events} == {(name, name) for name in "abcd"}
    for event in events:
        crumbs = [it["message"] for it in event["breadcrumbs"]["values"] if it.get("message") in list("abcd")]
        assert crumbs == [event["tags"]["who"]]
    assert sentry_sdk.get_isolation_scope()._tags.get("who") is None


async def test_what_a_body_asks_for_and_a_cancellation_are_no_events(huey: Huey, inbox: Inbox) -> None:
    asked = [RetryTask("later", delay=0)]
    begun = asyncio.Event()

    @huey.task(name="again")
    async def again() -> int:
        if asked:
            raise asked.pop()
        return 1

    @huey.task(name="endless")
    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    async with huey, huey.create_consumer():
        assert await (await again()) == 1
        result = await endless()
        await begun.wait()
        await result.cancel()
        with pytest.raises(TaskException):
            await result
    assert inbox.of("event") == []


async def test_attempts_are_transactions_in_the_trace_of_the_request(huey: Huey, inbox: Inbox) -> None:
    add = huey.task(name="add")(lambda: 1)
    async with huey, huey.create_consumer():
        with sentry_sdk.start_transaction(op="http.server", name="/order"):
            result = await add()
        assert await result == 1
    request, run = sorted(inbox.of("transaction"), key=lambda it: it["transaction"] == add.path)
    assert [it["op"] for it in request["spans"]] == ["queue.publish"]
    assert run["contexts"]["trace"]["op"] == "queue.process"
    assert run["contexts"]["trace"]["trace_id"] == request["contexts"]["trace"]["trace_id"]
    assert run["contexts"]["trace"]["parent_span_id"] == request["spans"][0]["span_id"]
    assert run["contexts"]["trace"]["status"] == "ok"


async def test_runs_of_periodic_tasks_are_check_ins(huey: Huey, inbox: Inbox) -> None:
    failures = [ValueError("once")]

    @huey.periodic_task(crontab(minute="0"), retries=1, retry_delay=60, name="hourly")
    async def hourly() -> None:
        if failures:
            raise failures.pop()

    @huey.periodic_task(crontab(minute="30"), name="broken")
    async def broken() -> None:
        raise ValueError("always")

    with HueyQueue(huey) as queue:
        await queue.advance(hours=1)
    told: dict[str, list[Any]] = {}
    for it in inbox.of("check_in"):
        told.setdefault(it["monitor_slug"], []).append(it)
    assert [it["status"] for it in told["hourly"]] == ["in_progress", "in_progress", "ok"]
    assert [it["status"] for it in told["broken"]] == ["in_progress", "error"]
    assert len({it["check_in_id"] for it in told["hourly"]}) == 1
    assert told["hourly"][0]["monitor_config"]["schedule"] == {"type": "crontab", "value": "0 * * * *"}
    assert [value_of(it) for it in inbox.of("event")] == ["always"]


async def test_instrument_is_once_and_can_be_taken_back(inbox: Inbox) -> None:
    huey = MemoryHuey("app", immediate=True)
    fail = huey.task(name="fail")(lambda: 1 / 0)
    instrument(huey)
    instrument(huey)
    await fail()
    assert len(inbox.of("event")) == 1
    uninstrument(huey)
    await fail()
    assert len(inbox.of("event")) == 1
