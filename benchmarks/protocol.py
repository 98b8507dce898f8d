"""How the benchmark talks to the processes that it measures: one JSON object per line, a reply for each request.

A request names an action of the process and its arguments; a reply is figures. The end of the input is the end of
the process.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

__all__ = ["Figures", "Request", "Setup", "next_request", "reply"]

Figures = dict[str, float]


class Setup(NamedTuple):
    """What a measured process is told when it is started. ``address`` is a URL or an SQLite file."""

    kind: str
    address: str
    options: dict[str, Any]
    consumer: dict[str, Any]
    poll: float | None
    loop: Literal["asyncio", "uvloop"]
    task: Literal["loop", "thread", "process"] = "loop"
    """Where the body runs, in a library that lets one choose."""
    profile: int = 0
    """Print so many of the dearest functions at the end; of hueyio only."""

    @classmethod
    def from_arguments(cls) -> Setup:
        """Read the command line."""
        return cls(*json.loads(sys.argv[1]))

    def to_argument(self) -> str:
        """Write it for the command line."""
        return json.dumps(list(self))


class Request(NamedTuple):
    """One action to do."""

    action: str
    arguments: dict[str, Any]

    def to_line(self) -> str:
        """Write it for the other process."""
        return json.dumps(list(self)) + "\n"


def next_request() -> Request | None:
    """Wait for the next request; None at the end."""
    line = sys.stdin.readline()
    return Request(*json.loads(line)) if line else None


def reply(figures: Mapping[str, float]) -> None:
    """Answer the last request."""
    sys.stdout.write(json.dumps(dict(figures)) + "\n")
    sys.stdout.flush()
