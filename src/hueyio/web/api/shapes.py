"""What the API answers: data classes as JSON, and as the schemas that describe them."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from hueyio.control.audit import AuditEntry
from hueyio.control.consumers import ConsumerInfo
from hueyio.control.history import Attempt
from hueyio.control.pause import PauseInfo
from hueyio.control.statistics import QueueStatistics
from hueyio.control.task_details import TaskDetails
from hueyio.control.task_info import TaskInfo
from hueyio.limits.held import Held
from hueyio.limits.rates import CountedRate
from hueyio.schedules.seen import SeenSchedule
from hueyio.tasks.progress import Progress

__all__ = [
    "Answer",
    "Audit",
    "Finding",
    "Findings",
    "Limits",
    "Queue",
    "Queues",
    "Schedules",
    "Statistics",
    "TaskList",
    "TaskPart",
    "Workers",
    "schema_of",
    "to_json",
]

_LEFT_OUT: Final = frozenset({(TaskDetails, "task"), (TaskDetails, "returned"), (SeenSchedule, "timetable")})
"""Fields that are no data: the message and the value of a task, and what computes the times of a schedule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queues:
    """The queues of this dashboard."""

    queues: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """One queue. A count above 10,000 is a lower bound."""

    name: str
    kind: str
    counts: Mapping[str, int]
    paused: PauseInfo | None
    workers: int
    may: Sequence[str]
    """The permissions of whoever asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the doctor found."""

    level: Literal["wrong", "warning"]
    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The worst first."""

    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskList:
    """A part of a list. ``next`` is the ``after`` of the following one."""

    tasks: Sequence[TaskInfo]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPart:
    """One task. Arguments and result are texts, where they may be shown; tracebacks are for those who may operate."""

    task: TaskDetails
    attempts: Sequence[Attempt]
    arguments: Sequence[Sequence[str]] | str | None
    result: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """What happened in a range."""

    statistics: QueueStatistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Those with a live lease."""

    workers: Sequence[ConsumerInfo]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedules:
    """Those that are stored, and those of the code."""

    schedules: Sequence[SeenSchedule]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is held, which names are revoked, and what rate limits have counted."""

    held: Sequence[Held]
    revoked: Sequence[str]
    rates: Sequence[CountedRate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The latest entries first. ``next`` is the ``after`` of the following part."""

    entries: Sequence[AuditEntry]
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an action did, in a sentence."""

    answer: str


def to_json(value: Any) -> Any:
    """Return a value as JSON has it: times in ISO 8601 in UTC, spans in seconds."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case timedelta():
            return value.total_seconds()
        case Progress():
            return value._asdict()
        case Mapping():
            return {str(key): to_json(it) for key, it in value.items()}
        case _ if is_dataclass(value):
            return {name: to_json(getattr(value, name)) for name in _names_of(type(value))}
        case _:
            return [to_json(it) for it in value]


def schema_of(kind: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of a type; those of data classes are added to ``schemas`` and referred to."""
    if is_dataclass(kind) and isinstance(kind, type):
        if kind.__name__ not in schemas:
            schemas[kind.__name__] = {}  # a class may have itself among its fields
            schemas[kind.__name__] = _object_of(kind, schemas)
        return {"$ref": f"#/components/schemas/{kind.__name__}"}
    if kind is Progress:
        return _closed({"fraction": {"type": "number"}, "message": {"type": "string"}})
    plain = _PLAIN.get(kind)
    if plain is not None:
        return dict(plain)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [schema_of(it, schemas) for it in arguments]}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": schema_of(arguments[1], schemas)}
    return {"type": "array", "items": schema_of(arguments[0], schemas)}


_PLAIN: Final[Mapping[Any, Mapping[str, Any]]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
    timedelta: {"type": "number"},
}


def _object_of(kind: type[Any], schemas: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    found = _closed({name: schema_of(hints[name], schemas) for name in _names_of(kind)})
    return {"description": (kind.__doc__ or "").split("\n")[0], **found}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _names_of(kind: type[Any]) -> list[str]:
    return [it.name for it in fields(kind) if (kind, it.name) not in _LEFT_OUT]
