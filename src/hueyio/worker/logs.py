"""How a worker logs: readable lines, in colours on a terminal, or a JSON object for each record."""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, Final

from hueyio.exceptions import ConfigurationError
from hueyio.worker.options import WorkerOptions

__all__ = ["JsonFormatter", "TextFormatter", "set_up_logging"]

_COLOURS: Final = {logging.DEBUG: "2", logging.WARNING: "33", logging.ERROR: "31", logging.CRITICAL: "1;31"}
"""ANSI codes (ECMA-48) of the levels; INFO stays plain."""

_TEXT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_SIMPLE: Final = "%(asctime)s %(message)s"

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; anything else came with ``extra=``."""


class TextFormatter(logging.Formatter):
    """One line, and what led to it below."""

    def __init__(self, *, simple: bool = False, colours: bool = False) -> None:
        super().__init__(_SIMPLE if simple else _TEXT, "%H:%M:%S" if simple else None)
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text."""
        text = super().format(record)
        code = _COLOURS.get(record.levelno) if self._colours else None
        return text if code is None else f"\x1b[{code}m{text}\x1b[0m"


class JsonFormatter(logging.Formatter):
    """One object a line: ``time`` (ISO 8601, UTC), ``level``, ``logger``, ``message``, ``exception``, and ``extra``."""

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
        entry.update({key: value for key, value in vars(record).items() if key not in _STANDARD})
        return json.dumps(entry, ensure_ascii=False, default=repr)


def set_up_logging(options: WorkerOptions) -> None:
    """Log to standard error or to the file. Raises ConfigurationError if that cannot be written."""
    handler: logging.Handler
    if options.logfile is None:
        handler = logging.StreamHandler()
    else:
        try:
            # It opens the file anew when somebody has moved it away: logrotate needs no signal.
            handler = logging.handlers.WatchedFileHandler(options.logfile, encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(f"cannot log to {options.logfile}: {error.strerror}") from error
    handler.setFormatter(_formatter(options))
    level = logging.DEBUG if options.verbose else logging.WARNING if options.quiet else logging.INFO
    # Debug lines of hueyio alone: other libraries have one for every operation.
    logging.getLogger("hueyio").setLevel(level)
    logging.basicConfig(level=max(level, logging.INFO), handlers=[handler], force=True)


def _formatter(options: WorkerOptions) -> logging.Formatter:
    if options.log_format == "json":
        return JsonFormatter()
    # https://no-color.org: any value that is not empty.
    colours = options.logfile is None and sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    return TextFormatter(simple=options.simple, colours=colours)
