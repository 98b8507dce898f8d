"""The cyclic garbage collector of a worker's process.

A batch of tasks keeps thousands of objects alive for some milliseconds, none of them in a cycle. Python's default looks
for cycles after each 700 that were made, and so through all of them again and again. A worker lets it look more rarely,
from before the application is imported, and never at what was there before its first task: the modules. In a program
that embeds a consumer this is left alone.
"""

from __future__ import annotations

import gc
from typing import Final

__all__ = ["Garbage"]

_YOUNG: Final = 50_000
"""Objects that are made, and not freed again, before it looks through the young ones."""


class Garbage:
    """What the collector is set to before the application is imported: to look more rarely."""

    def __init__(self) -> None:
        self._set = (_YOUNG, *gc.get_threshold()[1:])
        gc.set_threshold(*self._set)

    def calm(self) -> None:
        """Leave out what is there now, unless the application has said how it wants the collector."""
        if not gc.isenabled() or gc.get_threshold() != self._set:
            return
        gc.collect()
        gc.freeze()
