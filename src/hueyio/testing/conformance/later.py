"""What comes in a later version says so."""

from __future__ import annotations

import pytest

from hueyio.storage.contract import Session
from hueyio.storage.records import Receipt
from hueyio.testing.conformance.basis import Basis

__all__ = ["Later"]


class Later(Basis):
    """Progress and pauses."""

    @pytest.mark.asyncio
    async def test_progress_is_not_there_yet(self, session: Session) -> None:
        with pytest.raises(NotImplementedError, match="later"):
            await session.report(Receipt("owner", "a", 0), b"50 %")
        with pytest.raises(NotImplementedError, match="later"):
            await session.follow("a", None)

    @pytest.mark.asyncio
    async def test_pauses_are_not_there_yet(self, session: Session) -> None:
        with pytest.raises(NotImplementedError, match="later"):
            await session.pause()
        with pytest.raises(NotImplementedError, match="later"):
            await session.resume()
