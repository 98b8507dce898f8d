"""Log records as text and as JSON."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from hueyio.exceptions import ConfigurationError
from hueyio.worker.logs import JsonFormatter, TextFormatter, set_up_logging
from hueyio.worker.options import WorkerOptions


def record(level: int = logging.INFO, **extra: object) -> logging.LogRecord:
    try:
        raise ValueError("broken\nin two")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    return logging.getLogger("app").makeRecord("app", level, __file__, 1, "task %s", ("a",), info, extra=extra)


def test_json_is_one_line_with_everything() -> None:
    line = JsonFormatter().format(record(order=7, odd=object))
    assert "\n" not in line
    entry = json.loads(line)
    assert (entry["level"], entry["logger"], entry["message"], entry["order"]) == ("INFO", "app", "task a", 7)
    assert "ValueError: broken" in entry["exception"]
    assert entry["time"].endswith("+00:00")
    assert entry["odd"] == repr(object)


def test_colours_are_used_only_when_asked_for() -> None:
    assert "\x1b[31m" in TextFormatter(colours=True).format(record(logging.ERROR))
    assert "\x1b" not in TextFormatter().format(record(logging.ERROR))
    assert "\x1b" not in TextFormatter(colours=True).format(record(logging.INFO))


def test_simple_lines_have_the_time_and_the_message_only() -> None:
    first = TextFormatter(simple=True).format(record()).splitlines()[0]
    assert first.endswith(" task a")
    assert "INFO" not in first


def test_log_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot log to .*No such file"):
        set_up_logging(WorkerOptions(logfile=str(tmp_path / "no" / "log")))


def test_log_file_that_was_moved_away_is_opened_anew(tmp_path: Path) -> None:
    file = tmp_path / "log"
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.getLogger("hueyio").level
    try:
        set_up_logging(WorkerOptions(logfile=str(file)))
        logging.getLogger("hueyio").info("one")
        file.rename(tmp_path / "log.1")
        logging.getLogger("hueyio").info("two")
        (handler,) = root.handlers
        handler.close()
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])
        logging.getLogger("hueyio").setLevel(before[2])
    assert "one" in (tmp_path / "log.1").read_text()
    assert "two" in file.read_text()
