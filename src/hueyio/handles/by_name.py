"""Calls of a task that another program declares, by its full name: nothing of its code is needed here."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any, Final, Unpack

from hueyio.client.prepare import encode_undeclared
from hueyio.client.producer import Producer
from hueyio.exceptions import ConfigurationError, UnknownTaskError
from hueyio.handles.awaited import awaited
from hueyio.handles.options import check_names, shows_options
from hueyio.handles.result import Result, handle_on
from hueyio.handles.sync_task import SyncNamedTask
from hueyio.handles.wrapper import BoundOptions, TaskWrapper
from hueyio.storage.records import Entry
from hueyio.storage.texts import check_text
from hueyio.tasks.caller_line import calling_frame
from hueyio.tasks.declared import CallOptions, TaskOptions, read_call_options
from hueyio.tasks.task import Counted, Task
from hueyio.tasks.unawaited import Unawaited

__all__ = ["NamedTask"]

_NOT_DECLARED: Final = TaskOptions()


@awaited
class NamedTask:
    """A task by its full name, such as ``shop.mail.send``; see ``Huey.by_name``.

    A call passes on all its arguments, whatever they are named. They are checked, and get what is declared, if this
    Huey has a task of that name, a stub for example; else the worker checks them, and what its declaration says of
    ``retries``, ``timeout`` and the like is to be said here, by ``options``.
    """

    def __init__(self, huey: Any, producer: Producer, path: str, given: CallOptions | None = None) -> None:
        if not isinstance(path, str) or not path:
            raise ConfigurationError(f"a task is called by its full name, such as 'shop.mail.send', not {path!r}")
        self._huey = huey
        self._producer = producer
        self.path = check_text("the task's name", path)
        self._given: CallOptions = {} if given is None else given

    @shows_options(CallOptions)
    def options(self, **options: Unpack[CallOptions]) -> NamedTask:
        """Return the same task with these settings for its calls, in the place of earlier ones; None: as usual."""
        check_names(f"{self.path}.options()", options, CallOptions.__annotations__)
        return NamedTask(self._huey, self._producer, self.path, {**self._given, **options})

    @awaited
    def __call__(self, /, *args: Any, **kwargs: Any) -> Coroutine[None, None, Result[Any]]:
        """Enqueue a call; ``await`` it for its Result.

        Raises TaskArgumentError at once for arguments that cannot be serialised, or do not fit a task that is declared
        here.
        """
        core = self._producer.core
        spec = core.registry.get(self.path)
        if spec is None and core.immediate:
            raise UnknownTaskError(f"no task named {self.path!r} is declared here, where immediate mode would run it")
        if spec is None:
            coroutine: Coroutine[None, None, Result[Any]] = self._enqueue(self._build(args, kwargs))
        else:
            declared = BoundOptions[Any, Any](TaskWrapper(self._huey, spec, self._producer), self._given)
            coroutine = declared(*args, **kwargs)
        return Unawaited(coroutine, self.path, "huey.sync.by_name(...)", calling_frame())

    @property
    def sync(self) -> SyncNamedTask:
        """The same for code that blocks: ``huey.by_name("shop.mail.send").sync("ada")``."""
        return SyncNamedTask(self)

    def _build(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Task:
        said = read_call_options(self._given, _NOT_DECLARED, self.path, self._producer.core.now())
        task = Task(self.path, args, dict(kwargs), **said)
        if self._given.get("delay") is not None:
            task.counted = Counted(task.eta, self._producer.core.clock.ahead)
        return task

    def _enqueue(self, task: Task) -> Coroutine[None, None, Result[Any]]:
        return self._send(task, encode_undeclared(self._producer.core, task))

    async def _send(self, task: Task, entry: Entry) -> Result[Any]:
        handle: Result[Any] = handle_on(self._producer, task, await self._producer.send(task, entry))
        return handle

    def __repr__(self) -> str:
        return f"<NamedTask {self.path}>"
