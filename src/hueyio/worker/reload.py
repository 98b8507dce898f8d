"""Restart when a file of the app changes, for developers: watched by ``watchfiles`` (``hueyio[reload]``)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from hueyio.exceptions import ConfigurationError

__all__ = ["check_watcher", "restart_on_change"]

logger = logging.getLogger(__name__)


def check_watcher() -> None:
    """Raise ConfigurationError where the library is missing."""
    if find_spec("watchfiles") is None:
        raise ConfigurationError("--reload needs the library watchfiles: pip install 'hueyio[reload]'")


async def restart_on_change(folder: Path, restart: Callable[[], None]) -> None:
    """Call ``restart`` after each change of Python files below the folder, until cancelled."""
    logger.info("restarting when a Python file in %s changes", folder)
    watchfiles = import_module("watchfiles")  # an extra, looked for by `check_watcher`
    async for changes in watchfiles.awatch(folder, watch_filter=watchfiles.PythonFilter()):
        names = sorted({Path(path).name for _, path in changes})
        logger.info("%s changed", ", ".join(names[:5]) + (" ..." if len(names) > 5 else ""))
        restart()
