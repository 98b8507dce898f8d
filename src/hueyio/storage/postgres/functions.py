"""The SQL of this storage: read from the files in ``sql``, a function each, and how each is called.

``{schema}`` stands for the schema's name. ``{entry}`` says how a function runs that sessions call, ``{joined}`` one
that is called in transactions of the application's, ``{inner}`` one that only other functions call, and ``{reader}``
one that may read many rows, for which the planner is free. The name of a function ends with its version: workers of
two versions of hueyio use the same database for a while.

The planner is told to look rows up by index, because a queue is empty when it is analysed: a plan made then, and kept,
reads the whole table later. A call that waits for somebody's lock is given up after seconds, and begun again by its
session: else it would go on waiting on the server when nobody awaits it any more. In a transaction of the application's
nobody could begin it again; how long that waits is for the application to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

__all__ = ["FUNCTIONS", "TABLES", "call_of", "fill"]

_HERE: Final = Path(__file__).parent / "sql"
_HEAD: Final = re.compile(r"CREATE OR REPLACE FUNCTION \{schema\}\.(\w+)\(([^)]*)\)", re.IGNORECASE)

_INNER: Final = "LANGUAGE plpgsql"
_READER: Final = f"{_INNER} SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
_JOINED: Final = (
    f"{_READER} SET plan_cache_mode = force_generic_plan SET jit = off "
    "SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off"
)
_ENTRY: Final = f"{_JOINED} SET lock_timeout = '5s'"
_PLACEHOLDERS: Final = {"{entry}": _ENTRY, "{joined}": _JOINED, "{inner}": _INNER, "{reader}": _READER}


def _read_functions() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for path in sorted(_HERE.glob("*/*.sql")):
        text = path.read_text("utf-8")
        if path.parent.name != "tables":
            found[f"{path.parent.name}/{path.stem}"] = text
    return found


FUNCTIONS: Final = _read_functions()
"""The text of each function's file, by folder and name."""

TABLES: Final = tuple(path.read_text("utf-8") for path in sorted((_HERE / "tables").glob("*.sql")))
"""What makes the tables, in order."""

_SIGNATURES: Final[dict[str, list[str]]] = {
    match[1]: [argument.split(None, 1)[1].strip() for argument in match[2].split(",") if argument.strip()]
    for text in FUNCTIONS.values()
    for match in _HEAD.finditer(text)
}


def fill(text: str, schema: str) -> str:
    """Return SQL for a schema of this name."""
    for placeholder, meant in _PLACEHOLDERS.items():
        text = text.replace(placeholder, meant)
    return text.replace("{schema}", schema)


@cache
def call_of(name: str, schema: str) -> bytes:
    """Return the statement that calls a function, with a cast for each argument."""
    arguments = ", ".join(f"%b::{kind}" for kind in _SIGNATURES[name]).replace("{schema}", schema)
    return f"SELECT * FROM {schema}.{name}({arguments})".encode()
