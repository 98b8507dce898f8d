"""The SQL and Lua of this package, read from their files at import."""

from __future__ import annotations

from pkgutil import get_data

__all__ = ["read_text"]


def read_text(file: str) -> str:
    """Return the text of a file of this package, such as ``lua/take.lua``."""
    data = get_data("hueyio.migration", file)
    if data is None:  # which loader has none?
        raise FileNotFoundError(file)
    return data.decode()
