"""How a worker logs: readable lines, in colours on a terminal, or a JSON object for each record.

Its handler has a ``TaskLogFilter``, so that lines which the application writes in a task say which.

The application may set up logging too, when it is loaded, in a hook or in a task. What it sets up stays. The worker's
own handler stays as well, and writes what no handler of the application shows:

* Where it stands beside handlers of the application's, it leaves out what one of them writes to the terminal.
* Where the application took it away, as a configuration with handlers for the root does, it leaves out what any of them
  takes: the application has decided where lines go. A handler for errors only takes nothing else.

``logging.config`` disables all loggers that there are, unless it is told not to. ``keep_logging`` switches those of
hueyio on again.
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
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger) and name.partition(".")[0] == "hueyio":
            logger.disabled = False
    for handler in _own:
        if handler not in logging.root.handlers:
            for it in handler.filters:
                if isinstance(it, _NotShownElsewhere):
                    it.was_taken_away = True
            logging.root.addHandler(handler)
        _connect(logging.getLogger("hueyio"), handler)


def _connect(ours: logging.Logger, handler: logging.Handler) -> None:
    """Have a logger that was cut off from the root, and has no handler of its own, write to this one."""
    if ours.propagate:
        ours.removeHandler(handler)
    elif next(_handlers_of(ours.name), None) is None:
        ours.addHandler(handler)


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
    """Leave out what another handler shows.

    One with a filter may leave it out itself: a line that comes twice is better than one that does not come.
    """

    def __init__(self, own: logging.Handler) -> None:
        super().__init__()
        self.was_taken_away = False
        """Whether the application has taken our handler away from the root, and so decided where lines go."""
        self._own = own

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether no other handler on the way to the root shows this."""
        others = [it for it in _handlers_of(record.name) if it is not self._own and record.levelno >= it.level]
        return not any(self._shows(it) for it in others)

    def _shows(self, other: logging.Handler) -> bool:
        if isinstance(other, logging.NullHandler) or any(not isinstance(it, TaskLogFilter) for it in other.filters):
            return False
        return self.was_taken_away or _is_console(other)


def _handlers_of(name: str) -> Iterator[logging.Handler]:
    """Yield the handlers that a record of this logger comes to."""
    logger: logging.Logger | None = logging.getLogger(name)
    while logger is not None:
        yield from logger.handlers
        logger = logger.parent if logger.propagate else None


def _is_console(handler: logging.Handler) -> bool:
    """Say whether this writes to standard output or error, under whatever name."""
    if isinstance(handler, logging.StreamHandler):
        stream = handler.stream
    else:  # that of Rich is none
        stream = getattr(getattr(handler, "console", None), "file", None)
    if stream in (sys.stdout, sys.stderr):
        return stream is not None
    place = _place_of(stream)
    return place is not None and place in (_place_of(1), _place_of(2))


def _place_of(opened: object) -> tuple[int, int] | None:
    """Return what tells one file from others: a stream may be wrapped, and ``/dev/stderr`` is a file of its own."""
    try:
        number = opened if isinstance(opened, int) else opened.fileno()  # type: ignore[attr-defined]
        found = os.fstat(number)
    except (AttributeError, OSError, ValueError):  # no file at all, or it is closed
        return None
    return found.st_dev, found.st_ino
