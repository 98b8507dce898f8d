"""What a worker writes into its log, with tasks in every lane and logging that the app sets up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

APP = """
import logging, logging.config, os, signal
import hueyio

SETUP

huey = hueyio.SqliteHuey("shop", filename="app.db")
log = logging.getLogger("shop")

@huey.task
async def coroutine():
    log.info("said by %s", "coroutine", extra={"task_id": "forged", ("a", 1): "odd"})

@huey.task
def thread():
    log.info("said by %s", "thread")

@huey.task(run_in="process")
def process():
    log.info("said by %s", "process")
    logging.getLogger("hueyio.own").info("said by hueyio")

@huey.task(retries=1)
def fail(*args):
    raise ValueError("no money")

@huey.task
def stop(*args):
    os.kill(os.getpid(), signal.SIGTERM)
"""

ENQUEUE = """
from shop import coroutine, fail, huey, process, stop, thread
call = coroutine.s().then(thread).then(process).then(fail)
*_, last = call.stages()
last.error(stop)
huey.sync.enqueue(call)
"""


def run_worker(folder: Path, setup: str, *options: str) -> list[str]:
    """Run all tasks of the app, and return the lines of the log."""
    (folder / "shop.py").write_text(APP.replace("SETUP", setup))
    subprocess.run([sys.executable, "-c", ENQUEUE], cwd=folder, check=True, timeout=60)
    command = [sys.executable, "-m", "hueyio", "worker", "shop:huey", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()


def test_json_log_has_the_task_as_fields_in_every_lane(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [
        json.loads(it) for it in run_worker(tmp_path, "", "--log-format", "json", "--log-runs")
    ]
    said = {it["message"]: it for it in records if it["message"].startswith("said by")}
    ends = {it["task"]: it for it in records if "is done" in it["message"]}
    for lane in ("coroutine", "thread", "process"):
        line, end = said[f"said by {lane}"], ends[f"shop.{lane}"]
        fields = {name: line[name] for name in ("task", "task_id", "attempt", "queue")}
        assert fields == {"task": f"shop.{lane}", "task_id": end["task_id"], "attempt": 1, "queue": "shop"}
        assert end["level"] == "INFO"
        assert end["duration"] > 0
    assert said["said by coroutine"]["extra"] == {"task_id": "forged"}
    assert said["said by coroutine"]["('a', 1)"] == "odd"
    failed = [it for it in records if it.get("task") == "shop.fail"]
    assert [(it["level"], it["attempt"], "exception" in it) for it in failed] == [
        ("WARNING", 1, False),
        ("ERROR", 2, True),
    ]


def test_text_log_names_the_task_of_the_lines_of_the_app(tmp_path: Path) -> None:
    lines = run_worker(tmp_path, "", "-v")
    for lane in ("coroutine", "thread", "process"):
        (line,) = [it for it in lines if f"said by {lane}" in it]
        (begun,) = [it for it in lines if f"task shop.{lane} " in it and "begins, attempt 1 of 1" in it]
        id = begun.split(f"shop.{lane} ")[1].split()[0]
        assert f" INFO shop [shop.{lane} {id}]: said by {lane}" in line


IN_ONE_PROCESS: Final = pytest.mark.again("unit/test_logs has this set-up, without the lanes, which are alike in it")


@pytest.mark.parametrize(
    "setup",
    [
        "",
        *(
            pytest.param(it, marks=IN_ONE_PROCESS)
            for it in (
                "logging.basicConfig(level=logging.INFO)",
                "logging.getLogger('shop').addHandler(logging.StreamHandler())",
                "logging.getLogger('hueyio').addHandler(logging.StreamHandler())",
                "logging.config.dictConfig({'version': 1, 'handlers': {'c': {'class': 'logging.StreamHandler'}}, "
                "'root': {'handlers': ['c'], 'level': 'INFO'}})",
            )
        ),
        "logging.config.dictConfig({'version': 1, 'handlers': {'c': {'class': 'logging.StreamHandler'}}, "
        "'loggers': {'shop': {'handlers': ['c'], 'level': 'INFO', 'propagate': False}}})",
    ],
)
def test_line_is_written_once_in_every_lane_whatever_the_app_sets_up(tmp_path: Path, setup: str) -> None:
    lines = run_worker(tmp_path, setup)
    for text in ("said by coroutine", "said by thread", "said by process", "said by hueyio", "for good: ValueError"):
        assert sum(text in line for line in lines) == 1, text
