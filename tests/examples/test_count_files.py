"""The example of README's first command, on a folder of the test's own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers import Server

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "count_files.py"


def count(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(PROGRAM), str(folder), *options],
        capture_output=True,
        text=True,
        timeout=110,
        env={**os.environ, "COLUMNS": "160"},
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "texts"
    made.mkdir()
    (made / "poem.txt").write_text("one two\nthree\n")
    (made / "empty.txt").write_text("")
    (made / "picture.bin").write_bytes(b"\x00\xff\xfe\x00")
    return made


def check(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr
    rows = [re.findall(r"[\w.]+", line) for line in done.stdout.splitlines()]
    assert ["poem.txt", "2", "3", "14"] in [row[:4] for row in rows]
    assert ["empty.txt", "0", "0", "0"] in [row[:4] for row in rows]
    assert any(row[:1] == ["picture.bin"] for row in rows)  # in the table of those without lines, with the reason
    assert ["all", "3", "2", "3", "18"] in rows


def test_files_are_counted_by_a_worker_on_sqlite(folder: Path, tmp_path: Path) -> None:
    check(count(folder, "--db", str(tmp_path / "queue.db")))


def test_files_are_counted_by_two_workers_on_redis(folder: Path, server: Server) -> None:
    check(count(folder, "--redis", server.url, "--workers", "2"))


def test_folder_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    done = count(tmp_path / "nowhere")
    assert (done.returncode, done.stderr) == (1, f"count_files: there is no folder {tmp_path / 'nowhere'}\n")
