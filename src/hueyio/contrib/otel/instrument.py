"""Put spans and metrics around what a Huey enqueues and runs, and take them off again."""

from __future__ import annotations

from typing import Final
from weakref import WeakKeyDictionary

from opentelemetry import metrics, propagate, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace import TracerProvider

from hueyio.app import Huey
from hueyio.app.sync_huey import SyncHuey
from hueyio.contrib.otel.measures import Measures
from hueyio.contrib.otel.spans import Spans
from hueyio.hooks import AttemptMiddleware, EnqueueMiddleware
from hueyio.named_tuple import NamedTuple

__all__ = ["instrument", "uninstrument"]

_NAME: Final = "hueyio"
_SCHEMA: Final = "https://opentelemetry.io/schemas/1.30.0"


class _Around(NamedTuple):
    enqueues: list[EnqueueMiddleware]
    attempts: list[AttemptMiddleware]


_instrumented: Final[WeakKeyDictionary[Huey, _Around]] = WeakKeyDictionary()


def instrument(
    huey: Huey | SyncHuey,
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    propagator: TextMapPropagator | None = None,
) -> None:
    """Have spans and metrics of what ``huey`` enqueues and runs; what is on already stays as it is.

    The providers and the propagator are the global ones unless they are given. Call it where the Huey is made, so that
    producers, workers and pool processes do.

    Example::

        from hueyio.contrib.otel import instrument

        huey = SqliteHuey("app", filename="app.db")
        instrument(huey)
    """
    plain = huey.aio if isinstance(huey, SyncHuey) else huey
    if plain in _instrumented:
        return
    tracer = trace.get_tracer(_NAME, tracer_provider=tracer_provider, schema_url=_SCHEMA)
    meter = metrics.get_meter(_NAME, meter_provider=meter_provider, schema_url=_SCHEMA)
    spans = Spans(plain.name, tracer, propagate.get_global_textmap() if propagator is None else propagator)
    measures = Measures(plain.name, meter)
    around = _Around([spans.around_enqueue, measures.around_enqueue], [spans.around_attempt, measures.around_attempt])
    for enqueue in around.enqueues:
        plain.around_enqueue(enqueue)
    for attempt in around.attempts:
        plain.around_attempt(attempt)
    _instrumented[plain] = around


def uninstrument(huey: Huey | SyncHuey) -> None:
    """Take off what ``instrument`` has put on; do nothing if there is nothing."""
    plain = huey.aio if isinstance(huey, SyncHuey) else huey
    around = _instrumented.pop(plain, None)
    if around is None:
        return
    for enqueue in around.enqueues:
        plain.unregister_around_enqueue(enqueue)
    for attempt in around.attempts:
        plain.unregister_around_attempt(attempt)
