"""The fixtures that all topics share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from inspect import iscoroutinefunction
from typing import TypeAlias

import pytest
import pytest_asyncio

from hueyio.storage.contract import Session, Storage
from hueyio.testing.storage.conformance.worker import Worker
from hueyio.testing.storage.recipe import Recipe

__all__ = ["Basis", "Connect"]

Connect: TypeAlias = Callable[[], Awaitable[Session]]
"""Opens one more session of the storage; closed when the test ends."""


class Basis:
    """One storage for each test, with as many sessions as it wants."""

    def __init_subclass__(cls) -> None:
        """Mark the tests that are coroutine functions, so that they run in pytest-asyncio's strict mode too.

        One by one: a mark of the whole class would warn at each test that is a plain function.
        """
        for name, test in vars(cls).items():
            if name.startswith("test_") and iscoroutinefunction(test):
                pytest.mark.asyncio(test)

    @pytest.fixture
    def recipe(self) -> Recipe:
        """Say how to build the storage: the one fixture that the user writes. Each call must name an empty queue."""
        raise NotImplementedError("override the fixture 'recipe': it returns a Recipe of an empty queue")

    @pytest.fixture
    def storage(self, recipe: Recipe) -> Storage:
        """Build the storage."""
        return recipe.build()

    @pytest_asyncio.fixture(loop_scope="function")
    async def connect(self, storage: Storage) -> AsyncIterator[Connect]:
        """Open sessions that are closed again."""
        sessions: list[Session] = []

        async def open_session() -> Session:
            sessions.append(await storage.connect())
            return sessions[-1]

        yield open_session
        for session in sessions:
            await session.close()

    @pytest_asyncio.fixture(loop_scope="function")
    async def session(self, connect: Connect) -> Session:
        """Open the session of a test that needs only one."""
        return await connect()

    @pytest_asyncio.fixture(loop_scope="function")
    async def worker(self, session: Session) -> Worker:
        """Begin a lease in that session."""
        return await Worker.register(session)
