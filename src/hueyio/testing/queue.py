"""A queue in memory in the place of the application's own: a test runs its tasks when it wants, and moves its time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from hueyio.app import Huey
from hueyio.app.sync_huey import SyncHuey
from hueyio.core import Core, core_of
from hueyio.exceptions import HueyException
from hueyio.messages.message import read_task
from hueyio.named_tuple import NamedTuple
from hueyio.storage.contract import Transactional
from hueyio.storage.memory import MemoryStorage
from hueyio.tasks.task import Task
from hueyio.testing.calls import Enqueued, Wanted, call_text, describe, find, name_of
from hueyio.testing.hands import Hands, Lost
from hueyio.testing.movable_clock import MovableClock
from hueyio.testing.ran import Ran
from hueyio.testing.sync_queue import SyncHueyQueue
from hueyio.testing.transactional_memory import TransactionalMemory

__all__ = ["HueyQueue"]


class _Place(NamedTuple):
    """One Huey while its storage is a memory."""

    huey: Huey
    core: Core
    storage: MemoryStorage
    lost: Lost
    immediate: bool


class HueyQueue:
    """The queues of one or several applications, in memory: ``with HueyQueue(huey) as queue:``, or ``huey_queue``.

    Within the block whatever uses these Hueys meets a memory that was empty at its beginning, whatever their storage
    is, and outside of immediate mode. Tasks wait in it until ``drain`` or ``advance`` runs them. The queues' clock
    shows the host's time, and what ``advance`` has let pass beside it. More than ``most_runs`` runs at one
    moment are an error: a task that enqueues itself has no end.

    Example::

        with HueyQueue(huey) as queue:
            await add.options(delay=timedelta(days=14))(1, 2)
            queue.assert_enqueued(add, args=(1, 2), within=timedelta(days=14))
            print([str(it.name) for it in await queue.advance(days=14)])  # ['app.add']
    """

    def __init__(self, *hueys: Huey | SyncHuey, most_runs: int = 10_000) -> None:
        if not hueys:
            raise HueyException("say whose queue is meant: HueyQueue(huey)")
        self._hueys: list[Huey] = [it.aio if isinstance(it, SyncHuey) else it for it in hueys]
        self._cores = [core_of(it) for it in self._hueys]
        self._most_runs = most_runs
        self._clock = MovableClock()
        self._places: list[_Place] = []
        self._ran: list[Ran] = []

    def __enter__(self) -> Self:
        if self._places:
            raise HueyException("this HueyQueue is in use already; make another")
        for huey, core in zip(self._hueys, self._cores, strict=True):
            immediate, huey.immediate = huey.immediate, False
            make = TransactionalMemory if isinstance(core.storage, Transactional) else MemoryStorage
            storage = make(core.name, clock=self._clock.now)
            core.use_storage(storage)
            self._places.append(_Place(huey, core, storage, Lost(), immediate))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for place in self._places:
            place.core.use_storage(None)
            place.huey.immediate = place.immediate
        self._places = []

    @property
    def sync(self) -> SyncHueyQueue:
        """The same for tests without a loop; bodies of ``def`` tasks then run in the test's own thread."""
        return SyncHueyQueue(self)

    @property
    def now(self) -> datetime:
        """The queues' time (UTC)."""
        return datetime.fromtimestamp(self._clock.now(), UTC)

    @property
    def ran(self) -> list[Ran]:
        """All runs so far, the first one first."""
        return list(self._ran)

    # --- what waits

    def enqueued(self, task: object = None) -> list[Task]:
        """List what waits to run, now or later, in the order in which it will; of one task if ``task`` says which.

        ``task`` is a declared task or its full name.
        """
        every = self._enqueued()
        if task is None:
            return [it.task for it in every]
        return find(every, Wanted(name_of(task)))

    def assert_enqueued(
        self,
        task: object,
        *,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        within: timedelta | float | None = None,
        count: int | None = None,
    ) -> Task:
        """Fail unless such a call waits, or ``count`` of them; return the first.

        ``args`` are all of its arguments, with ``kwargs`` those that are named; ``kwargs`` alone names some of them.
        Arguments are compared by their names, so that ``add(1, 2)`` is ``add(a=1, b=2)``. ``within`` is how long from
        now it may be until it is due, a timedelta or seconds.
        """
        wanted = self._wanted(task, args, kwargs, within)
        every = self._enqueued()
        found = find(every, wanted)
        if found and count in (None, len(found)):
            return found[0]
        many = "no call" if not found else f"{len(found)} calls"
        expected = "" if count is None else f", {count} were expected"
        raise AssertionError(f"{many} of {_told(wanted)} waits{expected}; enqueued are\n{describe(every, self.now)}")

    def assert_not_enqueued(
        self,
        task: object,
        *,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        within: timedelta | float | None = None,
    ) -> None:
        """Fail if such a call waits; arguments are those of ``assert_enqueued``."""
        wanted = self._wanted(task, args, kwargs, within)
        every = self._enqueued()
        if find(every, wanted):
            raise AssertionError(f"{_told(wanted)} is enqueued; all that are\n{describe(every, self.now)}")

    # --- running

    async def drain(self, *, raise_errors: bool = False) -> list[Ran]:
        """Run all that is due now, and what follows from it, until nothing is due; return what ran, in order.

        With ``raise_errors`` the first error of a task that has failed for good is raised when all have run.
        """
        ran = await self._run_due()
        if raise_errors:
            for it in ran:
                if it.state == "failed" and it.error is not None:
                    raise it.error
        return ran

    async def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0, raise_errors: bool = False
    ) -> list[Ran]:
        """Let time pass, and run all that becomes due, each at its moment; return what ran, in order.

        Schedules, retries, periodic tasks and the leases of killed workers are what becomes due. Nothing sleeps. The
        clock of the process stays as it is: for code that asks for the time use time-machine or freezegun, which this
        clock follows, and ``drain``.
        """
        span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if span < timedelta(0):
            raise HueyException(f"time goes forward only: {span} is negative")
        ran = await self.drain(raise_errors=raise_errors)
        until = self._clock.now() + span.total_seconds()
        try:
            while (due := await self._next_due()) is not None and due <= until:
                self._clock.hold(max(due, self._clock.now()))
                ran += await self.drain(raise_errors=raise_errors)
            self._clock.hold(until)
            ran += await self.drain(raise_errors=raise_errors)
        finally:
            self._clock.go_on()
        return ran

    async def kill_worker(self) -> Task | None:
        """Have a worker take the next task, begin it and be killed; return the task, None if nothing is due.

        Its body is not run. It is held until the worker's lease is over, after 15 seconds, and then due again.
        """
        for place in self._open():
            hands = await self._hands(place)
            await hands.enqueue_due()
            task = await hands.lose_worker()
            if task is not None:
                return task
        return None

    async def _run_due(self) -> list[Ran]:
        ran: list[Ran] = []
        every = [await self._hands(place) for place in self._open()]
        while True:
            for hands in every:
                await hands.enqueue_due()
            now = [it for hands in every for it in await hands.run_one()]
            if not now:
                return ran
            ran += now
            self._ran += now
            if len(ran) >= self._most_runs:
                raise HueyException(f"{len(ran)} tasks ran, and there are more: does {now[-1].name} enqueue itself?")

    async def _next_due(self) -> float | None:
        dues = [await (await self._hands(place)).next_due() for place in self._open()]
        return min((due for due in dues if due is not None), default=None)

    async def _hands(self, place: _Place) -> Hands:
        return await place.core.beside_session(Hands, lambda session: Hands(place.core, session, place.lost))

    def _open(self) -> list[_Place]:
        if not self._places:
            raise HueyException("this HueyQueue is not in use: write `with HueyQueue(huey) as queue:`")
        return self._places

    def _enqueued(self) -> list[Enqueued]:
        every: list[Enqueued] = []
        for place in self._open():
            for entry in (*place.storage.scan("queued"), *place.storage.scan("scheduled")):
                task = read_task(entry.data, place.core.serializer, entry.header.id)
                spec = place.core.registry.get(task.path)
                if spec is not None:
                    spec.give_types(task)
                every.append(Enqueued(task, None if spec is None else spec.func))
        return every

    def _wanted(
        self,
        task: object,
        args: Sequence[Any] | None,
        kwargs: Mapping[str, Any] | None,
        within: timedelta | float | None,
    ) -> Wanted:
        if isinstance(within, (int, float)):
            within = timedelta(seconds=within)
        return Wanted(name_of(task), args, kwargs, None if within is None else self.now + within)


def _told(wanted: Wanted) -> str:
    is_any = wanted.args is None and not wanted.kwargs
    call = wanted.name if is_any else call_text(wanted.name, wanted.args or (), wanted.kwargs or {})
    return call if wanted.by is None else f"{call} by {wanted.by:%Y-%m-%d %H:%M:%S}"
