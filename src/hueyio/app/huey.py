"""Huey: what users see of it. It declares tasks and hands over to the rooms below; it holds no algorithm."""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Self, TypeVar, Unpack, cast, get_args, overload
from weakref import WeakSet

from hueyio import consumer, control
from hueyio.app.options import ConsumerSettings
from hueyio.app.revocable import AnyResult, AnyTask, Revocable, checked_id, id_of, keys_of, path_of
from hueyio.app.settings import Settings, check_seconds, is_positive
from hueyio.app.sync_huey import SyncHuey
from hueyio.client.chord_plan import plan
from hueyio.client.deletions import LAST_TIME, finish_deletions, let_ids_go
from hueyio.client.early_workers import look_at_workers
from hueyio.client.prepare import prepare
from hueyio.client.producer import Producer
from hueyio.consumer.driver import Driver
from hueyio.consumer.options import ConsumerOptions
from hueyio.control.cancel import cancel
from hueyio.control.revoke import is_revoked, restore, revoke, revoke_all
from hueyio.control.take_value import put_back, take_value
from hueyio.core import DEFAULT_PUT_BACK_AGE, DEFAULT_RESULT_TTL, Core, Rules, build_error_result, core_of
from hueyio.exceptions import ConfigurationError, HueyException, SerializationError, TaskArgumentError
from hueyio.execution.run_context import runs_body_of
from hueyio.handles.awaitable_task import AwaitableTaskWrapper
from hueyio.handles.awaited import awaited
from hueyio.handles.by_name import NamedTask
from hueyio.handles.chord_result import ChordResult
from hueyio.handles.context_manager import run_inside
from hueyio.handles.decorators import ContextTaskDecorator, EnteredTaskDecorator, TaskDecorator, make_spec
from hueyio.handles.options import check_names, shows_options
from hueyio.handles.reading import ReadOptions, shows_read_options
from hueyio.handles.result import Result, ResultGroup, handle_on, handles_on, handles_on_ends, reader_of
from hueyio.handles.sync_result import SyncResult
from hueyio.handles.telling import telling
from hueyio.handles.wrapper import AsyncTaskWrapper, TaskWrapper
from hueyio.hooks import AttemptMiddleware, EnqueueMiddleware, Hook, HookKind
from hueyio.limits.lock import LOCK_PREFIX, Semaphore, TaskLock
from hueyio.limits.rate_limit import RateLimit
from hueyio.messages.entry import make_entry
from hueyio.messages.message import read_task, write_task
from hueyio.messages.revocation import class_key, instance_key
from hueyio.messages.stored_result import Returned, write_ending
from hueyio.schedules.stored import Schedules
from hueyio.schedules.ticks import call_of
from hueyio.serializer import Serializer, check_serializer
from hueyio.signals import SIGNAL_INTERRUPTED, SIGNAL_SCHEDULED, Receiver
from hueyio.storage.contract import Session, Storage
from hueyio.storage.records import ALL_LETTERS, RUNS_AGAIN, Clearable, Counts, Cursor, EndKind, Entry, Page, Requeued
from hueyio.storage.texts import check_text
from hueyio.tasks.canvas import chord, group
from hueyio.tasks.declared import TaskOptions, TaskSettings
from hueyio.tasks.given import check_switches, items_of
from hueyio.tasks.headers import check_propagated
from hueyio.tasks.states import ListName
from hueyio.tasks.task import Task, aware
from hueyio.tasks.unawaited import Unawaited
from hueyio.times.crontab import crontab
from hueyio.times.timetable import make_timetable
from hueyio.web.settings import ASGIApp, DashboardOptions
from hueyio.web.settings import Settings as DashboardSettings

if TYPE_CHECKING:
    from hueyio.consumer import Consumer
    from hueyio.control.audit import AuditEntry
    from hueyio.control.consumers import ConsumerInfo
    from hueyio.control.dead_letters import DeadTask
    from hueyio.control.failed_tasks import FailedTask
    from hueyio.control.history import Attempt, HistoryPage
    from hueyio.control.listing import TaskPage
    from hueyio.control.pause import PauseInfo
    from hueyio.control.statistics import QueueStatistics
    from hueyio.control.task_details import TaskDetails

__all__ = ["Huey"]

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
W = TypeVar("W", bound=Awaitable[Any])
H = TypeVar("H", bound=Hook)
A = TypeVar("A", bound=AttemptMiddleware)
E = TypeVar("E", bound=EnqueueMiddleware)


