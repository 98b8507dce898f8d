"""What Sentry is told of enqueues and attempts. Each attempt has a scope of its own, so that nothing of two mixes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import sentry_sdk
from sentry_sdk.tracing import TransactionSource

from hueyio.contrib.sentry.monitors import check_in
from hueyio.core import Core
from hueyio.execution.outcome import ASKED
from hueyio.execution.policy import fails_for_good
from hueyio.execution.run_context import is_pool_process
from hueyio.tasks.enqueue import Enqueue
from hueyio.tasks.task import Task

__all__ = ["Reports"]

_ORIGIN = "auto.queue.hueyio"


class Reports:
    """Middleware of one Huey, for enqueues and attempts."""

    def __init__(self, core: Core, *, every_attempt: bool, arguments: bool, monitors: bool) -> None:
        self._core = core
        self._every_attempt = every_attempt
        self._arguments = arguments
        self._monitors = monitors

    @contextmanager
    def around_enqueue(self, calls: Enqueue) -> Iterator[None]:
        """Have a span while calls are written, and send its trace along."""
        name = calls.tasks[0].path if len(calls.tasks) == 1 else self._core.name
        with sentry_sdk.start_span(op="queue.publish", name=name, origin=_ORIGIN) as span:
            span.set_data("messaging.system", "hueyio")
            span.set_data("messaging.destination.name", self._core.name)
            if len(calls.tasks) == 1:
                span.set_data("messaging.message.id", calls.tasks[0].id)
            for key, value in sentry_sdk.get_current_scope().iter_trace_propagation_headers():
                for task in calls.tasks:
                    task.headers.setdefault(key, value)
            yield

    # On the loop, not in the thread of a body: a thread that is left behind at a time-out would not hear of it.
    @asynccontextmanager
    async def around_attempt(self, task: Task) -> AsyncIterator[None]:
        """Have a scope and a transaction for an attempt, and report how it failed, if that is for good."""
        with sentry_sdk.isolation_scope() as scope:
            scope.clear_breadcrumbs()
            self._describe(scope, task)
            if is_pool_process():  # the worker reports
                yield
                return
            transaction = sentry_sdk.continue_trace(
                dict(task.headers), op="queue.process", name=task.path, source=TransactionSource.TASK, origin=_ORIGIN
            )
            with sentry_sdk.start_transaction(transaction) as running:
                began = time.monotonic()
                self._check_in(task, "in_progress", None)
                try:
                    yield
                except BaseException as error:
                    self._report(task, error, time.monotonic() - began)
                    raise
                running.set_status("ok")
                self._check_in(task, "ok", time.monotonic() - began)

    def _report(self, task: Task, error: BaseException, duration: float) -> None:
        transaction = sentry_sdk.get_current_scope().transaction
        if isinstance(error, (*ASKED, asyncio.CancelledError)):
            if transaction is not None:
                transaction.set_status("aborted")
            return
        if transaction is not None:
            transaction.set_status("internal_error")
        is_final = fails_for_good(task, self._core.now())
        if is_final or self._every_attempt:
            sentry_sdk.capture_exception(error)
        if is_final:
            self._check_in(task, "error", duration)

    def _describe(self, scope: Any, task: Task) -> None:
        scope.set_transaction_name(task.path, source=TransactionSource.TASK)
        tags = {"hueyio.queue": self._core.name, "hueyio.task": task.path, "hueyio.task_id": task.id}
        for name, value in tags.items():
            scope.set_tag(name, value)
        about: dict[str, Any] = {"attempt": task.attempt + 1, "retries": task.retries}
        if self._arguments:
            about |= {"args": [repr(it)[:200] for it in task.args]}
            about |= {"kwargs": {name: repr(it)[:200] for name, it in task.kwargs.items()}}
        scope.set_context("hueyio", about)

    def _check_in(self, task: Task, status: Any, duration: float | None) -> None:
        if not self._monitors:
            return
        spec = self._core.registry.get(task.path)
        if spec is not None and spec.timetable is not None:
            check_in(task, spec, status, duration)
