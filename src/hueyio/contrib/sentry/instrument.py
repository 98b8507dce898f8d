"""Report what fails in a Huey's tasks to Sentry, with a transaction for each attempt, and take that off again."""

from __future__ import annotations

from typing import Final
from weakref import WeakKeyDictionary

from sentry_sdk.integrations.logging import ignore_logger

from hueyio.app import Huey
from hueyio.app.sync_huey import SyncHuey
from hueyio.contrib.sentry.reports import Reports
from hueyio.core import core_of
from hueyio.execution.run_log import run_logger

__all__ = ["instrument", "uninstrument"]

_instrumented: Final[WeakKeyDictionary[Huey, Reports]] = WeakKeyDictionary()


def instrument(
    huey: Huey | SyncHuey, *, every_attempt: bool = False, arguments: bool = False, monitors: bool = True
) -> None:
    """Have Sentry told of the tasks of ``huey``; what is on already stays as it is.

    One event is sent for each task that has failed for good or timed out; with ``every_attempt`` one for each attempt
    that failed. ``arguments`` adds the call's arguments to it, in short form. With ``monitors`` each run of a periodic
    task is a check-in of a monitor that has the task's name. Call it where the Huey is made, after or before
    ``sentry_sdk.init``, so that producers, workers and pool processes do.

    Example::

        import sentry_sdk
        from hueyio.contrib.sentry import instrument

        sentry_sdk.init(dsn="...", traces_sample_rate=0.1)
        huey = SqliteHuey("app", filename="app.db")
        instrument(huey)
    """
    plain = huey.aio if isinstance(huey, SyncHuey) else huey
    if plain in _instrumented:
        return
    # The end of a task is an event already; its line in the log must not be another.
    ignore_logger(run_logger.name)
    reports = Reports(core_of(plain), every_attempt=every_attempt, arguments=arguments, monitors=monitors)
    plain.around_enqueue(reports.around_enqueue)
    plain.around_attempt(reports.around_attempt)
    _instrumented[plain] = reports


def uninstrument(huey: Huey | SyncHuey) -> None:
    """Take off what ``instrument`` has put on; do nothing if there is nothing."""
    plain = huey.aio if isinstance(huey, SyncHuey) else huey
    reports = _instrumented.pop(plain, None)
    if reports is not None:
        plain.unregister_around_enqueue(reports.around_enqueue)
        plain.unregister_around_attempt(reports.around_attempt)
