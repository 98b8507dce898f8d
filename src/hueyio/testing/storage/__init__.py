"""For authors of storages: the suite that every storage passes, and random steps beside the memory storage.

Needs ``hueyio[testing]``.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

from hueyio.testing.storage.recipe import Recipe

if TYPE_CHECKING:
    from hueyio.testing.storage.conformance import StorageConformance
    from hueyio.testing.storage.differential import check_against_memory

__all__ = ["Recipe", "StorageConformance", "check_against_memory"]

if "pytest" in sys.modules:  # not in the processes that the suite starts
    # Before the suite is imported: its bare asserts then say what they compared.
    sys.modules["pytest"].register_assert_rewrite(f"{__name__}.conformance", f"{__name__}.differential")

if not TYPE_CHECKING:
    _HOMES = {"StorageConformance": "conformance", "check_against_memory": "differential"}

    def __getattr__(name: str) -> Any:
        """Import what is asked for: the processes that the suite starts do without pytest and hypothesis."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
