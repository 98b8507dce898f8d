"""What broke, and did the last deploy mend it? Kept failures that are alike, as one line each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hueyio.control.failure_group import group_of
from hueyio.control.listing import list_tasks
from hueyio.control.task_info import TaskInfo
from hueyio.web.filters import ListFilter
from hueyio.web.portion import portion_of
from hueyio.web.shown import plain, split_error
from hueyio.web.view import Page, View

__all__ = ["LOOKED_AT", "Group", "group_failures", "key_of", "read"]

LOOKED_AT: Final = 2000
_PATIENCE: Final = 0.5
_PER_PAGE: Final = 30


@dataclass(slots=True, kw_only=True)
class Group:
    """Failures of one name whose errors differ in numbers and ids only. Owned by the page that makes it."""

    key: str
    name: str
    kind: str
    said: str
    count: int
    first: datetime | None
    last: datetime | None


async def read(view: View) -> Page:
    """Read the page."""
    page = await list_tasks(view.session, ListFilter().wish(("failed",), view.now), LOOKED_AT, patience=_PATIENCE)
    groups = group_failures([view.redaction.task(it) for it in page.tasks])
    return Page(
        "failures.html",
        "Failures",
        {
            "groups": portion_of(
                view,
                [(it, view.at.tasks("failed", {"name": it.name, "error": it.kind})) for it in groups],
                _PER_PAGE,
            ),
            "looked_at": len(page.tasks),
            "is_complete": page.complete,
        },
    )


def key_of(task: TaskInfo) -> str:
    """Return the group of a task as a form can carry it: browsers change line ends, and lose what is not visible."""
    return plain(" ".join(group_of(task.name or "", task.error or "").split()))


def group_failures(tasks: Sequence[TaskInfo]) -> list[Group]:
    """Put together what is alike, the largest group first; the tasks come the latest first."""
    groups: dict[str, Group] = {}
    for task in tasks:
        key = key_of(task)
        group = groups.get(key)
        if group is None:
            kind, said = split_error(task.error)
            groups[key] = Group(
                key=key, name=task.name or "", kind=kind, said=said, count=1, first=task.ended, last=task.ended
            )
        else:
            group.count += 1
            group.first = task.ended
    return sorted(groups.values(), key=lambda it: -it.count)
