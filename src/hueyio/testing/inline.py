"""Have tasks run where they are called, and raise there, for as long as a block lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hueyio.app import Huey
from hueyio.app.sync_huey import SyncHuey

__all__ = ["run_inline"]


@contextmanager
def run_inline(*hueys: Huey | SyncHuey) -> Iterator[None]:
    """Run what these Hueys enqueue at once, in memory; errors of bodies are raised at the call. See immediate mode.

    Afterwards they are as they were.
    """
    before = [(huey, huey.immediate, huey.immediate_use_memory, huey.raise_errors) for huey in hueys]
    try:
        for huey in hueys:
            huey.immediate = False  # so that memory is fresh where it is on already
            huey.immediate_use_memory, huey.raise_errors, huey.immediate = True, True, True
        yield
    finally:
        for huey, immediate, use_memory, raise_errors in before:
            huey.immediate = False
            huey.immediate_use_memory, huey.raise_errors, huey.immediate = use_memory, raise_errors, immediate
