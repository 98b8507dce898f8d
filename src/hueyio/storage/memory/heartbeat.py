"""The heartbeat of one owner in memory."""

from __future__ import annotations

from hueyio.storage.memory.state import MemoryState

__all__ = ["MemoryLeaseKeeper"]


class MemoryLeaseKeeper:
    """The heartbeat of one owner."""

    def __init__(self, state: MemoryState, owner: str) -> None:
        self._state = state
        self._owner = owner

    def beat(self) -> bool:
        """Raise the owner's counter; False if it was given up."""
        with self._state.lock:
            lease = self._state.leases.get(self._owner)
            if lease is None:
                return False
            lease.beat += 1
            lease.seen = self._state.clock()
            return True

    def close(self) -> None:
        """Do nothing: there is no connection."""
