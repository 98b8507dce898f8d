"""What a worker says when it starts: version, storage, tasks, schedules, limits; and what only the storage knows."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence

from hueyio.app import Huey
from hueyio.consumer import ConsumerOptions
from hueyio.core import core_of
from hueyio.storage.contract import Examined
from hueyio.version import VERSION

__all__ = ["say_banner", "say_stored"]

logger = logging.getLogger(__name__)


def say_banner(apps: Sequence[tuple[str, Huey, ConsumerOptions]]) -> None:
    """Log what is known before the storage is asked; no password is in it."""
    for line in _lines(apps):
        logger.info("%s", line)


async def say_stored(path: str, huey: Huey) -> None:
    """Log the stored schedules, and warn of tasks of Huey that the user may wait for in vain."""
    if stored := await huey.schedules().list():
        times = ", ".join(f"{it.name} ({it.times}{', paused' if it.paused else ''})" for it in stored)
        logger.info("%s: %d stored schedules: %s", path, len(stored), times)
    session = await core_of(huey).session()
    for warning in await session.find_tasks_of_huey() if isinstance(session, Examined) else ():
        logger.warning("%s: %s", path, warning)


def _lines(apps: Sequence[tuple[str, Huey, ConsumerOptions]]) -> list[str]:
    loop = type(asyncio.get_running_loop()).__module__.partition(".")[0]
    python = sys.version.split(maxsplit=1)[0]
    lines = [f"hueyio {VERSION}, Python {python}, {loop}"]
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
    sizes = limits.sizes
    return (
        f"{sizes['loop']} coroutine tasks, {sizes['thread']} threads and {sizes['process']} processes at a time, "
        f"lease {limits.lease:g} s, "
        f"{limits.shutdown_timeout:g} s to finish at a stop"
    )
