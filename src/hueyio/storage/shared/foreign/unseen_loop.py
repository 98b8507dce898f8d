"""Where a loop runs, Django refuses its connection, or gives another one; and code that blocks runs one for each call.

That loop is for this call alone, so nothing else can get at the connection meanwhile. It is hidden while Django works.
"""

from __future__ import annotations

import asyncio.events
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

__all__ = ["LOOP_OF_ONE_CALL", "unseen_loop"]

LOOP_OF_ONE_CALL: Final[ContextVar[bool]] = ContextVar("hueyio_loop_of_one_call", default=False)
"""Set by whoever runs a coroutine on a loop that is made for it, in the thread of code that blocks."""


@contextmanager
def unseen_loop() -> Iterator[None]:
    """Let no loop be seen that was made for this call; nothing may be awaited meanwhile. Others stay to be seen."""
    if not LOOP_OF_ONE_CALL.get():
        yield
        return
    loop = asyncio.get_running_loop()
    asyncio.events._set_running_loop(None)
    try:
        yield
    finally:
        asyncio.events._set_running_loop(loop)
