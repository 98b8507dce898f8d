"""What the figures were measured with."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib import metadata
from typing import Final

from benchmarks.server import RedisServer

__all__ = ["describe", "facts"]

_PACKAGES: Final = ("hueyio", "huey", "saq", "streaq", "taskiq", "taskiq-redis", "redis", "hiredis", "aiosqlite")


def facts(server: RedisServer | None) -> dict[str, str]:
    """Return names and versions."""
    found = {name: _version(name) for name in _PACKAGES}
    found["Python"] = platform.python_version()
    found["SQLite"] = sqlite3.sqlite_version
    if server is not None:
        found["server"] = server.version
    found["cores"] = str(os.cpu_count())
    return found


def describe(server: RedisServer | None) -> str:
    """Return the facts as one line."""
    return ", ".join(f"{name} {value}" for name, value in facts(server).items())


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"
