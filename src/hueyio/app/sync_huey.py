"""A Huey for code that blocks: what ``huey.sync`` is, and what the classes of ``hueyio.blocking`` are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Self, TypeVar, Unpack, overload

from hueyio.app.options import ConsumerSettings
from hueyio.app.revocable import AnyResult, AnyTask, Revocable
from hueyio.app.sync_consumer import SyncConsumer
from hueyio.consumer.options import ConsumerOptions
from hueyio.core import Core, core_of
from hueyio.handles.awaitable_task import AwaitableSyncTask
from hueyio.handles.blocking import Blocking
from hueyio.handles.options import shows_options
from hueyio.handles.reading import ReadOptions, shows_read_options
from hueyio.handles.sync_decorators import (
    SyncContextTaskDecorator,
    SyncEnteredTaskDecorator,
    SyncTaskDecorator,
    blocking_form,
)
from hueyio.handles.sync_result import SyncChordResult, SyncResult, SyncResultGroup, to_sync
from hueyio.handles.sync_task import SyncNamedTask, SyncTask
from hueyio.handles.wrapper import TaskWrapper
from hueyio.hooks import AttemptMiddleware, EnqueueMiddleware, Hook
from hueyio.limits.sync import SyncRateLimit, SyncSemaphore, SyncTaskLock
from hueyio.loops.portal import block_here
from hueyio.schedules.sync import SyncSchedules
from hueyio.serializer import Serializer
from hueyio.signals import Receiver
from hueyio.storage.contract import Storage
from hueyio.storage.records import Counts, Cursor, EndKind, Page, Requeued
from hueyio.tasks.canvas import chord, group
from hueyio.tasks.declared import TaskOptions, TaskSettings
from hueyio.tasks.states import ListName
from hueyio.tasks.task import Task
from hueyio.times.crontab import crontab
from hueyio.web.settings import ASGIApp, DashboardOptions

if TYPE_CHECKING:
    from hueyio.control.audit import AuditEntry
    from hueyio.control.consumers import ConsumerInfo
    from hueyio.control.dead_letters import DeadTask
    from hueyio.control.failed_tasks import FailedTask
    from hueyio.control.history import Attempt, HistoryPage
    from hueyio.control.listing import TaskPage
    from hueyio.control.pause import PauseInfo
    from hueyio.control.statistics import QueueStatistics
    from hueyio.control.task_details import TaskDetails

__all__ = ["SyncHuey"]

P = ParamSpec("P")
R = TypeVar("R")
W = TypeVar("W", bound=Awaitable[Any])
H = TypeVar("H", bound=Hook)
A = TypeVar("A", bound=AttemptMiddleware)
E = TypeVar("E", bound=EnqueueMiddleware)


class SyncHuey(Blocking):
    """Everything that a ``Huey`` has, without a coroutine; ``aio`` is that Huey.

    For threads that run no event loop: views of Django and Flask, scripts, ``def`` tasks, the REPL. All threads share
    one loop and its connections. On the thread of a running loop a method that would block it raises HueyException.
    """

    __slots__ = ("__weakref__",)

    @property
    def _core(self) -> Core:
        return core_of(self._wrapped)

    # --- declaring tasks

    @overload
    def task(self, func: SyncTask[P, R], /) -> SyncTask[P, R]: ...

    @overload
    def task(self, func: TaskWrapper[P, R], /) -> SyncTask[P, R]: ...  # pyright: ignore[reportOverlappingOverload]

    @overload
    def task(self, func: Callable[P, Coroutine[Any, Any, R]], /) -> SyncTask[P, R]: ...  # type: ignore[overload-overlap]  # an awaitable too

    @overload
    def task(self, func: Callable[P, W], /) -> AwaitableSyncTask[P, W]: ...

    @overload
    def task(self, func: Callable[P, R], /) -> SyncTask[P, R]: ...

    @overload
    def task(  # type: ignore[overload-overlap]  # a bool that is no literal has the plain types
        self, *, context: Literal[True], **options: Unpack[TaskSettings]
    ) -> SyncContextTaskDecorator: ...

    @overload
    def task(self, *, context: bool = False, **options: Unpack[TaskSettings]) -> SyncTaskDecorator: ...

    @shows_options(TaskOptions, TaskSettings)
    def task(self, *functions: Callable[..., Any], **options: Any) -> Any:
        """Declare a function as a task, whose calls block until they are enqueued; see ``Huey.task``."""
        if functions:
            return blocking_form(self._wrapped.task(*functions, **options))
        return SyncTaskDecorator(self._wrapped.task(**options))

    @overload
    def context_task(
        self, obj: Any, as_argument: Literal[False] = False, *, context: bool = False, **options: Unpack[TaskSettings]
    ) -> SyncTaskDecorator: ...

    @overload
    def context_task(
        self, obj: Any, as_argument: Literal[True], *, context: bool = False, **options: Unpack[TaskSettings]
    ) -> SyncEnteredTaskDecorator: ...

    @shows_options(TaskOptions, TaskSettings)
    def context_task(self, obj: Any, as_argument: bool = False, **options: Any) -> Any:
        """Declare a task whose body runs inside ``with obj:`` or ``async with obj:``; see ``Huey.context_task``."""
        return SyncTaskDecorator(self._wrapped.context_task(obj, as_argument, **options))

    @shows_options(TaskOptions, TaskSettings)
    def periodic_task(
        self,
        validate_datetime: crontab | Callable[[datetime], bool],
        *,
        catch_up: bool = False,
        context: bool = False,
        **options: Unpack[TaskSettings],
    ) -> SyncTaskDecorator:
        """Declare a task that is enqueued whenever it is due; see ``Huey.periodic_task``."""
        return SyncTaskDecorator(
            self._wrapped.periodic_task(validate_datetime, catch_up=catch_up, context=context, **options)
        )

    # --- enqueueing, and reading results

    @overload
    def enqueue(self, task: Task) -> Any: ...

    @overload
    def enqueue(self, task: group) -> SyncResultGroup[Any]: ...

    @overload
    def enqueue(self, task: chord) -> SyncChordResult[Any]: ...

    def enqueue(self, task: Task | group | chord) -> Any:
        """Enqueue a task, a group or a chord; return the blocking form of what ``Huey.enqueue`` returns."""
        return to_sync(self._wait(self._wrapped.enqueue(task)))

    @shows_options(DashboardOptions)
    def dashboard(self, *others: SyncHuey, **options: Unpack[DashboardOptions]) -> ASGIApp:
        """Make the dashboard of this queue, and of ``others``, as an ASGI application; see ``Huey.dashboard``."""
        made: ASGIApp = self._wrapped.dashboard(*(it._wrapped for it in others), **options)
        return made

    @overload
    def result_of(self, task_id: str) -> SyncResult[Any]: ...

    @overload
    def result_of(self, task_id: str, returns: type[R]) -> SyncResult[R]: ...

    @overload
    def result_of(self, task_id: str, returns: object) -> SyncResult[Any]: ...

    def result_of(self, task_id: str, returns: Any = None) -> SyncResult[Any]:
        """Return a handle on the result of a task whose id is known; see ``Huey.result_of`` for ``returns``."""
        answer: SyncResult[Any] = SyncResult(self._wrapped.result_of(task_id, returns))
        return answer

    @shows_read_options
    def result(
        self, id: str, blocking: bool = False, timeout: float | None = None, **options: Unpack[ReadOptions]
    ) -> Any:
        """Read the result of a task whose id is known; see ``SyncResult.get``."""
        return self.result_of(id).get(blocking, timeout, **options)

    def __len__(self) -> int:
        """Return how many tasks are in the queue, ready to be run."""
        return self.count()

    def __bool__(self) -> bool:
        return True

    # --- consuming

    @shows_options(ConsumerOptions)
    def create_consumer(self, **options: Unpack[ConsumerSettings]) -> SyncConsumer:
        """Make a consumer that runs in a thread of its own; see ``ConsumerOptions`` for what can be set."""
        return SyncConsumer(self._wrapped.create_consumer(**options), self._wrapped.close)

    consumer = create_consumer
    """The same: ``with huey.consumer(): ...``."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} in {self._core.storage}>"

    # --- made from ``Huey`` and ``Settings`` by `python -m tests.support.facade`; what is above is by hand

    @property
    def name(self) -> str:
        """The queue's name."""
        answer: str = self._wrapped.name
        return answer

    @property
    def storage(self) -> Storage:
        """The storage in use; a memory storage in immediate mode."""
        answer: Storage = self._wrapped.storage
        return answer

    @property
    def immediate(self) -> bool:
        """Whether tasks run where they are enqueued. Takes effect at the next await."""
        answer: bool = self._wrapped.immediate
        return answer

    @immediate.setter
    def immediate(self, immediate: bool) -> None:
        self._wrapped.immediate = immediate

    @property
    def immediate_use_memory(self) -> bool:
        """Whether immediate mode keeps everything in memory; a change in immediate mode swaps at the next await."""
        answer: bool = self._wrapped.immediate_use_memory
        return answer

    @immediate_use_memory.setter
    def immediate_use_memory(self, use_memory: bool) -> None:
        self._wrapped.immediate_use_memory = use_memory

    def close(self) -> None:
        """Close the running loop's session, after giving back what was dequeued in it; the next use opens another.

        See ``Huey.close``.
        """
        self._wait(self._wrapped.close())

    def unregister(self, path: str) -> bool:
        """Forget the task of that path; False if there is none."""
        answer: bool = self._wrapped.unregister(path)
        return answer

    def signal(self, *signals: str) -> Callable[[Receiver], Receiver]:
        """Connect a function to signals, or to all if none is given. Raises HueyException for an unknown one.

        See ``Huey.signal``.
        """
        answer: Callable[[Receiver], Receiver] = self._wrapped.signal(*signals)
        return answer

    def disconnect_signal(self, receiver: Receiver, *signals: str) -> None:
        """Disconnect a function from signals, or from all if none is given."""
        self._wrapped.disconnect_signal(receiver, *signals)

    def pre_execute(self, name: str | None = None) -> Callable[[H], H]:
        """Call ``hook(task)`` before each attempt; CancelExecution cancels the task, other errors are logged."""
        answer: Callable[[H], H] = self._wrapped.pre_execute(name)
        return answer

    def post_execute(self, name: str | None = None) -> Callable[[H], H]:
        """Call ``hook(task, value, exception)`` after each attempt whose body ran, when its outcome is written."""
        answer: Callable[[H], H] = self._wrapped.post_execute(name)
        return answer

    def on_startup(self, name: str | None = None) -> Callable[[H], H]:
        """Call ``hook()`` when a consumer starts, before it claims; in immediate mode before the first task."""
        answer: Callable[[H], H] = self._wrapped.on_startup(name)
        return answer

    def on_shutdown(self, name: str | None = None) -> Callable[[H], H]:
        """Call ``hook()`` when a consumer has stopped, after its last task; in immediate mode at ``close``."""
        answer: Callable[[H], H] = self._wrapped.on_shutdown(name)
        return answer

    def on_thread_startup(self, name: str | None = None) -> Callable[[H], H]:
        """Call ``hook()`` in each thread that runs ``def`` tasks, before its first one: for what thread locals keep.

        See ``Huey.on_thread_startup``.
        """
        answer: Callable[[H], H] = self._wrapped.on_thread_startup(name)
        return answer

    def unregister_pre_execute(self, hook: Hook | str) -> bool:
        """Remove a hook, given itself or its name; False if there is none."""
        answer: bool = self._wrapped.unregister_pre_execute(hook)
        return answer

    def unregister_post_execute(self, hook: Hook | str) -> bool:
        """Remove a hook, given itself or its name; False if there is none."""
        answer: bool = self._wrapped.unregister_post_execute(hook)
        return answer

    def unregister_on_startup(self, hook: Hook | str) -> bool:
        """Remove a hook, given itself or its name; False if there is none."""
        answer: bool = self._wrapped.unregister_on_startup(hook)
        return answer

    def unregister_on_shutdown(self, hook: Hook | str) -> bool:
        """Remove a hook, given itself or its name; False if there is none."""
        answer: bool = self._wrapped.unregister_on_shutdown(hook)
        return answer

    def unregister_on_thread_startup(self, hook: Hook | str) -> bool:
        """Remove a hook, given itself or its name; False if there is none."""
        answer: bool = self._wrapped.unregister_on_thread_startup(hook)
        return answer

    def around_attempt(self, middleware: A) -> A:
        """Run each attempt, hooks and body, inside of the context manager that ``middleware(task)`` makes.

        See ``Huey.around_attempt``.
        """
        answer: A = self._wrapped.around_attempt(middleware)
        return answer

    def around_enqueue(self, middleware: E) -> E:
        """Write calls inside of the context manager that ``middleware(calls)`` makes, once for each write.

        See ``Huey.around_enqueue``.
        """
        answer: E = self._wrapped.around_enqueue(middleware)
        return answer

    def unregister_around_attempt(self, middleware: AttemptMiddleware) -> bool:
        """Remove middleware; False if there is none."""
        answer: bool = self._wrapped.unregister_around_attempt(middleware)
        return answer

    def unregister_around_enqueue(self, middleware: EnqueueMiddleware) -> bool:
        """Remove middleware; False if there is none."""
        answer: bool = self._wrapped.unregister_around_enqueue(middleware)
        return answer

    def enqueue_in(self, connection: Any, task: Task) -> Any:
        """Enqueue a task as part of the application's own transaction; return what ``enqueue`` does.

        See ``Huey.enqueue_in``.
        """
        answer: Any = to_sync(block_here(self._wrapped.enqueue_in(connection, task)))
        return answer

    def by_name(self, name: str) -> SyncNamedTask:
        """Return a task that another program declares, by its full name: ``huey.by_name("shop.mail.send")("ada")``.

        See ``Huey.by_name``.
        """
        answer: SyncNamedTask = SyncNamedTask(self._wrapped.by_name(name))
        return answer

    def enqueue_by_name(self, name: str, /, *args: Any, **kwargs: Any) -> SyncResult[Any]:
        """Enqueue a call of the task of that full name with all of these arguments; ``await`` it for its Result.

        See ``Huey.enqueue_by_name``.
        """
        answer: SyncResult[Any] = to_sync(self._wait(self._wrapped.enqueue_by_name(name, *args, **kwargs)))
        return answer

    def enqueue_many(self, tasks: Iterable[Task]) -> SyncResultGroup[Any]:
        """Enqueue many tasks in one write; return their ResultGroup (for a pipeline the Result of its last stage).

        See ``Huey.enqueue_many``.
        """
        answer: SyncResultGroup[Any] = to_sync(self._wait(self._wrapped.enqueue_many(tasks)))
        return answer

    def serialize_task(self, task: Task) -> bytes:
        """Return a task as the bytes of its message; raises UnknownTaskError if it is not registered here."""
        answer: bytes = self._wrapped.serialize_task(task)
        return answer

    def deserialize_task(self, data: bytes) -> Task:
        """Return the task of a message; raises SerializationError, or UnknownTaskError if it is not registered."""
        answer: Task = self._wrapped.deserialize_task(data)
        return answer

    def put_result(self, key: str, data: Any) -> None:
        """Store a value as the result of the task with the id ``key``; it is kept for ``result_ttl``."""
        self._wait(self._wrapped.put_result(key, data))

    def all_results(self) -> dict[str, bytes]:
        """Return the stored results by the ids of their tasks, as the bytes that are stored; reads nothing away."""
        answer: dict[str, bytes] = self._wait(self._wrapped.all_results())
        return answer

    def cancel(self, task: Task | AnyResult | str) -> bool:
        """Cancel a task wherever it is; False if it was over already.

        See ``Huey.cancel``.
        """
        answer: bool = self._wait(self._wrapped.cancel(task))
        return answer

    def revoke(self, task: Task | AnyResult, revoke_until: datetime | None = None, revoke_once: bool = False) -> None:
        """Keep one task from being run: for good, until a moment (a naive one is local), or once.

        See ``Huey.revoke``.
        """
        self._wait(self._wrapped.revoke(task, revoke_until, revoke_once))

    def revoke_by_id(self, task_id: str, revoke_until: datetime | None = None, revoke_once: bool = False) -> None:
        """Keep the task of this id from being run.

        See ``Huey.revoke_by_id``.
        """
        self._wait(self._wrapped.revoke_by_id(task_id, revoke_until, revoke_once))

    def revoke_all(self, task: AnyTask, revoke_until: datetime | None = None, revoke_once: bool = False) -> None:
        """Keep all tasks of this function from being run."""
        self._wait(self._wrapped.revoke_all(task, revoke_until, revoke_once))

    def restore(self, task: Task | AnyResult) -> bool:
        """Take the revocation of one task back; False if there is none."""
        answer: bool = self._wait(self._wrapped.restore(task))
        return answer

    def restore_by_id(self, task_id: str) -> bool:
        """Take the revocation of the task of this id back; False if there is none."""
        answer: bool = self._wait(self._wrapped.restore_by_id(task_id))
        return answer

    def restore_all(self, task: AnyTask) -> bool:
        """Take the revocation of this function's tasks back; False if there is none."""
        answer: bool = self._wait(self._wrapped.restore_all(task))
        return answer

    def is_revoked(self, task: Revocable, timestamp: datetime | None = None, peek: bool = True) -> bool:
        """Say whether a task (of an id: by itself; of a Task or Result: or its function) is revoked.

        See ``Huey.is_revoked``.
        """
        answer: bool = self._wait(self._wrapped.is_revoked(task, timestamp, peek))
        return answer

    def lock_task(
        self,
        lock_name: str,
        ttl: float | timedelta | None = None,
        *,
        key: Callable[..., object] | None = None,
        retry: bool = False,
    ) -> SyncTaskLock:
        """Make a lock: one run at a time. See ``TaskLock``.

        See ``Huey.lock_task``.
        """
        answer: SyncTaskLock = SyncTaskLock(self._wrapped.lock_task(lock_name, ttl, key=key, retry=retry))
        return answer

    def limit(
        self,
        name: str,
        size: int,
        *,
        key: Callable[..., object] | None = None,
        ttl: float | timedelta | None = None,
        retry: bool = True,
    ) -> SyncSemaphore:
        """Make a semaphore: at most ``size`` runs at the same time, or so many per ``key``. See ``Semaphore``.

        See ``Huey.limit``.
        """
        answer: SyncSemaphore = SyncSemaphore(self._wrapped.limit(name, size, key=key, ttl=ttl, retry=retry))
        return answer

    def rate_limit(
        self,
        name: str,
        limit: int,
        per: float | timedelta,
        retry: bool = True,
        *,
        burst: int | None = None,
        key: Callable[..., object] | None = None,
    ) -> SyncRateLimit:
        """Make a rate limit: at most ``limit`` runs per ``per`` seconds. See ``RateLimit``.

        See ``Huey.rate_limit``.
        """
        answer: SyncRateLimit = SyncRateLimit(self._wrapped.rate_limit(name, limit, per, retry, burst=burst, key=key))
        return answer

    def is_locked(self, lock_name: str) -> bool:
        """Say whether anybody holds the lock of this name."""
        answer: bool = self._wait(self._wrapped.is_locked(lock_name))
        return answer

    def flush_locks(self, *names: str) -> set[str]:
        """Free the locks that ``lock_task`` made here, those of all their keys, and these; return those that were held.

        See ``Huey.flush_locks``.
        """
        answer: set[str] = self._wait(self._wrapped.flush_locks(*names))
        return answer

    def put(self, key: str, data: Any) -> None:
        """Store a value under a key, over what was there; it stays until it is read or deleted.

        See ``Huey.put``.
        """
        self._wait(self._wrapped.put(key, data))

    def get(self, key: str, peek: bool = False) -> Any:
        """Read the value of a key and delete it; with ``peek`` leave it. None if there is none.

        See ``Huey.get``.
        """
        answer: Any = to_sync(self._wait(self._wrapped.get(key, peek)))
        return answer

    def get_raw(self, key: str, peek: bool = False) -> bytes | None:
        """Do the same as ``get``, with the bytes that the serializer made."""
        answer: bytes | None = self._wait(self._wrapped.get_raw(key, peek))
        return answer

    def put_if_empty(self, key: str, data: Any, ttl: float | None = None) -> bool:
        """Store a value unless the key has one; say whether it was stored.

        See ``Huey.put_if_empty``.
        """
        answer: bool = self._wait(self._wrapped.put_if_empty(key, data, ttl))
        return answer

    def delete(self, key: str) -> bool:
        """Delete the value of a key; False if there is none."""
        answer: bool = self._wait(self._wrapped.delete(key))
        return answer

    def count(self) -> int:
        """Return how many tasks are in the queue, ready to be run."""
        answer: int = self._wait(self._wrapped.count())
        return answer

    def counts(self) -> Counts:
        """Count everything that there is."""
        answer: Counts = self._wait(self._wrapped.counts())
        return answer

    def pending_count(self) -> int:
        """Do the same as ``count``."""
        answer: int = self._wait(self._wrapped.pending_count())
        return answer

    def scheduled_count(self) -> int:
        """Return how many tasks wait for their time."""
        answer: int = self._wait(self._wrapped.scheduled_count())
        return answer

    def result_count(self) -> int:
        """Return how many results are stored and not read; nothing else is counted."""
        answer: int = self._wait(self._wrapped.result_count())
        return answer

    def pending(self, limit: int | None = None) -> list[Task]:
        """List the tasks in the queue, lane by lane in the order in which they will run.

        See ``Huey.pending``.
        """
        answer: list[Task] = self._wait(self._wrapped.pending(limit))
        return answer

    def scheduled(self, limit: int | None = None) -> list[Task]:
        """List the tasks that wait for their time, the earliest first; left out is what ``pending`` leaves out."""
        answer: list[Task] = self._wait(self._wrapped.scheduled(limit))
        return answer

    def flush(self) -> None:
        """Delete all that is stored: queue, schedule, letters, history, results, values, revocations, locks.

        See ``Huey.flush``.
        """
        self._wait(self._wrapped.flush())

    def dead(self, limit: int | None = None) -> list[DeadTask]:
        """List the messages that could not be run, the latest first."""
        answer: list[DeadTask] = self._wait(self._wrapped.dead(limit))
        return answer

    def failed(
        self,
        *,
        limit: int = 100,
        after: Cursor | None = None,
        kind: EndKind | Iterable[EndKind] | None = None,
        name: str | None = None,
        text: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Page[FailedTask]:
        """List tasks that ended without success and are kept, the latest first, dead letters among them.

        See ``Huey.failed``.
        """
        answer: Page[FailedTask] = self._wait(
            self._wrapped.failed(limit=limit, after=after, kind=kind, name=name, text=text, since=since, until=until)
        )
        return answer

    def requeue(
        self,
        ids: Iterable[str] | None = None,
        *,
        kind: EndKind | Iterable[EndKind] | None = None,
        name: str | None = None,
        text: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        actor: str | None = None,
    ) -> dict[str, Requeued]:
        """Run failed tasks and dead letters again, with all their retries: these, or all that a filter finds.

        See ``Huey.requeue``.
        """
        answer: dict[str, Requeued] = self._wait(
            self._wrapped.requeue(ids, kind=kind, name=name, text=text, since=since, until=until, actor=actor)
        )
        return answer

    def tasks(
        self,
        state: ListName | Iterable[ListName],
        name: str | None = None,
        text: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> TaskPage:
        """List the tasks of a state, or of several, whether or not they are declared here.

        See ``Huey.tasks``.
        """
        answer: TaskPage = self._wait(
            self._wrapped.tasks(state, name, text, since=since, until=until, limit=limit, after=after)
        )
        return answer

    def inspect(self, task_id: str) -> TaskDetails:
        """Say all that is known of one task: its state, where it is, what it waits for, its attempts, how it ended.

        See ``Huey.inspect``.
        """
        answer: TaskDetails = self._wait(self._wrapped.inspect(task_id))
        return answer

    def purge(self, ids: Iterable[str] | None = None, *, actor: str | None = None) -> int:
        """Delete these dead letters, or all; return how many. Failed tasks stay.

        See ``Huey.purge``.
        """
        answer: int = self._wait(self._wrapped.purge(ids, actor=actor))
        return answer

    def audit(self, limit: int = 100, after: int | None = None) -> list[AuditEntry]:
        """List what operators changed, the latest first; the last 1,000 changes are kept.

        See ``Huey.audit``.
        """
        answer: list[AuditEntry] = self._wait(self._wrapped.audit(limit, after))
        return answer

    def history(
        self,
        *,
        limit: int = 100,
        after: Cursor | None = None,
        kind: EndKind | Iterable[EndKind] | None = None,
        name: str | None = None,
        text: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> HistoryPage:
        """List tasks that have ended, as far as they are remembered, the latest first.

        See ``Huey.history``.
        """
        answer: HistoryPage = self._wait(
            self._wrapped.history(limit=limit, after=after, kind=kind, name=name, text=text, since=since, until=until)
        )
        return answer

    def attempts(self, task_id: str) -> list[Attempt]:
        """List what is remembered of the attempts of a task that has failed or was cut short, the latest last.

        See ``Huey.attempts``.
        """
        answer: list[Attempt] = self._wait(self._wrapped.attempts(task_id))
        return answer

    def lifespan(self, app: object = None) -> AbstractAsyncContextManager[None]:
        """Open this Huey while a web application serves, and close it then: ``FastAPI(lifespan=huey.lifespan)``.

        See ``Huey.lifespan``.
        """
        answer: AbstractAsyncContextManager[None] = self._wrapped.lifespan(app)
        return answer

    @shows_options(ConsumerOptions)
    def lifespan_with_consumer(
        self, **options: Unpack[ConsumerSettings]
    ) -> Callable[[object], AbstractAsyncContextManager[None]]:
        """Make a ``lifespan`` that runs a consumer beside the application; options are those of ``create_consumer``.

        See ``Huey.lifespan_with_consumer``.
        """
        answer: Callable[[object], AbstractAsyncContextManager[None]] = self._wrapped.lifespan_with_consumer(**options)
        return answer

    def consumers(self) -> list[ConsumerInfo]:
        """List the consumers that have a live lease on this queue, in any process on any machine.

        See ``Huey.consumers``.
        """
        answer: list[ConsumerInfo] = self._wait(self._wrapped.consumers())
        return answer

    def statistics(self, since: float | timedelta | datetime = 3600.0, name: str | None = None) -> QueueStatistics:
        """Tell what happened since then, in seconds before now or a moment: rates, durations, failures, by the minute.

        See ``Huey.statistics``.
        """
        answer: QueueStatistics = self._wait(self._wrapped.statistics(since, name))
        return answer

    def notify_interrupted_tasks(self) -> None:
        """Send SIGNAL_INTERRUPTED for every task that consumers of this Huey, in this loop, are running now.

        See ``Huey.notify_interrupted_tasks``.
        """
        self._wait(self._wrapped.notify_interrupted_tasks())

    def pause(self, *, actor: str | None = None) -> None:
        """Let consumers start nothing more. What runs goes on, what is enqueued waits.

        See ``Huey.pause``.
        """
        self._wait(self._wrapped.pause(actor=actor))

    def resume(self, *, actor: str | None = None) -> None:
        """Let consumers go on. With ``actor``, who does it, that is an entry of ``audit()``."""
        self._wait(self._wrapped.resume(actor=actor))

    def is_paused(self) -> bool:
        """Say whether the queue is paused."""
        answer: bool = self._wait(self._wrapped.is_paused())
        return answer

    def pause_info(self) -> PauseInfo | None:
        """Say who paused the queue, and when; None if it is not paused."""
        answer: PauseInfo | None = self._wait(self._wrapped.pause_info())
        return answer

    def schedules(self) -> SyncSchedules:
        """Return the handle on recurring calls that are kept in the storage."""
        answer: SyncSchedules = SyncSchedules(self._wrapped.schedules())
        return answer

    def read_periodic(self, timestamp: datetime) -> list[Task]:
        """Return a fresh call of each declared periodic task that is due at this moment, in order of declaration."""
        answer: list[Task] = self._wrapped.read_periodic(timestamp)
        return answer

    def dequeue(self) -> Task | None:
        """Claim the next task, lane by lane; None if the queue is empty.

        See ``Huey.dequeue``.
        """
        answer: Task | None = self._wait(self._wrapped.dequeue())
        return answer

    def execute(self, task: Task, timestamp: datetime | None = None) -> Any:
        """Do with a dequeued task all that a consumer does; return the value of its body.

        See ``Huey.execute``.
        """
        answer: Any = to_sync(self._wait(self._wrapped.execute(task, timestamp)))
        return answer

    def add_schedule(self, task: Task) -> None:
        """Put a task into the schedule, also one that was dequeued. It needs an ``eta``, which may have passed."""
        self._wait(self._wrapped.add_schedule(task))

    def read_schedule(self, timestamp: datetime | None = None) -> list[Task]:
        """Move what is due at ``timestamp`` to the queue; return these tasks, the earliest first."""
        answer: list[Task] = self._wait(self._wrapped.read_schedule(timestamp))
        return answer

    def ready_to_run(self, task: Task, timestamp: datetime | None = None) -> bool:
        """Say whether the task's eta, if it has one, has come."""
        answer: bool = self._wrapped.ready_to_run(task, timestamp)
        return answer

    @property
    def utc(self) -> bool:
        """Whether crontabs are in UTC."""
        answer: bool = self._wrapped.utc
        return answer

    @property
    def propagate(self) -> tuple[str, ...]:
        """The keys of the headers that the calls of a body inherit."""
        answer: tuple[str, ...] = self._wrapped.propagate
        return answer

    @property
    def history_args(self) -> bool:
        """Whether the history has the arguments of calls, in short form."""
        answer: bool = self._wrapped.history_args
        return answer

    @property
    def serializer(self) -> Serializer:
        """What turns values into bytes, as it was given; what was written before must be readable by a new one."""
        answer: Serializer = self._wrapped.serializer
        return answer

    @serializer.setter
    def serializer(self, serializer: Serializer) -> None:
        self._wrapped.serializer = serializer

    @property
    def results(self) -> bool:
        """Whether what tasks return is stored."""
        answer: bool = self._wrapped.results
        return answer

    @results.setter
    def results(self, results: bool) -> None:
        self._wrapped.results = results

    @property
    def store_none(self) -> bool:
        """Whether None is stored too."""
        answer: bool = self._wrapped.store_none
        return answer

    @store_none.setter
    def store_none(self, store_none: bool) -> None:
        self._wrapped.store_none = store_none

    @property
    def store_intermediate_errors(self) -> bool:
        """Whether the error of an attempt that will be retried is stored too."""
        answer: bool = self._wrapped.store_intermediate_errors
        return answer

    @store_intermediate_errors.setter
    def store_intermediate_errors(self, store: bool) -> None:
        self._wrapped.store_intermediate_errors = store

    @property
    def max_put_back_age(self) -> float | None:
        """Seconds for which a task may go back again and again; None: for ever."""
        answer: float | None = self._wrapped.max_put_back_age
        return answer

    @max_put_back_age.setter
    def max_put_back_age(self, seconds: float | None) -> None:
        self._wrapped.max_put_back_age = seconds

    @property
    def raise_errors(self) -> bool:
        """Whether a task's error reaches whoever enqueued it, in immediate mode."""
        answer: bool = self._wrapped.raise_errors
        return answer

    @raise_errors.setter
    def raise_errors(self, raise_errors: bool) -> None:
        self._wrapped.raise_errors = raise_errors

    @property
    def result_ttl(self) -> float | None:
        """Seconds that a result which nobody reads is kept; None: for ever."""
        answer: float | None = self._wrapped.result_ttl
        return answer

    @result_ttl.setter
    def result_ttl(self, seconds: float | None) -> None:
        self._wrapped.result_ttl = seconds
