"""What a decorator declares about a function."""

from __future__ import annotations

import functools
import inspect
import math
import traceback
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, Literal, TypedDict

from hueyio.exceptions import ConfigurationError, TaskArgumentError
from hueyio.serializer.types import TypedCall, Types
from hueyio.storage.records import MAX_DELIVERIES
from hueyio.storage.texts import check_text
from hueyio.tasks.given import check_switches
from hueyio.tasks.headers import check_headers
from hueyio.tasks.signature import (
    binds,
    innermost,
    names_of,
    passes_any_keyword,
    positional_range,
    shown_signature_of,
    signature_of,
    takes_anything,
    takes_task,
    takes_task_first,
    without_task,
)
from hueyio.tasks.task import Expires, Task, eta_from, seconds_from
from hueyio.tasks.unique import UniqueKey, UniqueMode, check_unique, key_of_call, scoped
from hueyio.times.timetable import Timetable

__all__ = [
    "CALL_KEYWORDS",
    "CallOptions",
    "Lane",
    "ScheduleOptions",
    "TaskOptions",
    "TaskSettings",
    "TaskSpec",
    "check_settings",
    "is_async",
    "is_generator",
    "module_of",
    "read_call_options",
]

Lane = Literal["loop", "thread", "process"]

CALL_KEYWORDS: Final = frozenset(
    {"id", "eta", "delay", "retries", "retry_delay", "retry_backoff", "priority", "expires", "timeout"}
)
"""Options that a call takes as keywords, as Huey's does, unless the function has a parameter of that name."""

_MOST: Final = 10 * 366 * 86400.0
"""Ten years in seconds."""

