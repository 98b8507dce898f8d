"""A disk that is really full: what needs no room goes on. In a mount of one's own, where one may."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("full_disk_program.py")
MOUNT = 'mount -t tmpfs -o size=48m tmpfs "$1" && shift && exec "$@"'


def run_on_small_disk(folder: Path, *arguments: str) -> Any:
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh", str(folder)]
    try:
        tried = subprocess.run([*command, "true"], capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        pytest.skip("no `unshare`, so no disk of one's own")
    if tried.returncode:
        pytest.skip(f"no disk of one's own: {tried.stderr.strip()}")
    line = [*command, sys.executable, str(PROGRAM), *arguments]
    done = subprocess.run(line, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_sqlite_ends_tasks_while_the_disk_is_full(tmp_path: Path) -> None:
    said = run_on_small_disk(tmp_path, "sqlite", str(tmp_path), "5")
    assert said["free pages"] == 0
    assert said["ended while it was full"] > 500, "which needs no room: all of them, on a machine with time"
    assert said["ended"] >= 1_501


def test_file_goes_on_when_there_is_room_again(tmp_path: Path) -> None:
    said = run_on_small_disk(tmp_path, "file", str(tmp_path), "3")
    assert said["refused"] > 0
    assert said["ended"] >= 1_501
