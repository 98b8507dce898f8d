"""Spans and metrics of OpenTelemetry, with its SDK."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from hueyio import Huey, MemoryHuey, Result, RetryTask, TaskException, chord
from hueyio.contrib.otel import instrument, uninstrument


class Collector:
    """What OpenTelemetry was told."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self._reader = InMemoryMetricReader()
        self.meters = MeterProvider(metric_readers=[self._reader])

    def spans(self, name: str = "") -> list[ReadableSpan]:
        """Return the ended spans whose names begin so, in the order in which they began."""
        found = [it for it in self._exporter.get_finished_spans() if it.name.startswith(name)]
        return sorted(found, key=lambda it: it.start_time or 0)

    def points(self) -> dict[str, list[Any]]:
        """Return the data points of each metric."""
        data = self._reader.get_metrics_data()
        assert data is not None
        metrics = data.resource_metrics[0].scope_metrics[0].metrics
        return {it.name: list(it.data.data_points) for it in metrics}


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.tracers.shutdown()
    collector.meters.shutdown()


@pytest.fixture
def huey(collector: Collector) -> Huey:
    huey = MemoryHuey("test")
    instrument(huey, tracer_provider=collector.tracers, meter_provider=collector.meters)
    return huey


def trace_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.trace_id)


def is_child(span: ReadableSpan, of: ReadableSpan) -> bool:
    return span.parent is not None and of.context is not None and span.parent.span_id == of.context.span_id


async def test_request_attempts_and_what_follows_are_one_trace(huey: Huey, collector: Collector) -> None:
    failures = [ValueError("once")]

    @huey.task(retries=1, name="charge")
    async def charge(order: int) -> int:
        if failures:
            raise failures.pop()
        await remind(order)
        return order

    @huey.task(name="pack")
    def pack(order: int) -> int:
        return order

    @huey.task(name="remind")
    async def remind(order: int) -> None: ...

    async with huey, huey.create_consumer():
        with collector.tracers.get_tracer("web").start_as_current_span("request"):
            results = await huey.enqueue(charge.s(7).then(pack))
        assert await results[1] == 7
        await until_ended(collector, "process", 4)
    (request,) = collector.spans("request")
    assert {trace_of(it) for it in collector.spans()} == {trace_of(request)}
    enqueues, attempts = collector.spans("enqueue"), collector.spans("process")
    assert is_child(enqueues[0], request)
    failed, charged, *followed = attempts
    assert [failed.name, charged.name] == [f"process {charge.path}"] * 2
    assert {it.name for it in followed} == {f"process {pack.path}", f"process {remind.path}"}
    assert is_child(failed, enqueues[0])
    assert is_child(charged, enqueues[0])
    assert is_child(enqueues[1], charged)
    assert failed.status.status_code is StatusCode.ERROR
    assert charged.status.status_code is StatusCode.UNSET
    assert [it.name for it in failed.events] == ["exception"]
    assert [(it.attributes or {})["hueyio.task.attempt"] for it in (failed, charged)] == [1, 2]


async def test_members_callbacks_and_batches_are_in_the_trace(huey: Huey, collector: Collector) -> None:
    @huey.task(name="member")
    async def member(number: int) -> int:
        return number

    @huey.task(name="total")
    async def total(numbers: list[int]) -> int:
        return sum(numbers)

    async with huey, huey.create_consumer():
        with collector.tracers.get_tracer("web").start_as_current_span("request"):
            added = await huey.enqueue(chord([member.s(1), member.s(2)], total.s()))
            mapped = await member.map([3, 4])
        assert (await added, await mapped) == (3, [3, 4])
        await until_ended(collector, "process", 5)
    (request,) = collector.spans("request")
    of_chord, of_map = collector.spans("enqueue")
    assert [(it.attributes or {})["messaging.batch.message_count"] for it in (of_chord, of_map)] == [3, 2]
    assert is_child(of_chord, request)
    assert is_child(of_map, request)
    attempts = collector.spans("process")
    assert {trace_of(it) for it in attempts} == {trace_of(request)}
    one, callback = f"process {member.path}", f"process {total.path}"
    assert sorted(it.name for it in attempts if is_child(it, of_chord)) == [one, one, callback]
    assert [it.name for it in attempts if is_child(it, of_map)] == [one, one]


async def until_ended(collector: Collector, name: str, count: int) -> None:
    """Wait until so many spans have ended: the last one does when its result is there already."""
    async with asyncio.timeout(20):
        while len(collector.spans(name)) < count:  # noqa: ASYNC110  # nothing tells of the end of a span
            await asyncio.sleep(0.01)


