"""Several tasks as one: groups, and chords whose callback gets what all members returned.

A chord is planned without I/O: each member, with all stages of a pipeline, is copied with its place in the chord, so
that the user's objects stay as they are and can be enqueued again. The storage counts the reports in the very step that
ends a member, and enqueues the callback with the last.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from hueyio.exceptions import HueyException
from hueyio.result import Result, ResultGroup
from hueyio.task import Membership, Task

__all__ = ["ChordResult", "Plan", "PlannedLatch", "chord", "group", "plan"]

R = TypeVar("R")


class _Declared(Protocol):
    """A handle on a declared function."""

    def s(self, *args: Any, **kwargs: Any) -> Task: ...


class group:  # noqa: N801 - Huey's name
    """Tasks that are enqueued together, in one write: ``await huey.enqueue(group([add.s(1, 2), add.s(3, 4)]))``.

    The enqueue gives a ``ResultGroup``; of a pipeline it holds the result of the last stage.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        if not isinstance(tasks, Iterable) or isinstance(tasks, str):
            raise TypeError(f"group() takes an iterable of Tasks, such as [add.s(1, 2)], not {tasks!r}")
        self.tasks: list[Task] = list(tasks)
        for task in self.tasks:
            if not isinstance(task, Task):
                raise TypeError(f"a group holds Tasks, such as add.s(1, 2), not {task!r}")

    def then(self, task: Task | _Declared, *args: Any, **kwargs: Any) -> chord:
        """Make a chord: the task gets its own arguments, then the list of what all members returned."""
        return chord(self.tasks, _bind(task, args, kwargs))

    def error(self, task: Task | _Declared, *args: Any, **kwargs: Any) -> group:
        """Append an error handler to each member; return this group."""
        for member in self.tasks:
            member.error(task, *args, **kwargs)
        return self

    def __iter__(self) -> Iterator[Task]:
        return iter(self.tasks)

    def __len__(self) -> int:
        return len(self.tasks)

    def __repr__(self) -> str:
        return f"<group of {len(self)} tasks>"


class chord:  # noqa: N801 - Huey's name
    """Tasks, and a callback that is enqueued once when all of them are over.

    The callback gets its own arguments, then a list with one value for each member, in their order: what it returned,
    an ``Error`` if it failed for good, ``SKIPPED`` if it was revoked, expired or cancelled. A member is a Task, a
    pipeline (its last stage counts, or the stage that failed), or another chord (its callback counts).
    """

    def __init__(self, tasks: Sequence[Task | chord] | group, callback: Task | _Declared) -> None:
        if not hasattr(tasks, "__len__"):
            raise TypeError(f"chord() must know how many tasks there are: give it list(...) of {tasks!r}")
        self.tasks: list[Any] = list(tasks)
        self.callback = _bind(callback, (), {})

    def then(self, task: Task | _Declared, *args: Any, **kwargs: Any) -> chord:
        """Append a stage that follows the callback; return this chord."""
        self.callback.then(task, *args, **kwargs)
        return self

    def error(self, task: Task | _Declared, *args: Any, **kwargs: Any) -> chord:
        """Append an error handler to the callback; return this chord."""
        self.callback.error(task, *args, **kwargs)
        return self

    def __len__(self) -> int:
        return len(self.tasks)

    def __repr__(self) -> str:
        return f"<chord of {len(self)} tasks, then {self.callback.name}>"


class ChordResult(Generic[R]):
    """Handles on a chord: awaited, it gives what the callback returned.

    ``results`` are those of the members (of a pipeline its last stage, of a chord its callback's), ``callback`` is that
    of the callback, ``pipeline_results`` those of the callback and of what follows it; None where nothing does.
    """

    __slots__ = ("callback", "pipeline_results", "results")

    def __init__(
        self, results: ResultGroup[Any], callback: Result[R], pipeline: ResultGroup[Any] | None = None
    ) -> None:
        self.results = results
        self.callback = callback
        self.pipeline_results = pipeline

    def __await__(self) -> Generator[Any, None, R]:
        return self.callback.__await__()

    async def get(
        self,
        blocking: bool = False,
        timeout: float | None = None,
        backoff: float = 1.15,
        max_delay: float = 1.0,
        revoke_on_timeout: bool = False,
        preserve: bool = False,
    ) -> R | None:
        """Read the callback's result; see ``Result.get``."""
        return await self.callback.get(blocking, timeout, backoff, max_delay, revoke_on_timeout, preserve)

    async def __call__(self, *args: Any, **kwargs: Any) -> R | None:
        """Do the same as ``get``."""
        return await self.get(*args, **kwargs)

    def reset(self) -> None:
        """Forget what was read."""
        for result in (*self.results, *(self.pipeline_results or ()), self.callback):
            result.reset()

    def __repr__(self) -> str:
        return f"<ChordResult: {len(self.results)} tasks, callback {self.callback.id}>"


class PlannedLatch(NamedTuple):
    """A chord's counter before it is encoded."""

    size: int
    callback: Task


class Plan(NamedTuple):
    """What enqueueing a chord means: tasks to enqueue, latches to make, and the tasks whose results count."""

    members: list[Task]
    latches: list[PlannedLatch]
    tails: list[Task]
    callback: Task


def plan(it: chord) -> Plan:
    """Plan a chord with all chords inside; raises ValueError for what cannot be in one, or occurs twice."""
    made = _plan(it, None)
    seen: set[str] = set()
    for head in (*made.members, *(latch.callback for latch in made.latches)):
        if head.unique is not None and head.unique.mode != "skip":
            raise ValueError(
                f"task {head.name}: unique={head.unique.mode!r} cannot be kept in a chord, which is one write; "
                "make the call with .options(unique='skip')"
            )
        for stage in head.stages():
            if stage.id in seen:
                raise ValueError(f"task {stage.name} {stage.id} is in the chord twice; make another one with .s()")
            seen.add(stage.id)
    return made


def _plan(it: chord, place: Membership | None) -> Plan:
    callback = _placed(it.callback, place).replaced(values=[])
    made = Plan([], [PlannedLatch(len(it.tasks), callback)], [], callback)
    for position, member in enumerate(it.tasks):
        membership = Membership(callback.id, position, callback.name)
        if isinstance(member, chord):
            inner = _plan(member, membership)
            made.members.extend(inner.members)
            made.latches.extend(inner.latches)
            made.tails.append([*inner.callback.stages()][-1])
        elif isinstance(member, Task):
            head = _placed(member, membership)
            made.members.append(head)
            made.tails.append([*head.stages()][-1])
        else:
            kind = "a group" if isinstance(member, group) else repr(member)
            raise ValueError(f"a chord's members are Tasks and chords, not {kind}")
    return made


def _placed(task: Task, place: Membership | None) -> Task:
    """Copy a task and all stages that follow it, each with the place in the chord."""
    following = None if task.on_complete is None else _placed(task.on_complete, place)
    return task.replaced(chord=place, on_complete=following)


def _bind(task: Task | _Declared, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Task:
    if not isinstance(task, Task):
        if not hasattr(task, "s"):
            raise HueyException(f"a chord's callback is a task or a call of one, such as add.s(1), not {task!r}")
        return task.s(*args, **kwargs)
    if args or kwargs:
        return task.replaced(args=task.args + args, kwargs={**task.kwargs, **kwargs})
    return task
