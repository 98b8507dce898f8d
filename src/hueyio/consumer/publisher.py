"""Tell the storage every few seconds what this consumer counted, and how it is: one write for both.

What was taken from the tally is written under the next number of this owner. It is repeated with the same number and
the same content until the storage has answered, so that a lost reply counts nothing twice. When the lease is gone
meanwhile, nobody can say whether it was counted: then it is dropped. A consumer that is killed loses what it counted
since its last write.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from hueyio.consumer.service import Service
from hueyio.consumer.tally import Tally
from hueyio.storage.contract import Counting
from hueyio.storage.records import Counted

__all__ = ["Publisher"]

_REST: Final = 5.0
"""Seconds between two writes."""


class Publisher(Service):
    """Owns what is taken from the tally and not written yet, and its numbers.

    ``info`` says how the consumer is; where that is what was said before, and nothing was counted, nothing is written.
    """

    def __init__(
        self, session: Counting, owner: Callable[[], str], info: Callable[[], bytes], tally: Tally | None
    ) -> None:
        super().__init__()
        self._session = session
        self._owner = owner
        self._info = info
        self._tally = tally
        self._pending: deque[Counted] = deque()
        self._number = 1
        self._numbered_for = ""
        self._is_doubtful = False
        """Whether the first of what is pending may have been written already."""
        self._told = b""
        self._has_begun = False

    async def step(self) -> float:
        """Write what there is; not at the very beginning, when the lease has just told it."""
        if self._has_begun:
            await self.publish()
        else:
            self._has_begun = True
            self._begin_anew(self._owner())
            self._told = self._info()
        return _REST

    async def publish(self) -> None:
        """Write what was counted since the last time, and how the consumer is."""
        owner = self._owner()
        if owner != self._numbered_for:
            self._begin_anew(owner)
        if self._tally is not None and not self._pending:
            self._pending.extend(self._tally.take())
        info = self._info()
        if not self._pending and info != self._told:
            await self._session.publish(owner, 0, info)
        while self._pending:
            if not await self._write(owner, info):
                return
        self._told = info

    async def _write(self, owner: str, info: bytes) -> bool:
        """Write the first of what is pending; False: there is no lease."""
        was_doubtful, self._is_doubtful = self._is_doubtful, True
        is_written = await self._session.publish(owner, self._number, info, self._pending[0])
        self._is_doubtful = False
        if is_written or was_doubtful:
            self._pending.popleft()
        self._number += is_written
        return is_written

    def _begin_anew(self, owner: str) -> None:
        """Number from 1, under a new lease."""
        if self._is_doubtful:
            self._pending.popleft()
        self._is_doubtful = False
        self._number, self._numbered_for, self._told = 1, owner, b""
