"""Statements for many rows at once.

Every step of a statement lets go of the interpreter lock and takes it again, so one step for many rows costs less than
a step for each. In the SQL ``...`` stands behind what is there once for each row, as in ``VALUES (?, ?)...`` or
``IN (?...)``. Rows go in chunks of few sizes, so that each text is prepared once; the largest has fewer parameters than
any SQLite allows.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Final

__all__ = ["ManyRows", "chunk_sizes"]

_REPEATED: Final = re.compile(r"(\([^()]*\)|\?)\.\.\.")
_LARGEST: Final = 64
_SMALLER: Final = (32, 16, 8, 4, 2, 1)


class ManyRows:
    """One statement, with a text for each size of chunk."""

    def __init__(self, sql: str) -> None:
        before, row, after = _REPEATED.split(sql)
        self._texts = {size: before + ", ".join([row] * size) + after for size in (_LARGEST, *_SMALLER)}

    def run(
        self, execute: Callable[..., sqlite3.Cursor], rows: Sequence[Sequence[object]], shared: Sequence[Any] = ()
    ) -> int:
        """Run it for all rows; return how many it changed. ``shared`` are the parameters in front of the rows."""
        if len(rows) == 1:
            return execute(self._texts[1], (*shared, *rows[0])).rowcount
        changed = at = 0
        for size in chunk_sizes(len(rows)):
            chunk = rows if size == len(rows) else rows[at : at + size]
            at += size
            changed += execute(self._texts[size], (*shared, *chain.from_iterable(chunk))).rowcount
        return changed


def chunk_sizes(count: int) -> list[int]:
    """Split so many rows."""
    full, rest = divmod(count, _LARGEST)
    return [_LARGEST] * full + [size for size in _SMALLER if rest & size]
