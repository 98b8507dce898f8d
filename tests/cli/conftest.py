"""A shop on each storage that a command can reach."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.shop import Shop
from tests.conftest import EACH_SERVER, ON_POSTGRES, POSTGRES_KINDS, ServerOf
from tests.support.shared_postgres import own_database

STORAGES = ["sqlite", "file", *EACH_SERVER, ON_POSTGRES]


@pytest.fixture(params=STORAGES)
def shop(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    server_of: ServerOf,
) -> Iterator[Shop]:
    for name in ("HUEYIO_APP", "HUEYIO_URL", "HUEYIO_FILE", "HUEYIO_QUEUE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    source, bare = _source_of(request.param, tmp_path, server_of)
    made = Shop(tmp_path, source, bare, capsys)
    yield made
    sys.modules.pop("shop", None)


def _source_of(kind: str, folder: Path, server_of: ServerOf) -> tuple[str, tuple[str, ...]]:
    if kind == "sqlite":
        path = str(folder / "shop.db")
        return f"hueyio.SqliteHuey('shop', filename={path!r})", ("--file", path)
    if kind == "file":
        path = str(folder / "queues")
        return f"hueyio.FileHuey('shop', path={path!r})", ("--file", path)
    queue = f"shop-{uuid.uuid4().hex}"
    if kind == "postgres":
        url = own_database(POSTGRES_KINDS[0])
        return f"hueyio.PostgresHuey({queue!r}, {url!r})", ("--url", url, "--queue", queue)
    url = server_of(kind).url
    return f"hueyio.PriorityRedisHuey({queue!r}, url={url!r})", ("--url", url, "--queue", queue)
