"""What is remembered of an attempt that failed or was cut short, and of the last one after such ones."""

from __future__ import annotations

import time
from typing import Final

from hueyio.execution import outcome as ways
from hueyio.execution.again import text_of
from hueyio.execution.effects import Effects
from hueyio.execution.job import Job
from hueyio.execution.outcome import Outcome
from hueyio.messages.past_run import PastAttempt, write_attempt

__all__ = ["first_line", "record_attempt"]

_MOST_ERROR: Final = 200
"""Characters of an error's first line."""

_MOST_TRACEBACK: Final = 3500
"""Characters of a traceback: its beginning, and more of its end, which says what happened."""

_HEAD: Final = 1000


def record_attempt(job: Job, outcome: Outcome, effects: Effects, now: float) -> bytes | None:
    """Return what is to be remembered of an attempt that ends at ``now`` (epoch seconds); None: nothing."""
    ended = _error_of(outcome, effects) if job.started else None
    if ended is None:
        return None
    error, traceback = ended
    return write_attempt(
        PastAttempt(
            number=job.task.attempt + 1,
            started_at=round(now - (time.monotonic() - job.started_at), 4),
            ended_at=round(now, 4),
            worker=job.delivery.receipt.owner,
            error=first_line(error),
            traceback=_cut(traceback),
        )
    )


def first_line(error: str) -> str:
    """Return the first line of an error, or its beginning."""
    line, _, _ = error.strip().partition("\n")
    return line if len(line) <= _MOST_ERROR else f"{line[:_MOST_ERROR]}..."


def _error_of(outcome: Outcome, effects: Effects) -> tuple[str, str] | None:
    """Return the error and the traceback of an attempt; None if it was none, or its task goes on as if it was none."""
    if effects.error is not None:
        metadata = effects.error.metadata  # of a function of the user's, who may leave anything out
        return text_of(metadata.get("error") or effects.reason), str(metadata.get("traceback") or "")
    match outcome:
        case ways.Succeeded():
            return "", ""
        case ways.Cancelled():
            return "it was cancelled", ""
        case ways.Interrupted(cause):
            return text_of(cause or "it was interrupted by a stop"), ""
        case ways.WorkerLost():
            return effects.reason, ""
        case _:
            return None


def _cut(traceback: str) -> str:
    text = traceback.encode("utf-8", "backslashreplace").decode()
    if len(text) <= _MOST_TRACEBACK:
        return text
    return f"{text[:_HEAD]}\n[...]\n{text[_HEAD - _MOST_TRACEBACK :]}"
