"""What can be set on a consumer; the command line is derived from it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Final

from hueyio.core import DEFAULT_GRACE, DEFAULT_LEASE
from hueyio.exceptions import ConfigurationError
from hueyio.storage.records import Lane

__all__ = ["ConsumerOptions"]


_DAY: Final = 86400.0

_DEFAULT_WORKERS: Final = 100

_MOST_THREADS_OF_WORKERS: Final = 256
"""Threads that ``workers`` permits: a coroutine task costs 3 kB, so that thousands may be asked for; a thread does not
cost so little."""


def _default_pool() -> int:
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerOptions:
    """Fields with ``help`` are options of ``python -m hueyio worker``."""

    workers: int | None = field(
        default=None,
        metadata={
            "flag": "-w",
            "help": "tasks that run at the same time: coroutine tasks (default: 100), and, up to 256, sync tasks too "
            "unless --threads is given",
        },
    )
    threads: int | None = field(
        default=None,
        metadata={
            "help": "sync tasks that run at the same time, each in a thread "
            "(default: as many as --workers, or CPUs + 4 if that is not given)"
        },
    )
    pool: int = field(
        default_factory=_default_pool,
        metadata={"help": 'run_in="process" tasks that run at the same time, each in a process (default: the CPUs)'},
    )
    pool_max_tasks: int | None = field(
        default=None, metadata={"help": "replace a process of the pool after so many tasks (default: never)"}
    )
    prefetch: int | None = field(
        default=None,
        metadata={
            "help": "tasks held unstarted in each lane (default: as many as run there, more while they are short)"
        },
    )
    lease: float = field(
        default=DEFAULT_LEASE,
        metadata={"help": "seconds after which the tasks of a consumer that died are given to others"},
    )
    shutdown_timeout: float = field(
        default=DEFAULT_GRACE,
        metadata={"flag": "-t", "help": "seconds that running tasks get to finish when the consumer stops"},
    )
    block_warning: float = field(
        default=0.5,
        metadata={"help": "seconds for which the loop may be blocked before the log names the task that blocks it"},
    )
    max_block: float | None = field(
        default=300.0,
        metadata={"help": "seconds for which the loop may be blocked before the lease is given up, and a worker exits"},
    )
    lend_slots: bool = field(
        default=True,
        metadata={"help": "let a task that waits for other tasks keep its slot, so that no more run beside it"},
    )
    max_lent: int = field(
        default=1000,
        metadata={"help": "coroutine tasks that may wait for other tasks at the same time, with their slots lent"},
    )
    max_lent_threads: int = field(
        default=100,
        metadata={"help": "sync tasks that may do so, each with its thread"},
    )
    periodic: bool = field(
        default=True,
        metadata={"flag": "-n", "help": "do not enqueue periodic tasks and schedules here"},
    )
    log_runs: bool = field(
        default=False,
        metadata={"help": "log each run that ended well at the level INFO, not DEBUG"},
    )

    def __post_init__(self) -> None:
        for name in ("periodic", "lend_slots", "log_runs"):
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise ConfigurationError(f"{name} must be True or False, not {value!r}")
        for name in ("pool", "max_lent", "max_lent_threads"):
            _check_whole(name, getattr(self, name), least=1)
        for name in ("workers", "threads", "pool_max_tasks"):
            if (value := getattr(self, name)) is not None:
                _check_whole(name, value, least=1)
        if self.prefetch is not None:
            _check_whole("prefetch", self.prefetch, least=0)
        for name, least in (("lease", 0.1), ("shutdown_timeout", 0.0), ("block_warning", 0.05)):
            _check_seconds(name, getattr(self, name), least)
        if self.max_block is not None:
            _check_seconds("max_block", self.max_block, self.block_warning)

    @property
    def sizes(self) -> dict[Lane, int]:
        """How many tasks may run at the same time in each lane."""
        workers = _DEFAULT_WORKERS if self.workers is None else self.workers
        return {"loop": workers, "thread": self._threads(), "process": self.pool}

    def _threads(self) -> int:
        """Huey's ``-w`` counts whatever runs, so that whoever gives it alone means the sync tasks too."""
        if self.threads is not None:
            return self.threads
        if self.workers is not None:
            return min(self.workers, _MOST_THREADS_OF_WORKERS)
        return min(32, (os.cpu_count() or 1) + 4)


def _check_whole(name: str, value: object, *, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigurationError(f"{name} must be a whole number of at least {least}, not {value!r}")


def _check_seconds(name: str, value: object, least: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= _DAY:
        raise ConfigurationError(f"{name} must be from {least:g} to {_DAY:g} seconds, not {value!r}")
