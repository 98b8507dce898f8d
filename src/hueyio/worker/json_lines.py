"""Log records as JSON, an object a line."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any, Final

from hueyio.execution.log_filter import FIELDS, is_ours, task_of

__all__ = ["STANDARD", "JsonFormatter", "plain", "text_of"]

STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "hueyio_task"}
"""What every record has; anything else came with ``extra=``."""

_OF_RECORD: Final = ("time", "level", "logger", "message", "process", "exception")
_OURS: Final = (*_OF_RECORD, *FIELDS, "duration", "extra")
"""The keys that nobody else may use; what asks for one stands below ``extra``."""


class JsonFormatter(logging.Formatter):
    """One object a line: ``time`` (ISO 8601, UTC), ``level``, ``logger``, ``message``, ``exception``.

    Then, of a record about a task or from inside of one, ``task``, ``task_id``, ``attempt``, ``queue``, ``duration``,
    and what was given with ``extra=``, which cannot take the place of any of these.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON; a value that is none is written as its repr."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        if record.exc_info and record.exc_info[1] is not None:
            entry["exception"] = "".join(traceback.format_exception(record.exc_info[1]))
        entry.update(_fields_of_task(record))
        _add_given(entry, record)
        return _write(entry)


def _fields_of_task(record: logging.LogRecord) -> dict[str, Any]:
    task = task_of(record)
    if not task.task_id:
        return {}
    fields = {name: getattr(task, name) for name in FIELDS if getattr(task, name)}
    if is_ours(record) and "duration" in vars(record):
        fields["duration"] = vars(record)["duration"]
    return fields


def _add_given(entry: dict[str, Any], record: logging.LogRecord) -> None:
    """Add what came with ``extra=``: beside what is there, or, where the key is one of ours, below ``extra``."""
    clashing: dict[str, Any] = {}
    for key, value in vars(record).items():
        if key in STANDARD:
            continue
        name = text_of(key)
        if name not in _OURS:
            entry.setdefault(name, plain(value))
        elif not _was_added(name, record):
            clashing[name] = plain(value)
    if clashing:
        entry["extra"] = clashing


def _was_added(name: str, record: logging.LogRecord) -> bool:
    """Say whether hueyio itself added this, or the filter."""
    return is_ours(record) or (name in FIELDS and name not in task_of(record).given)


def text_of(key: object) -> str:
    """Return the key of a field as text."""
    return key if isinstance(key, str) else _repr(key)


def plain(value: Any) -> Any:
    """Return a value as JSON takes it; one that it does not take, as its repr."""
    if value is None or isinstance(value, (str, bool)):
        return value
    try:
        return json.loads(json.dumps(value, default=_repr, allow_nan=False))
    except (TypeError, ValueError, RecursionError):  # keys that are no text, not a number, or a circle
        return _repr(value)


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # of the user's class; the line is about something else
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"


def _write(entry: dict[str, Any]) -> str:
    text = json.dumps(entry, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # halves of surrogate pairs, which no file in UTF-8 takes
        return json.dumps(entry)
    return text
