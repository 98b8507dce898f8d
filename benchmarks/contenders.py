"""Who is compared, how each is set up, and what is measured of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

__all__ = [
    "ALL_KINDS",
    "ALL_PEERS",
    "BEST_OF",
    "KINDS",
    "MEASURES",
    "PEERS",
    "POSTGRES_PEERS",
    "STORAGES",
    "THREADS",
    "Contender",
    "Kind",
    "Library",
    "Measure",
    "contenders",
    "loops",
    "peers",
    "switched",
    "versions",
]

Kind: TypeAlias = Literal["sqlite", "redis", "postgres"]
"""Where the tasks are."""

KINDS: Final[tuple[Kind, ...]] = ("sqlite", "redis")
"""What most programs measure; PostgreSQL is measured by the table and by ``scale``."""

ALL_KINDS: Final[tuple[Kind, ...]] = (*KINDS, "postgres")

STORAGES: Final[dict[Kind, str]] = {"redis": "Redis", "sqlite": "SQLite", "postgres": "PostgreSQL"}
"""How the kinds are called in text."""

Library: TypeAlias = Literal[
    "hueyio", "huey", "saq", "streaq", "taskiq", "dramatiq", "arq", "pgqueuer", "oban", "procrastinate"
]

PEERS: Final[tuple[Library, ...]] = ("huey", "saq", "streaq", "taskiq", "dramatiq", "arq")
"""What hueyio is compared with; all but Huey on Redis only."""

POSTGRES_PEERS: Final[tuple[Library, ...]] = ("huey", "pgqueuer", "oban", "procrastinate")
"""What it is compared with on PostgreSQL."""

ALL_PEERS: Final[tuple[Library, ...]] = tuple(dict.fromkeys((*PEERS, *POSTGRES_PEERS)))

Measure: TypeAlias = Literal["sequential", "concurrent", "bulk", "drain", "latency", "idle"]

MEASURES: Final[tuple[Measure, ...]] = ("sequential", "concurrent", "bulk", "drain", "latency", "idle")

THREADS: Final = (1, 4, 32)
"""Huey drains with each of these; the best counts."""

BEST_OF: Final[Mapping[Library, Sequence[Mapping[str, int]]]] = {
    "huey": [{"workers": threads} for threads in THREADS],
    "pgqueuer": [{"batch": size} for size in (10, 100, 500)],
    "oban": [{"limit": size} for size in (100, 200, 500)],
    "procrastinate": [{"workers": number} for number in (10, 100)],
}
"""Who drains several times, with each of these settings of a worker; the best counts."""

_POLL: Final = 0.001
_ALL: Final = frozenset(MEASURES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One library with one set of settings on one kind of storage."""

    name: str
    library: Library
    kind: Kind
    options: Mapping[str, Any] = field(default_factory=dict)
    """What its Huey is made with, beside the address."""
    consumer: Mapping[str, Any] = field(default_factory=dict)
    """What an idle worker is made with; a drain of Huey's also gets a number of threads."""
    poll: float | None = None
    """Seconds between two looks for a result; None: the library's own way to wait."""
    measures: frozenset[Measure] = _ALL
    loop: Literal["asyncio", "uvloop"] = "asyncio"
    """Of hueyio's processes."""
    source: Path | None = None
    """The ``src`` folder of another version of hueyio."""
    task: Literal["loop", "thread", "process"] = "loop"
    """Where the body runs, in a library that lets one choose."""
    profile: int = 0
    """Print so many of the dearest functions of each of its processes; of hueyio only."""


def contenders(kind: Kind) -> tuple[Contender, ...]:
    """List who is compared on a kind of storage; hueyio, with its defaults, is the first."""
    ours = Contender(name="hueyio", library="hueyio", kind=kind)
    theirs = Contender(name="huey", library="huey", kind=kind)
    for_latency: frozenset[Measure] = frozenset({"latency", "idle"})
    if kind == "redis":
        notified = Contender(
            name="huey notify",
            library="huey",
            kind=kind,
            options={"notify_result": True},
            measures=for_latency,
        )
        return ours, theirs, notified
    unsafe = Contender(
        name="huey fsync=False",
        library="huey",
        kind=kind,
        options={"fsync": False},
        measures=_ALL - for_latency,
    )
    polling = Contender(
        name="huey 1 ms polls",
        library="huey",
        kind=kind,
        consumer={"initial_delay": _POLL, "max_delay": _POLL, "backoff": 1.0},
        poll=_POLL,
        measures=for_latency,
    )
    return ours, theirs, unsafe, polling


def loops(kind: Kind) -> tuple[Contender, ...]:
    """List hueyio on uvloop and on asyncio's own loop."""
    ours = Contender(name="hueyio", library="hueyio", kind=kind)
    return Contender(name="hueyio on uvloop", library="hueyio", kind=kind, loop="uvloop"), ours


def versions(kind: Kind, before: Path) -> tuple[Contender, ...]:
    """List hueyio, and the version whose ``src`` folder this is."""
    ours = Contender(name="hueyio", library="hueyio", kind=kind)
    return ours, Contender(name="hueyio before", library="hueyio", kind=kind, source=before)


def switched(kind: Kind, *, history: bool, statistics: bool) -> tuple[Contender, ...]:
    """List hueyio, and hueyio without its history, without its statistics, or without both."""
    options: dict[str, Any] = {}
    if history:
        options["keep_history"] = 0
    if statistics:
        options["statistics"] = False
    name = " and ".join(["history"] * history + ["statistics"] * statistics)
    ours = Contender(name="hueyio", library="hueyio", kind=kind)
    return ours, Contender(name=f"no {name}", library="hueyio", kind=kind, options=options)


def peers() -> tuple[Contender, ...]:
    """List the libraries that hueyio is compared with on Redis, hueyio and Huey first."""
    ours, theirs, _ = contenders("redis")
    return ours, theirs, *(Contender(name=name, library=name, kind="redis") for name in PEERS if name != "huey")
