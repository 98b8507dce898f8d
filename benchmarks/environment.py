"""What the figures were measured with."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib import metadata
from pathlib import Path
from typing import Final

from benchmarks.contenders import PEERS
from benchmarks.peer_environments import versions_of
from benchmarks.server import RedisServer

__all__ = ["describe", "facts"]

_PACKAGES: Final = ("hueyio", "redis", "hiredis")


def facts(server: RedisServer | None) -> dict[str, str]:
    """Return names and versions."""
    found = {name: _version(name) for name in _PACKAGES}
    for library in PEERS:
        found |= versions_of(library)
    found["Python"] = platform.python_version()
    found["SQLite"] = sqlite3.sqlite_version
    if server is not None:
        found["server"] = server.version
    found["cores"] = str(os.cpu_count())
    found["processor"] = _processor()
    found["system"] = f"{platform.system()} {platform.release()}"
    return found


def describe(server: RedisServer | None) -> str:
    """Return the facts as one line."""
    return ", ".join(f"{name} {value}" for name, value in facts(server).items())


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


def _processor() -> str:
    """Name the processor, where Linux says it."""
    about = Path("/proc/cpuinfo")
    _, _, model = about.read_text().partition("model name") if about.exists() else ("", "", "")
    return model.partition("\n")[0].strip("\t :") or platform.machine()
