"""Where a body runs: what locks must know of the consumer around them.

Set for each attempt by whoever runs it, seen by the body and by all that it calls, in threads too.
"""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from typing import Final, NamedTuple

from hueyio.storage.contract import Storage
from hueyio.storage.records import Receipt

__all__ = ["RECEIPT", "SITE", "Site", "is_pool_process", "mark_pool_process"]


class Site(NamedTuple):
    """The loop of the consumer, its storage, and its lease in seconds."""

    loop: asyncio.AbstractEventLoop
    storage: Storage
    lease: float


SITE: Final[ContextVar[Site | None]] = ContextVar("hueyio_site", default=None)

RECEIPT: Final[ContextVar[Receipt | None]] = ContextVar("hueyio_receipt", default=None)
"""Under which lease the body runs; None where there is none (immediate mode)."""


def mark_pool_process() -> None:
    """Note that this process runs tasks for another one, for the rest of its life."""
    _in_pool.set()


def is_pool_process() -> bool:
    """Say whether this process runs ``run_in="process"`` tasks for another one."""
    return _in_pool.is_set()


_in_pool: Final = threading.Event()
