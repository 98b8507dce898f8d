"""A Huey on each storage."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from hueyio import Huey, MemoryHuey, PostgresHuey, RedisHuey, SqliteHuey
from tests.conftest import EACH_STORAGE, POSTGRES_KINDS, ServerOf
from tests.support.shared_postgres import own_database


def maker(kind: str, folder: Path, server_of: ServerOf) -> Callable[..., Huey]:
    """Return what makes a Huey on a storage of this kind; those that it makes share a queue."""
    name = uuid.uuid4().hex

    def make(**options: Any) -> Huey:
        match kind:
            case "memory":
                return MemoryHuey(name, **options)
            case "sqlite":
                return SqliteHuey(name, filename=str(folder / "flow.db"), **options)
            case "postgres":
                return PostgresHuey(name, own_database(POSTGRES_KINDS[0]), **options)
            case server:
                return RedisHuey(name, url=server_of(server).url, **options)

    return make


@pytest.fixture(params=["memory", *EACH_STORAGE])
def make_huey(request: pytest.FixtureRequest, tmp_path: Path, server_of: ServerOf) -> Callable[..., Huey]:
    return maker(request.param, tmp_path, server_of)


@pytest.fixture
async def huey(make_huey: Callable[..., Huey]) -> AsyncIterator[Huey]:
    made = make_huey()
    yield made
    await made.close()
