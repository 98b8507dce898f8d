"""A Huey on each storage."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from hueyio import Huey, MemoryHuey, RedisHuey, SqliteHuey
from tests.conftest import EACH_STORAGE, ServerOf


@pytest.fixture(params=["memory", *EACH_STORAGE])
def make_huey(request: pytest.FixtureRequest, tmp_path: Path, server_of: ServerOf) -> Callable[..., Huey]:
    name = uuid.uuid4().hex

    def make(**options: Any) -> Huey:
        match request.param:
            case "memory":
                return MemoryHuey(name, **options)
            case "sqlite":
                return SqliteHuey(name, filename=str(tmp_path / "flow.db"), **options)
            case kind:
                return RedisHuey(name, url=server_of(kind).url, **options)

    return make


@pytest.fixture
async def huey(make_huey: Callable[..., Huey]) -> AsyncIterator[Huey]:
    made = make_huey()
    yield made
    await made.close()
