"""What is shown of a Huey is enough to see that two programs do not use the same queue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hueyio import BlackHoleHuey, FileHuey, Huey, HueyException, MemoryHuey, RedisHuey, ResultTimeout, SqliteHuey


@pytest.mark.parametrize(
    ("make", "shown"),
    [
        (lambda: SqliteHuey("q", filename="a.db"), "SqliteHuey 'q' in SQLite file {here}/a.db, queue 'q'"),
        (lambda: FileHuey("q", path="a"), "FileHuey 'q' in folder {here}/a, queue 'q'"),
        (lambda: RedisHuey("q", url="redis://me:secret@h:7/3"), "RedisHuey 'q' in Redis at h:7/3, queue 'q'"),
        (lambda: RedisHuey("q", host="h", password="secret"), "RedisHuey 'q' in Redis at h:6379/0, queue 'q'"),
        (lambda: MemoryHuey("q"), "MemoryHuey 'q' in the memory of this process, queue 'q'"),
        (lambda: BlackHoleHuey("q"), "BlackHoleHuey 'q' in no place at all, queue 'q'"),
    ],
    ids=["sqlite", "file", "redis", "redis by options", "memory", "black hole"],
)
def test_repr_has_the_whole_path_or_the_database_and_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[], Huey], shown: str
) -> None:
    monkeypatch.chdir(tmp_path)
    huey = make()
    monkeypatch.chdir("/")
    expected = shown.format(here=tmp_path)
    (_, place) = expected.split(" ", 1)
    assert (repr(huey), repr(huey.sync)) == (f"<{expected}>", f"<SyncHuey {place}>")


async def test_errors_of_a_read_say_where_it_looked(tmp_path: Path) -> None:
    where = f"in SQLite file {tmp_path}/a.db, queue 'q'"
    async with SqliteHuey("q", filename=str(tmp_path / "a.db")) as huey:
        with pytest.raises(ResultTimeout, match=where):
            await huey.result_of("no such id").get(blocking=True, timeout=0.01)
        with pytest.raises(HueyException, match=where):
            await huey.result_of("no such id")
