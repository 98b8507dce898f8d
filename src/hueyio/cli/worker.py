"""``hueyio worker``: the consumers of apps in this process, or in several under a supervisor.

Ends with 0 after a graceful stop, else with one of ``exit_codes``.

Every option is also read from the environment: ``HUEYIO_WORKERS`` for ``--workers``. What the command line says wins.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from hueyio.cli.text import clean
from hueyio.core import DEFAULT_GRACE
from hueyio.exceptions import ConfigurationError, StorageError
from hueyio.storage.shared.background import make_task
from hueyio.worker.arguments import Arguments, add_options, read_arguments
from hueyio.worker.exit_codes import EXIT_CONFIGURATION, EXIT_CRASHED, EXIT_UNAVAILABLE
from hueyio.worker.logs import set_up_logging
from hueyio.worker.probes import check_free
from hueyio.worker.process import WorkerProcess
from hueyio.worker.process_one import leave_process_one
from hueyio.worker.reload import check_watcher, is_watched_inside, restart_on_change
from hueyio.worker.start_signals import StoppedAtStart, end_silently, handle_at_start
from hueyio.worker.supervisor import Supervisor

__all__ = ["run"]

logger = logging.getLogger(__name__)


def run(line: Sequence[str]) -> int:
    """Run ``hueyio worker ...`` and return the exit code; raises SystemExit as argparse does."""
    parser = argparse.ArgumentParser(
        prog="hueyio worker", description="Run the tasks of apps until it is told to stop."
    )
    add_options(parser)
    given = parser.parse_args(line[1:])
    leave_process_one()
    try:
        return _run(given, line)
    except ConfigurationError as error:
        return _refuse(error, EXIT_CONFIGURATION)
    except StorageError as error:
        return _refuse(error, EXIT_UNAVAILABLE)
    except Exception:  # a defect of hueyio's or of a storage's: for the log, and for no sys.excepthook of the app
        logger.exception("the worker crashed")
        return EXIT_CRASHED
    finally:
        end_silently()


def _refuse(error: Exception, code: int) -> int:
    logger.debug("", exc_info=error)
    lines = [*f"hueyio: {error}".split("\n"), *getattr(error, "__notes__", ())]
    print("\n".join(map(clean, lines)), file=sys.stderr)
    return code


def _run(given: argparse.Namespace, line: Sequence[str]) -> int:
    """Run until it is told to stop; raises ConfigurationError and StorageError of the start."""
    handle_at_start()
    try:
        read = read_arguments(given, os.environ, line)
        set_up_logging(read.worker)
        for remark in read.remarks:
            logger.warning("%s", remark)
        if read.needs_supervisor:
            return _supervise(read)
        return WorkerProcess(read.apps, read.limits, read.worker).run()
    except StoppedAtStart as signal:
        logger.info("%s: stopped before it ran", signal)
        return 0


def _supervise(read: Arguments) -> int:
    """Run the same command line in processes of its own."""
    watched = Path.cwd() if read.worker.reload and not is_watched_inside() else None
    if watched is not None:
        check_watcher()
    for address in read.addresses():
        check_free(*address)  # the processes could not tell: each shares its port with the one that it replaces
    supervisor = Supervisor(
        lambda place: [sys.executable, "-m", "hueyio", *read.for_child(place)],
        read.worker.processes,
        grace=float(read.limits.get("shutdown_timeout", DEFAULT_GRACE)),
        one_first=read.worker.locks() is not None,
    )
    return asyncio.run(_run_supervisor(supervisor, watched))


async def _run_supervisor(supervisor: Supervisor, watched: Path | None) -> int:
    watching = None if watched is None else make_task(restart_on_change(watched, supervisor.recycle_all))
    if watching is not None:
        watching.add_done_callback(_tell_failure)
    try:
        return await supervisor.run()
    finally:
        if watching is not None:
            watching.cancel()


def _tell_failure(watching: asyncio.Task[None]) -> None:
    if not watching.cancelled() and (error := watching.exception()) is not None:
        logger.error("files are not watched any more: %s", error)
