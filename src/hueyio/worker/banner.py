"""What a worker says when it starts: version, storage, tasks, schedules, limits."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Sequence
from importlib.metadata import version

from hueyio.app import Huey
from hueyio.consumer import ConsumerOptions
from hueyio.core import core_of

__all__ = ["banner"]


def banner(apps: Sequence[tuple[str, Huey, ConsumerOptions]]) -> list[str]:
    """Return the lines; no password is in them."""
    loop = type(asyncio.get_running_loop()).__module__.partition(".")[0]
    lines = [f"hueyio {version('hueyio')}, Python {platform.python_version()}, {loop}"]
    for path, huey, limits in apps:
        lines.append(f"{path}: {huey.name!r} in {huey.storage}")
        registry = core_of(huey).registry
        names = sorted(spec.path for spec in registry)
        lines.append(f"  {len(names)} tasks: {', '.join(names) or 'none; is the module that declares them imported?'}")
        times = sorted(f"{spec.path} ({spec.timetable})" for spec in registry if spec.timetable is not None)
        if times:
            lines.append(f"  {len(times)} of them periodic: {', '.join(times)}")
        lines.append(f"  {_describe(limits)}")
    return lines


def _describe(limits: ConsumerOptions) -> str:
    return (
        f"{limits.workers} coroutine tasks, {limits.threads} threads and {limits.pool} processes at a time, "
        f"lease {limits.lease:g} s, "
        f"{limits.shutdown_timeout:g} s to finish at a stop"
    )
