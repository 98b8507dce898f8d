"""Restart when a file of the app changes, for developers: watched by ``watchfiles`` (``hueyio[reload]``)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from hueyio.exceptions import ConfigurationError

try:
    from watchfiles import PythonFilter, awatch
except ImportError:  # an extra
    HAS_WATCHFILES = False
else:
    HAS_WATCHFILES = True

__all__ = ["check_watcher", "restart_on_change"]

logger = logging.getLogger(__name__)


def check_watcher() -> None:
    """Raise ConfigurationError where the library is missing."""
    if not HAS_WATCHFILES:
        raise ConfigurationError("--reload needs the library watchfiles: pip install 'hueyio[reload]'")


async def restart_on_change(folder: Path, restart: Callable[[], None]) -> None:
    """Call ``restart`` after each change of Python files below the folder, until cancelled."""
    logger.info("restarting when a Python file in %s changes", folder)
    async for changes in awatch(folder, watch_filter=PythonFilter(), stop_event=asyncio.Event()):
        names = sorted({Path(path).name for _, path in changes})
        logger.info("%s changed", ", ".join(names[:5]) + (" ..." if len(names) > 5 else ""))
        restart()
