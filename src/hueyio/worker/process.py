"""One worker process: its apps, their consumers, and all that is around them.

Exit codes are those of ``exit_codes``. The order at the start: load the apps, log the banner, connect, free the locks
that the command line names, begin the leases, serve the probes, tell systemd and the supervisor. At a stop the
consumers end first, each in its own order, then the rest.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from hueyio.app import Huey
from hueyio.consumer import ConsumerOptions
from hueyio.exceptions import ConfigurationError, StorageDamaged, StorageError
from hueyio.storage.records import Lane
from hueyio.storage.shared.background import make_task
from hueyio.worker.banner import say_banner, say_stored
from hueyio.worker.exit_codes import EXIT_CRASHED
from hueyio.worker.garbage import Garbage
from hueyio.worker.leaving import STOP_MARGIN, Deadline, leave
from hueyio.worker.loading import load_huey
from hueyio.worker.loops import run
from hueyio.worker.options import WorkerOptions
from hueyio.worker.parent import Parent
from hueyio.worker.probes import Probes
from hueyio.worker.recycling import recycle_when_used_up
from hueyio.worker.reload import is_watched_inside, watch_inside
from hueyio.worker.start_signals import keep_pending
from hueyio.worker.status import Status
from hueyio.worker.surroundings import Surroundings
from hueyio.worker.systemd import notify, notify_reloading, ping_watchdog
from hueyio.worker.threads import DefaultThreads

__all__ = ["WorkerProcess"]

logger = logging.getLogger(__name__)

_ORPHAN_GRACE: Final = 5.0
"""Seconds that running tasks get when the supervisor is gone: nobody watches this process any more."""


_MOST_NAMED: Final = 100
"""Tasks that the last line of a crash names."""

_THREAD_TIME: Final = 2.0
"""Seconds that threads get to end after the tasks that started them."""

_CLOSE_TIME: Final = 2.0
"""Seconds that a session gets to end; it may wait for a storage that is away."""


class WorkerProcess:
    """Runs the consumers of one process until it is told to stop."""

    def __init__(self, paths: Sequence[str], limits: dict[str, Any], options: WorkerOptions) -> None:
        self._options = options
        shares = options.shares(len(paths))
        # Before the app can change how sockets are made.
        self._parent = Parent.find()
        self._surroundings = Surroundings()
        self._garbage = Garbage()
        self._apps = [(path, load_huey(path)) for path in paths]
        self._surroundings.mend()
        self._consumers = [
            huey.create_consumer(**_share(limits, share)) for (_, huey), share in zip(self._apps, shares, strict=True)
        ]
        for consumer in self._consumers:
            consumer.on_max_block = _exit_now
            consumer.beats_apart = True
            consumer.on_crash = self._crash
            consumer.after_hook = self._surroundings.mend
        self._restart = False
        self._stops = 0
        self._is_told = False
        """Whether somebody told this process to stop, by a signal or in another way."""
        self._starting: asyncio.Future[None] | None = None
        self._deadline = Deadline()
        self._open_sessions = 0
        """Sessions that did not end in time."""

    def run(self) -> int:
        """Run until told to stop; return the exit code. Raises ConfigurationError and StorageError of the start."""
        code = run(self._main(), self._options.loop, self._crash_if_unasked)
        if self._restart and code == 0:
            self._surroundings.start_anew()
        return code

    async def _main(self) -> int:
        threads = DefaultThreads()
        say_banner([(path, huey, it.options) for (path, huey), it in zip(self._apps, self._consumers, strict=True)])
        code = 0
        try:
            with self._signal_handlers():
                try:
                    if await self._start():
                        await self._serve()
                except (asyncio.CancelledError, Exception) as error:
                    self._crash_if_unasked(error)  # before anything is put back
                    raise
                finally:
                    await self._end()
                    if self._restart:
                        keep_pending()
        except StorageDamaged as error:
            logger.error("the worker ends: %s; exit code %d", error, EXIT_CRASHED)
            code = EXIT_CRASHED
        except (ConfigurationError, StorageError):
            raise
        except Exception:
            logger.exception("the worker crashed")
            code = EXIT_CRASHED
        stuck = sum(consumer.stuck for consumer in self._consumers)
        if left := await threads.wait_ended(self._deadline.left(_THREAD_TIME)):
            logger.error("%d threads that tasks started with asyncio.to_thread still run; they are left behind", left)
        logger.info("stopped")
        if stuck or left or self._open_sessions:
            # The end of the loop would wait for them, perhaps for ever.
            if self._restart:
                self._surroundings.start_anew()
            leave(EXIT_CRASHED if stuck or left else code)
        return code

    async def _start(self) -> bool:
        """Start all consumers; False if the worker was told to stop at once meanwhile."""
        self._starting = make_task(self._start_consumers())
        await asyncio.wait([self._starting])
        if self._starting.cancelled():
            return False
        self._starting.result()
        return True

    async def _start_consumers(self) -> None:
        await self._free_locks()
        for path, huey in self._apps:
            await say_stored(path, huey)
        self._garbage.calm()
        for consumer in self._consumers:
            await consumer.start()

    async def _free_locks(self) -> None:
        """Free what ``-f`` and ``-L`` name; only the first of several processes does: the others' tasks hold some."""
        extra = self._options.locks()
        if extra is None or not (self._parent is None or self._parent.is_first):
            return
        for huey in self._hueys():
            freed = await huey.flush_locks(*extra)
            logger.info("%s: freed %d locks: %s", huey.name, len(freed), ", ".join(sorted(freed)) or "none was held")

    async def _serve(self) -> None:
        """Consume until all consumers have stopped, or one crashed."""
        status = Status(asyncio.get_running_loop(), tuple(zip(self._hueys(), self._consumers, strict=True)))
        address = self._options.health_address()
        shared = self._parent is not None
        probes = None if address is None else Probes(*address, status, _metrics(status), shared=shared)
        if probes is not None:
            logger.info("probes on %s/live, /ready and /metrics", probes.url)
        beside = [make_task(ping_watchdog()), make_task(self._surroundings.watch())]
        if self._parent is not None:
            # Two answer at one port until this one has a successor; from then on only that one must.
            replaced = probes.close if probes is not None else lambda: None
            self._parent.listen(replaced, self._call_from_thread(self._stop_orphan))
            self._parent.say("ready")
            beside.append(make_task(recycle_when_used_up(status, self._options, self._parent)))
            if self._options.reload and is_watched_inside():
                watch_inside(partial(self._parent.say, "recycle"))
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
        closing = [asyncio.ensure_future(huey.close()) for huey in self._hueys()]
        _, left_open = await asyncio.wait(closing, timeout=self._deadline.left(_CLOSE_TIME))
        self._open_sessions = len(left_open)
        for session in left_open:
            session.cancel()
        for failed in [it for it in closing if it not in left_open and it.exception() is not None]:
            failed.result()

    def _hueys(self) -> list[Huey]:
        return [huey for _, huey in self._apps]

    # Told from outside

    def _signal_handlers(self) -> AbstractContextManager[None]:
        return self._surroundings.handling(
            {
                signal.SIGINT: lambda: self._stop_by_signal(signal.SIGINT),
                signal.SIGTERM: lambda: self._stop_by_signal(signal.SIGTERM),
                signal.SIGQUIT: lambda: self._stop_by_signal(signal.SIGQUIT),
                signal.SIGHUP: self._stop_to_restart,
                signal.SIGUSR1: self._log_running,
            }
        )

    def _stop_by_signal(self, number: signal.Signals) -> None:
        self._stops += 1
        self._restart = False
        notify("STOPPING=1")
        wanted = self._options.graceful_signal
        graceful = self._stops == 1 and number != signal.SIGQUIT and (wanted is None or number.name == f"SIG{wanted}")
        self._stop(graceful)  # first, so that who reads the line finds it stopping
        if graceful:
            logger.info("%s: finishing what runs; once more to stop at once", number.name)
        else:
            logger.info("%s: stopping at once", number.name)

    def _stop_to_restart(self) -> None:
        if self._parent is not None:
            logger.info("SIGHUP: to be replaced")
            self._parent.say("recycle")
        elif self._stops:
            logger.info("SIGHUP: already told to stop")
        elif not self._restart:
            logger.info("SIGHUP: finishing what runs, then starting anew")
            self._restart = True
            notify_reloading()
            self._stop(True)

    def _stop_orphan(self) -> None:
        logger.error("the supervisor is gone: stopping")
        self._stop(True)
        asyncio.get_running_loop().call_later(_ORPHAN_GRACE, self._stop, False)

    def _stop(self, graceful: bool) -> None:
        self._is_told = True
        timeout = max((it.options.shutdown_timeout for it in self._consumers), default=0.0) if graceful else 0.0
        self._deadline.set(timeout + STOP_MARGIN)
        if self._starting is not None:
            # At once, whatever it waits for, or when it takes as long as a task may.
            asyncio.get_running_loop().call_later(timeout, self._starting.cancel)
        for consumer in self._consumers:
            consumer.stop(graceful)

    def _crash_if_unasked(self, error: BaseException) -> None:
        """End this process now if bodies run and nobody asked for an end: a clean end would put them back uncounted."""
        if any(consumer.unfinished_tasks() and not consumer.is_stop_asked for consumer in self._consumers):
            self._crash(f"{type(error).__name__}: {error}".rstrip(": "), error)

    def _crash(self, reason: str, error: BaseException | None) -> None:
        """Leave what runs under the lease: when that is over it runs again, and the delivery counts.

        What runs now is what may have ended this process; in an endless loop of restarts nothing else would get on.
        """
        if self._is_told:
            return
        begun = [task for consumer in self._consumers for task in consumer.unfinished_tasks()]
        names = ", ".join(f"{task.path} {task.id}" for task in begun[:_MOST_NAMED])
        more = f" and {len(begun) - _MOST_NAMED} more" if len(begun) > _MOST_NAMED else ""
        is_explained = isinstance(error, (asyncio.CancelledError, StorageDamaged))
        logger.critical(
            "the worker ends, and nobody asked for that: %s; exit code %d; it was running %s%s",
            reason,
            EXIT_CRASHED,
            names or "nothing",
            more,
            exc_info=None if is_explained else error,
        )
        _exit_now()

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


def _metrics(status: Status) -> Callable[[], tuple[str, bytes]] | None:
    """Return what writes the metrics; None where the library for it is not installed."""
    if find_spec("prometheus_client") is None:
        return None
    metrics: Callable[[], tuple[str, bytes]] = import_module("hueyio.worker.metrics").make_metrics(status)
    return metrics


def _exit_now() -> None:
    """End this process from the watchdog's thread; the lease is given up, and the stacks are in the log."""
    leave(EXIT_CRASHED)


def _share(limits: dict[str, Any], share: float) -> dict[str, Any]:
    """Return one app's part of the limits; at least one of everything."""
    sizes = ConsumerOptions(**limits).sizes
    options: tuple[tuple[str, Lane], ...] = (("workers", "loop"), ("threads", "thread"), ("pool", "process"))
    return {**limits, **{name: max(1, round(sizes[lane] * share)) for name, lane in options}}
