"""Log records as lines to read.

Nothing that comes from outside can look like a line of its own, or tell the terminal what to do: in what hueyio says,
control characters are written as ``\\n``, ``\\x1b`` and so on, and what follows a first line is indented. What the
application says is its own affair.
"""

from __future__ import annotations

import logging
import traceback
from typing import Any, Final

from hueyio.execution.log_filter import is_ours, task_of

__all__ = ["TextFormatter"]

_COLOURS: Final = {logging.DEBUG: "2", logging.WARNING: "33", logging.ERROR: "31", logging.CRITICAL: "1;31"}
"""ANSI codes (ECMA-48) of the levels; INFO stays plain."""

_TEXT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_SIMPLE: Final = "%(asctime)s %(message)s"


class TextFormatter(logging.Formatter):
    """One line, and what led to it below. A line of the application has the task that it was written in."""

    def __init__(self, *, simple: bool = False, colours: bool = False) -> None:
        super().__init__(_SIMPLE if simple else _TEXT, "%H:%M:%S" if simple else None)
        self._simple = simple
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text."""
        # Not what the base class does: it keeps the traceback in the record, for all other formatters too.
        record.message = _message_of(record)
        record.asctime = self.formatTime(record, self.datefmt)
        text = "\n".join([self.formatMessage(record), *_below(record)])
        code = _COLOURS.get(record.levelno) if self._colours else None
        return text if code is None else f"\x1b[{code}m{text}\x1b[0m"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return its first line, and those of a message of several lines."""
        task = task_of(record)
        if self._simple or not task.task_id or is_ours(record):  # ours name the task in their text
            return super().formatMessage(record)
        name = f"{record.name} [{_harmless(task.task)} {_harmless(task.task_id)}]"
        return f"{record.asctime} {record.levelname} {name}: {record.message}"


def _message_of(record: logging.LogRecord) -> str:
    if not is_ours(record):
        return record.getMessage()
    if isinstance(record.args, tuple) and record.args:
        text = str(record.msg) % tuple([_harmless_argument(it) for it in record.args])
    else:
        text = record.getMessage()
    first, *rest = text.split("\n")
    return "\n".join([_harmless(first), *map(_indented, rest)])


def _below(record: logging.LogRecord) -> list[str]:
    """Return the lines of the traceback and of the stack."""
    texts = []
    if record.exc_info and record.exc_info[1] is not None:
        texts.append("".join(traceback.format_exception(record.exc_info[1])))
    if record.stack_info:
        texts.append(record.stack_info)
    return [_indented(line) for text in texts for line in text.rstrip("\n").split("\n")]


def _indented(line: str) -> str:
    return f"  {_harmless(line)}"


def _harmless_argument(argument: Any) -> Any:
    """Make text of what may come from outside; a number, or a stack that is written when it is asked for, stays."""
    return _harmless(str(argument)) if isinstance(argument, (str, BaseException)) else argument


def _harmless(text: str) -> str:
    """Return the text with all that cannot be printed as escapes."""
    if text.isprintable():
        return text
    return "".join([it if it.isprintable() or it == "\t" else it.encode("unicode_escape").decode() for it in text])
