"""A worker for developers starts anew when a file changes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

APP = """
import hueyio
print("version 1", flush=True)
huey = hueyio.SqliteHuey("app", filename="app.db")
"""


def test_changed_file_starts_the_worker_anew(tmp_path: Path) -> None:
    source = tmp_path / "app.py"
    source.write_text(APP)
    command = [sys.executable, "-m", "hueyio", "worker", "app:huey", "--reload"]
    worker = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    with worker:
        assert worker.stdout is not None
        log: list[str] = []
        try:
            for line in worker.stdout:
                log.append(line)
                if "is ready" in line and "version 2\n" not in log:
                    source.write_text(APP.replace("version 1", "version 2"))
                elif "takes over from" in line:
                    worker.send_signal(signal.SIGTERM)
        finally:
            worker.kill() if worker.poll() is None else None
    assert "version 2\n" in log
    assert any("app.py changed" in line for line in log)
    assert worker.wait() == 0
