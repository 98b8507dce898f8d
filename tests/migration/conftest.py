"""A queue of Huey's, and a Huey of hueyio's that it is moved to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from hueyio import MemoryHuey
from hueyio.core import core_of
from hueyio.migration.codec import Codec
from hueyio.migration.reading import Reading
from hueyio.migration.source import Source
from hueyio.migration.sources import open_source
from hueyio.migration.transfer import Transfer
from hueyio.migration.unpickling import Trust
from tests.conftest import SERVER_KINDS, ServerOf
from tests.migration.queues import KINDS, Written, written_queue
from tests.migration.tasks import declare

Moving: TypeAlias = Callable[..., Any]


_EXPIRE = pytest.mark.again("only results stand elsewhere than with priorities, and test_keys shows these")


@pytest.fixture(params=[pytest.param(it, marks=_EXPIRE) if it == "expire" else it for it in KINDS])
def written(request: pytest.FixtureRequest, tmp_path: Path, server_of: ServerOf) -> Iterator[Written]:
    """A queue that Huey writes."""
    with written_queue(request.param, tmp_path, server_of(SERVER_KINDS[0]).url) as made:
        yield made


@pytest.fixture
async def here() -> AsyncIterator[MemoryHuey]:
    """The Huey that tasks are moved to."""
    made = MemoryHuey("shop")
    declare(made)
    async with made:
        yield made


@asynccontextmanager
async def source_of(written: Written) -> AsyncIterator[Source]:
    """Open what Huey has written."""
    name = None if written.kind == "file" else written.huey.name
    source = await open_source(written.where, name, 20.0)
    try:
        yield source
    finally:
        await source.close()


async def transfer_from(source: Source, here: MemoryHuey, *trust: str, **options: Any) -> Transfer:
    """Return what moves it."""
    core = core_of(here)
    reading = Reading(codec=Codec(Trust(trust)))
    return Transfer(core, await core.session(), source, reading, **options)
