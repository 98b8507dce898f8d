"""Single keys from a terminal, while something is shown on it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import termios
import tty
from collections.abc import Iterator
from typing import Final, TextIO

__all__ = ["Keys", "keys_of"]

_MOST: Final = 64
"""Bytes of one read."""

_KEY: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z~]|\x1bO.|.", re.DOTALL)
"""A sequence, or a character."""


class Keys:
    """What was pressed and not asked for yet."""

    def __init__(self) -> None:
        self._pressed: asyncio.Queue[str] = asyncio.Queue()

    async def next(self, timeout: float | None) -> str | None:
        """Return the next key; None if there is none within so many seconds. None waits for ever."""
        try:
            async with asyncio.timeout(timeout):
                return await self._pressed.get()
        except TimeoutError:
            return None

    def read(self, fd: int) -> None:
        """Take what was pressed.

        A sequence, as an arrow key sends it, is one key, whatever comes with it in one read. The end of the terminal
        is a ``q``.
        """
        text = os.read(fd, _MOST).decode(errors="replace") or "q"
        for key in _KEY.findall(text):
            self._pressed.put_nowait(key)


@contextlib.contextmanager
def keys_of(stream: TextIO) -> Iterator[Keys]:
    """Give the keys of a terminal as they are pressed, unseen; of what is no terminal, none. Ctrl-C stays Ctrl-C."""
    keys = Keys()
    if not stream.isatty():
        yield keys
        return
    fd = stream.fileno()
    before = termios.tcgetattr(fd)
    loop = asyncio.get_running_loop()
    tty.setcbreak(fd)
    loop.add_reader(fd, keys.read, fd)
    try:
        yield keys
    finally:
        loop.remove_reader(fd)
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
