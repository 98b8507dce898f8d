"""Check-ins of periodic tasks: one for each run, whatever its attempts."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from sentry_sdk.crons import capture_checkin

from hueyio.tasks.declared import TaskSpec
from hueyio.tasks.task import Task
from hueyio.times.timetable import CrontabTimes

__all__ = ["check_in"]


def check_in(task: Task, spec: TaskSpec, status: Literal["in_progress", "ok", "error"], duration: float | None) -> None:
    """Say how a run of a periodic task is getting on; ``duration`` in seconds. All attempts are one check-in."""
    capture_checkin(
        monitor_slug=task.name,
        check_in_id=_hex_of(task.id),
        status=status,
        duration=duration,
        monitor_config=_config_of(spec),  # type: ignore[arg-type]
    )


def _hex_of(id: str) -> str | None:
    """Return an id as Sentry writes it; None for one that is no UUID, so that Sentry takes one of its own."""
    try:
        return UUID(id).hex
    except ValueError:
        return None


def _config_of(spec: TaskSpec) -> dict[str, Any] | None:
    """Describe when the task is due; None where Sentry cannot say it: seconds, or a function that is asked."""
    times = spec.timetable
    if not isinstance(times, CrontabTimes) or times.times.has_seconds:
        return None
    line = " ".join(str(times).split()[:5])
    zone = getattr(times.times.zone, "key", None) or "UTC"
    return {"schedule": {"type": "crontab", "value": line}, "timezone": zone}
