"""A worker as a subprocess, and a bench of several on one storage."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Bench", "Run", "Worker", "bench"]

_ROOT: Final = Path(__file__).parents[2]
_PATIENCE: Final = 60.0
"""Seconds after which something that never happens fails the test."""


class Run(NamedTuple):
    """One phase of one run of a task, as the app tells it."""

    phase: str
    id: str
    attempt: int
    pid: int


class Worker:
    """``python -m hueyio worker``; a thread reads its log, so that nobody has to poll for a line."""

    def __init__(
        self,
        environment: dict[str, str],
        options: tuple[str, ...],
        news: threading.Condition,
        app: str,
        around: tuple[str, ...] = (),
    ) -> None:
        self._lines: list[str] = []
        self.ended = False
        self._news = news
        self.process = subprocess.Popen(
            [*around, sys.executable, "-m", "hueyio", "worker", app, *options],
            env={**os.environ, **environment},
            cwd=_ROOT,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        assert self.process.stderr is not None
        self.pid = self.process.pid
        self._log = self.process.stderr
        self._rest = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_line(self, text: str) -> str:
        """Wait until the log has a line with this text; fails if the worker ends without one."""

        def find() -> str | None:
            return next((line for line in self.lines if text in line), None)

        with self._news:
            self._news.wait_for(lambda: find() is not None or self.ended, _PATIENCE)
            line = find()
        assert line is not None, f"no line with {text!r} in the worker's log:\n" + "\n".join(self.lines)
        return line

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for its end; return the exit code."""
        code = self.process.wait(_PATIENCE)
        self._reader.join(_PATIENCE)
        return code

    def stop(self) -> int:
        """Stop it gracefully; return the exit code."""
        self.send(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """Kill -9, if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait()

    @property
    def lines(self) -> list[str]:
        """What it has written by now: a result may come sooner than the line that was written before it."""
        self._catch_up()
        return self._lines

    def _catch_up(self) -> None:
        with self._news:
            while not self.ended and select.select([self._log], [], [], 0)[0]:
                self._take()

    def _read(self) -> None:
        with self._log:
            while not self.ended:
                select.select([self._log], [], [])
                self._catch_up()

    def _take(self) -> None:
        """Read once, which does not wait: there is something, or the end."""
        data = os.read(self._log.fileno(), 65536)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if not data:
            self.ended = True
            lines, self._rest = [line for line in (self._rest,) if line], b""
        self._lines += [line.decode() for line in lines]
        self._news.notify_all()


class Bench:
    """Workers on one storage."""

    def __init__(self, environment: dict[str, str], app: str = "tests.workers.app:huey") -> None:
        self.environment = environment
        self._app = app
        self._workers: list[Worker] = []
        self._news = threading.Condition()

    @property
    def workers(self) -> tuple[Worker, ...]:
        """All that were started."""
        return tuple(self._workers)

    def start(self, *options: str) -> Worker:
        """Start a worker and wait until it consumes."""
        worker = self.launch(*options)
        worker.wait_line("is ready")
        return worker

    def launch(self, *options: str, around: tuple[str, ...] = ()) -> Worker:
        """Start a worker, by the program ``around`` if there is one."""
        worker = Worker(self.environment, options, self._news, self._app, around)
        self._workers.append(worker)
        return worker

    def runs(self, phase: str) -> list[Run]:
        """List all runs that reached this phase."""
        told = [line.split()[1:] for worker in self._workers for line in worker.lines if line.startswith("run:")]
        return [Run(row[0], row[1], int(row[2]), int(row[3])) for row in told if row[0] == phase]

    async def reached(self, phase: str, count: int) -> None:
        """Wait until so many different tasks reached a phase."""
        await self.wait_for(lambda: len({run.id for run in self.runs(phase)}) >= count)

    async def ended(self, worker: Worker) -> None:
        """Wait until a worker has ended by itself."""
        await self.wait_for(lambda: worker.ended)

    async def wait_for(self, question: Callable[[], bool]) -> None:
        """Wait until what the workers tell makes this true."""

        def wait() -> bool:
            with self._news:
                return self._news.wait_for(question, _PATIENCE)

        assert await asyncio.to_thread(wait), "it never happened"

    def close(self) -> None:
        """Kill what still runs."""
        for worker in self._workers:
            if worker.process.poll() is None:
                worker.send(signal.SIGCONT)
            worker.kill()


@contextmanager
def bench(environment: dict[str, str], app: str = "tests.workers.app:huey") -> Iterator[Bench]:
    """Give a Bench and clean up after it."""
    made = Bench(environment, app)
    try:
        yield made
    finally:
        made.close()
