"""Programs end at once, whatever they leave open; calls at the very end work or raise, and never hang."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SERVER_KINDS, ServerOf, first_and

PROGRAM = Path(__file__).with_name("exit_program.py")

with_threads = pytest.mark.parametrize(
    "kind",
    [*first_and("only the sessions of file and SQLite have threads", ["sqlite", "memory", *SERVER_KINDS]), "file"],
)
on_a_server = pytest.mark.again("sessions on a server have no threads")
each_storage = pytest.mark.parametrize(
    "kind",
    [
        "file",
        "sqlite",
        pytest.param("memory", marks=pytest.mark.again("sessions in memory have no threads")),
        *(pytest.param(kind, marks=on_a_server) for kind in SERVER_KINDS),
    ],
)


def run(kind: str, folder: Path, server_of: ServerOf, *arguments: str) -> str:
    where = str(folder / "exit") if kind in ("memory", "file", "sqlite") else server_of(kind).url
    # Warnings of any fork beside a thread, from 3.12 on, and of the loop that the program leaves open.
    ignored = ("-W", "error", "-W", "ignore:This process", "-W", "ignore:unclosed")
    line = [sys.executable, *ignored, str(PROGRAM), *arguments, kind, where]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    said = done.stderr
    if "loop" in arguments and kind in SERVER_KINDS and "Task was destroyed but it is pending" in said:
        said = ""  # asyncio says so of every task on a loop that is left open
    assert (done.returncode, said) == (0, "")
    return done.stdout


@each_storage
def test_program_ends_at_once_whatever_it_leaves_open(kind: str, tmp_path: Path, server_of: ServerOf) -> None:
    """Between the first exit function and the last; some ms, and the bound is for a busy machine (it was 2.0 s)."""
    took = json.loads(run(kind, tmp_path, server_of, "measure"))
    assert len(took) == 16
    assert {name: seconds for name, seconds in took.items() if seconds > 1.0} == {}


def _ends() -> Iterator[Any]:
    """Give each storage, end and lane: all on SQLite, and on files, which have the same threads, one lane."""
    for kind, when, lane in product(
        ["sqlite", "file", "memory", *SERVER_KINDS], ["before", "after", "del"], ["sync", "async", "loop"]
    ):
        is_new = kind == "sqlite" or (kind == "file" and lane == "async")
        reason = "files have the threads of SQLite" if kind == "file" else "its sessions have no threads"
        yield pytest.param(kind, when, lane, marks=() if is_new else pytest.mark.again(reason))


@pytest.mark.parametrize(("kind", "when", "lane"), list(_ends()))
def test_call_at_the_very_end_works_or_raises(
    kind: str, when: str, lane: str, tmp_path: Path, server_of: ServerOf
) -> None:
    said = run(kind, tmp_path, server_of, "late", when, lane)
    ours = ("works\n", "raises HueyException\n", "raises SessionClosed\n")
    can_start_threads = sys.version_info < (3, 12)  # when exit functions run
    refused = ours if can_start_threads else (*ours, "raises StorageUnavailable\n")
    is_first = lane == "async" and not can_start_threads  # on a loop of its own, so that it needs a new session
    expected = {"after": refused if is_first else ours[:1], "before": refused, "del": ("works", "raises")}
    assert said.startswith(expected[when])


@with_threads
def test_daemon_thread_that_goes_on_calling_holds_nobody_up(kind: str, tmp_path: Path, server_of: ServerOf) -> None:
    assert run(kind, tmp_path, server_of, "late", "thread", "sync") == ""
