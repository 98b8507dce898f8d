"""The threads of ``asyncio.to_thread``: they cannot be cancelled, and the end of a loop waits for them, for ever.

So that a task which waits for one does not hold up the end of its worker, this executor can be asked which are left.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

__all__ = ["DefaultThreads"]

_PREFIX: Final = "hueyio-default"


class DefaultThreads:
    """The default executor of the running loop, from now on."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(thread_name_prefix=_PREFIX)
        asyncio.get_running_loop().set_default_executor(self._executor)

    async def wait_ended(self, seconds: float) -> int:
        """Take no more work; return how many threads still run after at most so many seconds."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        threads = [thread for thread in threading.enumerate() if thread.name.startswith(_PREFIX)]
        if threads:
            ended = asyncio.Event()
            loop = asyncio.get_running_loop()
            threading.Thread(target=_join, args=(threads, loop, ended), name="hueyio-join", daemon=True).start()
            try:
                async with asyncio.timeout(seconds):
                    await ended.wait()
            except TimeoutError:
                pass
        return sum(thread.is_alive() for thread in threads)


def _join(threads: list[threading.Thread], loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    for thread in threads:
        thread.join()
    try:
        loop.call_soon_threadsafe(ended.set)
    except RuntimeError:
        return  # the loop has ended: nobody waits any more
