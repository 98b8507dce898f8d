"""What every part of one Huey needs: its settings, its registry, its sessions and the clock of its storage.

It stands below everything that has to know a Huey, so that nothing has to describe one. ``Huey`` makes it, and is what
users see; the handles, the producer and the consumers hold it.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from hueyio.exceptions import ConfigurationError
from hueyio.hooks import Hooks
from hueyio.loops.sessions import NestedSessions, Sessions
from hueyio.messages.entry import CUT_FROM, NEVER
from hueyio.messages.message import MOST_NESTED
from hueyio.messages.stored_result import metadata_of
from hueyio.serializer import Serializer
from hueyio.signals import Signals
from hueyio.storage.clock import Clock, HostClock
from hueyio.storage.contract import Session, Storage
from hueyio.tasks.registry import Registry
from hueyio.tasks.task import Task

__all__ = [
    "DEFAULT_GRACE",
    "DEFAULT_LEASE",
    "DEFAULT_PUT_BACK_AGE",
    "DEFAULT_RESULT_TTL",
    "Core",
    "Rules",
    "build_error_result",
    "core_of",
    "find_core",
]

P = TypeVar("P")

DEFAULT_LEASE: Final = 15.0
"""Seconds without a heartbeat after which others take over what an owner holds."""

DEFAULT_GRACE: Final = 30.0
"""Seconds that running tasks get to finish at a graceful stop."""

DEFAULT_RESULT_TTL: Final = 7 * 86400.0
"""Seconds that a result which nobody reads is kept."""


DEFAULT_PUT_BACK_AGE: Final = 7 * 86400.0
"""Seconds for which a task may go back again and again: locked, rate-limited, snoozed, retried because it asks."""


def build_error_result(task: Task, exception: BaseException) -> dict[str, Any]:
    """Describe a failure by Huey's four keys: error, retries, traceback and task_id."""
    return metadata_of(exception, task_id=task.id, retries=task.retries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a Huey's settings say about results and errors."""

    results: bool = True
    store_none: bool = False
    store_intermediate_errors: bool = True
    serializer: Serializer = field(default_factory=Serializer)
    """What errors and the arguments of error handlers are written with; an exception is passed on if it can be."""
    build_error_result: Callable[[Task, BaseException], dict[str, Any]] = build_error_result
    """Describes a failure; see ``Huey.build_error_result``."""
    max_put_back_age: float | None = DEFAULT_PUT_BACK_AGE
    """Seconds after which a task that is put back again has failed; None: never."""


class Core:
    """One Huey below its surface.

    ``kind`` is the name of the Huey's class, ``home`` the module in which a worker found it: what a pool process
    imports. ``immediate`` says that tasks run where they are enqueued, ``raise_errors`` that their errors then reach
    the caller.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        storage: Storage,
        rules: Rules,
        *,
        utc: bool,
        result_ttl: float | None,
        raise_errors: bool,
        propagate: tuple[str, ...] = (),
        counts: bool = True,
        history_args: bool = False,
    ) -> None:
        self.name = name
        self.kind: Final = kind
        self.home: str | None = None
        self.utc = utc
        self.rules = rules
        self.serializer = rules.serializer.within(storage.name)
        """For what stands in this queue: each of its users adds where."""
        self.registry = Registry()
        self.registry.use_types(self.serializer.types)
        self.signals = Signals(name)
        self.hooks = Hooks(self.signals.thread)
        self.immediate = False
        self.raise_errors = raise_errors
        self.has_early_workers = False
        """Whether a worker was seen that runs no stage of a pipeline that is cut: one of hueyio 0.1."""
        self.propagate: Final = propagate
        """The keys of the headers that the calls of a body inherit."""
        self.counts: Final = counts
        """Whether consumers count what ends in them."""
        self.history_args: Final = history_args
        """Whether the history has the arguments of calls, in short form."""
        self._sessions = self._live = Sessions(storage)
        self._parts: dict[type[Any], Any] = {}
        self.clock: Clock = storage.clock
        """What relative times count from."""
        self.now: Callable[[], float] = storage.clock.now
        """Returns epoch seconds by the clock of the storage in use. What is known of it before the first session was
        opened is the host's time."""
        own_ttl = storage.capabilities.result_ttl
        if own_ttl is not None and result_ttl != DEFAULT_RESULT_TTL:
            raise ConfigurationError(f"{storage} has an expire_time of its own: leave result_ttl out")
        self.result_ttl = result_ttl if own_ttl is None else own_ttl
        self.keeps_results = own_ttl is not None
        """Whether reading a result leaves it in the storage, until its time is over."""
        _all.append(weakref.ref(self, _all.remove))

    @property
    def cut_from(self) -> int:
        """From how many later stages on a pipeline is cut; see ``messages.entry``."""
        if self.immediate:
            return NEVER  # each task is passed on with all that follows it
        return MOST_NESTED if self.has_early_workers else CUT_FROM

    @property
    def storage(self) -> Storage:
        """The storage in use; in immediate mode one in memory, unless the live one is to be used there."""
        return self._sessions.storage

    def use_storage(self, storage: Storage | None, before: Callable[[Session], Session] | None = None) -> None:
        """Use another storage from the next await on; None: the live one.

        ``before`` makes a session that stands before each of the storage's.
        """
        sessions = self._live if storage is None else Sessions(storage)
        self.clock = sessions.storage.clock
        self.now = self.clock.now
        self._sessions = sessions if before is None else NestedSessions(sessions, before)

    @property
    def has_other_storage(self) -> bool:
        """Whether another storage than the live one is in use: in immediate mode, and in tests."""
        return self._sessions is not self._live

    def refuse_storage(self, reason: str) -> None:
        """Have every use of the storage raise StorageError, because it is out of reach here."""
        self._sessions.refusal = reason

    async def session(self) -> Session:
        """Return the running loop's storage session, opened at its first use."""
        return await self._sessions.get()

    async def beside_session(self, kind: type[P], make: Callable[[Session], P]) -> P:
        """Return the one object of a kind that lives as long as the running loop's session; made when first needed."""
        return await self._sessions.beside(kind, make)

    def peek_beside_session(self, kind: type[P]) -> P | None:
        """Return the object of a kind that lives beside the running loop's session; None if there is none."""
        return self._sessions.peek_beside(kind)

    def part(self, kind: type[P], make: Callable[[Core], P]) -> P:
        """Return the one object of a kind that this Huey has beside its settings; made when first needed."""
        if kind not in self._parts:
            self._parts[kind] = make(self)
        part: P = self._parts[kind]
        return part

    async def close_session(self) -> None:
        """Close the running loop's session; the next use opens another."""
        await self._sessions.close()

    def with_clock(self, clock: Callable[[], float]) -> Core:
        """Return the same on another clock, which gives epoch seconds."""
        other = copy.copy(self)
        other.clock = HostClock(clock)
        other.now = clock
        return other


def core_of(huey: object) -> Core:
    """Return the core of a Huey; raises TypeError for what is none."""
    core = getattr(huey, "_core", None)
    if not isinstance(core, Core):
        raise TypeError(f"a Huey is needed, such as SqliteHuey(...), not {huey!r}")
    return core


def find_core(name: str, path: str) -> Core | None:
    """Return the core of the Huey of that name that declares the task, the latest one; None: none in this process."""
    cores = [made() for made in reversed(_all)]
    return next((it for it in cores if it is not None and it.name == name and it.registry.get(path)), None)


_all: Final[list[weakref.ref[Core]]] = []
"""The core of every Huey that is alive, in the order of their making."""
