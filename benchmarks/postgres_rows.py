"""The table of what is measured on PostgreSQL: on one server with its default settings, every commit flushed.

What is stored of a result differs: hueyio and Huey keep what the body returns, the others keep nothing by default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from benchmarks import measures, postgres_measures
from benchmarks.contenders import POSTGRES_PEERS, Library
from benchmarks.rows import Figure, Goal, Row

__all__ = ["POSTGRES_ROWS"]

_ALL: Final[tuple[Library, ...]] = ("hueyio", *POSTGRES_PEERS)
_AT_ONCE: Final[Mapping[Library, Mapping[str, Any]]] = {"pgqueuer": {"options": {"pool": 10}}}
"""One connection is faster for calls one after another, several are for many at once."""
_HUNDRED: Final[Mapping[Library, Mapping[str, Any]]] = {
    "huey": {"consumer": {"workers": 4}},
    "pgqueuer": {"consumer": {"batch": 100}},
    "oban": {"consumer": {"limit": 100}},
    "procrastinate": {"consumer": {"workers": 100}},
}
"""What an idle worker, or one that is weighed, may take at a time."""


def _more(name: str, goal: Goal | None = None) -> Figure:
    return Figure(name=name, more_is_better=True, goal=goal)


def _row(
    name: str,
    title: str,
    figures: tuple[Figure, ...],
    measure: measures.MeasureRow,
    set_up: Mapping[Library, Mapping[str, Any]] | None = None,
) -> Row:
    return Row(
        name=name, title=title, kind="postgres", figures=figures, measure=measure, libraries=_ALL, set_up=set_up or {}
    )


_DRAIN: Final = Goal(ratios={"pgqueuer": 2.0, "oban": 5.0, "huey": 10.0, "procrastinate": 25.0})
_BULK: Final = Goal(ratios={"pgqueuer": 0.8, "oban": 8.0, "procrastinate": 2.5})
_TO_BODY: Final = Goal(ratios={"huey": 1 / 1.2, "pgqueuer": 1.0, "oban": 1.0, "procrastinate": 1.0})

POSTGRES_ROWS: Final[dict[str, Row]] = {
    row.name: row
    for row in (
        _row("one", "`await add(i)`, one after another", (_more("tasks/s", Goal(ratio=1.2)),),
             measures.enqueue_one_by_one),
        _row("at-once", "200 calls at once", (_more("tasks/s", Goal(ratio=10.0)),),
             measures.enqueue_at_once, _AT_ONCE),
        _row("map", "`map`", (_more("tasks/s", _BULK),), measures.enqueue_all),
        _row("drain", "drain of no-ops", (_more("tasks/s", _DRAIN), Figure(name="CPU us/task"), Figure(name="peak MB")),
             measures.drain_at_best(20_000)),
        _row("body", "enqueue to body, idle worker", (Figure(name="p50 ms", goal=_TO_BODY), Figure(name="p99 ms")),
             postgres_measures.wait_for_body, _HUNDRED),
        _row("costs", "a task on the server, in and out at 100 each",
             (Figure(name="statements", goal=Goal(value=0.05)), Figure(name="bytes of WAL", goal=Goal(value=1_200.0)),
              Figure(name="CPU us", goal=Goal(value=25.0)), Figure(name="bytes of WAL, in"), Figure(name="CPU us, in")),
             postgres_measures.weigh_a_task, _HUNDRED),
    )
}  # fmt: skip
