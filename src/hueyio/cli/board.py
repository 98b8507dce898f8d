"""A queue at a glance: what ``stats`` prints once and ``watch`` again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from hueyio.cli.output import Output, Row
from hueyio.cli.text import Id, bounded, counted, duration, sparks
from hueyio.cli.visit import Visit
from hueyio.control.consumers import ConsumerInfo, RunningInfo, read_consumers
from hueyio.control.statistics import Durations, FailureGroup, QueueStatistics, TaskStatistics, read_statistics
from hueyio.storage.records import COUNTED

__all__ = ["Board", "look_at_queue", "print_board", "summary_of", "to_object"]

_SPARKS: Final = 12
"""Points of a line."""
_MOST: Final = 10
"""Rows of each table on a terminal."""
_TASK_COLUMNS: Final = ("name", "ended", "failed", "retried", "wait_p50", "wait_p95", "run_p50", "run_p95")


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What was read of a queue at one moment."""

    queue: str
    where: str
    statistics: QueueStatistics
    consumers: Sequence[ConsumerInfo]


async def look_at_queue(at: Visit, seconds: float, name: str | None) -> Board:
    """Read it."""
    return Board(
        queue=at.huey.name,
        where=at.where,
        statistics=await read_statistics(at.session, seconds, name),
        consumers=read_consumers(await at.session.owners()),
    )


def print_board(output: Output, board: Board) -> None:
    """Print it: on a terminal a summary and tables, in a pipe what was counted by name."""
    statistics = board.statistics
    tasks = [_task_row(it) for it in statistics.tasks]
    if output.is_piped:
        output.print_list("tasks", _TASK_COLUMNS, tasks)
        return
    for line in summary_of(board):
        output.line(line)
    if statistics.name is None:
        _print_table(output, ("lane", "ready", "oldest", "slots"), _lane_rows(board))
    _print_table(output, _TASK_COLUMNS, tasks)
    _print_table(output, ("failures", "name", "error", "last"), [_failure_row(it) for it in statistics.failures])
    if statistics.name is None:
        _print_table(output, ("running", "id", "since", "worker"), _running_rows(board))


def summary_of(board: Board) -> list[str]:
    """Say in three lines how the queue is."""
    statistics, total = board.statistics, board.statistics.total
    points = statistics.series[-_SPARKS:]
    silent = sum(it.silence > it.lease / 2 for it in board.consumers)
    workers = counted(len(board.consumers), "worker") + (f", {silent} silent" if silent else "")
    used = sum(sum(it.used.values()) for it in board.consumers)
    slots = sum(sum(it.slots.values()) for it in board.consumers)
    ready = bounded(sum(it.ready for it in statistics.lanes.values()), COUNTED)
    minutes = statistics.seconds / 60
    ended = f"ended {total.ended / minutes:.3g}/min {sparks([it.ended for it in points])}".rstrip()
    failed = f"failed {total.failed / minutes:.3g}/min {sparks([it.failed for it in points])}".rstrip()
    return [
        f"{statistics.name or board.queue} · {board.where} · {workers} · last {duration(statistics.seconds)}",
        f"{ended}   {failed}   ready {ready}   running {used}/{slots}",
        f"waiting {_percentiles(total.waiting)}   run {_percentiles(total.running)}",
    ]


def to_object(board: Board) -> dict[str, Any]:
    """Return all of it for JSON; durations are in seconds."""
    statistics = board.statistics
    return {
        "queue": board.queue,
        "since": statistics.since,
        "until": statistics.until,
        "slot": statistics.slot.total_seconds(),
        "workers": len(board.consumers),
        "enqueued": statistics.enqueued,
        "rate_in": statistics.rate_in,
        "rate_out": statistics.rate_out,
        **_task_object(statistics.total),
        "name": statistics.name,
        "lanes": {lane: asdict(it) for lane, it in statistics.lanes.items()},
        "tasks": [_task_object(it) for it in statistics.tasks],
        "failures": [asdict(it) for it in statistics.failures],
        "series": [asdict(it) for it in statistics.series],
    }


def _print_table(output: Output, columns: Sequence[str], rows: Sequence[Row]) -> None:
    if rows:
        output.line("")
        output.print_list("", columns, rows[:_MOST])


def _percentiles(durations: Durations) -> str:
    return f"p50 {duration(durations.p50)}, p95 {duration(durations.p95)}"


def _task_object(task: TaskStatistics) -> dict[str, Any]:
    return {**asdict(task), "failed": task.failed}


def _task_row(task: TaskStatistics) -> Mapping[str, Any]:
    return {
        "name": task.name,
        "ended": task.ended,
        "failed": task.failed,
        "retried": task.retried,
        "wait_p50": duration(task.waiting.p50),
        "wait_p95": duration(task.waiting.p95),
        "run_p50": duration(task.running.p50),
        "run_p95": duration(task.running.p95),
    }


def _lane_rows(board: Board) -> list[Row]:
    return [
        {
            "lane": lane,
            "ready": bounded(it.ready, COUNTED),
            "oldest": duration(it.oldest),
            "slots": f"{_sum(board, 'used', lane)}/{_sum(board, 'slots', lane)}",
        }
        for lane, it in board.statistics.lanes.items()
    ]


def _sum(board: Board, what: str, lane: str) -> int:
    return sum(getattr(it, what).get(lane, 0) for it in board.consumers)


def _failure_row(group: FailureGroup) -> Row:
    return {"failures": group.count, "name": group.name, "error": group.error, "last": group.last}


def _running_rows(board: Board) -> list[Row]:
    longest = [(it, worker) for worker in board.consumers for it in worker.longest]
    longest.sort(key=lambda pair: pair[0].since)
    return [_running_row(it, worker) for it, worker in longest[:_MOST]]


def _running_row(task: RunningInfo, worker: ConsumerInfo) -> Row:
    return {"running": task.name, "id": Id(task.id), "since": task.since, "worker": f"{worker.host}:{worker.pid}"}
