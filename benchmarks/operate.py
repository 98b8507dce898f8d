"""Workers as an operator meets them: stopped, drained, blocked, cancelled, idle, orphaned."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.contenders import Kind
from benchmarks.server import RedisServer
from hueyio import TaskCancelled

__all__ = ["SCENES", "measure_and_print"]

_PATIENCE: Final = 120.0


class Worker:
    """One ``hueyio worker``, and when it said what."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[tuple[float, str]] = []
        self._news = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    def said(self, text: str) -> list[float]:
        """Return when it logged lines with this text."""
        return [at for at, line in self.lines if text in line]

    async def wait_said(self, text: str, count: int = 1) -> float:
        """Wait until it has; return when it was."""
        async with asyncio.timeout(_PATIENCE), self._news:
            await self._news.wait_for(lambda: len(self.said(text)) >= count)
        return self.said(text)[count - 1]

    def cpu(self) -> float:
        """Return the CPU seconds that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def children(self) -> list[str]:
        """Return the ids of its processes."""
        return Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()

    async def _read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            async with self._news:
                self.lines.append((time.monotonic(), line.decode().rstrip()))
                self._news.notify_all()


@asynccontextmanager
async def worker(*options: str, ready: int = 1) -> AsyncIterator[Worker]:
    """Start one, wait until so many of its processes consume, and kill it at the end if it still runs."""
    command = [sys.executable, "-m", "hueyio", "worker", "benchmarks.operate_app:huey", *options]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    started = Worker(process)
    try:
        await started.wait_said("is ready", ready)
        yield started
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _stop(app: Any, seconds: float) -> str:
    """50 tasks of 2 s run, 200 are held unstarted: SIGTERM."""
    async with worker("-w", "50", "--prefetch", "200") as one:
        results = await app.sleep.map([(2.0,) for _ in range(250)])
        await one.wait_said("start ", 50)
        await _until(lambda: app.huey.counts(), lambda counts: counts.running == 250)
        one.process.send_signal(signal.SIGTERM)
        told = time.monotonic()
        await _until(lambda: app.huey.count(), lambda count: count == 200)
        back = time.monotonic() - told
        code = await one.process.wait()
        done = [await result.status() for result in results].count("done")
        attempts = sum(task.attempt for task in await app.huey.pending())
        return f"200 back after {back:.2f} s, {done} of 50 finished, {attempts} attempts used, exit code {code}"


async def _drain(app: Any, seconds: float) -> str:
    """A task that takes four leases, SIGTERM while it runs, another worker waits."""
    options = ("--lease", f"{seconds / 4:g}", "--shutdown-timeout", f"{seconds * 1.5:g}")
    async with worker(*options) as one:
        result = await app.sleep(seconds)
        await one.wait_said("start ")
        async with worker(*options) as other:
            one.process.send_signal(signal.SIGTERM)
            await result.get(blocking=True, timeout=seconds * 2)
            code = await one.process.wait()
            runs = len(one.said("start ")) + len(other.said("start "))
            return f"{seconds:g} s with a lease of {seconds / 4:g} s: executed {runs} time(s), exit code {code}"


async def _block(app: Any, seconds: float) -> str:
    """A task that blocks the loop for 3 s beside 20 others: a lease of 1 s, and another worker that would take over."""
    async with worker("--lease", "1", "-w", "21") as one:
        others = await app.sleep.map([(0.5,) for _ in range(20)])
        await one.wait_said("start ", 20)
        result = await app.block(3.0)
        began = await one.wait_said(f"start {result.id}")
        async with worker("--lease", "1") as other:
            named = await one.wait_said("has been blocked") - began
            line = await one.wait_said("time.sleep(seconds)") - began
            await result.get(blocking=True, timeout=60)
            await others.get(blocking=True, timeout=60)
            runs = len(one.said("start ")) + len(other.said("start "))
        return f"named after {named:.2f} s, with its line after {line:.2f} s; 21 tasks ran {runs} times"


async def _cancel(app: Any, seconds: float) -> str:
    """Cancel running tasks from another process, and such that wait."""
    async with worker("-w", "1", "--prefetch", "4") as one:
        took: list[float] = []
        for number in range(20):
            result = await app.sleep(3600.0)
            await one.wait_said("start ", number + 1)
            began = time.monotonic()
            await result.cancel()
            try:
                await result
            except TaskCancelled:
                took.append(time.monotonic() - began)
        await app.sleep(1.0)
        waiting = [await app.sleep(0.0), await app.sleep.options(delay=0.5)(0.0)]
        for result in waiting:
            await result.cancel()
        await (await app.sleep.options(delay=1.5)(0.0))
        ran = sum(len(one.said(f"start {result.id}")) for result in waiting)
        took = sorted(1000 * each for each in took)
        return f"running: p50 {took[10]:.0f} ms, longest {took[-1]:.0f} ms; queued and scheduled: {ran} ran"


async def _idle(app: Any, seconds: float) -> str:
    """A worker without work."""
    async with worker() as one:
        await asyncio.sleep(3)  # what the start leaves behind
        before, began = one.cpu(), time.monotonic()
        await asyncio.sleep(seconds * 1.5)
        share = (one.cpu() - before) / (time.monotonic() - began)
        return f"{100 * share:.2f} % of a CPU over {seconds * 1.5:g} s"


async def _orphan(app: Any, seconds: float) -> str:
    """Kill -9 of a supervisor of two; ten seconds later nobody consumes."""
    async with worker("--processes", "2", ready=2) as one:
        children = one.children()
        await app.sleep.map([(3600.0,) for _ in range(20)])
        await one.wait_said("start ", 20)
        one.process.kill()
        await asyncio.sleep(10)
        left = [pid for pid in children if _is_alive(pid)]
        starts = len(one.said("start "))
        await app.sleep.map([(0.0,) for _ in range(20)])
        await asyncio.sleep(1)
        more = len(one.said("start ")) - starts
        queued = await app.huey.count()
        return f"{len(left)} processes left, {queued} tasks queued, {more} started afterwards"


def _is_alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def _until(ask: Callable[[], Any], enough: Callable[[Any], bool]) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not enough(await ask()):  # noqa: ASYNC110 - nobody tells when a count changes
            await asyncio.sleep(0.005)


SCENES: Final = {
    "stop": _stop,
    "drain": _drain,
    "block": _block,
    "cancel": _cancel,
    "idle": _idle,
    "orphan": _orphan,
}


def measure_and_print(
    kind: Kind, seconds: int, server: RedisServer | None, folder: Path, scenes: Sequence[str]
) -> None:
    """Play the scenes, each on an empty storage; ``seconds`` is how long the task of the drain takes."""
    for name in scenes or SCENES:
        if server is not None:
            server.clear()
        os.environ["HUEYIO_BENCH_ADDRESS"] = server.url if server is not None else str(folder / f"{name}.db")
        app = importlib.import_module("benchmarks.operate_app")
        app = importlib.reload(app)
        print(f"  {kind}, {name}: {asyncio.run(_play(app, name, seconds))}", flush=True)


async def _play(app: Any, name: str, seconds: float) -> str:
    async with app.huey:
        return await SCENES[name](app, seconds)
