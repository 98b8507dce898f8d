"""The bounds of what a storage remembers, as the functions of the server are told them."""

from __future__ import annotations

from typing import Final

from hueyio.storage.postgres.options import PostgresOptions
from hueyio.storage.postgres.texts import to_json

__all__ = ["bounds_of"]

_BOUNDS: Final = (
    "dead_limit", "keep_ended", "keep_failed", "failed_ttl", "failed_bytes", "keep_history", "history_ttl"
)  # fmt: skip


def bounds_of(options: PostgresOptions) -> str:
    """Write the bounds as a parameter, see ``sql/parts/use_bounds.sql``."""
    return to_json({name: getattr(options, name) for name in _BOUNDS})
