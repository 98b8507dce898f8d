"""Huey: declares tasks and ties the lower layers together. It holds no algorithm."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Final, ParamSpec, TypedDict, TypeVar, overload

from hueyio.consumer import Consumer, ConsumerOptions
from hueyio.dead import DeadTask, read_dead_letter
from hueyio.declaration import TaskDecorator, make_spec
from hueyio.entries import make_entry
from hueyio.exceptions import ConfigurationError, HueyException, SerializationError
from hueyio.execution.policy import Rules
from hueyio.immediate import ImmediateRunner
from hueyio.message import read_task
from hueyio.registry import Registry
from hueyio.result import Result, ResultGroup
from hueyio.revocation import class_key, instance_key
from hueyio.revoke import Revocable, forget_revocation, is_revoked, keys_of, write_revocation
from hueyio.serializer import Serializer
from hueyio.sessions import Sessions
from hueyio.signals import SIGNAL_ENQUEUED, SIGNAL_SCHEDULED, Receiver, Signals
from hueyio.spec import check_settings
from hueyio.storage.contract import Session, Storage
from hueyio.storage.memory import MemoryStorage
from hueyio.storage.records import Counts, Entry
from hueyio.task import Expires, Task, aware
from hueyio.wrapper import AsyncTaskWrapper, TaskWrapper

__all__ = ["Huey", "HueyOptions"]

P = ParamSpec("P")
R = TypeVar("R")

_RESULT_TTL: Final = 7 * 86400.0


class HueyOptions(TypedDict, total=False):
    """Settings that every Huey has; see ``Huey``."""

    results: bool
    store_none: bool
    utc: bool
    immediate: bool
    serializer: Serializer | None
    compression: bool
    use_zlib: bool
    immediate_use_memory: bool
    store_intermediate_errors: bool
    result_ttl: float | None


class Huey:
    """A queue of tasks: declares them, enqueues their calls, and makes the consumers that run them.

    Subclasses say where the queue is (``SqliteHuey``, ``RedisHuey``, ``MemoryHuey``). ``results=False`` stores none;
    ``store_none`` stores None too; ``store_intermediate_errors=False`` stores only the error of the last attempt;
    ``result_ttl`` (seconds, None: for ever) bounds how long a result that nobody reads is kept. With ``immediate`` a
    task runs where it is enqueued.
    """

    storage_class: type[Any] | None = None

    def __init__(
        self,
        name: str = "huey",
        results: bool = True,
        store_none: bool = False,
        utc: bool = True,
        immediate: bool = False,
        serializer: Serializer | None = None,
        compression: bool = False,
        use_zlib: bool = False,
        immediate_use_memory: bool = True,
        storage_class: type[Any] | None = None,
        store_intermediate_errors: bool = True,
        result_ttl: float | None = _RESULT_TTL,
        **storage_kwargs: Any,
    ) -> None:
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"a Huey's name must be a text that is not empty, not {name!r}")
        if result_ttl is not None and (isinstance(result_ttl, bool) or not result_ttl > 0):
            raise ConfigurationError(f"result_ttl must be seconds > 0 or None, not {result_ttl!r}")
        self.name = name
        self.utc = utc
        self.serializer = serializer or Serializer(compression, use_zlib=use_zlib)
        self.registry = Registry()
        self.signals = Signals()
        self.rules = Rules(results=results, store_none=store_none, store_intermediate_errors=store_intermediate_errors)
        self.result_ttl = result_ttl
        if storage_class is not None:
            self.storage_class = storage_class
        self._live = Sessions(self.get_storage(**storage_kwargs))
        self._immediate_use_memory = immediate_use_memory
        self._runner = ImmediateRunner(self)
        self._sessions = self._live
        self._immediate = False
        self.immediate = immediate

    # Where the tasks are

    def get_storage(self, **storage_kwargs: Any) -> Storage:
        """Build the storage; an override may return any that satisfies the contract."""
        if self.storage_class is None:
            raise ConfigurationError("Huey needs a storage: SqliteHuey, RedisHuey or MemoryHuey, or a storage_class=")
        storage: Storage = self.storage_class(name=self.name, **storage_kwargs)
        return storage

    @property
    def storage(self) -> Storage:
        """The storage in use; a memory storage in immediate mode."""
        return self._sessions.storage

    @property
    def immediate(self) -> bool:
        """Whether tasks run where they are enqueued. Takes effect at the next await."""
        return self._immediate

    @immediate.setter
    def immediate(self, immediate: bool) -> None:
        if immediate == self._immediate:
            return
        self._immediate = immediate
        memory = immediate and self._immediate_use_memory
        self._sessions = Sessions(MemoryStorage(name=self.name)) if memory else self._live

    async def session(self) -> Session:
        """Return the running loop's storage session, opened at its first use."""
        return await self._sessions.get()

    async def close(self) -> None:
        """Close the running loop's session; the next use opens another."""
        await self._sessions.close()

    async def __aenter__(self) -> Huey:
        await self.session()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def now(self) -> float:
        """Return epoch seconds."""
        return time.time()

    # Declaring

    def get_task_wrapper_class(self) -> type[TaskWrapper[..., Any]]:
        """Return the class of declared ``def`` tasks; ``AsyncTaskWrapper`` is that of ``async def`` ones."""
        return TaskWrapper

    @overload
    def task(self, func: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTaskWrapper[P, R]: ...

    @overload
    def task(self, func: Callable[P, R], /) -> TaskWrapper[P, R]: ...

    @overload
    def task(
        self,
        *,
        retries: int = 0,
        retry_delay: float = 0,
        retry_backoff: float = 0,
        priority: float | None = None,
        context: bool = False,
        name: str | None = None,
        expires: Expires | None = None,
        timeout: float | None = None,
        max_deliveries: int = 3,
        **settings: Any,
    ) -> TaskDecorator: ...

    def task(self, *functions: Callable[..., Any], **options: Any) -> Any:
        """Declare a function as a task: ``@huey.task``, or ``@huey.task(retries=3)``.

        The task's name is the function's module and name; ``name`` replaces the latter. ``context=True`` passes
        the Task as ``task=``. ``timeout`` (seconds) applies to each attempt. Raises ValueError if the name is
        taken.
        """

        def declare(function: Callable[..., Any]) -> TaskWrapper[..., Any]:
            return self._declare(function, options)

        return declare(*functions) if functions else TaskDecorator(declare)

    def _declare(self, function: Callable[..., Any], options: dict[str, Any]) -> TaskWrapper[..., Any]:
        spec = make_spec(function, options)
        self.registry.register(spec)
        wrapper = self.get_task_wrapper_class()
        if spec.lane == "loop" and wrapper is TaskWrapper:
            wrapper = AsyncTaskWrapper
        return wrapper(self, spec)

    def unregister(self, name: str) -> bool:
        """Forget the task of that name; False if there is none."""
        return self.registry.unregister(name)

    def signal(self, *signals: str) -> Callable[[Receiver], Receiver]:
        """Connect a function to signals, or to all if none is given."""

        def connect(receiver: Receiver) -> Receiver:
            self.signals.connect(receiver, signals)
            return receiver

        return connect

    def disconnect_signal(self, receiver: Receiver, *signals: str) -> None:
        """Disconnect a function from signals, or from all if none is given."""
        self.signals.disconnect(receiver, signals)

    # Enqueueing

    def prepare(self, task: Task) -> Entry:
        """Check a task and encode it, without I/O.

        Raises UnknownTaskError, TaskArgumentError, or NotImplementedError for a priority that the storage cannot
        keep.
        """
        if not isinstance(task, Task):
            raise HueyException(f"only a Task can be enqueued, such as add.s(1, 2), not {task!r}")
        self.registry.find(task.name).check_call(task.args, task.kwargs)
        for stage in task.stages():
            self._check(stage)
        return make_entry(task, self.registry, self.serializer, self.now())

    async def send(self, task: Task, entry: Entry) -> Any:
        """Write a prepared task; return its Result (None without results), of a pipeline the ResultGroup."""
        if self._immediate:
            await self._runner.run(task)
        else:
            session = await self.session()
            await session.enqueue([entry])
            await self._tell_enqueued([task], [entry])
        return self._handle_on(task)

    async def enqueue(self, task: Task) -> Any:
        """Enqueue a task; return its Result, of a pipeline the ResultGroup of all stages, None without results."""
        return await self.send(task, self.prepare(task))

    async def enqueue_many(self, tasks: Iterable[Task]) -> Any:
        """Enqueue many tasks in one write; return their ResultGroup (for a pipeline the Result of its last stage)."""
        tasks = list(tasks)
        entries = [self.prepare(task) for task in tasks]
        if self._immediate:
            for task in tasks:
                await self._runner.run(task)
        elif entries:
            session = await self.session()
            await session.enqueue(entries)
            await self._tell_enqueued(tasks, entries)
        if not self.rules.results:
            return None
        return ResultGroup([Result(self, list(task.stages())[-1]) for task in tasks])

    def result_of(self, task_id: str) -> Result[Any]:
        """Return a handle on the result of a task whose id is known."""
        return Result(self, task_id)

    async def result(self, id: str, blocking: bool = False, timeout: float | None = None, **options: Any) -> Any:
        """Read the result of a task whose id is known; see ``Result.get``."""
        return await Result[Any](self, id).get(blocking, timeout, **options)

    def _check(self, stage: Task) -> None:
        self.registry.find(stage.name)
        if not isinstance(stage.id, str) or not stage.id:
            raise ConfigurationError(f"task {stage.name}: an id must be a text that is not empty, not {stage.id!r}")
        if stage.priority is not None or stage.timeout is not None or stage.retries or stage.retry_delay:
            check_settings(
                retries=stage.retries,
                retry_delay=stage.retry_delay,
                retry_backoff=stage.retry_backoff,
                timeout=stage.timeout,
                priority=stage.priority,
            )
        if stage.priority and not self.storage.capabilities.priorities:
            raise NotImplementedError(
                f"task {stage.name}: priority={stage.priority!r}, but {type(self).__name__} keeps a plain list; "
                "PriorityRedisHuey has priorities"
            )
        if stage.on_error is not None:
            self._check(stage.on_error)

    def _handle_on(self, task: Task) -> Any:
        if not self.rules.results:
            return None
        if task.on_complete is None:
            return Result[Any](self, task)
        return ResultGroup([Result[Any](self, stage) for stage in task.stages()])

    async def _tell_enqueued(self, tasks: Sequence[Task], entries: Sequence[Entry]) -> None:
        if not self.signals:
            return
        for task, entry in zip(tasks, entries, strict=True):
            await self.signals.send(SIGNAL_ENQUEUED if entry.header.eta is None else SIGNAL_SCHEDULED, task)

    # Revoking

    async def revoke(
        self, task: Task | Result[Any], revoke_until: datetime | None = None, revoke_once: bool = False
    ) -> None:
        """Keep one task from being run."""
        await self.revoke_by_id(task.id, revoke_until, revoke_once)

    async def revoke_by_id(self, task_id: str, revoke_until: datetime | None = None, revoke_once: bool = False) -> None:
        """Keep the task of this id from being run."""
        await self._revoke(instance_key(task_id), revoke_until, revoke_once)

    async def revoke_all(
        self, task: TaskWrapper[..., Any], revoke_until: datetime | None = None, revoke_once: bool = False
    ) -> None:
        """Keep all tasks of this function from being run."""
        await self._revoke(class_key(task.name), revoke_until, revoke_once)

    async def restore(self, task: Task | Result[Any]) -> bool:
        """Take the revocation of one task back; False if there is none."""
        return await self.restore_by_id(task.id)

    async def restore_by_id(self, task_id: str) -> bool:
        """Take the revocation of the task of this id back; False if there is none."""
        return await forget_revocation(await self.session(), instance_key(task_id))

    async def restore_all(self, task: TaskWrapper[..., Any]) -> bool:
        """Take the revocation of this function's tasks back; False if there is none."""
        return await forget_revocation(await self.session(), class_key(task.name))

    async def is_revoked(self, task: Revocable, timestamp: datetime | None = None, peek: bool = True) -> bool:
        """Say whether a task (of an id: by itself; of a Task or Result: or its function) is revoked.

        ``timestamp``: at that moment instead of now. Without ``peek`` a revocation for once is used up.
        """
        now = self.now() if timestamp is None else aware(timestamp).timestamp()
        return await is_revoked(await self.session(), keys_of(task), now, peek)

    async def _revoke(self, key: str, until: datetime | None, once: bool) -> None:
        await write_revocation(await self.session(), key, until, once, self.now())

    # Looking

    def __len__(self) -> int:
        raise TypeError("the length of the queue is in the storage: use `await huey.count()`")

    def __bool__(self) -> bool:
        return True

    async def count(self) -> int:
        """Return how many tasks are in the queue, ready to be run."""
        counts = await self.counts()
        return sum(counts.queued.values()) + counts.suspects

    async def counts(self) -> Counts:
        """Count everything that there is."""
        return await (await self.session()).counts()

    async def pending(self, limit: int | None = None) -> list[Task]:
        """List the tasks in the queue, lane by lane in the order in which they will run."""
        return self._read_all(await (await self.session()).scan_tasks("queued", limit))

    async def scheduled(self, limit: int | None = None) -> list[Task]:
        """List the tasks that wait for their time, the earliest first."""
        return self._read_all(await (await self.session()).scan_tasks("scheduled", limit))

    def _read_all(self, entries: Sequence[Entry]) -> list[Task]:
        tasks = [self._read(entry.data) for entry in entries]
        return [task for task in tasks if task is not None]

    def _read(self, data: bytes) -> Task | None:
        try:
            return read_task(data, self.serializer)
        except SerializationError:
            return None

    # Dead letters

    async def dead(self, limit: int | None = None) -> list[DeadTask]:
        """List the messages that could not be run, the latest first."""
        letters = await (await self.session()).dead(limit)
        return [read_dead_letter(letter, self.serializer) for letter in letters]

    async def requeue(self, ids: Iterable[str]) -> int:
        """Put dead letters back to the queue, as new; return how many."""
        return await (await self.session()).requeue(list(ids))

    async def purge(self, ids: Iterable[str] | None = None) -> int:
        """Delete these dead letters, or all; return how many."""
        return await (await self.session()).purge(None if ids is None else list(ids))

    # Consuming

    def create_consumer(self, **options: Any) -> Consumer:
        """Make a consumer for the running loop; see ``ConsumerOptions`` for what can be set."""
        if self._immediate:
            raise ConfigurationError("a Huey in immediate mode runs its tasks itself; it has no work for a consumer")
        unknown = options.keys() - ConsumerOptions.__dataclass_fields__.keys()
        if unknown:
            raise ConfigurationError(f"a consumer has no option {', '.join(sorted(unknown))}")
        return Consumer(self, ConsumerOptions(**options))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"
