"""Storage in an SQLite file."""

from hueyio.storage.sqlite.storage import SqliteStorage

__all__ = ["SqliteStorage"]
