"""A span around each enqueue and each attempt; the context of the first travels in the headers of the call.

An attempt's span is a child of the one that enqueued its task, so that a request, all attempts of what it enqueued, the
later stages of its pipelines and what their bodies enqueue are one trace. Calls that come with a context of their own
keep it, and the span of their enqueue links to it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from opentelemetry import context, trace
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer

from hueyio.contrib.otel.names import ERROR_TYPE, of_attempt, of_enqueue
from hueyio.execution.outcome import ASKED
from hueyio.execution.run_context import is_pool_process
from hueyio.tasks.enqueue import Enqueue
from hueyio.tasks.task import Task

__all__ = ["Spans"]


class Spans:
    """Middleware of one Huey, for enqueues and attempts."""

    def __init__(self, queue: str, tracer: Tracer, propagator: TextMapPropagator) -> None:
        self._queue = queue
        self._tracer = tracer
        self._propagator = propagator

    @contextmanager
    def around_enqueue(self, calls: Enqueue) -> Iterator[None]:
        """Have a span while calls are written, and send its context along."""
        links = [Link(span.get_span_context()) for task in calls.tasks if (span := self._span_of(task)) is not None]
        with self._tracer.start_as_current_span(
            f"enqueue {self._queue}",
            kind=SpanKind.PRODUCER,
            attributes=of_enqueue(self._queue, calls.tasks),
            links=links,
        ):
            carrier: dict[str, str] = {}
            self._propagator.inject(carrier)  # pyright: ignore[reportArgumentType]  # OpenTelemetry's own default
            for task in calls.tasks:
                for key, value in carrier.items():
                    task.headers.setdefault(key, value)
            yield

    # On the loop, not in the thread of a body: a thread that is left behind at a time-out would not hear of it.
    @asynccontextmanager
    async def around_attempt(self, task: Task) -> AsyncIterator[None]:
        """Have a span while a task is run, below that of its enqueue.

        In a pool process only the context is set: the worker has the span.
        """
        parent = self._propagator.extract(task.headers, context=context.get_current())
        if is_pool_process():
            token = context.attach(parent)
            try:
                yield
            finally:
                context.detach(token)
            return
        with self._tracer.start_as_current_span(
            f"process {task.path}",
            context=parent,
            kind=SpanKind.CONSUMER,
            attributes=of_attempt(self._queue, task),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as error:
                _note(span, error)
                raise

    def _span_of(self, task: Task) -> Span | None:
        """Return the span whose context a call came with."""
        if not task.headers:
            return None
        span = trace.get_current_span(self._propagator.extract(task.headers, context=context.Context()))
        return span if span.get_span_context().is_valid else None


def _note(span: Span, error: BaseException) -> None:
    """Write down how an attempt ended that did not return."""
    name = type(error).__qualname__
    if isinstance(error, ASKED):
        span.add_event(name, {"message": str(error)})
        return
    span.set_attribute(ERROR_TYPE, name)
    span.record_exception(error)
    span.set_status(Status(StatusCode.ERROR, f"{name}: {error}"))