@telling("huey.sync")
class Huey(Settings):
    """A queue of tasks: declares them, enqueues their calls, and makes the consumers that run them.

    Subclasses say where the queue is (``SqliteHuey``, ``RedisHuey``, ``MemoryHuey``); with ``storage_class`` it is
    there, made with ``storage_kwargs``. Raises ConfigurationError that names the option.

    =============================  ====================================================================================
    ``name``                       the queue's name: programs and workers with the same one share a queue
    ``results``                    store what tasks return; False: calls give no handles
    ``store_none``                 store None too
    ``utc``                        crontabs are in UTC; False: in local time
    ``immediate``                  tasks run where they are enqueued, as a consumer would run them
    ``serializer``                 turns values into bytes; the default is pickle
    ``compression``, ``use_zlib``  compress with gzip, or zlib; only for the default serializer
    ``immediate_use_memory``       immediate mode keeps everything in memory; False: results go to the live storage
    ``storage_class``              what makes the storage, called with ``name=`` and ``storage_kwargs``
    ``store_intermediate_errors``  store the error of an attempt that will be retried too
    ``result_ttl``                 seconds that a result is kept that nobody reads; None: for ever
    ``max_put_back_age``           seconds for which a task may go back again and again (locked, rate-limited, snoozed,
                                   retried because it asks) before it has failed; None: for ever
    ``raise_errors``               in immediate mode a task's error reaches whoever enqueued it
    ``propagate``                  keys of the headers that the calls of a body inherit from its task
    ``statistics``                 consumers count what ends in them, for ``huey.statistics()`` and the metrics
    ``history_args``               the history has the arguments of calls, in short form
    =============================  ====================================================================================

    Example::

        huey = SqliteHuey("app", filename="app.db")

        @huey.task
        async def add(a: int, b: int) -> int:
            return a + b

        result = await add(1, 2)  # a worker of this queue runs it
        print(await result)  # 3
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
        result_ttl: float | None = DEFAULT_RESULT_TTL,
        *,
        raise_errors: bool = False,
        max_put_back_age: float | None = DEFAULT_PUT_BACK_AGE,
        propagate: Sequence[str] = (),
        statistics: bool = True,
        history_args: bool = False,
        **storage_kwargs: Any,
    ) -> None:
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"a Huey's name must be a text that is not empty, not {name!r}")
        check_text("a Huey's name", name)
        check_switches(
            {
                "results": results,
                "store_none": store_none,
                "utc": utc,
                "immediate": immediate,
                "compression": compression,
                "use_zlib": use_zlib,
                "immediate_use_memory": immediate_use_memory,
                "store_intermediate_errors": store_intermediate_errors,
                "raise_errors": raise_errors,
                "statistics": statistics,
                "history_args": history_args,
            }
        )
        check_seconds("result_ttl", result_ttl)
        check_seconds("max_put_back_age", max_put_back_age)
        if serializer is not None:
            check_serializer(serializer)
        if serializer is not None and (compression or use_zlib):
            raise ConfigurationError("compression and use_zlib are for the default serializer; give them to yours")
        if storage_class is not None:
            self.storage_class = storage_class
        rules = Rules(
            results=results,
            store_none=store_none,
            store_intermediate_errors=store_intermediate_errors,
            serializer=serializer or Serializer(compression, use_zlib=use_zlib),
            build_error_result=self.build_error_result,
            max_put_back_age=max_put_back_age,
        )
        self._name = name
        self._immediate = False
        self._immediate_use_memory = immediate_use_memory
        self._storage_kwargs = storage_kwargs
        self._core = Core(
            name,
            type(self).__name__,
            self.create_storage(),
            rules,
            utc=utc,
            result_ttl=result_ttl,
            raise_errors=raise_errors,
            propagate=check_propagated(propagate),
            counts=statistics,
            history_args=history_args,
        )
        self._producer = Producer(self._core)
        self._lock_names: set[str] = set()
        self._consumers: WeakSet[Consumer] = WeakSet()
        self.immediate = immediate

    # --- settings and storage

    @property
    def name(self) -> str:
        """The queue's name."""
        return self._name

    @property
    def storage(self) -> Storage:
        """The storage in use; a memory storage in immediate mode."""
        return self._core.storage

    def create_storage(self) -> Storage:
        """Build the storage for the mode that is on: called when the Huey is made and when ``immediate`` is set."""
        if self._immediate and self._immediate_use_memory:
            return self.get_immediate_storage()
        return self.get_storage(**self._storage_kwargs)

    def get_immediate_storage(self) -> Storage:
        """Build the storage of immediate mode: a fresh one in memory, each time."""
        storage: Storage = import_module("hueyio.storage.memory").MemoryStorage(name=self.name)
        return storage

    def get_storage(self, **storage_kwargs: Any) -> Storage:
        """Build the storage; an override may return any that satisfies the contract."""
        made_by = self.storage_class
        if made_by is None:
            raise ConfigurationError("Huey needs a storage: SqliteHuey, RedisHuey or MemoryHuey, or a storage_class=")
        if not callable(made_by):
            raise ConfigurationError(f"storage_class must be a class, such as that of a storage, not {made_by!r}")
        parameters = inspect.signature(made_by).parameters
        if all(it.kind is not it.VAR_KEYWORD for it in parameters.values()):
            check_names(type(self).__name__, storage_kwargs, parameters)
        try:
            inspect.signature(made_by).bind(name=self.name, **storage_kwargs)
        except TypeError as error:
            raise ConfigurationError(f"{type(self).__name__}: {made_by.__name__} {error}") from None
        storage: Storage = made_by(name=self.name, **storage_kwargs)
        if not hasattr(storage, "capabilities"):
            raise ConfigurationError(f"storage_class={made_by!r} makes no storage, but {storage!r}")
        return storage

    def build_error_result(self, task: Task, exception: BaseException) -> dict[str, Any]:
        """Describe a failed attempt: what its ``TaskException.metadata`` will be; override it to add keys."""
        _check_task(task)
        return build_error_result(task, exception)

    @property
    def immediate(self) -> bool:
        """Whether tasks run where they are enqueued. Takes effect at the next await."""
        return self._immediate

    @immediate.setter
    def immediate(self, immediate: bool) -> None:
        check_switches({"immediate": immediate})
        if immediate == self._immediate:
            return
        self._immediate = self._core.immediate = immediate
        swaps = immediate and self._immediate_use_memory
        before = self._producer.immediate.before if immediate else None
        self._core.use_storage(self.create_storage() if swaps else None, before)

    @property
    def immediate_use_memory(self) -> bool:
        """Whether immediate mode keeps everything in memory; a change in immediate mode swaps at the next await."""
        return self._immediate_use_memory

    @immediate_use_memory.setter
    def immediate_use_memory(self, use_memory: bool) -> None:
        check_switches({"immediate_use_memory": use_memory})
        if use_memory == self._immediate_use_memory:
            return
        mode, self.immediate = self._immediate, False
        self._immediate_use_memory = use_memory
        self.immediate = mode

    @property
    def sync(self) -> SyncHuey:
        """All coroutine methods of this Huey for code that blocks: ``huey.sync.count()``."""
        return SyncHuey(self)

    async def close(self) -> None:
        """Close the running loop's session, after giving back what was dequeued in it; the next use opens another.

        In the body of a task it does nothing: the session is that of the consumer which runs the body.
        """
        if runs_body_of(self.storage):
            return
        driver = self._core.peek_beside_session(Driver)
        if driver is not None:
            await driver.close()
        await self._producer.shut_down()
        await finish_deletions(self._core, LAST_TIME)
        await self._core.close_session()

    async def __aenter__(self) -> Self:
        await self._core.session()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # --- declaring tasks

    def get_task_wrapper_class(self) -> type[TaskWrapper[..., Any]]:
        """Return the class of declared ``def`` tasks; ``AsyncTaskWrapper`` is that of ``async def`` ones."""
        return TaskWrapper

    @overload
    def task(self, func: AsyncTaskWrapper[P, R], /) -> AsyncTaskWrapper[P, R]: ...  # pyright: ignore[reportOverlappingOverload]

    @overload
    def task(self, func: TaskWrapper[P, R], /) -> TaskWrapper[P, R]: ...

    @overload
    def task(self, func: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTaskWrapper[P, R]: ...  # type: ignore[overload-overlap]  # an awaitable too

    @overload
    def task(self, func: Callable[P, W], /) -> AwaitableTaskWrapper[P, W]: ...

    @overload
    def task(self, func: Callable[P, R], /) -> TaskWrapper[P, R]: ...

    @overload
    def task(  # type: ignore[overload-overlap]  # a bool that is no literal has the plain types
        self, *, context: Literal[True], **options: Unpack[TaskSettings]
    ) -> ContextTaskDecorator: ...

    @overload
    def task(self, *, context: bool = False, **options: Unpack[TaskSettings]) -> TaskDecorator: ...

    @shows_options(TaskOptions, TaskSettings)
    def task(self, *functions: Callable[..., Any], **options: Any) -> Any:
        """Declare a function as a task: ``@huey.task``, or ``@huey.task(retries=3)``.

        The task's path is the function's module and name; ``name`` replaces the latter. ``context=True`` passes the
        Task to the parameter ``task``. See ``TaskOptions`` for the rest. ``settings`` are the user's own, and are read
        as attributes of each Task; so are keywords that hueyio does not know. Raises ValueError if the path is taken,
        ConfigurationError that names the option.

        Example::

            @huey.task(retries=3, retry_delay=5)
            async def length(text: str) -> int:
                return len(text)

            result = await length("hueyio")
            print(await result)  # 6
        """

        def declare(function: Callable[..., Any]) -> TaskWrapper[..., Any]:
            return self._declare(function, options)

        if len(functions) > 1:
            raise ConfigurationError(
                f"options of task are keywords, such as @huey.task(retries=3, retry_delay=5), not {functions!r}"
            )
        return declare(*functions) if functions else TaskDecorator(declare)

    @overload
    def context_task(
        self, obj: Any, as_argument: Literal[False] = False, *, context: bool = False, **options: Unpack[TaskSettings]
    ) -> TaskDecorator: ...

    @overload
    def context_task(
        self, obj: Any, as_argument: Literal[True], *, context: bool = False, **options: Unpack[TaskSettings]
    ) -> EnteredTaskDecorator: ...

    @shows_options(TaskOptions, TaskSettings)
    def context_task(self, obj: Any, as_argument: bool = False, **options: Any) -> Any:
        """Declare a task whose body runs inside ``with obj:`` or ``async with obj:``; options are those of ``task``.

        ``obj`` is a context manager that can be entered many times, or a function that makes one for each run. With
        ``as_argument`` what entering gives becomes the body's first argument, and callers leave it out.
        """

        check_switches({"as_argument": as_argument})

        def declare(function: Callable[..., Any]) -> TaskWrapper[..., Any]:
            return self._declare(function, options, lambda inner: run_inside(inner, obj, as_argument))

        return EnteredTaskDecorator(declare) if as_argument else TaskDecorator(declare)

    @shows_options(TaskOptions, TaskSettings)
    def periodic_task(
        self,
        validate_datetime: crontab | Callable[[datetime], bool],
        *,
        catch_up: bool = False,
        context: bool = False,
        **options: Unpack[TaskSettings],
    ) -> TaskDecorator:
        """Declare a task that is enqueued whenever it is due, once however many consumers run.

        ``validate_datetime`` is a crontab, or a function that is asked each minute with a naive datetime (UTC; local
        time with ``utc=False``). A time that no consumer saw within a minute (or within the task's period, where that
        is shorter) is missed; ``catch_up`` makes up the last one that was. Results are never stored. The other options
        are those of ``task``. Raises ConfigurationError if the function needs arguments.

        Example::

            @huey.periodic_task(crontab(minute="0", hour="3", tz="Europe/Paris"))
            async def clean_up() -> None: ...

            @huey.periodic_task(crontab(minute="*/5"), catch_up=True)
            async def send_digest() -> None: ...
        """
        check_switches({"catch_up": catch_up})
        timetable = make_timetable(validate_datetime, utc=self.utc)

        def declare(function: Callable[..., Any]) -> TaskWrapper[..., Any]:
            wrapper = self._declare(function, {"context": context, **options})
            try:
                wrapper.spec.check_call((), {})
            except TaskArgumentError as error:
                wrapper.unregister()
                raise ConfigurationError(f"a periodic task is called without arguments: {error}") from None
            wrapper.spec.timetable = timetable
            wrapper.spec.catch_up = catch_up
            return wrapper

        return TaskDecorator(declare)

    def unregister(self, path: str) -> bool:
        """Forget the task of that path; False if there is none."""
        if not isinstance(path, str):
            raise HueyException(f"a task is forgotten by its path, such as add.path, not {path!r}")
        return self._core.registry.unregister(path)

    def _declare(
        self,
        function: Callable[..., Any],
        options: dict[str, Any],
        around: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None,
    ) -> TaskWrapper[..., Any]:
        spec = make_spec(function, options, around)
        self._core.registry.register(spec)
        wrapper = self.get_task_wrapper_class()
        if spec.is_async and wrapper is TaskWrapper:
            wrapper = AsyncTaskWrapper
        return wrapper(self, spec, self._producer)

    # --- receivers of signals, and hooks

    def signal(self, *signals: str) -> Callable[[Receiver], Receiver]:
        """Connect a function to signals, or to all if none is given. Raises HueyException for an unknown one.

        Example::

            @huey.signal(SIGNAL_ERROR)
            def tell(signal: str, task: Task, error: BaseException) -> None:
                logging.error("%s: %r", task.name, error)
        """
        if signals and callable(signals[0]):
            raise HueyException("write @huey.signal() with parentheses")

        def connect(receiver: Receiver) -> Receiver:
            self._core.signals.connect(receiver, signals)
            return receiver

        return connect

    def disconnect_signal(self, receiver: Receiver, *signals: str) -> None:
        """Disconnect a function from signals, or from all if none is given."""
        self._core.signals.disconnect(receiver, signals)

    def pre_execute(self, name: str | None = None) -> Callable[[H], H]:
        """Call ``hook(task)`` before each attempt; CancelExecution cancels the task, other errors are logged."""
        return self._hook("pre_execute", name)

    def post_execute(self, name: str | None = None) -> Callable[[H], H]:
        """Call ``hook(task, value, exception)`` after each attempt whose body ran, when its outcome is written."""
        return self._hook("post_execute", name)

    def on_startup(self, name: str | None = None) -> Callable[[H], H]:
        """Call ``hook()`` when a consumer starts, before it claims; in immediate mode before the first task."""
        return self._hook("on_startup", name)

    def on_shutdown(self, name: str | None = None) -> Callable[[H], H]:
        """Call ``hook()`` when a consumer has stopped, after its last task; in immediate mode at ``close``."""
        return self._hook("on_shutdown", name)

    def on_thread_startup(self, name: str | None = None) -> Callable[[H], H]:
        """Call ``hook()`` in each thread that runs ``def`` tasks, before its first one: for what thread locals keep.

        A thread ends after 10 s without work. In immediate mode the thread of a blocking caller is not ours.
        """
        return self._hook("on_thread_startup", name)

    def unregister_pre_execute(self, hook: Hook | str) -> bool:
        """Remove a hook, given itself or its name; False if there is none."""
        return self._core.hooks.unregister("pre_execute", hook)

    def unregister_post_execute(self, hook: Hook | str) -> bool:
        """Remove a hook, given itself or its name; False if there is none."""
        return self._core.hooks.unregister("post_execute", hook)

    def unregister_on_startup(self, hook: Hook | str) -> bool:
        """Remove a hook, given itself or its name; False if there is none."""
        return self._core.hooks.unregister("on_startup", hook)

    def unregister_on_shutdown(self, hook: Hook | str) -> bool:
        """Remove a hook, given itself or its name; False if there is none."""
        return self._core.hooks.unregister("on_shutdown", hook)

    def unregister_on_thread_startup(self, hook: Hook | str) -> bool:
        """Remove a hook, given itself or its name; False if there is none."""
        return self._core.hooks.unregister("on_thread_startup", hook)

    def around_attempt(self, middleware: A) -> A:
        """Run each attempt, hooks and body, inside of the context manager that ``middleware(task)`` makes.

        ``with`` and ``async with`` alike, the first registered outermost. What is raised on the way in, or after a body
        that ended well, is the attempt's error. What the body raises is seen and cannot be swallowed. Raises
        HueyException for a function that makes no context manager.
        """
        self._core.hooks.surround_attempts(middleware)
        return middleware

    def around_enqueue(self, middleware: E) -> E:
        """Write calls inside of the context manager that ``middleware(calls)`` makes, once for each write.

        ``calls`` is an ``Enqueue``: before the write set headers in its ``tasks``, after it read ``enqueued``. What is
        raised on the way in is raised by the call; what is raised later is logged, because the tasks are there.
        """
        self._core.hooks.surround_enqueues(middleware)
        return middleware

    def unregister_around_attempt(self, middleware: AttemptMiddleware) -> bool:
        """Remove middleware; False if there is none."""
        return self._core.hooks.let_attempts_be(middleware)

    def unregister_around_enqueue(self, middleware: EnqueueMiddleware) -> bool:
        """Remove middleware; False if there is none."""
        return self._core.hooks.let_enqueues_be(middleware)

    def _hook(self, kind: HookKind, name: str | None) -> Callable[[H], H]:
        def register(hook: H) -> H:
            self._core.hooks.register(kind, hook, name)
            return hook

        if callable(name):
            raise HueyException(f"write @huey.{kind}() with parentheses")
        return register

    # --- enqueueing

    @overload
    def enqueue(self, task: Task) -> Coroutine[None, None, Any]: ...

    @overload
    def enqueue(self, task: group) -> Coroutine[None, None, ResultGroup[Any]]: ...

    @overload
    def enqueue(self, task: chord) -> Coroutine[None, None, ChordResult[Any]]: ...

    @awaited
    def enqueue(self, task: Task | group | chord) -> Coroutine[None, None, Any]:
        """Enqueue a task; return its Result, of a pipeline the ResultGroup of all stages, None without results.

        A group or a chord is enqueued in one write, and gives a ResultGroup or a ChordResult.

        Example::

            results = await huey.enqueue(add.s(1, 2).then(add, 10))
            print(await results)  # [3, 13]
        """
        return Unawaited(self._enqueue(task), "Huey.enqueue", "huey.sync.enqueue", sys._getframe(1))

    async def _enqueue(self, task: Task | group | chord) -> Any:
        if isinstance(task, group):
            members = list(task)
            return await handles_on_ends(self._producer, members, await self._send_many(members))
        if isinstance(task, chord):
            return await self._enqueue_chord(task)
        return handle_on(self._producer, task, await self._producer.send(task, prepare(self._core, task)))

    @awaited
    def enqueue_in(self, connection: Any, task: Task) -> Coroutine[None, None, Any]:
        """Enqueue a task as part of the application's own transaction; return what ``enqueue`` does.

        ``connection`` is one of sqlite3 or aiosqlite to the file of this ``SqliteHuey``, one of psycopg or asyncpg to
        the database of this ``PostgresHuey``, or a session or connection of SQLAlchemy, sync or async, or one of
        Django, that uses one of these; nothing is committed here. The task is there as soon as the
        application commits, and never if it rolls back or dies. Raises at once what ``enqueue`` raises, and
        ConfigurationError for a storage that has no such transactions. In immediate mode the task runs at once. No
        ENQUEUED is sent: only the application knows when the task is.

        Example::

            connection = sqlite3.connect("app.db")
            connection.execute("CREATE TABLE orders (id INTEGER)")
            connection.execute("INSERT INTO orders VALUES (1)")
            result = await huey.enqueue_in(connection, add.s(1, 2))
            connection.commit()  # the row and the task are there
            connection.close()
            print(await result)  # 3
        """
        coroutine = self._enqueue_in(connection, task, prepare(self._core, task))
        return Unawaited(coroutine, "Huey.enqueue_in", "huey.sync.enqueue_in", sys._getframe(1))

    async def _enqueue_in(self, connection: Any, task: Task, entry: Entry) -> Any:
        holder = await self._producer.send_in(connection, task, entry)
        return handle_on(self._producer, task, holder, is_committed=self._core.immediate)

    def by_name(self, name: str) -> NamedTask:
        """Return a task that another program declares, by its full name: ``huey.by_name("shop.mail.send")("ada")``.

        Nothing is looked up: whether a worker knows it, and takes these arguments, shows when it runs.
        ``.options(id="7")`` sets options. See ``NamedTask``. Raises ConfigurationError for what is no name.
        """
        return NamedTask(self, self._producer, name)

    @awaited
    def enqueue_by_name(self, name: str, /, *args: Any, **kwargs: Any) -> Coroutine[None, None, Result[Any]]:
        """Enqueue a call of the task of that full name with all of these arguments; ``await`` it for its Result.

        Raises what a call of ``by_name`` raises.
        """
        return self.by_name(name)(*args, **kwargs)

    @awaited
    def enqueue_many(self, tasks: Iterable[Task]) -> Coroutine[None, None, ResultGroup[Any]]:
        """Enqueue many tasks in one write; return their ResultGroup (for a pipeline the Result of its last stage).

        Raises at once what ``enqueue`` raises; nothing is enqueued then.
        """
        tasks = list(items_of(tasks, "enqueue_many takes an iterable of Tasks, such as [add.s(1, 2), add.s(3, 4)]"))
        coroutine = self._enqueue_many(tasks, [prepare(self._core, task) for task in tasks])
        return Unawaited(coroutine, "Huey.enqueue_many", "huey.sync.enqueue_many", sys._getframe(1))

    async def _enqueue_many(self, tasks: list[Task], entries: list[Entry]) -> ResultGroup[Any]:
        holders = await self._producer.send_many(tasks, entries)
        handles: Any = await handles_on_ends(self._producer, tasks, holders) if self._core.rules.results else None
        return cast("ResultGroup[Any]", handles)

    async def _send_many(self, tasks: list[Task]) -> list[str | None]:
        return await self._producer.send_many(tasks, [prepare(self._core, task) for task in tasks])

    async def _enqueue_chord(self, task: chord) -> ChordResult[Any]:
        planned = plan(task)
        await self._producer.send_chord(planned)
        stages = list(planned.callback.stages())
        pipeline = None if len(stages) == 1 else handles_on(self._producer, stages)
        callback = handles_on(self._producer, stages)[0] if pipeline is None else pipeline[0]
        return ChordResult(handles_on(self._producer, planned.tails), callback, pipeline)

    def serialize_task(self, task: Task) -> bytes:
        """Return a task as the bytes of its message; raises UnknownTaskError if it is not registered here."""
        self._core.registry.find(_check_task(task).path)
        return write_task(task, self._core.serializer)

    def deserialize_task(self, data: bytes) -> Task:
        """Return the task of a message; raises SerializationError, or UnknownTaskError if it is not registered."""
        task = read_task(data, self._core.serializer)
        spec = self._core.registry.find(task.path)
        task.belong(spec.name, spec.options.settings)
        return task

    # --- results

    @overload
    def result_of(self, task_id: str) -> Result[Any]: ...

    @overload
    def result_of(self, task_id: str, returns: type[R]) -> Result[R]: ...

    @overload
    def result_of(self, task_id: str, returns: object) -> Result[Any]: ...

    def result_of(self, task_id: str, returns: Any = None) -> Result[Any]:
        """Return a handle on the result of a task whose id is known.

        ``returns`` is the type of its value, for a serializer with types (``JSONSerializer(typed=True)``); without it
        the value is plain JSON there. Raises ConfigurationError for a type that cannot be read.

        Example::

            id = (await add(1, 2)).id
            print(await huey.result_of(id))  # 3
        """
        if not isinstance(task_id, str):
            raise HueyException(f"a task's id is a text, not {task_id!r}")
        result = Result[Any](self._producer, checked_id(task_id))
        if returns is not None:
            types = self._core.serializer.types
            if types is None:
                raise ConfigurationError("returns= is for a serializer with types: JSONSerializer(typed=True)")
            reader_of(result).returns = types.reader_of(returns)
        return result

    @shows_read_options
    async def result(
        self, id: str, blocking: bool = False, timeout: float | None = None, **options: Unpack[ReadOptions]
    ) -> Any:
        """Read the result of a task whose id is known; see ``Result.get``."""
        return await self.result_of(id).get(blocking, timeout, **options)

    async def put_result(self, key: str, data: Any) -> None:
        """Store a value as the result of the task with the id ``key``; it is kept for ``result_ttl``."""
        _checked_key(key)
        ending = write_ending(Returned(data), self._core.serializer.within("result", key))
        await let_ids_go(self._core, [key])
        await (await self._session()).put("results", {key: ending}, self.result_ttl)

    async def all_results(self) -> dict[str, bytes]:
        """Return the stored results by the ids of their tasks, as the bytes that are stored; reads nothing away."""
        await finish_deletions(self._core)
        return dict(await (await self._session()).scan_keys("results"))

    # --- cancelling and revoking

    async def cancel(self, task: Task | AnyResult | str) -> bool:
        """Cancel a task wherever it is; False if it was over already.

        One that is queued, scheduled or waits for its retry never runs (again). A running coroutine is cancelled in its
        consumer, in whatever process; a running function in a thread is let go, and told by ``task.check_timeout()``.
        Waiters get TaskCancelled. A later stage of a pipeline is cancelled by cancelling the one before it.
        Returns when the storage knows of it, not when the body has ended.

        Example::

            result = await add.options(delay=60)(1, 2)
            print(await huey.cancel(result))  # True
        """
        id: Any = task.id if isinstance(task, (Task, Result, SyncResult)) else task
        if not isinstance(id, str) or not id:
            raise HueyException(f"only a Task, a Result or the id of a task can be cancelled, not {task!r}")
        return await cancel(self._core, checked_id(id))

    async def revoke(
        self, task: Task | AnyResult, revoke_until: datetime | None = None, revoke_once: bool = False
    ) -> None:
        """Keep one task from being run: for good, until a moment (a naive one is local), or once.

        Example::

            result = await add.options(delay=60)(1, 2)
            await huey.revoke(result)
            print(await huey.is_revoked(result))  # True
            print(await huey.restore(result))  # True
        """
        await self.revoke_by_id(id_of(task), revoke_until, revoke_once)

    async def revoke_by_id(self, task_id: str, revoke_until: datetime | None = None, revoke_once: bool = False) -> None:
        """Keep the task of this id from being run.

        Where there is no such task, because it is over or not yet enqueued, this is forgotten after seven days.
        """
        checked_id(task_id)
        _check_until(revoke_until)
        await revoke(self._core, task_id, revoke_until, revoke_once)

    async def revoke_all(self, task: AnyTask, revoke_until: datetime | None = None, revoke_once: bool = False) -> None:
        """Keep all tasks of this function from being run."""
        path = path_of(task)
        _check_until(revoke_until)
        await revoke_all(self._core, path, revoke_until, revoke_once)

    async def restore(self, task: Task | AnyResult) -> bool:
        """Take the revocation of one task back; False if there is none."""
        return await self.restore_by_id(id_of(task))

    async def restore_by_id(self, task_id: str) -> bool:
        """Take the revocation of the task of this id back; False if there is none."""
        return await restore(self._core, instance_key(checked_id(task_id)))

    async def restore_all(self, task: AnyTask) -> bool:
        """Take the revocation of this function's tasks back; False if there is none."""
        return await restore(self._core, class_key(path_of(task)))

    async def is_revoked(self, task: Revocable, timestamp: datetime | None = None, peek: bool = True) -> bool:
        """Say whether a task (of an id: by itself; of a Task or Result: or its function) is revoked.

        ``timestamp``: at that moment instead of now. Without ``peek`` a revocation for once is used up, and one
        whose time is over is deleted.
        """
        return await is_revoked(self._core, keys_of(task), _seconds(timestamp), peek)

    # --- limits

    def lock_task(
        self,
        lock_name: str,
        ttl: float | timedelta | None = None,
        *,
        key: Callable[..., object] | None = None,
        retry: bool = False,
    ) -> TaskLock:
        """Make a lock: one run at a time. See ``TaskLock``.

        ``ttl`` (seconds) is an upper bound; a lock ends anyway when its holder does. ``key`` computes from the task's
        arguments which lock of that name it is.

        Example::

            @huey.task
            @huey.lock_task("report")
            async def report() -> None: ...

            @huey.task(retry_delay=5)
            @huey.lock_task("stock", key=lambda item: item, retry=True)
            async def restock(item: str) -> None: ...

            async with huey.lock_task("report"):
                print(await huey.is_locked("report"))  # True
        """
        lock = TaskLock(self, lock_name, ttl=ttl, key=key, retry=retry)
        self._lock_names.add(lock_name)
        return lock

    def limit(
        self,
        name: str,
        size: int,
        *,
        key: Callable[..., object] | None = None,
        ttl: float | timedelta | None = None,
        retry: bool = True,
    ) -> Semaphore:
        """Make a semaphore: at most ``size`` runs at the same time, or so many per ``key``. See ``Semaphore``.

        Example::

            @huey.task
            @huey.limit("printers", 2)
            async def print_label(order: int) -> None: ...
        """
        return Semaphore(self, name, size, key=key, ttl=ttl, retry=retry)

    def rate_limit(
        self,
        name: str,
        limit: int,
        per: float | timedelta,
        retry: bool = True,
        *,
        burst: int | None = None,
        key: Callable[..., object] | None = None,
    ) -> RateLimit:
        """Make a rate limit: at most ``limit`` runs per ``per`` seconds. See ``RateLimit``.

        Example::

            @huey.task
            @huey.rate_limit("mail", limit=10, per=60, key=lambda user, text: user)
            async def mail(user: str, text: str) -> None: ...
        """
        return RateLimit(self, name, limit, per, retry, burst=burst, key=key)

    async def is_locked(self, lock_name: str) -> bool:
        """Say whether anybody holds the lock of this name."""
        return await TaskLock(self, lock_name).is_locked()

    async def flush_locks(self, *names: str) -> set[str]:
        """Free the locks that ``lock_task`` made here, those of all their keys, and these; return those that were held.

        It does not matter who holds them. Nothing needs this after a crash: a lock ends with its holder.
        """
        if wrong := [name for name in names if not isinstance(name, str)]:
            raise HueyException(
                f"flush_locks takes the names of locks, such as flush_locks('a', 'b'), not {wrong[0]!r}"
            )
        known = self._lock_names.union(names)
        session = await self._session()
        keys = [key for key, _ in await session.scan_keys("locks") if key.startswith(LOCK_PREFIX)]
        held = {key.removeprefix(LOCK_PREFIX) for key in keys}
        freed = {name for name in held if name in known or any(name.startswith(f"{one}:") for one in known)}
        await session.delete("locks", [LOCK_PREFIX + name for name in freed])
        return freed

    # --- values of the user's own, apart from results, revocations and locks: no key can meet one of theirs

    async def put(self, key: str, data: Any) -> None:
        """Store a value under a key, over what was there; it stays until it is read or deleted.

        Example::

            await huey.put("rate", 1.17)
            print(await huey.get("rate", peek=True))  # 1.17
        """
        value = self._place_of(_checked_key(key)).serialize(data)
        await (await self._session()).put("data", {key: value})

    async def get(self, key: str, peek: bool = False) -> Any:
        """Read the value of a key and delete it; with ``peek`` leave it. None if there is none.

        ``RedisExpireHuey`` and ``PriorityRedisExpireHuey`` leave it in either case. A call that is cancelled, or cannot
        read the value, leaves it; then it has no time to live any more.
        """
        data = await self.get_raw(key, peek)
        try:
            return None if data is None else self._place_of(key).deserialize(data)
        except SerializationError:
            if data is not None and not peek and not self._core.keeps_results:
                await put_back(await self._session(), "data", key, data)
            raise

    async def get_raw(self, key: str, peek: bool = False) -> bytes | None:
        """Do the same as ``get``, with the bytes that the serializer made."""
        session = await self._session()
        if not (peek or self._core.keeps_results):
            return await take_value(session, "data", _checked_key(key))
        (data,) = await session.peek("data", [_checked_key(key)])
        return data

    async def put_if_empty(self, key: str, data: Any, ttl: float | None = None) -> bool:
        """Store a value unless the key has one; say whether it was stored.

        Of any number of callers exactly one gets True. After ``ttl`` seconds (None: never) the value is gone.
        """
        if ttl is not None and not is_positive(ttl):
            raise HueyException(f"ttl must be seconds > 0 or None, not {ttl!r}")
        session = await self._session()
        value = self._place_of(_checked_key(key)).serialize(data)
        return await session.put_if_absent("data", key, value, ttl)

    async def delete(self, key: str) -> bool:
        """Delete the value of a key; False if there is none."""
        return await (await self._session()).delete("data", [_checked_key(key)]) > 0

    def _place_of(self, key: str) -> Serializer:
        return self._core.serializer.within("value", key)

    # --- what is in the queue

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
        await finish_deletions(self._core)
        return await (await self._session()).counts()

    async def pending_count(self) -> int:
        """Do the same as ``count``."""
        return await self.count()

    async def scheduled_count(self) -> int:
        """Return how many tasks wait for their time."""
        return (await self.counts()).scheduled

    async def result_count(self) -> int:
        """Return how many results are stored and not read; nothing else is counted."""
        return (await self.counts()).results

    async def pending(self, limit: int | None = None) -> list[Task]:
        """List the tasks in the queue, lane by lane in the order in which they will run.

        What cannot be read, or is not registered here, is left out and logged.
        """
        return self._read_all(await (await self._session()).scan_tasks("queued", _checked_limit(limit)))

    async def scheduled(self, limit: int | None = None) -> list[Task]:
        """List the tasks that wait for their time, the earliest first; left out is what ``pending`` leaves out."""
        return self._read_all(await (await self._session()).scan_tasks("scheduled", _checked_limit(limit)))

    async def flush(self) -> None:
        """Delete all that is stored: queue, schedule, letters, history, results, values, revocations, locks.

        What a consumer holds is left alone. Waiters of what is deleted get None.
        """
        await (await self._session()).clear(get_args(Clearable))

    async def dead(self, limit: int | None = None) -> list[DeadTask]:
        """List the messages that could not be run, the latest first."""
        letters = await (await self._session()).dead(_checked_limit(limit))
        return [control.dead_letters.read_dead_letter(letter, self._core.serializer) for letter in letters]

    async def failed(
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

        ``kind`` is one of ``failed``, ``expired``, ``cancelled``, ``lost``, ``undeclared`` and ``unreadable``, or
        several; ``name`` a task's path, or a pattern such as ``shop.*``; ``text`` what its reason contains. ``since``
        and ``until``: ended then or later, and before. The page has ``items``, and ``next`` if there may be more:
        ``after`` of the following call.

        Example::

            page = await huey.failed(name="app.*", since=datetime.now(UTC) - timedelta(hours=2))
            await huey.requeue([it.id for it in page.items])  # run them again
        """
        wanted = control.failed_tasks.wanted_of(kind, name, text, since, until)
        return await control.failed_tasks.find_failed(
            await self._session(), self._core.serializer, _checked_limit(limit) or 0, after, wanted
        )

    async def requeue(
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

        Says of each id what became of it: ``added``; ``late``, added too, but its chord has fired and does not count it
        any more; ``alive``, it is queued or running; ``taken``, another task has its unique key; ``missing``, no such
        task is kept. With ``actor``, who does it, that is an entry of ``audit()``. Raises HueyException without ids and
        without any filter.
        """
        by = None if actor is None else control.audit.check_actor(actor)
        session = await self._session()
        wanted = control.failed_tasks.wanted_of(kind, name, text, since, until)
        if ids is not None and wanted != ALL_LETTERS:
            raise HueyException("requeue takes ids or a filter, not both")
        if ids is None and wanted == ALL_LETTERS:
            raise HueyException("requeue needs ids, or a filter: kind, name, text, since or until")
        asked = None if ids is None else _ids_of(ids, "requeue")
        if asked is None:
            answers = await control.failed_tasks.requeue_all(self._core, session, wanted)
        else:
            answers = await control.failed_tasks.requeue_by_id(self._core, session, asked)
        if by is not None:
            await control.audit.record(
                session,
                by,
                "retry",
                control.failed_tasks.describe(wanted, asked),
                sum(it in RUNS_AGAIN for it in answers.values()),
            )
        return answers

    async def tasks(
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

        ``state``: ``ready`` (as they will run), ``scheduled`` (the earliest first), ``waiting``, ``running``,
        ``retrying``; or, the latest first, ``failed``, ``expired``, ``cancelled``, ``lost``, ``undeclared``,
        ``unreadable``, as far as they are kept; or ``done``, as far as the history reaches; or ``ended``, all of these
        and what else the history has, each with its last end. ``name`` is a path or a pattern such as ``shop.*``;
        ``text`` stands in the name or the error, in upper or lower case. ``since`` and ``until`` are for tasks that
        ended: then or later, and before.

        A page has at most ``limit`` ``tasks``, and ``next`` if there may be more: the ``after`` of the following call.
        A search that takes longer than 40 ms is cut, and goes on there; ``complete`` is False in both cases. What
        moves between two calls may be left out, or come twice. No argument is looked at, and nothing is unpickled.
        """
        wish = control.wish.make_wish(state, name, text, since, until)
        size = control.listing.checked_page_size(limit)
        return await control.listing.list_tasks(await self._session(), wish, size, after)

    async def inspect(self, task_id: str) -> TaskDetails:
        """Say all that is known of one task: its state, where it is, what it waits for, its attempts, how it ended.

        Its message is read, if it can be here. (``huey.task`` is the decorator; an ``Inspector`` calls this ``task``.)
        """
        await finish_deletions(self._core)
        return await control.task_details.describe_task(
            await self._session(), checked_id(task_id), self._core.serializer
        )

    async def purge(self, ids: Iterable[str] | None = None, *, actor: str | None = None) -> int:
        """Delete these dead letters, or all; return how many. Failed tasks stay.

        With ``actor``, who does it, that is an entry of ``audit()``.
        """
        by = None if actor is None else control.audit.check_actor(actor)
        session = await self._session()
        asked = None if ids is None else _ids_of(ids, "purge")
        count = await session.purge(asked)
        if by is not None:
            await control.audit.record(
                session, by, "purge", "dead" if asked is None else control.audit.name_some(asked), count
            )
        return count

    async def audit(self, limit: int = 100, after: int | None = None) -> list[AuditEntry]:
        """List what operators changed, the latest first; the last 1,000 changes are kept.

        ``after``: the ``number`` of the last entry of the page before. Each command that changes something writes an
        entry, and each call with ``actor=``.
        """
        return await control.audit.read_audit(await self._session(), _checked_limit(limit) or 0, after)

    async def history(
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

        Filters are those of ``failed``: ``kind`` may be ``done`` and ``revoked`` too, ``name`` is a name or a pattern
        such as ``shop.*``, ``text`` is looked for in the first line of the error. The page has ``items``, and ``next``
        if there may be more: ``after`` of the following call. ``complete`` is False if the search stopped before it
        had found as many as were asked for.
        """
        wanted = control.failed_tasks.wanted_of(kind, name, text, since, until)
        return await control.history.read_history(await self._session(), _checked_limit(limit) or 0, after, wanted)

    async def attempts(self, task_id: str) -> list[Attempt]:
        """List what is remembered of the attempts of a task that has failed or was cut short, the latest last.

        At most the last ten. Empty for a task that ended well at the first attempt.
        """
        (attempts,) = await control.history.read_attempts(await self._session(), [checked_id(task_id)])
        return attempts

    def _read_all(self, entries: Sequence[Entry]) -> list[Task]:
        tasks = [self._read(entry) for entry in entries]
        return [task for task in tasks if task is not None]

    def _read(self, entry: Entry) -> Task | None:
        try:
            task = read_task(entry.data, self._core.serializer, entry.header.id)
        except SerializationError as error:
            logger.warning("left out of the list, it cannot be read: %s, task %s", error, entry.header.id)
            return None
        spec = self._core.registry.get(task.path)
        if spec is None:
            logger.warning("left out of the list, it is not registered here: %s, task %s", task.path, task.id)
            return None
        task.belong(spec.name, spec.options.settings)
        return task

    # --- consuming

    @shows_options(ConsumerOptions)
    def create_consumer(self, **options: Unpack[ConsumerSettings]) -> Consumer:
        """Make a consumer for the running loop; see ``ConsumerOptions`` for what can be set.

        Example::

            async with huey.create_consumer(workers=20):
                print(await (await add(1, 2)))  # 3
        """
        if self._immediate:
            raise ConfigurationError("a Huey in immediate mode runs its tasks itself; it has no work for a consumer")
        check_names("a consumer", options, ConsumerOptions.__dataclass_fields__)
        made = consumer.Consumer(self._core, ConsumerOptions(**options))
        self._consumers.add(made)
        return made

    def lifespan(self, app: object = None) -> AbstractAsyncContextManager[None]:
        """Open this Huey while a web application serves, and close it then: ``FastAPI(lifespan=huey.lifespan)``.

        ``Starlette(lifespan=huey.lifespan)`` and ``Litestar(lifespan=[huey.lifespan])`` take it too. In a lifespan of
        your own write ``async with huey.lifespan():``. What cannot be opened raises, so that the application does not
        start.
        """
        return _serve(self, None)

    @shows_options(ConsumerOptions)
    def lifespan_with_consumer(
        self, **options: Unpack[ConsumerSettings]
    ) -> Callable[[object], AbstractAsyncContextManager[None]]:
        """Make a ``lifespan`` that runs a consumer beside the application; options are those of ``create_consumer``.

        ``FastAPI(lifespan=huey.lifespan_with_consumer(workers=20))``. Tasks then run in the application's loop; the
        consumer stops gracefully when it stops serving. There is none in immediate mode, nor while a test has put
        another queue in the place of this Huey's (``HueyQueue``). Raises ConfigurationError.
        """
        check_names("a consumer", options, ConsumerOptions.__dataclass_fields__)
        ConsumerOptions(**options)  # a mistake is found where it is written, not when the application starts
        return lambda app: _serve(self, options)

    async def consumers(self) -> list[ConsumerInfo]:
        """List the consumers that have a live lease on this queue, in any process on any machine.

        One that died is listed until the others give it up; ``silence`` grows meanwhile.
        """
        return control.consumers.read_consumers(await (await self._session()).owners())

    async def statistics(
        self, since: float | timedelta | datetime = 3600.0, name: str | None = None
    ) -> QueueStatistics:
        """Tell what happened since then, in seconds before now or a moment: rates, durations, failures, by the minute.

        ``name`` is the path of a task, such as ``shop.mail.send``: only its tasks count. Consumers tell what ended in
        them every 5 s and when they stop. Raises ConfigurationError if it is more than 30 days ago, or not before now.
        """
        session = await self._session()
        if isinstance(since, datetime):
            seconds = self._core.now() - aware(since).timestamp()
        else:
            seconds = since.total_seconds() if isinstance(since, timedelta) else since
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
            raise ConfigurationError(f"since must be seconds, a timedelta or a datetime, not {since!r}")
        if name is not None and not isinstance(name, str):
            raise ConfigurationError(f"name must be the name of a task, or None for all of them, not {name!r}")
        return await control.statistics.read_statistics(session, seconds, name)

    async def notify_interrupted_tasks(self) -> None:
        """Send SIGNAL_INTERRUPTED for every task that consumers of this Huey, in this loop, are running now.

        A consumer that stops does so by itself for what it interrupts.
        """
        for each in list(self._consumers):
            for task in each.tasks_in_flight():
                await self._core.signals.send(SIGNAL_INTERRUPTED, task)

    async def pause(self, *, actor: str | None = None) -> None:
        """Let consumers start nothing more. What runs goes on, what is enqueued waits.

        ``pause_info()`` says who did it: ``actor``, or the user of this process. With ``actor`` it is an entry of
        ``audit()`` too.
        """
        await control.pause.pause_queue(await self._session(), actor)

    async def resume(self, *, actor: str | None = None) -> None:
        """Let consumers go on. With ``actor``, who does it, that is an entry of ``audit()``."""
        await control.pause.resume_queue(await self._session(), actor)

    async def is_paused(self) -> bool:
        """Say whether the queue is paused."""
        return await self.pause_info() is not None

    async def pause_info(self) -> PauseInfo | None:
        """Say who paused the queue, and when; None if it is not paused."""
        return control.pause.read_pause(await (await self._session()).paused())

    def schedules(self) -> Schedules:
        """Return the handle on recurring calls that are kept in the storage."""
        return Schedules(self._producer)

    def read_periodic(self, timestamp: datetime) -> list[Task]:
        """Return a fresh call of each declared periodic task that is due at this moment, in order of declaration."""
        return [call_of(spec) for spec in self._core.registry if spec.timetable and spec.timetable.fits(timestamp)]

    @shows_options(DashboardOptions)
    def dashboard(self, *others: Huey, **options: Unpack[DashboardOptions]) -> ASGIApp:
        """Make the dashboard of this queue, and of ``others``, as an ASGI application: mount it, or serve it alone.

        It needs ``hueyio[web]``. ``authorize`` is a function of the request, plain or async, that returns ``"none"``,
        ``"read"`` or ``"operate"``; or ``"open"``: whoever reaches it may operate. ``actor`` says who it is, for the
        audit log. ``read_only`` lets nobody act, ``actions`` names those that there are. ``arguments`` shows those of
        tasks, of which ``redact(name, args, kwargs)`` returns what may be shown, and ``redact_text(name, text)`` what
        may be shown of errors and other texts that can have them inside; ``tracebacks`` are shown also to those who
        only look. ``host_names``: answer to these alone. ``prefix``: where it is mounted, for frameworks that do
        not tell it. Raises ConfigurationError, also without ``authorize``.
        """
        check_names("dashboard()", options, DashboardOptions.__annotations__)
        settings = DashboardSettings(**options)
        try:
            made = import_module("hueyio.web.dashboard")  # when it is needed: it is an extra
        except ModuleNotFoundError as error:
            raise ConfigurationError(f"dashboard() needs {error.name}: pip install 'hueyio[web]'") from error
        sources = [made.Source(core=core_of(it), app=_home_of(core_of(it))) for it in (self, *others)]
        return cast("ASGIApp", made.make_dashboard(sources, settings))

    # --- driving by hand, for tests and scripts: a timestamp counts as now; a naive one is local, None is the clock's

    async def dequeue(self) -> Task | None:
        """Claim the next task, lane by lane; None if the queue is empty.

        It is held under a lease until ``execute`` has ended it. What cannot be read becomes a dead letter, what is not
        registered here is put off, and the next is taken.
        """
        return await (await self._driver()).dequeue()

    async def execute(self, task: Task, timestamp: datetime | None = None) -> Any:
        """Do with a dequeued task all that a consumer does; return the value of its body.

        None if it was not run: because its eta is later than ``timestamp`` (then it goes to the schedule), or it is
        revoked or expired. None also if it failed: the error is in its result. Raises HueyException if the task was
        not dequeued by this Huey in this loop.
        """
        if not isinstance(task, Task):
            raise HueyException(f"only a Task that dequeue() returned can be executed, not {task!r}")
        return await (await self._driver()).execute(task, _seconds(timestamp))

    async def add_schedule(self, task: Task) -> None:
        """Put a task into the schedule, also one that was dequeued. It needs an ``eta``, which may have passed."""
        if not isinstance(task, Task) or task.eta is None:
            raise HueyException(f"only a Task with an eta can be scheduled, as add.s(1, 2, delay=60) is, not {task!r}")
        driver = await self._driver()
        if driver.holds(task):
            await driver.put_off(task)
            return
        prepare(self._core, task)
        core = self._core
        await look_at_workers(core, driver.session)
        spec = core.registry.get(task.path)
        entry = make_entry(task, spec, core.serializer, core.now(), cut_from=core.cut_from)
        header = entry.header._replace(eta=task.eta.timestamp())  # also where that has passed
        await driver.session.enqueue([entry._replace(header=header)])
        await self._core.signals.send(SIGNAL_SCHEDULED, task)

    async def read_schedule(self, timestamp: datetime | None = None) -> list[Task]:
        """Move what is due at ``timestamp`` to the queue; return these tasks, the earliest first."""
        session = await self._session()
        now = self._core.now() if timestamp is None else aware(timestamp).timestamp()
        due = [entry for entry in await session.scan_tasks("scheduled") if (entry.header.eta or 0.0) <= now]
        while (await session.promote(now, 1000)).moved >= 1000:
            pass
        return [read_task(entry.data, self._core.serializer, entry.header.id) for entry in due]

    def ready_to_run(self, task: Task, timestamp: datetime | None = None) -> bool:
        """Say whether the task's eta, if it has one, has come."""
        now = self._core.now() if timestamp is None else aware(timestamp).timestamp()
        _check_task(task)
        return task.eta is None or task.eta.timestamp() <= now

    async def _driver(self) -> Driver:
        return await self._core.beside_session(Driver, lambda session: Driver(self._core, session))

    async def _session(self) -> Session:
        return await self._core.session()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} in {self._core.storage}>"


@asynccontextmanager
async def _serve(huey: Huey, options: ConsumerSettings | None) -> AsyncIterator[None]:
    """Have a Huey open; with options, and unless something else runs its tasks, with a consumer."""
    async with huey:
        if options is None or core_of(huey).has_other_storage:
            yield
            return
        async with huey.create_consumer(**options):
            yield


def _home_of(core: Core) -> str:
    """Return where a Huey is, for a hint how to start a worker."""
    return f"{core.home or 'app'}:huey"


def _seconds(timestamp: datetime | None) -> float | None:
    if timestamp is None:
        return None
    if not isinstance(timestamp, datetime):
        raise HueyException(f"timestamp must be a datetime, not {timestamp!r}")
    return aware(timestamp).timestamp()


def _check_task(task: Task) -> Task:
    if not isinstance(task, Task):
        raise HueyException(f"a Task is needed, such as add.s(1, 2), not {task!r}")
    return task


def _checked_key(key: str) -> str:
    if not isinstance(key, str):
        raise HueyException(f"a key must be a text, not {key!r}")
    return check_text("the key", key, HueyException)


def _checked_limit(limit: int | None) -> int | None:
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        raise HueyException(f"limit must be a whole number of at least 0, or None for all, not {limit!r}")
    return limit


def _check_until(until: datetime | None) -> None:
    if until is not None and not isinstance(until, datetime):
        raise HueyException(f"revoke_until must be a datetime, not {until!r}")


def _ids_of(ids: Any, method: str) -> list[str]:
    found = [ids] if isinstance(ids, str) else list(items_of(ids, f"{method} takes ids of tasks, such as ['a', 'b']"))
    for id in found:
        if not isinstance(id, str):
            raise HueyException(f"{method} takes ids of tasks, which are texts, not {id!r}")
    return [checked_id(id) for id in found]
