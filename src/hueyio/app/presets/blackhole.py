"""BlackHoleHuey."""

from hueyio.app import Huey
from hueyio.storage.blackhole import BlackHoleStorage

__all__ = ["BlackHoleHuey"]


class BlackHoleHuey(Huey):
    """Keeps nothing: tasks are checked and dropped, no result ever comes, and awaiting one gives None at once.

    For switching the queue off without touching the code that uses it. A consumer can be started, and has nothing to
    do. In immediate mode tasks run, as in that of any Huey.
    """

    storage_class = BlackHoleStorage