async def test_spans_have_the_attributes_of_the_conventions(huey: Huey, collector: Collector) -> None:
    add = huey.task(name="add")(lambda a: a)
    async with huey, huey.create_consumer():
        result: Result[int] = await add(1)
        assert await result == 1
        await add.map([1, 2, 3])
        await until_ended(collector, "process", 4)
    one, many = collector.spans("enqueue")
    plain = {"messaging.system": "hueyio", "messaging.destination.name": huey.name}
    sent = {"messaging.operation.name": "enqueue", "messaging.operation.type": "send"}
    assert dict(one.attributes or {}) == {
        **plain,
        **sent,
        "messaging.message.id": result.id,
        "hueyio.task.name": add.path,
    }
    assert dict(many.attributes or {}) == {**plain, **sent, "messaging.batch.message_count": 3}
    (taken,) = (it for it in collector.spans("process") if is_child(it, one))
    assert dict(taken.attributes or {}) == {
        **plain,
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.message.id": result.id,
        "hueyio.task.name": add.path,
        "hueyio.task.attempt": 1,
    }
    assert (one.kind, taken.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert len([it for it in collector.spans("process") if is_child(it, many)]) == 3


async def test_call_with_a_context_of_its_own_keeps_it(huey: Huey, collector: Collector) -> None:
    add = huey.task(name="add")(lambda: 1)
    given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with huey, huey.create_consumer():
        assert await (await add.options(headers={"traceparent": given})()) == 1
        await until_ended(collector, "process", 1)
    (sent,), (taken,) = collector.spans("enqueue"), collector.spans("process")
    assert f"{trace_of(taken):032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert [f"{it.context.span_id:016x}" for it in sent.links] == ["b7ad6b7169203331"]


@pytest.mark.parametrize("lane", ["coroutine", "thread", "loop"])
async def test_body_sees_the_span_in_every_lane(huey: Huey, collector: Collector, lane: str) -> None:
    options: Any = {} if lane == "coroutine" else {"run_in": lane}
    body: Any = seen_in_coroutine if lane == "coroutine" else seen_trace
    seen = huey.task(name="seen", **options)(body)
    async with huey, huey.create_consumer():
        found = await (await seen())
        await until_ended(collector, "process", 1)
    (taken,) = collector.spans("process")
    assert found == f"{trace_of(taken):032x}"


def seen_trace() -> str:
    return f"{trace.get_current_span().get_span_context().trace_id:032x}"


async def seen_in_coroutine() -> str:
    await asyncio.sleep(0)
    return seen_trace()


async def test_time_out_of_a_thread_is_an_error(huey: Huey, collector: Collector) -> None:
    release = threading.Event()
    stuck = huey.task(name="stuck", timeout=0.05)(lambda: release.wait(20))
    async with huey, huey.create_consumer():
        try:
            with pytest.raises(TaskException):
                await (await stuck())
            await until_ended(collector, "process", 1)
        finally:
            release.set()
    (taken,) = collector.spans("process")
    assert taken.status.status_code is StatusCode.ERROR
    assert (taken.attributes or {})["error.type"] == "TaskTimeout"


async def test_what_a_body_asks_for_is_no_error(huey: Huey, collector: Collector) -> None:
    asked = [RetryTask("later", delay=0)]

    @huey.task(name="again")
    async def again() -> int:
        if asked:
            raise asked.pop()
        return 1

    async with huey, huey.create_consumer():
        assert await (await again()) == 1
        await until_ended(collector, "process", 2)
    first, second = collector.spans("process")
    assert first.status.status_code is second.status.status_code is StatusCode.UNSET
    assert [it.name for it in first.events] == ["RetryTask"]


async def test_metrics_count_and_time_what_happens(huey: Huey, collector: Collector) -> None:
    @huey.task(name="charge")
    async def charge(fails: bool) -> int:
        if fails:
            raise ValueError
        return 1

    async with huey, huey.create_consumer():
        await (await charge.map([False, False]))
        with pytest.raises(TaskException):
            await (await charge(True))
        await until_ended(collector, "process", 3)
    points = collector.points()
    sent = {(dict(it.attributes).get("hueyio.task.name"), it.value) for it in points["messaging.client.sent.messages"]}
    assert sent == {(None, 2), (charge.path, 1)}
    assert sum(it.value for it in points["messaging.client.consumed.messages"]) == 3
    runs = {it.attributes.get("error.type"): it.count for it in points["messaging.process.duration"]}
    assert runs == {None: 2, "ValueError": 1}
    assert sum(it.count for it in points["messaging.client.operation.duration"]) == 2


async def test_instrument_is_once_and_can_be_taken_back(collector: Collector) -> None:
    huey = MemoryHuey("app", immediate=True)
    add = huey.task(name="add")(lambda: 1)
    instrument(huey, tracer_provider=collector.tracers)
    instrument(huey, tracer_provider=collector.tracers)
    await add()
    assert len(collector.spans()) == 2
    uninstrument(huey)
    uninstrument(huey)
    await add()
    assert len(collector.spans()) == 2
