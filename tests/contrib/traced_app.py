"""An app with spans and reports whose task runs in a process; the tests and the pool processes import it alike."""

from __future__ import annotations

import os

import sentry_sdk
from opentelemetry import trace

import hueyio
from hueyio.contrib import otel, sentry

huey: hueyio.Huey = eval(os.environ.get("HUEYIO_TEST_HUEY", "hueyio.MemoryHuey('traced')"))
otel.instrument(huey)
sentry.instrument(huey)


@huey.task(run_in="process")
def seen() -> tuple[str, object]:
    span = trace.get_current_span().get_span_context()
    return f"{span.trace_id:032x}", sentry_sdk.get_isolation_scope()._tags.get("hueyio.task")


@huey.task(run_in="process")
def fail() -> None:
    raise ValueError("in a process")
