"""Storage in a folder of files."""

from hueyio.storage.file.storage import FileStorage

__all__ = ["FileStorage"]
