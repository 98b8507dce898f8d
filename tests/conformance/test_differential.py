"""Each storage beside the memory storage: steps made up at random lead both to the same answers.

``HUEYIO_TEST_EXAMPLES`` and ``HUEYIO_TEST_STEPS`` make it a long proof.
"""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

import hueyio.storage.redis as on_redis
from hueyio.storage.file import FileStorage
from hueyio.storage.postgres import PostgresStorage
from hueyio.storage.sqlite import SqliteStorage
from hueyio.testing.storage.differential import check_against_memory
from tests.conftest import SERVER_KINDS, ServerOf


def test_sqlite_does_what_memory_does(tmp_path: Path) -> None:
    """With and without syncs, in turn: without, the loop does much of what the thread does with them."""
    file = str(tmp_path / "hueyio.db")
    check_against_memory(lambda number: SqliteStorage(f"q{number}", file, fsync=number % 2 == 0))


def test_file_does_what_memory_does(tmp_path: Path) -> None:
    check_against_memory(lambda number: FileStorage(f"q{number}", tmp_path / "folder"))


@pytest.mark.parametrize("at", range(len(on_redis.__all__)), ids=on_redis.__all__)
def test_redis_does_what_memory_does(at: int, server_of: ServerOf) -> None:
    make = getattr(on_redis, on_redis.__all__[at])
    server = server_of(SERVER_KINDS[at % len(SERVER_KINDS)])  # the servers take turns
    check_against_memory(lambda number: make(uuid.uuid4().hex, url=server.url))


@pytest.mark.again("each operation of the storage is shown by the conformance suite, and this takes long")
def test_postgres_does_what_memory_does(postgres_dsn: str) -> None:
    check_against_memory(lambda number: PostgresStorage(uuid.uuid4().hex, postgres_dsn))
