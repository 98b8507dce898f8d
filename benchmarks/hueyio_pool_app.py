"""hueyio with one no-op task that runs in a process of its own; where its queue is, the environment says."""

from __future__ import annotations

import os

from benchmarks.hueyio_app import ADDRESS, make_huey

__all__ = ["huey", "noop"]

_address = os.environ[ADDRESS]
huey = make_huey("redis" if _address.startswith("redis:") else "sqlite", _address, {})


@huey.task(name="noop", run_in="process")
def noop(number: int) -> int:
    """Return its argument."""
    return number
