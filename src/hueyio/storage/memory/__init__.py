"""Storage in the memory of one process: the readable model of the contract."""

from hueyio.storage.memory.storage import MemoryStorage

__all__ = ["MemoryStorage"]
