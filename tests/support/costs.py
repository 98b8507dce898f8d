"""What one task costs on each storage, counted; ``python -m tests.support.costs`` writes ``tests/costs.json`` anew.

Counts do not depend on how fast the machine is, so that a test can compare them where it could not compare seconds.
They are taken in a process of their own: ``python -m tests.support.costs print`` prints them and writes nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import redis

from hueyio import FileHuey, Huey, MemoryHuey, RedisHuey, SqliteHuey
from tests.support.cost_meter import Meter
from tests.support.servers import Server, find_servers
from tests.support.workloads import WORKLOADS, Bench, Workload

__all__ = ["FILE", "STORAGES", "Costs", "choose", "count_in_process", "find_growth", "read_file"]

FILE: Final = Path(__file__).resolve().parent.parent / "costs.json"
STORAGES: Final = ("memory", "file", "sqlite", "redis")
_ROOT: Final = FILE.parent.parent
_ROUNDS: Final = 4
"""How often each storage is counted for the file. Of each figure the most is written: where two threads or programs
meet, one that is faster than the other costs less turns of a loop and larger batches, here and there."""

_OF_THE_METER: Final = ("cmdstat_info", "cmdstat_client|setinfo")
"""What the client that asks the server sends itself."""

_GROWTH: Final = 0.1
"""What a figure may grow by."""

Costs = dict[str, dict[str, float]]
"""A workload's name to its figures, each per task."""


def _is_counted(storage: str, workload: Workload, figure: str) -> bool:
    match figure:
        case "loop turns":  # a thread or a server that answers is sometimes faster than the loop's next turn
            return workload.turns and (workload.is_exact or storage == "memory")
        case "writes to sockets":  # where there is no server, they wake a thread's loop
            return workload.turns and storage == "redis"
    return True


async def _count(storage: str, huey: Huey, meter: Meter) -> Costs:
    bench = Bench(huey)
    costs: Costs = {}
    async with huey:
        for name, workload in WORKLOADS.items():
            for tasks in (4, workload.tasks):  # the first loads, prepares and caches
                await workload.run(bench, tasks, meter)
                await huey.flush()
            costs[name] = {
                figure: of / workload.tasks
                for figure, of in sorted(meter.counted.items())
                if _is_counted(storage, workload, figure)
            }
    return costs


def _make(storage: str, folder: Path, stack: ExitStack) -> tuple[Huey, Meter]:
    """Make a Huey on a storage, and what counts there."""
    if storage == "redis":
        server = Server(find_servers()["valkey"])
        stack.callback(server.dispose)
        server.start()
        client = stack.enter_context(redis.Redis(port=server.port))
        return RedisHuey("costs", url=server.url), Meter(lambda: _count_commands(client))
    meter = Meter()
    match storage:
        case "memory":
            return MemoryHuey("costs"), meter
        case "file":
            return FileHuey("costs", path=str(folder / "queue")), meter
        case "sqlite":
            return SqliteHuey("costs", filename=str(folder / "costs.db"), factory=meter.connection_class()), meter
    raise ValueError(f"no storage named {storage!r}: it is one of {', '.join(STORAGES)}")


def _count_commands(client: redis.Redis) -> int:
    found: Any = client.info("commandstats")
    return sum(of["calls"] for name, of in found.items() if name not in _OF_THE_METER)


def _count_here(storage: str) -> Costs:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        huey, meter = _make(storage, folder, stack)
        return asyncio.run(_count(storage, huey, meter))


def count_in_process() -> dict[str, Costs]:
    """Count each storage in a process of its own, whose sets are ordered alike each time."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.costs", "print"],
        cwd=_ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    costs: dict[str, Costs] = json.loads(done.stdout)
    return costs


def find_growth(written: Costs, now: Costs) -> list[str]:
    """Say which figures grew by more than a tenth."""
    grown = []
    for name, figures in now.items():
        for figure, value in figures.items():
            before = written.get(name, {}).get(figure)
            chance = 0.001 if WORKLOADS[name].is_exact else WORKLOADS[name].chance
            if before is None:
                grown.append(f"{name}: {value:.2f} {figure} per task, of which nothing is written")
            elif value > before * (1 + _GROWTH) + chance:
                grown.append(f"{name}: {value:.2f} {figure} per task, {before:.2f} were written")
    return grown


def choose(of: Callable[..., float], rounds: Sequence[Mapping[str, Costs]]) -> dict[str, Costs]:
    """Return of each figure the least or the most that was counted."""
    return {
        storage: {
            name: {figure: round(of(one[storage][name][figure] for one in rounds), 3) for figure in figures}
            for name, figures in workloads.items()
        }
        for storage, workloads in rounds[0].items()
    }


def read_file() -> dict[str, Any]:
    """Return what was written: ``python``, ``packages``, and ``costs`` by storage."""
    read: dict[str, Any] = json.loads(FILE.read_text())
    return read


def _write_file() -> None:
    rounds = [count_in_process() for _ in range(_ROUNDS)]
    costs = choose(max, rounds)
    packages = {name: metadata.version(name) for name in ("redis", "anyio")}
    python = ".".join(platform.python_version_tuple()[:2])
    FILE.write_text(json.dumps({"python": python, "packages": packages, "costs": costs}, indent=2) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["print"]:
        print(json.dumps({storage: _count_here(storage) for storage in STORAGES}))
    else:
        _write_file()
