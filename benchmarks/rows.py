"""The rows of the table: every workload that a user has, who is compared in it, and what hueyio is to reach.

Those on PostgreSQL are a table of their own, in ``postgres_rows``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from benchmarks import measures
from benchmarks.contenders import KINDS, Contender, Kind, Library
from benchmarks.start import begin

__all__ = ["ROWS", "Figure", "Goal", "Row", "contenders_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a figure is to be: so many times as good as another's, or as each of some others', or a value it reaches."""

    ratio: float | None = None
    beside: Literal["the best", "huey"] = "the best"
    value: float | None = None
    ratios: Mapping[Library, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of a row, as ``measure`` names it."""

    name: str
    more_is_better: bool = False
    goal: Goal | None = None
    is_compared: bool = True
    """Whether others' figures say anything beside ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One workload on one kind of storage."""

    name: str
    title: str
    kind: Kind
    figures: tuple[Figure, ...]
    measure: measures.MeasureRow
    libraries: tuple[Library, ...]
    """Who can do it."""
    set_up: Mapping[Library, Mapping[str, Any]] = field(default_factory=dict)
    """What a contender of a library has beside its defaults."""
    is_long: bool = False
    """Measured in the first round only."""


_ALL: Final[tuple[Library, ...]] = ("hueyio", "huey", "saq", "streaq", "taskiq", "dramatiq", "arq")
_WITH_THREADS: Final[tuple[Library, ...]] = ("hueyio", "huey", "streaq", "taskiq", "dramatiq")
_WITH_PIPELINES: Final[tuple[Library, ...]] = ("hueyio", "huey", "streaq", "dramatiq")
_HUEY: Final[tuple[Library, ...]] = ("hueyio", "huey")

# Where a result is waited for, Huey looks for tasks and results each millisecond on SQLite, and is told on Redis.
_POLLING: Final = {"consumer": {"initial_delay": 0.001, "max_delay": 0.001, "backoff": 1.0}, "poll": 0.001}
_WAITING: Final[dict[Kind, dict[Library, Mapping[str, Any]]]] = {
    "redis": {"huey": {"options": {"notify_result": True}}},
    "sqlite": {"huey": _POLLING},
}


def _on(kind: Kind, everybody: tuple[Library, ...]) -> tuple[Library, ...]:
    """Leave out who has no such storage."""
    return everybody if kind == "redis" else tuple(one for one in everybody if one in _HUEY)


def _more(name: str, ratio: float | None = None, value: float | None = None) -> Figure:
    return Figure(name=name, more_is_better=True, goal=_goal(ratio, value))


def _less(name: str, ratio: float | None = None, value: float | None = None) -> Figure:
    return Figure(name=name, goal=_goal(ratio, value))


def _goal(ratio: float | None, value: float | None) -> Goal | None:
    return None if ratio is None and value is None else Goal(ratio=ratio, value=value)


def _enqueue_rows() -> list[Row]:
    one, measure = "`await add(i)`, one after another", measures.enqueue_one_by_one
    unsafe: dict[Library, Mapping[str, Any]] = {
        "hueyio": {"options": {"fsync": False}},
        "huey": {"options": {"fsync": False}},
    }
    return [
        Row(name="one-redis", title=one, kind="redis", figures=(_more("tasks/s", 1.0),), measure=measure,
            libraries=_ALL),
        Row(name="one-sqlite", title=f"{one}, durable", kind="sqlite", figures=(_more("tasks/s", 0.7),),
            measure=measure, libraries=_HUEY),
        Row(name="one-sqlite-unsafe", title=f"{one}, `fsync=False`", kind="sqlite", figures=(_more("tasks/s", 0.5),),
            measure=measure, libraries=_HUEY, set_up=unsafe),
        Row(name="at-once-redis", title="200 calls at once", kind="redis", figures=(_more("tasks/s", 5.0),),
            measure=measures.enqueue_at_once, libraries=_ALL),
        Row(name="map-redis", title="`map`", kind="redis", figures=(_more("tasks/s", 8.0),),
            measure=measures.enqueue_all, libraries=_ALL),
    ]  # fmt: skip


def _result_rows(kind: Kind) -> list[Row]:
    p50, us, lag = (0.6, 40.0, 20.0) if kind == "redis" else (1.4, 85.0, 20.0)
    return [
        Row(name=f"read-1kb-{kind}", title="a finished result of 1 kB is read", kind=kind,
            figures=(_less("us/read", 1.0),), measure=measures.read(1_000, 500), libraries=_on(kind, _ALL)),
        Row(name=f"read-1mb-{kind}", title="a finished result of 1 MB is read", kind=kind,
            figures=(_less("us/read", 0.8),), measure=measures.read(1_000_000, 40), libraries=_on(kind, _ALL)),
        Row(name=f"latency-{kind}", title="enqueue to result, idle worker", kind=kind,
            figures=(_less("p50 ms", value=p50), _less("p99 ms")), measure=measures.wait_for_one,
            libraries=_on(kind, _ALL), set_up=_WAITING[kind]),
        Row(name=f"pipeline-{kind}", title="a pipeline", kind=kind,
            figures=(_less("us/stage of 10"), _less("us/stage of 100", 1.5), _less("us/stage of 1,000"),
                     Figure(name="1,000 / 100 stages", goal=Goal(value=1.25), is_compared=False)),
            measure=measures.pipeline((10, 100, 1_000)), libraries=_on(kind, _WITH_PIPELINES), set_up=_WAITING[kind]),
        Row(name=f"group-{kind}", title="a group of 10,000 is awaited", kind=kind,
            figures=(_less("us/task", value=us), _less("lag p99 ms", value=lag)), measure=measures.group,
            libraries=_on(kind, _ALL), set_up=_WAITING[kind]),
    ]  # fmt: skip


def _sync_rows(kind: Kind) -> list[Row]:
    one_thread: dict[Library, Mapping[str, Any]] = {
        "hueyio": {"task": "thread", "consumer": {"threads": 1}},
        "huey": {"consumer": {"workers": 1}},
        "streaq": {"task": "thread", "consumer": {"threads": 1}},
        "taskiq": {"task": "thread", "consumer": {"threads": 1}},
        "dramatiq": {"consumer": {"workers": 1}},
    }
    hundred: dict[Library, Mapping[str, Any]] = {
        "hueyio": {"task": "thread", "consumer": {"workers": 100}},
        "huey": {"consumer": {"workers": 100}},
        "streaq": {"task": "thread", "consumer": {"threads": 100}},
        "taskiq": {"task": "thread", "consumer": {"threads": 100}},
        "dramatiq": {"consumer": {"workers": 100}},
    }
    one_process: dict[Library, Mapping[str, Any]] = {
        "hueyio": {"task": "process", "consumer": {"pool": 1}},
        "huey": {"consumer": {"workers": 1, "worker_type": "process"}},
    }
    threads = _on(kind, _WITH_THREADS)
    return [
        Row(name=f"thread-{kind}", title="sync no-op tasks, 1 thread", kind=kind, figures=(_more("tasks/s", 1.5),),
            measure=measures.drain(5_000), libraries=threads, set_up=one_thread),
        Row(name=f"process-{kind}", title="sync no-op tasks, 1 process", kind=kind, figures=(_more("tasks/s", 1.5),),
            measure=measures.drain(3_000), libraries=_HUEY, set_up=one_process),
        Row(name=f"w100-{kind}", title="sync no-op tasks, `-w 100`", kind=kind, figures=(_more("tasks/s", 2.5),),
            measure=measures.drain(4_000), libraries=threads, set_up=hundred),
    ]  # fmt: skip


def _drain_rows(kind: Kind) -> list[Row]:
    times, cpu = (10.0, 12.0) if kind == "redis" else (8.0, 26.0)
    memory = Figure(name="peak MB", goal=Goal(ratio=1 / 1.2, beside="huey"))
    few: dict[Library, Mapping[str, Any]] = {"huey": {"consumer": {"workers": 4}}}
    return [
        Row(name=f"args-100kb-{kind}", title="drain, arguments of 100 kB", kind=kind,
            figures=(_more("tasks/s", 1.0), memory), measure=measures.drain(500, size=100_000, share=False),
            libraries=_on(kind, _ALL), set_up=few),
        Row(name=f"args-1mb-{kind}", title="drain, arguments of 1 MB", kind=kind,
            figures=(_more("tasks/s", 1.0), memory), measure=measures.drain(200, size=1_000_000, share=False),
            libraries=_on(kind, _ALL), set_up=few),
        Row(name=f"drain-{kind}", title="drain of no-ops", kind=kind,
            figures=(_more("tasks/s", times), _less("CPU us/task", value=cpu), Figure(name="peak MB")),
            measure=measures.drain_at_best(20_000), libraries=_on(kind, _ALL)),
    ]  # fmt: skip


def _far_row() -> Row:
    at_most: dict[Library, Mapping[str, Any]] = {name: {"consumer": {"workers": 32}} for name in _ALL}
    return Row(name="far-redis", title="drain, server 2.4 ms away, `-w 32`", kind="redis",
               figures=(_more("tasks/s", value=30_000.0),), measure=measures.drain(20_000, round_trip=0.0024),
               libraries=_ALL, set_up=at_most)  # fmt: skip


def _long_rows(kind: Kind) -> list[Row]:
    sizes = (1_000, 10_000, 100_000, 1_000_000)
    grown = tuple(
        Figure(name=f"{what} of {size:,}", more_is_better="/s" in what, is_compared=False)
        for what in ("enqueued/s", "drained/s", "producer MB", "worker MB")
        for size in sizes
    )
    steady = Figure(name="slowest / fastest", more_is_better=True, goal=Goal(value=0.8), is_compared=False)
    return [
        Row(name=f"growth-{kind}", title="drain of 1,000 to 1,000,000", kind=kind, figures=(steady, *grown),
            measure=measures.grow(sizes), libraries=("hueyio",), is_long=True),
        Row(name=f"workers-{kind}", title="1, 2, 4 workers", kind=kind,
            figures=(_more("tasks/s by 1"), _more("tasks/s by 2"), _more("tasks/s by 4")),
            measure=measures.work_together((1, 2, 4), 20_000), libraries=_HUEY),
        Row(name=f"start-{kind}", title="the start of a worker", kind=kind,
            figures=(Figure(name="import ms", goal=Goal(value=120.0)), Figure(name="first task ms",
                     goal=Goal(value=200.0)), Figure(name="idle MB", goal=Goal(value=40.0))),
            measure=begin, libraries=("hueyio",)),
    ]  # fmt: skip


def _each(make: Callable[[Kind], list[Row]]) -> list[Row]:
    return [row for kind in reversed(KINDS) for row in make(kind)]


ROWS: Final[dict[str, Row]] = {
    row.name: row
    for row in [
        *_enqueue_rows(), *_each(_result_rows), *_each(_sync_rows), *_each(_drain_rows), _far_row(), *_each(_long_rows)
    ]
}  # fmt: skip


def contenders_of(row: Row, libraries: Collection[Library], switches: tuple[str, ...]) -> list[Contender]:
    """List who is measured in a row: hueyio, hueyio with each switch, and those of the libraries that can do it.

    A switch is ``uvloop``, or an option of the Huey such as ``fsync=False``; it is left out where nobody is compared.
    """
    ours = Contender(name="hueyio", library="hueyio", kind=row.kind, **dict(row.set_up.get("hueyio", {})))
    theirs = [
        Contender(name=name, library=name, kind=row.kind, **dict(row.set_up.get(name, {})))
        for name in libraries
        if name in row.libraries and name != "hueyio"
    ]
    if row.libraries == ("hueyio",):
        return [ours]
    return [ours, *(_switched(ours, switch) for switch in switches), *theirs]


def _switched(ours: Contender, switch: str) -> Contender:
    name = f"hueyio {switch}"
    if switch == "uvloop":
        return replace(ours, name=name, loop="uvloop")
    key, _, value = switch.partition("=")
    known = {"True": True, "False": False}
    option: Any = known.get(value, float(value) if value.replace(".", "").isdigit() else value)
    return replace(ours, name=name, options={**ours.options, key: option})
