"""Any storage beside the memory storage: the same steps, made up at random, must lead both to the same answers."""

from hueyio.testing.storage.differential.check import check_against_memory

__all__ = ["check_against_memory"]
