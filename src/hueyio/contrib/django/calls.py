"""A call of a Django task as hueyio keeps it: what travels in its header, and what its result says.

Its arguments are those of the message. When a task has ended well its message is gone, so that its value is kept inside
of a dict that says what Django asks for later.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from hueyio.tasks.task import Task

__all__ = ["HEADER", "Call", "Returned", "header_of", "read_call"]

HEADER: Final = "django-tasks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What Django says of a call, beside its function and its arguments."""

    backend: str
    queue_name: str
    priority: int = 0
    run_after: str | None = None

    @classmethod
    def of(cls, task: Any) -> Call:
        """Return that of a task of Django's."""
        run_after = None if task.run_after is None else task.run_after.isoformat()
        return cls(backend=task.backend, queue_name=task.queue_name, priority=task.priority, run_after=run_after)

    def to_header(self) -> str:
        """Return it as a text."""
        return json.dumps(asdict(self))

    def changes(self) -> dict[str, Any]:
        """Return it as the fields of a task of Django's."""
        run_after = None if self.run_after is None else datetime.fromisoformat(self.run_after)
        return {**asdict(self), "run_after": run_after}


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What is stored as the result of a task that ended well."""

    value: Any
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    header: str
    started_at: float
    """When its first attempt began that is known, epoch seconds."""
    attempts: int

    @classmethod
    def read(cls, stored: object) -> Returned | None:
        """Return what was stored; None if it is nothing of ours."""
        if not isinstance(stored, Mapping) or set(stored) != set(cls.__dataclass_fields__):
            return None
        return cls(**stored)


def read_call(header: str | None) -> Call:
    """Return what a header says; the usual, if there is none: the call was made by other means than Django's."""
    said = {} if not header else json.loads(header)
    known = {name: said[name] for name in Call.__dataclass_fields__ if name in said}
    return Call(**{"backend": "default", "queue_name": "default", **known})


def header_of(task: Task) -> str | None:
    """Return the header of a message."""
    return (task.own_headers or {}).get(HEADER)
