"""A call that is written on the command line: the task's name, and its arguments as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

import click

from hueyio.cli.visit import Visit
from hueyio.client.producer import Producer
from hueyio.exceptions import ConfigurationError
from hueyio.handles.wrapper import TaskWrapper
from hueyio.serializer import JSONSerializer, Serializer
from hueyio.tasks.declared import CallOptions
from hueyio.tasks.headers import check_headers
from hueyio.tasks.task import Task

__all__ = ["ARGUMENTS", "FORMAT", "Format", "make_call", "serializer_for"]

Format: TypeAlias = Literal["pickle", "json"]

ARGUMENTS = click.argument("arguments", default="[]", metavar="[ARGS]")
FORMAT = click.option(
    "--format",
    "format",
    type=click.Choice(["pickle", "json"]),
    metavar="pickle|json",
    help="what the app reads its messages with, where it is not named (default: pickle)",
)


def make_call(
    at: Visit,
    name: str,
    arguments: str,
    when: datetime | timedelta | None,
    priority: float | None,
    headers: Mapping[str, str] | None = None,
) -> Task:
    """Return the call; with the app it has what the task declares, and its arguments are checked when it is enqueued.

    Raises click.BadParameter if the arguments are no JSON list or object, TaskArgumentError, UnknownTaskError,
    ConfigurationError.
    """
    args, kwargs = _read_arguments(arguments)
    eta = at.output.now + when if isinstance(when, timedelta) else when
    if at.has_app:
        declared: TaskWrapper[..., Any] = TaskWrapper(at.huey, at.core.registry.find(name), Producer(at.core))
        given: CallOptions = {}
        if eta is not None:
            given["eta"] = eta
        if priority is not None:
            given["priority"] = priority
        if headers:
            given["headers"] = headers
        return declared.options(**given).s(*args, **kwargs)
    _check_priority(at, priority)
    carried = check_headers(headers or {}, name)
    return Task(name, tuple(args), kwargs, eta=eta, priority=priority, headers=carried)


def serializer_for(at: Visit, format: Format | None) -> Serializer:
    """Return what a call without the app is written with."""
    if at.has_app and format is not None:
        raise click.UsageError("the app says itself how its messages are written: leave --format out")
    return JSONSerializer() if format == "json" else at.core.serializer


def _read_arguments(text: str) -> tuple[list[Any], dict[str, Any]]:
    try:
        read = json.loads(sys.stdin.read() if text == "-" else text)
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"not JSON: {error}", param_hint="ARGS") from None
    match read:
        case list():
            return read, {}
        case dict():
            return [], read
        case _:
            raise click.BadParameter("a list, or an object for keywords, such as '[1, 2]'", param_hint="ARGS")


def _check_priority(at: Visit, priority: float | None) -> None:
    capabilities = at.huey.storage.capabilities
    if not priority:
        return
    if not capabilities.priorities:
        raise ConfigurationError(f"{at.where} has no priorities: only the priority classes have")
    most = capabilities.most_priority
    if most is not None and not (0 <= priority <= most and priority == int(priority)):
        raise ConfigurationError(f"{at.where} takes whole numbers from 0 to {most} as priorities, not {priority:g}")
