"""Several tasks as one: groups, and chords whose callback gets what all members returned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from hueyio.tasks.given import items_of
from hueyio.tasks.task import Task, bind_stage

__all__ = ["chord", "group"]


class _Declared(Protocol):
    """A handle on a declared function."""

    def s(self, *args: Any, **kwargs: Any) -> Task: ...


class group:  # noqa: N801 - Huey's name
    """Tasks that are enqueued together, in one write: ``await huey.enqueue(group([add.s(1, 2), add.s(3, 4)]))``.

    The enqueue gives a ``ResultGroup``; of a pipeline it holds the result of the last stage.

    Example::

        results = await huey.enqueue(group([add.s(1, 2), add.s(3, 4)]))
        print(await results)  # [3, 7]
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        takes = "group() takes an iterable of Tasks, such as [add.s(1, 2)]"
        self.tasks: list[Task] = list(items_of(tasks, takes, TypeError))
        for task in self.tasks:
            if not isinstance(task, Task):
                raise TypeError(f"a group holds Tasks, such as add.s(1, 2), not {task!r}")

    def then(self, task: Task | _Declared, /, *args: Any, **kwargs: Any) -> chord:
        """Make a chord: the task gets its own arguments, then the list of what all members returned."""
        return chord(self.tasks, bind_stage(task, "what then() gets", args, kwargs))

    def error(self, task: Task | _Declared, /, *args: Any, **kwargs: Any) -> group:
        """Append an error handler to each member; return this group."""
        for member in self.tasks:
            member.error(task, *args, **kwargs)
        return self

    def __iter__(self) -> Iterator[Task]:
        return iter(self.tasks)

    def __len__(self) -> int:
        return len(self.tasks)

    def __eq__(self, other: object) -> bool:
        return self.tasks == other.tasks if isinstance(other, group) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self.tasks))

    def __repr__(self) -> str:
        return f"<group of {len(self)} tasks>"


class chord:  # noqa: N801 - Huey's name
    """Tasks, and a callback that is enqueued once when all of them are over.

    The callback gets its own arguments, then a list with one value for each member, in their order: what it returned,
    an ``Error`` if it failed for good, ``SKIPPED`` if it was revoked, expired or cancelled. A member is a Task, a
    pipeline (its last stage counts, or the stage that failed), or another chord (its callback counts).

    Example::

        @huey.task
        def total(values: list[int]) -> int:
            return sum(values)

        result = await huey.enqueue(chord([add.s(1, 2), add.s(3, 4)], total))
        print(await result)  # 10
    """

    def __init__(self, tasks: Sequence[Task | chord] | group, callback: Task | _Declared) -> None:
        if not hasattr(tasks, "__len__"):
            raise TypeError(f"chord() must know how many tasks there are: give it list(...) of {tasks!r}")
        takes = "chord() takes a list of Tasks, such as [add.s(1, 2)]"
        self.tasks: list[Any] = list(items_of(tasks, takes, TypeError))
        self.callback = bind_stage(callback, "the callback of chord()", (), {})

    def then(self, task: Task | _Declared, /, *args: Any, **kwargs: Any) -> chord:
        """Append a stage that follows the callback; return this chord."""
        self.callback.then(task, *args, **kwargs)
        return self

    def error(self, task: Task | _Declared, /, *args: Any, **kwargs: Any) -> chord:
        """Append an error handler to the callback; return this chord."""
        self.callback.error(task, *args, **kwargs)
        return self

    def __len__(self) -> int:
        return len(self.tasks)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, chord):
            return NotImplemented
        return (self.tasks, self.callback) == (other.tasks, other.callback)

    def __hash__(self) -> int:
        return hash((tuple(self.tasks), self.callback))

    def __repr__(self) -> str:
        return f"<chord of {len(self)} tasks, then {self.callback.path}>"
