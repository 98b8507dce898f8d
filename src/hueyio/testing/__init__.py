"""For tests: a queue in memory for those of applications; for those of storages the suite that each of them passes.

The suite needs ``hueyio[testing]``.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

from hueyio.testing.recipe import Recipe

if TYPE_CHECKING:
    from hueyio.testing.conformance import StorageConformance
    from hueyio.testing.inline import run_inline
    from hueyio.testing.queue import HueyQueue
    from hueyio.testing.ran import Ran
    from hueyio.testing.sync_queue import SyncHueyQueue

__all__ = ["HueyQueue", "Ran", "Recipe", "StorageConformance", "SyncHueyQueue", "run_inline"]

if "pytest" in sys.modules:  # not in the processes that the suite starts
    # Before the suite is imported: its bare asserts then say what they compared.
    sys.modules["pytest"].register_assert_rewrite("hueyio.testing.conformance", "hueyio.testing.differential")

if not TYPE_CHECKING:
    _HOMES = {
        "HueyQueue": "queue",
        "Ran": "ran",
        "StorageConformance": "conformance",
        "SyncHueyQueue": "sync_queue",
        "run_inline": "inline",
    }

    def __getattr__(name: str) -> Any:
        """Import what is asked for: the processes that the suite starts do without all of it, and without pytest."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
