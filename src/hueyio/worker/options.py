"""What can be set on a worker process, beside what its consumers take; the command line is derived from it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, Literal

from hueyio.exceptions import ConfigurationError

__all__ = ["OBSOLETE", "Obsolete", "WorkerOptions"]

_SIGNALS: Final = ("INT", "TERM")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """Fields with ``help`` are options of ``python -m hueyio worker``."""

    weights: str | None = field(
        default=None,
        metadata={
            "metavar": "N,N,...",
            "help": "how workers, threads and processes are shared among several apps, such as 3,1 (default: evenly)",
        },
    )
    processes: int = field(
        default=1, metadata={"help": "consumer processes under a supervisor that replaces those that die"}
    )
    max_tasks: int | None = field(
        default=None, metadata={"flag": "-M", "help": "replace a process after so many tasks (default: never)"}
    )
    max_memory: float | None = field(
        default=None,
        metadata={"metavar": "MB", "help": "replace a process that uses more memory than this (default: never)"},
    )
    graceful_signal: Literal["INT", "TERM"] | None = field(
        default=None,
        metadata={
            "flag": "-g",
            "help": "let only this signal stop gracefully, the other one at once (default: both gracefully)",
        },
    )
    flush_locks: bool = field(
        default=False, metadata={"flag": "-f", "help": "release all locks of the app before the first task is run"}
    )
    extra_locks: str | None = field(
        default=None,
        metadata={"flag": "-L", "metavar": "NAME,...", "help": "names of further locks to release; implies -f"},
    )
    health: str | None = field(
        default=None,
        metadata={
            "metavar": "HOST:PORT",
            "help": "serve /live, /ready and /metrics there; :PORT is this machine only (default: nowhere)",
        },
    )
    loop: Literal["auto", "asyncio", "uvloop"] = field(
        default="auto", metadata={"help": "the event loop; auto takes uvloop where it is installed"}
    )
    reload: bool = field(default=False, metadata={"help": "restart when a file of the current folder changes"})
    logfile: str | None = field(
        default=None, metadata={"flag": "-l", "metavar": "FILE", "help": "log to this file (default: standard error)"}
    )
    log_format: Literal["text", "json"] = field(
        default="text", metadata={"help": "lines to read, or a JSON object each"}
    )
    simple: bool = field(default=False, metadata={"flag": "-S", "help": "log the time and the message only"})
    verbose: bool = field(default=False, metadata={"flag": "-v", "help": "log more", "is_loudness": True})
    quiet: bool = field(
        default=False, metadata={"flag": "-q", "help": "log warnings and errors only", "is_loudness": True}
    )

    def __post_init__(self) -> None:
        for name, least in (("processes", 1), ("max_tasks", 1)):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
                raise ConfigurationError(f"{name} must be a whole number of at least {least}, not {value!r}")
        if self.max_memory is not None and not 1 <= self.max_memory < math.inf:
            raise ConfigurationError(f"max_memory must be a number of megabytes from 1 on, not {self.max_memory!r}")
        if self.graceful_signal not in (None, *_SIGNALS):
            raise ConfigurationError(f"graceful_signal must be INT or TERM, not {self.graceful_signal!r}")
        if self.loop not in ("auto", "asyncio", "uvloop"):
            raise ConfigurationError(f"loop must be auto, asyncio or uvloop, not {self.loop!r}")
        if self.log_format not in ("text", "json"):
            raise ConfigurationError(f"log_format must be text or json, not {self.log_format!r}")
        self.shares(1 if self.weights is None else len(self.weights.split(",")))
        self.health_address()

    def shares(self, apps: int) -> list[float]:
        """Return which part of the workers each app gets; they add up to 1."""
        if self.weights is None:
            return [1 / apps] * apps
        try:
            weights = [float(text) for text in self.weights.split(",")]
        except ValueError:
            weights = []
        if not weights or not all(0 < weight < math.inf for weight in weights):
            raise ConfigurationError(
                f"weights must be numbers > 0 with commas between, such as 3,1, not {self.weights!r}"
            )
        if len(weights) != apps:
            raise ConfigurationError(f"there are {apps} apps, but {len(weights)} weights: {self.weights}")
        return [weight / sum(weights) for weight in weights]

    def health_address(self) -> tuple[str, int] | None:
        """Return where the probes are served; raises ConfigurationError."""
        if self.health is None:
            return None
        host, found, port = self.health.rpartition(":")
        if not found or not port.isdecimal() or not 0 <= int(port) < 65536:
            raise ConfigurationError(f"health must be HOST:PORT, such as 127.0.0.1:8080, not {self.health!r}")
        return host.strip("[]") or "127.0.0.1", int(port)

    def locks(self) -> list[str] | None:
        """Return the names of the locks to release beside those of the app; None: release none."""
        if not (self.flush_locks or self.extra_locks):
            return None
        return [name.strip() for name in (self.extra_locks or "").split(",") if name.strip()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Obsolete:
    """An option of Huey's consumer that is accepted and does nothing: one line says why."""

    flags: tuple[str, ...]
    takes_value: bool
    reason: str


OBSOLETE: Final = (
    Obsolete(
        flags=("-k", "--worker-type"),
        takes_value=True,
        reason="a task's function says where it runs: `async def` on the loop, `def` in a thread, or run_in=",
    ),
    Obsolete(flags=("-d", "--delay"), takes_value=True, reason="nothing is polled"),
    Obsolete(flags=("-m", "--max-delay"), takes_value=True, reason="nothing is polled"),
    Obsolete(flags=("-b", "--backoff"), takes_value=True, reason="nothing is polled"),
    Obsolete(
        flags=("-c", "--health-check-interval"), takes_value=True, reason="a part that fails is restarted at once"
    ),
    Obsolete(flags=("-C", "--disable-health-check"), takes_value=False, reason="there is no health check to disable"),
    Obsolete(
        flags=("-s", "--scheduler-interval"), takes_value=True, reason="the scheduler sleeps until the next task is due"
    ),
)
