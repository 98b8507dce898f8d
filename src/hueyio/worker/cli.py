"""The command line: ``python -m hueyio worker app:huey``, also as ``hueyio worker app:huey``.

Exit codes: 0 after a graceful stop; 2 for a wrong command line; 69 if the storage cannot be used at start; 70 if
the worker crashed, was blocked for too long, or left tasks behind that ignore their cancellation; 78 if the app cannot
be loaded or is set up wrongly.

Every option is also read from the environment: ``HUEYIO_WORKERS`` for ``--workers``. What the command line says wins.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from hueyio.exceptions import ConfigurationError, StorageError
from hueyio.worker.arguments import Arguments, make_parser, read_arguments
from hueyio.worker.logs import set_up_logging
from hueyio.worker.probes import check_free
from hueyio.worker.process import EXIT_CONFIGURATION, EXIT_UNAVAILABLE, WorkerProcess
from hueyio.worker.reload import check_watcher, restart_on_change
from hueyio.worker.start_signals import StoppedAtStart, handle_at_start
from hueyio.worker.supervisor import Supervisor

__all__ = ["main"]

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    line = sys.argv[1:] if arguments is None else list(arguments)
    given = make_parser().parse_args(line)
    handle_at_start()
    try:
        read = read_arguments(given, os.environ, line)
        set_up_logging(read.worker)
        for remark in read.remarks:
            logger.warning("%s", remark)
        if read.needs_supervisor:
            return _supervise(read)
        return WorkerProcess(read.apps, read.limits, read.worker).run()
    except ConfigurationError as error:
        return _refuse(error, EXIT_CONFIGURATION)
    except StorageError as error:
        return _refuse(error, EXIT_UNAVAILABLE)
    except StoppedAtStart as signal:
        logger.info("%s: stopped before it ran", signal)
        return 0


def _supervise(read: Arguments) -> int:
    """Run the same command line in processes of its own."""
    if read.worker.reload:
        check_watcher()
    for address in read.addresses():
        check_free(*address)  # the processes could not tell: each shares its port with the one that it replaces
    supervisor = Supervisor(
        lambda place: [sys.executable, "-m", "hueyio", *read.for_child(place)],
        read.worker.processes,
        one_first=read.worker.locks() is not None,
    )
    return asyncio.run(_run(supervisor, Path.cwd() if read.worker.reload else None))


async def _run(supervisor: Supervisor, watched: Path | None) -> int:
    watching = None if watched is None else asyncio.create_task(restart_on_change(watched, supervisor.recycle_all))
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


def _refuse(error: Exception, code: int) -> int:
    logger.debug("", exc_info=error)
    print(f"hueyio: {error}", file=sys.stderr)
    return code
