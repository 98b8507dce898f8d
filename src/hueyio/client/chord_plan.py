"""What enqueueing a chord means, planned without I/O.

Each member, with all stages of a pipeline, is copied with its position in the chord, so that the user's objects stay as
they are and can be enqueued again. The storage counts the members' results in the very step that ends a member, and
enqueues the callback with the last.
"""

from __future__ import annotations

from hueyio.named_tuple import NamedTuple
from hueyio.tasks.canvas import chord, group
from hueyio.tasks.task import Membership, Task

__all__ = ["ChordPlan", "PlannedLatch", "plan"]


class PlannedLatch(NamedTuple):
    """A chord's counter before it is encoded."""

    size: int
    callback: Task


class ChordPlan(NamedTuple):
    """What enqueueing a chord means: tasks to enqueue, latches to make, and the tasks whose results count."""

    members: list[Task]
    latches: list[PlannedLatch]
    tails: list[Task]
    callback: Task


def plan(it: chord) -> ChordPlan:
    """ChordPlan a chord with all chords inside; raises ValueError for what cannot be in one, or occurs twice."""
    made = _plan(it, None)
    seen: set[str] = set()
    for head in (*made.members, *(latch.callback for latch in made.latches)):
        if head.unique is not None and head.unique.mode != "skip":
            raise ValueError(
                f"task {head.path}: unique={head.unique.mode!r} cannot be kept in a chord, which is one write; "
                "make the call with .options(unique='skip')"
            )
        for stage in head.stages():
            if stage.id in seen:
                raise ValueError(f"task {stage.path} {stage.id} is in the chord twice; make another one with .s()")
            seen.add(stage.id)
    return made


def _plan(it: chord, place: Membership | None) -> ChordPlan:
    callback = _placed(it.callback, place).replaced(values=[])
    made = ChordPlan([], [PlannedLatch(len(it.tasks), callback)], [], callback)
    for position, member in enumerate(it.tasks):
        membership = Membership(callback.id, position, callback.path)
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
    head, *later = [stage.replaced(chord=place) for stage in task.stages()]
    before = head
    for stage in later:
        before.on_complete = stage
        before = stage
    return head