_MOST_PRIORITY: Final = 2**53
"""Beyond it a float, in which priorities are kept, no longer tells whole numbers apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """How calls of a task are run unless the call says otherwise. Raises ConfigurationError that names the option.

    ===================  =============================================================================================
    ``retries``          how often a task that failed is run again
    ``retry_delay``      seconds, or a timedelta, before it is
    ``retry_backoff``    multiplies the delay after each retry; 0: not at all
    ``retry_max_delay``  what the delay grows up to, in seconds or a timedelta; None: without end
    ``retry_jitter``     0 to 1: each delay is shorter or longer by up to that part of it
    ``priority``         the highest first; None is 0. ``RedisHuey`` has no priorities
    ``context``          the function gets its Task, as the parameter ``task``
    ``expires``          seconds or a timedelta from the enqueue, or a datetime, after which it is not started any
                         more
    ``timeout``          seconds, or a timedelta, for one attempt
    ``deadline``         seconds or a timedelta from the enqueue, or a datetime, for all attempts together
    ``run_in``           loop, thread or process; None: an ``async def`` on the loop, a ``def`` in a thread
    ``at_most_once``     the start is written before the body, so that a run that was cut short is never repeated
    ``max_deliveries``   how often a task may be delivered whose consumer dies with it
    ``unique``           what a call does while another one with its key is pending or running: skip it, replace the
                         pending one, or raise TaskNotUnique
    ``unique_key``       what makes calls the same, as text or a function of their arguments; None: equal arguments
    ``settings``         values of your own, which each Task shows as attributes; so are keywords that hueyio does not
                         know
    ===================  =============================================================================================
    """

    retries: int = 0
    retry_delay: float = 0.0
    retry_backoff: float = 0.0
    retry_max_delay: float | None = None
    retry_jitter: float = 0.0
    priority: float | None = None
    context: bool = False
    expires: Expires | None = None
    timeout: float | None = None
    deadline: Expires | None = None
    run_in: Lane | None = None
    at_most_once: bool = False
    max_deliveries: int = MAX_DELIVERIES
    unique: UniqueMode | None = None
    unique_key: UniqueKey | None = None
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        most = self.max_deliveries
        if isinstance(most, bool) or not isinstance(most, int) or most < 1:
            raise ConfigurationError(f"max_deliveries must be a whole number of at least 1, not {most!r}")
        check_settings(
            retries=self.retries,
            retry_delay=self.retry_delay,
            retry_backoff=self.retry_backoff,
            retry_max_delay=self.retry_max_delay,
            retry_jitter=self.retry_jitter,
            timeout=self.timeout,
            priority=self.priority,
        )
        for name in ("expires", "deadline"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, (int, float, timedelta, datetime)):
                raise ConfigurationError(f"{name} must be seconds, a timedelta or a datetime, not {value!r}")
        check_unique(self.unique, self.unique_key)
        check_switches({"at_most_once": self.at_most_once, "context": self.context})
        if self.run_in not in (None, "loop", "thread", "process"):
            raise ConfigurationError(f"run_in must be 'loop', 'thread' or 'process', not {self.run_in!r}")


def check_settings(
    *,
    retries: Any = 0,
    retry_delay: Any = 0,
    retry_backoff: Any = 0,
    retry_max_delay: Any = None,
    retry_jitter: Any = 0,
    timeout: Any = None,
    priority: Any = None,
) -> None:
    """Raise ConfigurationError that names the setting whose value cannot be used."""
    if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
        raise ConfigurationError(f"retries must be a whole number of at least 0, not {retries!r}")
    for name, value in (("retry_delay", retry_delay), ("retry_backoff", retry_backoff)):
        if not (_is_number(value) and 0 <= value <= _MOST):
            raise ConfigurationError(f"{name} must be a number from 0 to {_MOST:.0f}, not {value!r}")
    if retry_max_delay is not None and not (_is_number(retry_max_delay) and 0 < retry_max_delay <= _MOST):
        raise ConfigurationError(f"retry_max_delay must be a number of seconds > 0, not {retry_max_delay!r}")
    if not (_is_number(retry_jitter) and 0 <= retry_jitter <= 1):
        raise ConfigurationError(f"retry_jitter must be a part from 0 to 1, not {retry_jitter!r}")
    if timeout is not None and not (_is_number(timeout) and 0 < timeout <= _MOST):
        raise ConfigurationError(f"timeout must be a number of seconds > 0, not {timeout!r}")
    if priority is not None and not (_is_number(priority) and abs(priority) <= _MOST_PRIORITY):
        raise ConfigurationError(f"priority must be a number, at most 2**53 in size, not {priority!r}")


_CHECKED: Final = frozenset(inspect.signature(check_settings).parameters)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class ScheduleOptions(TypedDict, total=False):
    """What one call may say otherwise than its declaration, beside when it starts; None is as if it were not said.

    What was declared is taken back by ``retries=0``, ``retry_delay=0``, ``retry_backoff=0``, ``priority=0``,
    ``timeout=0`` (no limit), and ``expires=math.inf`` and ``deadline=math.inf`` (never).
    """

    id: str | None
    retries: int | None
    retry_delay: float | timedelta | None
    retry_backoff: float | None
    retry_max_delay: float | timedelta | None
    retry_jitter: float | None
    priority: float | None
    expires: Expires | None
    timeout: float | timedelta | None
    deadline: Expires | None
    unique: UniqueMode | None
    unique_key: UniqueKey | None
    headers: Mapping[str, str] | None


class CallOptions(ScheduleOptions, total=False):
    """What one call may say otherwise than its declaration, and what only a call can say.

    ===========  ====================================================================================
    ``id``       the task's id; a call with an id that is alive already is not enqueued a second time
    ``eta``      a datetime before which it is not started; a naive one is in local time
    ``delay``    seconds, or a timedelta, from now in the place of ``eta``
    ``headers``  texts by text, which go with the task, its retries and what follows it
    ===========  ====================================================================================
    """

    eta: datetime | None
    delay: float | timedelta | None


def read_call_options(given: CallOptions, declared: TaskOptions, path: str, now: float) -> dict[str, Any]:
    """Return what a call says of itself as fields of its Task; ``now`` is what a delay counts from, epoch seconds.

    Raises ConfigurationError, ValueError or, for headers, TaskArgumentError that names the option.
    """
    said: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if "id" in said and (not isinstance(said["id"], str) or not said["id"]):
        raise ConfigurationError(f"task {path}: an id must be a text that is not empty, not {said['id']!r}")
    if "id" in said:
        check_text("the id", said["id"])
    if "headers" in said:
        said["headers"] = check_headers(said["headers"], path)
    eta = eta_from(said.pop("eta", None), said.pop("delay", None), now)
    for name in ("retry_delay", "retry_max_delay", "timeout"):
        if name in said:
            said[name] = seconds_from(said[name], name)
    if said.get("timeout") == 0:
        said["timeout"] = None
    for name in ("expires", "deadline"):
        if name in said and said[name] == math.inf:
            said[name] = None
        elif name in said and not isinstance(said[name], datetime):
            seconds_from(said[name], name)
    check_settings(**{name: said[name] for name in _CHECKED & said.keys()})
    if "unique" in said or "unique_key" in said:  # what a call leaves out is as declared
        key = said.pop("unique_key", declared.unique_key)
        said["unique"] = check_unique(said.get("unique", declared.unique), key)
    return said if eta is None else {**said, "eta": eta}


class TaskSettings(TypedDict, total=False):
    """What the decorators take beside ``context``: the options of ``TaskOptions``, and one that is no option of a call.

    ========  ========================================================================
    ``name``  the task's name in place of the function's; queued tasks are found by it
    ========  ========================================================================
    """

    name: str | None
    retries: int
    retry_delay: float | timedelta
    retry_backoff: float
    retry_max_delay: float | timedelta | None
    retry_jitter: float
    priority: float | None
    expires: Expires | None
    timeout: float | timedelta | None
    deadline: Expires | None
    run_in: Lane | None
    at_most_once: bool
    max_deliveries: int
    unique: UniqueMode | None
    unique_key: UniqueKey | None
    settings: Mapping[str, Any]


class TaskSpec:
    """A declared function: its name and path, its options, where it runs, and how its calls are checked."""

    __slots__ = (
        "_called",
        "_least",
        "_most",
        "_shown",
        "_signature",
        "_task_comes_first",
        "call_keywords",
        "catch_up",
        "func",
        "is_async",
        "lane",
        "name",
        "options",
        "path",
        "timetable",
        "types",
    )

    def __init__(self, path: str, func: Callable[..., Any], options: TaskOptions, name: str | None = None) -> None:
        self.path = path
        self.name = path.rpartition(".")[2] if name is None else name
        self.func = func
        self.options = options
        self.is_async = is_async(func)
        if self.is_async and options.run_in not in (None, "loop"):
            raise ConfigurationError(
                f"task {path} is a coroutine function: it runs on the loop, not in a {options.run_in}"
            )
        self.lane: Lane = options.run_in or ("loop" if self.is_async else "thread")
        self.timetable: Timetable | None = None
        """When it is due, of a periodic task; nothing else has one, and a periodic task stores no results."""
        self.catch_up = False
        self.types: TypedCall | None = None
        """What its annotations do for arguments and results, if the Huey's serializer has types."""
        self._called, self._shown = signature_of(func), shown_signature_of(func)
        self._task_comes_first = options.context and takes_task_first(self._called, self._shown)
        if options.context and not takes_task(self._called, self._shown):
            raise ConfigurationError(
                f"task {path}: context=True gives its Task to the parameter named task; {self._called} has none"
            )
        self._signature = without_task(self._called) if options.context else self._called
        self._least, self._most = positional_range(self._signature)
        self.call_keywords: Final = CALL_KEYWORDS - names_of(func, self._called)
        """The options that a call takes as keywords; a parameter that the function has by such a name wins."""

    @property
    def module(self) -> str:
        """The module that declares the function."""
        return module_of(self.func)

    @property
    def takes_any_keyword(self) -> bool:
        """Whether the function has a ``**kwargs`` to which a call could give what is named like an option."""
        return passes_any_keyword(self.func, self._called)

    def check_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Raise TaskArgumentError if the arguments do not fit the function."""
        # Binding costs 3 us; nearly all calls are plain positional ones that two comparisons decide.
        if not kwargs and self._least <= len(args) <= self._most:
            return
        self._bind(self._signature.bind, args, kwargs)

    def use_types(self, types: Types | None) -> None:
        """Have arguments and results written and read by the annotations; None: taken as they are."""
        if types is None:
            self.types = None
            return
        shown = without_task(self._shown) if self.options.context else self._shown
        signature = shown if takes_anything(self._signature) else self._signature
        self.types = types.call_of(self.path, innermost(self.func), signature)

    def arguments(self, task: Task) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return what the function is called with: the task's arguments and, with ``context``, the task itself.

        Raises TaskArgumentError for one that its annotation cannot read.
        """
        args = task.args if task.values is None else (*task.args, task.values)
        kwargs = task.kwargs
        if self.types is not None:
            args, kwargs = self.types.read(args, kwargs, task.values is not None)
        return self._with_task(task, args, kwargs) if self.options.context else (args, kwargs)

    def give_types(self, task: Task) -> None:
        """Let a task that was read have the arguments that the function gets; if they cannot be read, what it has."""
        if self.types is not None:
            with suppress(TaskArgumentError):
                task.args, task.kwargs = self.types.read(*task.data, False)

    def _with_task(
        self, task: Task, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if self._task_comes_first:
            return (task, *args), kwargs
        return args, {**kwargs, "task": task}

    def refuses(self, task: Task, error: TypeError) -> bool:
        """Say whether a call ended with this error because its arguments do not fit, so that the body never began.

        Asked only when a TypeError was raised. What a decorator passes on to the function inside is known when Python
        refuses it: the error then has the function's name, and comes from before its first line.
        """
        try:
            args, kwargs = self.arguments(task)
        except TaskArgumentError:
            return isinstance(error, TaskArgumentError)
        if not all(isinstance(key, str) for key in kwargs):
            return False  # no function takes that, whatever its version
        if not binds(self._called, args, kwargs):
            return True
        inside = inspect.unwrap(self.func)
        code = getattr(inside, "__code__", None)
        if code is None or inside is self.func or _has_entered(code, error):
            return False
        return str(error).startswith(f"{inside.__qualname__}() ")

    def unique_key(self, task: Task, key: UniqueKey | None) -> str:
        """Return under which key a call is unique; raises TaskArgumentError if its arguments give none."""
        if key is not None:
            args, kwargs = task.data
            if self.types is not None:  # what was read back from the queue has JSON in the place of models
                plain = self.types.to_plain({"args": args, "kwargs": kwargs})
                args, kwargs = self.types.read(plain["args"], plain["kwargs"], False)
            return key_of_call(self.path, key, args, kwargs)
        bound = self._bound_for_key(task)
        bound.apply_defaults()
        arguments = bound.arguments if self.types is None else self.types.to_plain(bound.arguments)
        form: str = import_module("hueyio.tasks.equal_arguments").key_of_arguments(self.path, arguments)
        return scoped(self.path, form)

    def _bound_for_key(self, task: Task) -> inspect.BoundArguments:
        """Bind the arguments as the function inside names them, so that two spellings of one call are the same."""
        shown = without_task(self._shown) if self.options.context else self._shown
        try:
            return shown.bind_partial(*task.args, **task.kwargs)
        except TypeError:  # a decorator takes other arguments than it shows
            return self._signature.bind_partial(*task.args, **task.kwargs)

    def check_partial_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Raise TaskArgumentError if the arguments can never fit, whatever a stage before adds to them.

        Annotations are asked here too, not only at the enqueue: a Task may be kept for long before that.
        """
        if kwargs or len(args) > self._most:
            self._bind(self._signature.bind_partial, args, kwargs)
        if self.types is not None:
            self.types.check(args, kwargs)

    def _bind(self, bind: Callable[..., object], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        try:
            bind(*args, **kwargs)
        except TypeError as error:
            raise TaskArgumentError(f"task {self.path}{self._signature}: {error}") from None

    def __repr__(self) -> str:
        return f"<TaskSpec {self.path}>"


def _has_entered(code: types.CodeType, error: BaseException) -> bool:
    """Say whether an error went through a function; one that another process raised tells nothing of that."""
    frames = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    return code in frames or error.__cause__ is not None


def module_of(func: Any) -> str:
    """Return the module of a function, or of what a partial is made of."""
    if isinstance(func, functools.partial) or isinstance(inspect.unwrap(func), functools.partial):
        func = innermost(func)
    module = str(func.__module__)
    # The name of the main module where it is imported once more, in a process that multiprocessing or a pool started.
    return "__main__" if module == "__mp_main__" else module


def is_async(func: Callable[..., Any]) -> bool:
    """Say whether calling the function gives a coroutine; of a decorated one what the decorator made counts."""
    return inspect.iscoroutinefunction(func) or inspect.iscoroutinefunction(type(func).__call__)


def is_generator(func: Callable[..., Any]) -> bool:
    """Say whether calling the function runs nothing, but gives a generator."""
    ways = (func, type(func).__call__)
    return any(inspect.isgeneratorfunction(it) or inspect.isasyncgenfunction(it) for it in ways)
