"""An app that changes all that it can in its process: at import, in a start-up hook, or in a task."""

from __future__ import annotations

import asyncio
import logging
import logging.config
import os
import signal
import socket
import sys
import tempfile
import threading
import time
import warnings

import hueyio
from tests.support.patience import until

WHEN = os.environ.get("HUEYIO_TEST_CHANGE", "")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)


def leave(*_: object) -> None:
    os._exit(99)


def change() -> None:
    logging.config.dictConfig({"version": 1})  # which disables all loggers that there are
    warnings.simplefilter("error")
    sys.excepthook = threading.excepthook = leave
    socket.setdefaulttimeout(0.01)
    os.chdir("/")
    os.environ["HUEYIO_WORKERS"] = "many"
    for number in SIGNALS:
        signal.signal(number, leave)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


if WHEN == "import":
    change()

huey: hueyio.Huey = eval(os.environ["HUEYIO_TEST_HUEY"])

if WHEN == "hook":

    @huey.on_startup()
    async def change_at_start() -> None:
        change()
        raise ValueError("the hook failed")


@huey.task
async def change_all() -> None:
    """Change all, and wait until the worker has noticed."""
    change()
    with tempfile.TemporaryDirectory() as folder:  # which is gone when the worker leaves it
        os.chdir(folder)

    async def is_mended() -> bool:
        return signal.getsignal(signal.SIGTERM) is not leave

    await until(is_mended)


@huey.task
async def fail() -> None:
    raise ValueError("no money")


@huey.task(run_in="process")
def compute() -> int:
    time.sleep(0.05)  # longer than the timeout of sockets
    return os.getpid()


@huey.task
async def rest() -> tuple[str, object, object]:
    await asyncio.sleep(0.05)
    return os.getcwd(), signal.getsignal(signal.SIGPIPE), signal.getsignal(signal.SIGCHLD)
