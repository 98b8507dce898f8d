"""Dependencies of tasks: parameters that are filled anew for each attempt, and closed after it. It needs no extra."""

from __future__ import annotations

from hueyio.contrib.depends.inject import inject
from hueyio.contrib.depends.marker import Depends

__all__ = ["Depends", "inject"]
