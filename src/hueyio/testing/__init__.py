"""For tests of applications: a queue in memory in the place of theirs, or tasks that run where they are called.

The suite for authors of storages is in ``hueyio.testing.storage``.
"""

from hueyio.testing.inline import run_inline
from hueyio.testing.queue import HueyQueue
from hueyio.testing.ran import Ran
from hueyio.testing.sync_queue import SyncHueyQueue

__all__ = ["HueyQueue", "Ran", "SyncHueyQueue", "run_inline"]
