"""Log records as text and as JSON."""

from __future__ import annotations

import configparser
import json
import logging
import logging.config
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from rich.console import Console
from rich.logging import RichHandler

from hueyio import Task, TaskLogFilter
from hueyio.exceptions import ConfigurationError
from hueyio.execution.context import context_of
from hueyio.tasks.log_fields import log_fields
from hueyio.worker.json_lines import JsonFormatter
from hueyio.worker.logs import keep_logging, set_up_logging
from hueyio.worker.options import WorkerOptions
from hueyio.worker.text_lines import TextFormatter


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


def loggers() -> list[logging.Logger]:
    known = logging.root.manager.loggerDict.values()
    return [logging.root, *(it for it in known if isinstance(it, logging.Logger))]


@pytest.fixture
def whole_logging() -> Iterator[logging.Logger]:
    """The root logger without handlers; all is as it was afterwards."""
    before = {it: (it.handlers[:], it.level, it.propagate, it.disabled) for it in loggers()}
    to_close = logging._handlerList[:]  # type: ignore[attr-defined]
    logging.root.handlers[:] = []
    yield logging.root
    for logger in loggers():
        handlers, level, propagate, disabled = before.get(logger, ([], logging.NOTSET, True, False))
        logger.handlers[:], logger.propagate, logger.disabled = handlers, propagate, disabled
        logger.setLevel(level)
    logging._handlerList[:] = to_close  # type: ignore[attr-defined]


def test_log_file_that_was_moved_away_is_opened_anew(tmp_path: Path, whole_logging: logging.Logger) -> None:
    file = tmp_path / "log"
    set_up_logging(WorkerOptions(logfile=str(file)))
    logging.getLogger("hueyio").info("one")
    file.rename(tmp_path / "log.1")
    logging.getLogger("hueyio").info("two")
    (handler,) = whole_logging.handlers
    handler.close()
    assert "one" in (tmp_path / "log.1").read_text()
    assert "two" in file.read_text()


MINE = {"class": "logging.StreamHandler", "formatter": "mine"}
BASE = {"version": 1, "formatters": {"mine": {"format": "MINE %(message)s"}}, "handlers": {"c": MINE}}
LEVEL = {"handlers": ["c"], "level": "INFO"}


@pytest.mark.parametrize("disable", [True, False])
@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    ("config", "of_hueyio", "of_app"),
    [
        ({"root": LEVEL}, "MINE", "MINE"),
        ({"loggers": {"hueyio": LEVEL}}, "MINE", "own"),
        ({"loggers": {"hueyio.x": LEVEL}}, "MINE", "own"),
        ({"loggers": {"hueyio": {**LEVEL, "propagate": False}}}, "MINE", "own"),
        ({"loggers": {"shop": LEVEL}}, "own", "MINE"),
        ({"root": {"handlers": [], "level": "INFO"}}, "own", "own"),
        ({"root": LEVEL, "loggers": {"shop": {"level": "INFO"}}}, "MINE", "MINE"),
        ({"handlers": {"c": {**MINE, "level": "ERROR"}}, "root": LEVEL}, "own", "own"),
        ({"handlers": {"c": {"class": "logging.NullHandler"}}, "root": LEVEL}, "own", "own"),
        ({"loggers": {"hueyio": {"propagate": False}}}, "own", "own"),
    ],
)
def test_line_is_written_once_whatever_the_application_sets_up(
    whole_logging: logging.Logger,
    capsys: pytest.CaptureFixture[str],
    config: dict[str, Any],
    of_hueyio: str,
    of_app: str,
    form: Literal["text", "json"],
    disable: bool,
) -> None:
    set_up_logging(WorkerOptions(log_format=form))
    logging.config.dictConfig({**BASE, **config, "disable_existing_loggers": disable})
    for _ in range(2):  # once a second, in fact
        keep_logging()
    logging.getLogger("shop").disabled = False  # that is the application's affair
    logging.getLogger("hueyio.x").info("said by hueyio")
    logging.getLogger("shop").info("said by shop")
    lines = capsys.readouterr().err.splitlines()
    assert [("MINE" if it.startswith("MINE") else "own") for it in lines if "by hueyio" in it] == [of_hueyio]
    assert [("MINE" if it.startswith("MINE") else "own") for it in lines if "by shop" in it] == [of_app]


