"""How a worker logs: readable lines, in colours on a terminal, or a JSON object for each record.

Its handler has a ``TaskLogFilter``, so that lines which the application writes in a task say which.

The application may set up logging too, when it is loaded or in a hook. What it sets up stays. A line that a handler of
its own writes to the terminal is not written there a second time, and the loggers of hueyio go on, although
``logging.config`` disables all loggers that there are.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
from collections.abc import Iterator
from io import TextIOWrapper
from typing import Final

from hueyio.exceptions import ConfigurationError
from hueyio.execution.log_filter import TaskLogFilter
from hueyio.worker.json_lines import JsonFormatter
from hueyio.worker.options import WorkerOptions
from hueyio.worker.text_lines import TextFormatter

__all__ = ["keep_logging", "set_up_logging"]

_own: Final[list[logging.Handler]] = []
"""The handler of this process, as global as the root logger that it is on."""


def set_up_logging(options: WorkerOptions) -> None:
    """Log to standard error or to the file. Raises ConfigurationError if that cannot be written."""
    handler = _make_handler(options)
    handler.setFormatter(_formatter(options))
    handler.addFilter(TaskLogFilter())
    level = logging.DEBUG if options.verbose else logging.WARNING if options.quiet else logging.INFO
    # Debug lines of hueyio alone: other libraries have one for every operation.
    logging.getLogger("hueyio").setLevel(level)
    logging.basicConfig(level=max(level, logging.INFO), handlers=[handler], force=True)
    _own[:] = [handler]


def keep_logging() -> None:
    """Go on logging after code of the application was run, which may have set up logging."""
    for name, logger in logging.root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger) and name.partition(".")[0] == "hueyio":
            logger.disabled = False
    for handler in _own:
        # A configuration that names handlers of the root takes ours away; a file that was asked for gets its lines.
        if handler not in logging.root.handlers and (isinstance(handler, logging.FileHandler) or not _has_handlers()):
            logging.root.addHandler(handler)


def _has_handlers() -> bool:
    return bool(logging.root.handlers or logging.getLogger("hueyio").handlers)


def _make_handler(options: WorkerOptions) -> logging.Handler:
    if options.logfile is None:
        handler = logging.StreamHandler()
        handler.addFilter(_NotShownElsewhere(handler))
        return handler
    try:
        return _LogFile(options.logfile, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot log to {options.logfile}: {error.strerror}") from error


def _formatter(options: WorkerOptions) -> logging.Formatter:
    if options.log_format == "json":
        return JsonFormatter()
    # https://no-color.org: any value that is not empty.
    colours = options.logfile is None and sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    return TextFormatter(simple=options.simple, colours=colours)


class _LogFile(logging.handlers.WatchedFileHandler):
    """A file that is opened anew when somebody has moved it away: logrotate needs no signal.

    One that is made is for this user alone: errors and tracebacks may have anything in them.
    """

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding=self.encoding, errors=self.errors, opener=_for_this_user)


def _for_this_user(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class _NotShownElsewhere(logging.Filter):
    """Leave out what another handler writes to the terminal.

    One with a filter may leave it out itself: a line that comes twice is better than one that does not come.
    """

    def __init__(self, own: logging.Handler) -> None:
        super().__init__()
        self._own = own

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether no other handler on the way to the root writes this to standard output or error."""
        return not any(
            it is not self._own and record.levelno >= it.level and _is_console(it) for it in _handlers_of(record.name)
        )


def _handlers_of(name: str) -> Iterator[logging.Handler]:
    """Yield the handlers that a record of this logger comes to."""
    logger: logging.Logger | None = logging.getLogger(name)
    while logger is not None:
        yield from logger.handlers
        logger = logger.parent if logger.propagate else None


def _is_console(handler: logging.Handler) -> bool:
    if any(not isinstance(it, TaskLogFilter) for it in handler.filters):
        return False
    return isinstance(handler, logging.StreamHandler) and handler.stream in (sys.stdout, sys.stderr)
