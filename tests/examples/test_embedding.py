"""The examples of embedding, served for real: they answer, and leave nothing behind when they stop."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.patience import until
from tests.support.servers import free_port

FOLDER = Path(__file__).parents[2] / "examples" / "embedding"
UVICORN = ("-m", "uvicorn", "--host", "127.0.0.1")
PATIENCE = 60.0


class Service:
    """A running example and its log."""

    def __init__(self, command: list[str], folder: Path, port: int) -> None:
        self.port = port
        self.log = ""
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-W", "default", *command],
            cwd=folder,
            env={**os.environ, "EMBEDDING_DB": str(folder / "embedding.db")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, pattern: str, times: int = 1) -> None:
        with self._news:
            arrived = self._news.wait_for(lambda: len(re.findall(pattern, self.log)) >= times, PATIENCE)
        assert arrived, self.log

    def wait_until_it_accepts(self) -> None:
        """With --reload the log says that it runs before it does."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
            except ConnectionRefusedError:
                time.sleep(0.01)
            else:
                return
        raise AssertionError(self.log)

    def greet(self, name: str) -> object:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/greet/{name}", timeout=30) as answer:
            return json.load(answer)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                with self._news:
                    self.log += line
                    self._news.notify_all()


@contextmanager
def serve(example: str, folder: Path, *options: str) -> Iterator[Service]:
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    port = free_port()
    if example == "in_aiohttp":
        service = Service([f"{example}.py", str(port)], folder, port)
        service.wait_for("Running on")
    else:
        service = Service([*UVICORN, "--port", str(port), *options, f"{example}:app"], folder, port)
        service.wait_for("Uvicorn running on")
        service.wait_for("startup complete")
        service.wait_until_it_accepts()
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait()


@pytest.mark.parametrize("example", ["in_fastapi", "in_starlette", "in_litestar", "in_aiohttp"])
def test_web_application_runs_its_own_tasks_and_stops_cleanly(tmp_path: Path, example: str) -> None:
    with serve(example, tmp_path) as service:
        assert service.greet("Ada") == {"soft": "hello, Ada", "loud": "HELLO, ADA"}
        service.stop()
    assert "Traceback" not in service.log
    assert "never awaited" not in service.log
    assert "was destroyed" not in service.log
    assert "ResourceWarning" not in service.log


def test_reloading_server_starts_a_new_consumer_and_stops_the_old_one(tmp_path: Path) -> None:
    with serve("in_starlette", tmp_path, "--reload", "--reload-dir", str(tmp_path)) as service:
        assert service.greet("Ada") == {"soft": "hello, Ada", "loud": "HELLO, ADA"}
        tasks = tmp_path / "tasks.py"
        tasks.write_text(tasks.read_text().replace("hello,", "welcome,"))
        service.wait_for("startup complete", times=2)
        assert service.greet("Ada") == {"soft": "welcome, Ada", "loud": "HELLO, ADA"}
        service.stop()
    assert "Traceback" not in service.log


def test_plain_program_ends_by_itself(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-W", "default", "in_asyncio.py", "Ada"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "hello, Ada\nHELLO, ADA\n")
    assert done.stderr == "" or "the loop has been blocked" in done.stderr  # by other programs, on a busy machine


async def test_cancelled_program_leaves_no_task_and_no_thread_behind(tmp_path: Path) -> None:
    from hueyio import SqliteHuey

    huey = SqliteHuey("cancelled", filename=str(tmp_path / "app.db"))
    started = asyncio.Event()

    @huey.task
    async def endless() -> None:
        started.set()
        await asyncio.Event().wait()

    async def program() -> None:
        async with huey, huey.create_consumer(shutdown_timeout=0.1):
            await endless()
            await asyncio.Event().wait()

    before = threading.active_count()
    running = asyncio.create_task(program())
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []

    async def have_ended() -> bool:
        return threading.active_count() <= before + 1

    await until(have_ended)  # they have been told to, and nobody waits for them
    async with huey:
        assert [task.name for task in await huey.pending()] == [endless.name]
