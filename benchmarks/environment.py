"""What the figures were measured with."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from benchmarks.contenders import Library
from benchmarks.peer_environments import versions_of
from benchmarks.postgres_server import MeasuredPostgres
from benchmarks.server import RedisServer

__all__ = ["describe", "facts"]

_CLIENTS: Final = ("redis", "hiredis")


def facts(
    server: RedisServer | None, libraries: Sequence[Library], postgres: MeasuredPostgres | None = None
) -> dict[str, str]:
    """Return names and versions: of hueyio and these libraries, of the servers that take part, of the machine."""
    found = {"hueyio": _version("hueyio")}
    if server is not None:
        found |= {name: _version(name) for name in _CLIENTS}
    if postgres is not None:
        found["psycopg"] = _version("psycopg")
    for library in libraries:
        found |= versions_of(library)
    found["Python"] = platform.python_version()
    if postgres is None:
        found["SQLite"] = sqlite3.sqlite_version
    if server is not None:
        found["server"] = server.version
    if postgres is not None:
        found["server"] = postgres.version
    found["cores"] = str(os.cpu_count())
    found["processor"] = _processor()
    found["system"] = f"{platform.system()} {platform.release()}"
    return found


def describe(facts: Mapping[str, str]) -> str:
    """Return the facts as one line."""
    return ", ".join(f"{name} {value}" for name, value in facts.items())


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
