"""One worker process: its apps, their consumers, and all that is around them.

Exit codes are those of ``cli``. The order at the start: load the apps, log the banner, connect, begin the leases, serve
the probes, tell systemd and the supervisor. At a stop the consumers end first, each in its own order, then the rest.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from hueyio.app import Huey
from hueyio.consumer import ConsumerOptions
from hueyio.exceptions import ConfigurationError, StorageError
from hueyio.loading import load_huey
from hueyio.worker.banner import banner
from hueyio.worker.loops import run
from hueyio.worker.options import WorkerOptions
from hueyio.worker.parent import Parent
from hueyio.worker.probes import Probes
from hueyio.worker.recycling import recycle_when_used_up
from hueyio.worker.status import Status
from hueyio.worker.systemd import notify, watchdog_interval

__all__ = ["EXIT_CONFIGURATION", "EXIT_CRASHED", "EXIT_UNAVAILABLE", "WorkerProcess"]

logger = logging.getLogger(__name__)

EXIT_UNAVAILABLE: Final = 69
EXIT_CRASHED: Final = 70
EXIT_CONFIGURATION: Final = 78

_ORPHAN_GRACE: Final = 5.0
"""Seconds that running tasks get when the supervisor is gone: nobody watches this process any more."""


class WorkerProcess:
    """Runs the consumers of one process until it is told to stop."""

    def __init__(self, paths: Sequence[str], limits: dict[str, Any], options: WorkerOptions) -> None:
        self._options = options
        shares = options.shares(len(paths))
        self._apps = [(path, load_huey(path)) for path in paths]
        self._consumers = [
            huey.create_consumer(**_share(limits, share)) for (_, huey), share in zip(self._apps, shares, strict=True)
        ]
        for consumer in self._consumers:
            consumer.on_max_block = _exit_now
        self._parent = Parent.find()
        self._restart = False
        self._stops = 0

    def run(self) -> int:
        """Run until told to stop; return the exit code. Raises ConfigurationError and StorageError of the start."""
        code = run(self._main(), self._options.loop)
        if self._restart and code == 0:
            logger.info("starting anew")
            logging.shutdown()
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
        return code

    async def _main(self) -> int:
        self._say_banner()
        code = 0
        try:
            with self._signal_handlers():
                for consumer in self._consumers:
                    await consumer.start()
                await self._serve()
        except (ConfigurationError, StorageError):
            raise
        except Exception:
            logger.exception("the worker crashed")
            code = EXIT_CRASHED
        finally:
            await self._end()
        logger.info("stopped")
        if any(consumer.stuck for consumer in self._consumers):
            # The end of the loop would wait for them for ever.
            logging.shutdown()
            os._exit(EXIT_CRASHED)
        return code

    async def _serve(self) -> None:
        """Consume until all consumers have stopped, or one crashed."""
        status = Status(asyncio.get_running_loop(), tuple(zip(self._hueys(), self._consumers, strict=True)))
        address = self._options.health_address()
        probes = None if address is None else Probes(*address, status, _metrics(status))
        if probes is not None:
            logger.info("probes on http://%s:%d/live, /ready and /metrics", *probes.address)
        beside = [asyncio.create_task(_ping_systemd())]
        if self._parent is not None:
            self._parent.when_gone(self._call_from_thread(self._stop_orphan))
            self._parent.say("ready")
            beside.append(asyncio.create_task(recycle_when_used_up(status, self._options, self._parent)))
        notify("READY=1")
        try:
            async with asyncio.TaskGroup() as group:
                for consumer in self._consumers:
                    group.create_task(consumer.wait_stopped())
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            for each in beside:
                each.cancel()
            if probes is not None:
                await asyncio.to_thread(probes.close)

    async def _end(self) -> None:
        """Stop what still runs after a crash, and let go of the storages."""
        for consumer in self._consumers:
            consumer.stop(graceful=False)
        await asyncio.gather(*(it.wait_stopped() for it in self._consumers), return_exceptions=True)
        for huey in self._hueys():
            await huey.close()

    def _hueys(self) -> list[Huey]:
        return [huey for _, huey in self._apps]

    def _say_banner(self) -> None:
        apps = [(path, huey, it.options) for (path, huey), it in zip(self._apps, self._consumers, strict=True)]
        for line in banner(apps):
            logger.info("%s", line)

    # Told from outside

    @contextmanager
    def _signal_handlers(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        handlers: dict[signal.Signals, Callable[[], None]] = {
            signal.SIGINT: lambda: self._stop_by_signal(signal.SIGINT),
            signal.SIGTERM: lambda: self._stop_by_signal(signal.SIGTERM),
            signal.SIGHUP: self._stop_to_restart,
            signal.SIGUSR1: self._log_running,
        }
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        try:
            yield
        finally:
            for number in handlers:
                loop.remove_signal_handler(number)

    def _stop_by_signal(self, number: signal.Signals) -> None:
        self._stops += 1
        self._restart = False
        wanted = self._options.graceful_signal
        graceful = self._stops == 1 and (wanted is None or number.name == f"SIG{wanted}")
        if graceful:
            logger.info("%s: finishing what runs; once more to stop at once", number.name)
        else:
            logger.info("%s: stopping at once", number.name)
        self._stop(graceful)

    def _stop_to_restart(self) -> None:
        logger.info("SIGHUP: finishing what runs, then starting anew")
        self._restart = True
        self._stop(True)

    def _stop_orphan(self) -> None:
        logger.error("the supervisor is gone: stopping")
        self._stop(True)
        asyncio.get_running_loop().call_later(_ORPHAN_GRACE, self._stop, False)

    def _stop(self, graceful: bool) -> None:
        notify("STOPPING=1")
        for consumer in self._consumers:
            consumer.stop(graceful)

    def _log_running(self) -> None:
        for huey, consumer in zip(self._hueys(), self._consumers, strict=True):
            running = consumer.running_tasks()
            logger.info("%s: %d tasks run now, %d are held", huey.name, len(running), consumer.statistics().held)
            for task in running:
                logger.info("  %s %s in the %s lane for %.1f s", task.name, task.id, task.lane, task.seconds)

    def _call_from_thread(self, call: Callable[[], None]) -> Callable[[], None]:
        loop = asyncio.get_running_loop()

        def tell() -> None:
            try:
                loop.call_soon_threadsafe(call)
            except RuntimeError:
                return  # the loop has ended, and this process is about to

        return tell


async def _ping_systemd() -> None:
    """Tell systemd's watchdog that the loop moves, for as long as it does: nobody else runs this coroutine."""
    interval = watchdog_interval()
    while interval is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(interval)


def _metrics(status: Status) -> Callable[[], tuple[str, bytes]] | None:
    """Return what writes the metrics; None where the library for it is not installed."""
    if find_spec("prometheus_client") is None:
        return None
    metrics: Callable[[], tuple[str, bytes]] = import_module("hueyio.worker.metrics").make_metrics(status)
    return metrics


def _exit_now() -> None:
    """End this process from the watchdog's thread; the lease is given up, and the stacks are in the log."""
    logging.shutdown()
    os._exit(EXIT_CRASHED)


def _share(limits: dict[str, Any], share: float) -> dict[str, Any]:
    """Return one app's part of the limits; at least one of everything."""
    full = ConsumerOptions(**limits)
    parts = {name: max(1, round(getattr(full, name) * share)) for name in ("workers", "threads")}
    return {**limits, **parts}
