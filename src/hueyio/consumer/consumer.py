"""The consumer: a composition of small services, and the order in which they stop.

::

                 ┌────────── room per lane ────────┐
    storage ─claim─► Fetcher ─► Dispatcher ─► Slots xN ─► Executor ─► policy ─► Settler ─settle─► storage
                                   └─ revoked, expired, unreadable ─────────────────┘
    Scheduler: promotes     Heartbeat: own thread     Reaper: gives up the dead     Listener: notices
    Isolator: makes way for suspects    Ticker: fires periodic tasks    Publisher: tells what the Tally counted
    Unloader: gives back what a long body holds up

Stop order: (1) the feeders stop, a claim under way is let finish; (2) what was not started goes back by Release;
(3) running bodies get ``shutdown_timeout`` seconds, then are cancelled; (4) the settler drains; (5) the heartbeat
stops last, so that a long drain keeps its lease; (6) the owner deregisters. An immediate stop goes straight to
the cancelling in (3). ``stop_times.py`` bounds each part: the whole takes ``shutdown_timeout`` and some seconds, also
while the storage is away. What is cut short goes back with the lease, or when that is over.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from types import TracebackType
from typing import Any, Final, Literal

from hueyio.consumer.dispatcher import Dispatcher
from hueyio.consumer.fetcher import Fetcher
from hueyio.consumer.fleet import Fleet
from hueyio.consumer.heartbeat import HeartbeatOptions
from hueyio.consumer.introduction import introduce
from hueyio.consumer.isolator import Isolator
from hueyio.consumer.lease import Lease
from hueyio.consumer.ledger import Ledger
from hueyio.consumer.listener import Listener
from hueyio.consumer.loans import Loans
from hueyio.consumer.names import names_of
from hueyio.consumer.options import ConsumerOptions
from hueyio.consumer.os_signals import stop_signals
from hueyio.consumer.outage import Outage
from hueyio.consumer.presence import describe_presence
from hueyio.consumer.publisher import Publisher
from hueyio.consumer.reaper import Reaper
from hueyio.consumer.scheduler import Scheduler
from hueyio.consumer.service import Service
from hueyio.consumer.settler import Settler
from hueyio.consumer.slots import Slots
from hueyio.consumer.statistics import RunningTask, State, Statistics
from hueyio.consumer.stop_times import StopTimes
from hueyio.consumer.stuck import Stuck
from hueyio.consumer.tally import Tally, TaskTally
from hueyio.consumer.ticker import Ticker
from hueyio.consumer.unloader import Unloader
from hueyio.consumer.watchdog import LoopWatch, Watchdog, watch_loop
from hueyio.control.stage_knowledge import all_know_stages
from hueyio.core import Core
from hueyio.exceptions import HueyException, SerializationError, SessionClosed
from hueyio.execution.ended_jobs import EndedJobs
from hueyio.execution.executor import Executor
from hueyio.execution.intake import Intake
from hueyio.execution.job import Job
from hueyio.execution.outcome import Failed, Interrupted
from hueyio.execution.pool import ProcessPool
from hueyio.execution.process_lane import ProcessLane
from hueyio.execution.recorder import Recorder
from hueyio.execution.run_context import RunContext, is_pool_process
from hueyio.execution.run_log import tell_untaken
from hueyio.execution.runner import Runner
from hueyio.execution.thread_lane import ThreadLane
from hueyio.handles.awaited import awaited
from hueyio.loops.inside_anyio import import_anyio
from hueyio.storage.contract import Restricted, Session
from hueyio.storage.records import LANES, Bury, Lane, Owner, Release
from hueyio.storage.shared.background import begin_later, make_task
from hueyio.tasks.log_fields import log_about
from hueyio.tasks.task import Task
from hueyio.tasks.unawaited import Unawaited

__all__ = ["Consumer"]

logger = logging.getLogger(__name__)

_LAST_CANCEL: Final = 0.1
"""Seconds in which what is cancelled at the very end has to end; it waits for the storage, or hangs."""

_MOST_NAMED: Final = 10
"""Tasks that are named to the process that sends the heartbeats."""

_LONGEST_REFUSAL: Final = 60.0
"""Seconds between two tries to give back a task of which the storage takes nothing."""


class Consumer:
    """Runs the tasks of one Huey in the running loop.

    ``async with huey.create_consumer():`` embeds it, ``await consumer.run()`` runs it until ``stop``. Neither touches
    signal handlers unless asked to. One consumer is used once.
    """

    def __init__(self, core: Core, options: ConsumerOptions) -> None:
        core.registry.check_types()
        self.options = options
        self._core = core
        self._pool = ProcessPool(core.name, core.home, max_calls=options.pool_max_tasks)
        mixed_deploys = core.storage.capabilities.across_processes
        self._executor = Executor(core, pool=self._pool, mixed_deploys=mixed_deploys)
        self._slots: dict[Lane, Slots] = {}
        self._root: asyncio.Task[None] | None = None
        self._started = asyncio.Event()
        self._stop_asked = asyncio.Event()
        self._stop_now = asyncio.Event()
        self._times = StopTimes(options.shutdown_timeout)
        self._cancelling = False
        self._ledger = Ledger({}, None, lambda: None)
        self._loans = Loans(self._ledger, {}, {}, lambda: None)
        self._tally = Tally(core.now) if core.counts else None
        self._watchdog: Watchdog | None = None
        self._stuck = Stuck()
        self._outage = Outage()
        self.stuck = 0
        """Tasks that ignored their cancellation at the stop; they still run, on a loop that wants to end."""
        self.beats_apart = False
        """Whether a process of its own sends the heartbeats, which kills this one if it gives no sign of life for
        ``max_block`` seconds: for whom this process belongs to the consumer alone."""
        self.on_max_block: Callable[[], None] | None = None
        """Called in the watchdog's thread when the loop was blocked for ``max_block`` seconds."""
        self.on_crash: Callable[[str, BaseException | None], None] | None = None
        """Called with the reason at an end that nobody asked for; may end the process."""
        self.after_hook: Callable[[], None] | None = None
        """Called on the loop after each hook of the start and the end: one may have changed what the process has."""
        self._crash: str | None = None

    @awaited
    def start(self) -> Coroutine[Any, Any, None]:
        """Begin to consume; returns when the consumer is registered. Raises what keeps it from starting.

        Raises HueyException at once where no event loop runs: nobody would await it there.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise HueyException(
                "consumer.start() is awaited on a running event loop; "
                "in code that blocks use huey.sync.create_consumer().start(), or `hueyio worker`"
            ) from None
        return Unawaited(self._start(), "Consumer.start", "huey.sync.create_consumer().start", sys._getframe(1))

    async def _start(self) -> None:
        if self._root is not None:
            raise HueyException("this consumer was started already; create another one")
        if is_pool_process():
            raise HueyException(
                "a pool process imports this module to run a task, and the module starts a consumer: "
                'put what the program does under `if __name__ == "__main__":`'
            )
        self._root = make_task(self._main(), name="hueyio-consumer")
        started = make_task(self._started.wait())
        try:
            await asyncio.wait([started, self._root], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # Nobody will hold this consumer: it must not live on.
            self.stop(graceful=False)
            self._root.cancel()
            await asyncio.wait([self._root])
            raise
        finally:
            started.cancel()
        if self._root.done():
            await self._root

    def statistics(self) -> Statistics:
        """Tell how it is now; may be called from any thread."""
        watchdog = self._watchdog  # the loop's thread may take it away meanwhile
        if watchdog is None:
            return Statistics(state=self._state())
        lag = watchdog.lag()
        return Statistics(
            state=self._state(),
            storage_reachable=self._lease.steady_since() is not None and not self._outage.is_damaged,
            held=len(self._ledger),
            running=dict(Counter(task.lane for task in self.running_tasks())),
            lent=self._loans.counts(),
            outcomes=dict(self._runner.outcomes),
            stuck=len(self._stuck),
            pool_processes=len(self._pool),
            abandoned_threads=len(self._executor.threads.abandoned),
            lag=lag.last,
            silent_for=lag.silent_for,
            blocks=watchdog.blocks,
        )

    def _state(self) -> State:
        if self._root is not None and self._root.done():
            return "stopped"
        if self._stop_asked.is_set():
            return "stopping"
        return "consuming" if self._started.is_set() else "starting"

    def running_tasks(self) -> list[RunningTask]:
        """List the tasks whose bodies run now, the longest first; may be called from any thread."""
        now = time.monotonic()
        running = [
            RunningTask(job.task.path, job.task.id, job.lane, now - job.started_at)
            for job in self._ledger.snapshot()
            if job.slot is not None
        ]
        return sorted(running, key=lambda task: -task.seconds)

    def task_tallies(self) -> list[TaskTally]:
        """List what was counted of the tasks that ended here, by name; may be called from any thread."""
        return [] if self._tally is None else self._tally.tasks()

    @property
    def owner(self) -> str:
        """The id under which it holds tasks; empty before it has begun, and another after it lost its lease."""
        return self._current_owner() if self._started.is_set() else ""

    def tasks_in_flight(self) -> list[Task]:
        """List the tasks whose bodies run now."""
        return [job.task for job in self._ledger.snapshot() if job.slot is not None]

    def unfinished_tasks(self) -> list[Task]:
        """List the tasks whose bodies were begun and whose outcome is not written yet, those that run now first."""
        begun = [job for job in self._ledger if job.started]
        return [job.task for job in sorted(begun, key=lambda job: job.slot is None)]

    @property
    def is_stop_asked(self) -> bool:
        """Whether somebody asked it to stop."""
        return self._stop_asked.is_set()

    def stop(self, graceful: bool = True) -> None:
        """Ask it to stop: running tasks may finish first, or, if not graceful, are cancelled and go back."""
        self._times.begin(graceful)
        self._stop_asked.set()
        for slots in self._slots.values():
            slots.hold()
        if not graceful:
            self._stop_now.set()

    async def wait_stopped(self) -> None:
        """Wait until it has stopped; raises what made it crash."""
        if self._root is not None:
            await asyncio.shield(self._root)

    async def run(self, *, handle_signals: bool = False) -> None:
        """Consume until ``stop``; if this coroutine is cancelled, stop gracefully and then end.

        With ``handle_signals`` SIGINT and SIGTERM stop it gracefully, a second one, and SIGQUIT, at once.
        """
        with stop_signals(self.stop) if handle_signals else nullcontext():
            await self.start()
            try:
                await self.wait_stopped()
            except asyncio.CancelledError:
                self.stop()
                await self._outlast()
                raise

    async def __aenter__(self) -> Consumer:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        await self._outlast()

    async def _outlast(self) -> None:
        """Wait until it has stopped, also when this is cancelled, which hurries the stop: nobody else waits for it."""
        assert self._root is not None
        cancelled = False
        while not self._root.done():
            try:
                await asyncio.wait([self._root])
            except asyncio.CancelledError:
                cancelled = True
                self.stop(graceful=False)
        if cancelled:
            raise asyncio.CancelledError
        await self._root

    async def _main(self) -> None:
        """Be the root of everything that runs here."""
        import_anyio()
        session = await self._core.session()
        if isinstance(session, Restricted):
            await session.prepare_consuming()
        self._compose(session)
        await self._lease.begin()
        watched = LoopWatch(
            self._job_of, self.options.block_warning, self.options.max_block, self._lease.give_up, self._tell_blocked
        )
        self._watchdog = watchdog = watch_loop(watched)
        try:
            await self._run_hooks("on_startup", self._stop_asked, None)
            async with asyncio.TaskGroup() as group:
                settling = group.create_task(begin_later(self._settler.run()), name="hueyio-settler")
                publishing = group.create_task(begin_later(self._publisher.run()), name="hueyio-publisher")
                feeding = [
                    group.create_task(begin_later(feeder.run()), name=f"hueyio-{feeder}") for feeder in self._feeders
                ]
                for service in (settling, publishing, *feeding):
                    service.add_done_callback(self._note_end)
                logger.info(
                    "consumer %s is ready: %d coroutine tasks, %d threads and %d processes at a time, lease %g s",
                    self._lease.owner,
                    *self.options.sizes.values(),
                    self.options.lease,
                )
                self._started.set()
                try:
                    await self._stop_asked.wait()
                except asyncio.CancelledError:
                    # The program ends: stop at once, in the same order, and then be cancelled.
                    self._note_crash("its tasks were cancelled", None)
                    self._times.begin(graceful=False)
                    self._stop_now.set()
                    await self._shut_down(feeding, settling, publishing)
                    raise
                await self._shut_down(feeding, settling, publishing)
                if self._crash is not None:
                    raise HueyException(f"the consumer {self._crash}")
        except BaseExceptionGroup as group:
            raise _first_of(group) from None
        finally:
            watchdog.remove(watched)
            self._watchdog = None
            await self._pool.close(self._times.left_for("pool"))
            hurried = self._stop_now.is_set()
            grace = self._times.left_for("hooks")
            await self._run_hooks("on_shutdown", asyncio.Event() if hurried else self._stop_now, grace)
            await self._end_lease()
            await watchdog.wait_ended(self._times.left_for("lease"))

    def _note_end(self, service: asyncio.Task[None]) -> None:
        """Notice that a part ended by itself: cancelled by a body, or because the session was closed under it."""
        if self._stop_asked.is_set():
            return
        error = None if service.cancelled() else service.exception()
        how = "was cancelled" if error is None else f"failed: {error}"
        self._note_crash(f"its part {service.get_name()} {how}", error)
        if error is None and self._root is not None and not self._root.cancelling():
            self.stop(graceful=False)

    def _note_crash(self, reason: str, error: BaseException | None) -> None:
        """Remember that this end was not asked for: what runs now counts as delivered to a consumer that died."""
        if self._stop_asked.is_set() or self._crash is not None:
            return
        if self.on_crash is not None:
            self._crash = f"was cut short: {reason}"
            self.on_crash(reason, error)
        elif error is not None or (self._root is not None and not self._root.cancelling()):
            # Else the program that embeds it ends, as programs do.
            self._crash = f"was cut short: {reason}"
            logger.error("the consumer ends unexpectedly: %s", reason)

    async def _run_hooks(
        self, kind: Literal["on_startup", "on_shutdown"], stop: asyncio.Event, seconds: float | None
    ) -> None:
        """Run the hooks of the consumer's life, until ``stop`` is set and at most so many seconds."""
        if not self._core.hooks[kind]:
            return
        running = make_task(self._core.hooks.run_life(kind, self.after_hook))
        stopped = make_task(stop.wait())
        try:
            await asyncio.wait([running, stopped], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            if not running.done():
                logger.warning("the %s hooks are cut short: the consumer stops", kind)
                running.cancel()
        await asyncio.wait([running], timeout=self._times.left_for("hooks") if self._stop_asked.is_set() else 0)
        if not running.done():
            self.stuck += 1
            logger.error("a %s hook ignores its cancellation; it is left behind", kind)

    def _job_of(self, slot: asyncio.Task[Any]) -> Job | None:
        """Find the job whose body this asyncio task runs; called from the watchdog's thread."""
        return next((job for job in self._ledger.snapshot() if job.slot is slot), None)

    def _names_of_running(self) -> list[str]:
        """Name what has begun and not ended for the loop, the longest first; called from the heartbeat's thread.

        A body that held the interpreter lock may have ended in its thread a moment before the loop hears of it.
        """
        begun = sorted((job for job in self._ledger.snapshot() if job.started), key=lambda job: job.started_at)
        return [f"{job.task.path} {job.task.id}" for job in begun[:_MOST_NAMED]]

    def _name_of_last_ended(self) -> str | None:
        """Name the task whose body ended last; called from the heartbeat's thread."""
        job = self._ledger.ended_last
        return None if job is None else f"{job.task.path} {job.task.id}"

    def _describe_presence(self) -> dict[str, Any]:
        watchdog = self._watchdog
        return describe_presence(
            self.running_tasks(),
            now=self._core.now(),
            stopping=self._stop_asked.is_set(),
            lag=0.0 if watchdog is None else watchdog.lag().last,
            blocks=0 if watchdog is None else watchdog.blocks,
            block=None if watchdog is None else watchdog.last_block(),
        )

    def _tell_blocked(self) -> None:
        """Tell who wants to know that the lease is given up; called from the watchdog's thread."""
        if self.on_max_block is not None:
            self.on_max_block()

    def _compose(self, session: Session) -> None:
        """Build the parts. Each gets what it needs as a function or an object of a lower part."""
        options = self.options
        sizes = options.sizes
        self._ledger = Ledger(
            sizes,
            options.prefetch,
            lambda: self._fetcher.wake(),
            paced=LANES,
            on_ahead=lambda: self._unloader.wake(),
        )
        self._unloader = Unloader(self._ledger, self._give_back)
        self._lease = Lease(
            session,
            self._core.storage.lease_keeper,
            HeartbeatOptions(
                lease=options.lease,
                apart=self.beats_apart,
                max_block=options.max_block,
                running=self._names_of_running,
                last_ended=self._name_of_last_ended,
            ),
            dict(sizes),  # type: ignore[arg-type]
            self._abandon_all,
            self._wake_all,
            lambda: introduce(self._core, options),
            self._describe_presence,
        )
        self._settler = Settler(
            session,
            self._ledger,
            self._current_owner,
            self._decide_again,
            self._refuse,
            tally=self._tally,
            recorder=Recorder(self._core),
            on_follow_up=lambda: self._fetcher.expect_work(),
        )
        self._publisher = Publisher(session, self._current_owner, self._lease.info, self._tally)
        run_context = RunContext(asyncio.get_running_loop(), self._core.storage, options.lease, queue=self._core.name)
        self._runner = Runner(
            self._core,
            self._executor,
            self._settler,
            self._is_stopping,
            run_context,
            self._stuck.watch,
            lambda: self._crash,
            options.log_runs,
            lambda id: self._ledger.get(id),
        )
        self._compose_slots(sizes)
        self._fleet = Fleet(self._current_owner, lambda: self._reaper.wake())
        self._intake = Intake(self._core, session, self._fleet.knows)
        self._dispatcher = Dispatcher(
            self._core,
            self._intake,
            self._ledger,
            lambda job: self._slots[job.lane].put(job),
            self._runner.end,
            lambda: self._fetcher.give_way(),
        )
        self._scheduler = Scheduler(session, self._core.now, lambda: self._fetcher.is_listening)
        self._fetcher = Fetcher(
            session,
            self._ledger,
            self._current_owner,
            self._dispatcher.dispatch,
            self._scheduler.wake,
            self._lease.mark_lost,
            options.lease,
            loans=self._loans,
            joins=self._core.storage.capabilities.claims_with_settlement,
            on_late=self._release_unstarted,
        )
        self._feeders = self._compose_feeders(session)
        self._outage = outage = Outage()
        for service in (*self._feeders, self._settler, self._publisher):
            service.outage = outage

    def _compose_slots(self, sizes: Mapping[Lane, int]) -> None:
        options = self.options
        most: dict[Lane, int] = {
            "loop": options.max_lent,
            "thread": options.max_lent_threads,
            "process": options.pool,
        }
        self._loans = Loans(self._ledger, self._slots, most, lambda: self._fetcher.wake())
        ended = EndedJobs(asyncio.get_running_loop(), self._runner.end)
        parts = self._core, self._executor, self._runner, ended
        self._process_lane = ProcessLane(self._pool, *parts, lambda: self._slots["process"])
        runs: dict[Lane, Callable[[Job, asyncio.Task[None]], Awaitable[None]]] = {
            "loop": self._runner.run,
            "thread": ThreadLane(*parts, lambda: self._slots["thread"]).run,
            "process": self._process_lane.run,
        }
        for lane, size in sizes.items():
            on_lent = partial(self._loans.note, lane) if options.lend_slots else None
            how = {"gently": lane != "process", "begins_at_once": lane != "thread"}
            self._slots[lane] = Slots(lane, size, runs[lane], self._runner.rescue, on_lent, **how)

    def _compose_feeders(self, session: Session) -> tuple[Service, ...]:
        """Build the rest of the services that end first when the consumer stops; list them all."""
        options = self.options
        ticker = Ticker(session, self._core)
        self._reaper = Reaper(
            session, self._current_owner, self._lease.steady_since, options.lease, on_seen=self._observe
        )
        self._listener = Listener(
            session,
            self._ledger,
            self._current_owner,
            self._intake.look_up,
            ticker.reload,
            self._stuck,
            self._pause,
            self._fetcher.doubt,
        )
        return (
            self._fetcher,
            self._scheduler,
            self._listener,
            self._reaper,
            Isolator(session, self._ledger, self._fetcher.hold_back, options.lease),
            self._unloader,
            *((ticker,) if options.periodic else ()),
            self._lease,
        )

    def _pause(self, paused: bool) -> None:
        """Start nothing while the queue is paused: what was claimed and not started goes back."""
        logger.info("queue %s is %s", self._core.storage.name, "paused" if paused else "resumed")
        self._fetcher.pause(paused)
        if paused:
            for slots in self._slots.values():
                for job in reversed(slots.take_unstarted()):
                    self._runner.end(job, Interrupted())

    def _give_back(self, lane: Lane, count: int) -> None:
        """Let others have the last of what was claimed and not started."""
        for job in self._slots[lane].take_last(count):
            self._runner.give_back(job)

    def _is_stopping(self) -> bool:
        """Say whether slots are being cancelled: by the stop, or because the whole loop ends."""
        return self._cancelling or (self._root is not None and self._root.cancelling() > 0)

    def _current_owner(self) -> str:
        return self._lease.owner

    async def _shut_down(
        self, feeding: list[asyncio.Task[None]], settling: asyncio.Task[None], publishing: asyncio.Task[None]
    ) -> None:
        times = self._times
        self._publisher.wake()  # that it stops is news
        for feeder in self._feeders:
            feeder.stop()
        await self._wait_unless_hurried(feeding, times.left_for("claims"))
        self._release_unstarted()
        await self._wait_for_running()
        self._cancelling = True
        for slots in self._slots.values():
            slots.cancel()
        for slots in self._slots.values():
            if not await slots.wait_closed(times.left_for("cancelled")):
                self._name_stuck(slots)
        self._release_unstarted()  # what a claim brought meanwhile
        if left_behind := await self._runner.wait_told(0 if settling.done() else times.left_for("cancelled")):
            self.stuck += left_behind
            logger.error("receivers or hooks of %d tasks ignore their cancellation; they are left behind", left_behind)
        if not settling.done() and (left := await self._settler.wait_drained(times.left_for("drain"))):
            text = "%d outcomes could not be written; their tasks run again when the lease is over: %s"
            logger.error(text, left, names_of(self._ledger))
        self._settler.stop()
        self._publisher.stop()
        await self._end_services([*feeding, settling, publishing])

    def _release_unstarted(self) -> None:
        for slots in self._slots.values():
            # Each goes to the front: the last released is the first to run.
            for job in reversed(slots.close()):
                self._runner.end(job, Interrupted())

    async def _wait_for_running(self) -> None:
        """Let running bodies finish, until their time is over or an immediate stop is asked for."""
        closing = make_task(self._wait_closed())
        await self._wait_unless_hurried([closing], None)
        closing.cancel()
        await asyncio.wait([closing])

    async def _wait_closed(self) -> None:
        """Wait until all slots are free, or the time of running bodies is over."""
        for slots in self._slots.values():
            await slots.wait_closed(self._times.left_for_bodies())

    async def _wait_unless_hurried(self, tasks: Sequence[asyncio.Task[None]], timeout: float | None) -> None:
        """Wait until all have ended, at most so many seconds, and no longer when an immediate stop is asked for."""
        if not tasks or self._stop_now.is_set():
            return
        hurry = make_task(self._stop_now.wait())
        all_ended = make_task(asyncio.wait(tasks))
        try:
            await asyncio.wait([hurry, all_ended], timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hurry.cancel()
            all_ended.cancel()

    async def _end_services(self, services: Sequence[asyncio.Task[None]]) -> None:
        """Let the services end; those that still wait for the storage are cut short: it carries through what it has."""
        await asyncio.wait(services, timeout=self._times.left_for("drain"))
        for service in services:
            service.cancel()
        await asyncio.wait(services, timeout=_LAST_CANCEL)

    def _name_stuck(self, slots: Slots) -> None:
        self.stuck += slots.occupied
        bodies = [job for job in self._ledger if job.lane == slots.lane and job.slot is not None]
        for job in bodies:
            name, fields = (job.task.path, job.task.id), job.log_fields()
            text = "task %s %s ignores its cancellation%s; it is left behind"
            log_about(logger, logging.ERROR, text, *name, job.whereabouts, fields=fields)
        if others := slots.occupied - len(bodies):
            logger.error("receivers or hooks in %d slots ignore their cancellation; they are left behind", others)

    async def _end_lease(self) -> None:
        if self._crash is not None:
            self._lease.abandon()
            return
        try:
            left = self._times.left_for("lease")
            async with asyncio.timeout(left):
                await self._publish_last(left / 2)
                await self._lease.end()
        except TimeoutError:
            text = "could not deregister in time; what is still held runs again when the lease is over: %s"
            logger.warning(text, names_of(self._ledger))
        except SessionClosed:
            logger.debug("the session was closed first; what is still held runs again when the lease is over")
        except HueyException as error:
            text = "could not deregister: %s; what is still held runs again when the lease is over: %s"
            logger.warning(text, error, names_of(self._ledger))

    async def _publish_last(self, seconds: float) -> None:
        """Tell what was counted last; the lease must end all the same, so nothing of this is raised."""
        try:
            async with asyncio.timeout(seconds):
                await self._publisher.publish()
        except TimeoutError:
            logger.debug("what was counted last could not be written in time")
        except HueyException as error:
            logger.debug("what was counted last could not be written: %s", error)

    def _abandon_all(self) -> None:
        """Drop all that was held under a lease that is gone."""
        for slots in self._slots.values():
            slots.take_unstarted()
        self._settler.discard()
        jobs = self._ledger.clear()
        if jobs:
            logger.warning("%d tasks that were held run again elsewhere: %s", len(jobs), names_of(jobs))
        for job in jobs:
            job.lost = True
            if job.slot is not None:
                job.slot.cancel()

    def _wake_all(self) -> None:
        for feeder in self._feeders:
            feeder.wake()

    def _observe(self, owners: Sequence[Owner]) -> None:
        """See who else runs tasks here."""
        self._fleet.observe(owners)
        self._core.has_early_workers = not all_know_stages(owners)

    def _decide_again(self, job: Job) -> None:
        """A revocation that was good for one task had been used up by another: decide anew."""
        tell_untaken(job)
        self._fetcher.dispatch_again(job.delivery)

    def _refuse(self, job: Job, error: Exception) -> None:
        """The storage cannot take this outcome: say so in its place, each time with less to be refused."""
        name, fields = (job.task.path, job.task.id), job.log_fields()
        log_about(logger, logging.ERROR, "task %s %s: its outcome cannot be stored: %s", *name, error, fields=fields)
        job.refused += 1
        self._ledger.add(job)
        receipt = job.delivery.receipt
        if job.refused == 1 and isinstance(error, HueyException):
            job.task = job.task.replaced(retries=0, on_error=None)
            job.handed_over = False
            self._runner.end(job, Failed(SerializationError(f"the outcome cannot be stored: {error}")))
        elif job.refused <= 2:
            reason = f"its outcome cannot be stored: {type(error).__name__}"
            self._settler.put(job, Bury(receipt, reason, also=job.delivery.header.expects))
        else:
            # Not even that: it goes back, which counts; not at once, or this would be a busy loop.
            wait = min(2.0**job.refused, _LONGEST_REFUSAL)
            asyncio.get_running_loop().call_later(wait, self._settler.put, job, Release(receipt, counted=True))


def _first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first exception of a group: what made the consumer crash; the others are its echo."""
    first = group.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else first