def test_line_goes_only_where_the_application_sends_it_when_its_root_has_other_handlers(
    whole_logging: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging(WorkerOptions())
    kept = {"class": "logging.handlers.BufferingHandler", "capacity": 10, "level": "WARNING"}
    logging.config.dictConfig({"version": 1, "handlers": {"kept": kept}, "root": {"handlers": ["kept"]}})
    keep_logging()
    logging.getLogger("hueyio.x").warning("a warning")
    logging.getLogger("hueyio.x").info("what that handler does not take")
    assert [it.getMessage() for it in whole_logging.handlers[0].buffer] == ["a warning"]  # type: ignore[attr-defined]
    (line,) = capsys.readouterr().err.splitlines()
    assert "does not take" in line


FILE_CONFIG = """
[loggers]
keys=root
[handlers]
keys=c
[formatters]
keys=mine
[logger_root]
level=INFO
handlers=c
[handler_c]
class=StreamHandler
formatter=mine
args=()
[formatter_mine]
format=MINE %(message)s
"""


def test_line_is_written_once_after_file_config(
    whole_logging: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging(WorkerOptions())
    parser = configparser.RawConfigParser()
    parser.read_string(FILE_CONFIG)
    logging.config.fileConfig(parser)
    keep_logging()
    logging.getLogger("hueyio.x").info("said")
    assert capsys.readouterr().err == "MINE said\n"


@pytest.mark.parametrize("kind", ["/dev/stderr", "rich", "wrapped"])
def test_terminal_is_known_under_other_names(
    whole_logging: logging.Logger, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    set_up_logging(WorkerOptions())
    with open(2, "w", closefd=False) as wrapped:
        makers: dict[str, Callable[[], logging.Handler]] = {
            "/dev/stderr": lambda: logging.FileHandler("/dev/stderr"),
            "rich": lambda: RichHandler(console=Console(stderr=True, width=100)),
            "wrapped": lambda: logging.StreamHandler(wrapped),
        }
        handler = makers[kind]()
        logging.getLogger("hueyio").addHandler(handler)
        logging.getLogger("hueyio.x").info("said")
        handler.close()
    assert capfd.readouterr().err.count("said") == 1


def test_log_file_that_was_asked_for_gets_all_lines_beside_handlers_of_the_application(
    tmp_path: Path, whole_logging: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging(WorkerOptions(logfile=str(tmp_path / "log")))
    logging.config.dictConfig({**BASE, "root": LEVEL})
    keep_logging()
    logging.getLogger("hueyio.x").info("said")
    for handler in whole_logging.handlers:
        handler.close()
    assert (tmp_path / "log").read_text().count("said") == 1
    assert capsys.readouterr().err == "MINE said\n"


def test_line_that_a_handler_of_the_application_may_leave_out_is_written(
    whole_logging: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging(WorkerOptions())
    strict, choosy = logging.StreamHandler(), logging.StreamHandler()
    strict.setLevel(logging.ERROR)
    choosy.addFilter(lambda record: False)
    for handler in (strict, choosy):
        logging.getLogger("hueyio").addHandler(handler)
    keep_logging()
    logging.getLogger("hueyio.x").info("said")
    assert capsys.readouterr().err.count("said") == 1


def json_of(record: logging.LogRecord) -> dict[str, object]:
    TaskLogFilter().filter(record)
    line = JsonFormatter().format(record)
    assert "\n" not in line
    entry: dict[str, object] = json.loads(line)
    return entry


def said(name: str = "app", **extra: object) -> logging.LogRecord:
    return logging.getLogger(name).makeRecord(name, logging.INFO, __file__, 1, "paid", (), None, extra=extra)


def inside(task: Task, record: logging.LogRecord) -> logging.LogRecord:
    """Filter a record as if the task had written it."""
    context_of(task).run(TaskLogFilter().filter, record)
    return record


def test_json_line_about_a_task_has_its_fields() -> None:
    entry = json_of(said("hueyio.execution.run_log", **log_fields(Task("app.add", id="t", attempt=1), "shop", 0.25)))
    assert {name: entry[name] for name in ("task", "task_id", "attempt", "queue", "duration")} == {
        "task": "app.add",
        "task_id": "t",
        "attempt": 2,
        "queue": "shop",
        "duration": 0.25,
    }
    assert "extra" not in entry


def test_json_line_of_the_application_has_the_task_that_runs() -> None:
    entry = json_of(inside(Task("app.add", id="t"), said(order=7)))
    assert (entry["task"], entry["task_id"], entry["attempt"], entry["order"]) == ("app.add", "t", 1, 7)
    assert "extra" not in entry


def test_json_line_outside_of_a_task_has_no_fields_of_one() -> None:
    assert set(json_of(said())) == {"time", "level", "logger", "message", "process"}


def test_line_about_one_task_that_another_one_brings_about_names_the_first() -> None:
    record = inside(Task("app.outer", id="outer"), said("hueyio.x", **log_fields(Task("app.inner", id="inner"))))
    assert (json_of(record)["task"], json_of(record)["task_id"]) == ("app.inner", "inner")


def test_extra_cannot_take_the_place_of_a_field_and_is_kept_beside() -> None:
    forged: dict[str, Any] = {
        "time": "never",
        "level": 1,
        "task": "mine",
        "task_id": "forged",
        "duration": 9,
        "extra": 8,
        "logger": "x",
    }
    entry = json_of(inside(Task("app.add", id="t"), said(**forged)))
    assert (entry["level"], entry["logger"], entry["task"], entry["task_id"]) == ("INFO", "app", "app.add", "t")
    assert "duration" not in entry
    assert entry["extra"] == forged
    assert json_of(said(task_id="forged"))["extra"] == {"task_id": "forged"}
    assert "task_id" not in json_of(said(task_id="forged"))


class _Mute:
    def __repr__(self) -> str:
        raise RuntimeError("no")


CIRCLE: list[object] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({(1, 2): 3}, "{(1, 2): 3}"),
        ({5: {"a": 1}}, {"5": {"a": 1}}),
        (float("nan"), "nan"),
        (CIRCLE, "[[...]]"),
        (_Mute(), "<_Mute whose repr raises RuntimeError>"),
        (10**5000, "<int whose repr raises ValueError>"),
        ("\udc80", "\udc80"),
        (b"x", "b'x'"),
    ],
    ids=["keys", "numbers", "nan", "circle", "repr", "huge", "surrogate", "bytes"],
)
def test_value_that_json_does_not_take_is_written_all_the_same(value: object, written: object) -> None:
    line = JsonFormatter().format(said(value=value))
    line.encode()
    assert json.loads(line)["value"] == written


def test_keys_that_are_no_text_do_no_harm() -> None:
    record = said()
    vars(record).update({5: "five", ("a", "b"): "pair", None: "none"})  # type: ignore[dict-item]
    entry = json_of(record)
    assert (entry["5"], entry["('a', 'b')"], entry["None"]) == ("five", "pair", "none")


def test_text_line_of_the_application_has_the_task_that_it_was_written_in() -> None:
    record = inside(Task("app.add", id="t"), said())
    assert TextFormatter().format(record).endswith(" INFO app [app.add t]: paid")
    assert TextFormatter(simple=True).format(record).endswith(" paid")
    assert TextFormatter().format(said()).endswith(" INFO app: paid")


def test_filter_gives_each_record_all_fields_so_that_every_format_works() -> None:
    record, other, own = said(), said(), inside(Task("app.add", id="t"), said(task="import"))
    TaskLogFilter().filter(record)
    TaskLogFilter("-").filter(other)
    text = "%(task)s|%(task_id)s|%(attempt)s|%(queue)s"
    formatted = [logging.Formatter(text).format(it) for it in (record, other, own)]
    assert formatted == ["|||", "-|-|-|-", "import|t|1|"]


def test_filter_is_made_by_a_logging_configuration() -> None:
    made = logging.config.DictConfigurator({}).configure_filter({"()": "hueyio.TaskLogFilter", "missing": "-"})
    record = said()
    assert isinstance(made, TaskLogFilter)
    assert made.filter(record)
    assert vars(record)["task"] == "-"


def test_what_another_filter_says_of_no_task_is_not_taken_for_what_the_application_said() -> None:
    record = said()
    TaskLogFilter("-").filter(record)
    assert set(json_of(record)) == {"time", "level", "logger", "message", "process"}


def test_record_that_was_filtered_keeps_its_task() -> None:
    record = inside(Task("app.add", id="t"), said())
    TaskLogFilter().filter(record)  # outside of the task: of a handler in another thread
    assert json_of(record)["task_id"] == "t"


FORGED = "x\n2026-11-29 16:00:00,000 CRITICAL root: reset\r\x1b[2J\x07\u2028\u202e\udc80"


def test_text_from_outside_is_no_line_of_its_own_and_no_order_to_the_terminal() -> None:
    error = ValueError(FORGED)
    args = (FORGED, 5, error, "stack")
    made = logging.getLogger("hueyio.x").makeRecord(
        "hueyio.x", logging.ERROR, __file__, 1, "task %s %s: %s\n%s", args, (ValueError, error, None)
    )
    lines = TextFormatter().format(made).split("\n")
    harmless = r"x\n2026-11-29 16:00:00,000 CRITICAL root: reset\r\x1b[2J\x07\u2028\u202e\udc80"
    assert lines[0].endswith(f": task {harmless} 5: {harmless}")
    assert lines[1] == "  stack"
    assert all(line.startswith("  ") and line.isprintable() for line in lines[1:])
    assert lines[2] == "  ValueError: x"


def test_name_and_id_of_the_task_are_no_line_of_their_own_before_a_line_of_the_application() -> None:
    text = TextFormatter().format(inside(Task("app.add", id=FORGED), said()))
    assert text.isprintable()


def test_message_of_the_application_stays_as_it_is() -> None:
    made = logging.getLogger("app").makeRecord("app", logging.INFO, __file__, 1, "a\nb \x1b[1m%s", ("c",), None)
    assert TextFormatter().format(made).endswith(" INFO app: a\nb \x1b[1mc")


def test_traceback_of_a_text_line_does_not_stay_in_the_record() -> None:
    made = record()
    TextFormatter().format(made)
    assert made.exc_text is None
