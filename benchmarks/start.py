"""How long hueyio takes to begin, and how much memory it has when it has nothing to do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.contenders import Contender
from benchmarks.hueyio_app import ADDRESS
from benchmarks.protocol import Figures
from benchmarks.trial import Bench

__all__ = ["begin"]

_TIMES: Final = 5
_IDLE_TIME: Final = 1.0
_PATIENCE: Final = 30.0


def begin(bench: Bench, contender: Contender, scale: float) -> Figures:
    """Import hueyio; start ``hueyio worker`` on a queue with one task, and let it be."""
    bare, imported = _time_to_run("pass"), _time_to_run("import hueyio")
    with bench.empty(contender) as address:
        started = [_start_worker(address) for _ in range(_TIMES)]
    return {
        "import ms": 1000 * (imported - bare),
        "first task ms": 1000 * median(seconds for seconds, _ in started),
        "idle MB": median(memory for _, memory in started),
    }


def _time_to_run(code: str) -> float:
    taken: list[float] = []
    for _ in range(_TIMES):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        taken.append(time.perf_counter() - begun)
    return median(taken)


def _start_worker(address: str) -> tuple[float, float]:
    """Return the seconds until a task that waits has begun, and the megabytes of the worker a second later."""
    environment = {**os.environ, ADDRESS: address}
    enqueue = "import asyncio; from benchmarks.operate_app import sleep; asyncio.run(sleep(0))"
    subprocess.run([sys.executable, "-c", enqueue], env=environment, check=True)
    command = [sys.executable, "-m", "hueyio", "worker", "benchmarks.operate_app:huey"]
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("start "):
                break
            assert time.perf_counter() < begun + _PATIENCE, "the worker does not begin"
        seconds = time.perf_counter() - begun
        time.sleep(_IDLE_TIME)
        status = Path(f"/proc/{process.pid}/status").read_text()
        return seconds, int(status.partition("VmRSS:")[2].split()[0]) / 1024
    finally:
        process.kill()
        process.communicate()
