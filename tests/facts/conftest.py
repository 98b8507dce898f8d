"""The same Huey on each storage as in the flow tests."""

from __future__ import annotations

from tests.flow.conftest import huey, make_huey

__all__ = ["huey", "make_huey"]
