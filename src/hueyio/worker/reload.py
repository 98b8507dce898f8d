"""Restart when a file of the app changes, for developers: watched by ``watchfiles`` (``hueyio[reload]``).

``watchfiles`` looks at a folder, from the supervisor. A framework that has a reloader of its own, which knows what it
has imported, watches from inside of each process: the variable ``HUEYIO_RELOADER`` names its function.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from hueyio.exceptions import ConfigurationError

__all__ = ["RELOADER_VARIABLE", "check_watcher", "is_watched_inside", "restart_on_change", "watch_inside"]

logger = logging.getLogger(__name__)

RELOADER_VARIABLE: Final = "HUEYIO_RELOADER"
"""Names what watches in the worker's own processes, as ``module:function``. It is called in a thread, and calls what it
is given whenever a file has changed; it does not return."""


def check_watcher() -> None:
    """Raise ConfigurationError where the library is missing."""
    if find_spec("watchfiles") is None:
        raise ConfigurationError("--reload needs the library watchfiles: pip install 'hueyio[reload]'")


def is_watched_inside() -> bool:
    """Whether the worker's processes watch by themselves."""
    return RELOADER_VARIABLE in os.environ


async def restart_on_change(folder: Path, restart: Callable[[], None]) -> None:
    """Call ``restart`` after each change of Python files below the folder, until cancelled."""
    logger.info("restarting when a Python file in %s changes", folder)
    watchfiles = import_module("watchfiles")  # an extra, looked for by `check_watcher`
    async for changes in watchfiles.awatch(folder, watch_filter=watchfiles.PythonFilter()):
        names = sorted({Path(path).name for _, path in changes})
        logger.info("%s changed", ", ".join(names[:5]) + (" ..." if len(names) > 5 else ""))
        restart()


def watch_inside(restart: Callable[[], None]) -> None:
    """Have the named function watch, in a thread for as long as this process lives."""
    module, _, name = os.environ[RELOADER_VARIABLE].partition(":")
    watch: Callable[[Callable[[], None]], None] = getattr(import_module(module), name)

    def run() -> None:
        try:
            watch(restart)
        except Exception:  # a defect of the framework's: the worker goes on, and the developer is told
            logger.exception("files are not watched any more")

    threading.Thread(target=run, name="hueyio-reloader", daemon=True).start()
