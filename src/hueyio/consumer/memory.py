"""The memory of this process."""

from __future__ import annotations

import os
import resource
import sys

__all__ = ["memory_in_use"]


def memory_in_use() -> float:
    """Return the resident memory of this process in megabytes (2**20 bytes); where only its maximum is known, that."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / 2**20 if sys.platform == "darwin" else most / 2**10
