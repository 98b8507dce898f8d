"""For tests: the conformance suite that every storage passes, and what it is built from. Needs ``hueyio[testing]``."""

import sys
from typing import TYPE_CHECKING, Any

from hueyio.testing.recipe import Recipe

if TYPE_CHECKING:
    from hueyio.testing.conformance import StorageConformance

__all__ = ["Recipe", "StorageConformance"]

if "pytest" in sys.modules:  # not in the processes that the suite starts
    # Before the suite is imported: its bare asserts then say what they compared.
    sys.modules["pytest"].register_assert_rewrite("hueyio.testing.conformance", "hueyio.testing.differential")

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Import the suite when it is asked for: the processes that it starts do without it and pytest."""
        if name != "StorageConformance":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from hueyio.testing.conformance import StorageConformance

        return StorageConformance
