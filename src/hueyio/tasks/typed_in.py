"""What is typed in at a REPL or in a notebook: the same function once more takes the place of the first."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["is_typed_in_again"]


def is_typed_in_again(function: Any, known: Any) -> bool:
    """Say whether a function is another one, corrected: of the same name, and of a main module that is no file."""
    if hasattr(sys.modules.get("__main__"), "__file__"):
        return False
    name = getattr(function, "__qualname__", None)
    if not isinstance(name, str) or name.endswith(">"):  # <lambda>
        return False
    modules = {getattr(it, "__module__", None) for it in (function, known)}
    return modules == {"__main__"} and name == getattr(known, "__qualname__", None)
