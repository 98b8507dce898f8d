"""What is remembered of runs, as bytes: of all tasks that a batch ended, and of one attempt that failed.

Columns as JSON, because they take half of the bytes that a row for each task would. Times are in epoch seconds, in the
bytes in tenths of a millisecond. The ids stand beside it: a storage has to find them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import EndKind
from hueyio.storage.shared.ended import KINDS, LETTERS

__all__ = ["PastAttempt", "PastRun", "read_attempt", "read_runs", "write_attempt", "write_runs"]

T = TypeVar("T")

_VERSION: Final = 1
_NOT_RUN: Final = -1
_TICKS: Final = 10_000
"""In a second."""
_LAST_TIME: Final = 253_402_300_799
"""The last second of the year 9999."""
_DAMAGED: Final = (ValueError, TypeError, LookupError, AttributeError, OverflowError)
"""What reading bytes raises that no hueyio wrote."""
_to_json: Final = json.JSONEncoder(separators=(",", ":")).encode


class PastRun(NamedTuple):
    """How a task ended. ``duration`` (seconds) is that of its last attempt; None: its body was not begun then."""

    name: str
    kind: EndKind
    attempts: int
    ended_at: float
    duration: float | None
    error: str = ""
    arguments: str | None = None
    """In short form, if that was asked for."""


class PastAttempt(NamedTuple):
    """How one attempt ended; ``error`` and ``traceback`` are empty if it did not fail."""

    number: int
    started_at: float
    ended_at: float
    worker: str
    error: str
    traceback: str


def write_runs(worker: str, runs: Sequence[PastRun]) -> bytes:
    """Return what is known of tasks that one worker ended."""
    base = max(_ticks(run.ended_at) for run in runs)
    names = {name: number for number, name in enumerate(dict.fromkeys(run.name for run in runs))}
    kinds = "".join([LETTERS[run.kind] for run in runs])
    columns = [
        _VERSION,
        worker,
        base,
        list(names),
        _short([names[run.name] for run in runs], 0),
        kinds if kinds.strip(LETTERS["done"]) else 0,
        _short([run.attempts for run in runs], 1),
        [base - _ticks(run.ended_at) for run in runs],
        [_NOT_RUN if run.duration is None else int(run.duration * 1_000_000) for run in runs],
        _sparse((run.error or None) for run in runs),
        _sparse(run.arguments for run in runs),
    ]
    return _to_json(columns).encode()


def read_runs(data: bytes) -> tuple[str, list[PastRun]]:
    """Return the worker and what ``write_runs`` was told; nothing of what a later hueyio wrote in another form.

    Raises ValueError for what none wrote.
    """
    try:
        version, worker, *columns = json.loads(data)
        runs = _read_columns(*columns) if version == _VERSION else []
        _check_times(it for run in runs for it in (run.ended_at, run.ended_at - (run.duration or 0.0)))
    except _DAMAGED as error:
        raise ValueError(f"these are no runs of a history: {error!r}") from error
    return str(worker), runs


def _read_columns(
    base: int, names: Any, numbers: Any, kinds: Any, attempts: Any, before: Any, durations: Any, errors: Any, said: Any
) -> list[PastRun]:
    return [
        PastRun(
            names[_at(numbers, place, 0)],
            KINDS[_at(kinds, place, LETTERS["done"])],
            _at(attempts, place, 1),
            (base - ticks) / _TICKS,
            None if durations[place] == _NOT_RUN else durations[place] / 1_000_000,
            errors.get(str(place), ""),
            said.get(str(place)),
        )
        for place, ticks in enumerate(before)
    ]


def write_attempt(attempt: PastAttempt) -> bytes:
    """Return an attempt as bytes."""
    return json.dumps([_VERSION, *attempt], ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def read_attempt(data: bytes) -> PastAttempt | None:
    """Return what ``write_attempt`` was told; None if a later hueyio wrote it in another form.

    Raises ValueError for what none wrote.
    """
    try:
        version, *fields = json.loads(data)
        if version != _VERSION:
            return None
        attempt = PastAttempt._make(fields)
        _check_times((attempt.started_at, attempt.ended_at))
    except _DAMAGED as error:
        raise ValueError(f"this is no attempt of a history: {error!r}") from error
    return attempt


def _check_times(times: Iterable[float]) -> None:
    """Let nothing pass that no calendar has."""
    if not all(0 <= it <= _LAST_TIME for it in times):
        raise ValueError("a time of it is in no calendar")


def _ticks(seconds: float) -> int:
    return round(seconds * _TICKS)


def _short(column: list[T], usual: T) -> list[T] | int:
    """Return 0 for a column of nothing but what is usual."""
    return column if any(value != usual for value in column) else 0


def _at(column: Any, place: int, usual: Any) -> Any:
    return column[place] if column else usual


def _sparse(column: Iterable[str | None]) -> dict[int, str]:
    return {place: text for place, text in enumerate(column) if text is not None}
