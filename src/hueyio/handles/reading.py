"""What a read of a result can be told beside how long to wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict, TypeVar

from hueyio.handles.options import shows_options
from hueyio.named_tuple import NamedTuple
from hueyio.tasks.given import check_switches

__all__ = ["Read", "ReadOptions", "read_options", "shows_read_options"]

F = TypeVar("F", bound=Callable[..., Any])


class ReadOptions(TypedDict, total=False):
    """``backoff`` and ``max_delay`` are Huey's and do nothing here: nothing is polled."""

    backoff: float
    max_delay: float
    revoke_on_timeout: bool
    preserve: bool


class Read(NamedTuple):
    """The options that mean something here."""

    revoke_on_timeout: bool
    preserve: bool


def read_options(options: ReadOptions) -> Read:
    """Return what the options mean here; raises TypeError for one that is none, ConfigurationError for its value."""
    read = _taken(**options)
    if options:
        check_switches(read._asdict())
    return read


def _taken(
    backoff: float = 1.15, max_delay: float = 1.0, revoke_on_timeout: bool = False, preserve: bool = False
) -> Read:
    return Read(revoke_on_timeout, preserve)


def shows_read_options(function: F) -> F:
    """Let the signature of a function list the options of a read."""
    return shows_options(_taken)(function)
