"""The addresses of the API, and the document that describes them (OpenAPI 3.1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from hueyio.named_tuple import NamedTuple
from hueyio.version import VERSION
from hueyio.web.api import reads, shapes
from hueyio.web.api.shapes import schema_of
from hueyio.web.filters import RANGES, ListFilter
from hueyio.web.view import View

__all__ = ["API", "READS", "Reading", "describe_api"]

API: Final = "api/v1"


class Reading(NamedTuple):
    """One thing that can be asked: its address below the queue, what answers, with what, and what the query may say."""

    path: str
    read: Callable[[View], Awaitable[Any]]
    shape: type[Any]
    summary: str
    query: tuple[str, ...] = ()


READS: Final = (
    Reading("", reads.read_queue, shapes.Queue, "what there is"),
    Reading("findings", reads.read_findings, shapes.Findings, "what is wrong, as hueyio doctor finds it"),
    Reading("tasks/{part}", reads.read_tasks, shapes.TaskList, "tasks of a state", (*ListFilter._fields, "after")),
    Reading("task/{part}", reads.read_task, shapes.TaskPart, "one task"),
    Reading("statistics", reads.read_queue_statistics, shapes.Statistics, "what happened", ("range", "name")),
    Reading("workers", reads.read_workers, shapes.Workers, "the workers"),
    Reading("schedules", reads.read_schedules, shapes.Schedules, "the schedules"),
    Reading("limits", reads.read_limits, shapes.Limits, "locks, semaphores, revoked names"),
    Reading("audit", reads.read_audit_part, shapes.Audit, "who changed what", ("after",)),
)

_FORM: Final = {
    "type": "object",
    "description": "As the form of the action: id (one or several), or state with a filter, and all or before; of a "
    "schedule its name (code: that of one of the code, to run it now), and to edit it rule, second, tz, catch_up (yes "
    "or no), args, kwargs (JSON): those that change; to revoke, an id or a name, and until (ISO 8601) and once.",
    "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
}


def describe_api(root: str, verbs: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the document; ``verbs`` are the actions with the permission that each needs."""
    schemas: dict[str, Any] = {}
    paths: dict[str, Any] = {"/queues": {"get": _operation("the queues", shapes.Queues, schemas)}}
    for it in READS:
        parameters = [_parameter("queue", "path"), *([_parameter("part", "path")] if "{part}" in it.path else [])]
        parameters += [_parameter(name, "query") for name in it.query]
        address = f"/queues/{{queue}}{'/' if it.path else ''}{it.path}"
        paths[address] = {"parameters": parameters, "get": _operation(it.summary, it.shape, schemas)}
    for verb, permission in verbs.items():
        needs = "that of the action" if permission is None else permission
        action = _operation(f"{verb}; needs the permission {needs}", shapes.Answer, schemas)
        body = {"required": True, "content": {"application/json": {"schema": _FORM}}}
        paths[f"/queues/{{queue}}/actions/{verb}"] = {
            "parameters": [_parameter("queue", "path")],
            "post": {**action, "requestBody": body},
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": "hueyio", "version": VERSION},
        "servers": [{"url": f"{root}/{API}"}],
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _operation(summary: str, shape: type[Any], schemas: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": schema_of(shape, schemas)}}
    return {
        "summary": summary,
        "responses": {
            "200": {"description": summary, "content": content},
            "default": {"description": 'refused: {"error": {"status": 404, "text": "..."}}'},
        },
    }


def _parameter(name: str, where: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if name == "range":
        schema["enum"] = list(RANGES)
    return {"name": name, "in": where, "required": where == "path", "schema": schema}
