"""The values of Huey's own that stand in its storages, as far as they are read here."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from hueyio.named_tuple import NamedTuple

__all__ = ["ChordPlace", "HueyError", "HueyMessage", "chord_place", "last_stage", "split_kwargs"]

_SENTRY_ARGUMENT: Final = "sentry_headers"
"""An argument that Sentry's integration for Huey adds to calls, and takes off before the function is called."""


class _Fields(NamedTuple):
    id: str
    name: str
    eta: datetime | None = None
    retries: int | None = None
    retry_delay: float | None = None
    priority: float | None = None
    args: Any = None
    kwargs: Any = None
    on_complete: Any = None
    on_error: Any = None
    expires: Any = None
    expires_resolved: datetime | None = None
    timeout: float | None = None
    chord_config: Any = None
    retry_backoff: float | None = None


class HueyMessage(_Fields):
    """A task as Huey pickles it. Earlier versions have fewer fields, which then are None."""

    __slots__ = ()


class HueyError(NamedTuple):
    """What Huey stores in the place of a value when a task failed."""

    metadata: Any


class ChordPlace(NamedTuple):
    """Where the end of a task counts in a chord of Huey's, which has no other record than these in its members."""

    chord: str
    size: int
    position: int
    callback: HueyMessage


def last_stage(message: HueyMessage) -> HueyMessage:
    """Return the last stage of the pipeline that begins with this one."""
    while isinstance(message.on_complete, HueyMessage):
        message = message.on_complete
    return message


def chord_place(message: HueyMessage) -> ChordPlace | None:
    """Return the place in a chord of the pipeline that begins with this one; raises ValueError for what is none."""
    config = last_stage(message).chord_config
    match config:
        case None:
            return None
        case (str(chord), int(size), int(position), HueyMessage() as callback) if 0 <= position < size:
            return ChordPlace(chord, size, position, callback)
        case _:
            raise ValueError("its place in a chord cannot be read")


def split_kwargs(message: HueyMessage) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the keyword arguments of a message's function, and the headers that stood among them."""
    kwargs = dict(message.kwargs or {})
    headers = kwargs.get(_SENTRY_ARGUMENT)
    if not isinstance(headers, dict) or not headers.keys() <= {"baggage", "sentry-trace"}:
        return kwargs, {}
    del kwargs[_SENTRY_ARGUMENT]
    return kwargs, {name: value for name, value in headers.items() if isinstance(value, str)}
