"""For tests: the conformance suite that every storage passes, and what it is built from. Needs ``hueyio[testing]``."""

import pytest

# Before the suite is imported: its bare asserts then say what they compared.
pytest.register_assert_rewrite("hueyio.testing.conformance", "hueyio.testing.differential")

from hueyio.testing.conformance import StorageConformance  # noqa: E402
from hueyio.testing.recipe import Recipe  # noqa: E402

__all__ = ["Recipe", "StorageConformance"]
