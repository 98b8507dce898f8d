"""The queue and the task of ``count_files.py``: what both the program and its workers import.

Where the queue is comes from the environment, so that all of them open the same one.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hueyio import Huey, RedisHuey, Result, SqliteHuey, TaskException

__all__ = ["FileCount", "collect", "count", "huey"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCount:
    """What was found in one file; ``note`` says why there are no lines."""

    path: str
    lines: int | None = None
    words: int | None = None
    size: int | None = None
    sha256: str = ""
    note: str = ""


def _open_queue() -> Huey:
    if url := os.environ.get("COUNT_FILES_REDIS"):
        return RedisHuey("count_files", url=url)
    return SqliteHuey("count_files", filename=os.environ.get("COUNT_FILES_DB", "count_files.db"))


huey = _open_queue()


@huey.task
def count(path: str) -> FileCount:
    """Count one file's lines and words, and hash it. Reading blocks, so this is a ``def`` task: it gets a thread."""
    digest = hashlib.sha256()
    lines = words = size = 0
    binary = False
    try:
        with open(path, "rb") as file:
            for line in file:
                digest.update(line)
                binary = binary or b"\0" in line
                lines += 1
                words += len(line.split())
                size += len(line)
    except OSError as error:
        return FileCount(path=path, note=f"cannot be read: {error.strerror or error}")
    if binary:
        return FileCount(path=path, size=size, sha256=digest.hexdigest(), note="binary")
    return FileCount(path=path, lines=lines, words=words, size=size, sha256=digest.hexdigest())


async def collect(
    results: Sequence[Result[FileCount]], paths: Sequence[str], tick: Callable[[], None]
) -> list[FileCount]:
    """Await all results at the same time; call ``tick`` for each that has come."""

    async def wait(result: Result[FileCount], path: str) -> FileCount:
        try:
            return await result
        except TaskException as error:
            return FileCount(path=path, note=f"the task failed: {error}")
        finally:
            tick()

    return await asyncio.gather(*map(wait, results, paths))
