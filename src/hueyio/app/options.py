"""The options of Hueys and consumers, as type checkers and users see them.

A preset takes what is its own and ``**options``: its signature shows each of these with its type and default, and any
other name is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from hueyio.serializer import Serializer

__all__ = ["ConsumerSettings", "HueyOptions"]


class HueyOptions(TypedDict, total=False):
    """What every Huey takes; see ``Huey``."""

    results: bool
    store_none: bool
    utc: bool
    immediate: bool
    serializer: Serializer | None
    compression: bool
    use_zlib: bool
    immediate_use_memory: bool
    store_intermediate_errors: bool
    result_ttl: float | None
    raise_errors: bool
    max_put_back_age: float | None
    propagate: Sequence[str]
    statistics: bool
    history_args: bool


class ConsumerSettings(TypedDict, total=False):
    """What ``create_consumer`` takes; see ``ConsumerOptions``."""

    workers: int | None
    threads: int | None
    pool: int
    pool_max_tasks: int | None
    prefetch: int | None
    lease: float
    shutdown_timeout: float
    block_warning: float
    max_block: float | None
    lend_slots: bool
    max_lent: int
    max_lent_threads: int
    periodic: bool
    log_runs: bool
