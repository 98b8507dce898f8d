"""How fast a worker answers ``/live`` while many clients hold its probe port: connected, sending a byte now and then.

The server drops the oldest of them for each new one, so they all connect anew, again and again.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks.child import ChildFailed
from benchmarks.timing import in_milliseconds

__all__ = ["measure_and_print"]

_APP: Final = "import hueyio\nhuey = hueyio.SqliteHuey('bench', filename='bench.db')\n"
_LIVE: Final = b"GET /live HTTP/1.1\r\nHost: bench\r\n\r\n"
_BEGUN: Final = b"GET /live HTTP/1.1\r\nX-Slow: "
_SECONDS: Final = 10.0
_DRIP: Final = 0.5
"""Seconds between two bytes of a slow client, and between the end of one of its connections and the next."""
_APART: Final = 0.02
"""Seconds between two questions."""
_WARM_UP: Final = 3.0
"""Seconds until the slow clients hold the port."""
_PATIENCE: Final = 30.0


def measure_and_print(count: int, folder: Path) -> None:
    """Measure without slow clients and with ``count`` of them, and print a line for each."""
    (folder / "probed.py").write_text(_APP)
    with subprocess.Popen(
        [sys.executable, "-m", "hueyio", "worker", "probed:huey", "--health", "127.0.0.1:0"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
        text=True,
    ) as worker:
        try:
            port = _port_of(worker)
            for slow in (0, count):
                print(f"  {slow} slow clients: {_measure(port, slow)}", flush=True)
        finally:
            worker.terminate()
            worker.communicate()


def _port_of(worker: subprocess.Popen[str]) -> int:
    assert worker.stderr is not None
    for line in worker.stderr:
        if found := re.search(r"probes on http://127\.0\.0\.1:(\d+)", line):
            return int(found[1])
    raise ChildFailed(f"the worker ended with {worker.wait()}")


def _measure(port: int, slow: int) -> str:
    with subprocess.Popen([sys.executable, "-m", "benchmarks.probes", str(port), str(slow)]) as holding:
        try:
            time.sleep(_WARM_UP)
            return _ask_again_and_again(port)
        finally:
            holding.terminate()


def _ask_again_and_again(port: int) -> str:
    took: list[float] = []
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        took.append(_ask(port))
        time.sleep(_APART)
    late = in_milliseconds(took)
    return (
        f"{len(took)} answers of /live, p50 {late['p50']:.1f} ms, p99 {late['p99']:.1f} ms, "
        f"longest {1000 * max(took):.1f} ms"
    )


def _ask(port: int) -> float:
    """Ask for ``/live``, on a connection of its own; return the seconds that it took."""
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as client:
        client.sendall(_LIVE)
        answer = b""
        while piece := client.recv(4096):
            answer += piece
    if not answer.startswith(b"HTTP/1.1 200"):
        raise ChildFailed(f"/live was not answered: {answer!r}")
    return time.perf_counter() - began


async def _hold_all(port: int, count: int) -> None:
    """Be so many slow clients, until this process is ended."""
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(_hold(port))


async def _hold(port: int) -> None:
    """Hold a connection for as long as the server lets it, then the next one."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(_BEGUN)
            while True:
                try:
                    async with asyncio.timeout(_DRIP):
                        await reader.read()
                    break  # it was dropped
                except TimeoutError:
                    writer.write(b"a")
        except OSError:
            pass  # refused, or cut off: it tries again
        await asyncio.sleep(_DRIP)


if __name__ == "__main__":
    asyncio.run(_hold_all(*map(int, sys.argv[1:])))
