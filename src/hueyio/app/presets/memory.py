"""MemoryHuey."""

from hueyio.app import Huey
from hueyio.storage.memory import MemoryStorage

__all__ = ["MemoryHuey"]


class MemoryHuey(Huey):
    """Tasks in the memory of this process: for tests, and for an embedded consumer that may lose them."""

    storage_class = MemoryStorage
