"""What a handle can say of its task, worked out without I/O."""

from __future__ import annotations

from typing import Final, TypeAlias, assert_never

from hueyio.exceptions import HueyException, ResultExpired, SerializationError, TaskLost
from hueyio.messages.message import read_task
from hueyio.messages.stored_result import Ending, Error, ErrorKind, Returned, read_ending
from hueyio.serializer import Serializer
from hueyio.storage.records import EndKind, Found, Over
from hueyio.tasks.ids import made_at
from hueyio.tasks.states import TaskState, state_of_end, waiting_state

__all__ = ["OVER", "Status", "absence_of", "ending_of", "is_alive", "status_of", "status_of_end"]

Status: TypeAlias = TaskState
"""What ``status`` answers: see the table of words in the reference of results."""

OVER: Final = ("stored", "dead", "ended")
"""The states of a task that has ended."""

_WITHOUT_ERROR: Final[dict[EndKind, tuple[str, ErrorKind]]] = {
    "failed": ("it failed", "failed"),
    "expired": ("it was not started before it expired", "expired"),
    "cancelled": ("it was cancelled", "cancelled"),
    "revoked": ("it was revoked", "revoked"),
    "lost": ("the consumer that ran it died", "lost"),
    "undeclared": ("no consumer knew a task of its name", "failed"),
    "unreadable": ("its message could not be read", "failed"),
}


def is_alive(found: Found) -> bool:
    """Say whether a task is still to end: in the queue, running, or expected."""
    return found.state not in OVER and found.state != "unknown"


def ending_of(over: Over, serializer: Serializer) -> Ending:
    """Return what a task that has ended left; raises SerializationError.

    Where nothing is stored any more, the way in which it ended says what is left to say.
    """
    if over.data is None:
        return Returned(None) if over.kind in ("done", None) else _error_that_is_gone(over.id, over.kind)
    try:
        return read_ending(over.data, serializer.within("result", over.id))
    except SerializationError as error:
        raise SerializationError(f"the result of task {over.id} cannot be read: {error}") from error


def _error_that_is_gone(id: str, kind: EndKind) -> Error:
    how, error_kind = _WITHOUT_ERROR[kind]
    text = f"{how}; its error is not stored: it was read before, has expired, or was never kept"
    return Error({"error": text, "retries": 0, "traceback": "", "task_id": id}, error_kind)


def status_of_end(kind: EndKind | None, ending: Ending | None) -> Status:
    """Return the status of a task that has ended, by its tombstone or else by what it left."""
    if kind is None:
        kind = "done" if isinstance(ending, Returned) else "failed" if ending is None else ending.kind
    return state_of_end(kind)


def status_of(found: Found, ending: Ending | None, serializer: Serializer) -> Status:
    """Return the status of a task that was looked for; ``ending`` is what it left, if that is known."""
    match found.state:
        case "queued" | "scheduled":
            attempt = 0 if found.data is None else _attempt(found.id, found.data, serializer)
            return waiting_state(found.state == "scheduled", attempt)
        case "running":
            return "running"
        case "expected":
            return "waiting"
        case "stored" | "dead" | "ended":
            return status_of_end(found.kind, ending)
        case "unknown":
            return "unknown"
        case _:
            assert_never(found.state)


def absence_of(id: str, seen_at: float | None, since: float | None) -> HueyException | TaskLost:
    """Build what a read raises of a task of which the storage knows nothing.

    ``seen_at``: when it was last known to be alive; None: never, only the id is known. ``since``: ends before that may
    have been forgotten. Times in epoch seconds.
    """
    made = made_at(id)
    last = seen_at if seen_at is not None or made is None else made.timestamp()
    if since is not None and last is not None and last <= since:
        return ResultExpired(
            f"nothing is known of task {id} any more: it is older than the ends which are remembered, and if it left a "
            "value, that was read or has expired"
        )
    if seen_at is None:
        return HueyException(
            f"nothing is known of task {id}: it was never enqueued here, or not yet, or its end was forgotten; "
            "with a timeout, a read waits for it"
        )
    text = f"task {id} is lost: it was enqueued, and the storage knows nothing of it any more"
    return TaskLost({"error": text, "retries": 0, "traceback": "", "task_id": id})


def _attempt(id: str, data: bytes, serializer: Serializer) -> int:
    try:
        return read_task(data, serializer, id).attempt
    except SerializationError:
        return 0  # it will be dead-lettered; until then it is where it is
