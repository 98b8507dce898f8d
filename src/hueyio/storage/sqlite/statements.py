"""The SQL of the SQLite storage: read from the files in ``sql``, by name.

A statement begins with ``-- name: ...`` and ends before the next one. What several have in common stands once, behind
``-- part: ...``, and is meant by ``{...}`` in those that follow. ``...`` behind parameters is for ``many_rows``.
Comment lines stay out of what is run, so that the statement cache of sqlite3 keys on short text. All files are read at
import: a worker that is upgraded in place must not find another version's statements, or none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pkgutil import get_data
from typing import Final

__all__ = ["ADDED_SCHEMAS", "SCHEMA", "statements"]

_MARK: Final = re.compile(r"^-- (name|part): (\w+)\n", re.MULTILINE)


def statements(file: str) -> Mapping[str, str]:
    """Return the named statements of one file of this package."""
    found: dict[str, dict[str, str]] = {"name": {}, "part": {}}
    _, *marked = _MARK.split(_read(file))
    for kind, name, text in zip(marked[::3], marked[1::3], marked[2::3], strict=True):
        bare = _without_comments(text)
        for part, meant in found["part"].items():
            bare = bare.replace(f"{{{part}}}", meant)
        found[kind][name] = bare
    return found["name"]


def _read(file: str) -> str:
    data = get_data("hueyio.storage.sqlite", f"sql/{file}")  # importlib.resources brings half of zipfile and tempfile
    if data is None:  # which loader has none?
        raise FileNotFoundError(file)
    return data.decode()


def _without_comments(text: str) -> str:
    """Drop comments; no literal in these files holds two dashes."""
    lines = (line.partition("--")[0].rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line.strip()).strip()


def _split(file: str) -> tuple[str, ...]:
    parts = [text.strip() for text in _without_comments(_read(file)).split(";")]
    return tuple(text for text in parts if text)


SCHEMA: Final = _split("schema.sql")
"""The statements that make the tables, in order."""

ADDED_SCHEMAS: Final = {
    "hueyio_ended": _split("schema_added.sql"),
    "hueyio_failed": _split("schema_failed.sql"),
    "hueyio_counts": _split("schema_counts.sql"),
    "hueyio_audit": _split("schema_audit.sql"),
    "hueyio_history": _split("schema_history.sql"),
    "hueyio_stages": _split("schema_stages.sql"),
}
"""The statements that make what came after the first version of the tables, in order, each under a table it makes."""
